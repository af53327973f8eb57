//! Who reported: kept apart from the case, encrypted to the report key, and never written beside it in clear.

use serde::{Deserialize, Serialize};
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
    #[error("it was decrypted, and does not say who a finder is")]
    Text,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Text {
    contact: Zeroizing<String>,
    credit: Zeroizing<String>,
    recipient: Zeroizing<String>,
}

/// Encrypts who reported, as a text that a person can read after `age -d`.
pub(super) fn seal(finder: &Finder, recipient: &Recipient) -> Result<String, EnvelopeError> {
    let text = Text {
        contact: finder.contact.clone().into(),
        credit: finder.credit.clone().into(),
        recipient: finder.recipient.clone().into(),
    };
    let text = toml::to_string(&text).expect("three texts are TOML");
    envelope::seal(Zeroizing::new(text).as_bytes(), recipient)
}

/// Decrypts it.
pub(super) fn open(sealed: &[u8], key: &ReportKey) -> Result<Finder, FinderError> {
    let bytes = envelope::open(sealed, key, LONGEST)?;
    let text = std::str::from_utf8(&bytes).map_err(|_| FinderError::Text)?;
    let text: Text = toml::from_str(text).map_err(|_| FinderError::Text)?;
    Ok(Finder {
        contact: text.contact.to_string(),
        credit: text.credit.to_string(),
        recipient: text.recipient.to_string(),
    })
}
