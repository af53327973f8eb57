//! What stands in the way of an application, found before anything is written.
//!
//! One check a file; each looks at the situation and says what it found and what to do.

mod already_applied;
mod another_application;
mod at_work;
mod disk_space;
mod health;
mod kept_paths;
mod local_changes;
mod mounts;
mod one_way;
mod requirements;
mod restart;
mod special_files;
mod spelling;
mod version;
mod workspace;
mod writable;

use super::{Finding, Gravity, plan::Situation};

/// One check: looks at the situation and says what it found.
type Check = fn(&Situation<'_>) -> Vec<Found>;

/// Every check, in the order in which findings are shown.
const CHECKS: [(&str, Check); 16] = [
    ("another-application", another_application::check),
    ("already-applied", already_applied::check),
    ("version", version::check),
    ("requirements", requirements::check),
    ("one-way", one_way::check),
    ("restart", restart::check),
    ("at-work", at_work::check),
    ("health", health::check),
    ("writable", writable::check),
    ("workspace", workspace::check),
    ("special-files", special_files::check),
    ("spelling", spelling::check),
    ("mounts", mounts::check),
    ("kept-paths", kept_paths::check),
    ("local-changes", local_changes::check),
    ("disk-space", disk_space::check),
];

/// What a check found, without its name.
pub(super) struct Found {
    gravity: Gravity,
    found: String,
    remedy: Option<String>,
}

fn obstacle(found: impl Into<String>, remedy: impl Into<String>) -> Found {
    Found {
        gravity: Gravity::Obstacle,
        found: found.into(),
        remedy: Some(remedy.into()),
    }
}

fn warning(found: impl Into<String>, remedy: impl Into<String>) -> Found {
    Found {
        gravity: Gravity::Warning,
        found: found.into(),
        remedy: Some(remedy.into()),
    }
}

fn information(found: impl Into<String>, remedy: impl Into<String>) -> Found {
    Found {
        gravity: Gravity::Information,
        found: found.into(),
        remedy: Some(remedy.into()),
    }
}

/// Runs every check.
pub(super) fn run(situation: &Situation<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (check, run) in CHECKS {
        let found = run(situation).into_iter();
        findings.extend(found.map(|found| Finding {
            check: check.to_owned(),
            gravity: found.gravity,
            found: found.found,
            remedy: found.remedy,
        }));
    }
    findings
}

/// Names a few of many paths.
fn some_of(paths: &[&str]) -> String {
    const SHOWN: usize = 5;
    let shown = paths
        .iter()
        .take(SHOWN)
        .copied()
        .collect::<Vec<_>>()
        .join(", ");
    match paths.len().saturating_sub(SHOWN) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}
