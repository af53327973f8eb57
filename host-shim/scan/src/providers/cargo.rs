//! Crates of a `Cargo.lock` (<https://doc.rust-lang.org/cargo/guide/cargo-toml-vs-cargo-lock.html>).
//!
//! Only crates.io's are listed in their version. One from a git repository or another registry may hold
//! anything, so its version says nothing and stays unknown, as does one without a source that others depend on: it lies
//! in a directory. A crate without a source that none depends on is the component itself.

use std::{collections::BTreeSet, path::Path};

use spacecp_contract::Ecosystem;

use crate::{Limit, Why, findings::Findings, look::Look, names, text};

/// Crates that are named one by one, of those that are not in the lock file.
const MOST_MISSING: usize = 20;

pub(super) fn look(look: &mut Look<'_>, file: Option<&Path>) {
    let file = file.unwrap_or(Path::new("Cargo.lock"));
    if !look.text(file, Limit::DocumentBytes, "cargo 2", read) {
        return look.unread(file, Why::Io("not found".to_owned()));
    }
    let manifest = file.with_file_name("Cargo.toml");
    look.text(
        &manifest,
        Limit::DescriptorBytes,
        "cargo manifest",
        |bytes| Ok(needs(bytes)),
    );
    let mut answered = BTreeSet::new();
    let mut needed = Vec::new();
    for declared in look.declared() {
        answered.extend(declared.answers);
        needed.extend(declared.needs);
    }
    let missing = needed.iter().filter(|need| !answered.contains(&need.name));
    for need in missing.take(MOST_MISSING) {
        let why = Why::Missing(format!(
            "which version of {} {} is used: it is depended on, and not in {}",
            need.name,
            need.version,
            file.display()
        ));
        look.unread(&manifest, why);
    }
}

/// What a manifest depends on, whatever for: a lock file has all of it. A manifest that is not understood is cargo's
/// concern, and not needed for what the lock file says.
fn needs(bytes: &[u8]) -> Findings {
    let mut findings = Findings::default();
    let manifest: toml::Table = toml::from_str(&text::decode(bytes)).unwrap_or_default();
    let of_workspace = manifest
        .get("workspace")
        .and_then(|all| all.get("dependencies"));
    let targets = manifest.get("target").and_then(toml::Value::as_table);
    let targets = targets
        .into_iter()
        .flatten()
        .filter_map(|(_, target)| target.as_table());
    for part in std::iter::once(&manifest).chain(targets) {
        for kind in ["dependencies", "build-dependencies", "dev-dependencies"] {
            let all = part.get(kind).and_then(toml::Value::as_table);
            for (name, wanted) in all.into_iter().flatten() {
                let shared = of_workspace.and_then(|all| all.get(name));
                let said = |field: &str| {
                    let own = wanted.get(field);
                    own.or_else(|| shared?.get(field))
                        .and_then(toml::Value::as_str)
                };
                let version = wanted.as_str().or_else(|| said("version"));
                findings.need(said("package").unwrap_or(name), version.unwrap_or(""), true);
            }
        }
    }
    findings
}

fn read(bytes: &[u8]) -> Result<Findings, Why> {
    let text = text::decode(bytes);
    let lock: toml::Table =
        toml::from_str(&text).map_err(|error| Why::malformed("a Cargo.lock", error.message()))?;
    let mut findings = Findings::default();
    let packages = match lock.get("package") {
        // The component itself is always listed.
        None => return Err(Why::Missing("any package".to_owned())),
        Some(packages) => packages.as_array(),
    };
    let packages = packages.ok_or_else(|| Why::malformed("a Cargo.lock", "no list of packages"))?;
    let needed = depended_on(packages);
    for package in packages {
        let said = |name: &str| package.get(name).and_then(toml::Value::as_str);
        let Some(name) = said("name") else {
            let why = Why::Missing("the name of a package in the lock file".to_owned());
            findings.unread(String::new(), why);
            continue;
        };
        findings.answer(name);
        if package.get("source").is_none() {
            // What others depend on may stand in for a crate of the same name, by [patch] or by its path.
            if needed.contains(name) {
                let version = said("version").unwrap_or("of no version").chars().take(100);
                let version: String = version.collect();
                let why = format!(
                    "{version} from a directory, where a version does not identify the contents"
                );
                let called = names::package(&Ecosystem::Cargo, name);
                findings.add(vec![name.to_owned()], called, Err(why), "");
            }
            continue;
        }
        let source = said("source").unwrap_or("an unknown source");
        let version = if is_crates_io(source) {
            said("version").ok_or_else(|| "no version in the lock file".to_owned())
        } else {
            let source: String = source.chars().take(200).collect();
            Err(format!(
                "from {source}, where a version does not identify the contents"
            ))
        };
        let called = names::package(&Ecosystem::Cargo, name);
        findings.add(vec![name.to_owned()], called, version, "");
    }
    Ok(findings)
}

/// The crates that others depend on.
fn depended_on(packages: &[toml::Value]) -> BTreeSet<&str> {
    let lists = packages
        .iter()
        .filter_map(|package| package.get("dependencies")?.as_array());
    let all = lists.flatten().filter_map(toml::Value::as_str);
    // Version and source stand behind where one name is not enough.
    all.filter_map(|one| one.split(' ').next()).collect()
}

fn is_crates_io(source: &str) -> bool {
    matches!(
        source,
        "registry+https://github.com/rust-lang/crates.io-index"
            | "sparse+https://index.crates.io/"
            | "registry+sparse+https://index.crates.io/"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_crates_io_has_is_known_by_its_version() {
        let lock = r#"
version = 4
[[package]]
name = "houston"
version = "0.1.0"
[[package]]
name = "time"
version = "0.3.36"
source = "registry+https://github.com/rust-lang/crates.io-index"
[[package]]
name = "fork"
version = "1.0.0"
source = "git+https://example.com/fork#abc"
"#;
        let found = read(lock.as_bytes()).unwrap().entries;
        let listed: Vec<_> = found
            .iter()
            .map(|entry| (entry.advisory_name.as_str(), entry.version.as_deref().ok()))
            .collect();
        assert_eq!(
            listed,
            [("cargo:time", Some("0.3.36")), ("cargo:fork", None)]
        );
    }

    #[test]
    fn a_crate_from_a_directory_that_others_depend_on_has_no_known_version() {
        let lock = "[[package]]\nname='a'\nversion='1.0.0'\ndependencies=['time', 'b 0.1.0']\n[[package]]\nname='b'\nversion='0.1.0'\n[[package]]\nname='time'\nversion='0.3.40'\n";
        let found = read(lock.as_bytes()).unwrap().entries;
        let listed: Vec<_> = found
            .iter()
            .map(|entry| (entry.advisory_name.as_str(), entry.version.is_ok()))
            .collect();
        assert_eq!(listed, [("cargo:b", false), ("cargo:time", false)]);
    }

    #[test]
    fn a_manifest_says_what_has_to_be_in_the_lock_file() {
        let manifest = b"[dependencies]\na = '1'\nb = { package = 'c', path = 'c' }\n[target.'cfg(unix)'.build-dependencies]\nd = '2'\n";
        let needs = needs(manifest).needs;
        let names: Vec<_> = needs.iter().map(|need| need.name.as_str()).collect();
        assert_eq!(names, ["a", "c", "d"]);
        assert!(read(b"version = 4\n").is_err());
    }

    #[test]
    fn what_is_no_lock_file_is_refused() {
        for bytes in [&b"\xff"[..], b"package = 1"] {
            assert!(read(bytes).is_err());
        }
    }

    #[test]
    fn an_odd_package_costs_itself_and_a_mark_nothing() {
        let lock = "\u{feff}[[package]]\nversion = 1\n[[package]]\nname = 'a'\nversion = 2\nsource = 'registry+https://github.com/rust-lang/crates.io-index'\n[[patch.unused]]\nname = 'b'\nversion = '1'\nsource = 'git+x'\n";
        let found = read(lock.as_bytes()).unwrap();
        assert_eq!(found.entries.len(), 1);
        assert!(found.entries[0].version.is_err());
        assert_eq!(found.unread.len(), 1);
    }
}
