//! Where an application happens: the folder around the component, and the workspace beside it.

use std::{
    collections::BTreeMap,
    ffi::{OsStr, OsString},
    path::Path,
};

use spacecp_contract::{Blob, Correction, Digest};

use super::{
    ApplyError,
    disk::Disk,
    error::Doing,
    folder::{Folder, There},
    secure_path,
};

/// The other tree, in the workspace: first the new one, and after an exchange the old one.
pub(super) const TREE: &str = "tree";
/// The payload, in the workspace.
pub(super) const PAYLOAD: &str = "payload";
/// What the component wrote in the moment between an exchange and the return of its run-time data.
pub(super) const SET_ASIDE: &str = "set-aside";
/// The lock that the command to stop inherits, in the workspace.
pub(super) const STOP_LOCK: &str = "stop.lock";
/// The lock that the command to start inherits, in the workspace.
pub(super) const START_LOCK: &str = "start.lock";
/// A tree that is being removed.
pub(super) const GOING: &str = "going";
/// What the files of the old tree were like when they were copied, and their copies, in the workspace.
pub(super) const STAMPS: &str = "stamps";
/// What the files of the new tree were like when it was about to be rolled back.
pub(super) const ROLLBACK_STAMPS: &str = "stamps.rollback";
/// Either of them before it is complete.
pub(super) const NEW_STAMPS: &str = "stamps.new";
/// Where a folder is made ready before it gets its place.
pub(super) const NEW_FOLDER: &str = "folder";

/// The directory beside a component's that holds locks and workspaces, unless another one is configured.
pub(super) const BESIDE: &str = ".spacecp-advisories";

/// The payloads of a correction, each once, and the name that each has in the workspace: a number, for errors name
/// paths, and the digest of a payload that is under embargo tells which it is.
pub(super) fn payloads(correction: &Correction) -> BTreeMap<Digest, (OsString, Blob)> {
    let files = correction.files.iter().filter_map(|file| file.after);
    let blobs: BTreeMap<Digest, Blob> =
        files.map(|after| (after.blob.digest, after.blob)).collect();
    let numbered = blobs.into_iter().enumerate();
    numbered
        .map(|(number, (digest, blob))| (digest, (number.to_string().into(), blob)))
        .collect()
}

/// The folder around the component, and the workspace of an application, both held open.
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
    ///
    /// A workspace, or a folder that lists it, that is not the panel's own is refused: somebody else
    /// has put it there. So is one where something is mounted: what was in it is out of sight, and would
    /// be taken for gone.
    pub(super) fn find(
        disk: &Disk,
        live: &Path,
        workspace: &Path,
    ) -> Result<Option<Self>, ApplyError> {
        let (around, name) = around(disk, live)?;
        let (holder, beside) = self::around(disk, workspaces(workspace)?)?;
        if holder.look(&beside)?.is_none() {
            return Ok(None);
        }
        let beside = holder.enter_own(&beside)?;
        beside.refuse_mounted()?;
        let own_name = last(workspace)?;
        if beside.look(own_name)?.is_none() {
            return Ok(None);
        }
        let workspace = beside.enter_own(own_name)?;
        workspace.refuse_mounted()?;
        Ok(Some(Self {
            around,
            name,
            beside,
            workspace,
        }))
    }

    /// Makes the workspace. The folder that is to list it is there: it holds the lock.
    pub(super) fn make(disk: &Disk, live: &Path, workspace: &Path) -> Result<Self, ApplyError> {
        let (around, name) = around(disk, live)?;
        let (holder, beside) = self::around(disk, workspaces(workspace)?)?;
        let beside = holder.enter_own(&beside)?;
        beside.refuse_mounted()?;
        let own_name = last(workspace)?;
        beside.make_folder(own_name)?;
        Ok(Self {
            workspace: beside.enter_own(own_name)?,
            around,
            name,
            beside,
        })
    }

    /// The live tree.
    pub(super) fn live(&self) -> Result<Folder, ApplyError> {
        tree(&self.around, &self.name)
    }

    /// The tree in the workspace, if there is one.
    pub(super) fn other(&self) -> Result<Option<Folder>, ApplyError> {
        let name = OsStr::new(TREE);
        match self.workspace.look(name)? {
            Some(_) => tree(&self.workspace, name).map(Some),
            None => Ok(None),
        }
    }

    /// Whether there is a tree in the workspace.
    pub(super) fn has_other(&self) -> Result<bool, ApplyError> {
        let other = self.workspace.look(OsStr::new(TREE))?;
        Ok(other.is_some_and(There::is_folder))
    }

    /// Makes durable which tree is where.
    pub(super) fn sync(&self) -> Result<(), ApplyError> {
        self.around.sync()?;
        self.workspace.sync()
    }
}

/// A tree that lies in a folder, and has nothing mounted on it.
pub(super) fn tree(around: &Folder, name: &OsStr) -> Result<Folder, ApplyError> {
    let tree = around.enter(name)?;
    tree.refuse_mounted()?;
    Ok(tree)
}

/// The folder around a component's, and the name that that has in it.
pub(super) fn around(disk: &Disk, live: &Path) -> Result<(Folder, OsString), ApplyError> {
    let name = last(live)?.to_owned();
    Ok((secure_path::open(disk, parent(live))?.0, name))
}

/// The folder that lists a workspace.
fn workspaces(workspace: &Path) -> Result<&Path, ApplyError> {
    workspace
        .parent()
        .ok_or_else(|| std::io::Error::other("it has no parent directory"))
        .doing("use", workspace)
}

/// The folder around a path; for a name alone, the present one.
pub(super) fn parent(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if parent.as_os_str().is_empty() => Path::new("."),
        Some(parent) => parent,
        None => Path::new("/"),
    }
}

pub(super) fn last(path: &Path) -> Result<&OsStr, ApplyError> {
    path.file_name()
        .ok_or_else(|| std::io::Error::other("it has no name"))
        .doing("use", path)
}
