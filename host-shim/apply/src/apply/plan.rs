//! What applying a correction would do, as found just now. Reads only.

use std::{ffi::OsStr, fs::File, path::Path};

use sha2::{Digest as _, Sha256};
use spacecp_contract::{Correction, Digest, FileChange, Restart};

use super::{
    ApplyError, Change, Plan, PlannedFile, disk::Disk, error::Doing, folder::Folder, preflight,
    workspaces::Workspaces,
};
use crate::{
    control::Control,
    inventory::{Component, Inventory},
};
use spacecp_fs::hashing;

/// What lies at a path that a correction names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Live {
    /// Nothing.
    Missing,
    /// A regular file with these contents.
    File(Digest),
    /// A folder, a link, or something else.
    Other,
    /// It cannot be read.
    Unreadable,
}

/// Everything that preflight looks at.
pub(super) struct Situation<'a> {
    pub(super) correction: &'a Correction,
    pub(super) component: &'a Component,
    pub(super) inventory: &'a Inventory,
    /// What lies at each path of the correction, in its order.
    pub(super) live: Vec<Live>,
    /// The component's directory, or why it cannot be opened as one that is no link.
    pub(super) folder: Result<Folder, ApplyError>,
    pub(super) surroundings: &'a Surroundings<'a>,
}

/// What the panel has around a component, as far as preflight looks at it.
pub(super) struct Surroundings<'a> {
    /// The application that is under way here, if one is.
    pub(super) under_way: Option<String>,
    /// What can be stopped, started and looked at.
    pub(super) control: &'a dyn Control,
    /// Whether another process can go on while the panel is stopped.
    pub(super) watched: bool,
    /// Where locks and workspaces are.
    pub(super) workspaces: Workspaces,
}

/// Compares the correction with the live tree and looks for what stands in the way.
#[tracing::instrument(name = "plan", skip_all, fields(correction = %correction.id))]
pub(super) fn plan(
    correction: &Correction,
    component: &Component,
    inventory: &Inventory,
    surroundings: &Surroundings<'_>,
) -> Result<Plan, ApplyError> {
    if component.advisory_name != correction.component {
        return Err(not_applicable(
            correction,
            component,
            format!("it is for {}", correction.component),
        ));
    }
    let version = component.version.as_ref().map_err(|problem| {
        not_applicable(
            correction,
            component,
            format!("installed version unknown: {problem}"),
        )
    })?;
    let folder = Folder::open(&Disk::default(), &component.folder);
    let situation = Situation {
        correction,
        component,
        inventory,
        live: look(&folder, correction),
        folder,
        surroundings,
    };
    let findings = preflight::run(&situation);
    let mut plan = Plan {
        digest: Digest::of(&[]),
        correction: correction.id.clone(),
        revision: correction.revision,
        component: component.name.clone(),
        from: version.clone(),
        to: correction.to.clone(),
        files: correction.files.iter().map(planned).collect(),
        download: correction.download(),
        restart: correction.restart,
        restarts: correction.restart != Restart::None
            && surroundings.control.can_restart(&component.name),
        health: correction.health.clone(),
        findings,
        differences: Vec::new(),
    };
    plan.digest = digest(&plan, &situation.live);
    Ok(plan)
}

/// Names the plan: everything that it says, and what lies there now.
fn digest(plan: &Plan, live: &[Live]) -> Digest {
    let mut hash = Sha256::new();
    // Free space and the like change from moment to moment and are found anew; they are not what
    // was decided about.
    let decided = (
        &plan.correction,
        plan.revision,
        &plan.component,
        &plan.from,
        &plan.to,
        &plan.files,
        plan.restarts,
    );
    hash.update(serde_json::to_vec(&decided).expect("a plan holds texts and numbers only"));
    let words: Vec<(&str, &str)> = plan
        .warnings()
        .map(|finding| (finding.check.as_str(), finding.found.as_str()))
        .collect();
    hash.update(serde_json::to_vec(&words).expect("texts only"));
    for live in live {
        match live {
            Live::File(digest) => hash.update(digest.as_bytes()),
            Live::Missing => hash.update(b"missing"),
            Live::Other => hash.update(b"other"),
            Live::Unreadable => hash.update(b"unreadable"),
        }
    }
    Digest::from_bytes(hash.finalize().into())
}

/// What lies at each path of a correction, in its order.
pub(super) fn look(folder: &Result<Folder, ApplyError>, correction: &Correction) -> Vec<Live> {
    let files = correction.files.iter();
    let look = |file: &FileChange| {
        let folder = folder.as_ref().ok()?;
        look_in(folder, file.path.as_path()).ok()
    };
    files
        .map(|file| look(file).unwrap_or(Live::Unreadable))
        .collect()
}

/// What lies at a path of a tree; no link is followed, on the way or there.
pub(super) fn look_in(tree: &Folder, path: &Path) -> Result<Live, ApplyError> {
    look_with(tree, path, |folder, name| folder.open_file(name).map(Some))
}

/// The same without waiting for a lease: a file on which somebody holds one is another than any that is known.
pub(super) fn look_unless_leased(tree: &Folder, path: &Path) -> Result<Live, ApplyError> {
    look_with(tree, path, Folder::open_unless_leased)
}

fn look_with(
    tree: &Folder,
    path: &Path,
    open: impl Fn(&Folder, &OsStr) -> Result<Option<File>, ApplyError>,
) -> Result<Live, ApplyError> {
    let mut folder = tree.again()?;
    let mut parts = path.iter().peekable();
    while let Some(part) = parts.next() {
        let is_last = parts.peek().is_none();
        match folder.look(part)? {
            None => return Ok(Live::Missing),
            Some(there) if there.is_file() && is_last => {
                let Some(mut file) = open(&folder, part)? else {
                    return Ok(Live::Other);
                };
                let digest = hashing::digest_of(&mut file).doing("read", folder.path_of(part))?;
                return Ok(Live::File(digest));
            }
            Some(there) if there.is_folder() && !is_last => folder = folder.enter(part)?,
            Some(_) => return Ok(Live::Other),
        }
    }
    Ok(Live::Other)
}

fn planned(file: &FileChange) -> PlannedFile {
    PlannedFile {
        path: file.path.clone(),
        change: match (&file.before, &file.after) {
            (None, _) => Change::Added,
            (Some(_), Some(_)) => Change::Changed,
            (Some(_), None) => Change::Removed,
        },
        size: file.after.map_or(0, |after| after.size),
    }
}

fn not_applicable(correction: &Correction, component: &Component, reason: String) -> ApplyError {
    ApplyError::NotApplicable {
        correction: correction.id.to_string(),
        component: component.name.clone(),
        reason,
    }
}

#[cfg(test)]
mod tests {
    use spacecp_contract::{Blob, FileState, TreePath};

    use super::*;
    use crate::apply::{Finding, Gravity};

    fn plan() -> Plan {
        Plan {
            digest: Digest::of(&[]),
            correction: "SPACECP-SC-2026-0001".parse().expect("an id"),
            revision: 1,
            component: "houston".to_owned(),
            from: "1.0.0".to_owned(),
            to: "2.0.0".to_owned(),
            files: vec![planned(&file(None, Some(3)))],
            download: 0,
            restart: Restart::Component,
            restarts: true,
            health: None,
            findings: Vec::new(),
            differences: Vec::new(),
        }
    }

    fn file(before: Option<&[u8]>, size: Option<u64>) -> FileChange {
        let after = |size| FileState {
            digest: Digest::of(b"new"),
            size,
            mode: 0o644,
            blob: Blob {
                digest: Digest::of(b"compressed"),
                length: 10,
            },
        };
        FileChange {
            path: TreePath::new("lib/a.js").expect("a path"),
            before: before.map(Digest::of),
            after: size.map(after),
        }
    }

    fn found(gravity: Gravity) -> Finding {
        Finding {
            check: "disk-space".to_owned(),
            gravity,
            found: "something".to_owned(),
            remedy: None,
        }
    }

    #[test]
    fn what_was_decided_about_changes_the_digest_of_a_plan() {
        type Change = fn(&mut Plan);
        let changes: [Change; 8] = [
            |plan| plan.correction = "SPACECP-SC-2026-0002".parse().expect("an id"),
            |plan| plan.revision = 2,
            |plan| plan.component = "panel".to_owned(),
            |plan| plan.from = "1.0.1".to_owned(),
            |plan| plan.to = "2.0.1".to_owned(),
            |plan| plan.files.clear(),
            |plan| plan.restarts = false,
            |plan| plan.findings.push(found(Gravity::Warning)),
        ];
        let live = [Live::Missing];
        let before = digest(&plan(), &live);
        for (place, change) in changes.into_iter().enumerate() {
            let mut other = plan();
            change(&mut other);
            assert_ne!(digest(&other, &live), before, "{place}");
        }
    }

    #[test]
    fn what_changes_from_moment_to_moment_does_not_change_the_digest_of_a_plan() {
        let before = digest(&plan(), &[Live::Missing]);
        let mut other = plan();
        other.findings.push(found(Gravity::Information));
        other.findings.push(found(Gravity::Obstacle));
        other.download = 7;
        assert_eq!(digest(&other, &[Live::Missing]), before);
    }

    #[test]
    fn what_lies_there_changes_the_digest_of_a_plan() {
        let states = [
            Live::Missing,
            Live::Other,
            Live::Unreadable,
            Live::File(Digest::of(b"one")),
            Live::File(Digest::of(b"other")),
        ];
        let digests = states.map(|live| digest(&plan(), &[live]));
        let different: std::collections::BTreeSet<_> = digests.into_iter().collect();
        assert_eq!(different.len(), states.len());
    }

    #[test]
    fn a_file_is_added_changed_or_removed() {
        let change = |before, size| {
            let planned = planned(&file(before, size));
            (planned.change, planned.size)
        };
        assert_eq!(change(None, Some(3)), (Change::Added, 3));
        assert_eq!(change(Some(b"old"), Some(3)), (Change::Changed, 3));
        assert_eq!(change(Some(b"old"), None), (Change::Removed, 0));
    }
}
