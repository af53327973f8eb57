//! Reports as they reach the desk: encrypted by a stranger, to a key of ours.
//!
//! [`key`] makes and reads the desk's report key, an age identity; [`envelope`] opens what was encrypted to
//! it and encrypts what goes back. What a report says is `spacecp_contract::Report`.

pub mod envelope;
pub mod key;

use spacecp_contract::{Report, ReportError, ReportLimits};

use envelope::EnvelopeError;
use key::ReportKey;

/// Why a report cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// What is around it.
    #[error(transparent)]
    Envelope(#[from] EnvelopeError),
    /// What is in it.
    #[error("decrypted data is not a valid report: {0}")]
    Report(#[from] ReportError),
}

/// Decrypts and reads a report.
pub fn open(sealed: &[u8], key: &ReportKey) -> Result<Report, OpenError> {
    let limits = ReportLimits::default();
    let bytes = envelope::open(sealed, key, limits.bytes)?;
    Ok(Report::from_bytes(&bytes, &limits)?)
}
