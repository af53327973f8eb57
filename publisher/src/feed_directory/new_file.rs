//! A file that is being written and has no name of its own yet.

use std::{
    fs::{File, TryLockError},
    io::{self, Write},
    os::{fd::OwnedFd, unix::fs::MetadataExt},
};

use rustix::{
    fs::{self, AtFlags, Mode, OFlags},
    io::Errno,
};

use crate::durable::{self, Readers, UNFINISHED};

/// A file without its name. It is locked while it is written, and removed unless it gets one.
#[derive(Debug)]
pub(super) struct NewFile {
    directory: OwnedFd,
    name: String,
    file: File,
}

impl NewFile {
    /// One in this directory, for its owner alone.
    pub(super) fn create(directory: OwnedFd) -> io::Result<Self> {
        loop {
            let mut random = [0; 12];
            getrandom::fill(&mut random).map_err(io::Error::other)?;
            let name = format!("{UNFINISHED}{}", hex::encode(random));
            let flags = OFlags::RDWR | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW;
            let mode = Mode::RUSR | Mode::WUSR;
            let file: File = match fs::openat(&directory, &name, flags | OFlags::CLOEXEC, mode) {
                Err(Errno::EXIST) => continue,
                file => file?.into(),
            };
            file.lock()?;
            // Another process may have taken it for a leftover before it was locked.
            if file.metadata()?.nlink() > 0 {
                return Ok(Self {
                    directory,
                    name,
                    file,
                });
            }
        }
    }

    /// Lets others read it where they may.
    pub(super) fn set_readers(&self, readers: Readers) -> io::Result<()> {
        match readers {
            Readers::Owner => Ok(()),
            Readers::Everybody => durable::set_readable(&self.file),
        }
    }

    pub(super) fn sync(&self) -> io::Result<()> {
        self.file.sync_all()
    }

    /// Gives it its name, there or in another directory of the same file system; what has that name is replaced,
    /// whatever it is but a directory. The directories are not synced yet.
    pub(super) fn rename(mut self, into: Option<&OwnedFd>, name: &str) -> io::Result<()> {
        let into = into.unwrap_or(&self.directory);
        fs::renameat(&self.directory, &self.name, into, name)?;
        self.name.clear();
        Ok(())
    }

    /// The directory that it lies in.
    pub(super) fn directory(&self) -> &OwnedFd {
        &self.directory
    }
}

impl Write for NewFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Drop for NewFile {
    fn drop(&mut self) {
        if !self.name.is_empty() {
            // The next command removes it otherwise.
            let _ = fs::unlinkat(&self.directory, &self.name, AtFlags::empty());
        }
    }
}

/// Removes a file that a killed process was writing; that of a running one stays.
pub(super) fn remove_abandoned(directory: &OwnedFd, name: &str) -> io::Result<()> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file: File = match fs::openat(directory, name, flags, Mode::empty()) {
        // A link, or a socket: none that a process of this program was writing.
        Err(Errno::NOENT | Errno::LOOP | Errno::NXIO) => return Ok(()),
        file => file?.into(),
    };
    if !file.metadata()?.is_file() {
        return Ok(());
    }
    match file.try_lock() {
        Ok(()) => match fs::unlinkat(directory, name, AtFlags::empty()) {
            Err(error) if error != Errno::NOENT => Err(error.into()),
            _ => Ok(()),
        },
        Err(TryLockError::WouldBlock) => Ok(()),
        Err(TryLockError::Error(error)) => Err(error),
    }
}
