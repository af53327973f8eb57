//! The audit log: what was done and decided on this panel, by whom, and on whose signatures.
//!
//! Entries are only ever added. Each carries the SHA-256 digest over the hash of the entry before
//! it and its own bytes, so that an entry which was changed, removed or moved breaks the chain, and
//! [`walk`] says where. The bytes that were hashed are the bytes that are stored, never written
//! again from their parts.
//!
//! The log is a table of `store.sqlite` and not a file beside it: the entry that says how an
//! application ended is then in the very transaction that ends it, and no crash leaves one without
//! the other; and SQLite's lock gives each entry its place, whichever process adds it. Triggers
//! keep a careless statement from changing or removing one. Whoever may write the file can of course
//! undo all of that and compute a new chain: what tells is a head that is remembered elsewhere. An
//! export ends with it, [`walk`] takes it back as `expect`, and every entry sends it to the log of
//! the program as it is added.
//!
//! Of an advisory an entry has no more than its id, under embargo or not.
//!
//! May not: decide anything, or keep what it records from happening for any reason but a store that
//! does not take it.

mod chain;
mod log;

use std::{fmt, str::FromStr};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use spacecp_contract::{Digest, DocumentId};

pub use chain::{Fault, Recorded};
pub use log::{
    AuditError, Signed, Walked, append, head_of_copy, note_signed, record, signed, walk,
};

/// Characters of a name, a version or an id in an entry; what is longer is cut.
const LONGEST_WORD: usize = 200;

/// Characters of a reason in an entry; what is longer is cut.
const LONGEST_REASON: usize = 2_000;

/// Characters of a path in an entry; what is longer is cut.
const LONGEST_PATH: usize = 1_000;

/// Characters of a key's id in an entry; what is longer is none.
const LONGEST_KEY: usize = 32;

/// Advisories, and keys, that an entry names.
const MOST_NAMED: usize = 64;

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum What {
    /// A correction was applied.
    Applied,
    /// An application failed, and the component is as it was.
    Failed,
    /// An application was taken back.
    RolledBack,
    /// An application that was cut off was brought to its end; the outcome says which.
    Recovered,
    /// A new root is trusted.
    SyncedNewRoot,
    /// Everything that was learnt from the feed was forgotten.
    TrustReset,
    /// What was remembered of the time was forgotten.
    ClockReset,
    /// News were carried here in one file.
    Imported,
    /// The rules for automatic application were changed.
    PolicyChanged,
    /// A workaround was marked as in place.
    WorkaroundMarked,
    /// A mark was taken back.
    WorkaroundLifted,
    /// A risk was accepted.
    RiskAccepted,
    /// An acceptance was taken back.
    AcceptanceWithdrawn,
    /// A path that could not be read was acknowledged.
    UnreadAcknowledged,
    /// Such an acknowledgement was withdrawn.
    UnreadAcknowledgementWithdrawn,
    /// A version that could not be read was set.
    VersionSet,
    /// Such a version was withdrawn.
    VersionWithdrawn,
    /// A decision came to the end that it was given.
    DecisionExpired,
    /// What a decision rests on has changed, so that it no longer holds.
    DecisionReopened,
    /// A token of the API was made.
    TokenMade,
    /// A token of the API was revoked.
    TokenRevoked,
    /// Somebody opened what is under embargo, for the first time.
    ReadUnderEmbargo,
    /// The identity that reads private broadcasts was replaced.
    IdentityRenewed,
    /// The store was lost or damaged, and replaced by what the copy of the journal had.
    StoreReplaced,
    /// Something that a newer program recorded.
    #[serde(other)]
    Unknown,
}

impl What {
    /// The word that entries, pages and scripts use.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Applied => "applied",
            Self::Failed => "failed",
            Self::RolledBack => "rolled-back",
            Self::Recovered => "recovered",
            Self::SyncedNewRoot => "synced-new-root",
            Self::TrustReset => "trust-reset",
            Self::ClockReset => "clock-reset",
            Self::Imported => "imported",
            Self::PolicyChanged => "policy-changed",
            Self::WorkaroundMarked => "workaround-marked",
            Self::WorkaroundLifted => "workaround-lifted",
            Self::RiskAccepted => "risk-accepted",
            Self::AcceptanceWithdrawn => "acceptance-withdrawn",
            Self::UnreadAcknowledged => "unread-acknowledged",
            Self::UnreadAcknowledgementWithdrawn => "unread-acknowledgement-withdrawn",
            Self::VersionSet => "version-set",
            Self::VersionWithdrawn => "version-withdrawn",
            Self::DecisionExpired => "decision-expired",
            Self::DecisionReopened => "decision-reopened",
            Self::TokenMade => "token-made",
            Self::TokenRevoked => "token-revoked",
            Self::ReadUnderEmbargo => "read-under-embargo",
            Self::IdentityRenewed => "identity-renewed",
            Self::StoreReplaced => "store-replaced",
            Self::Unknown => "unknown",
        }
    }
}

/// How an application ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ended {
    /// The new version is live.
    Applied,
    /// It failed, and the component is as it was.
    Failed,
    /// It was taken back.
    RolledBack,
}

impl Ended {
    /// The word that entries, pages and scripts use.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Applied => "applied",
            Self::Failed => "failed",
            Self::RolledBack => "rolled-back",
        }
    }
}

/// Something to be recorded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// Who did it; "this panel" where nobody did.
    pub who: String,
    /// What happened.
    pub what: What,
    /// The advisories that it is about.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub advisories: Vec<DocumentId>,
    /// The correction.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub correction: Option<DocumentId>,
    /// The revision of the correction, or of the advisory where there is no correction.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revision: Option<u64>,
    /// The component; none for all of them, or where it is about none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub component: Option<String>,
    /// The path that could not be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// The decision.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decision: Option<u64>,
    /// The workaround, by its id within the advisory; none under embargo.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workaround: Option<String>,
    /// The version before: of the component, or of the root.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// The version afterwards, or the one that was meant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
    /// The ids of the keys whose signatures counted, as `minisign` prints them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub keys: Vec<String>,
    /// The application.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub application: Option<String>,
    /// How the application ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<Ended>,
    /// Until when it was decided.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

impl Event {
    /// An event that is about nothing yet.
    pub fn new(what: What, who: impl Into<String>) -> Self {
        Self {
            who: who.into(),
            what,
            advisories: Vec::new(),
            correction: None,
            revision: None,
            component: None,
            path: None,
            decision: None,
            workaround: None,
            from: None,
            to: None,
            keys: Vec::new(),
            application: None,
            outcome: None,
            until: None,
            reason: None,
        }
    }

    /// The same with every part as long as an entry may have it.
    fn bounded(&self) -> Self {
        let word = |text: &String| cut(text, LONGEST_WORD);
        let key = |text: &String| cut(text, LONGEST_KEY);
        Self {
            who: word(&self.who),
            what: self.what,
            advisories: self.advisories.iter().take(MOST_NAMED).cloned().collect(),
            correction: self.correction.clone(),
            revision: self.revision,
            component: self.component.as_ref().map(word),
            path: self.path.as_ref().map(|path| cut(path, LONGEST_PATH)),
            decision: self.decision,
            workaround: self.workaround.as_ref().map(word),
            from: self.from.as_ref().map(word),
            to: self.to.as_ref().map(word),
            keys: self.keys.iter().take(MOST_NAMED).map(key).collect(),
            application: self.application.as_ref().map(word),
            outcome: self.outcome,
            until: self.until,
            reason: self
                .reason
                .as_ref()
                .map(|reason| cut(reason, LONGEST_REASON)),
        }
    }
}

/// A text of at most `longest` characters, which says if it was longer.
fn cut(text: &str, longest: usize) -> String {
    if text.chars().nth(longest).is_none() {
        return text.to_owned();
    }
    text.chars().take(longest - 1).chain(['…']).collect()
}

/// One entry of the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Its place, from 1.
    pub number: u64,
    /// When it was added.
    pub at: Timestamp,
    /// What it records.
    #[serde(flatten)]
    pub event: Event,
}

/// The newest entry of a log, by its place and hash: who remembers it finds out whether the log was
/// cut off or written anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// Its place.
    pub number: u64,
    /// Its hash.
    pub hash: Digest,
}

/// Why a text is not a head.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("invalid head of the audit log {0:?}; expected NUMBER:HASH with 64 hexadecimal digits")]
pub struct HeadError(String);

impl fmt::Display for Head {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.number, self.hash)
    }
}

impl FromStr for Head {
    type Err = HeadError;

    fn from_str(text: &str) -> Result<Self, HeadError> {
        let failed = || HeadError(cut(text, LONGEST_WORD));
        let (number, hash) = text.split_once(':').ok_or_else(failed)?;
        Ok(Self {
            number: number.parse().map_err(|_| failed())?,
            hash: hash.parse().map_err(|_| failed())?,
        })
    }
}

impl Serialize for Head {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
