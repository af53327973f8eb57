//! The API for programs and the metrics.

use serde::Deserialize;
use utoipa::ToSchema;

/// The API for programs, below `/api/v1`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct ApiConfig {
    /// Whether the API is served.
    pub enabled: bool,
    /// Requests that one token may send in a minute.
    #[schema(minimum = 1)]
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

/// The metrics for a monitoring system, at `/metrics`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct MetricsConfig {
    /// Whether clients on this machine need no token. Behind a proxy on this machine every client counts as local.
    pub open_on_loopback: bool,
}
