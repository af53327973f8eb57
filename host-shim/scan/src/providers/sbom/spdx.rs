//! What SPDX 2 says of packages (ISO/IEC 5962), and what it says that its list leaves out.

use std::collections::BTreeSet;

use serde::Deserialize;

use super::{Reading, Source, said};
use crate::Why;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct SpdxPackage {
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

    pub(super) fn system(&self) -> Option<(&str, &str)> {
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

impl Reading {
    pub(super) fn packages(&mut self, packages: &[SpdxPackage]) {
        for package in packages {
            let refs = package.external_refs.iter();
            let urls: BTreeSet<&str> = refs
                .filter(|external| external.reference_type == "purl")
                .map(|external| external.reference_locator.as_str())
                .collect();
            let version = package.version().filter(|version| {
                // Of several packages one has the version that is given.
                let is_said = |url: &&str| url.contains(&format!("@{version}"));
                urls.len() == 1 || !urls.iter().any(is_said)
            });
            for url in &urls {
                self.package(url, version, package.source().as_ref());
            }
            match (urls.first(), package.system()) {
                (Some(_), _) => {}
                (None, Some((id, version))) => self.system(id, version),
                (None, None) => {
                    self.unclear(&package.name, Why::Missing("its package URL".to_owned()));
                }
            }
        }
    }
}
