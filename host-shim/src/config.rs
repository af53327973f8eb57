//! The configuration: one TOML file.
//!
//! Every limit has its default here and nowhere else.

mod api;
mod apply;
mod component;
mod feed;
mod inventory;
mod notify;
mod plugin;
mod report;
mod serve;

use std::{
    collections::BTreeSet,
    io,
    path::{Path, PathBuf},
};

use serde::Deserialize;
use spacecp_scan::{Job, ScanLimits};

use crate::policy::Ceiling;
pub use api::{ApiConfig, MetricsConfig};
pub use apply::ApplyConfig;
pub use component::{
    ComponentConfig, ControlConfig, HealthCheck, HealthConfig, HttpHealth, LogHealth, VersionConfig,
};
pub use feed::{FeedConfig, Places};
pub use inventory::InventoryConfig;
pub use notify::{
    Address, ChannelConfig, ChannelFault, EmailConfig, NotifyConfig, Security, Target, outgoing,
};
pub use plugin::{PluginConfig, PluginLimits};
pub use report::ReportConfig;
pub use serve::{ServeConfig, UserConfig, UserRole};

/// Everything that an administrator can set.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Config {
    /// The folder for the store, staged payloads and compiled plugins; only the shim may enter.
    pub state: PathBuf,
    /// The feed to follow.
    pub feed: FeedConfig,
    /// The plugin to load.
    pub plugin: PluginConfig,
    /// How the pages are served.
    #[serde(default)]
    pub serve: ServeConfig,
    /// What automatic application may do at most.
    #[serde(default)]
    pub policy: Ceiling,
    /// The rules for what administrators decide about exposures.
    #[serde(default)]
    pub decisions: DecisionsConfig,
    /// How corrections are applied.
    #[serde(default)]
    pub apply: ApplyConfig,
    /// Who is told what happens, and how.
    #[serde(default)]
    pub notify: NotifyConfig,
    /// Whom reports of vulnerabilities go to.
    #[serde(default)]
    pub report: ReportConfig,
    /// The limits that hold a plugin.
    #[serde(default)]
    pub limits: PluginLimits,
    /// What is installed here.
    #[serde(default, rename = "component")]
    pub components: Vec<ComponentConfig>,
    /// What is looked for on this machine, outside of any component.
    #[serde(default, rename = "inventory")]
    pub inventories: Vec<InventoryConfig>,
    /// What looking may cost.
    #[serde(default)]
    pub scan: ScanLimits,
    /// The file that all of this was read from.
    #[serde(skip)]
    pub path: PathBuf,
}

/// Why a configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file.
    #[error("cannot read the configuration {}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: io::Error,
    },
    /// A field; the message shows line and column.
    #[error("the configuration {} cannot be understood:\n{source}", path.display())]
    Field {
        /// The file.
        path: PathBuf,
        /// What is wrong, with the line.
        source: Box<toml::de::Error>,
    },
    /// Something that does not fit the rest, or this machine.
    #[error("the configuration {} cannot be used: {what}: {problem}", path.display())]
    Unfit {
        /// The file.
        path: PathBuf,
        /// Where, as `component "houston"`.
        what: String,
        /// What is wrong and what to do.
        problem: String,
    },
}

impl Config {
    /// Reads and checks a configuration. Relative paths begin at its folder.
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(path).map_err(|source| ConfigError::File {
            path: path.to_owned(),
            source,
        })?;
        let mut config: Self = toml::from_str(&text).map_err(|source| ConfigError::Field {
            path: path.to_owned(),
            source: Box::new(source),
        })?;
        // Absolute, whatever was typed: not everything here can use a path that begins where somebody stood.
        let whole = std::path::absolute(path).map_err(|source| ConfigError::File {
            path: path.to_owned(),
            source,
        })?;
        config.path.clone_from(&whole);
        config.anchor(whole.parent().unwrap_or(Path::new("/")));
        match config.fault() {
            None => Ok(config),
            Some((what, problem)) => Err(ConfigError::Unfit {
                path: path.to_owned(),
                what,
                problem,
            }),
        }
    }

    fn anchor(&mut self, folder: &Path) {
        let places = [
            &mut self.state,
            &mut self.plugin.manifest,
            &mut self.plugin.component,
            &mut self.serve.totp,
        ];
        let components = self
            .components
            .iter_mut()
            .map(|component| &mut component.folder);
        for place in places
            .into_iter()
            .chain(&mut self.feed.root)
            .chain(&mut self.feed.authorities)
            .chain(&mut self.apply.program)
            .chain(components)
        {
            *place = folder.join(&*place);
        }
        self.notify.anchor(folder);
        for inventory in &mut self.inventories {
            inventory.anchor(folder);
        }
        for from in self.feed.from.iter_mut() {
            if !from.contains("://") {
                *from = folder.join(&*from).display().to_string();
            }
        }
    }

    /// What is to be looked at inside components and on the machine.
    pub fn jobs(&self) -> Vec<Job> {
        inventory::jobs(&self.components, &self.inventories)
    }

    /// The first thing that does not fit: where, and what to do.
    fn fault(&self) -> Option<(String, String)> {
        if let Some(fault) = self.feed.fault() {
            return Some(fault);
        }
        if let Some(fault) = self.serve.fault() {
            return Some(fault);
        }
        let mut names = BTreeSet::new();
        for component in &self.components {
            let what = format!("component {:?}", component.name);
            if !names.insert(&component.name) {
                return Some((what, "two components have this name".to_owned()));
            }
            if let Some(problem) = component.fault() {
                return Some((what, problem));
            }
        }
        if let Some(fault) = inventory::fault(&self.inventories, &self.components, &self.scan) {
            return Some(fault);
        }
        if let Some(fault) = self.policy.fault() {
            return Some(("policy".to_owned(), fault.to_string()));
        }
        if let Some(fault) = self.notify.fault() {
            return Some(fault);
        }
        if let Some(fault) = self.report.fault(&self.notify) {
            return Some(fault);
        }
        // A name that is written wrongly would leave its component unprotected.
        let stranger = |name: &&String| !names.contains(name);
        if let Some(name) = self.policy.excluded.iter().find(stranger) {
            let problem = format!("excluded names {name:?}, which is no component here");
            return Some(("policy".to_owned(), problem));
        }
        None
    }
}

/// The rules for what administrators decide about exposures.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct DecisionsConfig {
    /// For how many days a risk may be accepted at once.
    pub longest_acceptance_days: u32,
}

impl Default for DecisionsConfig {
    fn default() -> Self {
        Self {
            longest_acceptance_days: 90,
        }
    }
}
