// Judges JSON documents by a JSON Schema of 2020-12.
//
// node schema.mjs SCHEMA FILE… prints, for each file, what is wrong with it.

import { readFileSync } from 'node:fs'
import Ajv from 'ajv/dist/2020.js'
import formats from 'ajv-formats'

const read = file => JSON.parse(readFileSync(file, 'utf8'))
const ajv = new Ajv.default({ allErrors: true, strict: false })
formats.default(ajv)
const [schema, ...files] = process.argv.slice(2)
const judge = ajv.compile(read(schema))
const verdicts = {}
for (const file of files) {
  judge(read(file))
  verdicts[file] = (judge.errors ?? []).map(error => `${error.instancePath}: ${error.message}`)
}
console.log(JSON.stringify(verdicts))
