//! Reports of vulnerabilities, from whoever uses this panel to the vendor.
//!
//! `typed` is what somebody typed into the form, `written` the same as a file; both become a
//! `spacecp_contract::Report`, which [`seal`] encrypts to the vendor.
//!
//! May not: keep a report, or any part of one, on disk or in a log; say who reports unless they do; sign
//! anything.

mod config;
mod seal;
mod service;
mod typed;
mod written;

pub use config::ReportConfig;
pub use seal::{Recipient, RecipientError, seal};
pub use service::Reports;
use spacecp_contract::ReportError;
pub use typed::{Row, Typed, TypedError};
pub use written::{LONGEST as LONGEST_FILE, read};
pub use written::{WrittenError, template};

/// The name that a report is offered by for keeping. It says nothing of what is in it.
pub const FILE_NAME: &str = "spacecp-report.age";

/// Why a report does not reach the vendor.
#[derive(Debug, thiserror::Error)]
pub enum ReportingError {
    /// Nobody is known to encrypt it to.
    #[error(
        "no recipient for vulnerability reports configured; set recipient in [report] to the recipient (age1…) published by the vendor"
    )]
    NoRecipient,
    /// No mail can be sent.
    #[error(
        "sending vulnerability reports by e-mail is not configured; set mail in [report] and configure a channel of kind \"email\""
    )]
    NoMail,
    /// What was typed.
    #[error(transparent)]
    Typed(#[from] TypedError),
    /// The report is none.
    #[error(transparent)]
    Report(#[from] ReportError),
    /// The encryption.
    #[error("cannot encrypt the vulnerability report: {0}")]
    Seal(String),
}
