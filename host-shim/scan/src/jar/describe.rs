//! What plugins and mods say about themselves, in the files that their servers read.
//!
//! Bukkit and `BungeeCord`: <https://docs.papermc.io/paper/dev/plugin-yml/>; Paper:
//! <https://docs.papermc.io/paper/dev/getting-started/paper-plugins/>; Velocity: `velocity-plugin.json` as
//! its annotation processor writes it; Fabric: <https://wiki.fabricmc.net/documentation:fabric_mod_json_spec>;
//! Quilt: RFC 2 of its project; Forge and `NeoForge`: `mods.toml`, <https://docs.minecraftforge.net/en/latest/gettingstarted/modfiles/>.

use std::collections::BTreeMap;

use saphyr_parser::{Event, Parser};
use serde::Deserialize;

use crate::Why;

/// A file that describes, in the order in which one gives its archive a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Descriptor {
    Bukkit,
    Paper,
    Velocity,
    Bungee,
    Fabric,
    Quilt,
    Forge,
    NeoForge,
}

/// What a descriptor says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Described {
    /// The first part of the name that advisories use.
    pub(super) kind: &'static str,
    pub(super) name: String,
    pub(super) version: Option<String>,
}

impl Descriptor {
    pub(super) fn of(path: &str) -> Option<Self> {
        Some(match path {
            "plugin.yml" => Self::Bukkit,
            "paper-plugin.yml" => Self::Paper,
            "velocity-plugin.json" => Self::Velocity,
            "bungee.yml" => Self::Bungee,
            "fabric.mod.json" => Self::Fabric,
            "quilt.mod.json" => Self::Quilt,
            "META-INF/mods.toml" => Self::Forge,
            "META-INF/neoforge.mods.toml" => Self::NeoForge,
            _ => return None,
        })
    }

    pub(super) fn read(self, bytes: &[u8]) -> Result<Vec<Described>, Why> {
        match self {
            Self::Bukkit | Self::Paper => yaml("bukkit", bytes),
            Self::Bungee => yaml("bungee", bytes),
            Self::Velocity => json("velocity", bytes),
            Self::Fabric => json("fabric", bytes),
            Self::Quilt => quilt(bytes),
            Self::Forge => mods("forge", bytes),
            Self::NeoForge => mods("neoforge", bytes),
        }
    }
}

fn described(
    kind: &'static str,
    name: Option<String>,
    version: Option<String>,
) -> Result<Described, Why> {
    let name = name.ok_or_else(|| Why::Missing("what it is called".to_owned()))?;
    Ok(Described {
        kind,
        name,
        version,
    })
}

fn yaml(kind: &'static str, bytes: &[u8]) -> Result<Vec<Described>, Why> {
    let mut said = top_level(bytes, &["name", "version"])?;
    let (name, version) = (said.remove("name"), said.remove("version"));
    Ok(vec![described(kind, name, version)?])
}

/// The values of some keys at the top of a YAML document.
///
/// It goes by the parser's events and keeps no tree, so that neither depth nor aliases cost anything:
/// an alias where a value is wanted is refused, and elsewhere passed over.
fn top_level(bytes: &[u8], wanted: &[&str]) -> Result<BTreeMap<String, String>, Why> {
    let wrong = |reason: &str| Why::malformed("YAML", reason);
    let text = std::str::from_utf8(bytes).map_err(|_| wrong("not UTF-8"))?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut found = BTreeMap::new();
    let (mut depth, mut key) = (0_u32, None::<String>);
    let mut is_key = true;
    for event in Parser::new_from_str(text) {
        let (event, _) = event.map_err(|error| Why::malformed("YAML", error))?;
        let at_top = depth == 1;
        match event {
            Event::MappingStart(..) | Event::SequenceStart(..) => {
                if at_top && is_key {
                    return Err(wrong("a key is more than a word"));
                }
                if depth == 0 && !matches!(event, Event::MappingStart(..)) {
                    return Err(wrong("not a list of names and values"));
                }
                depth += 1;
            }
            Event::MappingEnd | Event::SequenceEnd => {
                depth = depth.saturating_sub(1);
                if depth == 1 {
                    is_key = true;
                }
            }
            Event::Scalar(value, ..) if at_top && is_key => {
                key = Some(value.into_owned());
                is_key = false;
            }
            Event::Scalar(value, ..) if at_top => {
                if let Some(key) = key.take().filter(|key| wanted.contains(&key.as_str()))
                    && found.insert(key, value.into_owned()).is_some()
                {
                    return Err(wrong("duplicate key"));
                }
                is_key = true;
            }
            Event::Alias(_) if at_top => {
                let says = key.take();
                if is_key || says.is_some_and(|key| wanted.contains(&key.as_str())) {
                    return Err(wrong("an alias stands where a word should"));
                }
                is_key = true;
            }
            // The server reads the first document.
            Event::DocumentEnd => break,
            _ => {}
        }
    }
    Ok(found)
}

#[derive(Deserialize)]
struct Identified {
    id: Option<String>,
    version: Option<String>,
}

fn json(kind: &'static str, bytes: &[u8]) -> Result<Vec<Described>, Why> {
    let said: Identified =
        serde_json::from_slice(bytes).map_err(|error| Why::malformed("JSON", error))?;
    Ok(vec![described(kind, said.id, said.version)?])
}

fn quilt(bytes: &[u8]) -> Result<Vec<Described>, Why> {
    #[derive(Deserialize)]
    struct Outer {
        quilt_loader: Identified,
    }
    let said: Outer =
        serde_json::from_slice(bytes).map_err(|error| Why::malformed("JSON", error))?;
    let said = said.quilt_loader;
    Ok(vec![described("quilt", said.id, said.version)?])
}

fn mods(kind: &'static str, bytes: &[u8]) -> Result<Vec<Described>, Why> {
    #[derive(Deserialize)]
    struct Outer {
        #[serde(default)]
        mods: Vec<Mod>,
    }
    #[derive(Deserialize)]
    struct Mod {
        #[serde(rename = "modId")]
        id: Option<String>,
        version: Option<String>,
    }
    let text = std::str::from_utf8(bytes).map_err(|error| Why::malformed("TOML", error))?;
    let said: Outer =
        toml::from_str(text).map_err(|error| Why::malformed("TOML", error.message()))?;
    let mods = said.mods.into_iter();
    mods.map(|said| described(kind, said.id, said.version))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn one(descriptor: Descriptor, text: &str) -> Result<(String, Option<String>), Why> {
        let mut read = descriptor.read(text.as_bytes())?;
        assert_eq!(read.len(), 1);
        let read = read.remove(0);
        Ok((read.name, read.version))
    }

    #[test]
    fn each_descriptor_says_name_and_version() {
        let said = |name: &str, version: &str| Ok((name.to_owned(), Some(version.to_owned())));
        for (descriptor, text) in [
            (
                Descriptor::Bukkit,
                "main: a.B\nname: Shop\nversion: 1.10\ncommands:\n  name:\n    version: 9\n",
            ),
            (
                Descriptor::Paper,
                "name: 'Shop'\nversion: \"1.10\"\napi-version: '1.20'",
            ),
            (Descriptor::Bungee, "{name: Shop, version: 1.10}"),
            (
                Descriptor::Velocity,
                r#"{"id":"Shop","version":"1.10","dependencies":[]}"#,
            ),
            (
                Descriptor::Fabric,
                r#"{"schemaVersion":1,"id":"Shop","version":"1.10"}"#,
            ),
            (
                Descriptor::Quilt,
                r#"{"quilt_loader":{"id":"Shop","version":"1.10"}}"#,
            ),
            (
                Descriptor::Forge,
                "modLoader='javafml'\n[[mods]]\nmodId='Shop'\nversion='1.10'",
            ),
            (
                Descriptor::NeoForge,
                "[[mods]]\nmodId='Shop'\nversion='1.10'",
            ),
        ] {
            assert_eq!(
                one(descriptor, text),
                said("Shop", "1.10"),
                "{descriptor:?}"
            );
        }
    }

    #[test]
    fn aliases_cost_nothing_and_are_no_names() {
        let mut bomb = "a0: &a0 [x,x,x,x,x,x,x,x,x]\n".to_owned();
        for level in 1..40 {
            let before = level - 1;
            bomb.push_str(&format!("a{level}: &a{level} [*a{before},*a{before},*a{before},*a{before},*a{before},*a{before},*a{before},*a{before}]\n"));
        }
        bomb.push_str("name: Shop\nversion: 1\n");
        assert_eq!(one(Descriptor::Bukkit, &bomb).unwrap().0, "Shop");
        assert!(one(Descriptor::Bukkit, "x: &x Shop\nname: *x\nversion: 1").is_err());
    }

    #[test]
    fn depth_is_refused_or_passed_over_and_never_ends_the_process() {
        let deep = format!("name: Shop\nx: {}", "[".repeat(10_000));
        assert!(Descriptor::Bukkit.read(deep.as_bytes()).is_err());
        let deep = format!(
            "{{\"id\":\"a\",\"x\":{}{}}}",
            "[".repeat(10_000),
            "]".repeat(10_000)
        );
        let _ = Descriptor::Fabric.read(deep.as_bytes());
        let deep = format!("x = {}", "[".repeat(10_000));
        assert!(Descriptor::Forge.read(deep.as_bytes()).is_err());
    }

    #[test]
    fn what_says_the_same_thing_twice_or_is_no_text_is_refused() {
        assert!(one(Descriptor::Bukkit, "name: A\nname: B\nversion: 1").is_err());
        assert!(Descriptor::Bukkit.read(b"name: \xff\xfe").is_err());
        assert!(Descriptor::Bukkit.read(b"version: 1").is_err());
    }

    proptest! {
        #[test]
        fn no_bytes_end_the_process(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            for descriptor in [Descriptor::Bukkit, Descriptor::Fabric, Descriptor::Quilt, Descriptor::Forge] {
                let _ = descriptor.read(&bytes);
            }
        }
    }
}
