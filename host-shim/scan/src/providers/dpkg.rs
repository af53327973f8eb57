//! Debian packages that are installed, by source package, as dpkg's own status has them (deb-control(5),
//! dpkg-query(1)). No program is called.
//!
//! Advisories of a distribution name source packages and their versions; which source a package is from, and which
//! release that is of, is said by [`spacecp_contract::identity`].

use std::{collections::BTreeMap, path::Path};

use deb822_fast::Paragraph;
use spacecp_contract::{
    Ecosystem,
    identity::{DebBinary, System},
};

use crate::{Limit, Why, findings::Findings, ground::Kind, look::Look, names};

/// The list of a whole system, and the folder of one file a package that small images have instead.
const STATUS: &str = "var/lib/dpkg/status";
const STATUS_FOLDER: &str = "var/lib/dpkg/status.d";

/// The longest description of one package in bytes.
const LONGEST_PARAGRAPH: usize = 1 << 20;

pub(super) fn look(look: &mut Look<'_>) {
    let system = match super::os::system(look) {
        Ok(system) => system,
        Err(why) => return look.unread(Path::new(STATUS), why),
    };
    // The same list means something else under another release.
    let reader = format!("dpkg {system}");
    let mut found = look.text(Path::new(STATUS), Limit::DocumentBytes, &reader, |bytes| {
        let found = read(bytes, &system, true);
        // A system without any package is one whose list was cut off.
        match found.count() {
            0 => Err(Why::Missing("any package".to_owned())),
            _ => Ok(found),
        }
    });
    if let Some(files) = look.listed(Path::new(STATUS_FOLDER)) {
        found = true;
        let is_a_package = |path: &Path| {
            path.extension()
                .is_none_or(|extension| extension != "md5sums")
        };
        for (path, kind) in files {
            if kind != Kind::Folder && is_a_package(&path) {
                look.text(&path, Limit::DescriptorBytes, &reader, |bytes| {
                    Ok(read(bytes, &system, false))
                });
            }
        }
    }
    if !found {
        look.unread(Path::new(STATUS), Why::Io("not found".to_owned()));
    }
}

/// The packages of a status file. In an image without dpkg a package has no `Status` and is there.
pub(crate) fn read(bytes: &[u8], system: &System, wants_status: bool) -> Findings {
    let mut unadvised = BTreeMap::new();
    let mut findings = Findings::default();
    // Only texts for people go beyond ASCII, and none of them is asked for.
    let text = String::from_utf8_lossy(bytes);
    for (number, paragraph) in paragraphs(&text).enumerate() {
        let place = || format!(", package {}", number + 1);
        if paragraph.len() > LONGEST_PARAGRAPH {
            let why = Why::malformed("a list of packages", "a package entry is larger than 1 MiB");
            findings.unread(place(), why);
            continue;
        }
        let package = package(
            paragraph,
            system,
            wants_status,
            &mut unadvised,
            &mut findings,
        );
        if let Err(why) = package {
            findings.unread(place(), why);
        }
    }
    for (release, packages) in unadvised {
        let packages = format!("{packages} packages of {release}");
        findings.unread(String::new(), Why::NoAdvisories(packages));
    }
    findings
}

/// The parts between empty lines.
fn paragraphs(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        rest = rest.trim_start_matches(['\n', '\r']);
        if rest.is_empty() {
            return None;
        }
        let end = rest.find("\n\n").map_or(rest.len(), |end| end + 1);
        let (paragraph, after) = rest.split_at(end);
        rest = after;
        Some(paragraph)
    })
}

/// Whether a line begins a field of this name.
fn is_field(line: &str, name: &str) -> bool {
    let field = line.split_once(':').map(|(field, _)| field);
    field.is_some_and(|field| field.eq_ignore_ascii_case(name))
}

fn package(
    paragraph: &str,
    system: &System,
    wants_status: bool,
    unadvised: &mut BTreeMap<String, u64>,
    findings: &mut Findings,
) -> Result<(), Why> {
    // Separated by a line that only looks empty, two packages would become one.
    let begins = paragraph.lines().filter(|line| is_field(line, "Package"));
    if begins.count() > 1 {
        let reason = "two packages are not separated by an empty line";
        return Err(Why::malformed("a list of packages", reason));
    }
    let fields: Paragraph = paragraph
        .parse()
        .map_err(|error| Why::malformed("a list of packages", error))?;
    let package = fields
        .get("Package")
        .ok_or_else(|| Why::Missing("which package it is".to_owned()))?;
    match fields.get("Status") {
        Some(status) if !is_there(status) => return Ok(()),
        None if wants_status => {
            return Err(Why::Missing(format!("whether {package} is installed")));
        }
        _ => {}
    }
    let binary = DebBinary {
        name: package,
        version: fields.get("Version").map(str::trim),
        built_using: fields.get("Built-Using"),
        ..DebBinary::default()
    };
    let source = binary
        .from_source(fields.get("Source").unwrap_or(""))
        .source();
    let version = source.version.as_deref();
    let release = system.release_of(&source.name, version.unwrap_or(""));
    if !release.has_advisories() {
        *unadvised.entry(release.to_string()).or_default() += 1;
    }
    let version = version.ok_or_else(|| "no version given by dpkg".to_owned());
    let name = names::package(&Ecosystem::Deb(release.clone()), &source.name);
    findings.add(vec![source.name], name, version, "");
    Ok(())
}

/// Whether files of a package are there: it may be installed halfway, but not gone but for its settings.
fn is_there(status: &str) -> bool {
    let state = status.split_whitespace().last();
    !matches!(state, Some("not-installed" | "config-files"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use spacecp_contract::Release;

    fn debian() -> System {
        System::of_release(Release::canonical("debian", "12"))
    }

    #[test]
    fn packages_are_listed_by_source_and_its_version_if_they_are_there() {
        let status = "\
Package: libcurl4
Status: install ok installed
Source: curl
Version: 7.88.1-10
Description: easy-to-use
 client \u{e9}
 .
 more

Package: bash
Status: install ok installed
Source: bash (5.2-1)
Version: 5.2-1+b7

Package: gone
Status: deinstall ok config-files
Version: 1

Package: broken
Status: install reinstreq half-installed
Version: 2

Status: install ok installed
";
        let found = read(status.as_bytes(), &debian(), true);
        let listed: Vec<_> = found
            .entries
            .iter()
            .map(|entry| {
                (
                    entry.advisory_name.as_str(),
                    entry.version.as_deref().unwrap(),
                )
            })
            .collect();
        assert_eq!(
            listed,
            [
                ("deb:debian-12:curl", "7.88.1-10"),
                ("deb:debian-12:bash", "5.2-1"),
                ("deb:debian-12:broken", "2")
            ]
        );
        assert_eq!(found.unread.len(), 1);
        assert_eq!(found.unread[0].0, ", package 5");
    }

    fn listed(system: &System, status: &str) -> (Vec<(String, String)>, Vec<Why>) {
        let found = read(status.as_bytes(), system, false);
        let entry = |entry: &crate::findings::Entry| {
            (
                entry.advisory_name.to_string(),
                entry.version.clone().unwrap(),
            )
        };
        let unread = found.unread.iter().map(|(_, why)| why.clone());
        (found.entries.iter().map(entry).collect(), unread.collect())
    }

    #[test]
    fn two_packages_that_are_not_separated_are_named_and_not_made_one() {
        let status = "Package: bash\nVersion: 5.2-1\n \nPackage: openssl\nVersion: 1.1.1n-0\n";
        let (found, unread) = listed(&debian(), status);
        assert_eq!(found, []);
        assert!(
            matches!(unread.as_slice(), [Why::Malformed { .. }]),
            "{unread:?}"
        );
    }

    #[test]
    fn a_signed_kernel_is_the_kernel_and_its_headers_are_not() {
        let status = "\
Package: linux-image-6.1.0-28-amd64
Source: linux-signed-amd64 (6.1.119+1)
Version: 6.1.119-1
Built-Using: linux (= 6.1.119-1)

Package: linux-libc-dev
Source: linux
Version: 6.1.119-1
";
        let (found, unread) = listed(&debian(), status);
        let named = |name: &str| (name.to_owned(), "6.1.119-1".to_owned());
        let expected = ["deb:debian-12:linux", "deb:debian-12:linux-libc-dev"].map(named);
        assert_eq!(
            (found.as_slice(), unread.as_slice()),
            (expected.as_slice(), [].as_slice())
        );
    }

    #[test]
    fn packages_that_no_advisory_speaks_of_are_counted_by_their_distribution() {
        let mint = System::of_release(Release::canonical("linuxmint", "21.2"));
        let status =
            "Package: openssl\nVersion: 3.0.2-0ubuntu1.10\n\nPackage: xapp\nVersion: 2.8.0+mint\n";
        let (found, unread) = listed(&mint, status);
        let names: Vec<&str> = found.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(
            names,
            ["deb:ubuntu-22.04:openssl", "deb:linuxmint-21.2:xapp"]
        );
        assert_eq!(
            unread,
            [Why::NoAdvisories("1 packages of linuxmint 21.2".to_owned())]
        );
        let kali = System::of_release(Release::canonical("kali", "2024.1"));
        let (found, unread) = listed(&kali, status);
        assert_eq!(found[0].0, "deb:kali-2024.1:openssl");
        assert_eq!(
            unread,
            [Why::NoAdvisories("2 packages of kali 2024.1".to_owned())]
        );
    }

    #[test]
    fn bytes_that_are_no_text_cost_their_package_alone() {
        let mut status =
            b"Package: \xff\xfe\nStatus: install ok installed\nVersion: 1\n\n".to_vec();
        status.extend(b"Package: curl\nStatus: install ok installed\nVersion: 1\n");
        let found = read(&status, &debian(), true);
        assert_eq!(found.entries.len(), 1);
        assert_eq!(found.unread.len(), 1, "{:?}", found.unread);
    }

    proptest! {
        #[test]
        fn every_package_is_listed_or_named_as_unread(
            names in prop::collection::vec("[a-z][a-z0-9+.-]{0,8}", 0..20),
        ) {
            let paragraphs = names.iter().map(|name| format!("Package: {name}\nStatus: install ok installed\nVersion: 1\n"));
            let status = paragraphs.collect::<Vec<_>>().join("\n");
            let found = read(status.as_bytes(), &debian(), true);
            prop_assert_eq!(found.entries.len() + found.unread.len(), names.len());
        }

        #[test]
        fn no_bytes_end_the_process(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
            read(&bytes, &debian(), true);
        }
    }
}
