//! Why a sync changed nothing.

use spacecp_contract::{Digest, FeedPath};

use crate::{
    fetch::FetchError,
    store::StoreError,
    trust::{TrustError, workflow::WorkflowError},
};

/// Why a sync changed nothing.
#[derive(Debug, thiserror::Error)]
pub enum SyncError {
    /// The feed gave nothing.
    #[error(transparent)]
    Fetch(#[from] FetchError),
    /// What it gave is not believed.
    #[error("the feed offered something that this panel refuses: {0}")]
    Trust(#[from] TrustError),
    /// A file that the feed must have is not there.
    #[error("the feed does not have {path}, which it must have")]
    Missing {
        /// The file.
        path: FeedPath,
    },
    /// More roots than one sync steps over.
    #[error("the chain of roots goes on beyond root {reached}; the next sync goes on from there")]
    LongChain {
        /// The newest that is trusted now.
        reached: u64,
    },
    /// No mirror gave news that is believed.
    #[error("no mirror has news that this panel believes:{}", listed(.0))]
    Mirrors(Vec<(String, SyncError)>),
    /// The pinned root is not the one that trust began with.
    #[error(
        "the root pinned in the configuration (fingerprint {pinned}) is not the root {version} that this panel has trusted so far (fingerprint {stored}); if the feed really begins anew, say \"spacecp-advisories trust reset\""
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
