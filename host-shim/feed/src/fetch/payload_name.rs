//! What messages call a payload.

use std::fmt;

use spacecp_contract::{Digest, DocumentId};

/// What errors, logs and spans call a payload.
///
/// Its own digest says what a correction brings: only what is public is called by it. Paths that end in that digest
/// are in no message either; the directory they lie in stands for them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PayloadName {
    /// A public payload, by its own digest.
    Public(Digest),
    /// A payload under embargo, by the digest of its sealed file.
    Sealed(Digest),
    /// A payload under embargo that is not known to have a sealed file, by the correction that brings it.
    Embargoed(DocumentId),
}

impl fmt::Display for PayloadName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Public(digest) => write!(f, "the payload {digest}"),
            Self::Sealed(digest) => write!(f, "the sealed payload {digest}"),
            Self::Embargoed(correction) => write!(f, "a payload of {correction}"),
        }
    }
}
