//! npm's lock files, version 1 to 3 (<https://docs.npmjs.com/cli/v11/configuring-npm/package-lock-json>).

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;
use spacecp_contract::Ecosystem;

use crate::{
    Why,
    findings::Findings,
    json::{self, Item, Text},
    names,
};

use super::npm_reference::is_elsewhere;

/// The longest address that is quoted.
const LONGEST_ADDRESS: usize = 200;

#[derive(Deserialize)]
struct Lock {
    /// Since version 2: by the path in the tree.
    packages: Option<BTreeMap<String, Item<Package>>>,
    /// Version 1, and beside the other in version 2.
    dependencies: Option<Value>,
}

#[derive(Deserialize)]
struct Package {
    #[serde(default)]
    name: Text,
    #[serde(default)]
    version: Text,
    /// Where it is from; `false` for one that lies inside another, as npm 6 wrote it.
    #[serde(default)]
    resolved: Text,
    #[serde(default)]
    link: Value,
    #[serde(default)]
    dependencies: Value,
    #[serde(default, rename = "optionalDependencies")]
    optional: Value,
}

pub(super) fn read(bytes: &[u8]) -> Result<Findings, Why> {
    let lock: Lock = json::read(bytes)?;
    let mut findings = Findings::default();
    match (lock.packages, lock.dependencies) {
        // Some tools leave the first of both lists empty in version 2.
        (Some(packages), Some(dependencies)) if packages.keys().all(String::is_empty) => {
            by_path(packages, &mut findings);
            by_name(&dependencies, &[], &mut findings);
        }
        (Some(packages), _) => by_path(packages, &mut findings),
        (None, Some(dependencies)) => by_name(&dependencies, &[], &mut findings),
        (None, None) => return Err(Why::malformed("a lock file", "no packages listed")),
    }
    Ok(findings)
}

/// The packages in a tree that are not from a registry, each by its path and where it is from. What is odd here says
/// nothing: the tree itself is read.
pub(super) fn forks(bytes: &[u8]) -> Findings {
    let mut findings = Findings::default();
    let packages = json::read::<Lock>(bytes)
        .ok()
        .and_then(|lock| lock.packages);
    for (path, package) in packages.into_iter().flatten() {
        if let Item::Good(package) = package
            && let Some(place) = package.resolved.0.filter(|place| is_elsewhere(place))
            && package.link != Value::Bool(true)
        {
            findings.need(&path, &place, false);
        }
    }
    findings
}

fn by_path(packages: BTreeMap<String, Item<Package>>, findings: &mut Findings) {
    for (path, package) in packages {
        let package = match package {
            Item::Good(package) => package,
            Item::Odd(reason) => {
                odd(&path, &reason, findings);
                continue;
            }
        };
        for (name, wanted) in needs(&package.dependencies, &package.optional) {
            findings.need(&name, &wanted, true);
        }
        // The first is the component itself.
        if path.is_empty() {
            continue;
        }
        if let Some((_, name)) = path.rsplit_once("node_modules/") {
            findings.answer(name);
        }
        // A link is another name of one that is listed.
        if package.link == Value::Bool(true) {
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
        let name = package.name.0.unwrap_or_else(|| of_folder(last));
        // Of what is from a repository or a file of one's own the version says little.
        let place = package.resolved.0.as_deref();
        let place = place.filter(|place| is_elsewhere(place));
        let version = place.or(package.version.0.as_deref());
        add(labels, &name, version, findings);
    }
}

/// What a package needs at all events, with what it wants of each. What is optional may be left out.
pub(super) fn needs(needed: &Value, optional: &Value) -> Vec<(String, String)> {
    // In anything but names and values there is nothing that npm would install.
    let needed = needed.as_object().into_iter().flatten();
    let needed = needed.filter(|(name, _)| optional.get(name.as_str()).is_none());
    let wanted = |value: &Value| value.as_str().unwrap_or("(unknown version)").to_owned();
    needed
        .map(|(name, value)| (name.clone(), wanted(value)))
        .collect()
}

/// Names one item that is none.
pub(super) fn odd(item: &str, reason: &str, findings: &mut Findings) {
    let item: String = item.chars().take(LONGEST_ADDRESS).collect();
    let why = Why::malformed("an entry of a lock file", format!("{item}: {reason}"));
    findings.unread(String::new(), why);
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
fn by_name(dependencies: &Value, above: &[String], findings: &mut Findings) {
    let Some(dependencies) = dependencies.as_object() else {
        return odd(
            &above.join(" > "),
            "its dependencies are no list of names",
            findings,
        );
    };
    for (name, dependency) in dependencies {
        let mut labels = above.to_vec();
        labels.push(name.clone());
        findings.answer(name);
        if !dependency.is_object() {
            odd(&labels.join(" > "), "not names and values", findings);
            continue;
        }
        let version = dependency.get("version").and_then(Value::as_str);
        let place = dependency.get("resolved").and_then(Value::as_str);
        let version = place.filter(|place| is_elsewhere(place)).or(version);
        // "npm:other@1.2.3" is an alias.
        let alias = version.and_then(|version| version.strip_prefix("npm:"));
        let alias = alias.and_then(|alias| alias.rsplit_once('@'));
        match alias {
            Some((whose, version)) => add(labels.clone(), whose, Some(version), findings),
            None => add(labels.clone(), name, version, findings),
        }
        if let Some(inner) = dependency.get("dependencies") {
            by_name(inner, &labels, findings);
        }
    }
}

/// One package. A version with a colon is an address, where a version may hold anything.
pub(super) fn add(labels: Vec<String>, name: &str, version: Option<&str>, findings: &mut Findings) {
    let version = match version {
        None => Err("no version in the lock file".to_owned()),
        Some(place) if place.contains(':') || is_elsewhere(place) => {
            let place: String = place.chars().take(LONGEST_ADDRESS).collect();
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
            "node_modules/forked":{"version":"4.17.99","resolved":"https://codeload.github.com/x/forked/tar.gz/1"},
            "node_modules/here":{"resolved":"packages/here","link":true},
            "packages/here":{"version":"0.1.0"}}}"#;
        assert_eq!(
            listed(lock),
            [
                one("@babel/core", "npm:@babel/core", "7.1.0"),
                one("@babel/core > semver", "npm:semver", "5.7.1"),
                one("alias", "npm:left-pad", "1.3.0"),
                ("fork".to_owned(), "npm:fork".to_owned(), None),
                ("forked".to_owned(), "npm:forked".to_owned(), None),
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
    fn an_odd_item_costs_itself() {
        let lock = r#"{"lockfileVersion":3,"packages":{
            "node_modules/npm":{"version":"6.14.18"},
            "node_modules/npm/node_modules/minimist":{"version":"1.2.5","resolved":false,"inBundle":true},
            "node_modules/odd":7,
            "node_modules/twice":{"version":"1.0.0","version":"2.0.0"}}}"#;
        assert_eq!(
            listed(lock),
            [
                one("npm", "npm:npm", "6.14.18"),
                one("npm > minimist", "npm:minimist", "1.2.5"),
                one("twice", "npm:twice", "2.0.0"),
            ]
        );
        assert_eq!(read(lock.as_bytes()).unwrap().unread.len(), 1);
        let first = r#"{"lockfileVersion":1,"dependencies":{"a":{"version":"1.0.0","resolved":false,"dependencies":[]},"b":1}}"#;
        assert_eq!(listed(first), [one("a", "npm:a", "1.0.0")]);
        assert_eq!(read(first.as_bytes()).unwrap().unread.len(), 2);
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
