//! npm's lock files, version 1 to 3 (<https://docs.npmjs.com/cli/v11/configuring-npm/package-lock-json>).

use std::collections::BTreeMap;

use serde::Deserialize;
use spacecp_contract::Ecosystem;

use crate::{Why, findings::Findings, names};

#[derive(Deserialize)]
struct Lock {
    /// Since version 2: by the path in the tree.
    packages: Option<BTreeMap<String, Package>>,
    /// Version 1, and beside the other in version 2.
    dependencies: Option<BTreeMap<String, Dependency>>,
}

#[derive(Deserialize)]
struct Package {
    name: Option<String>,
    version: Option<String>,
    /// Where it is from.
    resolved: Option<String>,
    #[serde(default)]
    link: bool,
}

#[derive(Deserialize)]
struct Dependency {
    version: Option<String>,
    dependencies: Option<BTreeMap<String, Dependency>>,
}

pub(super) fn read(bytes: &[u8]) -> Result<Findings, Why> {
    let lock: Lock =
        serde_json::from_slice(bytes).map_err(|error| Why::malformed("JSON", error))?;
    let mut findings = Findings::default();
    match (lock.packages, lock.dependencies) {
        (Some(packages), _) => by_path(packages, &mut findings),
        (None, Some(dependencies)) => by_name(dependencies, &[], &mut findings),
        (None, None) => return Err(Why::malformed("a lock file", "no packages listed")),
    }
    Ok(findings)
}

fn by_path(packages: BTreeMap<String, Package>, findings: &mut Findings) {
    for (path, package) in packages {
        // The first is the component itself; a link is another name of one that is listed.
        if path.is_empty() || package.link {
            continue;
        }
        let labels: Vec<String> = path
            .split("node_modules/")
            .map(|label| label.trim_end_matches('/').to_owned())
            .filter(|label| !label.is_empty())
            .collect();
        let Some(last) = labels.last() else {
            continue;
        };
        // An alias lies where its name is, and says whose it is.
        let name = package.name.unwrap_or_else(|| of_folder(last));
        // Of what is from a repository or a file of one's own the version says little.
        let place = package.resolved.as_deref();
        let place = place.filter(|place| place.starts_with("git") || place.starts_with("file:"));
        let version = place.or(package.version.as_deref());
        add(labels, &name, version, findings);
    }
}

/// The name that a folder gives a package: its last part, and the scope before that if there is one.
fn of_folder(path: &str) -> String {
    let Some((before, last)) = path.rsplit_once('/') else {
        return path.to_owned();
    };
    let scope = before.rsplit('/').next().unwrap_or(before);
    if scope.starts_with('@') {
        return format!("{scope}/{last}");
    }
    last.to_owned()
}

/// Recursion ends where the reader of JSON refuses to go deeper.
fn by_name(dependencies: BTreeMap<String, Dependency>, above: &[String], findings: &mut Findings) {
    for (name, dependency) in dependencies {
        let mut labels = above.to_vec();
        labels.push(name.clone());
        let version = dependency.version.as_deref();
        // "npm:other@1.2.3" is an alias.
        let alias = version.and_then(|version| version.strip_prefix("npm:"));
        let alias = alias.and_then(|alias| alias.rsplit_once('@'));
        match alias {
            Some((whose, version)) => add(labels.clone(), whose, Some(version), findings),
            None => add(labels.clone(), &name, version, findings),
        }
        if let Some(inner) = dependency.dependencies {
            by_name(inner, &labels, findings);
        }
    }
}

fn add(labels: Vec<String>, name: &str, version: Option<&str>, findings: &mut Findings) {
    let version = match version {
        None => Err("no version in the lock file".to_owned()),
        // From a repository or an archive at some address, where a version may hold anything.
        Some(place) if place.contains(':') => {
            let place: String = place.chars().take(200).collect();
            Err(format!("from {place}"))
        }
        Some(version) => Ok(version),
    };
    findings.add(labels, names::package(&Ecosystem::Npm, name), version, "");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listed(text: &str) -> Vec<(String, String, Option<String>)> {
        let found = read(text.as_bytes()).unwrap().entries.into_iter();
        found
            .map(|entry| {
                let name = entry.advisory_name.to_string();
                (entry.path.join(" > "), name, entry.version.ok())
            })
            .collect()
    }

    fn one(path: &str, name: &str, version: &str) -> (String, String, Option<String>) {
        (path.to_owned(), name.to_owned(), Some(version.to_owned()))
    }

    #[test]
    fn a_lock_file_of_version_3_names_packages_by_their_way_through_the_tree() {
        let lock = r#"{"lockfileVersion":3,"packages":{
            "":{"name":"houston","version":"1.0.0"},
            "node_modules/@babel/core":{"version":"7.1.0"},
            "node_modules/@babel/core/node_modules/semver":{"version":"5.7.1"},
            "node_modules/alias":{"name":"left-pad","version":"1.3.0"},
            "node_modules/fork":{"version":"8.17.1","resolved":"git+ssh://git@example.com/fork.git#1"},
            "node_modules/here":{"resolved":"packages/here","link":true},
            "packages/here":{"version":"0.1.0"}}}"#;
        assert_eq!(
            listed(lock),
            [
                one("@babel/core", "npm:@babel/core", "7.1.0"),
                one("@babel/core > semver", "npm:semver", "5.7.1"),
                one("alias", "npm:left-pad", "1.3.0"),
                ("fork".to_owned(), "npm:fork".to_owned(), None),
                one("packages/here", "npm:here", "0.1.0"),
            ]
        );
    }

    #[test]
    fn a_lock_file_of_version_1_has_them_inside_one_another() {
        let lock = r#"{"lockfileVersion":1,"dependencies":{
            "a":{"version":"1.0.0","dependencies":{"b":{"version":"2.0.0"}}},
            "c":{"version":"npm:@x/d@3.0.0"},
            "e":{"version":"git+ssh://git@example.com/e.git#1"}}}"#;
        assert_eq!(
            listed(lock),
            [
                one("a", "npm:a", "1.0.0"),
                one("a > b", "npm:b", "2.0.0"),
                one("c", "npm:@x/d", "3.0.0"),
                ("e".to_owned(), "npm:e".to_owned(), None),
            ]
        );
    }

    #[test]
    fn depth_and_other_files_are_refused() {
        let deep = format!(
            "{}{}",
            r#"{"dependencies":{"a":"#.repeat(10_000),
            "}}".repeat(10_000)
        );
        assert!(read(deep.as_bytes()).is_err());
        assert!(read(b"{}").is_err());
        assert!(read(b"\xff").is_err());
    }
}
