//! What is installed in the usual places, and how it is configured.
//!
//! May not: run anything; read more than whether a file is there. What it proposes is written into the configuration
//! as text, for the administrator to change.

use std::path::{Path, PathBuf};

use super::config_text::quoted;

/// Something that was found and is worth watching.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proposal {
    /// What it is, for people.
    pub what: &'static str,
    /// The file or directory that shows it.
    pub found: PathBuf,
    /// Its table of the configuration.
    pub toml: String,
}

/// A panel that may be installed: what shows it, and where.
struct Panel {
    what: &'static str,
    folder: &'static str,
    shows: &'static str,
    component: &'static str,
    unit: Option<&'static str>,
}

const PANELS: [Panel; 3] = [
    Panel {
        what: "SpaceCP",
        folder: "home/SpaceCP/spacecp",
        shows: "package.json",
        component: r#"name = "houston"
advisory-name = "spacecp:houston"
scheme = "semver"
version = { file = "package.json", pointer = "/version" }
keep = ["config.json", "logs/"]
scan = ["npm"]
"#,
        unit: Some("houston.service"),
    },
    Panel {
        what: "Pterodactyl panel",
        folder: "var/www/pterodactyl",
        shows: "config/app.php",
        component: r#"name = "pterodactyl-panel"
advisory-name = "composer:pterodactyl/panel"
scheme = "semver"
version = { file = "config/app.php", pattern = "'version' => '([^']+)'" }
keep = [".env", "storage/"]
scan = ["composer"]
"#,
        unit: None,
    },
    Panel {
        what: "Pelican panel",
        folder: "var/www/pelican",
        shows: "config/app.php",
        component: r#"name = "pelican-panel"
advisory-name = "composer:pelican-dev/panel"
scheme = "semver"
version = { file = "config/app.php", pattern = "'version' => '([^']+)'" }
keep = [".env", "storage/"]
scan = ["composer"]
"#,
        unit: None,
    },
];

/// Software beside the panels: what shows it, and where a provider looks for it; both below the root directory.
struct Inventory {
    what: &'static str,
    shows: &'static str,
    provider: &'static str,
    name: &'static str,
    place: &'static str,
}

const INVENTORIES: [Inventory; 7] = [
    Inventory {
        what: "game servers of SpaceCP",
        shows: "home/SpaceCP/servers",
        provider: "minecraft",
        name: "spacecp-servers",
        place: "home/SpaceCP/servers",
    },
    Inventory {
        what: "game servers of Pterodactyl or Pelican",
        shows: "var/lib/pterodactyl/volumes",
        provider: "minecraft",
        name: "wings-servers",
        place: "var/lib/pterodactyl/volumes",
    },
    Inventory {
        what: "Wings",
        shows: "usr/local/bin/wings",
        provider: "go",
        name: "wings",
        place: "usr/local/bin/wings",
    },
    Inventory {
        what: "the distribution",
        shows: "etc/os-release",
        provider: "os",
        name: "os",
        place: "",
    },
    Inventory {
        what: "Debian packages",
        shows: "var/lib/dpkg/status",
        provider: "dpkg",
        name: "dpkg",
        place: "",
    },
    Inventory {
        what: "RPM packages",
        shows: "var/lib/rpm",
        provider: "rpm",
        name: "rpm",
        place: "",
    },
    Inventory {
        what: "Java runtimes",
        shows: "usr/lib/jvm",
        provider: "java",
        name: "java",
        place: "usr/lib/jvm",
    },
];

/// What is found below `root`, which is `/` on a machine.
pub fn detect(root: &Path) -> Vec<Proposal> {
    let panels = PANELS.iter().filter_map(|panel| panel.look(root));
    let inventories = INVENTORIES
        .iter()
        .filter_map(|inventory| inventory.look(root));
    panels.chain(inventories).collect()
}

impl Inventory {
    fn look(&self, root: &Path) -> Option<Proposal> {
        let found = root.join(self.shows);
        if !found.exists() {
            return None;
        }
        let mut toml = format!("[[inventory]]\nprovider = {}\n", quoted(self.provider));
        if self.name != self.provider {
            toml.push_str(&format!("name = {}\n", quoted(self.name)));
        }
        let place = root.join(self.place);
        toml.push_str(&format!("place = {}\n", quoted(&place.to_string_lossy())));
        Some(Proposal {
            what: self.what,
            found,
            toml,
        })
    }
}

impl Panel {
    fn look(&self, root: &Path) -> Option<Proposal> {
        let folder = root.join(self.folder);
        let found = folder.join(self.shows);
        if !found.is_file() {
            return None;
        }
        let mut toml = format!("[[component]]\n{}", self.component);
        toml.push_str(&format!("folder = {}\n", quoted(&folder.to_string_lossy())));
        let units = ["etc/systemd/system", "lib/systemd/system"];
        let is_there = |unit: &&str| units.iter().any(|at| root.join(at).join(unit).is_file());
        match self.unit.filter(is_there) {
            Some(unit) => toml.push_str(&format!("control = {{ unit = {} }}\n", quoted(unit))),
            None => toml.push_str(
                "# How it is stopped and started. Without it, restarts are left to a person.\n\
                 # control = { unit = \"NAME.service\" }\n",
            ),
        }
        Some(Proposal {
            what: self.what,
            found,
            toml,
        })
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn nothing_is_proposed_where_nothing_is() {
        let root = tempfile::tempdir().unwrap();
        assert_eq!(detect(root.path()), []);
    }

    #[test]
    fn each_panel_and_inventory_is_proposed_by_the_file_that_shows_it() {
        let root = tempfile::tempdir().unwrap();
        let mut expected = Vec::new();
        for panel in &PANELS {
            let shows = root.path().join(panel.folder).join(panel.shows);
            fs::create_dir_all(shows.parent().unwrap()).unwrap();
            fs::write(&shows, "").unwrap();
            expected.push((panel.what, shows));
        }
        for inventory in &INVENTORIES {
            let shows = root.path().join(inventory.shows);
            fs::create_dir_all(shows.parent().unwrap()).unwrap();
            fs::write(&shows, "").unwrap();
            expected.push((inventory.what, shows));
        }
        let found: Vec<_> = detect(root.path())
            .into_iter()
            .map(|proposal| (proposal.what, proposal.found))
            .collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn a_panel_is_stopped_and_started_by_its_unit_where_there_is_one() {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("home/SpaceCP/spacecp");
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("package.json"), "{}").unwrap();
        let unit = "\ncontrol = { unit = \"houston.service\" }\n";
        assert!(!detect(root.path())[0].toml.contains(unit));
        let units = root.path().join("etc/systemd/system");
        fs::create_dir_all(&units).unwrap();
        fs::write(units.join("houston.service"), "").unwrap();
        assert!(detect(root.path())[0].toml.contains(unit));
    }
}
