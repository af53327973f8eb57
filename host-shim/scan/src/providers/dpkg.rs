//! Debian packages that are installed, by source package, as dpkg's own status has them (deb-control(5),
//! dpkg-query(1)). No program is called.
//!
//! Advisories of a distribution name source packages and their versions. Where `Source` has a version
//! of its own in brackets, as after a rebuild, that one counts.

use std::path::Path;

use deb822_fast::Paragraph;
use spacecp_contract::{Ecosystem, Release};

use crate::{Limit, Why, findings::Findings, ground::Kind, look::Look, names};

/// The list of a whole system, and the folder of one file a package that small images have instead.
const STATUS: &str = "var/lib/dpkg/status";
const STATUS_FOLDER: &str = "var/lib/dpkg/status.d";

/// The longest description of one package in bytes.
const LONGEST_PARAGRAPH: usize = 1 << 20;

pub(super) fn look(look: &mut Look<'_>) {
    let release = match super::os::release(look) {
        Ok(release) => release,
        Err(why) => return look.unread(Path::new(STATUS), why),
    };
    // The same list means something else under another release.
    let reader = format!("dpkg {}-{}", release.id, release.version);
    let mut found = look.text(Path::new(STATUS), Limit::DocumentBytes, &reader, |bytes| {
        let found = read(bytes, &release, true);
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
                    Ok(read(bytes, &release, false))
                });
            }
        }
    }
    if !found {
        look.unread(Path::new(STATUS), Why::Io("not found".to_owned()));
    }
}

/// The packages of a status file. In an image without dpkg a package has no `Status` and is there.
pub(crate) fn read(bytes: &[u8], release: &Release, wants_status: bool) -> Findings {
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
        if let Err(why) = package(paragraph, release, wants_status, &mut findings) {
            findings.unread(place(), why);
        }
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

fn package(
    paragraph: &str,
    release: &Release,
    wants_status: bool,
    findings: &mut Findings,
) -> Result<(), Why> {
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
    let own = fields.get("Version");
    let (source, version) = match fields.get("Source").map(str::trim) {
        Some(source) => match source.split_once('(') {
            Some((source, version)) => (source.trim(), Some(version.trim_end_matches(')').trim())),
            None => (source, own),
        },
        None => (package, own),
    };
    let version = version.ok_or_else(|| "no version given by dpkg".to_owned());
    let name = names::package(&Ecosystem::Deb(release.clone()), source);
    findings.add(vec![source.to_owned()], name, version, "");
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

    fn debian() -> Release {
        Release {
            id: "debian".to_owned(),
            version: "12".to_owned(),
        }
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
