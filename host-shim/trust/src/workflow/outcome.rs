//! What a run brings, and how it ends.

use spacecp_contract::{FeedPath, Head, Index, IndexEntry, Root, SealedPayload};

use super::delta::DeltaError;
use crate::{AnyDocument, TrustError, Verified};

/// What an answer brought; what is verified is to be kept whatever becomes of the rest.
#[derive(Debug, Clone)]
pub enum News {
    /// A root: a key that was taken back once must not be believed again because somebody holds
    /// back the news or spoils the head. To be made durable at once.
    Root(Verified<Root>),
    /// A document, verified under the root of this version. To wait until everything has come.
    Document(AnyDocument, u64),
    /// The same, and it came sealed: under embargo.
    Private(AnyDocument, u64),
    /// Nothing: what would have been a short cut is none. To be told to whoever looks after the panel.
    PassedOver {
        /// The file.
        path: FeedPath,
        /// What is the matter with it.
        why: DeltaError,
    },
}

/// How it ended.
#[derive(Debug, Clone)]
pub enum Outcome {
    /// The feed has nothing new to say.
    Unchanged {
        /// What to say to this feed to hear whether that changed, if it said so anew.
        validator: Option<String>,
    },
    /// Everything that the new head promises has come and was verified.
    Changed(Box<Update>),
}

/// What is to become trusted, all of it at once.
#[derive(Debug, Clone)]
pub struct Update {
    /// The head.
    pub head: Verified<Head>,
    /// What to say to this feed to hear whether it changed.
    pub head_validator: Option<String>,
    /// The index.
    pub index: Verified<Index>,
    /// The version of the root by which they were verified.
    pub root_version: u64,
    /// That root's sequence epoch.
    pub sequence_epoch: u64,
    /// What became of the private side.
    pub private: PrivateSide,
}

/// What became of the private side of a feed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum PrivateSide {
    /// The feed has none, or nobody here could read it: there is no identity.
    #[default]
    Unread,
    /// It is the one that was looked at before, by the same identity.
    Same,
    /// There is no envelope for this panel, which learns no more than that.
    NotEntitled {
        /// Whom it was looked for (`age1…`).
        recipient: String,
    },
    /// It was read.
    Read {
        /// By whom (`age1…`).
        recipient: String,
        /// The documents that are under embargo now.
        documents: Vec<IndexEntry>,
        /// What their corrections bring, and the keys to it.
        payloads: Vec<SealedPayload>,
    },
}

/// Why a run ended without an outcome.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WorkflowError {
    /// Something is not believed.
    #[error("verification of the feed failed: {0}")]
    Refused(#[from] TrustError),
    /// A file that the feed must have is not there.
    #[error("the feed lacks the required file {path}")]
    Missing {
        /// The file.
        path: FeedPath,
    },
    /// More roots than one run steps over.
    #[error(
        "the chain of roots is longer than one sync processes; continuing after root {reached} with the next sync"
    )]
    LongChain {
        /// The newest that is trusted now.
        reached: u64,
    },
    /// An answer to a question that was not asked.
    #[error("{path} was not requested")]
    Unasked {
        /// The file.
        path: FeedPath,
    },
}
