//! One application at a time per component, across processes.

use std::{
    fs::{self, DirBuilder, File, Permissions, TryLockError},
    os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt},
    path::{Path, PathBuf},
};

use super::{ApplyError, error::Doing};

/// The folder beside a component's that holds what the shim needs there.
pub(super) const BESIDE: &str = ".spacecp-advisories";

/// Held while an application is under way; the system lets go of it when the process ends.
#[derive(Debug)]
pub(super) struct Lock {
    file: File,
}

impl Lock {
    /// Takes the lock of the component in `folder`, or says that it is taken.
    pub(super) fn take(folder: &Path) -> Result<Self, ApplyError> {
        let beside = beside(folder)?;
        make_own(&beside)?;
        let path = path(folder)?;
        let file = File::options()
            .create(true)
            .write(true)
            .truncate(false)
            .open(&path)
            .doing("open the lock", &path)?;
        Self::locked(file, folder, path)
    }

    fn locked(file: File, folder: &Path, path: PathBuf) -> Result<Self, ApplyError> {
        match file.try_lock() {
            Ok(()) => Ok(Self { file }),
            Err(TryLockError::WouldBlock) => Err(ApplyError::Busy {
                folder: folder.to_owned(),
            }),
            Err(TryLockError::Error(source)) => Err(ApplyError::File {
                doing: "lock",
                path,
                source,
            }),
        }
    }
}

impl Lock {
    /// The lock once more, to be handed to another process.
    pub(super) fn share(&self) -> Result<File, ApplyError> {
        self.file.try_clone().doing("share", "the lock")
    }

    /// The lock of the component in `folder`, as it was handed over; anything else is refused.
    pub(super) fn inherited(file: File, folder: &Path) -> Result<Self, ApplyError> {
        let path = path(folder)?;
        let there = fs::symlink_metadata(&path).doing("look at", &path)?;
        let given = file.metadata().doing("look at", &path)?;
        if (there.dev(), there.ino()) != (given.dev(), given.ino()) {
            return Err(ApplyError::File {
                doing: "take over",
                path,
                source: std::io::Error::other("what was handed over is not this lock"),
            });
        }
        Self::locked(file, folder, path)
    }
}

/// Makes the folder beside a component's, or takes the one that is there if it is truly ours.
///
/// It holds whole trees, old and vulnerable ones among them, so nobody else may enter it; and what
/// somebody else has put there, or a link, is not to be written into. The folder around it is not
/// made: where that is gone, so is the component.
fn make_own(beside: &Path) -> Result<(), ApplyError> {
    match DirBuilder::new().mode(0o700).create(beside) {
        Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => {
            return Err(error).doing("make the folder", beside);
        }
        _ => {}
    }
    let there = fs::symlink_metadata(beside).doing("look at", beside)?;
    if !there.is_dir() || there.uid() != rustix::process::geteuid().as_raw() {
        return Err(ApplyError::File {
            doing: "use",
            path: beside.to_owned(),
            source: std::io::Error::other(
                "it is not a folder of the panel's own user; look who put it there, and move it away",
            ),
        });
    }
    if there.permissions().mode() & 0o077 != 0 {
        fs::set_permissions(beside, Permissions::from_mode(0o700)).doing("close", beside)?;
    }
    Ok(())
}

/// Where the lock of the component in `folder` is.
fn path(folder: &Path) -> Result<PathBuf, ApplyError> {
    let name = folder.file_name().unwrap_or_default().to_string_lossy();
    Ok(beside(folder)?.join(format!("{name}.lock")))
}

/// The folder beside a component's folder, on the same file system.
pub(super) fn beside(folder: &Path) -> Result<std::path::PathBuf, ApplyError> {
    let parent = folder.parent().ok_or_else(|| ApplyError::File {
        doing: "find a place beside",
        path: folder.to_owned(),
        source: std::io::Error::other("it has no parent folder"),
    })?;
    Ok(parent.join(BESIDE))
}
