//! Whom reports of vulnerabilities go to.

use serde::Deserialize;
use utoipa::ToSchema;

use super::Recipient;

/// Where vulnerability reports written on this panel go.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct ReportConfig {
    /// Age recipient (`age1…`) of the vendor, which reports are encrypted to. Without it the page has no form.
    #[schema(value_type = Option<String>, default = json!(null))]
    pub recipient: Option<Recipient>,
    /// Mail address that encrypted reports are sent to. Requires `recipient` and a channel of kind `email`.
    pub mail: Option<String>,
    /// Name of the `email` channel that sends reports; the first one by default.
    pub by: Option<String>,
}
