//! Marks verdicts by what still runs: a component that is fixed on disk is not fixed while the version from before runs.
//!
//! Which processes these are is said by the panel; whether what they run was affected is judged here.

use crate::{
    bindings::{
        exports::spacecp::advisories::exposure::{Mark, Status, Verdict},
        spacecp::advisories::inventory::{Component, Process},
    },
    exposure::{Installed, Statement},
};

/// Processes that are named one by one in a reason.
const MOST_NAMED: usize = 3;

/// The status that a verdict counts as, with its mark taken into account.
pub(crate) fn counted(verdict: &Verdict) -> Status {
    match verdict.mark {
        None => verdict.status,
        Some(Mark::RestartPending | Mark::Compromised) => Status::Affected,
        Some(Mark::RestartUnknown) if verdict.status == Status::Affected => Status::Affected,
        Some(Mark::RestartUnknown) => Status::Unknown,
    }
}

/// The mark of a verdict with this status, and what to say of it; none where what runs is what was judged, or is no
/// better.
pub(crate) fn mark(
    statement: &Statement,
    component: &Component,
    status: Status,
) -> Option<(Mark, String)> {
    let running = component.running.as_ref()?;
    if !matches!(status, Status::Fixed | Status::NotAffected) {
        return None;
    }
    let was_affected = |process: &&Process| match &process.version {
        Some(version) => {
            let ran = Installed::new(&component.advisory_name, version);
            let judged = statement.judge(Some(&ran)).status;
            judged == Status::Affected || judged == Status::Unknown && status == Status::Fixed
        }
        None => status == Status::Fixed,
    };
    let outdated: Vec<&Process> = running.processes.iter().filter(was_affected).collect();
    if !outdated.is_empty() {
        return Some((Mark::RestartPending, named(&outdated)));
    }
    let undecided = running.undecided.as_ref()?;
    (status == Status::Fixed).then(|| {
        let reason = format!("whether an earlier version still runs is unknown: {undecided}");
        (Mark::RestartUnknown, reason)
    })
}

fn named(outdated: &[&Process]) -> String {
    let mut named: Vec<String> = outdated
        .iter()
        .take(MOST_NAMED)
        .map(|one| short(one))
        .collect();
    if outdated.len() > MOST_NAMED {
        named.push(format!("{} more", outdated.len() - MOST_NAMED));
    }
    let runs = if outdated.len() == 1 { "runs" } else { "run" };
    format!("{} still {runs} from before the change", named.join(", "))
}

/// A process in a few words, with the version that it runs where that is known.
pub(crate) fn short(process: &Process) -> String {
    // The kernel is no process, and has no number.
    if process.pid == 0 {
        return process.name.clone();
    }
    let version = match &process.version {
        Some(version) => format!(", version {version}"),
        None => String::new(),
    };
    format!(
        "process {} ({}{version}, user {})",
        process.pid, process.name, process.user
    )
}
