//! The least pace of a whole sync from one mirror.
//!
//! Each file has a limit of its own ([`Patience::document`]); a mirror that stays just within it, file after
//! file, would hold a sync for hours. What has come by the deadline is kept, and the next mirror is asked.

use std::{future::Future, time::Duration};

use tokio::time::{Instant, timeout_at};

use super::SyncError;
use crate::fetch::{Patience, Source};

/// How long a sync from one mirror may go on, as it goes on.
pub(super) struct Pace {
    began: Instant,
    /// None for what is on this machine, which takes as long as it takes.
    patience: Option<Patience>,
    verified: u64,
    /// Bytes that files which are on their way may have.
    under_way: u64,
}

impl Pace {
    pub(super) fn of(source: &Source) -> Self {
        Self {
            began: Instant::now(),
            patience: source.patience(),
            verified: 0,
            under_way: 0,
        }
    }

    /// Takes note of a file that was asked for and may have so many bytes: a long one is given its time.
    pub(super) fn asked(&mut self, limit: u64) {
        self.under_way = self.under_way.saturating_add(limit);
    }

    /// Takes note of its answer, whatever it is.
    pub(super) fn answered(&mut self, limit: u64) {
        self.under_way = self.under_way.saturating_sub(limit);
    }

    /// Takes note of bytes that could be used. Others buy no time.
    pub(super) fn verified(&mut self, bytes: usize) {
        self.verified = self.verified.saturating_add(bytes as u64);
    }

    /// What this comes to, unless it does not come in time.
    pub(super) async fn within<T>(&self, work: impl Future<Output = T>) -> Result<T, SyncError> {
        let Some(allowed) = self.allowed() else {
            return Ok(work.await);
        };
        let too_slow = || SyncError::TooSlow {
            verified: self.verified,
            allowed,
        };
        let Some(deadline) = self.began.checked_add(allowed) else {
            return Ok(work.await);
        };
        // What is there already counts no more once the time is over: there may always be something.
        if Instant::now() >= deadline {
            return Err(too_slow());
        }
        timeout_at(deadline, work).await.map_err(|_| too_slow())
    }

    fn allowed(&self) -> Option<Duration> {
        let bytes = self.verified.saturating_add(self.under_way);
        Some(self.patience?.for_sync(bytes))
    }
}
