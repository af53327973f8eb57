//! The files of one payload in the folder. Their errors are bare: paths here are no words for a message.

use std::{
    fs, io,
    path::{Path, PathBuf},
    time::SystemTime,
};

/// What the folder has of one payload, as it was when somebody looked.
pub(super) struct There {
    /// Bytes that it has, or is going to have.
    pub(super) length: u64,
    pub(super) since: SystemTime,
    /// Whether somebody is at a download of it right now.
    pub(super) under_way: bool,
    pub(super) files: Vec<PathBuf>,
}

impl There {
    /// Removes all of it, unless somebody is at it. Says whether it is gone.
    pub(super) fn remove(&self) -> io::Result<bool> {
        if self.under_way {
            return Ok(false);
        }
        for path in &self.files {
            let file = match fs::File::open(path) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                file => file?,
            };
            // It goes while nobody else can begin with it.
            match file.try_lock() {
                Ok(()) => removed(path)?,
                Err(fs::TryLockError::WouldBlock) => return Ok(false),
                Err(fs::TryLockError::Error(source)) => return Err(source),
            }
        }
        Ok(true)
    }
}

pub(super) fn is_room(path: &Path) -> bool {
    path.extension()
        .is_some_and(|extension| extension == "room")
}

/// Whether somebody is at a download of it right now. What is whole is locked by nobody.
pub(super) fn is_locked(path: &Path) -> bool {
    if path.extension().is_none() {
        return false;
    }
    let file = fs::File::open(path);
    file.is_ok_and(|file| matches!(file.try_lock(), Err(fs::TryLockError::WouldBlock)))
}

/// Removes a file that may be gone already.
pub(super) fn removed(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
