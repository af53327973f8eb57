//! Reports of vulnerabilities, from whoever uses this panel to the vendor.
//!
//! [`typed`] is what somebody typed into the form, [`written`] the same as a file; both become a
//! `spacecp_contract::Report`, which [`seal`] encrypts to the vendor.
//!
//! May not: keep a report, or any part of one, on disk or in a log; say who reports unless they do; sign
//! anything.

mod seal;
mod typed;
mod written;

pub use seal::{Recipient, RecipientError, seal};
pub use typed::{Row, Typed, TypedError};
pub(crate) use written::{LONGEST as LONGEST_FILE, read};
pub use written::{WrittenError, template};

use spacecp_contract::ReportError;

use crate::notify::DeliveryError;

/// The name that a report is offered by for keeping. It says nothing of what is in it.
pub const FILE_NAME: &str = "spacecp-report.age";

/// Why a report does not reach the vendor.
#[derive(Debug, thiserror::Error)]
pub enum ReportingError {
    /// Nobody is known to encrypt it to.
    #[error(
        "this panel does not know whom reports are encrypted to: set recipient in [report] of the configuration to what the vendor publishes, as \"age1…\""
    )]
    NoRecipient,
    /// No mail can be sent.
    #[error(
        "this panel mails no reports: set mail in [report] of the configuration, beside a channel of the kind \"email\""
    )]
    NoMail,
    /// What was typed.
    #[error(transparent)]
    Typed(#[from] TypedError),
    /// The report is none.
    #[error(transparent)]
    Report(#[from] ReportError),
    /// The encryption.
    #[error("the report cannot be encrypted: {0}")]
    Seal(String),
    /// The mail.
    #[error("the report was not mailed: {0}; keep it, and send it another way")]
    Mail(DeliveryError),
}
