//! How the pages are served, and to whom.

use std::{collections::BTreeSet, net::SocketAddr, path::PathBuf};

use serde::Deserialize;

use super::{ApiConfig, MetricsConfig};

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

impl ServeConfig {
    /// The first thing that does not fit: where, and what to do.
    pub(super) fn fault(&self) -> Option<(String, String)> {
        if self.header_seconds == 0 {
            let problem = "no request comes in no time; at least 1, please".to_owned();
            return Some(("serve.header-seconds".to_owned(), problem));
        }
        if self.api.requests_per_minute == 0 {
            let problem = "no request a minute is no API; set enabled = false".to_owned();
            return Some(("serve.api.requests-per-minute".to_owned(), problem));
        }
        let mut users = BTreeSet::new();
        for user in &self.users {
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
        None
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
