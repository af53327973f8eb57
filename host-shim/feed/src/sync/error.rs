//! Why a sync changed nothing.

use std::time::Duration;

use spacecp_contract::{Digest, FeedPath};
use spacecp_store::StoreError;
use spacecp_trust::{TrustError, workflow::WorkflowError};

use crate::fetch::FetchError;

/// Why a sync changed nothing.
#[derive(Debug, thiserror::Error)]
pub enum SyncError {
    /// The feed gave nothing.
    #[error(transparent)]
    Fetch(#[from] FetchError),
    /// What it gave is not believed.
    #[error("verification of the feed failed: {0}")]
    Trust(#[from] TrustError),
    /// A file that the feed must have is not there.
    #[error("the feed lacks the required file {path}")]
    Missing {
        /// The file.
        path: FeedPath,
    },
    /// More roots than one sync steps over.
    #[error(
        "the chain of roots is longer than one sync processes; continuing after root {reached} with the next sync"
    )]
    LongChain {
        /// The newest that is trusted now.
        reached: u64,
    },
    /// A mirror that gave less than the least pace of a whole sync. What came is kept.
    #[error(
        "only {verified} verified bytes within the time limit of {} s for one mirror (slow retrieval); keeping them and trying the next mirror", allowed.as_secs_f32()
    )]
    TooSlow {
        /// Bytes that were verified.
        verified: u64,
        /// The time allowed.
        allowed: Duration,
    },
    /// No mirror gave news that is believed.
    #[error("every mirror was rejected:{}", listed(.0))]
    Mirrors(Vec<(String, SyncError)>),
    /// The pinned root is not the one that trust began with.
    #[error(
        "the root pinned in the configuration (fingerprint {pinned}) differs from the trusted root {version} (fingerprint {stored}). If the feed was started anew, run \"spacecp-advisories trust reset\""
    )]
    PinChanged {
        /// Which root.
        version: u64,
        /// The fingerprint in the configuration.
        pinned: Digest,
        /// That of the one in the store.
        stored: Digest,
    },
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl SyncError {
    /// Whether something was refused for what it is, and not just out of reach.
    pub fn is_refusal(&self) -> bool {
        match self {
            Self::Trust(_) | Self::PinChanged { .. } => true,
            Self::Mirrors(errors) => errors.iter().any(|(_, error)| error.is_refusal()),
            _ => false,
        }
    }

    /// Whether another mirror could do better.
    pub(super) fn is_the_mirrors(&self) -> bool {
        !matches!(
            self,
            Self::Store(_) | Self::PinChanged { .. } | Self::LongChain { .. }
        )
    }
}

impl From<WorkflowError> for SyncError {
    fn from(error: WorkflowError) -> Self {
        match error {
            WorkflowError::Refused(error) => Self::Trust(error),
            WorkflowError::LongChain { reached } => Self::LongChain { reached },
            WorkflowError::Missing { path } | WorkflowError::Unasked { path } => {
                Self::Missing { path }
            }
        }
    }
}

fn listed(errors: &[(String, SyncError)]) -> String {
    let lines = errors.iter();
    lines.fold(String::new(), |lines, (address, error)| {
        lines + "\n  " + address + ": " + &error.to_string()
    })
}
