//! Directories held open: the one way in which applying reaches anything on the disk.
//!
//! Whatever lies in a tree or a workspace is reached from a directory that is held open, one name at a
//! time, and no link is ever followed. Who exchanges a directory for a link, at whatever moment, cannot
//! have a file outside of it read, written, or given another mode. What is checked of a directory or a
//! file is checked on its handle, after it was opened.

#![expect(
    clippy::disallowed_methods,
    reason = "this is where handles and names meet; each call here takes a handle and follows no link"
)]

use std::{
    ffi::{OsStr, OsString},
    fs::File,
    io,
    os::{fd::AsRawFd, unix::ffi::OsStringExt},
    path::{Path, PathBuf},
    sync::Arc,
};

use rustix::fs::{self, AtFlags, FileType, Mode, OFlags};

use super::{ApplyError, disk::Disk, error::Doing, place::parent, secure_path};

mod changes;
mod leases;
mod looks;
mod own;

use leases::Patience;

/// The most directories that are entered one from another. Each is a handle and a few frames of the stack for
/// whoever walks down, and a component's user decides how deep its tree is. A thread has 2 MiB of stack; a build
/// without optimisation needs some 10 KiB of it for each directory.
const DEEPEST: usize = 128;

/// A folder held open.
#[derive(Debug)]
pub(super) struct Folder {
    handle: File,
    /// What it was called when it was opened: for messages only.
    path: PathBuf,
    disk: Disk,
    /// How many directories were entered one from another to get here.
    depth: usize,
    /// For leases in it and below, whoever waits.
    patience: Arc<Patience>,
}

/// What lies under a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct There {
    pub(super) kind: FileType,
    pub(super) inode: u64,
    /// Whether it has more names than one.
    pub(super) has_other_names: bool,
    /// The file system that it is on.
    pub(super) device: u64,
    /// The bits of `0o7777`.
    pub(super) mode: u32,
    /// User and group.
    pub(super) owner: (u32, u32),
    /// In bytes.
    pub(super) size: u64,
    /// When it was last read, in nanoseconds.
    pub(super) accessed: i128,
    /// What it takes up on the disk, in bytes.
    pub(super) allocated: u64,
    /// When its contents were last written, in nanoseconds.
    pub(super) modified: i128,
    /// When anything of it was last changed, in nanoseconds; only the system sets it.
    pub(super) changed: i128,
}

impl There {
    pub(super) fn of(stat: &fs::Stat) -> Self {
        let nanoseconds =
            |seconds, nanoseconds| i128::from(seconds) * 1_000_000_000 + i128::from(nanoseconds);
        Self {
            kind: FileType::from_raw_mode(stat.st_mode),
            inode: stat.st_ino,
            has_other_names: stat.st_nlink > 1,
            device: stat.st_dev,
            mode: stat.st_mode & 0o7777,
            owner: (stat.st_uid, stat.st_gid),
            size: u64::try_from(stat.st_size).unwrap_or(0),
            // Blocks have 512 bytes whatever the file system (stat(2)).
            allocated: u64::try_from(stat.st_blocks)
                .unwrap_or(0)
                .saturating_mul(512),
            accessed: nanoseconds(stat.st_atime, stat.st_atime_nsec),
            modified: nanoseconds(stat.st_mtime, stat.st_mtime_nsec),
            changed: nanoseconds(stat.st_ctime, stat.st_ctime_nsec),
        }
    }

    /// A file held open.
    pub(super) fn of_file(file: &File) -> rustix::io::Result<Self> {
        Ok(Self::of(&fs::fstat(file)?))
    }

    /// Whether it is a socket or a pipe: what a component makes anew when it starts, and no data.
    pub(super) fn is_left_out(self) -> bool {
        matches!(self.kind, FileType::Socket | FileType::Fifo)
    }

    pub(super) fn is_file(self) -> bool {
        self.kind == FileType::RegularFile
    }

    pub(super) fn is_folder(self) -> bool {
        self.kind == FileType::Directory
    }

    pub(super) fn is_link(self) -> bool {
        self.kind == FileType::Symlink
    }

    /// Whether two looks have found the same file or directory, whatever became of it meanwhile.
    pub(super) fn is_same(self, other: Self) -> bool {
        (self.device, self.inode) == (other.device, other.inode)
    }

    /// What lies under a name of a directory.
    pub(super) fn under(directory: &File, name: &OsStr) -> io::Result<Self> {
        let stat = fs::statat(directory, name, AtFlags::SYMLINK_NOFOLLOW)?;
        Ok(Self::of(&stat))
    }
}

impl Folder {
    pub(super) fn new(handle: File, path: &Path, disk: &Disk) -> Self {
        Self {
            handle,
            path: path.to_owned(),
            disk: disk.clone(),
            depth: 0,
            patience: Arc::default(),
        }
    }

    /// Opens a directory of the machine by its path; the name itself is no link.
    pub(super) fn open(disk: &Disk, path: &Path) -> Result<Self, ApplyError> {
        match path.file_name() {
            Some(name) => secure_path::open(disk, parent(path))?.0.enter(name),
            None => Ok(secure_path::open(disk, path)?.0),
        }
    }

    /// Opens a folder that lies in this one and is no link.
    pub(super) fn enter(&self, name: &OsStr) -> Result<Self, ApplyError> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let handle = fs::openat(&self.handle, name, flags, Mode::empty()).doing(
            "open as a directory, not a symbolic link,",
            self.path_of(name),
        )?;
        self.below(name, handle.into())
    }

    /// A directory that lies in this one and is open already.
    fn below(&self, name: &OsStr, handle: File) -> Result<Self, ApplyError> {
        let path = self.path_of(name);
        self.refuse_too_deep(&path)?;
        Ok(Self {
            handle,
            path,
            disk: self.disk.clone(),
            depth: self.depth + 1,
            patience: self.patience.clone(),
        })
    }

    fn refuse_too_deep(&self, path: &Path) -> Result<(), ApplyError> {
        if self.depth < DEEPEST {
            return Ok(());
        }
        Err(ApplyError::TooDeep {
            path: path.to_owned(),
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
            depth: self.depth,
            patience: self.patience.clone(),
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
        let stat = fs::fstat(&self.handle).doing("inspect", &self.path)?;
        Ok(There::of(&stat))
    }

    /// What lies under a name, if anything does.
    pub(super) fn look(&self, name: &OsStr) -> Result<Option<There>, ApplyError> {
        match fs::statat(&self.handle, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) => Ok(Some(There::of(&stat))),
            Err(rustix::io::Errno::NOENT) => Ok(None),
            Err(error) => Err(error).doing("inspect", self.path_of(name)),
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

    /// Where a link leads.
    pub(super) fn read_link(&self, name: &OsStr) -> Result<OsString, ApplyError> {
        let leads_to = fs::readlinkat(&self.handle, name, Vec::new())
            .doing("read the link", self.path_of(name))?;
        Ok(OsString::from_vec(leads_to.into_bytes()))
    }

    /// Writes back everything that others have written to the file system of this folder, so that what
    /// they write from here on can be seen. Changes nothing.
    pub(super) fn write_back(&self) -> Result<(), ApplyError> {
        fs::syncfs(&self.handle).doing("flush the file system of", &self.path)
    }

    /// Refuses a folder where something is mounted: what is in it lies elsewhere.
    pub(super) fn refuse_mounted(&self) -> Result<(), ApplyError> {
        let (flags, nothing) = (AtFlags::EMPTY_PATH, fs::StatxFlags::empty());
        let there = fs::statx(&self.handle, c"", flags, nothing).doing("inspect", &self.path)?;
        let is_mounted = fs::StatxAttributes::MOUNT_ROOT;
        if there.stx_attributes.contains(is_mounted) {
            return Err(ApplyError::Mounted {
                path: self.path.clone(),
            });
        }
        Ok(())
    }

    /// The kind of file system that this folder is on, as a number of `statfs(2)`.
    pub(super) fn file_system(&self) -> Result<u64, ApplyError> {
        let there = fs::fstatfs(&self.handle).doing("inspect the file system of", &self.path)?;
        Ok(there.f_type.cast_unsigned())
    }
}

/// The path that leads to what a handle holds, for calls that take no handle. It is a link of the
/// kernel's own and leads there whatever its name is by now.
fn through(handle: &File) -> PathBuf {
    Path::new("/proc/self/fd").join(handle.as_raw_fd().to_string())
}
