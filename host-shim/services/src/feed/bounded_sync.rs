//! The sync of a run of automatic application, which never waits for it for long.
//!
//! A run wants the vendor's newest word, and a mirror can be slow for as long as it likes. So the sync goes on
//! by itself, and the run goes on with what is verified: it is good until it expires, and the rules see to that.

use std::{sync::Arc, time::Duration};

use jiff::Timestamp;
use tokio::time::{Instant, timeout_at};

use crate::{ServiceError, state::State};

/// For how long a run waits for the feed: enough for every feed that answers as it should.
const LONGEST: Duration = Duration::from_secs(5);

/// What a run heard from the feed.
pub(crate) enum BoundedSync {
    /// It was asked, and had news or none.
    Well,
    /// It could not be followed.
    Failed(ServiceError),
    /// A sync that went on beyond an earlier run failed, for this reason.
    FailedLate(String),
    /// A sync is under way, this run's or another one, and goes on.
    NotYet,
}

impl BoundedSync {
    /// Begins to ask the feed for news, and waits for them for a while.
    pub(crate) async fn in_time(state: &Arc<State>, now: Timestamp) -> Self {
        let until = Instant::now() + LONGEST;
        // One at a time: runs that follow each other must not pile up syncs that a slow mirror holds.
        let Ok(turn) = timeout_at(until, state.syncing().lock_owned()).await else {
            return Self::NotYet;
        };
        let state = state.clone();
        let mut sync = tokio::spawn(async move {
            let report = Box::pin(state.sync(None, now)).await;
            drop(turn);
            state.events().announce();
            report
        });
        match timeout_at(until, &mut sync).await {
            Ok(Ok(Ok(_))) => Self::Well,
            Ok(Ok(Err(error))) => Self::Failed(error),
            Ok(Err(error)) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
            Ok(Err(_)) | Err(_) => Self::NotYet,
        }
    }

    /// What became of the last sync, for a run that follows one and asks for nothing itself.
    pub(crate) async fn last(state: &State) -> Self {
        match state.store().freshness().await {
            Ok(freshness) => freshness.problem.map_or(Self::Well, Self::FailedLate),
            Err(error) => Self::Failed(error.into()),
        }
    }

    /// What to tell whoever reads what the run did.
    pub(crate) fn problem(&self) -> Option<String> {
        match self {
            Self::Well => None,
            Self::Failed(error) => Some(format!("sync failed: {error}")),
            Self::FailedLate(error) => Some(format!("sync failed: {error}")),
            Self::NotYet => {
                Some("the feed has not answered yet; using the data verified before".to_owned())
            }
        }
    }
}
