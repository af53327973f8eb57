//! What is overdue: the policy promises quick answers, and this counts the days.

use std::{
    io,
    path::{Path, PathBuf},
};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::{
    case::Case,
    state_machine::{State, TransitionError},
};

/// How many days each step may take. A team writes what differs into `cases/deadlines.toml`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Deadlines {
    /// From the report to the answer.
    pub acknowledge_days: u32,
    /// From the answer to a flaw that is reproduced, or a rejection.
    pub verify_days: u32,
    /// From there to the beginning of the work.
    pub start_days: u32,
    /// From there to a solution.
    pub correct_days: u32,
    /// From there to a copy for the finder.
    pub review_days: u32,
    /// From a copy to their answer.
    pub answer_days: u32,
    /// From their answer to the broadcast.
    pub broadcast_days: u32,
    /// From the broadcast to the disclosure.
    pub disclose_days: u32,
    /// From a step to the finder's being told of it.
    pub tell_days: u32,
    /// From one word to the finder to the next, whatever happens.
    pub silence_days: u32,
}

impl Default for Deadlines {
    fn default() -> Self {
        Self {
            acknowledge_days: 3,
            verify_days: 14,
            start_days: 7,
            correct_days: 60,
            review_days: 7,
            answer_days: 14,
            broadcast_days: 7,
            disclose_days: 90,
            tell_days: 3,
            silence_days: 30,
        }
    }
}

/// Why the deadlines cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum DeadlinesError {
    /// The file.
    #[error("cannot read the deadlines {}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: io::Error,
    },
    /// A field; the message shows line and column.
    #[error("cannot parse the deadlines {}:\n{source}", path.display())]
    Field {
        /// The file.
        path: PathBuf,
        /// What is wrong, with the line.
        source: Box<toml::de::Error>,
    },
}

/// Something that ought to have been done by now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Overdue {
    /// The case.
    pub case: String,
    /// What is to be done.
    pub what: &'static str,
    /// The command that says that it was.
    pub command: &'static str,
    /// By when it was to be done.
    pub due: Timestamp,
    /// How many days ago that was; none if it is less than one.
    pub days: i64,
}

impl Deadlines {
    /// Reads the file if it is there; the defaults hold for what it does not say.
    pub fn load(path: &Path) -> Result<Self, DeadlinesError> {
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Self::default()),
            Err(source) => {
                return Err(DeadlinesError::File {
                    path: path.to_owned(),
                    source,
                });
            }
        };
        toml::from_str(&text).map_err(|source| DeadlinesError::Field {
            path: path.to_owned(),
            source: Box::new(source),
        })
    }

    /// What of a case is overdue at `now`, the oldest first.
    ///
    /// A clock that is behind the case cannot tell, and says so.
    pub fn overdue(&self, case: &Case, now: Timestamp) -> Result<Vec<Overdue>, TransitionError> {
        let status = case.status();
        if now < status.last() {
            return Err(TransitionError::Clock {
                at: now,
                last: status.last(),
            });
        }
        let state = status.state();
        let mut found = Vec::new();
        let mut due = |from: Timestamp, days: u32, what, command| {
            let due = from
                .saturating_add(days_long(days))
                .unwrap_or(Timestamp::MAX);
            if due < now {
                found.push(Overdue {
                    case: case.id().to_string(),
                    what,
                    command,
                    due,
                    days: now.duration_since(due).as_hours() / 24,
                });
            }
        };
        if let Some((days, what, command)) = self.next_step(case) {
            due(status.waiting_since(), days, what, command);
        }
        if case.is_reachable() {
            if let Some(from) = status.untold_since() {
                due(
                    from,
                    self.tell_days,
                    "tell the finder of the last step",
                    "told",
                );
            }
            if !state.is_closed() && state != State::Reported {
                let from = status.last_told().unwrap_or(case.entries()[0].at);
                due(
                    from,
                    self.silence_days,
                    "tell the finder how it goes",
                    "told",
                );
            }
        }
        found.sort_by_key(|one| one.due);
        Ok(found)
    }

    /// What has to follow on where a case stands, and within how many days.
    fn next_step(&self, case: &Case) -> Option<(u32, &'static str, &'static str)> {
        let status = case.status();
        Some(match status.state() {
            State::Reported => (self.acknowledge_days, "answer the finder", "acknowledge"),
            State::Acknowledged => (self.verify_days, "reproduce it and sort it", "verify"),
            State::Verified => (self.start_days, "begin to work on a solution", "start"),
            State::InWork => (self.correct_days, "find a solution", "correct"),
            State::Corrected if case.is_reachable() => {
                (self.review_days, "ask the finder to review", "review")
            }
            State::InReview if status.is_awaiting_review() => {
                (self.answer_days, "get the finder's answer", "answer")
            }
            State::Corrected | State::InReview => {
                (self.broadcast_days, "broadcast it in private", "broadcast")
            }
            State::Broadcast => (self.disclose_days, "disclose it in public", "disclosed"),
            State::Rejected | State::Disclosed => return None,
        })
    }
}

fn days_long(days: u32) -> SignedDuration {
    SignedDuration::from_hours(24 * i64::from(days))
}
