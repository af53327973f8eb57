//! Exchanges two trees: in one atomic step where the file system can, or else in three renames that
//! a crash between them cannot spoil.

use std::{
    fs::{self, File},
    io,
    path::Path,
};

use rustix::fs::{CWD, RenameFlags, renameat_with};

use super::{ApplyError, Step, Steps, error::Doing};

/// How trees are exchanged.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Exchange {
    /// In one step (`renameat2` with `RENAME_EXCHANGE`), and by renames where that is not possible.
    #[default]
    Atomic,
    /// Always by renames.
    Renames,
}

/// Where the live tree waits while the other takes its place.
const ASIDE: &str = "aside";

/// Exchanges `live` with the tree in `workspace`, durably.
pub(super) fn exchange(
    how: Exchange,
    live: &Path,
    workspace: &Path,
    steps: &dyn Steps,
) -> Result<(), ApplyError> {
    let tree = workspace.join("tree");
    if how == Exchange::Atomic {
        match renameat_with(CWD, live, CWD, &tree, RenameFlags::EXCHANGE) {
            Ok(()) => return sync_both(live, workspace),
            Err(
                rustix::io::Errno::INVAL | rustix::io::Errno::NOSYS | rustix::io::Errno::OPNOTSUPP,
            ) => {}
            Err(error) => return Err(error).doing("exchange", live),
        }
    }
    let aside = workspace.join(ASIDE);
    fs::rename(live, &aside).doing("move aside", live)?;
    sync_both(live, workspace)?;
    steps.reached(Step::MovedAside)?;
    fs::rename(&tree, live).doing("move in", live)?;
    sync_both(live, workspace)?;
    steps.reached(Step::MovedIn)?;
    fs::rename(&aside, &tree).doing("put away", &tree)?;
    sync_both(live, workspace)
}

/// Ends an exchange by renames that was cut off. Safe at any time, and to repeat.
pub(super) fn settle(live: &Path, workspace: &Path) -> Result<(), ApplyError> {
    let (tree, aside) = (workspace.join("tree"), workspace.join(ASIDE));
    if !aside.exists() {
        return Ok(());
    }
    if !live.exists() {
        fs::rename(&tree, live).doing("move in", live)?;
    }
    if !tree.exists() {
        fs::rename(&aside, &tree).doing("put away", &tree)?;
    }
    sync_both(live, workspace)
}

fn sync_both(live: &Path, workspace: &Path) -> Result<(), ApplyError> {
    let parent = live.parent().unwrap_or(Path::new("/"));
    sync_folder(parent).doing("sync", parent)?;
    sync_folder(workspace).doing("sync", workspace)
}

/// Makes what a folder lists durable.
pub(super) fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}
