//! A file of a feed as it came: a stranger's word.

use spacecp_contract::FeedPath;

use super::{Answer, WorkflowError};
use crate::Unverified;

/// A file with its signatures, before anything about it was verified.
#[derive(Debug)]
pub(super) struct Offered {
    pub(super) bytes: Vec<u8>,
    pub(super) signatures: Vec<u8>,
    pub(super) validator: Option<String>,
}

impl Offered {
    /// A file with its signatures; an error if either is not there.
    pub(super) fn of(path: &FeedPath, answer: Answer) -> Result<Self, WorkflowError> {
        let missing = |path: FeedPath| WorkflowError::Missing { path };
        let Answer::File {
            bytes,
            signatures,
            validator,
        } = answer
        else {
            return Err(missing(path.clone()));
        };
        let signatures = signatures.ok_or_else(|| missing(path.signatures()))?;
        Ok(Self {
            bytes,
            signatures,
            validator,
        })
    }

    /// The same, for a verifier.
    pub(super) fn unverified(&self) -> Unverified<'_> {
        Unverified {
            bytes: &self.bytes,
            signatures: &self.signatures,
        }
    }
}

impl Answer {
    /// The bytes of a file that has no signatures of its own; an error if it is not there.
    pub(super) fn bytes(self, path: &FeedPath) -> Result<Vec<u8>, WorkflowError> {
        match self {
            Self::File { bytes, .. } => Ok(bytes),
            Self::Missing | Self::Unchanged => Err(WorkflowError::Missing { path: path.clone() }),
        }
    }
}
