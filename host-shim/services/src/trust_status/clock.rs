//! What this panel remembers of the time, and the way out after a clock that was ahead once.
//!
//! Forgetting is for an administrator at this machine alone: no page and no token reaches it.

use jiff::Timestamp;

use super::Trust;
use crate::{
    ServiceError,
    audit::{self, Event, What},
    store::{ClockMemory, IncidentKind},
};

impl Trust {
    /// What is remembered of the time.
    pub async fn clock(&self) -> Result<ClockMemory, ServiceError> {
        Ok(self.state.store().clock().await?)
    }

    /// Forgets every remembered time that lies ahead of `now`, and what was seen expired by then. Refused
    /// where the clock is not behind what is remembered: then nothing that expired did so by mistake. `by`
    /// is kept.
    pub async fn reset_clock(&self, by: &str, now: Timestamp) -> Result<ClockMemory, ServiceError> {
        let store = self.state.store();
        let memory = store.clock().await?;
        let furthest = memory.furthest();
        if furthest <= now {
            return Err(ServiceError::ClockNotBehind { now, furthest });
        }
        // First, so that nothing is ever forgotten unrecorded.
        let event = Event {
            from: Some(furthest.to_string()),
            to: Some(now.to_string()),
            reason: Some(forgotten(&memory, now).join("; ")),
            ..Event::new(What::ClockReset, by)
        };
        audit::record(store, &event, now).await?;
        store.reset_clock(now).await?;
        let words = format!("{by} reset the recorded time from {furthest} to {now}");
        store.note(IncidentKind::Reset, &words, now).await?;
        tracing::warn!(by, %furthest, "recorded times reset");
        Ok(memory)
    }
}

/// What [`Trust::reset_clock`] forgets at `now`, a line each; nothing where the clock is not behind.
pub fn forgotten(memory: &ClockMemory, now: Timestamp) -> Vec<String> {
    let mut lines = Vec::new();
    if memory.latest > now {
        let latest = memory.latest;
        lines.push(format!("latest time of a decision: {latest}"));
    }
    let Some(seen) = memory.seen.filter(|seen| *seen > now) else {
        return lines;
    };
    if let Some(root) = memory.expired.root {
        lines.push(format!("root {root} was seen expired at {seen}"));
    }
    if let Some(head) = memory.expired.head {
        lines.push(format!(
            "heads up to sequence {} were seen expired at {seen}",
            head.sequence
        ));
    }
    lines
}
