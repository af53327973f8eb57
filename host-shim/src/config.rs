//! The configuration: one TOML file.
//!
//! Every limit has its default here and nowhere else.

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use serde::Deserialize;
use spacecp_contract::{Audience, ComponentName, TreePath, VersionScheme};

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
    /// The rules for automatic application.
    #[serde(default)]
    pub policy: PolicyConfig,
    /// The limits that hold a plugin.
    #[serde(default)]
    pub limits: PluginLimits,
    /// What is installed here.
    #[serde(default, rename = "component")]
    pub components: Vec<ComponentConfig>,
}

/// The feed to follow.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct FeedConfig {
    /// Where it is: an `http:` or `https:` address, or a folder.
    pub from: String,
    /// Whom it must be for.
    pub audience: Audience,
    /// The first root, as the vendor handed it over; its signatures lie beside it in `….minisig`.
    pub root: PathBuf,
    /// How often `serve` asks for news, in seconds.
    #[serde(default = "default_interval")]
    pub interval: u64,
}

fn default_interval() -> u64 {
    900
}

/// The plugin to load.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct PluginConfig {
    /// Its signed manifest; the signatures lie beside it in `….minisig`.
    pub manifest: PathBuf,
    /// The component.
    pub component: PathBuf,
}

/// How the pages are served.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct ServeConfig {
    /// The address to listen on.
    pub listen: SocketAddr,
    /// Who may log in.
    pub users: Vec<UserConfig>,
    /// Whether the cookie demands https; off only for plain http on this machine.
    pub secure_cookie: bool,
}

impl Default for ServeConfig {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8420)),
            users: Vec::new(),
            secure_cookie: true,
        }
    }
}

/// Somebody who may log in.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct UserConfig {
    /// Their name.
    pub name: String,
    /// What they may do.
    pub role: UserRole,
    /// The hash of their password, in PHC form (argon2id).
    pub password_hash: String,
}

/// What somebody may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum UserRole {
    /// Read.
    Viewer,
    /// Read and act.
    Administrator,
}

/// The rules for automatic application.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct PolicyConfig {
    /// Whether corrections may be applied without being asked for.
    pub automatic: bool,
    /// Advisories below it are left to the administrator.
    pub minimum_severity: MinimumSeverity,
    /// Whether a flaw that is known to be exploited is corrected whatever its severity.
    pub known_exploited_at_once: bool,
    /// Components that are never corrected without being asked for.
    pub excluded: Vec<String>,
}

/// The severities a policy can name.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MinimumSeverity {
    /// Everything.
    Low,
    /// 4.0 and above.
    Medium,
    /// 7.0 and above.
    #[default]
    High,
    /// 9.0 and above.
    Critical,
}

/// The limits that hold a plugin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct PluginLimits {
    /// Bytes of linear memory, all memories together.
    pub memory: usize,
    /// Entries of all tables together.
    pub table_elements: usize,
    /// Core instances, memories and tables that a component may consist of.
    pub instances: usize,
    /// Milliseconds of the guest's own time for one call.
    pub guest_time_ms: u64,
    /// Milliseconds for one call, host calls included.
    pub wall_clock_ms: u64,
    /// Bytes of stack.
    pub stack: usize,
    /// Bytes that one call may hand to the host in arguments of host calls.
    pub hostcall_fuel: usize,
    /// Entries of the resource table.
    pub resources: usize,
    /// Bytes of durable state.
    pub state: u64,
    /// Bytes of text on a page.
    pub page: usize,
    /// Log lines of one call.
    pub log_lines: u32,
    /// Bytes of a component.
    pub component: u64,
    /// Failures in a row after which the plugin is disabled.
    pub failures: u32,
}

impl Default for PluginLimits {
    fn default() -> Self {
        Self {
            memory: 256 << 20,
            table_elements: 100_000,
            instances: 16,
            guest_time_ms: 2_000,
            wall_clock_ms: 10_000,
            stack: 1 << 20,
            hostcall_fuel: 128 << 20,
            resources: 1_000,
            state: 64 << 20,
            page: 4 << 20,
            log_lines: 200,
            component: 32 << 20,
            failures: 3,
        }
    }
}

impl PluginLimits {
    /// The guest's own time.
    pub fn guest_time(&self) -> Duration {
        Duration::from_millis(self.guest_time_ms)
    }

    /// The time of a whole call.
    pub fn wall_clock(&self) -> Duration {
        Duration::from_millis(self.wall_clock_ms)
    }
}

/// One installed component.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ComponentConfig {
    /// Its name, unique here, as `houston`; one inside another has the path of both, as `houston/node-ipc`.
    pub name: String,
    /// The name that advisories use for it.
    pub advisory_name: ComponentName,
    /// How its versions are ordered.
    pub scheme: VersionScheme,
    /// Its folder.
    pub folder: PathBuf,
    /// Where its version is read.
    pub version: VersionConfig,
    /// Files and folders (with a `/` behind) that it writes at run time, carried over as they are.
    #[serde(default)]
    pub keep: Vec<String>,
}

/// Where a version is read: a file, and either a pattern or a pointer into its JSON.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct VersionConfig {
    /// The file, within the component's folder.
    pub file: TreePath,
    /// A regular expression whose first group is the version.
    #[serde(default)]
    pub pattern: Option<String>,
    /// A JSON pointer (RFC 6901) to the version.
    #[serde(default)]
    pub pointer: Option<String>,
}
