//! When the next run is due. Pure: it is told the time and what was promised.
//!
//! A panel that is switched off while a window is open misses it. Nothing is made up for outside a
//! window: the run comes in the next one and says which it missed.

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use crate::policy::InForce;

/// What is remembered about runs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Agenda {
    /// When the last run began.
    pub last: Option<Timestamp>,
    /// When the next window opens, as was promised while it was closed.
    pub announced: Option<Timestamp>,
    /// The first window that was promised and went by without a run.
    pub missed: Option<Timestamp>,
}

/// What the scheduler has to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Wake {
    /// Nothing: automatic application is off, or no window ever opens.
    Never,
    /// Nothing before this.
    At(Timestamp),
    /// A run, now.
    Now {
        /// The missed window that it makes up for.
        late_since: Option<Timestamp>,
    },
}

impl Agenda {
    /// What to do at `now`, and what to remember. Within a window runs follow each other at
    /// `interval`.
    pub fn look(self, rules: &InForce, interval: SignedDuration, now: Timestamp) -> (Wake, Self) {
        if !rules.policy.automatic {
            return (
                Wake::Never,
                Self {
                    announced: None,
                    missed: None,
                    ..self
                },
            );
        }
        let agenda = self.without_broken_promises(rules, now);
        let policy = &rules.policy;
        // What is known to be exploited may not wait for a window, so it has to be looked for.
        let looks_always = policy.known_exploited_at_once && policy.known_exploited_skips_windows;
        let opening = rules.hours.opening(now);
        if !rules.hours.is_open(now) && !looks_always {
            let next = rules.hours.first_open(now);
            let agenda = Self {
                announced: next,
                ..agenda
            };
            return (next.map_or(Wake::Never, Wake::At), agenda);
        }
        // A last run that lies ahead is a clock that went back.
        let last = agenda.last.filter(|last| *last <= now);
        let again = last.and_then(|last| last.checked_add(interval).ok());
        let first_of_opening =
            opening.is_some_and(|opening| last.is_none_or(|last| last < opening.begin));
        match again.filter(|again| *again > now && !first_of_opening) {
            Some(again) => (Wake::At(again), agenda),
            None => (
                Wake::Now {
                    late_since: agenda.missed,
                },
                agenda,
            ),
        }
    }

    /// Takes note of a window that was promised, has opened, and is over without a run.
    fn without_broken_promises(self, rules: &InForce, now: Timestamp) -> Self {
        let Some(promised) = self.announced.filter(|promised| *promised <= now) else {
            return self;
        };
        let kept = self.last.is_some_and(|last| last >= promised);
        let still_open = rules
            .hours
            .opening(now)
            .is_some_and(|opening| opening.begin <= promised);
        Self {
            announced: None,
            missed: if kept || still_open {
                self.missed
            } else {
                self.missed.or(Some(promised))
            },
            ..self
        }
    }

    /// What to remember of a run that begins at `now`.
    #[must_use]
    pub fn begun(self, now: Timestamp) -> Self {
        Self {
            last: Some(now),
            announced: None,
            missed: None,
        }
    }
}
