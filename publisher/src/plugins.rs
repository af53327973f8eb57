//! A component into a signed plugin.

use jiff::Timestamp;
use spacecp_contract::{CONTRACT_VERSION, Digest, PluginManifest};

/// The manifest of these bytes.
pub fn manifest(
    plugin: &str,
    version: &semver::Version,
    release: u64,
    component: &[u8],
    issued: Timestamp,
) -> PluginManifest {
    PluginManifest {
        plugin: plugin.to_owned(),
        version: version.to_string(),
        release,
        contract: CONTRACT_VERSION.to_owned(),
        issued,
        component: Digest::of(component),
        length: component.len() as u64,
        abilities: Vec::new(),
    }
}
