//! Single files: new ones that are written piece by piece, and what a file is beside its
//! contents.

use std::{
    ffi::OsString,
    fs::{File, FileTimes, Permissions},
    io::{self, Seek, Write},
    os::unix::fs::{MetadataExt, PermissionsExt},
    path::{Path, PathBuf},
    time::SystemTime,
};

use spacecp_contract::Digest;
use xattr::FileExt as _;

use super::{ApplyError, disk::Disk, error::Doing, faults::Operation};
use crate::streamed;

/// A file that was just created and is not yet what it shall be.
#[derive(Debug)]
pub(super) struct NewFile {
    file: File,
    path: PathBuf,
    disk: Disk,
}

impl NewFile {
    pub(super) fn new(file: File, path: PathBuf, disk: Disk) -> Self {
        Self { file, path, disk }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Writes at the end.
    pub(super) fn write(&mut self, mut bytes: &[u8]) -> Result<(), ApplyError> {
        while !bytes.is_empty() {
            let (now, later) = bytes.split_at(self.disk.piece(bytes.len()));
            let Self { file, path, disk } = self;
            disk.act(Operation::Write, path, || file.write_all(now))?;
            bytes = later;
        }
        Ok(())
    }

    /// Shares the contents of another file; says whether the file system can.
    pub(super) fn share(&mut self, of: &File) -> Result<bool, ApplyError> {
        self.disk.act(Operation::ShareContents, &self.path, || {
            use rustix::io::Errno;
            match rustix::fs::ioctl_ficlone(&self.file, of) {
                Ok(()) => Ok(true),
                // What a full or broken disk says is said again by the copy that follows.
                Err(
                    Errno::OPNOTSUPP | Errno::NOTTY | Errno::INVAL | Errno::XDEV | Errno::NOSYS,
                ) => Ok(false),
                Err(error) => Err(error.into()),
            }
        })
    }

    /// The digest of what is in it, read back.
    pub(super) fn read_back(&mut self) -> Result<Digest, ApplyError> {
        let Self { file, path, .. } = self;
        file.rewind().doing("read back", &*path)?;
        streamed::digest_of(file).doing("read back", &*path)
    }

    /// Reads back as much of it as there is room for; says how much that is.
    pub(super) fn read_again(&mut self, into: &mut [u8]) -> Result<usize, ApplyError> {
        let Self { file, path, .. } = self;
        file.rewind().doing("read back", &*path)?;
        streamed::fill(file, into).doing("read back", &*path)
    }

    /// Gives it to somebody, where it is not theirs already.
    pub(super) fn own(&self, owner: (u32, u32)) -> Result<(), ApplyError> {
        own(&self.disk, (&self.file, &self.path), owner)
    }

    /// Sets its mode.
    pub(super) fn set_mode(&self, mode: u32) -> Result<(), ApplyError> {
        set_mode(&self.disk, (&self.file, &self.path), mode)
    }

    /// Gives it owner, mode and extended attributes of another.
    pub(super) fn take_attributes(&self, of: &File, path: &Path) -> Result<(), ApplyError> {
        take_attributes(&self.disk, (&self.file, &self.path), (of, path))
    }

    /// Gives it owner, mode and extended attributes of another, and its time.
    pub(super) fn take_after(&self, of: &File, path: &Path) -> Result<(), ApplyError> {
        self.take_attributes(of, path)?;
        let changed = of.metadata().and_then(|metadata| metadata.modified());
        self.set_time(changed.doing("look at", path)?)
    }

    fn set_time(&self, changed: SystemTime) -> Result<(), ApplyError> {
        let times = FileTimes::new().set_modified(changed);
        self.disk.act(Operation::SetTime, &self.path, || {
            self.file.set_times(times)
        })
    }

    /// Makes it durable.
    pub(super) fn sync(&self) -> Result<(), ApplyError> {
        self.disk
            .act(Operation::SyncFile, &self.path, || self.file.sync_all())
    }
}

/// A file or folder held open, and what it is called.
pub(super) type Held<'a> = (&'a File, &'a Path);

/// Gives a file or folder the owner, mode and extended attributes of another.
pub(super) fn take_attributes(disk: &Disk, to: Held<'_>, of: Held<'_>) -> Result<(), ApplyError> {
    let metadata = of.0.metadata().doing("look at", of.1)?;
    own(disk, to, (metadata.uid(), metadata.gid()))?;
    set_mode(disk, to, metadata.permissions().mode() & 0o7777)?;
    for name in unless_unsupported(of.0.list_xattr()).doing("list the attributes of", of.1)? {
        if let Some(value) = of.0.get_xattr(&name).doing("read an attribute of", of.1)? {
            disk.act(Operation::SetAttribute, to.1, || {
                to.0.set_xattr(&name, &value)
            })?;
        }
    }
    Ok(())
}

/// Gives a file or folder to somebody, where it is not theirs already.
pub(super) fn own(disk: &Disk, to: Held<'_>, owner: (u32, u32)) -> Result<(), ApplyError> {
    let there = to.0.metadata().doing("look at", to.1)?;
    if (there.uid(), there.gid()) == owner {
        return Ok(());
    }
    // Only root may give files away; as anybody else all files are one's own.
    disk.act(Operation::SetOwner, to.1, || {
        std::os::unix::fs::fchown(to.0, Some(owner.0), Some(owner.1))
    })
}

/// Sets the mode of a file or folder.
pub(super) fn set_mode(disk: &Disk, to: Held<'_>, mode: u32) -> Result<(), ApplyError> {
    disk.act(Operation::SetMode, to.1, || {
        to.0.set_permissions(Permissions::from_mode(mode))
    })
}

/// The extended attributes of a link itself.
pub(super) fn attributes_of_link(link: &Path) -> io::Result<Vec<(OsString, Vec<u8>)>> {
    let mut found = Vec::new();
    for name in unless_unsupported(xattr::list(link))? {
        if let Some(value) = xattr::get(link, &name)? {
            found.push((name, value));
        }
    }
    Ok(found)
}

/// A file system without extended attributes has none to keep.
fn unless_unsupported(names: io::Result<xattr::XAttrs>) -> io::Result<Vec<OsString>> {
    match names {
        Err(error) if error.kind() == io::ErrorKind::Unsupported => Ok(Vec::new()),
        names => Ok(names?.collect()),
    }
}
