//! The ground that demo and tests stand on: folders that look like what a SpaceCP panel keeps on
//! its machine, in the versions before and after each correction.
//!
//! Contents are made up and the same at every run; names, layouts and versions are real ones.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

/// What is installed, by folder.
#[derive(Debug, Clone)]
pub struct Ground {
    root: PathBuf,
}

/// The daemon's version before and after its correction.
pub const HOUSTON: [&str; 2] = ["4.7.2", "4.7.4"];
/// The version of the WebSocket library that the daemon carries.
pub const WS: [&str; 2] = ["8.16.0", "8.17.1"];
/// The Minecraft server's version.
pub const LOBBY: [&str; 2] = ["1.17.1", "1.18.1"];
/// The backup module's version.
pub const BACKUP: [&str; 2] = ["2.3.0", "2.3.1"];

/// Before or after the corrections.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Age {
    /// With the flaws.
    Flawed,
    /// Corrected.
    Corrected,
}

impl Age {
    fn of<'a>(self, versions: &[&'a str; 2]) -> &'a str {
        match self {
            Self::Flawed => versions[0],
            Self::Corrected => versions[1],
        }
    }
}

impl Ground {
    /// Lays everything out below `root`.
    pub fn lay(root: &Path, age: Age) -> io::Result<Self> {
        let ground = Self {
            root: root.to_owned(),
        };
        houston(&ground.houston(), age)?;
        minecraft(&ground.lobby(), age.of(&LOBBY))?;
        minecraft(&ground.survival(), "1.20.4")?;
        java(&ground.java())?;
        module(&ground.backup(), "backup", age.of(&BACKUP))?;
        module(&ground.invoices(), "invoices", "nightly")?;
        Ok(ground)
    }

    /// The Node daemon.
    pub fn houston(&self) -> PathBuf {
        self.root.join("spacecp")
    }

    /// A Minecraft server, older than `Log4Shell`'s fix.
    pub fn lobby(&self) -> PathBuf {
        self.root.join("servers/lobby")
    }

    /// A Minecraft server, newer than it.
    pub fn survival(&self) -> PathBuf {
        self.root.join("servers/survival")
    }

    /// The Java runtime.
    pub fn java(&self) -> PathBuf {
        self.root.join("java/jdk-17.0.9")
    }

    /// A module of the panel.
    pub fn backup(&self) -> PathBuf {
        self.root.join("modules/backup")
    }

    /// A module whose version nobody can compare.
    pub fn invoices(&self) -> PathBuf {
        self.root.join("modules/invoices")
    }

    /// The `[[component]]` tables of a panel's configuration for this ground.
    pub fn inventory_toml(&self) -> String {
        let mut toml = String::new();
        let mut add = |name: &str, advisory: &str, folder: PathBuf, version: &str, keep: &str| {
            toml.push_str(&format!(
                "[[component]]\nname = {name:?}\nadvisory-name = {advisory:?}\nscheme = \"semver\"\nfolder = {:?}\nversion = {{ {version} }}\nkeep = [{keep}]\n\n",
                folder.display().to_string()
            ));
        };
        let package = r#"file = "package.json", pointer = "/version""#;
        let paper = r#"file = "version_history.json", pattern = '\(MC: ([^)]+)\)'"#;
        let world = r#""world/", "logs/", "server.properties""#;
        add(
            "houston",
            "spacecp:houston",
            self.houston(),
            package,
            r#""config.json", "logs/""#,
        );
        let ws = r#"file = "node_modules/ws/package.json", pointer = "/version""#;
        add("houston/ws", "npm:ws", self.houston(), ws, "");
        add("lobby", "minecraft:server", self.lobby(), paper, world);
        add(
            "survival",
            "minecraft:server",
            self.survival(),
            paper,
            world,
        );
        let release = r#"file = "release", pattern = 'JAVA_VERSION="([^"]+)"'"#;
        add("java", "openjdk:jdk", self.java(), release, "");
        add(
            "module-backup",
            "spacecp:module-backup",
            self.backup(),
            package,
            r#""settings.json""#,
        );
        add(
            "module-invoices",
            "spacecp:module-invoices",
            self.invoices(),
            package,
            "",
        );
        toml
    }
}

/// Writes a file and the folders that lead to it.
pub fn write(root: &Path, path: &str, contents: impl AsRef<[u8]>) -> io::Result<()> {
    let path = root.join(path);
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::write(path, contents)
}

/// A Node application of some hundred files, with the libraries it carries.
fn houston(root: &Path, age: Age) -> io::Result<()> {
    let version = age.of(&HOUSTON);
    let libraries: [(&str, &str, usize); 6] = [
        ("ws", age.of(&WS), 9),
        ("express", "4.19.2", 24),
        ("jsonwebtoken", "9.0.2", 12),
        ("dockerode", "4.0.2", 16),
        ("pino", "9.0.0", 30),
        ("ssh2-sftp-server", "1.3.2", 14),
    ];
    let listed: Vec<String> = libraries
        .iter()
        .map(|(name, version, _)| format!("    {name:?}: {version:?}"))
        .collect();
    write(
        root,
        "package.json",
        format!(
            "{{\n  \"name\": \"houston\",\n  \"version\": {version:?},\n  \"private\": true,\n  \"main\": \"lib/index.js\",\n  \"dependencies\": {{\n{}\n  }}\n}}\n",
            listed.join(",\n")
        ),
    )?;
    write(
        root,
        "config.json",
        "{\n  \"listen\": \"127.0.0.1:8443\",\n  \"name\": \"node-7\"\n}\n",
    )?;
    write(
        root,
        "logs/houston.log",
        "2026-11-20T03:00:00Z houston is up\n",
    )?;
    write(
        root,
        "bin/houston",
        "#!/usr/bin/env node\nrequire('../lib/index.js').start();\n",
    )?;
    executable(&root.join("bin/houston"))?;
    for number in 0..160 {
        write(
            root,
            &format!("lib/{}/part-{number:03}.js", area(number)),
            source("houston", version_of_part(number, version), number),
        )?;
    }
    write(root, "lib/console/escape.js", escape_js(age))?;
    write(
        root,
        "lib/index.js",
        "'use strict';\nexports.start = () => require('./console/escape.js');\n",
    )?;
    for (name, version, files) in libraries {
        let folder = format!("node_modules/{name}");
        write(
            root,
            &format!("{folder}/package.json"),
            format!(
                "{{\n  \"name\": {name:?},\n  \"version\": {version:?},\n  \"main\": \"lib/0.js\"\n}}\n"
            ),
        )?;
        for number in 0..files {
            write(
                root,
                &format!("{folder}/lib/{number}.js"),
                source(name, version, number),
            )?;
        }
    }
    Ok(())
}

fn area(number: usize) -> &'static str {
    ["api", "console", "files", "servers", "users"][number % 5]
}

/// Most parts did not change between the two versions.
fn version_of_part(number: usize, version: &str) -> &str {
    if number.is_multiple_of(20) {
        version
    } else {
        "4.7"
    }
}

fn source(name: &str, version: &str, number: usize) -> String {
    let mut text =
        format!("'use strict';\n// {name} {version}\n\nexports.id = '{name}/{number}';\n");
    for line in 0..(12 + number % 23) {
        text.push_str(&format!(
            "exports.step{line} = (value) => value === undefined ? {line} : value + {};\n",
            line * number + 1
        ));
    }
    text
}

fn escape_js(age: Age) -> &'static str {
    match age {
        Age::Flawed => {
            "'use strict';\n\n// Turns a line of a server's console into a table row.\nexports.row = (line) => `<tr><td>${line}</td></tr>`;\n"
        }
        Age::Corrected => {
            "'use strict';\n\nconst entities = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '\"': '&quot;', \"'\": '&#39;' };\nconst escape = (text) => text.replace(/[&<>\"']/g, (character) => entities[character]);\n\n// Turns a line of a server's console into a table row.\nexports.row = (line) => `<tr><td>${escape(line)}</td></tr>`;\n"
        }
    }
}

/// A server folder as Paper leaves it: the jar, what it writes about its version, and a world.
fn minecraft(root: &Path, version: &str) -> io::Result<()> {
    write(root, "server.jar", noise(version, 600_000))?;
    write(
        root,
        "version_history.json",
        format!("{{\"currentVersion\":\"git-Paper (MC: {version})\"}}\n"),
    )?;
    write(root, "eula.txt", "eula=true\n")?;
    write(
        root,
        "server.properties",
        "motd=A lobby\nmax-players=60\nonline-mode=true\n",
    )?;
    write(root, "world/level.dat", noise("level", 4_096))?;
    write(root, "world/region/r.0.0.mca", noise("region", 65_536))?;
    write(
        root,
        "logs/latest.log",
        format!("[03:00:00] [Server thread/INFO]: Starting minecraft server version {version}\n"),
    )
}

fn java(root: &Path) -> io::Result<()> {
    write(
        root,
        "release",
        "IMPLEMENTOR=\"Eclipse Adoptium\"\nJAVA_VERSION=\"17.0.9\"\nJAVA_VERSION_DATE=\"2023-10-17\"\nOS_ARCH=\"x86_64\"\nOS_NAME=\"Linux\"\n",
    )?;
    write(
        root,
        "bin/java",
        "#!/bin/sh\necho 'openjdk version \"17.0.9\"'\n",
    )?;
    executable(&root.join("bin/java"))
}

fn module(root: &Path, name: &str, version: &str) -> io::Result<()> {
    write(
        root,
        "package.json",
        format!("{{\n  \"name\": \"@spacecp/module-{name}\",\n  \"version\": {version:?}\n}}\n"),
    )?;
    write(root, "settings.json", "{\n  \"keep-days\": 14\n}\n")?;
    for number in 0..8 {
        write(
            root,
            &format!("src/{number}.js"),
            source(name, version, number),
        )?;
    }
    Ok(())
}

fn executable(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(path, fs::Permissions::from_mode(0o755))
}

/// Bytes that do not compress, the same for the same seed: xorshift64* (Vigna, 2016).
fn noise(seed: &str, length: usize) -> Vec<u8> {
    let mut state = seed.bytes().fold(0x9e37_79b9_7f4a_7c15_u64, |state, byte| {
        (state ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3)
    }) | 1;
    let mut bytes = Vec::with_capacity(length + 8);
    while bytes.len() < length {
        state ^= state >> 12;
        state ^= state << 25;
        state ^= state >> 27;
        bytes.extend_from_slice(&state.wrapping_mul(0x2545_f491_4f6c_dd1d).to_le_bytes());
    }
    bytes.truncate(length);
    bytes
}
