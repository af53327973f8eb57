//! Which tree is live, and bringing an exchange to its end.
//!
//! Everything here is safe to repeat: a crash during recovery is recovered from in the same way.

use std::{ffi::OsStr, io, path::Path};

use super::{
    ApplyError, Exchange,
    carry::{self, carry},
    disk::Disk,
    error::Doing,
    exchange,
    folder::Folder,
    journal::Entry,
    late_writes,
    place::{
        GOING, NEW_FOLDER, NEW_STAMPS, PAYLOAD, Place, ROLLBACK_STAMPS, SET_ASIDE, STAMPS,
        START_LOCK, STOP_LOCK, TREE, around, tree,
    },
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
    let live = tree(&around, &name)?.itself()?.inode;
    if entry.new_tree == Some(live) {
        return Ok(LiveTree::New);
    }
    let other = match &place {
        Some(place) => place.other()?.map(|other| other.itself()).transpose()?,
        None => None,
    };
    match (entry.new_tree, other) {
        // The new tree is in neither place, so the one beside the component is the old one. What is
        // in the component's place is somebody else's, and nothing here may be removed for it.
        (Some(new), Some(other)) if other.inode != new => Err(ApplyError::Stranger {
            folder: entry.folder.clone(),
            workspace: entry.workspace.clone(),
        }),
        // A workspace stays until its run has ended. Without one, what is in the component's place says nothing
        // of the two trees: they may lie below a mount, and one that came with a copy of the old tree would have
        // a run called undone that is not.
        (Some(_), _) if place.is_none() && !entry.state.is_final() => Err(ApplyError::OutOfSight {
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

/// What the tree in a workspace takes up in bytes, as far as it can be read.
pub(super) fn size(tree: &Folder) -> u64 {
    let mut bytes = 0_u64;
    let walked = tree.walk(Path::new(""), &mut |_, there| {
        let there = there.ok();
        bytes = bytes.saturating_add(there.map_or(0, |there| there.allocated));
        there.is_some()
    });
    if let Err(error) = walked {
        tracing::debug!(error = error.for_log(), "cannot read an old tree");
    }
    bytes
}

/// Sets aside the whole tree in the workspace.
pub(super) fn set_tree_aside(disk: &Disk, entry: &Entry) -> Result<(), ApplyError> {
    let tree = OsStr::new(TREE);
    match place(disk, entry)? {
        Some(place) if place.has_other()? => {
            tracing::warn!(
                application = entry.application.id,
                "other tree may contain data; preserved"
            );
            carry::set_aside(&place, &place.workspace, tree, Path::new(tree))
        }
        _ => Ok(()),
    }
}

/// Removes what an application left beside the component, but for what the component wrote.
pub(super) fn clean_up(disk: &Disk, entry: &Entry) -> Result<(), ApplyError> {
    let Some(place) = place(disk, entry)? else {
        return Ok(());
    };
    carry::rescue(&place, &entry.keep)?;
    late_writes::rescue(&place, entry)?;
    // In one step it is no tree any more: half of one would look like one to go back to.
    let (tree, going) = (OsStr::new(TREE), OsStr::new(GOING));
    place.workspace.remove_all(going)?;
    if place.workspace.look(tree)?.is_some() {
        place.workspace.rename(tree, &place.workspace, going)?;
        place.workspace.sync()?;
    }
    for name in [
        PAYLOAD,
        NEW_FOLDER,
        GOING,
        NEW_STAMPS,
        STAMPS,
        ROLLBACK_STAMPS,
        STOP_LOCK,
        START_LOCK,
    ] {
        place.workspace.remove_all(OsStr::new(name))?;
    }
    remove_if_hollow(&place.workspace, OsStr::new(SET_ASIDE))?;
    // Data that was set aside stays, and keeps the workspace.
    if let Some(name) = entry.workspace.file_name() {
        place.beside.remove_empty(name)?;
    }
    Ok(())
}

/// Removes directories of the panel's own that were made for data to be set aside, and hold none: the run was cut
/// off before it came.
fn remove_if_hollow(workspace: &Folder, name: &OsStr) -> Result<(), ApplyError> {
    if workspace.look(name)?.is_none() {
        return Ok(());
    }
    let panel = rustix::process::geteuid().as_raw();
    let mut holds_data = false;
    workspace
        .enter_own(name)?
        .walk(Path::new(""), &mut |_, there| {
            holds_data |= !there.is_ok_and(|there| {
                there.is_folder() && there.owner.0 == panel && there.mode.trailing_zeros() >= 6
            });
            !holds_data
        })?;
    if holds_data {
        return Ok(());
    }
    workspace.remove_all(name)
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
