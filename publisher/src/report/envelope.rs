//! What is around a report and a review copy: the format of the `age` program, version 1.
//!
//! Format: <https://age-encryption.org/v1>. What comes in is bounded before it is opened: the file, its
//! header, and what it decrypts to. Armour is taken off where there is some, and put on what goes out.

use std::io::{self, Read};

use age::{
    DecryptError,
    armor::{ArmoredReader, ArmoredWriter, Format},
    secrecy::SecretString,
};
use zeroize::Zeroizing;

use super::key::{Recipient, ReportKey};

/// The longest file that is read: a report of 9 MiB in armour, and room.
pub const LONGEST: usize = 16 << 20;

/// The longest header: a few hundred bytes for each of some recipients. The work to find one's own grows
/// with it.
const LONGEST_HEADER: usize = 8 << 10;

/// Why something cannot be encrypted or decrypted.
#[derive(Debug, thiserror::Error)]
pub enum EnvelopeError {
    /// It is longer than anything that is opened.
    #[error("longer than {limit} bytes")]
    Long {
        /// The limit.
        limit: usize,
    },
    /// It was made for so many recipients, or says so, that nobody looks through them.
    #[error("its header exceeds {limit} bytes")]
    Header {
        /// The limit.
        limit: usize,
    },
    /// It is nothing that age made.
    #[error("not an age file: {reason}")]
    Foreign {
        /// What is wrong.
        reason: String,
    },
    /// It is for somebody else.
    #[error("encrypted to another recipient than {recipient}")]
    OtherKey {
        /// The recipient that was tried.
        recipient: String,
    },
    /// The passphrase is another one.
    #[error("wrong passphrase")]
    Passphrase,
    /// It was changed or cut short on its way.
    #[error("modified or truncated: {reason}")]
    Damaged {
        /// What is wrong.
        reason: String,
    },
    /// The system gave no randomness, or no memory.
    #[error("cannot encrypt: {0}")]
    Encrypt(String),
}

/// Encrypts to a recipient, in armour.
pub fn seal(bytes: &[u8], recipient: &Recipient) -> Result<String, EnvelopeError> {
    age::encrypt_and_armor(recipient.inner(), bytes)
        .map_err(|error| EnvelopeError::Encrypt(error.to_string()))
}

/// Encrypts with a passphrase, in armour, as `age -p` does; about a second's work.
pub fn seal_with(bytes: &[u8], passphrase: &Zeroizing<String>) -> Result<String, EnvelopeError> {
    let write = || -> io::Result<Vec<u8>> {
        let secret = SecretString::from(passphrase.to_string());
        let armour = ArmoredWriter::wrap_output(Vec::new(), Format::AsciiArmor)?;
        let mut writer = age::Encryptor::with_user_passphrase(secret).wrap_output(armour)?;
        io::Write::write_all(&mut writer, bytes)?;
        writer.finish()?.finish()
    };
    let failed = |error: &dyn std::fmt::Display| EnvelopeError::Encrypt(error.to_string());
    let armoured = write().map_err(|error| failed(&error))?;
    String::from_utf8(armoured).map_err(|error| failed(&error))
}

/// Decrypts what was encrypted to a key, as long as it is no longer than `limit` bytes.
pub fn open(
    sealed: &[u8],
    key: &ReportKey,
    limit: usize,
) -> Result<Zeroizing<Vec<u8>>, EnvelopeError> {
    opened(sealed, key.inner(), limit).map_err(|error| match error {
        Failure::Refused(refused) => refused,
        Failure::NoKey => EnvelopeError::OtherKey {
            recipient: key.recipient().to_string(),
        },
    })
}

/// Decrypts what was encrypted with a passphrase.
pub fn open_with(
    sealed: &[u8],
    passphrase: &Zeroizing<String>,
    limit: usize,
) -> Result<Zeroizing<Vec<u8>>, EnvelopeError> {
    let identity = age::scrypt::Identity::new(SecretString::from(passphrase.to_string()));
    opened(sealed, &identity, limit).map_err(|error| match error {
        Failure::Refused(refused) => refused,
        Failure::NoKey => EnvelopeError::Passphrase,
    })
}

/// Whether this looks like a file that a passphrase opens.
pub(super) fn is_sealed(text: &str) -> bool {
    text.trim_start().starts_with("-----BEGIN AGE") || text.starts_with("age-encryption.org/")
}

enum Failure {
    Refused(EnvelopeError),
    NoKey,
}

impl From<EnvelopeError> for Failure {
    fn from(refused: EnvelopeError) -> Self {
        Self::Refused(refused)
    }
}

fn opened(
    sealed: &[u8],
    identity: &dyn age::Identity,
    limit: usize,
) -> Result<Zeroizing<Vec<u8>>, Failure> {
    if sealed.len() > LONGEST {
        return Err(EnvelopeError::Long { limit: LONGEST }.into());
    }
    let mut binary = Vec::with_capacity(sealed.len());
    ArmoredReader::new(sealed)
        .read_to_end(&mut binary)
        .map_err(|error| EnvelopeError::Foreign {
            reason: error.to_string(),
        })?;
    refuse_long_header(&binary)?;
    let decryptor = age::Decryptor::new(binary.as_slice()).map_err(named)?;
    let reader = decryptor
        .decrypt(std::iter::once(identity))
        .map_err(named)?;
    let mut bytes = Zeroizing::new(Vec::new());
    // One byte more than the limit tells what is too long from what just fits.
    reader
        .take(limit as u64 + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| EnvelopeError::Damaged {
            reason: error.to_string(),
        })?;
    if bytes.len() > limit {
        return Err(EnvelopeError::Long { limit }.into());
    }
    Ok(bytes)
}

/// The header's last line is the one that begins with three hyphens.
fn refuse_long_header(binary: &[u8]) -> Result<(), EnvelopeError> {
    let head = &binary[..binary.len().min(LONGEST_HEADER)];
    if head.windows(4).any(|window| window == b"\n---") || binary.len() < LONGEST_HEADER {
        return Ok(());
    }
    Err(EnvelopeError::Header {
        limit: LONGEST_HEADER,
    })
}

fn named(error: DecryptError) -> Failure {
    let reason = error.to_string();
    match error {
        DecryptError::NoMatchingKeys
        | DecryptError::DecryptionFailed
        | DecryptError::KeyDecryptionFailed => Failure::NoKey,
        DecryptError::InvalidMac => EnvelopeError::Damaged { reason }.into(),
        _ => EnvelopeError::Foreign { reason }.into(),
    }
}
