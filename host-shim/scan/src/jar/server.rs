//! What a server's own archive says: which game it runs, and whose make it is.
//!
//! Mojang's servers carry `version.json`. Paper's and its descendants' are put into a bundle
//! (`META-INF/versions.list`) that unpacks itself into `versions/`. The launcher of Fabric has
//! `install.properties`. Everybody's make is in the manifest.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::{assignments::assignments, json, text};

/// Makes that are known, as the beginning of the title in a manifest, or of the bundled file.
const MAKES: [(&str, &str); 14] = [
    ("arclight", "arclight"),
    ("bungeecord", "bungeecord"),
    ("craftbukkit", "craftbukkit"),
    ("folia", "folia"),
    ("leaf", "leaf"),
    ("mohist", "mohist"),
    ("paper", "paper"),
    ("pufferfish", "pufferfish"),
    ("purpur", "purpur"),
    ("spigot", "spigot"),
    ("spongevanilla", "sponge"),
    ("velocity", "velocity"),
    ("waterfall", "waterfall"),
    ("travertine", "travertine"),
];

/// Makes that run no game themselves.
const PROXIES: [&str; 4] = ["bungeecord", "velocity", "waterfall", "travertine"];

/// The class that every descendant of `CraftBukkit` begins with.
const CRAFTBUKKIT: &str = "org.bukkit.craftbukkit.Main";

/// The longest name of a make.
const LONGEST_MAKE: usize = 40;

/// What was read of a server's archive.
#[derive(Debug, Default)]
pub(super) struct Facts {
    pub(super) manifest: BTreeMap<String, String>,
    pub(super) version_json: Option<Vec<u8>>,
    pub(super) versions_list: Option<Vec<u8>>,
    pub(super) install_properties: Option<Vec<u8>>,
}

/// One thing that a server is.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Part {
    pub(super) kind: &'static str,
    pub(super) name: String,
    pub(super) version: Result<String, String>,
}

/// Whose make a server is.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Make {
    name: String,
    is_proxy: bool,
}

impl Make {
    fn known(name: &'static str) -> Self {
        Self {
            name: name.to_owned(),
            is_proxy: PROXIES.contains(&name),
        }
    }
}

impl Part {
    fn minecraft(name: &str, version: Result<String, String>) -> Self {
        Self {
            kind: "minecraft",
            name: name.to_owned(),
            version,
        }
    }
}

impl Facts {
    /// What the server is; nothing where the archive is no server's. `unpacked` says that what a bundle
    /// holds lies beside it, and says more than the bundle.
    pub(super) fn parts(&self, unpacked: bool) -> Vec<Part> {
        let mut parts = Vec::new();
        let bundled = self.versions_list.as_deref().and_then(bundled_make);
        let titled = self.title_and_version();
        let game = self.game();
        let is_game = bundled.is_some()
            || titled.as_ref().is_some_and(|(make, _)| !make.is_proxy)
            || self.main_class() == Some("net.minecraft.server.MinecraftServer");
        match game {
            Some(version) => parts.push(Part::minecraft("server", version)),
            None if is_game => {
                let problem = "no version.json, as in servers before 1.14".to_owned();
                parts.push(Part::minecraft("server", Err(problem)));
            }
            None => {}
        }
        match (titled, bundled) {
            (Some((make, version)), _) => parts.push(Part::minecraft(&make.name, version)),
            (None, Some(make)) if !unpacked => {
                let problem = "the bundle does not name its build; run the server once";
                parts.push(Part::minecraft(make, Err(problem.to_owned())));
            }
            _ => {}
        }
        parts.extend(self.fabric());
        parts
    }

    fn main_class(&self) -> Option<&str> {
        self.manifest.get("main-class").map(String::as_str)
    }

    /// The game's version, as `version.json` has it.
    fn game(&self) -> Option<Result<String, String>> {
        #[derive(Deserialize)]
        struct Game {
            id: String,
        }
        let bytes = self.version_json.as_deref()?;
        let game: Result<Game, _> = json::read(bytes);
        Some(
            game.map(|game| game.id)
                .map_err(|why| format!("invalid version.json: {why}")),
        )
    }

    /// Whose make it is, and in which version. The descendants of `CraftBukkit` kept its title, and say in the version
    /// whose they are: `git-Paper-430`. So do those of `BungeeCord`: `git:Waterfall-Bootstrap:1.20-R0.2-SNAPSHOT:…`.
    fn title_and_version(&self) -> Option<(Make, Result<String, String>)> {
        let said = |name: &str| self.manifest.get(name).map(String::as_str);
        let version = said("implementation-version");
        let title = said("implementation-title");
        let begins = |before: &str| version.and_then(|version| version.strip_prefix(before));
        let proxy = begins("git:").and_then(|named| {
            let known = make(named).map(Make::known);
            known.or_else(|| own_make(named, true))
        });
        let is_descendant =
            || title == Some("CraftBukkit") || self.main_class() == Some(CRAFTBUKKIT);
        let fork = begins("git-").and_then(|named| {
            let is_original = named.starts_with("Bukkit");
            let known = make(named).map(Make::known);
            known.or_else(|| own_make(named, false).filter(|_| is_descendant() && !is_original))
        });
        let make = proxy
            .or(fork)
            .or_else(|| title.and_then(make).map(Make::known))
            .or_else(|| {
                title
                    .filter(|_| is_descendant())
                    .and_then(|title| own_make(title, false))
            })?;
        let version = version.map(str::to_owned);
        Some((
            make,
            version.ok_or_else(|| "no version in the manifest".to_owned()),
        ))
    }

    fn fabric(&self) -> Vec<Part> {
        let Some(text) = self.install_properties.as_deref() else {
            return Vec::new();
        };
        let text = text::decode(text);
        let said = assignments(&text);
        let mut parts = Vec::new();
        if let Some(version) = said.get("fabric-loader-version") {
            parts.push(Part {
                kind: "fabric",
                name: "fabricloader".to_owned(),
                version: Ok(version.clone()),
            });
        }
        if let Some(version) = said.get("game-version") {
            parts.push(Part::minecraft("server", Ok(version.clone())));
        }
        parts
    }
}

/// A make that is not listed, by what it calls itself: its first word.
fn own_make(named: &str, is_proxy: bool) -> Option<Make> {
    let word = named.split(['-', ':', ' ']).next().unwrap_or(named);
    let is_name = (1..=LONGEST_MAKE).contains(&word.len())
        && word.chars().all(|letter| letter.is_ascii_alphanumeric())
        && word.chars().any(|letter| letter.is_ascii_alphabetic());
    is_name.then(|| Make {
        name: word.to_ascii_lowercase(),
        is_proxy,
    })
}

fn make(title: &str) -> Option<&'static str> {
    let title = title.to_ascii_lowercase();
    let mut makes = MAKES.iter();
    let make = makes.find(|(begin, _)| title.starts_with(begin))?;
    Some(make.1)
}

/// The make that a bundle's list of versions names: `HASH  1.20.4  1.20.4/paper-1.20.4.jar`.
fn bundled_make(list: &[u8]) -> Option<&'static str> {
    let list = text::decode(list);
    let path = list.lines().next()?.split('\t').nth(2)?;
    make(path.rsplit('/').next()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manifest(fields: &[(&str, &str)]) -> BTreeMap<String, String> {
        let fields = fields.iter();
        fields
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect()
    }

    fn said(facts: &Facts, unpacked: bool) -> Vec<(String, Option<String>)> {
        let parts = facts.parts(unpacked).into_iter();
        parts
            .map(|part| (format!("{}:{}", part.kind, part.name), part.version.ok()))
            .collect()
    }

    fn known(name: &str, version: &str) -> (String, Option<String>) {
        (name.to_owned(), Some(version.to_owned()))
    }

    #[test]
    fn a_bundle_says_its_make_but_not_its_build_until_it_is_unpacked() {
        let facts = Facts {
            version_json: Some(br#"{"id":"1.20.4","protocol_version":765}"#.to_vec()),
            versions_list: Some(b"abc\t1.20.4\t1.20.4/paper-1.20.4.jar\n".to_vec()),
            ..Facts::default()
        };
        let game = known("minecraft:server", "1.20.4");
        assert_eq!(said(&facts, true), std::slice::from_ref(&game));
        assert_eq!(
            said(&facts, false),
            [game, ("minecraft:paper".to_owned(), None)]
        );
    }

    #[test]
    fn a_proxy_runs_no_game_and_an_old_server_one_that_nobody_knows() {
        let velocity = Facts {
            manifest: manifest(&[
                ("implementation-title", "Velocity"),
                ("implementation-version", "3.3.0-SNAPSHOT"),
            ]),
            ..Facts::default()
        };
        assert_eq!(
            said(&velocity, false),
            [known("minecraft:velocity", "3.3.0-SNAPSHOT")]
        );
        let spigot = Facts {
            manifest: manifest(&[
                ("implementation-title", "CraftBukkit"),
                ("implementation-version", "git-Spigot-1"),
            ]),
            ..Facts::default()
        };
        assert_eq!(
            said(&spigot, false),
            [
                ("minecraft:server".to_owned(), None),
                known("minecraft:spigot", "git-Spigot-1")
            ]
        );
        assert_eq!(said(&Facts::default(), false), []);
    }

    #[test]
    fn what_kept_the_title_of_craftbukkit_says_in_its_version_whose_it_is() {
        for (version, make) in [
            ("git-Paper-430", "minecraft:paper"),
            ("git-PaperSpigot-445", "minecraft:paper"),
            ("git-TacoSpigot-\"d3c8f4b\"", "minecraft:tacospigot"),
            ("git-Purpur-2062", "minecraft:purpur"),
            ("git-Bukkit-18fbb24", "minecraft:craftbukkit"),
            ("3.1", "minecraft:craftbukkit"),
        ] {
            let facts = Facts {
                manifest: manifest(&[
                    ("main-class", CRAFTBUKKIT),
                    ("implementation-title", "CraftBukkit"),
                    ("implementation-version", version),
                ]),
                ..Facts::default()
            };
            let parts = said(&facts, false);
            assert!(parts.contains(&known(make, version)), "{parts:?}");
        }
        let other = Facts {
            manifest: manifest(&[
                ("main-class", CRAFTBUKKIT),
                ("implementation-title", "Tuinity"),
                ("implementation-version", "1"),
            ]),
            ..Facts::default()
        };
        assert!(said(&other, false).contains(&known("minecraft:tuinity", "1")));
        let proxy = Facts {
            manifest: manifest(&[("implementation-version", "git:FlameCord-Proxy:1.20:a:1")]),
            ..Facts::default()
        };
        let version = "git:FlameCord-Proxy:1.20:a:1";
        assert_eq!(said(&proxy, false), [known("minecraft:flamecord", version)]);
    }

    #[test]
    fn the_launcher_of_fabric_says_loader_and_game() {
        let facts = Facts {
            install_properties: Some(
                b"fabric-loader-version=0.15.7\ngame-version=1.20.4\n".to_vec(),
            ),
            ..Facts::default()
        };
        assert_eq!(
            said(&facts, false),
            [
                known("fabric:fabricloader", "0.15.7"),
                known("minecraft:server", "1.20.4")
            ]
        );
    }
}
