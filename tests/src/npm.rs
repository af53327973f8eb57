//! Packages of npm that tests ask as peers, in the versions that `tests/npm` pins by digest.
//!
//! None of their own scripts is run on the way, and nothing of them is shipped.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, ensure};
use serde_json::Value;

/// What is pinned.
const PINNED: [&str; 2] = ["package.json", "package-lock.json"];

/// The folder of a package below `target`, brought there if it is not.
pub fn package(name: &str) -> Result<PathBuf> {
    let pinned = Path::new(env!("CARGO_MANIFEST_DIR")).join("npm");
    let place = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/npm");
    fs::create_dir_all(&place)?;
    // Several test programs may want it at once.
    let one = File::create(place.join("lock"))?;
    one.lock()?;
    if !is_there(&pinned, &place)? {
        bring(&pinned, &place)?;
    }
    let package = place.join("node_modules").join(name);
    ensure!(
        package.is_dir(),
        "tests/npm/package.json does not name {name}"
    );
    Ok(package)
}

/// What a program of `tests/npm` prints, run by node beside the packages that it asks.
pub fn run(program: &str, arguments: &[&Path]) -> Result<String> {
    // So that the packages are there, and found.
    let beside = package("ajv")?;
    let place = beside
        .ancestors()
        .nth(2)
        .context("packages lie in node_modules")?;
    let source = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("npm")
        .join(program);
    let copy = place.join(program);
    fs::copy(&source, &copy).with_context(|| format!("cannot copy {}", source.display()))?;
    let output = Command::new("node")
        .arg(&copy)
        .args(arguments)
        .output()
        .context("cannot run node (Debian: nodejs)")?;
    ensure!(
        output.status.success(),
        "{program}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(String::from_utf8(output.stdout)?)
}

/// What a judge of `tests/npm` says of each of these files, after its own first argument if it has one.
pub fn judged(
    program: &str,
    first: Option<&Path>,
    files: &[PathBuf],
) -> Result<BTreeMap<PathBuf, Value>> {
    let files = files.iter().map(PathBuf::as_path);
    let arguments: Vec<&Path> = first.into_iter().chain(files).collect();
    Ok(serde_json::from_str(&run(program, &arguments)?)?)
}

/// What is wrong with an OSV record, by the schema of OSV.
pub fn judged_by_osv(records: &[PathBuf]) -> Result<BTreeMap<PathBuf, Value>> {
    let schema = Path::new(env!("CARGO_MANIFEST_DIR")).join("schemas/osv.json");
    judged("schema.mjs", Some(&schema), records)
}

/// Whether what is there is what is pinned: the stamp is written when all of it is.
fn is_there(pinned: &Path, place: &Path) -> Result<bool> {
    let stamp = fs::read(place.join("stamp")).unwrap_or_default();
    Ok(stamp == fs::read(pinned.join(PINNED[1]))?)
}

fn bring(pinned: &Path, place: &Path) -> Result<()> {
    for file in PINNED {
        fs::copy(pinned.join(file), place.join(file))?;
    }
    let output = Command::new("npm")
        .args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"])
        .current_dir(place)
        .output()
        .context("cannot run npm (Debian: npm)")?;
    ensure!(
        output.status.success(),
        "npm ci: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    fs::copy(pinned.join(PINNED[1]), place.join("stamp"))?;
    Ok(())
}
