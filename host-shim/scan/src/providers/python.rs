//! Packages of Python: what is installed, or what lock files say where nothing is.
//!
//! Installed are the packages of `site-packages` and `dist-packages`, by their own metadata
//! (<https://packaging.python.org/en/latest/specifications/recording-installed-packages/>); locked, those of
//! `poetry.lock`, `uv.lock`, `Pipfile.lock` and, where it pins them, `requirements.txt`.

use std::path::{Path, PathBuf};

use spacecp_contract::Ecosystem;

use super::{
    python_locks::{self, LOCKS},
    walk,
};
use crate::{Limit, Why, findings::Findings, look::Look, names, text};

/// Where installers put packages.
const DIRECTORIES: [&str; 2] = ["site-packages", "dist-packages"];

/// Where Debian's own packages put them: their versions have corrections that the index has not.
const OF_THE_DISTRIBUTION: &str = "python3/dist-packages";

/// What is in a directory of metadata, by what the directory's name ends with.
const METADATA: [(&str, &str); 3] = [
    (".dist-info", "METADATA"),
    (".egg-info", "PKG-INFO"),
    (".egg/EGG-INFO", "PKG-INFO"),
];

pub(super) fn look(look: &mut Look<'_>, file: Option<&Path>) {
    let before = look.count();
    if let Some(file) = file {
        python_locks::look(look, file);
    } else {
        let mut locks = Vec::new();
        walk::files(look, |look, path| {
            if LOCKS.contains(&walk::name_of(path).as_str()) {
                locks.push(path.to_owned());
            }
            installed(look, path);
        });
        if look.count() == before {
            for lock in &locks {
                python_locks::look(look, lock);
            }
        }
    }
    if look.count() == before {
        let why = format!(
            "what is installed: there is neither a package in {} nor one of {}",
            DIRECTORIES.join(" or "),
            LOCKS.join(", ")
        );
        look.unread(file.unwrap_or(Path::new("")), Why::Missing(why));
    }
}

/// Reads the file if it is what a package says of itself.
fn installed(look: &mut Look<'_>, path: &Path) {
    let Some(directory) = directory_of_packages(path) else {
        return;
    };
    let inside = path.strip_prefix(&directory).unwrap_or(path);
    let inside = inside.to_string_lossy();
    if inside.ends_with(".egg") {
        look.unread(path, Why::NotRead("a Python egg".to_owned()));
    } else if inside.ends_with(".egg-link") {
        let why = "its version: what is linked lies elsewhere".to_owned();
        look.unread(path, Why::Missing(why));
    }
    let is_metadata = METADATA.iter().any(|(ending, name)| {
        let ending = format!("{ending}/{name}");
        inside
            .strip_suffix(&ending)
            .is_some_and(|name| !name.contains('/'))
    });
    if !is_metadata && (inside.contains('/') || !inside.ends_with(".egg-info")) {
        return;
    }
    let is_own = directory.ends_with(OF_THE_DISTRIBUTION) || is_put_by_rpm(look, path);
    let reader = if is_own {
        "python of the system"
    } else {
        "python"
    };
    look.text(path, Limit::DocumentBytes, reader, |bytes| {
        metadata(bytes, is_own)
    });
}

/// The directory of packages that a path lies in.
fn directory_of_packages(path: &Path) -> Option<PathBuf> {
    let mut around = path.ancestors().skip(1);
    let found = around.find(|directory| {
        let name = directory.file_name().unwrap_or_default();
        DIRECTORIES.iter().any(|known| name == *known)
    });
    found.map(Path::to_owned)
}

fn is_put_by_rpm(look: &mut Look<'_>, metadata: &Path) -> bool {
    let said = look.words(&metadata.with_file_name("INSTALLER"));
    matches!(said, Ok(Some(installer)) if installer.trim() == "rpm")
}

/// The package that metadata are about: fields as of a mail, up to the first empty line.
fn metadata(bytes: &[u8], is_own: bool) -> Result<Findings, Why> {
    let text = text::decode(bytes);
    let fields = text.lines().take_while(|line| !line.trim().is_empty());
    let fields: Vec<(&str, &str)> = fields.filter_map(|line| line.split_once(':')).collect();
    let field = |name: &str| {
        let mut known = fields.iter();
        let found = known.find(|(known, _)| known.trim().eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.trim())
    };
    let name = field("Name").filter(|name| !name.is_empty());
    let name = name.ok_or_else(|| Why::Missing("which package it is".to_owned()))?;
    let version = match field("Version") {
        Some(version) if is_own => Err(format!(
            "{version} is a package of the distribution, which may have corrected it"
        )),
        version => version.ok_or_else(|| "no version in its metadata".to_owned()),
    };
    let mut findings = Findings::default();
    add(name, version, &mut findings);
    Ok(findings)
}

pub(super) fn add(name: &str, version: Result<&str, String>, findings: &mut Findings) {
    let named = names::package(&Ecosystem::Pypi, name);
    findings.add(vec![name.to_owned()], named, version, "");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metadata_name_a_package_and_a_description_names_none() {
        let found = metadata(
            b"Metadata-Version: 2.1\nName: Ruamel.Yaml\nVersion: 0.17\n\nName: x\n",
            false,
        );
        let found = found.unwrap().entries;
        assert_eq!(found[0].advisory_name.as_str(), "pypi:ruamel-yaml");
        assert_eq!(found[0].version.as_deref(), Ok("0.17"));
        let own = metadata(b"Name: requests\nVersion: 2.28.1\n", true).unwrap();
        assert!(own.entries[0].version.is_err());
        assert!(metadata(b"\nName: x\n", false).is_err());
    }
}
