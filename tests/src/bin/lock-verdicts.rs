//! What the plugin says of the packages in a `Cargo.lock`, by the advisories in OSV files.
//!
//! ```console
//! cargo run -p spacecp-tests --bin lock-verdicts -- ADVISORIES Cargo.lock
//! ```
//!
//! prints a line for each package that is affected – advisory, package, version, by tabs – in the order
//! of the advisories, and on standard error how many verdicts of which kind there are. It takes the
//! way that an advisory takes: read, turned into ours, encoded, decoded and judged by the plugin's own
//! code. So its answer can be held against that of any other program that reads the same two files.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::{self, Write},
    path::PathBuf,
    time::Instant,
};

use anyhow::{Context, Result, ensure};
use clap::Parser;
use spacecp_advisories_plugin::{
    bindings::{
        exports::spacecp::advisories::exposure::Status,
        spacecp::advisories::{
            documents::{Cursor, Document, Kind},
            inventory::{Component, Snapshot},
            types::VersionScheme,
        },
    },
    knowledge::Knowledge,
};
use spacecp_contract::{Ecosystem, encode};
use spacecp_formats::{Format, Limits, Terms, json, to_advisory};
use spacecp_publisher::external::document_files;

/// What the plugin says of the packages in a Cargo.lock.
#[derive(Debug, Parser)]
struct Arguments {
    /// OSV records: a .json, a .jsonl, or a folder of either.
    advisories: PathBuf,
    /// The lock file.
    lock: PathBuf,
}

#[derive(serde::Deserialize)]
struct Lock {
    package: Vec<Package>,
}

#[derive(serde::Deserialize)]
struct Package {
    name: String,
    version: String,
    /// A package of the project itself has none, and no advisory speaks of it.
    source: Option<String>,
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let began = Instant::now();
    let mut knowledge = Knowledge::default();
    let mut read = 0;
    for (place, bytes) in document_files::documents(&arguments.advisories, Limits::default()) {
        let bytes = bytes.with_context(|| place.to_string())?;
        let document = json::read(&bytes, &Limits::default());
        let document = document.with_context(|| place.to_string())?;
        let taken = to_advisory(Format::Osv, &document, &Terms::public());
        let advisory = taken.with_context(|| place.to_string())?.advisory;
        read += 1;
        let document = Document {
            kind: Kind::Advisory,
            id: advisory.id.to_string(),
            revision: advisory.revision,
            bytes: encode(&advisory),
        };
        let next = Cursor {
            epoch: 1,
            position: read,
        };
        knowledge.take(&[document], next);
    }
    let taken = began.elapsed();
    let text = std::fs::read_to_string(&arguments.lock)?;
    let lock: Lock = toml::from_str(&text).context("the lock file cannot be understood")?;
    let components: Result<Vec<Component>> = lock
        .package
        .iter()
        .filter(|package| package.source.is_some())
        .map(component)
        .collect();
    knowledge.install(Snapshot {
        fingerprint: arguments.lock.display().to_string(),
        components: components?,
        unread: Vec::new(),
        acknowledged: Vec::new(),
        coverage: String::new(),
    });
    let mut affected = BTreeSet::new();
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    // cargo-audit lists notices as well, as warnings.
    let noticed = knowledge.notices().map(|(verdict, _)| verdict);
    for verdict in knowledge.every_verdict().chain(noticed) {
        *counts.entry(format!("{:?}", verdict.status)).or_default() += 1;
        if verdict.status == Status::Affected {
            affected.insert((
                verdict.advisory.id.as_str(),
                verdict.component.as_str(),
                verdict.version.as_deref().unwrap_or("?"),
            ));
        }
    }
    let mut stdout = io::stdout().lock();
    for (advisory, package, version) in affected {
        let name = package.split(' ').next().unwrap_or(package);
        writeln!(stdout, "{advisory}\t{name}\t{version}")?;
    }
    let apart = knowledge.verdicts().len();
    writeln!(
        io::stderr(),
        "{read} advisories taken in {taken:.1?}; verdicts {counts:?}, of {apart} flaws"
    )?;
    ensure!(
        knowledge.report().unreadable.is_empty(),
        "some advisories cannot be read"
    );
    Ok(())
}

fn component(package: &Package) -> Result<Component> {
    let name = Ecosystem::Cargo.component(&package.name)?;
    Ok(Component {
        // One package may be there in several versions.
        name: format!("{} {}", package.name, package.version),
        advisory_name: name.to_string(),
        version: Some(package.version.clone()),
        scheme: VersionScheme::Semver,
        found_at: "Cargo.lock".to_owned(),
        problem: None,
        correctable: false,
        running: None,
    })
}
