//! Who reported: kept apart from the case, encrypted to the report key, and never written beside it in clear.

use spacecp_contract::Finder;
use zeroize::Zeroizing;

use crate::report::{
    envelope::{self, EnvelopeError},
    key::{Recipient, ReportKey},
};

/// The longest `finder.age` that decrypts.
const LONGEST: usize = 16 << 10;

/// Why a finder cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum FinderError {
    /// What is around it.
    #[error(transparent)]
    Envelope(#[from] EnvelopeError),
    /// What is in it. The text is not repeated: it says who somebody is.
    #[error("decrypted data does not describe a finder")]
    Text,
}

/// Encrypts who reported, as a text that a person can read after `age -d`.
pub(super) fn seal(finder: &Finder, recipient: &Recipient) -> Result<String, EnvelopeError> {
    let text = toml::to_string(finder).expect("three texts are TOML");
    envelope::seal(Zeroizing::new(text).as_bytes(), recipient)
}

/// Decrypts it.
pub(super) fn open(sealed: &[u8], key: &ReportKey) -> Result<Finder, FinderError> {
    let bytes = envelope::open(sealed, key, LONGEST)?;
    let text = std::str::from_utf8(&bytes).map_err(|_| FinderError::Text)?;
    toml::from_str(text).map_err(|_| FinderError::Text)
}
