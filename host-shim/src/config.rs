//! The configuration: one TOML file.
//!
//! Every limit has its default here and nowhere else.

mod api;
mod apply;
mod component;
mod inventory;
mod notify;
mod report;

use std::{
    collections::{BTreeMap, BTreeSet},
    io,
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Duration,
};

use serde::Deserialize;
use spacecp_contract::{Audience, Digest};
use spacecp_scan::{Job, ScanLimits};

use crate::{fetch::Settings, policy::Ceiling};
pub use api::{ApiConfig, MetricsConfig};
pub use apply::ApplyConfig;
pub use component::{
    ComponentConfig, ControlConfig, HealthCheck, HealthConfig, HttpHealth, LogHealth, VersionConfig,
};
pub use inventory::InventoryConfig;
pub use notify::{
    Address, ChannelConfig, ChannelFault, EmailConfig, NotifyConfig, Security, Target, outgoing,
};
pub use report::ReportConfig;

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
        if self.feed.interval < 60 {
            return Some((
                "feed.interval".to_owned(),
                "at least 60 seconds, please".to_owned(),
            ));
        }
        if self.serve.header_seconds == 0 {
            let problem = "no request comes in no time; at least 1, please".to_owned();
            return Some(("serve.header-seconds".to_owned(), problem));
        }
        if self.serve.api.requests_per_minute == 0 {
            let problem = "no request a minute is no API; set enabled = false".to_owned();
            return Some(("serve.api.requests-per-minute".to_owned(), problem));
        }
        if let Some(problem) = self.feed.fault() {
            return Some(("feed".to_owned(), problem));
        }
        let mut users = BTreeSet::new();
        for user in &self.serve.users {
            if user.name.is_empty() {
                return Some(("a user".to_owned(), "their name is empty".to_owned()));
            }
            if !users.insert(&user.name) {
                let problem = "two users have this name".to_owned();
                return Some((format!("user {:?}", user.name), problem));
            }
            if argon2::password_hash::phc::PasswordHash::new(&user.password_hash).is_err() {
                let problem =
                    "password-hash is not one; \"spacecp-advisories hash-password\" makes one"
                        .to_owned();
                return Some((format!("user {:?}", user.name), problem));
            }
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

/// The feed to follow.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct FeedConfig {
    /// Where it is: an `http:` or `https:` address, a bucket (`s3://bucket/path`, `gs:`, `az:`), or a
    /// folder; or a list of such places, of which
    /// the first is asked that has news to believe.
    pub from: Places,
    /// Whom it must be for.
    pub audience: Audience,
    /// The first root, as the vendor handed it over; its signatures lie beside it in `….minisig`.
    #[serde(default)]
    pub root: Option<PathBuf>,
    /// The fingerprint of the first root: the SHA-256 digest of its bytes in hexadecimal digits, as
    /// the vendor says it by another way than the feed. The root itself is then fetched.
    #[serde(default)]
    pub root_fingerprint: Option<String>,
    /// Which root the fingerprint is of.
    #[serde(default = "first_version")]
    pub root_version: u64,
    /// The proxy to reach it through, an `http:` or `https:` address; "none" for no proxy whatever the
    /// environment says. Without it, `HTTPS_PROXY` and the like are followed.
    #[serde(default)]
    pub proxy: Option<String>,
    /// A file of certificates (PEM) of authorities to believe beside those that this machine trusts,
    /// for a mirror or a proxy with certificates of its own.
    #[serde(default)]
    pub authorities: Option<PathBuf>,
    /// What object stores want to know, by the addresses in `from`: `region`, `endpoint`,
    /// `access-key-id`, `secret-access-key`, `skip-signature` and whatever else their client knows.
    /// The environment (`AWS_REGION` and the like) is heard first.
    #[serde(default)]
    pub object_stores: BTreeMap<String, Settings>,
    /// How often `serve` asks for news, in seconds.
    #[serde(default = "default_interval")]
    pub interval: u64,
    /// Bytes of payloads that may be kept on this machine. Where another one is needed the oldest go,
    /// to be fetched again if they are.
    #[serde(default = "default_payloads")]
    pub keep_payloads_bytes: u64,
}

fn default_payloads() -> u64 {
    10 << 30
}

fn first_version() -> u64 {
    1
}

impl FeedConfig {
    fn fault(&self) -> Option<String> {
        if self.from.iter().next().is_none() {
            return Some("from names no place at all".to_owned());
        }
        let is_proxy = |text: &str| {
            text == "none"
                || url::Url::parse(text)
                    .is_ok_and(|proxy| matches!(proxy.scheme(), "http" | "https"))
        };
        if self.proxy.as_deref().is_some_and(|proxy| !is_proxy(proxy)) {
            return Some("proxy is an http: or https: address, or \"none\"".to_owned());
        }
        let nobody = |address: &&String| !self.from.iter().any(|from| from == *address);
        if let Some(address) = self.object_stores.keys().find(nobody) {
            return Some(format!(
                "object-stores has settings for {address:?}, which is not among the places in from"
            ));
        }
        match (&self.root, &self.root_fingerprint) {
            (None, None) => Some(
                "trust must begin somewhere: set root to the file that the vendor handed over, or root-fingerprint to what the vendor says its first root has"
                    .to_owned(),
            ),
            (_, Some(text)) if text.parse::<Digest>().is_err() => Some(
                "root-fingerprint has 64 hexadecimal digits (0-9, a-f)".to_owned(),
            ),
            _ => None,
        }
    }
}

/// One place, or several.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub enum Places {
    /// One.
    One(String),
    /// Several, in this order.
    Several(Vec<String>),
}

impl Places {
    /// The places, in their order.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        match self {
            Self::One(place) => std::slice::from_ref(place),
            Self::Several(places) => places.as_slice(),
        }
        .iter()
        .map(String::as_str)
    }

    fn iter_mut(&mut self) -> impl Iterator<Item = &mut String> {
        match self {
            Self::One(place) => std::slice::from_mut(place),
            Self::Several(places) => places.as_mut_slice(),
        }
        .iter_mut()
    }
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
    /// Names by which browsers reach the pages, beside addresses and `localhost`.
    pub hosts: Vec<String>,
    /// Addresses of proxies in front of the pages that are believed about who is behind them
    /// (`X-Forwarded-For`). Without it everybody behind a proxy counts as one.
    pub proxies: Vec<std::net::IpAddr>,
    /// Requests that one address may send in a minute; 0 for as many as it likes.
    pub requests_per_minute: u32,
    /// Seconds in which the header of a request must have come, after the connection or the answer before it.
    pub header_seconds: u64,
    /// Whether the cookie demands https; off only for plain http on this machine.
    pub secure_cookie: bool,
    /// The file with the secrets of one-time codes; nobody needs a code where there is none.
    pub totp: PathBuf,
    /// The API for programs.
    pub api: ApiConfig,
    /// The metrics for a monitoring system.
    pub metrics: MetricsConfig,
}

impl Default for ServeConfig {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8420)),
            users: Vec::new(),
            hosts: Vec::new(),
            proxies: Vec::new(),
            requests_per_minute: 600,
            header_seconds: 20,
            secure_cookie: true,
            totp: PathBuf::from("totp.toml"),
            api: ApiConfig::default(),
            metrics: MetricsConfig::default(),
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
