//! Decides what to believe: roots, heads, indexes, documents, plugins.
//!
//! Pure: no I/O, no clock. Each step takes what is trusted, the time and some bytes, and returns
//! what is now trusted or names the attack. A [`Verified`] value can be made only here; every
//! other room that acts on a document asks for one.
//!
//! The order is TUF's (specification, section 5): [`pinned_root`], then [`next_root`] as long as
//! there is one, [`check_root`], [`head`], [`index`], and [`document`] for what is new; [`sealed`] is
//! what of it is encrypted to this panel.
//! [`workflow`] is that order as a state machine.
#![forbid(unsafe_code)]

mod document;
mod error;
mod feed;
mod plugin;
mod root;
pub mod sealed;
mod signature;
#[cfg(test)]
mod tests;
mod times;
pub mod workflow;

use std::ops::Deref;

pub use document::{AnyDocument, document, reverify};
pub use error::TrustError;
pub use feed::{Before, head, index, reverify_head};
pub use plugin::{plugin, plugin_by_digest};
pub use root::{by_fingerprint, next_root, pinned_root, reverify_root};
pub use sealed::{Identity, IdentityError, OpenError};
pub use signature::{is_vouched_for, key_id};
pub use times::{check_root, good_until};

/// A document whose signatures have been verified, with the bytes that were signed.
///
/// Nobody else can make one. This is how one is read:
///
/// ```
/// fn bytes(head: spacecp_trust::Verified<spacecp_contract::Head>) -> (u64, Vec<u8>) {
///     (head.sequence, head.bytes().to_vec())
/// }
/// ```
///
/// And this does not compile, for its fields are its own:
///
/// ```compile_fail,E0451
/// fn forge(document: spacecp_contract::Head) -> spacecp_trust::Verified<spacecp_contract::Head> {
///     spacecp_trust::Verified { document, bytes: vec![], signatures: String::new(), signers: vec![] }
/// }
/// ```
///
/// Nor does changing one that was verified:
///
/// ```compile_fail,E0594
/// fn change(mut head: spacecp_trust::Verified<spacecp_contract::Head>) {
///     head.sequence = 7;
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified<T> {
    document: T,
    bytes: Vec<u8>,
    signatures: String,
    signers: Vec<String>,
}

impl<T> Verified<T> {
    /// The document.
    pub fn document(&self) -> &T {
        &self.document
    }

    /// The bytes that were signed, to the letter.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The signatures that counted, one a signer, as a signature file. Whatever else was in the file that
    /// was received is not kept: nobody vouches for it, and a mirror could add to it at will.
    pub fn signatures(&self) -> &str {
        &self.signatures
    }

    /// The public keys whose signatures counted, in base64.
    pub fn signers(&self) -> &[String] {
        &self.signers
    }
}

impl<T> Deref for Verified<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.document
    }
}

/// Bytes and signatures as they were received: a stranger's word.
#[derive(Debug, Clone, Copy)]
pub struct Unverified<'a> {
    /// The bytes.
    pub bytes: &'a [u8],
    /// The signature file.
    pub signatures: &'a [u8],
}
