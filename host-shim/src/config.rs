//! The configuration: one TOML file, made of the sections of the crates.
//!
//! Each crate owns its section, with the default of every limit; here they are read together, and what only fits or
//! does not fit another section is checked.

use std::{
    collections::BTreeSet,
    io,
    path::{Path, PathBuf},
};

use serde::Deserialize;
use spacecp_apply::config::inventory;
use spacecp_scan::ScanLimits;
use utoipa::ToSchema;

use crate::policy::Ceiling;
pub use spacecp_apply::config::{
    ApplyConfig, ComponentConfig, ControlConfig, HealthCheck, HealthConfig, HttpHealth,
    InventoryConfig, LogHealth, VersionConfig,
};
pub use spacecp_feed::{FeedConfig, Places};
pub use spacecp_notify::config::{
    Address, ChannelConfig, ChannelFault, EmailConfig, NotifyConfig, Security, Target, outgoing,
};
pub use spacecp_plugin_host::{PluginConfig, PluginLimits};
pub use spacecp_services::{DecisionsConfig, ReportConfig, ServicesConfig};
pub use spacecp_web::{ApiConfig, MetricsConfig, ServeConfig, UserConfig, UserRole};

/// The configuration file of `spacecp-advisories`.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Config {
    /// Directory for the databases, the identity, locks and caches. The program creates it with mode 0700.
    #[schema(value_type = String, format = "path")]
    pub state: PathBuf,
    /// The feed that this panel follows, and the root that it trusts first.
    pub feed: FeedConfig,
    /// The plugin that computes verdicts, plans and pages.
    pub plugin: PluginConfig,
    /// The HTTP server: address, users, proxies and bounds.
    #[serde(default)]
    pub serve: ServeConfig,
    /// The most that automatic application may do; the policy that administrators edit starts with these values.
    #[serde(default)]
    pub policy: Ceiling,
    /// Rules for decisions of administrators about affected components.
    #[serde(default)]
    pub decisions: DecisionsConfig,
    /// How corrections are applied and how long old trees are kept.
    #[serde(default)]
    pub apply: ApplyConfig,
    /// Notifications: how this panel is named in them, retries, and one table for each channel.
    #[serde(default)]
    pub notify: NotifyConfig,
    /// Where vulnerability reports written on this panel go.
    #[serde(default)]
    pub report: ReportConfig,
    /// Limits of the plugin's sandbox.
    #[serde(default)]
    pub limits: PluginLimits,
    /// The components that corrections can be applied to, one `[[component]]` table for each.
    #[serde(default, rename = "component")]
    pub components: Vec<ComponentConfig>,
    /// Installed software outside of components, one `[[inventory]]` table for each source.
    #[serde(default, rename = "inventory")]
    pub inventories: Vec<InventoryConfig>,
    /// Limits of one scan of components and inventories.
    #[serde(default)]
    pub scan: ScanLimits,
    /// The file that this configuration was read from.
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
    #[error("cannot parse the configuration {}:\n{source}", path.display())]
    Field {
        /// The file.
        path: PathBuf,
        /// What is wrong, with the line.
        source: Box<toml::de::Error>,
    },
    /// Something that does not fit the rest, or this machine.
    #[error("invalid configuration {}: {what}: {problem}", path.display())]
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
            .chain(&mut self.apply.workspace)
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

    /// The sections that the services need.
    pub fn services(&self) -> ServicesConfig {
        ServicesConfig {
            state: self.state.clone(),
            feed: self.feed.clone(),
            plugin: self.plugin.clone(),
            limits: self.limits,
            policy: self.policy.clone(),
            decisions: self.decisions,
            report: self.report.clone(),
            apply: self.apply.clone(),
            components: self.components.clone(),
            inventories: self.inventories.clone(),
            scan: self.scan,
            path: self.path.clone(),
        }
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
                return Some((what, "duplicate component name".to_owned()));
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
        if let Some(fault) = self.notify.report_fault(&self.report) {
            return Some(fault);
        }
        // A name that is written wrongly would leave its component unprotected.
        let stranger = |name: &&String| !names.contains(name);
        if let Some(name) = self.policy.excluded.iter().find(stranger) {
            let problem = format!("excluded lists {name:?}, which is not a configured component");
            return Some(("policy".to_owned(), problem));
        }
        None
    }
}
