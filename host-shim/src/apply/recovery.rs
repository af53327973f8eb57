//! Which tree is live, and bringing an exchange to its end.
//!
//! Everything here is safe to repeat: a crash during recovery is recovered from in the same way.

use std::{ffi::OsStr, io, os::unix::fs::MetadataExt, path::Path};

use super::{
    ApplyError, Exchange,
    carry::{self, carry},
    disk::Disk,
    error::Doing,
    exchange,
    journal::Entry,
    place::{GOING, NEW_FOLDER, PAYLOAD, Place, START_TIE, STOP_TIE, TREE, around},
    steps::NoFaults,
};

/// Which of the two trees is in the component's place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LiveTree {
    Old,
    New,
}

/// The place of an application, if it has a workspace.
pub(super) fn place(disk: &Disk, entry: &Entry) -> Result<Option<Place>, ApplyError> {
    Place::find(disk, &entry.folder, &entry.workspace)
}

/// The place of an application that has a tree in its workspace.
pub(super) fn workspace(disk: &Disk, entry: &Entry) -> Result<Place, ApplyError> {
    match place(disk, entry)? {
        Some(place) => Ok(place),
        None => Err(io::Error::from(io::ErrorKind::NotFound)).doing(
            "exchange the component's tree with the one in",
            &entry.workspace,
        ),
    }
}

/// Ends an exchange that was cut off and says which tree is live.
pub(super) fn live_tree(disk: &Disk, entry: &Entry) -> Result<LiveTree, ApplyError> {
    let place = place(disk, entry)?;
    if let Some(place) = &place {
        exchange::settle(place)?;
    }
    let (around, name) = around(disk, &entry.folder)?;
    let live = around.enter(&name)?.itself()?.inode;
    if entry.new_tree == Some(live) {
        return Ok(LiveTree::New);
    }
    let other = match &place {
        Some(place) => place.workspace.look(OsStr::new(TREE))?,
        None => None,
    };
    match (entry.new_tree, other) {
        // The new tree is in neither place, so the one beside the component is the old one. What is
        // in the component's place is somebody else's, and nothing here may be removed for it.
        (Some(new), Some(other)) if other.inode != new => Err(ApplyError::Stranger {
            folder: entry.folder.clone(),
            workspace: entry.workspace.clone(),
        }),
        _ => Ok(LiveTree::Old),
    }
}

/// Brings `wanted` to the component's place, with the run-time data.
pub(super) fn bring(
    disk: &Disk,
    entry: &Entry,
    wanted: LiveTree,
    how: Exchange,
) -> Result<(), ApplyError> {
    let live = live_tree(disk, entry)?;
    if live == wanted && place(disk, entry)?.is_none() {
        return Ok(());
    }
    let place = workspace(disk, entry)?;
    if live != wanted {
        exchange::exchange(how, &place, &NoFaults)?;
    }
    carry(&place, &entry.keep)
}

/// What a tree takes up in bytes, as far as it can be read.
pub(super) fn size(tree: &Path) -> u64 {
    let entries = walkdir::WalkDir::new(tree)
        .into_iter()
        .filter_map(Result::ok);
    let metadata = entries.filter_map(|entry| entry.metadata().ok());
    // Blocks have 512 bytes whatever the file system (stat(2)).
    metadata.map(|metadata| metadata.blocks() * 512).sum()
}

/// Removes what is left beside the component. What cannot be removed is tried again after the next
/// application; it is never a reason to leave this one without an end.
pub(super) fn tidy(disk: &Disk, entry: &Entry) {
    if let Err(error) = clean_up(disk, entry) {
        let id = &entry.application.id;
        tracing::warn!(application = id, %error, "leftovers of an application could not be removed");
    }
}

/// Removes what an application left beside the component, but for what the component wrote.
pub(super) fn clean_up(disk: &Disk, entry: &Entry) -> Result<(), ApplyError> {
    let Some(place) = place(disk, entry)? else {
        return Ok(());
    };
    carry::rescue(&place, &entry.keep)?;
    // In one step it is no tree any more: half of one would look like one to go back to.
    let (tree, going) = (OsStr::new(TREE), OsStr::new(GOING));
    place.workspace.remove_all(going)?;
    if place.workspace.look(tree)?.is_some() {
        place.workspace.rename(tree, &place.workspace, going)?;
        place.workspace.sync()?;
    }
    for name in [PAYLOAD, NEW_FOLDER, GOING, STOP_TIE, START_TIE] {
        place.workspace.remove_all(OsStr::new(name))?;
    }
    // Data that was set aside stays, and keeps the workspace.
    if let Some(name) = entry.workspace.file_name() {
        place.beside.remove_empty(name)?;
    }
    Ok(())
}

/// Removes the payload of an application that needs it no longer.
pub(super) fn drop_payload(disk: &Disk, entry: &Entry) -> Result<(), ApplyError> {
    match place(disk, entry)? {
        Some(place) => {
            place.workspace.remove_all(OsStr::new(PAYLOAD))?;
            place.workspace.remove_all(OsStr::new(NEW_FOLDER))
        }
        None => Ok(()),
    }
}
