//! Alpine packages that are installed, by source package, as apk's own database has them (apk-installed(5)). No program
//! is called.
//!
//! Advisories name source packages (`o:`), which have the versions of their packages.

use std::{collections::BTreeMap, path::Path};

use spacecp_contract::{Ecosystem, Release};

use crate::{Limit, Why, findings::Findings, look::Look, names, text};

/// The database, in newer systems first. One is a link to the other where both are there.
const PLACES: [&str; 2] = ["usr/lib/apk/db/installed", "lib/apk/db/installed"];

pub(super) fn look(look: &mut Look<'_>) {
    let mut found: Option<&Path> = None;
    for path in PLACES.map(Path::new) {
        let stamp = look.stamp(path);
        if stamp == Ok(None) {
            continue;
        }
        match found {
            None => found = Some(path),
            // Two that are not one.
            Some(first) if look.stamp(first) != stamp => {
                let first = first.display();
                let why =
                    format!("whether this database is in use: {first} is there, too, and was read");
                look.unread(path, Why::Missing(why));
            }
            Some(_) => {}
        }
    }
    let Some(path) = found else {
        let why = Why::Io("not found".to_owned());
        return look.unread(Path::new(PLACES[1]), why);
    };
    let system = match super::os::system(look) {
        Ok(system) => system,
        Err(why) => return look.unread(path, why),
    };
    // The same list means something else under another release.
    let reader = format!("apk {system}");
    look.text(path, Limit::DocumentBytes, &reader, |bytes| {
        let found = read(bytes, &system.own);
        // A system without any package is one whose list was cut off.
        match found.count() {
            0 => Err(Why::Missing("any package".to_owned())),
            _ => Ok(found),
        }
    });
}

/// The packages of a database, of a system of this release.
pub(crate) fn read(bytes: &[u8], release: &Release) -> Findings {
    let mut findings = Findings::default();
    let mut unadvised = 0_u64;
    let text = text::decode(bytes);
    let (mut number, mut fields) = (1, BTreeMap::new());
    // An empty line ends a package, and so does the end.
    for line in text.lines().chain([""]) {
        let line = line.trim_end_matches('\r');
        if line.is_empty() {
            if !fields.is_empty() {
                unadvised += u64::from(!release.has_advisories());
                if let Err(why) = package(&std::mem::take(&mut fields), release, &mut findings) {
                    findings.unread(format!(", package {number}"), why);
                }
                number += 1;
            }
            continue;
        }
        // Of the lines about files, which come again and again, none is asked for.
        if let Some((field @ ("P" | "V" | "o"), value)) = line.split_once(':')
            && fields.insert(field, value).is_some()
        {
            let why = Why::malformed(
                "a list of packages",
                "two packages are not separated by an empty line",
            );
            findings.unread(format!(", package {number}"), why);
        } else if fields.is_empty() {
            fields.insert("", line);
        }
    }
    if unadvised > 0 {
        let packages = format!("{unadvised} packages of {release}");
        findings.unread(String::new(), Why::NoAdvisories(packages));
    }
    findings
}

fn package(
    fields: &BTreeMap<&str, &str>,
    release: &Release,
    findings: &mut Findings,
) -> Result<(), Why> {
    let field = |name| fields.get(name).map(|value| value.trim());
    let filled = |name| field(name).filter(|value| !value.is_empty());
    let package = filled("P").ok_or_else(|| Why::Missing("which package it is".to_owned()))?;
    let source = filled("o").unwrap_or(package);
    let version = filled("V").ok_or_else(|| "no version given by apk".to_owned());
    let name = names::package(&Ecosystem::Apk(release.clone()), source);
    findings.add(vec![source.to_owned()], name, version, "");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn alpine() -> Release {
        Release::canonical("alpine", "3.18.4")
    }

    #[test]
    fn packages_are_listed_by_source() {
        let list = "C:Q1abc=\nP:libcrypto3\nV:3.1.3-r0\nA:x86_64\no:openssl\nF:lib\nR:libcrypto.so.3\na:0:0:755\n\nP:musl\nV:1.2.4-r1\n\nC:Q1\nV:1\n\n";
        let found = read(list.as_bytes(), &alpine());
        let listed = found.entries.iter().map(|entry| {
            let version = entry.version.as_deref().unwrap_or("?");
            format!("{} {version}", entry.advisory_name)
        });
        assert!(listed.eq([
            "apk:alpine-3.18:openssl 3.1.3-r0",
            "apk:alpine-3.18:musl 1.2.4-r1"
        ]));
        let missing = Why::Missing("which package it is".to_owned());
        assert_eq!(found.unread, [(", package 3".to_owned(), missing)]);
    }

    #[test]
    fn packages_between_two_releases_are_counted() {
        let edge = Release::canonical("alpine", "3.19_alpha20230901");
        let found = read(b"P:musl\nV:1\n", &edge);
        let why = Why::NoAdvisories("1 packages of alpine-edge rolling".to_owned());
        assert_eq!(found.unread, [(String::new(), why)]);
    }

    proptest! {
        #[test]
        fn every_package_is_listed_or_named_as_unread(
            names in prop::collection::vec("[a-z][a-z0-9+._-]{0,8}", 0..20),
        ) {
            let list: Vec<String> = names.iter().map(|name| format!("P:{name}\nV:1\n")).collect();
            let found = read(list.join("\n").as_bytes(), &alpine());
            prop_assert_eq!(found.entries.len() + found.unread.len(), names.len());
        }

        #[test]
        fn no_bytes_end_the_process(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
            read(&bytes, &alpine());
        }
    }
}
