//! What is installed on this panel, and in which version.
//!
//! Reads only. A version that cannot be read is a fact to show, never a reason to stop.

mod version;

use std::path::PathBuf;

use spacecp_contract::{ComponentName, Digest, VersionScheme};

use crate::config::ComponentConfig;
pub use version::{VersionProblem, read_version};

/// One installed component.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Component {
    /// Its name, unique on this panel.
    pub name: String,
    /// The name that advisories use.
    pub advisory_name: ComponentName,
    /// How its versions are ordered.
    pub scheme: VersionScheme,
    /// Its folder.
    pub folder: PathBuf,
    /// What it writes at run time.
    pub keep: Vec<String>,
    /// Its version, or why there is none.
    pub version: Result<String, VersionProblem>,
    /// Where the version was read, for a person.
    pub found_at: String,
    /// How to read the version again, as after a correction.
    pub source: crate::config::VersionConfig,
}

/// Everything that is installed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inventory {
    /// The components, as they are configured.
    pub components: Vec<Component>,
    /// Changes when they do.
    pub fingerprint: Digest,
}

impl Inventory {
    /// Looks at every configured component.
    #[tracing::instrument(name = "inventory", skip_all, fields(components = configured.len()))]
    pub fn read(configured: &[ComponentConfig]) -> Self {
        let components: Vec<Component> = configured.iter().map(component).collect();
        let mut facts = String::new();
        for component in &components {
            // Debug quotes, so that no name can be mistaken for two.
            facts.push_str(&format!(
                "{:?} {:?} {:?} {:?}\n",
                component.name, component.advisory_name, component.scheme, component.version
            ));
        }
        Self {
            fingerprint: Digest::of(facts.as_bytes()),
            components,
        }
    }

    /// One component, by its name on this panel.
    pub fn component(&self, name: &str) -> Option<&Component> {
        self.components
            .iter()
            .find(|component| component.name == name)
    }
}

fn component(configured: &ComponentConfig) -> Component {
    let source = &configured.version;
    let version = read_version(&configured.folder, source);
    if let Err(problem) = &version {
        tracing::warn!(component = configured.name, %problem, "its version is not known");
    }
    Component {
        name: configured.name.clone(),
        advisory_name: configured.advisory_name.clone(),
        scheme: configured.scheme,
        folder: configured.folder.clone(),
        keep: configured.keep.clone(),
        version,
        found_at: configured
            .folder
            .join(source.file.as_path())
            .display()
            .to_string(),
        source: source.clone(),
    }
}
