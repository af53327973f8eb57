//! What applying a correction would do, as found just now. Reads only.

use std::path::Path;

use sha2::{Digest as _, Sha256};
use spacecp_contract::{Correction, Digest, FileChange, Restart};

use super::{
    ApplyError, Change, Plan, PlannedFile, disk::Disk, error::Doing, folder::Folder, preflight,
};
use crate::{
    control::Control,
    inventory::{Component, Inventory},
    streamed,
};

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
    /// The application that is under way here, if one is.
    pub(super) under_way: Option<String>,
    /// What can be stopped, started and looked at.
    pub(super) control: &'a dyn Control,
    /// Whether another process can go on while the panel is stopped.
    pub(super) watched: bool,
}

/// Compares the correction with the live tree and looks for what stands in the way.
#[tracing::instrument(name = "plan", skip_all, fields(correction = %correction.id))]
pub(super) fn plan(
    correction: &Correction,
    component: &Component,
    inventory: &Inventory,
    under_way: Option<String>,
    control: &dyn Control,
    watched: bool,
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
            format!("its version is not known: {problem}"),
        )
    })?;
    let live = correction
        .files
        .iter()
        .map(|file| look(&component.folder, file))
        .collect();
    let situation = Situation {
        correction,
        component,
        inventory,
        live,
        under_way,
        control,
        watched,
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
        restarts: correction.restart != Restart::None && control.can_restart(&component.name),
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

/// What lies at a path; no link is followed, on the way or there.
pub(super) fn look(folder: &Path, file: &FileChange) -> Live {
    look_within(folder, file).unwrap_or(Live::Unreadable)
}

fn look_within(folder: &Path, file: &FileChange) -> Result<Live, ApplyError> {
    let mut folder = Folder::open(&Disk::default(), folder)?;
    let mut parts = file.path.as_path().iter().peekable();
    while let Some(part) = parts.next() {
        let is_last = parts.peek().is_none();
        match folder.look(part)? {
            None => return Ok(Live::Missing),
            Some(there) if there.is_file() && is_last => {
                let mut file = folder.open_file(part)?;
                let digest = streamed::digest_of(&mut file).doing("read", folder.path_of(part))?;
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
