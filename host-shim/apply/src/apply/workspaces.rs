//! Where locks and workspaces are: in a directory beside the component, or in the one that is configured.
//!
//! Beside a component they are safe only where nobody but root and the panel's user may rename. Where
//! others may, nothing is made; what an earlier run left there is used as long as it is the panel's own.

use std::{
    ffi::{OsStr, OsString},
    fs::File,
    path::{Path, PathBuf},
};

use spacecp_contract::Digest;

use super::{
    ApplyError,
    disk::Disk,
    folder::{Folder, There},
    place::{BESIDE, last, parent},
    secure_path::{self, InsecurePath},
};

/// Where locks and workspaces are.
#[derive(Debug, Clone, Default)]
pub(super) struct Workspaces {
    pub(super) disk: Disk,
    /// The directory for components on its file system.
    pub(super) configured: Option<PathBuf>,
}

/// A directory for locks and workspaces, which need not be there yet.
struct Wanted {
    /// The directory that lists it.
    holder: Folder,
    name: OsString,
    path: PathBuf,
    /// The name of the component's lock in it.
    lock: OsString,
    /// Why others could exchange it, or the component's directory beside it.
    insecure: Option<InsecurePath>,
}

impl Workspaces {
    /// Makes the lock of the component in `folder` where that may be done, and opens it. Gives the path of
    /// the directory that lists it, and workspaces.
    pub(super) fn make_lock(&self, folder: &Path) -> Result<(File, PathBuf), ApplyError> {
        let wanted = self.wanted(folder)?;
        let Some(insecure) = wanted.insecure else {
            let directory = wanted.holder.make_own_and_close(&wanted.name)?;
            return Ok((directory.make_lock(&wanted.lock)?, wanted.path));
        };
        let insecure = || ApplyError::Insecure {
            folder: folder.to_owned(),
            insecure: insecure.clone(),
        };
        if wanted.holder.look(&wanted.name)?.is_none() {
            return Err(insecure());
        }
        let directory = wanted.holder.enter_own(&wanted.name)?;
        directory.refuse_mounted()?;
        if directory.look(&wanted.lock)?.is_none() {
            return Err(insecure());
        }
        Ok((directory.open_lock(&wanted.lock)?, wanted.path))
    }

    /// The lock of the component in `folder`, if it is there.
    pub(super) fn look_at_lock(&self, folder: &Path) -> Result<Option<There>, ApplyError> {
        let wanted = self.wanted(folder)?;
        match wanted.holder.look(&wanted.name)? {
            Some(_) => wanted.holder.enter_own(&wanted.name)?.look(&wanted.lock),
            None => Ok(None),
        }
    }

    /// Whether an apply run of the component in `folder` would be safe from other users. Makes nothing.
    pub(super) fn check(&self, folder: &Path) -> Result<(), ApplyError> {
        let wanted = self.wanted(folder)?;
        if let Some(insecure) = wanted.insecure {
            return Err(ApplyError::Insecure {
                folder: folder.to_owned(),
                insecure,
            });
        }
        match wanted.holder.look(&wanted.name)? {
            Some(_) => wanted.holder.enter_ours(&wanted.name)?.refuse_mounted(),
            None => Ok(()),
        }
    }

    fn wanted(&self, folder: &Path) -> Result<Wanted, ApplyError> {
        let (around, way) = secure_path::open(&self.disk, parent(folder))?;
        if let Some(configured) = &self.configured
            && let Some(wanted) = self.configured(configured, folder, &around)?
        {
            return Ok(wanted);
        }
        let name = last(folder)?;
        let mut lock = name.to_owned();
        lock.push(".lock");
        let insecure = match way {
            None => around.weakness(name)?,
            insecure => insecure,
        };
        Ok(Wanted {
            path: around.path_of(OsStr::new(BESIDE)),
            holder: around,
            name: BESIDE.into(),
            lock,
            insecure,
        })
    }

    /// The configured directory, unless it is on another file system than the component: between two of
    /// them nothing can be exchanged.
    fn configured(
        &self,
        configured: &Path,
        folder: &Path,
        around: &Folder,
    ) -> Result<Option<Wanted>, ApplyError> {
        let (holder, way) = secure_path::open(&self.disk, parent(configured))?;
        let name = last(configured)?;
        let insecure = match way {
            None => holder.weakness(name)?,
            insecure => insecure,
        };
        if let Some(insecure) = insecure {
            return Err(ApplyError::Insecure {
                folder: configured.to_owned(),
                insecure,
            });
        }
        let there = match holder.look(name)? {
            Some(_) => holder.enter_own(name)?,
            None => holder.again()?,
        };
        if there.itself()?.device != around.itself()?.device || there.mount() != around.mount() {
            return Ok(None);
        }
        // One directory has the locks of components that may have the same name in different places.
        let place = Digest::of(folder.as_os_str().as_encoded_bytes());
        let mut lock = last(folder)?.to_owned();
        lock.push(format!("-{}.lock", place.short()));
        Ok(Some(Wanted {
            holder,
            name: name.to_owned(),
            path: configured.to_owned(),
            lock,
            insecure: None,
        }))
    }
}
