//! What an administrator sets about decisions, and the sections that the services need together.

use std::path::PathBuf;

use serde::Deserialize;
use spacecp_apply::config::{ApplyConfig, ComponentConfig, InventoryConfig};
use spacecp_feed::FeedConfig;
use spacecp_plugin_host::{PluginConfig, PluginLimits};
use spacecp_scan::ScanLimits;
use utoipa::ToSchema;

use crate::{policy::Ceiling, report::ReportConfig};

/// Rules for decisions of administrators about affected components.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct DecisionsConfig {
    /// Days for which a risk can be accepted at most; it can be accepted again afterwards.
    pub longest_acceptance_days: u32,
}

impl Default for DecisionsConfig {
    fn default() -> Self {
        Self {
            longest_acceptance_days: 90,
        }
    }
}

/// The sections of the configuration that the services need, read and checked by the program.
#[derive(Debug, Clone)]
pub struct ServicesConfig {
    /// Directory for the databases, the identity, locks and caches.
    pub state: PathBuf,
    /// The feed, and the root that is trusted first.
    pub feed: FeedConfig,
    /// The plugin's files.
    pub plugin: PluginConfig,
    /// Limits of the plugin's sandbox.
    pub limits: PluginLimits,
    /// The most that automatic application may do.
    pub policy: Ceiling,
    /// Rules for decisions.
    pub decisions: DecisionsConfig,
    /// Where vulnerability reports go.
    pub report: ReportConfig,
    /// How corrections are applied.
    pub apply: ApplyConfig,
    /// The components that corrections can be applied to.
    pub components: Vec<ComponentConfig>,
    /// Installed software outside of components.
    pub inventories: Vec<InventoryConfig>,
    /// Limits of one scan.
    pub scan: ScanLimits,
    /// The configuration file, for the process that goes on while the panel is stopped.
    pub path: PathBuf,
}
