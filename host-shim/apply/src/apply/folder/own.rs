//! Directories and locks of the panel's own: nobody else may do anything with them.
//!
//! Whose they are is looked at on their handles, so that a name that others can exchange deceives nobody.

use std::{ffi::OsStr, fs::File, io};

use rustix::fs::{self, Mode, OFlags};

use super::{Folder, There};
use crate::apply::{ApplyError, error::Doing, faults::Operation};

/// What a directory or lock of the panel's own may allow users other than its owner.
const NOTHING_FOR_OTHERS: u32 = 0o077;

impl Folder {
    /// Enters a directory of the panel's own, which nobody else may enter.
    pub(in crate::apply) fn enter_own(&self, name: &OsStr) -> Result<Self, ApplyError> {
        let entered = self.enter(name)?;
        let there = entered.itself()?;
        if is_own(there) {
            return Ok(entered);
        }
        Err(entered.not_own(there))
    }

    /// Enters a directory of the panel's user, whatever others may do in it.
    pub(in crate::apply) fn enter_ours(&self, name: &OsStr) -> Result<Self, ApplyError> {
        let entered = self.enter(name)?;
        let there = entered.itself()?;
        if is_ours(there) {
            return Ok(entered);
        }
        Err(entered.not_own(there))
    }

    /// Makes a directory of the panel's own, or enters the one that is there and takes the rights of others
    /// away. To be called only where nobody else may rename: what is there may be under embargo, and is
    /// nobody else's to have put there.
    pub(in crate::apply) fn make_own_and_close(&self, name: &OsStr) -> Result<Self, ApplyError> {
        if self.look(name)?.is_none() {
            self.make_folder(name)?;
        }
        let directory = self.enter_ours(name)?;
        directory.refuse_mounted()?;
        if directory.itself()?.mode & NOTHING_FOR_OTHERS != 0 {
            directory.set_mode(0o700)?;
        }
        Ok(directory)
    }

    fn not_own(&self, there: There) -> ApplyError {
        ApplyError::NotOwn {
            path: self.path.clone(),
            owner: there.owner.0,
            mode: there.mode,
        }
    }

    /// Makes the file of a lock where it is not there, and opens it for reading only: it is handed to
    /// other programs. What it holds means nothing.
    pub(in crate::apply) fn make_lock(&self, name: &OsStr) -> Result<File, ApplyError> {
        self.lock_file(name, OFlags::CREATE)
    }

    /// Opens the file of a lock that is there.
    pub(in crate::apply) fn open_lock(&self, name: &OsStr) -> Result<File, ApplyError> {
        self.lock_file(name, OFlags::empty())
    }

    fn lock_file(&self, name: &OsStr, how: OFlags) -> Result<File, ApplyError> {
        let path = self.path_of(name);
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC | how;
        let mode = Mode::RUSR | Mode::WUSR;
        let file = self.disk.act(Operation::Lock, &path, || {
            Ok(File::from(fs::openat(&self.handle, name, flags, mode)?))
        })?;
        let there = There::of(&fs::fstat(&file).doing("inspect", &path)?);
        if !there.is_file() {
            return Err(io::Error::other("not a regular file")).doing("lock", path);
        }
        if !is_own(there) {
            let (owner, mode) = (there.owner.0, there.mode);
            return Err(ApplyError::NotOwn { path, owner, mode });
        }
        Ok(file)
    }
}

/// Whether something belongs to the panel's user.
fn is_ours(there: There) -> bool {
    there.owner.0 == rustix::process::geteuid().as_raw()
}

/// Whether something belongs to the panel's user, and nobody else may do anything with it.
fn is_own(there: There) -> bool {
    is_ours(there) && there.mode & NOTHING_FOR_OTHERS == 0
}
