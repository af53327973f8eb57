//! Whether to ask for what changed instead of the whole index, and what becomes of the answer.

use spacecp_contract::{DELTAS, Head, Index, IndexDelta, Limits, Root, WORTH_A_DELTA};

use super::question::Answer;
use crate::{Before, TrustError, Unverified, Verified, index};

/// Why a delta is passed over. It costs a request: the whole index is asked for instead.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DeltaError {
    /// The feed does not have it.
    #[error("the feed does not have it")]
    Missing,
    /// The signatures of the later index do not lie beside it.
    #[error("the signatures of the later index do not lie beside it")]
    Unsigned,
    /// The bytes are no delta.
    #[error("it cannot be read")]
    Unreadable,
    /// It begins at another index than the one that is trusted.
    #[error("it does not begin at the index of sequence {trusted}, which is trusted")]
    Elsewhere {
        /// The sequence of the index that is trusted.
        trusted: u64,
    },
    /// What it makes is not the index that the head names, or not signed.
    #[error("it makes an index that this panel refuses: {0}")]
    Refused(#[from] TrustError),
}

/// Whether to ask for what changed since the index that is trusted.
pub(super) fn is_worth_it(head: &Head, before: Before<'_>) -> bool {
    let since = before.index.filter(|_| !before.afresh);
    let since = since.and_then(|old| head.sequence.checked_sub(old.sequence));
    head.index_length >= WORTH_A_DELTA && since.is_some_and(|since| (1..=DELTAS).contains(&since))
}

/// The later index, made of the one that is trusted, and verified like one that came whole.
pub(super) fn later_index(
    root: &Verified<Root>,
    head: &Verified<Head>,
    before: Before<'_>,
    answer: Answer,
    limits: &Limits,
) -> Result<Verified<Index>, DeltaError> {
    let Answer::File {
        bytes, signatures, ..
    } = answer
    else {
        return Err(DeltaError::Missing);
    };
    let signatures = signatures.ok_or(DeltaError::Unsigned)?;
    let delta = IndexDelta::from_bytes(&bytes, limits).ok_or(DeltaError::Unreadable)?;
    let old = before.index.ok_or(DeltaError::Elsewhere { trusted: 0 })?;
    let bytes = delta.apply(old).ok_or(DeltaError::Elsewhere {
        trusted: old.sequence,
    })?;
    let offered = Unverified {
        bytes: &bytes,
        signatures: &signatures,
    };
    Ok(index(root, head, before, offered, limits)?)
}
