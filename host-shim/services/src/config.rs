//! What an administrator sets about decisions.

use serde::Deserialize;
use utoipa::ToSchema;

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
