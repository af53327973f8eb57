//! What a software bill of materials lists: `CycloneDX` (ECMA-424, 1.2 and later) and SPDX 2.2, 2.3 and 3.0, in
//! whichever format [`materials`] takes in. A package counts by its package URL; one without is named as unread.

mod cyclonedx;
mod files;
mod incomplete;
mod spdx;

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use serde::{Deserialize, Deserializer};
use spacecp_contract::{
    Release,
    identity::{RpmSource, Surroundings},
};

use self::{
    cyclonedx::{Component, Metadata, systems},
    files::Named,
    spdx::SpdxPackage,
};
use super::purl::{self, Listed, Stranger};
use crate::{
    Limit, Why,
    findings::Findings,
    ground::Kind,
    look::Look,
    materials::{self, Materials},
    names,
};

/// What was found by another reading of the same file does not count.
const READER: &str = "sbom 3";

/// Places that are named one by one; a list may have many thousand packages without an address.
const MOST_UNCLEAR: usize = 20;

pub(super) fn look(look: &mut Look<'_>, file: Option<&Path>) {
    if let Some(file) = file {
        look.text(file, Limit::DocumentBytes, READER, read);
        return;
    }
    let before = look.count();
    let (mut found, mut folders) = (false, vec![PathBuf::new()]);
    // Depth is bounded by what `list` is willing to list.
    while let Some(folder) = folders.pop() {
        let is_top = folder.as_os_str().is_empty();
        for (path, kind) in look.list(&folder) {
            let may_be_folder = kind == Kind::Folder || is_top && kind == Kind::Link;
            if may_be_folder && look.is_folder(&path) {
                folders.push(path);
                continue;
            }
            match files::named(&path, is_top) {
                _ if kind == Kind::Folder => {}
                Named::AsList => found |= look.text(&path, Limit::DocumentBytes, READER, read),
                Named::Perhaps if kind != Kind::Other => perhaps(look, &path),
                Named::Perhaps | Named::No => {}
            }
        }
    }
    if !found && look.count() == before {
        let why = Why::Missing(
            "what is installed: there is no bom.json, bom.xml, *.cdx.* or *.spdx.*".to_owned(),
        );
        look.unread(Path::new(""), why);
    }
}

/// Reads a file that is a list if it begins like one.
fn perhaps(look: &mut Look<'_>, path: &Path) {
    let reader = format!("{READER} by contents");
    look.file(path, &reader, |file, budget| {
        if !files::is_list(file)? {
            return Ok(Findings::default());
        }
        let most = budget.limits.document_bytes;
        read(&budget.read(file, Limit::DocumentBytes, most)?)
    });
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Bill {
    bom_format: Option<String>,
    metadata: Option<Metadata>,
    #[serde(default)]
    components: Vec<Component>,
    spdx_version: Option<String>,
    #[serde(default)]
    packages: Vec<SpdxPackage>,
}

/// A text, or a number as a text. What is neither is not said; the rest of the list does not suffer from it.
fn said<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    Ok(match serde_json::Value::deserialize(deserializer)? {
        serde_json::Value::String(text) => Some(text),
        serde_json::Value::Number(number) => Some(number.to_string()),
        _ => None,
    })
}

/// The source package that a package was built from.
struct Source {
    name: String,
    version: Option<String>,
}

pub(crate) fn read(bytes: &[u8]) -> Result<Findings, Why> {
    let Materials { list, odd } = materials::read(bytes)?;
    let left_out = incomplete::incomplete(&list);
    let bill: Bill = serde_json::from_value(list).map_err(|error| Why::malformed("JSON", error))?;
    let mut reading = Reading::default();
    for why in odd.into_iter().chain(left_out) {
        reading.findings.unread(String::new(), why);
    }
    if bill.bom_format.as_deref() == Some("CycloneDX") {
        let about = bill.metadata.and_then(|metadata| metadata.component);
        let about = about.as_slice();
        reading.release = release(systems(about).chain(systems(&bill.components)));
        for component in about {
            reading.about(component);
        }
        reading.components(&bill.components);
    } else if let Some(version) = bill.spdx_version {
        if !version.starts_with("SPDX-2.") {
            return Err(Why::NotRead(version.chars().take(40).collect()));
        }
        reading.release = release(bill.packages.iter().filter_map(SpdxPackage::system));
        reading.packages(&bill.packages);
    } else {
        return Err(Why::malformed(
            "a bill of materials",
            "neither CycloneDX nor SPDX 2",
        ));
    }
    let findings = reading.end();
    match findings.count() {
        0 => Err(Why::Missing("any package".to_owned())),
        _ => Ok(findings),
    }
}

/// The release that all systems of a list are of.
fn release<'a>(systems: impl Iterator<Item = (&'a str, &'a str)>) -> Option<Release> {
    let mut releases = systems.map(|(id, version)| Release::canonical(id, version));
    let first = releases.next()?;
    releases.all(|release| release == first).then_some(first)
}

#[derive(Default)]
struct Reading {
    findings: Findings,
    /// The release that packages are of whose URL names none.
    release: Option<Release>,
    /// Packages of types without names here, by type.
    strangers: BTreeMap<String, u64>,
    /// Packages of distributions without advisories, by release.
    unadvised: BTreeMap<String, u64>,
    /// Debian packages whose source is named, and those whose is not.
    sources: (u64, u64),
    /// Source packages of RPM's that are listed, with their versions.
    rpm_sources: BTreeSet<(String, Option<String>)>,
    unclear: u64,
}

impl Reading {
    fn system(&mut self, id: &str, version: &str) {
        let id = Release::canonical(id, version).id;
        let name = names::thing("os", &id);
        self.findings.add(vec![id], name, Ok(version), "");
    }

    /// A package by its URL, and what the list says beside it.
    fn package(&mut self, url: &str, version: Option<&str>, source: Option<&Source>) {
        let release = self.release.clone();
        let around = Surroundings {
            release: release.as_ref(),
            version,
            source: source.map(|source| source.name.as_str()),
            source_version: source.and_then(|source| source.version.as_deref()),
        };
        match purl::package(url, around) {
            Ok(package) => self.listed(package),
            Err(Stranger::Type(kind)) => *self.strangers.entry(kind).or_default() += 1,
            Err(Stranger::Unclear(why)) => self.unclear("", why),
        }
    }

    fn listed(&mut self, package: Listed) {
        match package.source_is_assumed {
            Some(true) => self.sources.1 += 1,
            Some(false) => self.sources.0 += 1,
            None => {}
        }
        let release = package.release.as_ref();
        if let Some(release) = release.filter(|release| !release.has_advisories()) {
            *self.unadvised.entry(release.to_string()).or_default() += 1;
        }
        if let Some((named, source)) = package.source {
            self.rpm_source(named, source);
        }
        let version = package.version.as_deref().map_err(Clone::clone);
        self.findings
            .add(vec![package.label], package.named, version, "");
    }

    /// The source of an RPM package, which some distributions' advisories speak of.
    fn rpm_source(&mut self, named: names::Named, source: RpmSource) {
        let is_new = self
            .rpm_sources
            .insert((source.name.clone(), source.version.clone()));
        if is_new {
            let version = source.version.as_deref();
            let version = version
                .ok_or_else(|| "the SBOM does not say the epoch of the source package".to_owned());
            self.findings.add(vec![source.name], named, version, "");
        }
    }

    fn unclear(&mut self, name: &str, why: Why) {
        self.unclear += 1;
        if self.unclear <= MOST_UNCLEAR as u64 {
            let place = match name {
                "" => String::new(),
                name => format!(", {}", name.chars().take(100).collect::<String>()),
            };
            self.findings.unread.push((place, why));
        }
    }

    fn end(mut self) -> Findings {
        let more = self.unclear.saturating_sub(MOST_UNCLEAR as u64);
        if more > 0 {
            self.findings.unread.push((String::new(), Why::More(more)));
        }
        let types = self.strangers.len().saturating_sub(MOST_UNCLEAR) as u64;
        if types > 0 {
            self.findings.unread(String::new(), Why::More(types));
        }
        // Where others say it, a source that is not said has the package's own name.
        if let (0, packages @ 1..) = self.sources {
            let why = Why::Missing(format!(
                "the source packages of {packages} Debian packages, which are compared by their own names"
            ));
            self.findings.unread(String::new(), why);
        }
        for (release, packages) in self.unadvised.into_iter().take(MOST_UNCLEAR) {
            let why = Why::NoAdvisories(format!("{packages} packages of {release}"));
            self.findings.unread(String::new(), why);
        }
        for (kind, count) in self.strangers.into_iter().take(MOST_UNCLEAR) {
            let kind: String = kind.chars().take(40).collect();
            let why = Why::NotRead(format!("{count} packages of type {kind} listed"));
            self.findings.unread.push((String::new(), why));
        }
        self.findings
    }
}

#[cfg(test)]
mod tests;
