//! Folders held open.
//!
//! Whatever lies in a tree is reached from a folder that is held open, one name at a time, and no
//! link is ever followed. Somebody who exchanges a folder of the live tree for a link, at whatever
//! moment, cannot have a file outside of it read or written.

use std::{
    ffi::{OsStr, OsString},
    fs::File,
    io,
    os::unix::ffi::{OsStrExt, OsStringExt},
    path::{Path, PathBuf},
};

use rustix::fs::{self, AtFlags, CWD, FileType, Mode, OFlags, RenameFlags};

use super::{
    ApplyError,
    disk::Disk,
    error::Doing,
    faults::{Action, Operation},
    files::{self, NewFile},
};

/// A folder held open.
#[derive(Debug)]
pub(super) struct Folder {
    handle: File,
    /// What it was called when it was opened: for messages only.
    path: PathBuf,
    disk: Disk,
}

/// What lies under a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct There {
    pub(super) kind: FileType,
    pub(super) inode: u64,
    /// The bits of `0o7777`.
    pub(super) mode: u32,
    /// User and group.
    pub(super) owner: (u32, u32),
    /// In bytes.
    pub(super) size: u64,
    /// When its contents were last written, in nanoseconds.
    pub(super) modified: i128,
    /// When anything of it was last changed, in nanoseconds; only the system sets it.
    pub(super) changed: i128,
}

impl There {
    fn of(stat: &fs::Stat) -> Self {
        let nanoseconds =
            |seconds, nanoseconds| i128::from(seconds) * 1_000_000_000 + i128::from(nanoseconds);
        Self {
            kind: FileType::from_raw_mode(stat.st_mode),
            inode: stat.st_ino,
            mode: stat.st_mode & 0o7777,
            owner: (stat.st_uid, stat.st_gid),
            size: u64::try_from(stat.st_size).unwrap_or(0),
            modified: nanoseconds(stat.st_mtime, stat.st_mtime_nsec),
            changed: nanoseconds(stat.st_ctime, stat.st_ctime_nsec),
        }
    }

    pub(super) fn is_file(self) -> bool {
        self.kind == FileType::RegularFile
    }

    pub(super) fn is_folder(self) -> bool {
        self.kind == FileType::Directory
    }
}

impl Folder {
    /// Opens a folder by its path. Links that lead to it are followed, for they are the machine's
    /// own: what a component can change lies below.
    pub(super) fn open(disk: &Disk, path: &Path) -> Result<Self, ApplyError> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let handle = fs::openat(CWD, path, flags, Mode::empty()).doing("open the folder", path)?;
        Ok(Self {
            handle: handle.into(),
            path: path.to_owned(),
            disk: disk.clone(),
        })
    }

    /// Opens a folder that lies in this one and is no link.
    pub(super) fn enter(&self, name: &OsStr) -> Result<Self, ApplyError> {
        let path = self.path_of(name);
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let handle = fs::openat(&self.handle, name, flags, Mode::empty())
            .doing("open, as a folder that is no link,", &path)?;
        Ok(Self {
            handle: handle.into(),
            path,
            disk: self.disk.clone(),
        })
    }

    /// The folder that holds the last part of a relative path, if every part before it is a folder
    /// and no link.
    pub(super) fn towards(&self, path: &Path) -> Result<Option<Self>, ApplyError> {
        let mut folder = self.again()?;
        for part in path.parent().into_iter().flat_map(Path::iter) {
            match folder.look(part)? {
                Some(there) if there.is_folder() => folder = folder.enter(part)?,
                _ => return Ok(None),
            }
        }
        Ok(Some(folder))
    }

    /// The same folder, held once more.
    pub(super) fn again(&self) -> Result<Self, ApplyError> {
        Ok(Self {
            handle: self.handle.try_clone().doing("hold open", &self.path)?,
            path: self.path.clone(),
            disk: self.disk.clone(),
        })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn path_of(&self, name: &OsStr) -> PathBuf {
        self.path.join(name)
    }

    /// The folder itself.
    pub(super) fn itself(&self) -> Result<There, ApplyError> {
        let stat = fs::fstat(&self.handle).doing("look at", &self.path)?;
        Ok(There::of(&stat))
    }

    /// What lies under a name, if anything does.
    pub(super) fn look(&self, name: &OsStr) -> Result<Option<There>, ApplyError> {
        match fs::statat(&self.handle, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) => Ok(Some(There::of(&stat))),
            Err(rustix::io::Errno::NOENT) => Ok(None),
            Err(error) => Err(error).doing("look at", self.path_of(name)),
        }
    }

    /// The names of everything in it, in order.
    pub(super) fn names(&self) -> Result<Vec<OsString>, ApplyError> {
        let mut names = Vec::new();
        for entry in fs::Dir::read_from(&self.handle).doing("list", &self.path)? {
            let entry = entry.doing("list", &self.path)?;
            let name = entry.file_name().to_bytes();
            if name != b"." && name != b".." {
                names.push(OsString::from_vec(name.to_vec()));
            }
        }
        names.sort();
        Ok(names)
    }

    /// Opens a regular file that lies in this folder and is no link.
    pub(super) fn open_file(&self, name: &OsStr) -> Result<File, ApplyError> {
        let path = self.path_of(name);
        // Without NONBLOCK a pipe that somebody put there would keep us waiting.
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let file = fs::openat(&self.handle, name, flags, Mode::empty()).doing("open", &path)?;
        let file = File::from(file);
        if !file.metadata().doing("look at", &path)?.is_file() {
            return Err(io::Error::other("it is not a regular file")).doing("read", path);
        }
        Ok(file)
    }

    /// Where a link leads.
    pub(super) fn read_link(&self, name: &OsStr) -> Result<OsString, ApplyError> {
        let leads_to = fs::readlinkat(&self.handle, name, Vec::new())
            .doing("read the link", self.path_of(name))?;
        Ok(OsString::from_vec(leads_to.into_bytes()))
    }

    /// Makes a folder that only its owner may enter, and opens it.
    pub(super) fn make_folder(&self, name: &OsStr) -> Result<Self, ApplyError> {
        let path = self.path_of(name);
        self.disk.act(Operation::MakeFolder, &path, || {
            Ok(fs::mkdirat(&self.handle, name, Mode::RWXU)?)
        })?;
        self.enter(name)
    }

    /// Makes a link.
    pub(super) fn make_link(&self, name: &OsStr, leads_to: &OsStr) -> Result<(), ApplyError> {
        let path = self.path_of(name);
        self.disk.act(Operation::MakeLink, &path, || {
            Ok(fs::symlinkat(leads_to, &self.handle, name)?)
        })
    }

    /// Creates a file that only its owner may read, even for the moment until it has its mode.
    pub(super) fn create(&self, name: &OsStr) -> Result<NewFile, ApplyError> {
        let file = self.make_file(Operation::CreateFile, name, OFlags::EXCL)?;
        Ok(NewFile::new(file, self.path_of(name), self.disk.clone()))
    }

    /// Opens the file of a lock, made where it is not there. What it holds means nothing.
    pub(super) fn open_lock(&self, name: &OsStr) -> Result<File, ApplyError> {
        self.make_file(Operation::Lock, name, OFlags::empty())
    }

    fn make_file(
        &self,
        operation: Operation,
        name: &OsStr,
        how: OFlags,
    ) -> Result<File, ApplyError> {
        let flags = OFlags::RDWR | OFlags::CREATE | OFlags::NOFOLLOW | OFlags::CLOEXEC | how;
        let mode = Mode::RUSR | Mode::WUSR;
        let file = self.disk.act(operation, &self.path_of(name), || {
            Ok(fs::openat(&self.handle, name, flags, mode)?)
        })?;
        Ok(file.into())
    }

    /// Gives something another name, there or in another folder.
    pub(super) fn rename(
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

    /// Exchanges what two names stand for, in one step.
    pub(super) fn exchange(&self, name: &OsStr, with: &Self, other_name: &OsStr) -> io::Result<()> {
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
    pub(super) fn remove_empty(&self, name: &OsStr) -> Result<bool, ApplyError> {
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
    pub(super) fn remove_all(&self, name: &OsStr) -> Result<(), ApplyError> {
        let Some(there) = self.look(name)? else {
            return Ok(());
        };
        if !there.is_folder() {
            return self.remove_file(name);
        }
        if there.mode & 0o700 != 0o700 {
            // Its owner, who is not root everywhere, could not empty it.
            let path = self.path_of(name);
            self.disk.act(Operation::SetMode, &path, || {
                Ok(fs::chmodat(
                    &self.handle,
                    name,
                    Mode::RWXU,
                    AtFlags::empty(),
                )?)
            })?;
        }
        let inner = self.enter(name)?;
        for within in inner.names()? {
            inner.remove_all(&within)?;
        }
        self.remove_empty(name).map(drop)
    }

    /// Gives this folder the owner, mode and extended attributes of another.
    pub(super) fn take_attributes(&self, of: &Self) -> Result<(), ApplyError> {
        files::take_attributes(
            &self.disk,
            (&self.handle, &self.path),
            (&of.handle, &of.path),
        )
    }

    /// Gives a link the owner and extended attributes of another.
    pub(super) fn take_link_attributes(&self, name: &OsStr, of: &Self) -> Result<(), ApplyError> {
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
        for (attribute, value) in files::attributes_of_link(&from).doing("look at", &path)? {
            self.disk.act(Operation::SetAttribute, &path, || {
                xattr::set(&to, &attribute, &value)
            })?;
        }
        Ok(())
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
        use std::os::fd::AsRawFd;
        Path::new("/proc/self/fd")
            .join(self.handle.as_raw_fd().to_string())
            .join(OsStr::from_bytes(name.as_bytes()))
    }

    /// Gives this folder to somebody.
    pub(super) fn own(&self, owner: (u32, u32)) -> Result<(), ApplyError> {
        files::own(&self.disk, (&self.handle, &self.path), owner)
    }

    /// Sets its mode.
    pub(super) fn set_mode(&self, mode: u32) -> Result<(), ApplyError> {
        files::set_mode(&self.disk, (&self.handle, &self.path), mode)
    }

    /// Makes what this folder lists durable.
    pub(super) fn sync(&self) -> Result<(), ApplyError> {
        self.disk
            .act(Operation::SyncFolder, &self.path, || self.handle.sync_all())
    }

    /// Makes what this folder and all below it list durable.
    pub(super) fn sync_below(&self) -> Result<(), ApplyError> {
        for name in self.names()? {
            if self.look(&name)?.is_some_and(There::is_folder) {
                self.enter(&name)?.sync_below()?;
            }
        }
        self.sync()
    }

    /// Makes everything on the file system of this folder durable.
    pub(super) fn sync_file_system(&self) -> Result<(), ApplyError> {
        self.disk.act(Operation::SyncFileSystem, &self.path, || {
            Ok(fs::syncfs(&self.handle)?)
        })
    }

    /// The kind of file system that this folder is on, as a number of `statfs(2)`.
    pub(super) fn file_system(&self) -> Result<u64, ApplyError> {
        let there = fs::fstatfs(&self.handle).doing("look at the file system of", &self.path)?;
        Ok(there.f_type.cast_unsigned())
    }
}
