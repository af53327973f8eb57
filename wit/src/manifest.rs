//! The manifest of a plugin: which component may run, and on which contract.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{Digest, Document, DocumentKind};

/// What the plugin key signs instead of the component itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PluginManifest {
    /// The plugin's name, as `advisories`.
    pub plugin: String,
    /// Its version, in Semantic Versioning.
    pub version: String,
    /// Counts its releases; a panel never goes back to a lower one.
    pub release: u64,
    /// The version of the contract that it was built for.
    pub contract: String,
    /// When it was made.
    pub issued: Timestamp,
    /// The digest of the component's bytes.
    pub component: Digest,
    /// How many bytes there are.
    pub length: u64,
    /// Optional interfaces that it wants linked, by name.
    #[serde(default)]
    pub abilities: Vec<String>,
}

impl Document for PluginManifest {
    const KIND: DocumentKind = DocumentKind::Plugin;

    fn name(&self) -> &str {
        &self.plugin
    }

    fn revision(&self) -> u64 {
        self.release
    }

    fn validate(&self) -> Result<(), String> {
        let valid = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        if self.plugin.is_empty() || self.plugin.len() > 64 || !self.plugin.bytes().all(valid) {
            return Err(
                "a plugin's name is 1 to 64 lower-case letters, digits and hyphens".to_owned(),
            );
        }
        if self.release == 0 {
            return Err("releases begin at 1".to_owned());
        }
        Ok(())
    }
}
