//! Whether to ask for what changed instead of the whole index, and what becomes of the answer.

use spacecp_contract::{DELTAS, Head, Index, IndexDelta, Limits, Root, WORTH_A_DELTA};

use super::question::Answer;
use crate::{Before, TrustError, Unverified, Verified, index};

/// Why a delta is passed over. It costs a request: the whole index is asked for instead.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DeltaError {
    /// The feed does not have it.
    #[error("not found in the feed")]
    Missing,
    /// The signatures of the later index do not lie beside it.
    #[error("the signatures of the new index are missing")]
    Unsigned,
    /// The bytes are no delta.
    #[error("cannot parse it")]
    Unreadable,
    /// It begins at another index than the one that is trusted.
    #[error("it does not start at the trusted index {trusted}")]
    Elsewhere {
        /// The sequence of the index that is trusted.
        trusted: u64,
    },
    /// What it makes is not the index that the head names, or not signed.
    #[error("it produces an invalid index: {0}")]
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

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use spacecp_contract::{Audience, Digest};

    use super::*;

    fn audience() -> Audience {
        "customers".parse().expect("an audience")
    }

    fn is_worth(sequence: u64, index_length: u64, afresh: bool) -> bool {
        let head = Head {
            audience: audience(),
            sequence,
            issued: Timestamp::UNIX_EPOCH,
            expires: Timestamp::MAX,
            index: Digest::of(b"an index"),
            index_length,
            root_version: 1,
        };
        let old = Index {
            audience: audience(),
            sequence: 100,
            documents: Vec::new(),
            sealed: None,
        };
        let old = Verified {
            document: old,
            bytes: Vec::new(),
            signatures: String::new(),
            signers: Vec::new(),
        };
        let before = Before {
            head: None,
            index: Some(&old),
            afresh,
        };
        is_worth_it(&head, before)
    }

    #[test]
    fn a_delta_is_asked_for_from_one_to_32_sequences_back() {
        for (sequence, worth) in [
            (99, false),
            (100, false),
            (101, true),
            (132, true),
            (133, false),
        ] {
            assert_eq!(
                is_worth(sequence, WORTH_A_DELTA, false),
                worth,
                "{sequence}"
            );
        }
    }

    #[test]
    fn a_delta_is_asked_for_from_16_kib_of_index_on() {
        assert!(!is_worth(101, WORTH_A_DELTA - 1, false));
        assert!(is_worth(101, WORTH_A_DELTA, false));
    }

    #[test]
    fn an_index_of_another_epoch_is_nothing_to_begin_at() {
        assert!(!is_worth(101, WORTH_A_DELTA, true));
    }
}
