//! Packages of Composer: what is installed in `vendor/`, or what the lock file says where there is no such list
//! (<https://getcomposer.org/doc/01-basic-usage.md>).

use std::path::Path;

use serde_json::Value;

use spacecp_contract::Ecosystem;

use crate::{Limit, Why, findings::Findings, json, look::Look, names};

const INSTALLED: &str = "vendor/composer/installed.json";
const LOCK: &str = "composer.lock";

pub(super) fn look(look: &mut Look<'_>, file: Option<&Path>) {
    let usual = [INSTALLED, LOCK].map(Path::new);
    let mut files = match &file {
        Some(file) => std::slice::from_ref(file),
        None => &usual[..],
    }
    .iter();
    if !files.any(|file| look.text(file, Limit::DocumentBytes, "composer packages", read)) {
        let why = format!("what is installed: there is neither {INSTALLED} nor {LOCK}");
        look.unread(Path::new(""), Why::Missing(why));
    }
}

fn read(bytes: &[u8]) -> Result<Findings, Why> {
    let list: Value = json::read(bytes)?;
    // Composer 1 wrote what is installed as a list alone.
    let lists = [Some(&list), list.get("packages"), list.get("packages-dev")];
    let mut lists = lists
        .into_iter()
        .flatten()
        .filter_map(Value::as_array)
        .peekable();
    if lists.peek().is_none() {
        return Err(Why::malformed("a list of Composer's", "no packages listed"));
    }
    let mut findings = Findings::default();
    for package in lists.flatten() {
        let (name, version) = (
            json::text_of(package, "name"),
            json::text_of(package, "version"),
        );
        let Some(name) = name else {
            let why = Why::Missing("the name of a package in the list".to_owned());
            findings.unread(String::new(), why);
            continue;
        };
        let version = match version {
            // A branch holds anything.
            Some(branch) if branch.starts_with("dev-") || branch.ends_with("-dev") => {
                Err(format!("of the branch {branch}"))
            }
            Some(version) => Ok(version.trim_start_matches('v').to_owned()),
            None => Err("no version in the list".to_owned()),
        };
        let version = version.as_deref().map_err(Clone::clone);
        let named = names::package(&Ecosystem::Composer, &name);
        findings.add(vec![name.to_string()], named, version, "");
    }
    Ok(findings)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_package_is_listed_and_an_odd_one_costs_itself() {
        let lock = br#"{"packages":[{"name":"monolog/monolog","version":"v2.0.0"},{"version":"1"}],"packages-dev":[{"name":"a/b","version":"dev-main"}]}"#;
        let found = read(lock).unwrap();
        let listed = found.entries.iter().map(|entry| {
            let version = entry.version.as_deref().unwrap_or("?");
            format!("{} {version}", entry.advisory_name)
        });
        assert!(listed.eq(["composer:monolog/monolog 2.0.0", "composer:a/b ?"]));
        assert!(matches!(&found.unread[..], [(_, Why::Missing(_))]));
        assert!(read(b"[]").is_ok());
        assert!(read(b"{}").is_err());
    }
}
