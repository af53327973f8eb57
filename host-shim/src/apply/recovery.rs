//! Which tree is live, and bringing an exchange to its end.
//!
//! Everything here is safe to repeat: a crash during recovery is recovered from in the same way.

use std::{fs, os::unix::fs::MetadataExt, path::Path};

use super::Exchange;
use super::{ApplyError, carry::carry, error::Doing, exchange, journal::Entry, steps::NoFaults};

/// Which of the two trees is in the component's place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LiveTree {
    Old,
    New,
}

/// Ends an exchange that was cut off and says which tree is live.
pub(super) fn live_tree(entry: &Entry) -> Result<LiveTree, ApplyError> {
    exchange::settle(&entry.folder, &entry.workspace)?;
    let live = inode(&entry.folder)?;
    Ok(if entry.new_tree == Some(live) {
        LiveTree::New
    } else {
        LiveTree::Old
    })
}

/// The number that names a folder on its file system, whatever it is called.
pub(super) fn inode(folder: &Path) -> Result<u64, ApplyError> {
    Ok(fs::symlink_metadata(folder).doing("look at", folder)?.ino())
}

/// Brings `wanted` to the component's place, with the run-time data.
pub(super) fn bring(entry: &Entry, wanted: LiveTree, how: Exchange) -> Result<(), ApplyError> {
    if live_tree(entry)? != wanted {
        exchange::exchange(how, &entry.folder, &entry.workspace, &NoFaults)?;
    }
    carry_over(entry)
}

/// Moves run-time data to the live tree.
pub(super) fn carry_over(entry: &Entry) -> Result<(), ApplyError> {
    let set_aside = entry.workspace.join("set-aside");
    carry(
        &entry.keep,
        &entry.workspace.join("tree"),
        &entry.folder,
        &set_aside,
    )
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
pub(super) fn tidy(entry: &Entry) {
    if let Err(error) = clean_up(&entry.workspace) {
        let id = &entry.application.id;
        tracing::warn!(application = id, %error, "leftovers of an application could not be removed");
    }
}

/// Removes what an application left beside the component, but for what the component wrote.
pub(super) fn clean_up(workspace: &Path) -> Result<(), ApplyError> {
    for name in ["payload", "tree"] {
        let folder = workspace.join(name);
        if folder.exists() {
            fs::remove_dir_all(&folder).doing("remove", &folder)?;
        }
    }
    let tie = workspace.join("command.lock");
    if tie.exists() {
        fs::remove_file(&tie).doing("remove", &tie)?;
    }
    // Data that was set aside stays, and keeps the workspace.
    match fs::remove_dir(workspace) {
        Err(error)
            if error.kind() == std::io::ErrorKind::NotFound
                || error.kind() == std::io::ErrorKind::DirectoryNotEmpty =>
        {
            Ok(())
        }
        other => other.doing("remove", workspace),
    }
}
