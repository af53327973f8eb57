//! One signature over exact bytes.

use spacecp_contract::{Document, TrustedComment, encode};

use crate::keys::{PublicKey, SecretKey};

/// A document with its bytes and signatures, ready for a feed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signed<T> {
    /// The document.
    pub document: T,
    /// The bytes that were signed.
    pub bytes: Vec<u8>,
    /// The contents of the signature file: one minisign signature after another.
    pub signatures: String,
}

/// Why something is not signed.
#[derive(Debug, thiserror::Error)]
pub enum SignError {
    /// The document contradicts itself, and every panel would refuse it.
    #[error("cannot sign the document: {0}")]
    Invalid(String),
    /// The signature could not be made, or does not verify.
    #[error("cannot sign with key {key}: {reason}")]
    Failed {
        /// The key's id.
        key: String,
        /// What is wrong.
        reason: String,
    },
    /// Nobody signed.
    #[error("no signing key given")]
    NoKey,
}

/// Signs a document with each of the keys.
pub fn sign<T: Document>(document: T, keys: &[&SecretKey]) -> Result<Signed<T>, SignError> {
    document.validate().map_err(SignError::Invalid)?;
    let bytes = encode(&document);
    let signatures = sign_bytes(&bytes, &TrustedComment::of(&document), keys)?;
    Ok(Signed {
        document,
        bytes,
        signatures,
    })
}

/// Signs bytes as what `comment` says, pre-hashed, with each of the keys.
pub fn sign_bytes(
    bytes: &[u8],
    comment: &TrustedComment,
    keys: &[&SecretKey],
) -> Result<String, SignError> {
    if keys.is_empty() {
        return Err(SignError::NoKey);
    }
    keys.iter().map(|key| one(bytes, comment, key)).collect()
}

fn one(bytes: &[u8], comment: &TrustedComment, key: &SecretKey) -> Result<String, SignError> {
    let public: &PublicKey = key.public();
    let untrusted = format!("signature of the key {}", public.id());
    let signature = minisign::sign(
        Some(public.inner()),
        key.inner(),
        bytes,
        Some(&comment.to_string()),
        Some(&untrusted),
    );
    let signature = signature.map_err(|error| SignError::Failed {
        key: public.id(),
        reason: error.to_string(),
    })?;
    let text = signature.into_string();
    Ok(if text.ends_with('\n') {
        text
    } else {
        text + "\n"
    })
}
