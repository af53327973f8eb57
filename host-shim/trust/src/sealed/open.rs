//! Opens what is sealed, with keys that are known from elsewhere.
//!
//! A sealed file is an age file (<https://age-encryption.org/v1>) whose header has no recipient but a
//! stanza of ours that says so. What is opened is what somebody who had the key wrote, and no more: whether
//! to believe it is decided by the signatures inside.

use std::{
    fmt,
    io::{self, BufReader, Cursor, Read},
    str::FromStr,
};

use age::Identity as _;
use age_core::{
    format::{FileKey, Stanza},
    secrecy::ExposeSecret,
};
use base64::{Engine, prelude::BASE64_STANDARD_NO_PAD};
use spacecp_contract::{ObjectKey, envelope::ENVELOPE};

/// The kind of the stanza of ours: the key is not in the header.
pub const STANZA: &str = "spacecp-sealed";

/// Bytes that the header of a sealed file may have: age's own stanza of random length is the most of them.
const HEADER: usize = 512;

/// What ends the header of an age file, before its authentication code.
const END: &[u8] = b"\n--- ";

/// What a panel opens its envelopes with: an identity of age (`AGE-SECRET-KEY-1…`). It is not shown.
#[derive(Clone)]
pub struct Identity(age::x25519::Identity);

/// Why a text is not an identity. It does not say the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an age identity: {0}")]
pub struct IdentityError(&'static str);

/// Why a sealed file does not open.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// It is something else, or its header is longer than any of ours.
    #[error("not a sealed file")]
    Header,
    /// Another key belongs to it.
    #[error("wrong key")]
    Key,
    /// It was changed, or is cut off.
    #[error("damaged or truncated: {0}")]
    Contents(String),
    /// It has more in it than there may be.
    #[error("more than the allowed {0} bytes")]
    TooLong(u64),
}

impl FromStr for Identity {
    type Err = IdentityError;

    fn from_str(text: &str) -> Result<Self, IdentityError> {
        text.parse().map(Self).map_err(IdentityError)
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Identity(…)")
    }
}

impl Identity {
    /// Whom to encrypt to, as `age1…`.
    pub fn recipient(&self) -> String {
        self.0.to_public().to_string()
    }

    /// The key in an envelope; none if it was made for another panel.
    pub(super) fn open(&self, envelope: &[u8; ENVELOPE]) -> Option<ObjectKey> {
        let (share, body) = envelope.split_at(32);
        // What age itself wants to see where the envelope stands in the header of a file.
        let stanza = Stanza {
            tag: "X25519".to_owned(),
            args: vec![BASE64_STANDARD_NO_PAD.encode(share)],
            body: body.to_vec(),
        };
        let key = self.0.unwrap_stanza(&stanza)?.ok()?;
        Some(ObjectKey::from_bytes(*key.expose_secret()))
    }
}

/// The key to a file whose header has none.
struct Known<'a>(&'a ObjectKey);

impl age::Identity for Known<'_> {
    fn unwrap_stanza(&self, stanza: &Stanza) -> Option<Result<FileKey, age::DecryptError>> {
        let file_key = || FileKey::init_with_mut(|key| key.copy_from_slice(self.0.as_bytes()));
        (stanza.tag == STANZA).then(|| Ok(file_key()))
    }
}

/// What is in a sealed file, as a stream. Every piece is authenticated before it is given out; that nothing
/// is missing is known at the end.
pub fn reader<R: Read>(key: &ObjectKey, mut sealed: R) -> Result<impl Read + use<R>, OpenError> {
    let mut header = Vec::with_capacity(HEADER);
    let damaged = |error: io::Error| OpenError::Contents(error.to_string());
    sealed
        .by_ref()
        .take(HEADER as u64)
        .read_to_end(&mut header)
        .map_err(damaged)?;
    // age reads a header however long it is.
    if !header.windows(END.len()).any(|bytes| bytes == END) {
        return Err(OpenError::Header);
    }
    let whole = BufReader::new(Cursor::new(header).chain(sealed));
    let file = age::Decryptor::new_buffered(whole).map_err(|_| OpenError::Header)?;
    let known = Known(key);
    let opened = file.decrypt(std::iter::once(&known as &dyn age::Identity));
    opened.map_err(|_| OpenError::Key)
}

/// All that is in a sealed file, of at most so many bytes.
pub fn open(key: &ObjectKey, sealed: &[u8], most: u64) -> Result<Vec<u8>, OpenError> {
    let mut contents = Vec::new();
    reader(key, sealed)?
        .take(most.saturating_add(1))
        .read_to_end(&mut contents)
        .map_err(|error| OpenError::Contents(error.to_string()))?;
    if contents.len() as u64 > most {
        return Err(OpenError::TooLong(most));
    }
    Ok(contents)
}
