//! The chain: what an entry's hash is over, and where a stored log breaks it. No I/O.

use spacecp_contract::Digest;

use super::{Entry, Head};

/// What the first entry is chained to.
const BEGINNING: [u8; 32] = [0; 32];

/// The hash of an entry: SHA-256 over the hash before it and its bytes.
pub(super) fn link(previous: &[u8], entry: &[u8]) -> Digest {
    Digest::of(&[previous, entry].concat())
}

/// What the entry after this hash is chained to; none for the first one.
pub(super) fn previous(hash: Option<&[u8]>) -> &[u8] {
    hash.unwrap_or(&BEGINNING)
}

/// An entry that was held against the chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recorded {
    /// The entry.
    pub entry: Entry,
    /// The bytes that were hashed.
    pub text: String,
    /// The hash of the entry before it; zeros for the first.
    pub previous: Digest,
    /// Its own hash.
    pub hash: Digest,
}

impl Recorded {
    /// The entry as one line of JSON, with what its hash can be computed from: SHA-256 over the 32
    /// bytes of `previous` and the text of `entry`, to the letter.
    pub fn line(&self) -> String {
        format!(
            r#"{{"number":{},"previous":"{}","hash":"{}","entry":{}}}"#,
            self.entry.number, self.previous, self.hash, self.text
        )
    }

    /// The head of the log as it was when this entry had just been added.
    pub fn head(&self) -> Head {
        Head {
            number: self.entry.number,
            hash: self.hash,
        }
    }
}

/// The first thing that is wrong with a log.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// An entry is not there, and later ones are.
    #[error("entry {number} is missing")]
    Missing {
        /// Its place.
        number: u64,
    },
    /// An entry or its hash is not what was recorded.
    #[error("entry {number} was modified")]
    Changed {
        /// Its place.
        number: u64,
    },
    /// Another entry is in this place.
    #[error("entry {found} stands in place of entry {number}: the log was reordered")]
    Reordered {
        /// The place.
        number: u64,
        /// What the entry there says of its own place.
        found: i128,
    },
    /// The newest entries are gone.
    #[error("the log was truncated: entries from {number} on are missing of {recorded} recorded")]
    CutOff {
        /// The first that is gone.
        number: u64,
        /// How many there were, as far as is known.
        recorded: u64,
    },
    /// The chain holds, and is not the one that was remembered.
    #[error("entry {number} differs from the expected one: the log was rewritten")]
    Rewritten {
        /// Its place.
        number: u64,
    },
    /// An entry that is as it was recorded, and that nobody can read.
    #[error("cannot read entry {number}: {reason}")]
    Unreadable {
        /// Its place.
        number: u64,
        /// What is wrong.
        reason: String,
    },
}

impl Fault {
    /// The place where the log breaks.
    pub fn number(&self) -> u64 {
        match self {
            Self::Missing { number }
            | Self::Changed { number }
            | Self::Reordered { number, .. }
            | Self::CutOff { number, .. }
            | Self::Rewritten { number }
            | Self::Unreadable { number, .. } => *number,
        }
    }

    /// The word for what is wrong, for a script.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Missing { .. } => "missing",
            Self::Changed { .. } => "changed",
            Self::Reordered { .. } => "reordered",
            Self::CutOff { .. } => "cut-off",
            Self::Rewritten { .. } => "rewritten",
            Self::Unreadable { .. } => "unreadable",
        }
    }
}

/// An entry as it is stored: a stranger's word.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) number: i64,
    /// None if it is longer than any entry is.
    pub(super) entry: Option<Vec<u8>>,
    pub(super) hash: Vec<u8>,
}

/// The part of a log that was found to hold.
#[derive(Debug, Default)]
pub(super) struct Chain {
    head: Option<Head>,
}

impl Chain {
    pub(super) fn head(&self) -> Option<Head> {
        self.head
    }

    fn length(&self) -> u64 {
        self.head.map_or(0, |head| head.number)
    }

    /// Takes the next entry in, or says what is wrong with it.
    pub(super) fn take(&mut self, row: &Row) -> Result<Recorded, Fault> {
        let number = self.length() + 1;
        let place = i128::from(row.number);
        if place > i128::from(number) {
            return Err(Fault::Missing { number });
        }
        if place < i128::from(number) {
            let found = place;
            return Err(Fault::Reordered { number, found });
        }
        let bytes = row.entry.as_ref().ok_or(Fault::Changed { number })?;
        let previous = self
            .head
            .map_or(Digest::from_bytes(BEGINNING), |head| head.hash);
        let hash = link(previous.as_bytes(), bytes);
        let entry: Result<Entry, _> = serde_json::from_slice(bytes);
        let says = entry.as_ref().map_or(number, |entry| entry.number);
        if hash.as_bytes() != row.hash.as_slice() {
            // The bytes may be sound, and stand in another's place.
            return Err(if says == number {
                Fault::Changed { number }
            } else {
                let found = i128::from(says);
                Fault::Reordered { number, found }
            });
        }
        if says != number {
            let found = i128::from(says);
            return Err(Fault::Reordered { number, found });
        }
        let unreadable = |reason: String| Fault::Unreadable { number, reason };
        let entry = entry.map_err(|error| unreadable(error.to_string()))?;
        let text =
            String::from_utf8(bytes.clone()).map_err(|error| unreadable(error.to_string()))?;
        self.head = Some(Head { number, hash });
        Ok(Recorded {
            entry,
            text,
            previous,
            hash,
        })
    }

    /// What is missing at the end, where the store remembers that there were more.
    pub(super) fn ended(&self, recorded: u64) -> Result<(), Fault> {
        if recorded > self.length() {
            let number = self.length() + 1;
            return Err(Fault::CutOff { number, recorded });
        }
        Ok(())
    }
}
