//! Opens the directory that a job looks at by its path, and holds it: from there on nothing goes by that path.
//!
//! The path is walked with a handle to each directory, for users of components may exchange what lies on it. A link is
//! followed where root or this process's user put it there; one of another user's may lead only to a directory of that
//! user's own, so that nobody has the scan, often root's, read what is not theirs.

use std::{
    collections::VecDeque,
    ffi::OsString,
    fs::File,
    os::{fd::OwnedFd, unix::ffi::OsStringExt},
    path::{Component, Path, PathBuf},
};

use rustix::{
    fs::{CWD, FileType, Mode, OFlags, fstat, openat, readlinkat},
    io::Errno,
};

use crate::Why;

/// The most symbolic links on one path, as in the kernel (`path_resolution(7)`).
const MOST_LINKS: usize = 40;

/// Opens a directory.
pub(crate) fn open(path: &Path) -> Result<File, Why> {
    let path = std::path::absolute(path).map_err(|error| Why::io(&error))?;
    let mut walk = Walk::new(&path).map_err(|error| Why::io(&error.into()))?;
    while let Some(name) = walk.names.pop_front() {
        walk.step(&name)?;
    }
    walk.end()
}

/// A path that is being walked.
struct Walk {
    handle: OwnedFd,
    /// What is still to be entered.
    names: VecDeque<OsString>,
    links: usize,
    /// The user, other than root and this process's, who could have put a link that was followed.
    stranger: Option<u32>,
}

impl Walk {
    fn new(path: &Path) -> Result<Self, Errno> {
        Ok(Self {
            handle: root()?,
            names: names(path),
            links: 0,
            stranger: None,
        })
    }

    /// Enters what lies under one name, or follows the link there.
    fn step(&mut self, name: &OsString) -> Result<(), Why> {
        let failed = |errno: Errno| Why::io(&errno.into());
        // Opened as what it is, and only then looked at: it cannot be exchanged in between.
        let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let entry = openat(&self.handle, name, flags, Mode::empty()).map_err(failed)?;
        let there = fstat(&entry).map_err(failed)?;
        match FileType::from_raw_mode(there.st_mode) {
            FileType::Directory => {
                self.handle = entry;
                Ok(())
            }
            FileType::Symlink => self.follow(&entry, there.st_uid),
            _ => Err(failed(Errno::NOTDIR)),
        }
    }

    fn follow(&mut self, link: &OwnedFd, owner: u32) -> Result<(), Why> {
        let failed = |errno: Errno| Why::io(&errno.into());
        let around = fstat(&self.handle).map_err(failed)?.st_uid;
        for user in [around, owner]
            .into_iter()
            .filter(|user| is_stranger(*user))
        {
            if self.stranger.is_some_and(|stranger| stranger != user) {
                return Err(Why::Elsewhere { user });
            }
            self.stranger = Some(user);
        }
        self.links += 1;
        if self.links > MOST_LINKS {
            return Err(failed(Errno::LOOP));
        }
        let target = readlinkat(link, "", Vec::new()).map_err(failed)?;
        let target = PathBuf::from(OsString::from_vec(target.into_bytes()));
        if target.is_absolute() {
            self.handle = root().map_err(failed)?;
        }
        let mut ahead = names(&target);
        ahead.append(&mut self.names);
        self.names = ahead;
        Ok(())
    }

    /// The directory that was reached, open for listing.
    fn end(self) -> Result<File, Why> {
        let failed = |errno: Errno| Why::io(&errno.into());
        let owner = fstat(&self.handle).map_err(failed)?.st_uid;
        if let Some(user) = self.stranger.filter(|stranger| *stranger != owner) {
            return Err(Why::Elsewhere { user });
        }
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let opened = openat(&self.handle, ".", flags, Mode::empty());
        opened.map(File::from).map_err(failed)
    }
}

fn root() -> Result<OwnedFd, Errno> {
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    openat(CWD, "/", flags, Mode::empty())
}

fn names(path: &Path) -> VecDeque<OsString> {
    let parts = path.components().filter_map(|part| match part {
        Component::Normal(name) => Some(name.to_owned()),
        Component::ParentDir => Some("..".into()),
        Component::RootDir | Component::CurDir | Component::Prefix(_) => None,
    });
    parts.collect()
}

/// Whether a user is neither root, who may do everything anyway, nor this process's own.
fn is_stranger(user: u32) -> bool {
    user != 0 && user != rustix::process::geteuid().as_raw()
}
