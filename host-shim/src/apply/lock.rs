//! One application at a time per component, across processes.

use std::{
    fs::{self, File, TryLockError},
    path::Path,
};

use super::{ApplyError, error::Doing};

/// The folder beside a component's that holds what the shim needs there.
pub(super) const BESIDE: &str = ".spacecp-advisories";

/// Held while an application is under way; the system lets go of it when the process ends.
#[derive(Debug)]
pub(super) struct Lock {
    _file: File,
}

impl Lock {
    /// Takes the lock of the component in `folder`, or says that it is taken.
    pub(super) fn take(folder: &Path) -> Result<Self, ApplyError> {
        let beside = beside(folder)?;
        fs::create_dir_all(&beside).doing("make the folder", &beside)?;
        let name = folder.file_name().unwrap_or_default().to_string_lossy();
        let path = beside.join(format!("{name}.lock"));
        let file = File::options()
            .create(true)
            .write(true)
            .truncate(false)
            .open(&path)
            .doing("open the lock", &path)?;
        match file.try_lock() {
            Ok(()) => Ok(Self { _file: file }),
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

/// The folder beside a component's folder, on the same file system.
pub(super) fn beside(folder: &Path) -> Result<std::path::PathBuf, ApplyError> {
    let parent = folder.parent().ok_or_else(|| ApplyError::File {
        doing: "find a place beside",
        path: folder.to_owned(),
        source: std::io::Error::other("it has no parent folder"),
    })?;
    Ok(parent.join(BESIDE))
}
