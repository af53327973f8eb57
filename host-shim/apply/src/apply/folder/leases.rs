//! Opens files of a tree, whose user may hold a lease on any of them.
//!
//! Who holds a lease for writing (`F_SETLEASE` of `fcntl(2)`) keeps everybody else's `open` waiting until the kernel
//! takes it away, after `/proc/sys/fs/lease-break-time` (45 seconds, unless it was changed). That is waited for where
//! a file has to be read, and only so often: with a lease on each of a thousand files a component's user would
//! otherwise hold up the corrections of all the others.

use std::{
    ffi::OsStr,
    fs::File,
    io,
    sync::atomic::{AtomicU32, Ordering},
};

use rustix::{
    fs::{self, CWD, Mode, OFlags},
    io::{Errno, retry_on_intr},
};

use super::{Folder, There, through};
use crate::apply::{ApplyError, error::Doing};

/// Leases that are waited for in one tree.
const MOST_LEASES: u32 = 4;

/// How many leases have been waited for.
#[derive(Debug, Default)]
pub(super) struct Patience(AtomicU32);

impl Folder {
    /// Opens a regular file that lies in this folder and is no link. Waits for a lease that somebody holds on it.
    pub(in crate::apply) fn open_file(&self, name: &OsStr) -> Result<File, ApplyError> {
        if let Some(file) = self.open_unless_leased(name)? {
            return Ok(file);
        }
        let path = self.path_of(name);
        if self.patience.0.fetch_add(1, Ordering::Relaxed) >= MOST_LEASES {
            return Err(ApplyError::Leased { path });
        }
        tracing::warn!("file leased by another process; waiting until the kernel breaks the lease");
        let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let held = fs::openat(&self.handle, name, flags, Mode::empty()).doing("open", &path)?;
        let held = File::from(held);
        // Whatever waits now is this file: it can be no pipe.
        if !There::of_file(&held).doing("inspect", &path)?.is_file() {
            return Err(not_a_file()).doing("read", path);
        }
        let flags = OFlags::RDONLY | OFlags::CLOEXEC;
        let opened = retry_on_intr(|| fs::openat(CWD, through(&held), flags, Mode::empty()));
        Ok(opened.doing("open", &path)?.into())
    }

    /// The same without waiting: none if somebody holds a lease on the file, so that they have it open for writing.
    pub(in crate::apply) fn open_unless_leased(
        &self,
        name: &OsStr,
    ) -> Result<Option<File>, ApplyError> {
        let path = self.path_of(name);
        // Without NONBLOCK a pipe that somebody put there would keep us waiting.
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let file = match fs::openat(&self.handle, name, flags, Mode::empty()) {
            Err(Errno::WOULDBLOCK) => return Ok(None),
            file => File::from(file.doing("open", &path)?),
        };
        if !file.metadata().doing("inspect", &path)?.is_file() {
            return Err(not_a_file()).doing("read", path);
        }
        Ok(Some(file))
    }
}

fn not_a_file() -> io::Error {
    io::Error::other("not a regular file")
}
