//! What a software bill of materials lists: `CycloneDX` (ECMA-424, 1.2 and later) and SPDX 2.2, 2.3 and 3.0, in
//! whichever format [`materials`] takes in. A package counts by its package URL; one without is named as unread.

use std::{collections::BTreeMap, path::Path};

use serde::{Deserialize, Deserializer};
use spacecp_contract::{Release, identity::Surroundings};

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
const READER: &str = "sbom 2";

/// Places that are named one by one; a list may have many thousand packages without an address.
const MOST_UNCLEAR: usize = 20;

pub(super) fn look(look: &mut Look<'_>, file: Option<&Path>) {
    if let Some(file) = file {
        look.text(file, Limit::DocumentBytes, READER, read);
        return;
    }
    let mut found = false;
    for (path, kind) in look.list(Path::new("")) {
        if kind != Kind::Folder && is_a_list(&path) {
            found |= look.text(&path, Limit::DocumentBytes, READER, read);
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
    metadata: Option<Metadata>,
    #[serde(default)]
    components: Vec<Component>,
    spdx_version: Option<String>,
    #[serde(default)]
    packages: Vec<SpdxPackage>,
}

#[derive(Deserialize)]
struct Metadata {
    /// What the list is about.
    component: Option<Component>,
}

#[derive(Deserialize)]
struct Component {
    #[serde(default)]
    name: String,
    #[serde(default, deserialize_with = "said")]
    version: Option<String>,
    purl: Option<String>,
    #[serde(default, deserialize_with = "said")]
    scope: Option<String>,
    #[serde(default)]
    properties: Option<Vec<Property>>,
    #[serde(default)]
    components: Vec<Component>,
    #[serde(rename = "type", default)]
    kind: String,
}

#[derive(Deserialize)]
struct Property {
    #[serde(default, deserialize_with = "said")]
    name: Option<String>,
    #[serde(default, deserialize_with = "said")]
    value: Option<String>,
}

/// A text, or a number as a text. What is neither is not said; the rest of the list does not suffer from it.
fn said<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    Ok(match serde_json::Value::deserialize(deserializer)? {
        serde_json::Value::String(text) => Some(text),
        serde_json::Value::Number(number) => Some(number.to_string()),
        _ => None,
    })
}

impl Component {
    fn property(&self, name: &str) -> Option<&str> {
        let mut all = self.properties.iter().flatten();
        let found = all.find(|property| property.name.as_deref() == Some(name))?;
        let value = found.value.as_deref().map(str::trim);
        value.filter(|value| !value.is_empty())
    }

    /// Documented, and not delivered: a development dependency.
    fn is_excluded(&self) -> bool {
        self.scope.as_deref() == Some("excluded")
    }

    /// A system and its version, as Syft's properties or the component itself say it.
    fn system(&self) -> Option<(&str, &str)> {
        if self.kind != "operating-system" {
            return None;
        }
        let id = self.property("syft:distro:id").unwrap_or(&self.name);
        let version = self.property("syft:distro:versionID");
        Some((id, version.or(self.version.as_deref())?))
    }

    /// The source of a Debian package, as Trivy's properties
    /// (<https://trivy.dev>, `aquasecurity:trivy:SrcName` and others) and Syft's say it.
    fn source(&self) -> Option<Source> {
        let trivy = |name: &str| self.property(&format!("aquasecurity:trivy:{name}"));
        if let Some(name) = trivy("SrcName") {
            let version = trivy("SrcVersion").map(|version| {
                let epoch = trivy("SrcEpoch").filter(|epoch| *epoch != "0");
                let epoch = epoch.map_or_else(String::new, |epoch| format!("{epoch}:"));
                let release = trivy("SrcRelease");
                let release = release.map_or_else(String::new, |release| format!("-{release}"));
                format!("{epoch}{version}{release}")
            });
            let name = name.to_owned();
            return Some(Source { name, version });
        }
        Some(Source {
            name: self.property("syft:metadata:source")?.to_owned(),
            version: self
                .property("syft:metadata:sourceVersion")
                .map(str::to_owned),
        })
    }
}

/// The source package that a package was built from.
struct Source {
    name: String,
    version: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct SpdxPackage {
    #[serde(default)]
    name: String,
    #[serde(default, deserialize_with = "said")]
    version_info: Option<String>,
    #[serde(default, deserialize_with = "said")]
    source_info: Option<String>,
    #[serde(default, deserialize_with = "said")]
    primary_package_purpose: Option<String>,
    #[serde(default)]
    external_refs: Vec<ExternalRef>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ExternalRef {
    reference_type: String,
    reference_locator: String,
}

impl SpdxPackage {
    fn version(&self) -> Option<&str> {
        let version = self.version_info.as_deref().map(str::trim);
        version.filter(|version| !matches!(*version, "" | "NOASSERTION" | "NONE"))
    }

    fn system(&self) -> Option<(&str, &str)> {
        let purpose = self.primary_package_purpose.as_deref();
        (purpose == Some("OPERATING-SYSTEM")).then_some((self.name.as_str(), self.version()?))
    }

    /// Trivy writes "built package from: openssl 3.0.11-1".
    fn source(&self) -> Option<Source> {
        let said = self.source_info.as_deref()?;
        let mut words = said.strip_prefix("built package from:")?.split_whitespace();
        Some(Source {
            name: words.next()?.to_owned(),
            version: words.next().map(str::to_owned),
        })
    }
}

pub(crate) fn read(bytes: &[u8]) -> Result<Findings, Why> {
    let Materials { list, odd } = materials::read(bytes)?;
    let bill: Bill = serde_json::from_value(list).map_err(|error| Why::malformed("JSON", error))?;
    let mut reading = Reading::default();
    for why in odd {
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

/// The systems that are listed, at whatever depth.
fn systems(components: &[Component]) -> Box<dyn Iterator<Item = (&str, &str)> + '_> {
    let all = components.iter();
    Box::new(all.flat_map(|component| {
        let own = component.system().into_iter();
        own.chain(systems(&component.components))
    }))
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
    unclear: u64,
}

impl Reading {
    /// Reads what the list is about. An image or an archive is none of what advisories name; what is in it is
    /// listed.
    fn about(&mut self, component: &Component) {
        let url = component.purl.as_deref();
        let url = url.filter(|url| {
            let kind = url.trim_start_matches("pkg:").split('/').next();
            component.kind != "container" && !matches!(kind, Some("oci" | "docker" | "generic"))
        });
        if let Some(url) = url {
            self.package(
                url,
                component.version.as_deref(),
                component.source().as_ref(),
            );
        }
        self.components(&component.components);
    }

    /// Recursion ends where the reader of JSON refuses to go deeper.
    fn components(&mut self, components: &[Component]) {
        for component in components {
            if component.is_excluded() {
                continue;
            }
            match (component.purl.as_deref(), component.system()) {
                (Some(url), _) => {
                    let source = component.source();
                    self.package(url, component.version.as_deref(), source.as_ref());
                }
                (None, Some((id, version))) => self.system(id, version),
                // These are no programs, and have no address.
                (None, None)
                    if matches!(
                        component.kind.as_str(),
                        "file" | "data" | "machine-learning-model" | "cryptographic-asset"
                    ) => {}
                (None, None) => {
                    self.unclear(&component.name, Why::Missing("its package URL".to_owned()));
                }
            }
            self.components(&component.components);
        }
    }

    fn packages(&mut self, packages: &[SpdxPackage]) {
        for package in packages {
            let mut refs = package.external_refs.iter();
            let url = refs.find(|external| external.reference_type == "purl");
            match (url, package.system()) {
                (Some(external), _) => {
                    let source = package.source();
                    let url = &external.reference_locator;
                    self.package(url, package.version(), source.as_ref());
                }
                (None, Some((id, version))) => self.system(id, version),
                (None, None) => {
                    self.unclear(&package.name, Why::Missing("its package URL".to_owned()));
                }
            }
        }
    }

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
        let version = package.version.as_deref();
        let version = version.ok_or_else(|| "no version in the SBOM".to_owned());
        self.findings
            .add(vec![package.label], package.named, version, "");
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
mod tests {
    use super::*;

    #[test]
    fn both_formats_list_packages_by_their_urls_and_what_has_none_is_named() {
        let cyclone = r#"{"bomFormat":"CycloneDX","specVersion":"1.5","components":[
            {"type":"library","name":"a","purl":"pkg:npm/a@1.0.0","components":[
                {"type":"library","name":"b","purl":"pkg:cargo/b@2.0.0"}]},
            {"type":"library","name":"c"},
            {"type":"file","name":"d"},
            {"type":"library","name":"e","purl":"pkg:hex/e@1"}]}"#;
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

    /// Names and versions, and how much was not read.
    fn all(bill: &str) -> (Vec<String>, usize) {
        let found = read(bill.as_bytes()).unwrap();
        let shown = |entry: &crate::findings::Entry| {
            let version = entry.version.as_deref().unwrap_or("?");
            format!("{}@{version}", entry.advisory_name)
        };
        (
            found.entries.iter().map(shown).collect(),
            found.unread.len(),
        )
    }

    fn cyclone(rest: &str) -> (Vec<String>, usize) {
        all(&format!(
            r#"{{"bomFormat":"CycloneDX","specVersion":"1.5",{rest}}}"#
        ))
    }

    fn names(all: &[&str]) -> Vec<String> {
        all.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn a_version_beside_the_url_counts_where_the_url_has_none() {
        let found = cyclone(
            r#""components":[{"name":"a","version":"1","purl":"pkg:npm/a"},{"name":"b","version":"1","purl":"pkg:npm/b@2"}]"#,
        );
        assert_eq!(found, (names(&["npm:a@1", "npm:b@2"]), 0));
        let spdx = r#"{"spdxVersion":"SPDX-2.3","packages":[
            {"name":"a","versionInfo":"1","externalRefs":[{"referenceType":"purl","referenceLocator":"pkg:npm/a"}]},
            {"name":"b","versionInfo":"NOASSERTION","externalRefs":[{"referenceType":"purl","referenceLocator":"pkg:npm/b"}]}]}"#;
        assert_eq!(all(spdx), (names(&["npm:a@1", "npm:b@?"]), 0));
    }

    #[test]
    fn what_is_said_beside_a_package_in_an_odd_way_costs_no_package() {
        let found = cyclone(
            r#""metadata":null,"components":[
            {"name":"a","version":1.5,"scope":null,"properties":null,"purl":"pkg:npm/a"},
            {"name":"b","version":{},"properties":[{"name":null,"value":7}],"purl":"pkg:npm/b@2"}]"#,
        );
        // The version that is none is named.
        assert_eq!(found, (names(&["npm:a@1.5", "npm:b@2"]), 1));
    }

    #[test]
    fn a_list_that_writes_packages_in_many_ways_is_read_whole() {
        let urls = [
            "pkg:deb/debian/curl@7.88.1-10?arch=amd64&distro=debian-12",
            "pkg:deb/debian/libcurl3-gnutls@7.88.1-10%2Bb1?arch=amd64&distro=debian-12.11&upstream=curl%407.88.1-10",
            "pkg:deb/debian/bash@5.2.15-2?arch=amd64&distro=debian-12",
            "pkg:deb/debian/zlib@1?arch=source&distro=bookworm",
            "pkg:deb/ubuntu/curl@8.5.0-2?arch=source&distro=ubuntu-24.04",
            "pkg:NPM/Foo@1.0.0",
            "pkg:npm/%40a/b@1.0.0",
            "pkg:maven/g/a@1.0?classifier=sources&type=jar",
            "pkg:golang/github.com/x/y@v1.0.0#sub",
            "pkg:cargo/time",
            // No release, and a type without an order.
            "pkg:deb/debian/zlib@1?arch=source",
            "pkg:hex/phoenix@7",
        ];
        let components = urls.map(|url| format!(r#"{{"name":"x","purl":"{url}"}}"#));
        let found = cyclone(&format!(r#""components":[{}]"#, components.join(",")));
        let expected = names(&[
            "deb:debian-12:curl@7.88.1-10",
            "deb:debian-12:curl@7.88.1-10",
            "deb:debian-12:bash@5.2.15-2",
            "deb:debian-12:zlib@1",
            "deb:ubuntu-24.04:curl@8.5.0-2",
            "npm:Foo@1.0.0",
            "npm:@a/b@1.0.0",
            "maven:g:a@1.0",
            "golang:github.com/x/y@v1.0.0",
            "cargo:time@?",
        ]);
        assert_eq!(found, (expected, 2));
    }

    #[test]
    fn what_the_list_is_about_counts_and_an_image_is_none_of_it() {
        let about = |purl: &str, kind: &str| {
            cyclone(&format!(
                r#""metadata":{{"component":{{"type":"{kind}","name":"x","version":"2","purl":"{purl}"}}}},"components":[{{"name":"ws","purl":"pkg:npm/ws@8"}}]"#
            ))
        };
        let found = about("pkg:npm/tower@2", "application");
        assert_eq!(found, (names(&["npm:tower@2", "npm:ws@8"]), 0));
        let found = about("pkg:oci/image@2", "container");
        assert_eq!(found, (names(&["npm:ws@8"]), 0));
        // A package that is not read is named, also where the list is about it.
        assert_eq!(about("pkg:hex/x@2", "application").1, 1);
    }

    #[test]
    fn what_is_excluded_is_not_there_and_nor_is_what_is_in_it() {
        let found = cyclone(
            r#""components":[{"name":"a","purl":"pkg:npm/a@1","scope":"required"},
            {"name":"b","purl":"pkg:npm/b@1","scope":"excluded","components":[{"name":"c","purl":"pkg:npm/c@1"}]},
            {"name":"d","purl":"pkg:npm/d@1","scope":"optional"}]"#,
        );
        assert_eq!(found, (names(&["npm:a@1", "npm:d@1"]), 0));
    }

    #[test]
    fn a_debian_package_is_from_the_source_that_the_tool_names() {
        let trivy = r#""components":[
            {"type":"operating-system","name":"debian","version":"12.5"},
            {"name":"libssl3","purl":"pkg:deb/debian/libssl3@3.0.11-1~deb12u2?arch=amd64","properties":[
                {"name":"aquasecurity:trivy:SrcName","value":"openssl"},
                {"name":"aquasecurity:trivy:SrcEpoch","value":"1"},
                {"name":"aquasecurity:trivy:SrcVersion","value":"3.0.11"},
                {"name":"aquasecurity:trivy:SrcRelease","value":"1~deb12u2"}]}]"#;
        let expected = names(&["os:debian@12.5", "deb:debian-12:openssl@1:3.0.11-1~deb12u2"]);
        assert_eq!(cyclone(trivy), (expected, 0));
        let syft = r#""components":[
            {"type":"operating-system","name":"Debian","properties":[
                {"name":"syft:distro:id","value":"debian"},{"name":"syft:distro:versionID","value":"12"}]},
            {"name":"libssl3","version":"3.0.11-1","purl":"pkg:deb/debian/libssl3?arch=amd64","properties":[
                {"name":"syft:metadata:source","value":"openssl"}]}]"#;
        let expected = names(&["os:debian@12", "deb:debian-12:openssl@3.0.11-1"]);
        assert_eq!(cyclone(syft), (expected, 0));
        let spdx = r#"{"spdxVersion":"SPDX-2.3","packages":[
            {"name":"debian","versionInfo":"12.5","primaryPackagePurpose":"OPERATING-SYSTEM"},
            {"name":"libssl3","versionInfo":"3.0.11-1","sourceInfo":"built package from: openssl 3.0.11-1",
             "externalRefs":[{"referenceType":"purl","referenceLocator":"pkg:deb/debian/libssl3@3.0.11-1?arch=amd64"}]}]}"#;
        let expected = names(&["os:debian@12.5", "deb:debian-12:openssl@3.0.11-1"]);
        assert_eq!(all(spdx), (expected, 0));
    }

    #[test]
    fn a_source_that_is_not_named_is_the_package_and_a_list_that_names_none_says_so() {
        let sudo =
            r#"{"name":"sudo","purl":"pkg:deb/debian/sudo@1.9?arch=amd64&distro=debian-12"}"#;
        let curl = r#"{"name":"libcurl4","purl":"pkg:deb/debian/libcurl4@7?arch=amd64&distro=debian-12&upstream=curl"}"#;
        let found = cyclone(&format!(r#""components":[{sudo},{curl}]"#));
        let expected = names(&["deb:debian-12:sudo@1.9", "deb:debian-12:curl@7"]);
        assert_eq!(found, (expected, 0));
        let found = cyclone(&format!(r#""components":[{sudo}]"#));
        assert_eq!(found, (names(&["deb:debian-12:sudo@1.9"]), 1));
    }

    #[test]
    fn packages_that_no_advisory_speaks_of_are_counted_by_their_distribution() {
        let found = read(
            br#"{"bomFormat":"CycloneDX","components":[
            {"name":"a","purl":"pkg:rpm/oracle/a@1?arch=x86_64&distro=ol-8.9"},
            {"name":"b","purl":"pkg:rpm/centos/b@1?arch=x86_64&distro=centos-9"},
            {"name":"c","purl":"pkg:rpm/almalinux/c@1?arch=x86_64&distro=almalinux-9"}]}"#,
        )
        .unwrap();
        let whys: Vec<_> = found.unread.into_iter().map(|(_, why)| why).collect();
        let unknown = |packages: &str| Why::NoAdvisories(packages.to_owned());
        assert_eq!(
            whys,
            [
                unknown("1 packages of centos 9"),
                unknown("1 packages of ol 8")
            ]
        );
        assert_eq!(found.entries.len(), 3);
    }

    #[test]
    fn a_release_that_systems_disagree_about_is_not_taken() {
        let found = cyclone(
            r#""components":[
            {"type":"operating-system","name":"debian","version":"12"},
            {"type":"operating-system","name":"debian","version":"11"},
            {"name":"a","purl":"pkg:deb/debian/a@1?arch=source"}]"#,
        );
        assert_eq!(found, (names(&["os:debian@12", "os:debian@11"]), 1));
    }

    #[test]
    fn other_files_and_depth_are_refused() {
        assert!(read(b"{}").is_err());
        assert!(read(br#"{"spdxVersion":"SPDX-3.0"}"#).is_err());
        let open = r#"{"bomFormat":"CycloneDX","components":["#;
        assert!(read(open.repeat(10_000).as_bytes()).is_err());
    }
}
