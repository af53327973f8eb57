//! pnpm's lock file, `lockfileVersion` 5 to 9 (<https://github.com/pnpm/spec/tree/master/lockfile>).
//!
//! A package is called `/lodash/4.17.21` up to version 5, `/lodash@4.17.21` in 6 and `lodash@4.17.21` since 9; what its
//! peers are stands behind, after `_` or in brackets. One from elsewhere says name and version below.

use std::collections::BTreeMap;

use crate::{
    Why,
    findings::Findings,
    text,
    yaml::{self, Node},
};

use super::npm_lock::{add, odd};

/// Documents of one file that are read.
const MOST_DOCUMENTS: usize = 16;

/// What is said of a package.
#[derive(Debug, Default)]
struct Package {
    name: Option<String>,
    version: Option<String>,
}

pub(super) fn read(bytes: &[u8]) -> Result<Findings, Why> {
    let text = text::decode(bytes);
    let mut packages: BTreeMap<String, Package> = BTreeMap::new();
    let (mut is_lock, mut has_importers, mut has_aliases) = (false, false, false);
    // What is needed, and what answers it.
    let mut needs: Vec<(String, String)> = Vec::new();
    // pnpm writes what it needs itself into a document of its own, before that of the project.
    yaml::visit_documents(&text, MOST_DOCUMENTS, |path, node| match (path, node) {
        (_, Node::Alias) => has_aliases = true,
        (path, node) => {
            if let Some((name, version)) = needed(path, node) {
                needs.push((name.to_owned(), version.to_owned()));
            }
            match path {
                ["lockfileVersion"] => is_lock = true,
                ["importers" | "dependencies" | "specifiers"] => has_importers = true,
                ["packages" | "snapshots", key] => {
                    packages.entry((*key).to_owned()).or_default();
                }
                ["packages", key, name @ ("name" | "version")] => {
                    if let Node::Text(text) = node
                        && let Some(package) = packages.get_mut(*key)
                    {
                        let said = if *name == "name" {
                            &mut package.name
                        } else {
                            &mut package.version
                        };
                        *said = Some(text.to_owned());
                    }
                }
                _ => {}
            }
        }
    })?;
    if !is_lock {
        return Err(Why::malformed("a pnpm-lock.yaml", "no lockfileVersion"));
    }
    let mut findings = Findings::default();
    if has_aliases {
        let why = Why::NotRead("an alias of YAML in a lock file".to_owned());
        findings.unread(String::new(), why);
    }
    for (name, _) in packages.keys().filter_map(|key| called(key)) {
        findings.answer(&name);
    }
    for (name, version) in needs {
        if is_listed(&version, &packages, &findings) {
            findings.answer(&name);
        }
        findings.need(&name, &version, true);
    }
    for (key, package) in packages {
        if let Some(name) = &package.name {
            findings.answer(name);
        }
        let Some((name, version)) = called(&key) else {
            match package.name {
                Some(name) => add(vec![name.clone()], &name, Some(&from(&key)), &mut findings),
                None => odd(&key, "no name and version", &mut findings),
            }
            continue;
        };
        let name = package.name.unwrap_or(name);
        let version = if version.contains(':') {
            version
        } else {
            package.version.unwrap_or(version)
        };
        add(vec![name.clone()], &name, Some(&version), &mut findings);
    }
    if findings.count() == 0 && has_importers {
        return Err(Why::Missing("any package".to_owned()));
    }
    Ok(findings)
}

/// What the project or a package needs, and what answers it: a version, or the key of a package.
fn needed<'a>(path: &[&'a str], node: Node<'a>) -> Option<(&'a str, &'a str)> {
    match (path, node) {
        (
            ["importers", _, "dependencies", name, "version"]
            | ["dependencies", name]
            | ["dependencies", name, "version"]
            | ["packages" | "snapshots", _, "dependencies", name],
            Node::Text(version),
        ) => Some((*name, version)),
        _ => None,
    }
}

/// Whether what answers a need is in the list: another package by its key, or a folder of the component's own.
fn is_listed(version: &str, packages: &BTreeMap<String, Package>, findings: &Findings) -> bool {
    let by_name = called(version).is_some_and(|(name, _)| findings.answers.contains(&name));
    by_name
        || packages.contains_key(version)
        || ["link:", "workspace:"]
            .iter()
            .any(|own| version.starts_with(own))
}

/// A place, told apart from a version.
fn from(key: &str) -> String {
    if key.contains(':') {
        return key.to_owned();
    }
    format!("address:{key}")
}

/// Name and version of a key.
fn called(key: &str) -> Option<(String, String)> {
    let plain = key.strip_prefix('/').unwrap_or(key);
    let plain = plain.split('(').next().unwrap_or(plain);
    // The sign before a version is the first that does not begin a scope.
    let at = plain
        .char_indices()
        .skip(1)
        .find(|(_, letter)| *letter == '@');
    if let Some((at, _)) = at
        && let Some((name, version)) = plain.split_at_checked(at)
        && is_name(name)
    {
        let version = version.strip_prefix('@')?;
        let version = if version.contains(':') {
            version
        } else {
            version.split('_').next().unwrap_or(version)
        };
        return Some((name.to_owned(), version.to_owned()));
    }
    let (name, version) = key.strip_prefix('/')?.rsplit_once('/')?;
    let version = version.split('_').next().unwrap_or(version);
    is_name(name).then(|| (name.to_owned(), version.to_owned()))
}

/// `lodash` or `@babel/core`, and no address.
fn is_name(text: &str) -> bool {
    let inner = match text.strip_prefix('@') {
        Some(scoped) => scoped.split_once('/').map(|(_, inner)| inner),
        None => Some(text),
    };
    inner.is_some_and(|inner| !inner.is_empty() && !inner.contains(['/', ':']))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listed(text: &str) -> Vec<String> {
        let found = read(text.as_bytes()).unwrap().entries.into_iter();
        found
            .map(|entry| {
                format!(
                    "{} {}",
                    entry.advisory_name,
                    entry.version.unwrap_or("?".into())
                )
            })
            .collect()
    }

    #[test]
    fn every_version_names_packages_in_its_own_way() {
        for lock in [
            "lockfileVersion: 5.4\nspecifiers:\n  lodash: ^4\npackages:\n\n  /@babel/core/7.1.0_react@17.0.0:\n    resolution: {integrity: sha512-x}\n    dev: false\n\n  /lodash/4.17.16:\n    resolution: {integrity: sha512-x}\n",
            "lockfileVersion: '6.0'\npackages:\n  /@babel/core@7.1.0(react@17.0.0):\n    dev: false\n  /lodash@4.17.16:\n    dev: false\n",
            "lockfileVersion: '9.0'\nimporters:\n  .:\n    dependencies: {}\npackages:\n  '@babel/core@7.1.0':\n    resolution: {integrity: sha512-x}\n  lodash@4.17.16:\n    resolution: {integrity: sha512-x}\nsnapshots:\n  '@babel/core@7.1.0(react@17.0.0)':\n    dependencies:\n      lodash: 4.17.16\n  lodash@4.17.16: {}\n",
        ] {
            let mut names = listed(lock);
            names.dedup();
            assert_eq!(
                names,
                ["npm:@babel/core 7.1.0", "npm:lodash 4.17.16"],
                "{lock}"
            );
        }
    }

    #[test]
    fn every_document_of_a_file_is_read() {
        let lock = "---\nlockfileVersion: '9.0'\npackages:\n  pnpm@11.0.0: {}\n---\nlockfileVersion: '9.0'\npackages:\n  lodash@4.17.16: {}\n";
        assert_eq!(listed(lock), ["npm:lodash 4.17.16", "npm:pnpm 11.0.0"]);
    }

    #[test]
    fn what_is_from_elsewhere_is_of_no_known_version() {
        let lock = "lockfileVersion: '6.0'\npackages:\n  github.com/a/fork/abc:\n    name: fork\n    version: 1.0.0\n  file:../here:\n    name: here\n    version: 0.1.0\n  'other@https://codeload.github.com/a/other/tar.gz/1':\n    version: 2.0.0\n";
        assert_eq!(listed(lock), ["npm:here ?", "npm:fork ?", "npm:other ?"]);
    }

    #[test]
    fn an_odd_key_costs_itself_and_other_files_are_refused() {
        let lock = "lockfileVersion: '6.0'\npackages:\n  odd: 1\n  /a@1.0.0: {}\n";
        assert_eq!(listed(lock), ["npm:a 1.0.0"]);
        assert_eq!(read(lock.as_bytes()).unwrap().unread.len(), 1);
        assert!(read(b"a: 1").is_err());
    }
}
