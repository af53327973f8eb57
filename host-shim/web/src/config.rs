//! How the pages are served, and to whom.

mod api;

use std::{collections::BTreeSet, net::SocketAddr, path::PathBuf};

use serde::Deserialize;
use utoipa::ToSchema;

pub use api::{ApiConfig, MetricsConfig};

/// The HTTP server: address, users, proxies and bounds.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct ServeConfig {
    /// Address and port to listen on.
    #[schema(value_type = String)]
    pub listen: SocketAddr,
    /// Users of the pages, one `[[serve.users]]` table for each.
    #[schema(default = json!([]))]
    pub users: Vec<UserConfig>,
    /// Host names under which browsers reach the pages; IP addresses and `localhost` are always accepted.
    pub hosts: Vec<String>,
    /// IP addresses of reverse proxies whose `X-Forwarded-For` is trusted. Without it all clients behind a proxy count
    /// as one address.
    #[schema(value_type = Vec<String>)]
    pub proxies: Vec<std::net::IpAddr>,
    /// Requests that one client address may send in a minute; 0 for no limit.
    pub requests_per_minute: u32,
    /// Seconds within which the header of a request must arrive, counted from the connection or the previous response.
    #[schema(minimum = 1)]
    pub header_seconds: u64,
    /// Seconds for which a client may leave a response unread.
    #[schema(minimum = 1)]
    pub write_seconds: u64,
    /// Connections at most, as far as the limit of open files allows.
    #[schema(minimum = 1)]
    pub max_connections: usize,
    /// Connections of one client address at most. A /64 network counts as one address; trusted proxies are exempt.
    #[schema(minimum = 1)]
    pub max_connections_per_address: usize,
    /// Requests answered at the same time at most; further ones wait.
    #[schema(minimum = 1)]
    pub max_concurrent_requests: usize,
    /// Requests of one client address behind a trusted proxy that are answered or wait at the same time at most; further
    /// ones are refused.
    #[schema(minimum = 1)]
    pub max_concurrent_requests_per_address: usize,
    /// Whether the session cookie is sent only over https. Set it to false only for plain http on this machine.
    pub secure_cookie: bool,
    /// File of the two-factor (TOTP) secrets. Without the file no user needs a code.
    #[schema(value_type = String, format = "path")]
    pub totp: PathBuf,
    /// The API for programs.
    #[schema(default = json!({}))]
    pub api: ApiConfig,
    /// The metrics for a monitoring system.
    #[schema(default = json!({}))]
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
            write_seconds: 20,
            max_connections: 1_024,
            max_connections_per_address: 64,
            max_concurrent_requests: 256,
            max_concurrent_requests_per_address: 32,
            secure_cookie: true,
            totp: PathBuf::from("totp.toml"),
            api: ApiConfig::default(),
            metrics: MetricsConfig::default(),
        }
    }
}

impl ServeConfig {
    /// The first thing that does not fit: where, and what to do.
    pub fn fault(&self) -> Option<(String, String)> {
        if self.header_seconds == 0 {
            let problem = "must be at least 1".to_owned();
            return Some(("serve.header-seconds".to_owned(), problem));
        }
        for (name, value) in [
            ("write-seconds", usize::from(self.write_seconds > 0)),
            ("max-connections", self.max_connections),
            (
                "max-connections-per-address",
                self.max_connections_per_address,
            ),
            ("max-concurrent-requests", self.max_concurrent_requests),
            (
                "max-concurrent-requests-per-address",
                self.max_concurrent_requests_per_address,
            ),
        ] {
            if value == 0 {
                return Some((format!("serve.{name}"), "must be at least 1".to_owned()));
            }
        }
        if self.api.requests_per_minute == 0 {
            let problem =
                "0 requests a minute disable the API; set enabled = false instead".to_owned();
            return Some(("serve.api.requests-per-minute".to_owned(), problem));
        }
        let mut users = BTreeSet::new();
        for user in &self.users {
            if user.name.is_empty() {
                return Some(("a user".to_owned(), "the name is empty".to_owned()));
            }
            if !users.insert(&user.name) {
                let problem = "duplicate user name".to_owned();
                return Some((format!("user {:?}", user.name), problem));
            }
            if argon2::password_hash::phc::PasswordHash::new(&user.password_hash).is_err() {
                let problem =
                    "invalid password-hash; create one with \"spacecp-advisories hash-password\""
                        .to_owned();
                return Some((format!("user {:?}", user.name), problem));
            }
        }
        None
    }
}

/// A user of the pages.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct UserConfig {
    /// Login name, unique.
    #[schema(min_length = 1)]
    pub name: String,
    /// Role of the user.
    pub role: UserRole,
    /// Hash of the password (Argon2id, PHC string), made by `spacecp-advisories hash-password`.
    pub password_hash: String,
}

/// What a user may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum UserRole {
    /// Read.
    Viewer,
    /// Read and act.
    Administrator,
}
