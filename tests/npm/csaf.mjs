// Judges CSAF 2.0 documents by the tests of the standard's section 6, as BSI's validator has them.
//
// node csaf.mjs FILE… prints, for each file, which tests found what.

import { readFileSync } from 'node:fs'
import validate from '@secvisogram/csaf-validator-lib/validateStrict.js'
import * as mandatory from '@secvisogram/csaf-validator-lib/mandatoryTests.js'
import * as optional from '@secvisogram/csaf-validator-lib/optionalTests.js'
import { csaf_2_0_strict } from '@secvisogram/csaf-validator-lib/schemaTests.js'

const groups = {
  schema: [csaf_2_0_strict],
  mandatory: Object.values(mandatory),
  optional: Object.values(optional),
}

const verdicts = {}
for (const file of process.argv.slice(2)) {
  const document = JSON.parse(readFileSync(file, 'utf8'))
  const verdict = { asked: 0 }
  for (const [group, tests] of Object.entries(groups)) {
    const { tests: results } = await validate(tests, document)
    verdict.asked += results.length
    verdict[group] = results
      .map(({ name, errors, warnings }) => ({ name, found: [...errors, ...warnings] }))
      .filter(({ found }) => found.length > 0)
  }
  verdicts[file] = verdict
}
console.log(JSON.stringify(verdicts))
