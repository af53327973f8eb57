//! What a software bill of materials lists: `CycloneDX` (ECMA-424, 1.2 and later) and SPDX 2.2, 2.3 and 3.0, in
//! whichever format [`materials`] takes in. A package counts by its package URL; one without is named as unread.

use std::{collections::BTreeMap, path::Path};

use serde::Deserialize;

use super::purl::{self, Stranger};
use crate::{
    Limit, Why,
    findings::Findings,
    ground::Kind,
    look::Look,
    materials::{self, Materials},
};

/// Places that are named one by one; a list may have many thousand packages without an address.
const MOST_UNCLEAR: usize = 20;

pub(super) fn look(look: &mut Look<'_>, file: Option<&Path>) {
    if let Some(file) = file {
        look.text(file, Limit::DocumentBytes, "sbom", read);
        return;
    }
    let mut found = false;
    for (path, kind) in look.list(Path::new("")) {
        if kind != Kind::Folder && is_a_list(&path) {
            found |= look.text(&path, Limit::DocumentBytes, "sbom", read);
        }
    }
    if !found {
        let why = Why::Missing(
            "what is installed: there is no bom.json, bom.xml, *.cdx.* or *.spdx.*".to_owned(),
        );
        look.unread(Path::new(""), why);
    }
}

/// The names that both formats recommend.
fn is_a_list(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let endings = [
        ".cdx.json",
        ".cdx.xml",
        ".spdx",
        ".spdx.json",
        ".spdx3.json",
        ".spdx.jsonld",
        ".spdx.xml",
        ".spdx.rdf",
        ".spdx.yaml",
        ".spdx.yml",
    ];
    matches!(&*name, "bom.json" | "bom.xml") || endings.iter().any(|ending| name.ends_with(ending))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Bill {
    bom_format: Option<String>,
    #[serde(default)]
    components: Vec<Component>,
    spdx_version: Option<String>,
    #[serde(default)]
    packages: Vec<SpdxPackage>,
}

#[derive(Deserialize)]
struct Component {
    #[serde(default)]
    name: String,
    purl: Option<String>,
    #[serde(default)]
    components: Vec<Component>,
    #[serde(rename = "type", default)]
    kind: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct SpdxPackage {
    #[serde(default)]
    name: String,
    #[serde(default)]
    external_refs: Vec<ExternalRef>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ExternalRef {
    reference_type: String,
    reference_locator: String,
}

pub(crate) fn read(bytes: &[u8]) -> Result<Findings, Why> {
    let Materials { list, odd } = materials::read(bytes)?;
    let bill: Bill = serde_json::from_value(list).map_err(|error| Why::malformed("JSON", error))?;
    let mut reading = Reading::default();
    for why in odd {
        reading.findings.unread(String::new(), why);
    }
    if bill.bom_format.as_deref() == Some("CycloneDX") {
        reading.components(&bill.components);
    } else if let Some(version) = bill.spdx_version {
        if !version.starts_with("SPDX-2.") {
            return Err(Why::NotRead(version.chars().take(40).collect()));
        }
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

#[derive(Default)]
struct Reading {
    findings: Findings,
    /// Packages of types without names here, by type.
    strangers: BTreeMap<String, u64>,
    unclear: u64,
}

impl Reading {
    /// Recursion ends where the reader of JSON refuses to go deeper.
    fn components(&mut self, components: &[Component]) {
        for component in components {
            match component.purl.as_deref() {
                Some(url) => self.package(url),
                // These are no programs, and have no address.
                None if matches!(
                    component.kind.as_str(),
                    "file" | "data" | "machine-learning-model" | "cryptographic-asset"
                ) => {}
                None => {
                    self.unclear(&component.name, Why::Missing("its package URL".to_owned()));
                }
            }
            self.components(&component.components);
        }
    }

    fn packages(&mut self, packages: &[SpdxPackage]) {
        for package in packages {
            let mut refs = package.external_refs.iter();
            match refs.find(|external| external.reference_type == "purl") {
                Some(external) => self.package(&external.reference_locator),
                None => self.unclear(&package.name, Why::Missing("its package URL".to_owned())),
            }
        }
    }

    fn package(&mut self, url: &str) {
        match purl::package(url) {
            Ok(package) => {
                let version = package.version.as_deref();
                let version = version.ok_or_else(|| "no version in the SBOM".to_owned());
                self.findings
                    .add(vec![package.label], package.named, version, "");
            }
            Err(Stranger::Type(kind)) => *self.strangers.entry(kind).or_default() += 1,
            Err(Stranger::Unclear(why)) => self.unclear("", why),
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
        for (kind, count) in self.strangers.into_iter().take(MOST_UNCLEAR) {
            let kind: String = kind.chars().take(40).collect();
            let why = Why::NotRead(format!("{count} packages of type {kind} listed"));
            self.findings.unread.push((String::new(), why));
        }
        self.findings
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_formats_list_packages_by_their_urls_and_what_has_none_is_named() {
        let cyclone = r#"{"bomFormat":"CycloneDX","specVersion":"1.5","components":[
            {"type":"library","name":"a","purl":"pkg:npm/a@1.0.0","components":[
                {"type":"library","name":"b","purl":"pkg:cargo/b@2.0.0"}]},
            {"type":"library","name":"c"},
            {"type":"file","name":"d"},
            {"type":"library","name":"e","purl":"pkg:pypi/e@1"}]}"#;
        let spdx = r#"{"spdxVersion":"SPDX-2.3","packages":[
            {"name":"a","externalRefs":[{"referenceCategory":"PACKAGE-MANAGER","referenceType":"purl","referenceLocator":"pkg:npm/a@1.0.0"}]},
            {"name":"c"}]}"#;
        let listed = |text: &str| -> (Vec<String>, usize) {
            let found = read(text.as_bytes()).unwrap();
            let names = found.entries.iter();
            let names = names.map(|entry| entry.advisory_name.to_string()).collect();
            (names, found.unread.len())
        };
        assert_eq!(
            listed(cyclone),
            (vec!["npm:a".to_owned(), "cargo:b".to_owned()], 2)
        );
        assert_eq!(listed(spdx), (vec!["npm:a".to_owned()], 1));
    }

    #[test]
    fn other_files_and_depth_are_refused() {
        assert!(read(b"{}").is_err());
        assert!(read(br#"{"spdxVersion":"SPDX-3.0"}"#).is_err());
        let open = r#"{"bomFormat":"CycloneDX","components":["#;
        assert!(read(open.repeat(10_000).as_bytes()).is_err());
    }
}
