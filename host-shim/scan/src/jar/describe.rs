//! What plugins and mods say about themselves, in the files that their servers read.
//!
//! Bukkit and `BungeeCord`: <https://docs.papermc.io/paper/dev/plugin-yml/>; Paper:
//! <https://docs.papermc.io/paper/dev/getting-started/paper-plugins/>; Velocity: `velocity-plugin.json` as
//! its annotation processor writes it; Fabric: <https://wiki.fabricmc.net/documentation:fabric_mod_json_spec>;
//! Quilt: RFC 2 of its project; Forge and `NeoForge`: `mods.toml`, <https://docs.minecraftforge.net/en/latest/gettingstarted/modfiles/>,
//! before Minecraft 1.13 `mcmod.info`; Sponge: `sponge_plugins.json`, <https://docs.spongepowered.org/stable/en/plugin/plugin-meta.html>.
//! Each is read as lenient as its server reads it: `SnakeYAML` has the later of two values for one name, Gson takes line
//! breaks inside strings.

use serde_json::Value;

use crate::{
    Why, json,
    text::{self, is_legible},
    yaml::{self, Tree},
};

/// A file that describes, in the order in which one gives its archive a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Descriptor {
    Bukkit,
    Paper,
    Velocity,
    Bungee,
    Sponge,
    Fabric,
    Quilt,
    NeoForge,
    Forge,
    ForgeBefore113,
}

/// What a descriptor says.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Description {
    pub(super) parts: Vec<Described>,
    /// Artifacts that the server fetches for the plugin, as `group:artifact:version`.
    pub(super) libraries: Vec<String>,
    /// Archives inside this one that the loader loads with it.
    pub(super) nested: Vec<String>,
    /// What is odd about one of them.
    pub(super) odd: Vec<Why>,
}

/// A plugin or a mod.
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
            "META-INF/sponge_plugins.json" => Self::Sponge,
            "fabric.mod.json" => Self::Fabric,
            "quilt.mod.json" => Self::Quilt,
            "META-INF/neoforge.mods.toml" => Self::NeoForge,
            "META-INF/mods.toml" => Self::Forge,
            "mcmod.info" => Self::ForgeBefore113,
            _ => return None,
        })
    }

    pub(super) fn read(self, bytes: &[u8]) -> Result<Description, Why> {
        match self {
            Self::Bukkit | Self::Paper => yaml("bukkit", bytes),
            Self::Bungee => yaml("bungee", bytes),
            Self::Velocity => json("velocity", &json::read(bytes)?),
            Self::Sponge => sponge(&json::read(bytes)?),
            Self::Fabric => fabric(&json::read(bytes)?),
            Self::Quilt => quilt(&json::read(bytes)?),
            Self::NeoForge => mods("neoforge", bytes),
            Self::Forge => mods("forge", bytes),
            Self::ForgeBefore113 => mod_list(&json::read(bytes)?),
        }
    }
}

impl Description {
    /// A plugin or a mod, or that it does not say what it is called.
    fn add(&mut self, kind: &'static str, name: Option<String>, version: Option<String>) {
        match name {
            Some(name) if is_legible(&name) => self.parts.push(Described {
                kind,
                name,
                version: version.filter(|version| is_legible(version)),
            }),
            Some(_) => self.odd.push(Why::malformed("text", "a name is not UTF-8")),
            None => self.odd.push(Why::Missing("what it is called".to_owned())),
        }
    }

    /// What is said, or why nothing is.
    fn whole(mut self) -> Result<Self, Why> {
        match self.odd.pop() {
            Some(why) if self.parts.is_empty() && self.odd.is_empty() => Err(why),
            odd => {
                self.odd.extend(odd);
                Ok(self)
            }
        }
    }
}

fn yaml(kind: &'static str, bytes: &[u8]) -> Result<Description, Why> {
    let said = yaml::tree(&text::decode(bytes))?;
    let mut description = Description::default();
    let text = |name: &str| {
        said.get(name)
            .and_then(|value| Some(value.text()?.to_owned()))
    };
    description.add(kind, text("name"), text("version"));
    match said.get("libraries").as_deref() {
        None => {}
        Some(Tree::List(libraries)) => {
            for library in libraries {
                match library.text() {
                    Some(library) => description.libraries.push(library.to_owned()),
                    None => description.odd.push(Why::malformed("a library", "no text")),
                }
            }
        }
        // Nothing at all.
        Some(Tree::Text(text)) if matches!(text.as_str(), "" | "~" | "null") => {}
        Some(_) => description
            .odd
            .push(Why::malformed("a list of libraries", "no list")),
    }
    description.whole()
}

fn json(kind: &'static str, said: &Value) -> Result<Description, Why> {
    let mut description = Description::default();
    let text = |name: &str| json::text_of(said, name).map(Into::into);
    description.add(kind, text("id"), text("version"));
    description.whole()
}

fn list<'a>(said: &'a Value, name: &str) -> impl Iterator<Item = &'a Value> {
    said.get(name)
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
}

fn fabric(said: &Value) -> Result<Description, Why> {
    let mut description = json("fabric", said)?;
    let nested = list(said, "jars").filter_map(|jar| jar.get("file")?.as_str());
    description.nested = nested.map(str::to_owned).collect();
    Ok(description)
}

fn quilt(said: &Value) -> Result<Description, Why> {
    let loader = said.get("quilt_loader").unwrap_or(&Value::Null);
    let mut description = json("quilt", loader)?;
    // One may have conditions, and says its place beside them then.
    let nested =
        list(loader, "jars").filter_map(|jar| jar.as_str().or_else(|| jar.get("file")?.as_str()));
    description.nested = nested.map(str::to_owned).collect();
    Ok(description)
}

/// Several plugins, which share what stands under `global`.
fn sponge(said: &Value) -> Result<Description, Why> {
    let mut description = Description::default();
    let global = said.get("global").unwrap_or(&Value::Null);
    for plugin in list(said, "plugins") {
        let version = json::text_of(plugin, "version").or_else(|| json::text_of(global, "version"));
        let id = json::text_of(plugin, "id");
        description.add("sponge", id.map(Into::into), version.map(Into::into));
    }
    named(description)
}

/// Forge's mods up to Minecraft 1.12: a list, or one that says its version.
fn mod_list(said: &Value) -> Result<Description, Why> {
    let mut description = Description::default();
    let plain = said.as_array().into_iter().flatten();
    for one in plain.chain(list(said, "modList")) {
        let text = |name: &str| json::text_of(one, name).map(Into::into);
        let kind = if needs_sponge(one) { "sponge" } else { "forge" };
        description.add(kind, text("modid"), text("version"));
    }
    named(description)
}

/// Plugins of Sponge's API 5 to 7 are described as mods, and depend on the API.
fn needs_sponge(said: &Value) -> bool {
    ["requiredMods", "dependencies"].iter().any(|name| {
        let mut needed = list(said, name).filter_map(Value::as_str);
        needed.any(|needed| needed.split('@').next() == Some("spongeapi"))
    })
}

fn mods(kind: &'static str, bytes: &[u8]) -> Result<Description, Why> {
    let text = text::decode(bytes);
    let said: toml::Table =
        toml::from_str(&text).map_err(|error| Why::malformed("TOML", error.message()))?;
    let mut description = Description::default();
    let mods = said.get("mods").and_then(toml::Value::as_array);
    for one in mods.into_iter().flatten() {
        let text = |name: &str| match one.get(name)? {
            toml::Value::String(text) => Some(text.clone()),
            toml::Value::Float(number) => Some(number.to_string()),
            toml::Value::Integer(number) => Some(number.to_string()),
            _ => None,
        };
        let id = text("modId");
        for kind in loaders(kind, said.get("dependencies"), id.as_deref()) {
            description.add(kind, id.clone(), text("version"));
        }
    }
    named(description)
}

/// Who loads a mod, by what it depends on: for `NeoForge` 20.2 to 20.4 mods are described as for Forge.
fn loaders(
    kind: &'static str,
    dependencies: Option<&toml::Value>,
    id: Option<&str>,
) -> Vec<&'static str> {
    let dependencies = dependencies.and_then(|all| all.get(id?)?.as_array());
    let needs = |loader: &str| {
        let mut all = dependencies.into_iter().flatten();
        all.any(|one| one.get("modId").and_then(toml::Value::as_str) == Some(loader))
    };
    match (needs("forge"), needs("neoforge")) {
        (true, true) => vec!["forge", "neoforge"],
        (true, false) => vec!["forge"],
        (false, true) => vec!["neoforge"],
        (false, false) => vec![kind],
    }
}

/// Refuses a list without anything in it.
fn named(description: Description) -> Result<Description, Why> {
    let description = description.whole()?;
    if description.parts.is_empty() && description.odd.is_empty() {
        return Err(Why::Missing("what it is called".to_owned()));
    }
    Ok(description)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn one(descriptor: Descriptor, text: &str) -> Result<(String, Option<String>), Why> {
        let mut read = descriptor.read(text.as_bytes())?.parts;
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
            (
                Descriptor::ForgeBefore113,
                r#"[{"modid":"Shop","version":"1.10",}]"#,
            ),
            (
                Descriptor::ForgeBefore113,
                r#"{"modListVersion":2,"modList":[{"modid":"Shop","version":"1.10"}]}"#,
            ),
            (
                Descriptor::Sponge,
                r#"{"global":{"version":"1.10"},"plugins":[{"id":"Shop"}]}"#,
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
    fn aliases_cost_nothing_and_are_followed() {
        let mut bomb = "a0: &a0 [x,x,x,x,x,x,x,x,x]\n".to_owned();
        for level in 1..40 {
            let before = level - 1;
            bomb.push_str(&format!("a{level}: &a{level} [*a{before},*a{before},*a{before},*a{before},*a{before},*a{before},*a{before},*a{before}]\n"));
        }
        bomb.push_str("name: Shop\nversion: 1\n");
        assert_eq!(one(Descriptor::Bukkit, &bomb).unwrap().0, "Shop");
        let aliased = "x: &x Shop\nname: *x\nversion: 1";
        assert_eq!(one(Descriptor::Bukkit, aliased).unwrap().0, "Shop");
    }

    #[test]
    fn what_stands_elsewhere_or_is_merged_in_counts_as_for_the_server() {
        for yaml in [
            "name: A\nversion: 1\nx: &x [g:a:1]\nlibraries: *x\n",
            "name: A\nversion: 1\nx: &x g:a:1\nlibraries: [*x]\n",
            "base: &b\n  libraries: [g:a:1]\n<<: *b\nname: A\nversion: 1\n",
            "base: &b {libraries: [g:a:1], name: B}\nother: &o {name: C}\nname: A\nversion: 1\n<<: [*o, *b]\n",
        ] {
            let read = Descriptor::Bukkit.read(yaml.as_bytes()).unwrap();
            assert_eq!(read.libraries, ["g:a:1"], "{yaml}");
            assert_eq!(read.parts[0].name, "A", "{yaml}");
        }
        let odd = "name: A\nversion: 1\nlibraries: {a: 1}\n";
        assert_eq!(
            Descriptor::Bukkit.read(odd.as_bytes()).unwrap().odd.len(),
            1
        );
    }

    #[test]
    fn a_mod_is_of_whoever_loads_it() {
        let kinds = |descriptor: Descriptor, text: &str| -> Vec<&str> {
            let read = descriptor.read(text.as_bytes()).unwrap().parts;
            read.iter().map(|one| one.kind).collect()
        };
        let needing = |loaders: &[&str]| -> String {
            let needs = loaders
                .iter()
                .map(|loader| format!("[[dependencies.a]]\nmodId='{loader}'\n"));
            format!(
                "[[mods]]\nmodId='a'\nversion='1'\n{}",
                needs.collect::<String>()
            )
        };
        for (needs, expected) in [
            (&["neoforge"][..], &["neoforge"][..]),
            (&["forge", "minecraft"], &["forge"]),
            (&["forge", "neoforge"], &["forge", "neoforge"]),
            (&[], &["forge"]),
        ] {
            assert_eq!(kinds(Descriptor::Forge, &needing(needs)), expected);
        }
        let sponge = r#"[{"modid":"a","version":"1","requiredMods":["spongeapi@7.1.0"]}]"#;
        assert_eq!(kinds(Descriptor::ForgeBefore113, sponge), ["sponge"]);
        let forge = r#"[{"modid":"a","version":"1","dependencies":["Forge"]}]"#;
        assert_eq!(kinds(Descriptor::ForgeBefore113, forge), ["forge"]);
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
    fn a_value_that_is_there_twice_is_the_later_as_for_the_server() {
        let read = one(Descriptor::Bukkit, "name: A\nname: B\nversion: 1").unwrap();
        assert_eq!(read.0, "B");
        let read = one(Descriptor::Fabric, r#"{"id":"a","version":"1","id":"b"}"#);
        assert_eq!(read.unwrap().0, "b");
    }

    #[test]
    fn a_line_break_inside_a_string_of_fabrics_is_read_as_gson_reads_it() {
        let text = "{\"id\":\"a\",\"version\":\"1\",\"description\":\"x\ny\tz\"}";
        assert_eq!(one(Descriptor::Fabric, text).unwrap().0, "a");
    }

    #[test]
    fn a_mark_utf_16_and_line_ends_of_windows_are_read() {
        let text = "name: A\r\nversion: 1\r\n";
        let marked = format!("\u{feff}{text}");
        let utf_16: Vec<u8> = marked.encode_utf16().flat_map(u16::to_le_bytes).collect();
        for bytes in [marked.as_bytes(), &utf_16] {
            let read = Descriptor::Bukkit.read(bytes).unwrap().parts;
            assert_eq!(read[0].version.as_deref(), Some("1"));
        }
    }

    #[test]
    fn one_odd_mod_costs_itself() {
        let text = "[[mods]]\nversion='1'\n[[mods]]\nmodId='b'\nversion=2.5\n[[mods]]\nmodId=[1]";
        let read = Descriptor::Forge.read(text.as_bytes()).unwrap();
        assert_eq!(read.parts.len(), 1);
        assert_eq!(read.parts[0].version.as_deref(), Some("2.5"));
        assert_eq!(read.odd.len(), 2);
    }

    #[test]
    fn what_is_loaded_with_it_is_said() {
        let yaml = "name: A\nversion: 1\nlibraries:\n  - com.h2database:h2:1.4.200\n  - a:b:1\n";
        let read = Descriptor::Bukkit.read(yaml.as_bytes()).unwrap();
        assert_eq!(read.libraries, ["com.h2database:h2:1.4.200", "a:b:1"]);
        let json = r#"{"id":"a","version":"1","jars":[{"file":"META-INF/jars/b.jar"},{}]}"#;
        let read = Descriptor::Fabric.read(json.as_bytes()).unwrap();
        assert_eq!(read.nested, ["META-INF/jars/b.jar"]);
        let json = r#"{"quilt_loader":{"id":"a","version":"1","jars":["c.jar"]}}"#;
        let read = Descriptor::Quilt.read(json.as_bytes()).unwrap();
        assert_eq!(read.nested, ["c.jar"]);
    }

    #[test]
    fn what_is_no_text_or_says_no_name_is_refused() {
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
