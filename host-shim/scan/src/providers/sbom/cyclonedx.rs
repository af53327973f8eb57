//! What `CycloneDX` says of components (ECMA-424), and what it says that its list leaves out.

use serde::Deserialize;
use spacecp_contract::identity::RpmSource;

use super::{Reading, Source, said};
use crate::Why;

#[derive(Deserialize)]
pub(super) struct Metadata {
    /// What the list is about.
    pub(super) component: Option<Component>,
}

#[derive(Deserialize)]
pub(super) struct Component {
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
    pub(super) fn system(&self) -> Option<(&str, &str)> {
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
        // Of RPM packages it names the file.
        if let Some(file) = self.property("syft:metadata:sourceRpm") {
            let source = RpmSource::of_file(file, self.version.as_deref())?;
            return Some(Source {
                name: source.name,
                version: source.version,
            });
        }
        Some(Source {
            name: self.property("syft:metadata:source")?.to_owned(),
            version: self
                .property("syft:metadata:sourceVersion")
                .map(str::to_owned),
        })
    }
}

/// The systems that are listed, at whatever depth.
pub(super) fn systems(components: &[Component]) -> Box<dyn Iterator<Item = (&str, &str)> + '_> {
    let all = components.iter();
    Box::new(all.flat_map(|component| {
        let own = component.system().into_iter();
        own.chain(systems(&component.components))
    }))
}

impl Reading {
    /// Reads what the list is about. An image or an archive is none of what advisories name; what is in it is
    /// listed.
    pub(super) fn about(&mut self, component: &Component) {
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
    pub(super) fn components(&mut self, components: &[Component]) {
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
}
