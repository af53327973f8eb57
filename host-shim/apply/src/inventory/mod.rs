//! What is installed on this panel, and in which version.
//!
//! Reads only. A version that cannot be read is a fact to show, never a reason to stop.
//!
//! A [`Component`] is configured, and can be corrected. What [`Lookout`] finds inside components and on
//! the machine is shown, judged and recorded, and nothing else: [`Installed`] is either.

mod decided;
mod installed;
mod lookout;
mod outdated;
mod version;

use std::{collections::BTreeMap, path::PathBuf, sync::Arc};

use spacecp_contract::{ComponentName, Digest, VersionScheme};

pub use spacecp_scan::{Found, Provider, Report, ScanLimits, Unread, Why};

use crate::config::ComponentConfig;
pub use decided::{Acknowledgement, AppliedVersion, SetVersion};
pub use installed::Installed;
pub use lookout::Lookout;
pub use outdated::{RunningNow, remedy, trees};
pub(crate) use version::read_version_in;
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
    /// What was found inside them and on the machine, by name.
    pub found: Vec<Found>,
    /// What could not be read there, and nobody has acknowledged.
    pub unread: Vec<Unread>,
    /// What could not be read there and is acknowledged.
    pub acknowledged: Vec<(Unread, Acknowledgement)>,
    /// The versions that were not found and are set, by component.
    pub set_versions: BTreeMap<String, AppliedVersion>,
    /// What was looked at and how much, in one line.
    pub coverage: String,
    /// What runs of it that is no longer what is installed.
    pub running: Arc<RunningNow>,
    /// Changes when they do.
    pub fingerprint: Digest,
}

impl Inventory {
    /// Looks at every configured component.
    #[tracing::instrument(name = "inventory", skip_all, fields(components = configured.len()))]
    pub fn read(configured: &[ComponentConfig]) -> Self {
        let mut inventory = Self {
            components: configured.iter().map(component).collect(),
            found: Vec::new(),
            unread: Vec::new(),
            acknowledged: Vec::new(),
            set_versions: BTreeMap::new(),
            coverage: String::new(),
            running: Arc::default(),
            fingerprint: Digest::of(&[]),
        };
        inventory.coverage = inventory.covered(&Report::default());
        inventory.fingerprint = inventory.digest();
        inventory
    }

    /// The same with what was found by looking. What is configured by itself, too, is listed once: beside the
    /// component, and inside it, as a server is that says its own version.
    #[must_use]
    pub fn with(mut self, report: &Report) -> Self {
        let is_configured = |found: &&Found| {
            self.components.iter().any(|component| {
                let version = component.version.as_deref().ok();
                let inside = found.name.strip_prefix(component.name.as_str());
                component.advisory_name == found.advisory_name
                    && version.is_some_and(|version| {
                        found.version.as_deref() == Ok(version)
                            && inside.is_some_and(|rest| {
                                rest.starts_with('/') || rest.strip_prefix('@') == Some(version)
                            })
                    })
            })
        };
        let found = report.found.iter().filter(|found| !is_configured(found));
        self.found = found.cloned().collect();
        self.unread.clone_from(&report.unread);
        self.coverage = self.covered(report);
        self.fingerprint = self.digest();
        self
    }

    /// The same with what runs.
    #[must_use]
    pub fn running(mut self, running: Arc<RunningNow>) -> Self {
        self.running = running;
        self.fingerprint = self.digest();
        self
    }

    fn digest(&self) -> Digest {
        let mut facts = String::new();
        for component in &self.components {
            // Debug quotes, so that no name can be mistaken for two.
            facts.push_str(&format!(
                "{:?} {:?} {:?} {:?}\n",
                component.name, component.advisory_name, component.scheme, component.version
            ));
        }
        for found in &self.found {
            facts.push_str(&format!("{found:?}\n"));
        }
        for unread in &self.unread {
            facts.push_str(&format!("{unread:?}\n"));
        }
        let decided = (&self.acknowledged, &self.set_versions);
        facts.push_str(&format!("{decided:?} {:?}\n", self.coverage));
        facts.push_str(&format!("{:?}\n", self.running.components));
        Digest::of(facts.as_bytes())
    }

    /// Everything that is installed: what is configured, then what was found.
    pub fn installed(&self) -> impl Iterator<Item = Installed<'_>> {
        let configured = self.components.iter().map(Installed::Configured);
        configured.chain(self.found.iter().map(Installed::Found))
    }

    /// One thing that is installed, by its name on this panel.
    pub fn installed_as(&self, name: &str) -> Option<Installed<'_>> {
        self.installed().find(|installed| installed.name() == name)
    }

    /// One configured component, by its name on this panel.
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
        tracing::warn!(component = configured.name, %problem, "component version unknown");
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
