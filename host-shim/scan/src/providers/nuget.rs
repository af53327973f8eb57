//! Packages of .NET: those that a program was built with, or those of the lock file where there is no built program.
//!
//! `*.deps.json` lies beside every built program (<https://github.com/dotnet/sdk/blob/main/documentation/specs/runtime-configuration-file.md>);
//! `packages.lock.json` beside its source (<https://learn.microsoft.com/nuget/consume-packages/package-references-in-project-files>).

use std::path::Path;

use serde_json::Value;
use spacecp_contract::Ecosystem;

use super::walk;
use crate::{Limit, Why, findings::Findings, json, look::Look, names};

const BUILT: &str = ".deps.json";
const LOCK: &str = "packages.lock.json";
/// What came before lock files.
const OLD: &str = "packages.config";

pub(super) fn look(look: &mut Look<'_>, file: Option<&Path>) {
    let before = look.count();
    if let Some(file) = file {
        one(look, file);
    } else {
        let mut locks = Vec::new();
        walk::files(look, |look, path| {
            let name = walk::name_of(path);
            if name.ends_with(BUILT) {
                one(look, path);
            } else if name == LOCK || name == OLD {
                locks.push(path.to_owned());
            }
        });
        if look.count() == before {
            for lock in &locks {
                one(look, lock);
            }
        }
    }
    if look.count() == before {
        let why = format!("what is installed: there is neither a file *{BUILT} nor {LOCK}");
        look.unread(file.unwrap_or(Path::new("")), Why::Missing(why));
    }
}

fn one(look: &mut Look<'_>, path: &Path) {
    let name = walk::name_of(path);
    if name == OLD {
        return look.unread(path, Why::NotRead("packages.config".to_owned()));
    }
    let read = if name.ends_with(BUILT) { built } else { locked };
    if !look.text(path, Limit::DocumentBytes, "nuget", read) {
        look.unread(path, Why::Io("not found".to_owned()));
    }
}

/// `libraries`: `Name/Version`, each with its type; projects are parts of the program.
fn built(bytes: &[u8]) -> Result<Findings, Why> {
    let said: Value = json::read(bytes)?;
    let libraries = said.get("libraries").and_then(Value::as_object);
    let libraries =
        libraries.ok_or_else(|| Why::malformed("a list of .NET's", "no libraries listed"))?;
    let mut findings = Findings::default();
    for (library, about) in libraries {
        if json::text_of(about, "type").as_deref() == Some("project") {
            continue;
        }
        let (name, version) = match library.rsplit_once('/') {
            Some((name, version)) => (name, Ok(version)),
            None => (library.as_str(), Err("no version in the list".to_owned())),
        };
        add(name, version, &mut findings);
    }
    Ok(findings)
}

/// `dependencies`: by framework, then by name.
fn locked(bytes: &[u8]) -> Result<Findings, Why> {
    let said: Value = json::read(bytes)?;
    let frameworks = said.get("dependencies").and_then(Value::as_object);
    let frameworks =
        frameworks.ok_or_else(|| Why::malformed("a packages.lock.json", "no packages listed"))?;
    let mut findings = Findings::default();
    for (framework, packages) in frameworks {
        let Some(packages) = packages.as_object() else {
            let why = Why::malformed(
                "a packages.lock.json",
                format!("no packages of {framework}"),
            );
            findings.unread(String::new(), why);
            continue;
        };
        for (name, about) in packages {
            if json::text_of(about, "type").is_some_and(|kind| kind == "Project") {
                continue;
            }
            let version = json::text_of(about, "resolved");
            let version = version.as_deref();
            let version = version.ok_or_else(|| "no resolved version in the lock file".to_owned());
            add(name, version, &mut findings);
        }
    }
    Ok(findings)
}

fn add(name: &str, version: Result<&str, String>, findings: &mut Findings) {
    let named = names::package(&Ecosystem::Nuget, name);
    findings.add(vec![name.to_owned()], named, version, "");
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn listed(found: Result<Findings, Why>) -> Vec<String> {
        let entries = found.unwrap().entries.into_iter();
        entries
            .map(|entry| {
                format!(
                    "{} {}",
                    entry.advisory_name,
                    entry.version.unwrap_or_default()
                )
            })
            .collect()
    }

    #[test]
    fn packages_are_listed_and_projects_are_parts_of_the_program() {
        let deps = br#"{"runtimeTarget":{},"libraries":{"App/1.0.0":{"type":"project"},"Newtonsoft.Json/12.0.1":{"type":"package"},"odd":{"type":"package"}}}"#;
        assert_eq!(
            listed(built(deps)),
            ["nuget:newtonsoft.json 12.0.1", "nuget:odd "]
        );
        let lock = br#"{"version":1,"dependencies":{"net6.0":{"Newtonsoft.Json":{"type":"Direct","requested":"[12.0.1, )","resolved":"12.0.1"},"app":{"type":"Project"}}}}"#;
        assert_eq!(listed(locked(lock)), ["nuget:newtonsoft.json 12.0.1"]);
        assert!(built(b"{}").is_err() && locked(b"[]").is_err());
    }

    proptest! {
        #[test]
        fn no_bytes_end_the_process(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = (built(&bytes), locked(&bytes));
        }
    }
}
