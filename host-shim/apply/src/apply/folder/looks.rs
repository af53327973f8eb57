//! What can be asked of a directory that is held open. Changes nothing.

use std::{
    ffi::{OsStr, OsString},
    io,
    os::unix::ffi::OsStringExt,
    path::{Path, PathBuf},
};

use rustix::fs::{self, AtFlags};

use super::{Folder, There, through};
use crate::apply::{
    ApplyError,
    error::Doing,
    secure_path::{self, InsecurePath},
};

impl Folder {
    /// Why users other than root and the panel's own may rename an entry of this directory, if they may.
    pub(in crate::apply) fn weakness(
        &self,
        name: &OsStr,
    ) -> Result<Option<InsecurePath>, ApplyError> {
        let entry = self.look(name)?.map(|entry| (name, entry));
        secure_path::weakness(&self.handle, &self.path, entry).doing("inspect", &self.path)
    }

    /// The mount that this directory is on, where the kernel says: only within one mount can anything
    /// be renamed.
    pub(in crate::apply) fn mount(&self) -> Option<u64> {
        let mask = fs::StatxFlags::MNT_ID;
        let there = fs::statx(&self.handle, "", AtFlags::EMPTY_PATH, mask).ok()?;
        fs::StatxFlags::from_bits_retain(there.stx_mask)
            .contains(mask)
            .then_some(there.stx_mnt_id)
    }

    /// Whether this process may write here and pass through; the error of the kernel if not.
    pub(in crate::apply) fn may_write(&self) -> io::Result<()> {
        let access = fs::Access::WRITE_OK | fs::Access::EXEC_OK;
        Ok(fs::accessat(&self.handle, ".", access, AtFlags::EACCESS)?)
    }

    /// The bytes that are free on its file system for the panel's user.
    pub(in crate::apply) fn free_bytes(&self) -> Result<u64, ApplyError> {
        let there = fs::fstatvfs(&self.handle).doing("inspect the file system of", &self.path)?;
        Ok(there.f_bavail.saturating_mul(there.f_frsize))
    }

    /// The inodes that are free on its file system for the panel's user; none where it has as many as there
    /// is room for.
    pub(in crate::apply) fn free_inodes(&self) -> Result<Option<u64>, ApplyError> {
        let there = fs::fstatvfs(&self.handle).doing("inspect the file system of", &self.path)?;
        Ok((there.f_files > 0).then_some(there.f_favail))
    }

    /// Where it is now, without links, as the kernel says.
    pub(in crate::apply) fn real_path(&self) -> Result<PathBuf, ApplyError> {
        let through = through(&self.handle);
        let real = fs::readlinkat(fs::CWD, &through, Vec::new()).doing("find", &self.path)?;
        Ok(OsString::from_vec(real.into_bytes()).into())
    }

    /// The same directory, for reading a file in it whose path may have links that do not lead out.
    pub(in crate::apply) fn for_reading(&self) -> Result<cap_std::fs::Dir, ApplyError> {
        let handle = self.handle.try_clone().doing("hold open", &self.path)?;
        Ok(cap_std::fs::Dir::from_std_file(handle))
    }

    /// Shows everything below to `visit`, with its path from here; `visit` says whether to look into a
    /// directory. What cannot be looked at is shown as an error.
    pub(in crate::apply) fn walk(
        &self,
        prefix: &Path,
        visit: &mut impl FnMut(&Path, Result<There, ApplyError>) -> bool,
    ) -> Result<(), ApplyError> {
        for name in self.names()? {
            let path = prefix.join(&name);
            let there = match self.look(&name) {
                Ok(None) => continue,
                Ok(Some(there)) => there,
                Err(error) => {
                    visit(&path, Err(error));
                    continue;
                }
            };
            if visit(&path, Ok(there)) && there.is_folder() {
                let inner = self.enter(&name);
                if let Err(error) = inner.and_then(|inner| inner.walk(&path, visit)) {
                    visit(&path, Err(error));
                }
            }
        }
        Ok(())
    }
}
