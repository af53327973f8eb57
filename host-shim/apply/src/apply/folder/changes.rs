//! What changes on the disk through a directory that is held open: each is an action that may fail.

use std::{ffi::OsStr, fs::File, io, path::PathBuf};

use rustix::fs::{self, AtFlags, Mode, OFlags, RenameFlags};

use super::{Folder, There, through};
use crate::apply::{
    ApplyError,
    attributes::{self, Capabilities},
    error::Doing,
    faults::{Action, Operation},
    files::NewFile,
};

impl Folder {
    /// Makes a folder that only its owner may enter, and opens it.
    pub(in crate::apply) fn make_folder(&self, name: &OsStr) -> Result<Self, ApplyError> {
        let path = self.path_of(name);
        // First: one that is made and cannot be entered could not be removed either.
        self.refuse_too_deep(&path)?;
        self.disk.act(Operation::MakeFolder, &path, || {
            Ok(fs::mkdirat(&self.handle, name, Mode::RWXU)?)
        })?;
        self.enter(name)
    }

    /// Makes a link.
    pub(in crate::apply) fn make_link(
        &self,
        name: &OsStr,
        leads_to: &OsStr,
    ) -> Result<(), ApplyError> {
        let path = self.path_of(name);
        self.disk.act(Operation::MakeLink, &path, || {
            Ok(fs::symlinkat(leads_to, &self.handle, name)?)
        })
    }

    /// Makes another name for a file that lies in a folder of the same file system and is no link.
    pub(in crate::apply) fn make_name(
        &self,
        name: &OsStr,
        of: &Self,
        its_name: &OsStr,
    ) -> Result<(), ApplyError> {
        let path = self.path_of(name);
        self.disk.act(Operation::MakeLink, &path, || {
            let flags = AtFlags::empty();
            Ok(fs::linkat(&of.handle, its_name, &self.handle, name, flags)?)
        })
    }

    /// Creates a file that only its owner may read, even for the moment until it has its mode.
    pub(in crate::apply) fn create(&self, name: &OsStr) -> Result<NewFile, ApplyError> {
        let path = self.path_of(name);
        let file = self.disk.act(Operation::CreateFile, &path, || {
            self.create_unannounced(name)
        })?;
        Ok(NewFile::new(file, path, self.disk.clone()))
    }

    /// The same as a bare file, for a caller who announces it as part of an action of its own.
    pub(in crate::apply) fn create_unannounced(&self, name: &OsStr) -> io::Result<File> {
        let flags = OFlags::RDWR | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW;
        let mode = Mode::RUSR | Mode::WUSR;
        let file = fs::openat(&self.handle, name, flags | OFlags::CLOEXEC, mode)?;
        Ok(file.into())
    }

    /// Gives something another name, there or in another folder.
    pub(in crate::apply) fn rename(
        &self,
        name: &OsStr,
        into: &Self,
        new_name: &OsStr,
    ) -> Result<(), ApplyError> {
        let path = self.path_of(name);
        let action = Action {
            operation: Operation::Rename,
            path: &path,
            to: Some(&into.path_of(new_name)),
        };
        self.disk
            .perform(&action, || {
                Ok(fs::renameat(&self.handle, name, &into.handle, new_name)?)
            })
            .doing(action.operation.doing(), &path)
    }

    /// Gives something another name in another folder where nothing has that name; says whether that was done.
    pub(in crate::apply) fn rename_if_free(
        &self,
        name: &OsStr,
        into: &Self,
    ) -> Result<bool, ApplyError> {
        use rustix::io::Errno;
        let path = self.path_of(name);
        let action = Action {
            operation: Operation::Rename,
            path: &path,
            to: Some(&into.path_of(name)),
        };
        let free = RenameFlags::NOREPLACE;
        let renamed = self.disk.perform(&action, || {
            match fs::renameat_with(&self.handle, name, &into.handle, name, free) {
                // A file system without this step.
                Err(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) => {
                    match fs::statat(&into.handle, name, AtFlags::SYMLINK_NOFOLLOW) {
                        Err(Errno::NOENT) => {
                            fs::renameat(&self.handle, name, &into.handle, name)?;
                            Ok(true)
                        }
                        _ => Ok(false),
                    }
                }
                Err(Errno::EXIST) => Ok(false),
                renamed => Ok(renamed.map(|()| true)?),
            }
        });
        renamed.doing(action.operation.doing(), &path)
    }

    /// Exchanges what two names stand for, in one step.
    pub(in crate::apply) fn exchange(
        &self,
        name: &OsStr,
        with: &Self,
        other_name: &OsStr,
    ) -> io::Result<()> {
        let action = Action {
            operation: Operation::Exchange,
            path: &self.path_of(name),
            to: Some(&with.path_of(other_name)),
        };
        self.disk.perform(&action, || {
            let both = RenameFlags::EXCHANGE;
            fs::renameat_with(&self.handle, name, &with.handle, other_name, both)?;
            Ok(())
        })
    }

    /// Removes a file or a link.
    fn remove_file(&self, name: &OsStr) -> Result<(), ApplyError> {
        let path = self.path_of(name);
        self.disk.act(Operation::RemoveFile, &path, || {
            Ok(fs::unlinkat(&self.handle, name, AtFlags::empty())?)
        })
    }

    /// Removes a folder if it is there and empty; says whether it is gone.
    pub(in crate::apply) fn remove_empty(&self, name: &OsStr) -> Result<bool, ApplyError> {
        let Some(there) = self.look(name)? else {
            return Ok(true);
        };
        if !there.is_folder() || !self.enter(name)?.names()?.is_empty() {
            return Ok(false);
        }
        let path = self.path_of(name);
        self.disk.act(Operation::RemoveFolder, &path, || {
            Ok(fs::unlinkat(&self.handle, name, AtFlags::REMOVEDIR)?)
        })?;
        Ok(true)
    }

    /// Removes what lies under a name, with everything in it, if anything does.
    pub(in crate::apply) fn remove_all(&self, name: &OsStr) -> Result<(), ApplyError> {
        let Some(there) = self.look(name)? else {
            return Ok(());
        };
        if !there.is_folder() {
            return self.remove_file(name);
        }
        let inner = self.enter_to_empty(name)?;
        for within in inner.names()? {
            inner.remove_all(&within)?;
        }
        self.remove_empty(name).map(drop)
    }

    /// Enters a directory whose owner, who is not root everywhere, may have to open it first.
    fn enter_to_empty(&self, name: &OsStr) -> Result<Self, ApplyError> {
        let path = self.path_of(name);
        let inner = match self.enter(name) {
            Err(ApplyError::File { source, .. })
                if source.kind() == io::ErrorKind::PermissionDenied =>
            {
                // What cannot be opened can be held all the same, and its mode be set by that handle.
                let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
                let held = fs::openat(&self.handle, name, flags, Mode::empty());
                let held = File::from(held.doing("open", &path)?);
                self.disk.act(Operation::SetMode, &path, || {
                    Ok(fs::chmod(through(&held), Mode::RWXU)?)
                })?;
                let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
                let opened = fs::openat(&held, ".", flags, Mode::empty());
                self.below(name, opened.doing("open", &path)?.into())?
            }
            inner => inner?,
        };
        inner.refuse_mounted()?;
        let there = inner.itself()?;
        let is_ours = there.owner.0 == rustix::process::geteuid().as_raw();
        if is_ours && there.mode & 0o700 != 0o700 {
            inner.set_mode(0o700)?;
        }
        Ok(inner)
    }

    /// Gives this folder the owner, mode and extended attributes of another.
    pub(in crate::apply) fn take_attributes(&self, of: &Self) -> Result<(), ApplyError> {
        attributes::take_attributes(
            &self.disk,
            (&self.handle, &self.path),
            (&of.handle, &of.path),
            Capabilities::Take,
        )
    }

    /// Gives a link the owner and extended attributes of another.
    pub(in crate::apply) fn take_link_attributes(
        &self,
        name: &OsStr,
        of: &Self,
    ) -> Result<(), ApplyError> {
        let (wanted, there) = (of.look(name)?, self.look(name)?);
        let path = self.path_of(name);
        if let (Some(wanted), Some(there)) = (wanted, there)
            && wanted.owner != there.owner
        {
            self.own_link(name, wanted.owner)?;
        }
        // There is no call for the attributes of a link in a folder held open, so the name leads
        // through the handle.
        let (from, to) = (of.through_handle(name), self.through_handle(name));
        for (attribute, value) in attributes::attributes_of_link(&from).doing("inspect", &path)? {
            self.disk.act(Operation::SetAttribute, &path, || {
                xattr::set(&to, &attribute, &value)
            })?;
        }
        Ok(())
    }

    /// Gives this folder the times of another. To be called when everything is in it.
    pub(in crate::apply) fn set_times(&self, of: There) -> Result<(), ApplyError> {
        let times = attributes::times(of);
        self.disk.act(Operation::SetTime, &self.path, || {
            Ok(fs::futimens(&self.handle, &times)?)
        })
    }

    /// Gives a link the times of another, where the file system keeps any.
    pub(in crate::apply) fn set_link_times(
        &self,
        name: &OsStr,
        of: There,
    ) -> Result<(), ApplyError> {
        use rustix::io::Errno;
        let (path, times) = (self.path_of(name), attributes::times(of));
        self.disk.act(Operation::SetTime, &path, || {
            match fs::utimensat(&self.handle, name, &times, AtFlags::SYMLINK_NOFOLLOW) {
                Err(Errno::OPNOTSUPP | Errno::NOSYS) => Ok(()),
                set => Ok(set?),
            }
        })
    }

    /// Has the file system say what time it is: sets the times of this folder to now.
    pub(in crate::apply) fn touch(&self) -> Result<i128, ApplyError> {
        let now = fs::Timespec {
            tv_sec: 0,
            tv_nsec: fs::UTIME_NOW,
        };
        let times = fs::Timestamps {
            last_access: now,
            last_modification: now,
        };
        self.disk.act(Operation::SetTime, &self.path, || {
            Ok(fs::futimens(&self.handle, &times)?)
        })?;
        Ok(self.itself()?.changed)
    }

    fn own_link(&self, name: &OsStr, (user, group): (u32, u32)) -> Result<(), ApplyError> {
        self.disk.act(Operation::SetOwner, &self.path_of(name), || {
            Ok(fs::chownat(
                &self.handle,
                name,
                Some(fs::Uid::from_raw(user)),
                Some(fs::Gid::from_raw(group)),
                AtFlags::SYMLINK_NOFOLLOW,
            )?)
        })
    }

    fn through_handle(&self, name: &OsStr) -> PathBuf {
        through(&self.handle).join(name)
    }

    /// Gives this folder to somebody.
    pub(in crate::apply) fn own(&self, owner: (u32, u32)) -> Result<(), ApplyError> {
        attributes::own(&self.disk, (&self.handle, &self.path), owner)
    }

    /// Sets its mode.
    pub(in crate::apply) fn set_mode(&self, mode: u32) -> Result<(), ApplyError> {
        attributes::set_mode(&self.disk, (&self.handle, &self.path), mode)
    }

    /// Makes what this folder lists durable.
    pub(in crate::apply) fn sync(&self) -> Result<(), ApplyError> {
        self.disk
            .act(Operation::SyncFolder, &self.path, || self.handle.sync_all())
    }

    /// Makes what this folder and all below it list durable.
    pub(in crate::apply) fn sync_below(&self) -> Result<(), ApplyError> {
        for name in self.names()? {
            if self.look(&name)?.is_some_and(There::is_folder) {
                self.enter(&name)?.sync_below()?;
            }
        }
        self.sync()
    }

    /// Makes everything on the file system of this folder durable.
    pub(in crate::apply) fn sync_file_system(&self) -> Result<(), ApplyError> {
        self.disk.act(Operation::SyncFileSystem, &self.path, || {
            Ok(fs::syncfs(&self.handle)?)
        })
    }
}
