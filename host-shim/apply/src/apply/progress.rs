//! How far an application has come, for whoever waits for it.
//!
//! May not: hold an application up, or stop it.

use super::journal::{Entry, State};

/// Receives the progress of an application.
pub trait Progress: Send + Sync {
    /// The steps that there will be, in their order: a component that is neither stopped nor started has fewer.
    fn steps(&self, steps: &[&'static str]) {
        let _ = steps;
    }
    /// A step has begun; the words are those of the journal, as `staged`.
    fn step(&self, step: &str);
    /// So many of so many files of this step are done.
    fn files(&self, done: u64, of: u64);
}

impl Progress for () {
    fn step(&self, _: &str) {}
    fn files(&self, _: u64, _: u64) {}
}

/// The steps of an application of these entries, in their order.
pub(super) fn steps_of(entries: &[&Entry]) -> Vec<&'static str> {
    let restarts = entries.iter().any(|entry| entry.restarts);
    let has_health = entries.iter().any(|entry| entry.health.is_some());
    let all = [
        (true, "fetched"),
        (true, State::Staged.word()),
        (true, State::Verified.word()),
        (restarts, State::Stopped.word()),
        (true, State::Swapped.word()),
        (restarts, State::Started.word()),
        (has_health, State::Healthy.word()),
        (true, State::Committed.word()),
    ];
    taken(&all)
}

/// The steps of taking an application back.
pub(super) fn steps_back(entry: &Entry) -> Vec<&'static str> {
    let all = [
        (entry.owes_start, State::Stopped.word()),
        (true, State::RollingBack.word()),
        (entry.owes_start, State::Started.word()),
        (true, State::RolledBack.word()),
    ];
    taken(&all)
}

fn taken(all: &[(bool, &'static str)]) -> Vec<&'static str> {
    let taken = all.iter().filter(|(is_taken, _)| *is_taken);
    taken.map(|(_, step)| *step).collect()
}
