//! Does something work in the folder that is not stopped?
//!
//! A process keeps the folder that it works in when another takes its name: what it writes by paths that
//! begin there goes into the old tree. Other users' processes can be seen by root alone; what cannot be
//! seen is not reported.

use std::{collections::BTreeSet, fs, os::unix::fs::MetadataExt, path::Path};

use spacecp_contract::Restart;

use super::{Found, Situation, warning};

pub(super) fn check(situation: &Situation<'_>) -> Vec<Found> {
    let component = situation.component;
    let restarts = situation.correction.restart != Restart::None
        && situation.surroundings.control.can_restart(&component.name);
    if restarts {
        return Vec::new();
    }
    let Ok(held) = &situation.folder else {
        return Vec::new();
    };
    let (Ok(folder), Ok(there)) = (held.real_path(), held.itself()) else {
        return Vec::new();
    };
    let names: Vec<String> = at_work_in(&folder, there.owner.0).into_iter().collect();
    if names.is_empty() {
        return Vec::new();
    }
    vec![warning(
        format!(
            "{} is running in {} and will not be stopped: later writes may go to the old tree",
            names.join(", "),
            folder.display()
        ),
        "Stop it first, or configure how to stop and start it under [component.control].",
    )]
}

/// The programs of the folder's owner that work in it, or in a folder of it.
#[expect(
    clippy::disallowed_methods,
    reason = "what lies in /proc is the kernel's, and nobody can exchange it"
)]
fn at_work_in(folder: &Path, owner: u32) -> BTreeSet<String> {
    let Ok(processes) = fs::read_dir("/proc") else {
        return BTreeSet::new();
    };
    let processes = processes.filter_map(Result::ok).map(|entry| entry.path());
    processes
        .filter(|process| is_anothers(process))
        .filter(|process| fs::metadata(process).is_ok_and(|of| of.uid() == owner))
        .filter(|process| {
            fs::read_link(process.join("cwd")).is_ok_and(|works| works.starts_with(folder))
        })
        .filter_map(|process| name(&process))
        .collect()
}

/// Whether this is a process, and not this one.
fn is_anothers(process: &Path) -> bool {
    let number = process.file_name().and_then(|name| name.to_str());
    let number = number.and_then(|number| number.parse::<u32>().ok());
    number.is_some_and(|number| number != std::process::id())
}

#[expect(clippy::disallowed_methods, reason = "as above")]
fn name(process: &Path) -> Option<String> {
    let name = fs::read_to_string(process.join("comm")).ok()?;
    let plain = name.trim().chars().filter(|letter| !letter.is_control());
    Some(plain.collect())
}
