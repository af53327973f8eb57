//! Bun's lock file as text (<https://bun.sh/docs/pm/lockfile>): JSON with commas before closing brackets.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use crate::{Why, findings::Findings, json};

use super::npm_lock::{add, needs, odd};

#[derive(Deserialize)]
struct Lock {
    /// By the way through the tree: what each is first, as `lodash@4.17.21`.
    packages: BTreeMap<String, Value>,
    /// The component itself, and what it is made of, by folder.
    #[serde(default)]
    workspaces: Value,
}

pub(super) fn read(bytes: &[u8]) -> Result<Findings, Why> {
    let lock: Lock = json::read(bytes)?;
    let mut findings = Findings::default();
    let workspaces = lock.workspaces.as_object().into_iter().flatten();
    for (_, workspace) in workspaces {
        need(workspace, &mut findings);
    }
    for (way, package) in lock.packages {
        if let Some(name) = labels(&way).last() {
            findings.answer(name);
        }
        // What is said of it stands behind what it is, and behind its registry where it has one.
        for said in package.as_array().into_iter().flatten() {
            need(said, &mut findings);
        }
        let what = package.get(0).and_then(Value::as_str);
        // The sign before a version is the first that does not begin a scope.
        let split = what.and_then(|what| {
            let at = what
                .char_indices()
                .skip(1)
                .find(|(_, letter)| *letter == '@')?
                .0;
            what.split_at_checked(at)
        });
        let Some((name, version)) = split else {
            odd(&way, "no name and version", &mut findings);
            continue;
        };
        let version = version.trim_start_matches('@');
        // "workspace:" is the component itself, and "link:" a folder beside it.
        if version.starts_with("workspace:") || version.starts_with("link:") {
            continue;
        }
        add(labels(&way), name, Some(version), &mut findings);
    }
    Ok(findings)
}

fn need(said: &Value, findings: &mut Findings) {
    let value = |name: &str| said.get(name).unwrap_or(&Value::Null);
    for (name, wanted) in needs(value("dependencies"), value("optionalDependencies")) {
        findings.need(&name, &wanted, true);
    }
}

/// The packages on a way: a scope and what is in it are one.
fn labels(way: &str) -> Vec<String> {
    let mut labels: Vec<String> = Vec::new();
    for part in way.split('/') {
        match labels.last_mut() {
            Some(scope) if scope.starts_with('@') && !scope.contains('/') => {
                scope.push('/');
                scope.push_str(part);
            }
            _ => labels.push(part.to_owned()),
        }
    }
    labels
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packages_are_listed_by_their_way_through_the_tree_and_an_odd_one_costs_itself() {
        let lock = r#"{
  "lockfileVersion": 1,
  "workspaces": { "": { "name": "houston", "dependencies": { "lodash": "^4", }, }, },
  "packages": {
    "@babel/core": ["@babel/core@7.1.0", "", { "dependencies": {} }, "sha512-x"],
    "@babel/core/lodash": ["lodash@3.0.0", "", {}, "sha512-x"],
    "alias": ["left-pad@1.3.0", "", {}, "sha512-x"],
    "fork": ["fork@github:a/fork#1", {}, "a-fork-1"],
    "here": ["here@workspace:packages/here"],
    "odd": {},
  }
}"#;
        let findings = read(lock.as_bytes()).unwrap();
        let listed: Vec<String> = findings
            .entries
            .iter()
            .map(|entry| {
                let version = entry.version.as_deref().unwrap_or("?");
                format!(
                    "{} = {} {version}",
                    entry.path.join(" > "),
                    entry.advisory_name
                )
            })
            .collect();
        assert_eq!(
            listed,
            [
                "@babel/core = npm:@babel/core 7.1.0",
                "@babel/core > lodash = npm:lodash 3.0.0",
                "alias = npm:left-pad 1.3.0",
                "fork = npm:fork ?",
            ]
        );
        assert_eq!(findings.unread.len(), 1);
        assert!(read(b"{}").is_err());
    }
}
