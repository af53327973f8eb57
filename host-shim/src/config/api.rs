//! The API for programs and the metrics.

use serde::Deserialize;

/// The API for programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct ApiConfig {
    /// Whether it is there.
    pub enabled: bool,
    /// Requests that a token may send in a minute.
    pub requests_per_minute: u32,
}

impl Default for ApiConfig {
    fn default() -> Self {
        Self {
            enabled: true,
            requests_per_minute: 120,
        }
    }
}

/// The metrics for a monitoring system.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct MetricsConfig {
    /// Whether whoever asks from this machine itself needs no token. Behind a proxy on this machine
    /// that is everybody.
    pub open_on_loopback: bool,
}
