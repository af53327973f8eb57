//! Exchanges two trees: in one atomic step where the file system can, or else in three renames that
//! a crash between them cannot spoil.

use std::{ffi::OsStr, path::Path};

use super::{
    ApplyError, Step, Steps,
    carry::set_aside,
    error::Doing,
    folder::{Folder, There},
    place::{self, Place, TREE},
};

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

/// Exchanges the live tree with the one in the workspace, durably.
pub(super) fn exchange(how: Exchange, place: &Place, steps: &dyn Steps) -> Result<(), ApplyError> {
    let (tree, aside) = (OsStr::new(TREE), OsStr::new(ASIDE));
    let Place {
        around,
        name,
        workspace,
        ..
    } = place;
    let (live, other) = (
        place.live()?.itself()?,
        place::tree(workspace, tree)?.itself()?,
    );
    if how == Exchange::Atomic {
        match around.exchange(name, workspace, tree) {
            Ok(()) => {
                refuse_strangers(place, live, other)?;
                return place.sync();
            }
            Err(error) if is_not_possible(&error) => {}
            Err(error) => return Err(moving(error, &around.path_of(name))),
        }
    }
    move_tree(around, name, workspace, aside)?;
    if !is_there(workspace, aside, live)? {
        workspace.rename(aside, around, name)?;
        return Err(stranger(place));
    }
    place.sync()?;
    steps.reached(Step::MovedAside)?;
    move_tree(workspace, tree, around, name)?;
    place.sync()?;
    steps.reached(Step::MovedIn)?;
    workspace.rename(aside, workspace, tree)?;
    workspace.sync()
}

/// Whether what was exchanged are the two trees that were looked at: where others may rename beside the
/// component, they may have put something else into its place in that moment. It goes back there.
fn refuse_strangers(place: &Place, live: There, other: There) -> Result<(), ApplyError> {
    let tree = OsStr::new(TREE);
    let (around, name, workspace) = (&place.around, &place.name, &place.workspace);
    let is_in_place = is_there(around, name, other)?;
    if is_in_place && is_there(workspace, tree, live)? {
        return Ok(());
    }
    if is_in_place {
        around
            .exchange(name, workspace, tree)
            .doing("exchange", around.path_of(name))?;
        place.sync()?;
    }
    Err(stranger(place))
}

fn is_there(folder: &Folder, name: &OsStr, wanted: There) -> Result<bool, ApplyError> {
    let there = folder.look(name)?;
    Ok(there.is_some_and(|there| there.is_same(wanted)))
}

fn stranger(place: &Place) -> ApplyError {
    ApplyError::Stranger {
        folder: place.around.path_of(&place.name),
        workspace: place.workspace.path().to_owned(),
    }
}

fn move_tree(from: &Folder, name: &OsStr, to: &Folder, new_name: &OsStr) -> Result<(), ApplyError> {
    let moved = from.rename(name, to, new_name);
    moved.map_err(|error| match error {
        ApplyError::File { source, path, .. } => moving(source, &path),
        error => error,
    })
}

/// Why a tree cannot be moved: one on which something was mounted in the last moment is busy.
fn moving(error: std::io::Error, path: &Path) -> ApplyError {
    if error.raw_os_error() == Some(rustix::io::Errno::BUSY.raw_os_error()) {
        return ApplyError::Mounted {
            path: path.to_owned(),
        };
    }
    ApplyError::File {
        doing: "exchange",
        path: path.to_owned(),
        source: error,
    }
}

/// Whether the file system, or the kernel, has no such step.
pub(super) fn is_not_possible(error: &std::io::Error) -> bool {
    use rustix::io::Errno;
    let number = error.raw_os_error().map(Errno::from_raw_os_error);
    matches!(number, Some(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP))
}

/// Ends an exchange by renames that was cut off. Safe at any time, and to repeat.
pub(super) fn settle(place: &Place) -> Result<(), ApplyError> {
    let (tree, aside) = (OsStr::new(TREE), OsStr::new(ASIDE));
    let Place {
        around,
        name,
        workspace,
        ..
    } = place;
    if workspace.look(aside)?.is_none() {
        return Ok(());
    }
    if workspace.look(tree)?.is_none() {
        // The other tree has got its place.
        workspace.rename(aside, workspace, tree)?;
        return place.sync();
    }
    // It has not, so whatever is there now is neither tree: the component, or who starts it, made it
    // in the moment when there was none.
    if around.look(name)?.is_some() {
        set_aside(place, around, name, Path::new(name))?;
    }
    workspace.rename(aside, around, name)?;
    place.sync()
}
