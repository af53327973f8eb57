//! `docs/configuration.md`: the configuration reference, generated from the types that read the file.
//!
//! `SPACECP_WRITE_REFERENCE=1` writes it anew.

use std::{fmt::Write as _, fs, path::Path};

use anyhow::{Context, Result};
use serde_json::Value;
use spacecp_advisories::config::Config;
use tempfile::TempDir;
use utoipa::{PartialSchema, ToSchema, openapi};

/// What stands before the tables.
const INTRODUCTION: &str = include_str!("configuration_reference.md");

/// A configuration that has every table, so that each number can be tried.
const EVERY_TABLE: &str = include_str!("configuration_reference.toml");

/// Units, as the first word of a number's description.
const UNITS: [&str; 6] = [
    "Bytes",
    "Milliseconds",
    "Seconds",
    "Minutes",
    "Hours",
    "Days",
];

/// A key of the configuration file.
struct Key {
    name: String,
    required: bool,
    description: String,
    schema: Value,
}

/// A table of the configuration file, with its keys in alphabetical order.
struct Table {
    path: Vec<String>,
    repeated: bool,
    description: String,
    keys: Vec<Key>,
}

/// The schemas that the types derive, by name.
struct Schemas(Value);

impl Schemas {
    fn new() -> Result<Self> {
        let mut named = vec![(Config::name().into_owned(), Config::schema())];
        Config::schemas(&mut named);
        let components = openapi::ComponentsBuilder::new().schemas_from_iter(named);
        Ok(Self(
            serde_json::to_value(components.build())?["schemas"].take(),
        ))
    }

    /// The schema itself, without a reference, and without the `null` of something optional.
    fn plain(&self, schema: &Value) -> Value {
        if let Some(reference) = schema["$ref"].as_str() {
            let name = reference.rsplit('/').next().unwrap_or_default();
            return self.plain(&self.0[name]);
        }
        for all in ["oneOf", "allOf", "anyOf"] {
            let Some(alternatives) = schema[all].as_array() else {
                continue;
            };
            let mut some = alternatives.iter().filter(|one| one["type"] != "null");
            if let (Some(only), None) = (some.next(), some.next()) {
                return self.plain(only);
            }
        }
        schema.clone()
    }

    /// Every table, the one without a name first, each followed by those inside it.
    fn tables(&self) -> Result<Vec<Table>> {
        let mut tables = Vec::new();
        self.add(&mut tables, Vec::new(), false, &self.0["Config"])?;
        Ok(tables)
    }

    fn add(
        &self,
        tables: &mut Vec<Table>,
        path: Vec<String>,
        repeated: bool,
        schema: &Value,
    ) -> Result<()> {
        let properties = schema["properties"].as_object().context("not a table")?;
        let required = schema["required"].as_array();
        let keys = properties.iter().map(|(name, schema)| Key {
            name: name.clone(),
            required: required.is_some_and(|names| names.iter().any(|one| one == name)),
            description: sentence(schema, &self.plain(schema)),
            schema: schema.clone(),
        });
        tables.push(Table {
            path: path.clone(),
            repeated,
            description: schema["description"]
                .as_str()
                .unwrap_or_default()
                .to_owned(),
            keys: keys.collect(),
        });
        for (name, schema) in properties {
            let plain = self.plain(schema);
            let element = self.plain(&plain["items"]);
            let inner = [(false, &plain), (true, &element)];
            for (repeated, inner) in inner {
                if inner["properties"].is_object() {
                    let path = path.iter().chain([name]).cloned().collect();
                    self.add(tables, path, repeated, inner)?;
                }
            }
        }
        Ok(())
    }

    fn kind(&self, key: &Key) -> String {
        self.type_of(&key.schema, unit(&key.description))
    }

    fn type_of(&self, schema: &Value, unit: Option<&str>) -> String {
        let schema = self.plain(schema);
        if let Some(words) = words(&schema) {
            return words.join(", ");
        }
        if let Some(several) = schema["oneOf"].as_array() {
            let kinds: Vec<_> = several.iter().map(|one| self.type_of(one, unit)).collect();
            return kinds.join(" or ");
        }
        let kinds = match &schema["type"] {
            Value::Array(kinds) => kinds.iter().filter_map(Value::as_str).collect(),
            kind => Vec::from_iter(kind.as_str()),
        };
        match kinds.into_iter().find(|kind| *kind != "null") {
            Some("array") => format!("array of {}", self.type_of(&schema["items"], unit)),
            Some("object") => "table".to_owned(),
            Some("string") if schema["format"] == "path" => "path".to_owned(),
            Some("integer") => {
                let unit = unit.map(|unit| format!(", {}", unit.to_lowercase()));
                format!("integer{}", unit.unwrap_or_default())
            }
            Some(kind) => kind.to_owned(),
            None => "?".to_owned(),
        }
    }

    fn limits(&self, key: &Key) -> String {
        let schema = self.plain(&key.schema);
        let of = |name: &str| number(&key.schema[name]).or_else(|| number(&schema[name]));
        let range = |least: Option<u64>, most: Option<u64>, what: &str| match (least, most) {
            (Some(least), Some(most)) => Some(format!("{least} to {most}{what}")),
            (Some(least), None) if least > 0 => Some(format!("at least {least}{what}")),
            (None, Some(most)) => Some(format!("at most {most}{what}")),
            _ => None,
        };
        if let (Some(1), None) = (of("minLength"), of("maxLength")) {
            return "not empty".to_owned();
        }
        range(of("minimum"), of("maximum"), "")
            .or_else(|| range(of("minLength"), of("maxLength"), " characters"))
            .or_else(|| range(of("minItems"), of("maxItems"), " entries"))
            .unwrap_or_else(|| "–".to_owned())
    }
}

fn number(value: &Value) -> Option<u64> {
    // Numbers of a schema may be floating-point, as in 1.0.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "limits are small and not negative"
    )]
    value.as_f64().map(|number| number as u64)
}

/// The words that an enumeration has.
fn words(schema: &Value) -> Option<Vec<String>> {
    let named = schema["enum"]
        .as_array()
        .map(|words| words.iter().collect());
    let described = || {
        let each = schema["oneOf"].as_array()?.iter();
        each.map(|one| one["enum"].as_array()?.first()).collect()
    };
    let words: Vec<&Value> = named.or_else(described)?;
    let words = words.into_iter().filter_map(Value::as_str);
    Some(words.map(|word| format!("`{word}`")).collect())
}

/// What is said of a key; where nothing is, what is said of its type. Only the first paragraph of it.
fn sentence(schema: &Value, plain: &Value) -> String {
    let alternatives = schema["oneOf"].as_array().into_iter().flatten();
    let mut said = [schema].into_iter().chain(alternatives).chain([plain]);
    let described = said.find_map(|schema| schema["description"].as_str());
    let first = described.and_then(|text| text.split("\n\n").next());
    first.unwrap_or_default().replace('\n', " ")
}

fn unit(description: &str) -> Option<&'static str> {
    UNITS.into_iter().find(|unit| {
        let rest = description.strip_prefix(unit);
        rest.is_some_and(|rest| rest.starts_with(' '))
    })
}

fn default(key: &Key) -> String {
    let value = &key.schema["default"];
    let bytes = unit(&key.description) == Some("Bytes");
    match value {
        Value::Null if key.required => "required".to_owned(),
        Value::Null => "–".to_owned(),
        Value::Number(number) if bytes => size(number.as_u64().unwrap_or_default()),
        Value::Object(_) => "–".to_owned(),
        value => format!("`{value}`"),
    }
}

fn size(bytes: u64) -> String {
    let powers = [(30, "GiB"), (20, "MiB"), (10, "KiB")];
    let whole = powers
        .into_iter()
        .find(|(power, _)| bytes > 0 && bytes.trailing_zeros() >= *power);
    match whole {
        Some((power, name)) => format!("`{bytes}` ({} {name})", bytes >> power),
        None => format!("`{bytes}`"),
    }
}

fn reference(schemas: &Schemas) -> Result<String> {
    let mut text = INTRODUCTION.to_owned();
    for table in schemas.tables()? {
        let path = table.path.join(".");
        match (path.as_str(), table.repeated) {
            ("", _) => text.push_str("\n## Top level\n"),
            (path, false) => write!(text, "\n## `[{path}]`\n")?,
            (path, true) => write!(text, "\n## `[[{path}]]`\n")?,
        }
        write!(text, "\n{}\n\n", table.description)?;
        text.push_str(
            "| key | type | default | limits | meaning |\n| --- | --- | --- | --- | --- |\n",
        );
        for key in &table.keys {
            writeln!(
                text,
                "| `{}` | {} | {} | {} | {} |",
                key.name,
                schemas.kind(key),
                default(key),
                schemas.limits(key),
                key.description
            )?;
        }
    }
    Ok(text)
}

#[test]
fn the_configuration_reference_says_what_the_types_say() -> Result<()> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/configuration.md");
    let generated = reference(&Schemas::new()?)?;
    if std::env::var_os("SPACECP_WRITE_REFERENCE").is_some() {
        fs::write(&path, &generated)?;
    }
    assert!(
        fs::read_to_string(&path)? == generated,
        "docs/configuration.md differs from the types; write it anew with SPACECP_WRITE_REFERENCE=1"
    );
    Ok(())
}

#[test]
fn every_key_of_the_configuration_reference_is_described() -> Result<()> {
    for table in Schemas::new()?.tables()? {
        assert!(!table.description.is_empty(), "{:?}", table.path);
        for key in table.keys {
            assert!(!key.description.is_empty(), "{:?} {}", table.path, key.name);
        }
    }
    Ok(())
}

#[test]
fn every_limit_of_the_configuration_reference_is_the_one_that_is_kept() -> Result<()> {
    let schemas = Schemas::new()?;
    let mut tried = 0;
    for table in schemas.tables()? {
        for key in &table.keys {
            let schema = schemas.plain(&key.schema);
            let least = number(&schema["minimum"]);
            let most = number(&schema["maximum"]);
            for (limit, beyond) in [
                (least, least.and_then(|least| least.checked_sub(1))),
                (most, most.map(|most| most + 1)),
            ] {
                let (Some(limit), Some(beyond)) = (limit, beyond) else {
                    continue;
                };
                let name = format!("{:?} {}", table.path, key.name);
                assert!(loads(&table.path, &key.name, limit)?, "{name} = {limit}");
                assert!(!loads(&table.path, &key.name, beyond)?, "{name} = {beyond}");
                tried += 1;
            }
        }
    }
    assert!(tried > 30, "only {tried} limits were tried");
    Ok(())
}

/// Whether the configuration with every table is taken with this value at this key.
fn loads(table: &[String], key: &str, value: u64) -> Result<bool> {
    let mut config: toml::Table = toml::from_str(EVERY_TABLE)?;
    let mut place = &mut config;
    for name in table {
        let inner = place.get_mut(name).with_context(|| name.clone())?;
        let inner = match inner {
            toml::Value::Array(tables) => tables.first_mut().context("an empty array")?,
            inner => inner,
        };
        place = inner.as_table_mut().context("not a table")?;
    }
    place.insert(key.to_owned(), i64::try_from(value)?.into());
    let folder = TempDir::new()?;
    let path = folder.path().join("config.toml");
    fs::write(&path, toml::to_string(&config)?)?;
    Ok(Config::load(&path).is_ok())
}
