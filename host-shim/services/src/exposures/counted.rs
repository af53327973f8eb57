//! What a verdict counts as, once its mark is taken into account.

use crate::plugin::bindings::exports::spacecp::advisories::exposure::{Mark, Status, Verdict};

/// The status that a verdict counts as: a component that is fixed, and of which the version from before still runs,
/// counts as affected until that has ended.
pub fn counted_status(verdict: &Verdict) -> Status {
    match verdict.mark {
        None => verdict.status,
        Some(Mark::RestartPending | Mark::Compromised) => Status::Affected,
        Some(Mark::RestartUnknown) if verdict.status == Status::Affected => Status::Affected,
        Some(Mark::RestartUnknown) => Status::Unknown,
    }
}

/// Whether a verdict counts as affected or unknown: whether somebody has to look at it.
pub fn matters(verdict: &Verdict) -> bool {
    matches!(counted_status(verdict), Status::Affected | Status::Unknown)
}

/// The word for a mark in JSON and on pages.
pub fn mark_word(mark: Mark) -> &'static str {
    match mark {
        Mark::RestartPending => "restart-pending",
        Mark::RestartUnknown => "restart-unknown",
        Mark::Compromised => "compromised",
    }
}
