//! Encrypts a report to the vendor, in the format of the `age` program.
//!
//! Only the public half of a key ever comes here: what is encrypted cannot be read on this panel again.

use std::{fmt, str::FromStr};

use serde::Deserialize;
use spacecp_contract::{Report, ReportLimits};

use super::ReportingError;

/// Whom reports are encrypted to: `age1…`, as the vendor publishes it.
#[derive(Clone, Deserialize)]
#[serde(try_from = "String")]
pub struct Recipient(age::x25519::Recipient);

/// A text that is no recipient.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("invalid age recipient {found:?}, it must begin with \"age1\": {reason}")]
pub struct RecipientError {
    found: String,
    reason: &'static str,
}

impl FromStr for Recipient {
    type Err = RecipientError;

    fn from_str(text: &str) -> Result<Self, RecipientError> {
        let parsed = text.trim().parse().map(Self);
        parsed.map_err(|reason| RecipientError {
            found: text.chars().take(80).collect(),
            reason,
        })
    }
}

impl TryFrom<String> for Recipient {
    type Error = RecipientError;

    fn try_from(text: String) -> Result<Self, RecipientError> {
        text.parse()
    }
}

impl fmt::Display for Recipient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for Recipient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Recipient({})", self.0)
    }
}

/// Encrypts a report that keeps to the limits, as text that can be mailed.
pub fn seal(report: &Report, recipient: &Recipient) -> Result<String, ReportingError> {
    report.check(&ReportLimits::default())?;
    age::encrypt_and_armor(&recipient.0, &report.to_bytes())
        .map_err(|error| ReportingError::Seal(error.to_string()))
}
