//! What a connection is doing, as its own task notes it and the accepting loop reads it.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

/// Whether a connection waits, and since when.
///
/// It waits for its client, or for the turn of its request, unless a request is being answered; and while an answer
/// is being sent that the client does not read. Only such a connection may be closed to make room for another one:
/// else requests that wait for each other's turn would keep everybody out.
#[derive(Debug)]
pub(crate) struct Activity {
    opened: Instant,
    answering: AtomicBool,
    write_blocked: AtomicBool,
    /// Milliseconds after `opened` at which a byte last came or went.
    last_progress: AtomicU64,
}

impl Activity {
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self {
            opened: Instant::now(),
            answering: AtomicBool::new(false),
            write_blocked: AtomicBool::new(false),
            last_progress: AtomicU64::new(0),
        })
    }

    /// A byte came or went.
    pub(super) fn progress(&self) {
        let since_opened = self.opened.elapsed().as_millis();
        let since_opened = u64::try_from(since_opened).unwrap_or(u64::MAX);
        self.last_progress.store(since_opened, Ordering::Relaxed);
    }

    pub(super) fn set_write_blocked(&self, blocked: bool) {
        self.write_blocked.store(blocked, Ordering::Relaxed);
    }

    /// The request has come, and it is its turn: it is being answered from now on.
    pub(crate) fn answering(&self) {
        self.answering.store(true, Ordering::Relaxed);
    }

    /// Since when the connection has waited; none while a request of it is being answered.
    pub(super) fn waiting_since(&self) -> Option<Instant> {
        let answering = self.answering.load(Ordering::Relaxed);
        if answering && !self.write_blocked.load(Ordering::Relaxed) {
            return None;
        }
        let last = Duration::from_millis(self.last_progress.load(Ordering::Relaxed));
        Some(self.opened + last)
    }
}

/// Marks a request as done when this is dropped: held by the body of the answer.
#[derive(Debug)]
pub(super) struct Answering(pub(super) Arc<Activity>);

impl Drop for Answering {
    fn drop(&mut self) {
        self.0.answering.store(false, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connection_waits_but_while_a_request_is_answered() {
        let activity = Activity::new();
        assert!(activity.waiting_since().is_some(), "before its turn");
        activity.answering();
        assert_eq!(activity.waiting_since(), None, "it is answered");
        activity.set_write_blocked(true);
        assert!(activity.waiting_since().is_some(), "the answer is not read");
        activity.set_write_blocked(false);
        assert_eq!(activity.waiting_since(), None, "it is read again");
        drop(Answering(activity.clone()));
        assert!(activity.waiting_since().is_some(), "it was sent");
    }
}
