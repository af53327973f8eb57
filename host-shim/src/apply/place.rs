//! Where an application happens: the folder around the component, and the workspace beside it.

use std::{
    ffi::{OsStr, OsString},
    path::Path,
};

use super::{ApplyError, disk::Disk, error::Doing, folder::Folder, lock::BESIDE};

/// The other tree, in the workspace: first the new one, and after an exchange the old one.
pub(super) const TREE: &str = "tree";
/// The payload, in the workspace.
pub(super) const PAYLOAD: &str = "payload";
/// What the component wrote in the moment between an exchange and the return of its run-time data.
pub(super) const SET_ASIDE: &str = "set-aside";
/// What the order to stop holds on to, in the workspace.
pub(super) const STOP_TIE: &str = "stop.lock";
/// What the order to start holds on to, in the workspace.
pub(super) const START_TIE: &str = "start.lock";
/// A tree that is being removed.
pub(super) const GOING: &str = "going";
/// Where a folder is made ready before it gets its place.
pub(super) const NEW_FOLDER: &str = "folder";

/// The folder around the component, and the workspace beside it, both held open.
#[derive(Debug)]
pub(super) struct Place {
    /// The folder that lists the component's.
    pub(super) around: Folder,
    /// The name of the component's folder in it.
    pub(super) name: OsString,
    /// The folder that lists the workspace.
    pub(super) beside: Folder,
    /// The workspace.
    pub(super) workspace: Folder,
}

impl Place {
    /// The place of an application, or none where its workspace was never made or is gone.
    pub(super) fn find(
        disk: &Disk,
        live: &Path,
        workspace: &Path,
    ) -> Result<Option<Self>, ApplyError> {
        let (around, name) = around(disk, live)?;
        if around.look(OsStr::new(BESIDE))?.is_none() {
            return Ok(None);
        }
        let beside = around.enter(OsStr::new(BESIDE))?;
        let own_name = last(workspace)?;
        if beside.look(own_name)?.is_none() {
            return Ok(None);
        }
        Ok(Some(Self {
            workspace: beside.enter(own_name)?,
            around,
            name,
            beside,
        }))
    }

    /// Makes the workspace. The folder beside the component is there: it holds the lock.
    pub(super) fn make(disk: &Disk, live: &Path, workspace: &Path) -> Result<Self, ApplyError> {
        let (around, name) = around(disk, live)?;
        let beside = around.enter(OsStr::new(BESIDE))?;
        Ok(Self {
            workspace: beside.make_folder(last(workspace)?)?,
            around,
            name,
            beside,
        })
    }

    /// The live tree.
    pub(super) fn live(&self) -> Result<Folder, ApplyError> {
        self.around.enter(&self.name)
    }

    /// The tree in the workspace, if there is one.
    pub(super) fn other(&self) -> Result<Option<Folder>, ApplyError> {
        let name = OsStr::new(TREE);
        match self.workspace.look(name)? {
            Some(_) => self.workspace.enter(name).map(Some),
            None => Ok(None),
        }
    }

    /// Makes durable which tree is where.
    pub(super) fn sync(&self) -> Result<(), ApplyError> {
        self.around.sync()?;
        self.workspace.sync()
    }
}

/// The folder around a component's, and the name that that has in it.
pub(super) fn around(disk: &Disk, live: &Path) -> Result<(Folder, OsString), ApplyError> {
    let parent = live.parent().unwrap_or(Path::new("/"));
    Ok((Folder::open(disk, parent)?, last(live)?.to_owned()))
}

fn last(path: &Path) -> Result<&OsStr, ApplyError> {
    path.file_name()
        .ok_or_else(|| std::io::Error::other("it has no name"))
        .doing("use", path)
}
