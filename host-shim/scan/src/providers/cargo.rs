//! Crates of a `Cargo.lock` (<https://doc.rust-lang.org/cargo/guide/cargo-toml-vs-cargo-lock.html>).
//!
//! Only crates.io's are listed in their version. One from a git repository or another registry may hold
//! anything, so its version says nothing and stays unknown. A crate without a source is a part of the
//! component itself.

use std::path::Path;

use serde::Deserialize;
use spacecp_contract::Ecosystem;

use crate::{Limit, Why, findings::Findings, look::Look, names};

#[derive(Deserialize)]
struct Lock {
    #[serde(default)]
    package: Vec<Package>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    version: String,
    source: Option<String>,
}

pub(super) fn look(look: &mut Look<'_>, file: Option<&Path>) {
    let file = file.unwrap_or(Path::new("Cargo.lock"));
    if !look.text(file, Limit::DocumentBytes, "cargo", read) {
        look.unread(file, Why::Io("not found".to_owned()));
    }
}

fn read(bytes: &[u8]) -> Result<Findings, Why> {
    let text = std::str::from_utf8(bytes).map_err(|error| Why::malformed("TOML", error))?;
    let lock: Lock =
        toml::from_str(text).map_err(|error| Why::malformed("a Cargo.lock", error.message()))?;
    let mut findings = Findings::default();
    for package in lock.package {
        let Some(source) = package.source else {
            continue;
        };
        let version = if is_crates_io(&source) {
            Ok(package.version.as_str())
        } else {
            let source: String = source.chars().take(200).collect();
            Err(format!(
                "from {source}, where a version does not identify the contents"
            ))
        };
        let name = names::package(&Ecosystem::Cargo, &package.name);
        findings.add(vec![package.name], name, version, "");
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
        for bytes in [&b"\xff"[..], b"package = 1", b"[[package]]\nname = 'a'"] {
            assert!(read(bytes).is_err());
        }
    }
}
