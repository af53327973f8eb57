//! Crates of a `Cargo.lock` (<https://doc.rust-lang.org/cargo/guide/cargo-toml-vs-cargo-lock.html>).
//!
//! Only crates.io's are listed in their version. One from a git repository or another registry may hold
//! anything, so its version says nothing and stays unknown. A crate without a source is a part of the
//! component itself.

use std::path::Path;

use spacecp_contract::Ecosystem;

use crate::{Limit, Why, findings::Findings, look::Look, names, text};

pub(super) fn look(look: &mut Look<'_>, file: Option<&Path>) {
    let file = file.unwrap_or(Path::new("Cargo.lock"));
    if !look.text(file, Limit::DocumentBytes, "cargo", read) {
        look.unread(file, Why::Io("not found".to_owned()));
    }
}

fn read(bytes: &[u8]) -> Result<Findings, Why> {
    let text = text::decode(bytes);
    let lock: toml::Table =
        toml::from_str(&text).map_err(|error| Why::malformed("a Cargo.lock", error.message()))?;
    let mut findings = Findings::default();
    let packages = match lock.get("package") {
        None => return Ok(findings),
        Some(packages) => packages.as_array(),
    };
    let packages = packages.ok_or_else(|| Why::malformed("a Cargo.lock", "no list of packages"))?;
    for package in packages {
        let said = |name: &str| package.get(name).and_then(toml::Value::as_str);
        let Some(name) = said("name") else {
            let why = Why::Missing("the name of a package in the lock file".to_owned());
            findings.unread(String::new(), why);
            continue;
        };
        if package.get("source").is_none() {
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
