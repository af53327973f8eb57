//! One application at a time per component, across processes.

use std::{
    ffi::OsStr,
    fs::{self, File, TryLockError},
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    sync::atomic::{AtomicBool, Ordering},
};

use super::{ApplyError, disk::Disk, error::Doing, folder::Folder, place::around};

/// The folder beside a component's that holds what the shim needs there.
pub(super) const BESIDE: &str = ".spacecp-advisories";

/// Held while an application is under way; the system lets go of it when the process ends.
#[derive(Debug)]
pub(super) struct Lock {
    file: File,
    /// Whether another process holds it, too. Then whoever holds it last lets go of it.
    shared: AtomicBool,
}

impl Drop for Lock {
    fn drop(&mut self) {
        // To let go of it here would take it from the other process, too.
        if self.shared.load(Ordering::SeqCst) {
            return;
        }
        // Closing the file would not be enough at once: a process that another thread is starting at
        // this moment has a copy of it until it runs its own program.
        if let Err(error) = self.file.unlock() {
            tracing::warn!(%error, "the lock of a component could not be released");
        }
    }
}

impl Lock {
    /// Takes the lock of the component in `folder`, or says that it is taken.
    pub(super) fn take(disk: &Disk, folder: &Path) -> Result<Self, ApplyError> {
        let (around, mut name) = around(disk, folder)?;
        let beside = make_own(&around)?;
        name.push(".lock");
        let file = beside.open_lock(&name)?;
        Self::locked(file, folder, beside.path_of(&name), false)
    }

    fn locked(file: File, folder: &Path, path: PathBuf, shared: bool) -> Result<Self, ApplyError> {
        match file.try_lock() {
            Ok(()) => Ok(Self {
                file,
                shared: AtomicBool::new(shared),
            }),
            Err(TryLockError::WouldBlock) => Err(ApplyError::Busy {
                folder: folder.to_owned(),
            }),
            Err(TryLockError::Error(error)) => Err(error).doing("lock", path),
        }
    }

    /// The lock once more, to be handed to another process.
    pub(super) fn share(&self) -> Result<File, ApplyError> {
        self.shared.store(true, Ordering::SeqCst);
        self.file.try_clone().doing("share", "the lock")
    }

    /// The lock of the component in `folder`, as it was handed over; anything else is refused.
    pub(super) fn inherited(file: File, folder: &Path) -> Result<Self, ApplyError> {
        let path = path(folder)?;
        let there = fs::symlink_metadata(&path).doing("look at", &path)?;
        let given = file.metadata().doing("look at", &path)?;
        if (there.dev(), there.ino()) != (given.dev(), given.ino()) {
            return Err(std::io::Error::other(
                "what was handed over is not this lock",
            ))
            .doing("take over", path);
        }
        Self::locked(file, folder, path, true)
    }
}

/// Whether two folders are one, or one lies in the other: their trees move together.
pub(super) fn are_related(one: &Path, other: &Path) -> bool {
    one.starts_with(other) || other.starts_with(one)
}

/// The locks of components, and of those whose folders contain one of theirs or lie in one: a tree that
/// is exchanged takes along what is in it.
#[derive(Debug)]
pub(super) struct Locks(Vec<(PathBuf, Lock)>);

impl Locks {
    /// Takes all of them, or says which one is taken. `all` are the folders of every component.
    pub(super) fn take<'a>(
        disk: &Disk,
        folders: impl Iterator<Item = &'a Path>,
        all: &[PathBuf],
    ) -> Result<Self, ApplyError> {
        let own: Vec<&Path> = folders.collect();
        let related = all.iter().map(PathBuf::as_path).filter(|other| {
            !own.contains(other) && own.iter().any(|folder| are_related(folder, other))
        });
        let mut locks = Vec::new();
        for folder in &own {
            locks.push(((*folder).to_owned(), Lock::take(disk, folder)?));
        }
        for folder in related.collect::<std::collections::BTreeSet<_>>() {
            match Lock::take(disk, folder) {
                Ok(lock) => locks.push((folder.to_owned(), lock)),
                // Nobody works where nobody may write, or where nothing is.
                Err(ApplyError::File { source, .. }) if is_out_of_reach(&source) => {
                    tracing::debug!(folder = %folder.display(), error = %source, "nothing can be done to what is here");
                }
                Err(error) => return Err(error),
            }
        }
        Ok(Self(locks))
    }

    /// The lock of a component's folder, if it is among them.
    pub(super) fn of(&self, folder: &Path) -> Option<&Lock> {
        let mut locks = self.0.iter();
        locks.find(|(own, _)| own == folder).map(|(_, lock)| lock)
    }

    /// Whether a folder is related to one of those that are locked.
    pub(super) fn reach(&self, folder: &Path) -> bool {
        self.0.iter().any(|(own, _)| are_related(own, folder))
    }
}

/// Whether this says that no tree can be exchanged there, by this user or by anybody.
fn is_out_of_reach(error: &std::io::Error) -> bool {
    use std::io::ErrorKind;
    matches!(
        error.kind(),
        ErrorKind::NotFound | ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem
    )
}

/// Makes the folder beside a component's, or takes the one that is there if it is truly ours.
///
/// It holds whole trees, old and vulnerable ones among them, so nobody else may enter it; and what
/// somebody else has put there, or a link, is not to be written into. The folder around it is not
/// made: where that is gone, so is the component.
fn make_own(around: &Folder) -> Result<Folder, ApplyError> {
    let name = OsStr::new(BESIDE);
    let there = match around.look(name)? {
        None => around.make_folder(name)?.itself()?,
        Some(there) => there,
    };
    if !there.is_folder() || there.owner.0 != rustix::process::geteuid().as_raw() {
        return Err(std::io::Error::other(
            "it is not a folder of the panel's own user; look who put it there, and move it away",
        ))
        .doing("use", around.path_of(name));
    }
    let beside = around.enter(name)?;
    if there.mode & 0o077 != 0 {
        beside.set_mode(0o700)?;
    }
    Ok(beside)
}

/// Where the lock of the component in `folder` is.
fn path(folder: &Path) -> Result<PathBuf, ApplyError> {
    let name = folder.file_name().unwrap_or_default().to_string_lossy();
    Ok(beside(folder)?.join(format!("{name}.lock")))
}

/// The folder beside a component's folder, on the same file system.
pub(super) fn beside(folder: &Path) -> Result<PathBuf, ApplyError> {
    let parent = folder.parent().ok_or_else(|| ApplyError::File {
        doing: "find a place beside",
        path: folder.to_owned(),
        source: std::io::Error::other("it has no parent folder"),
    })?;
    Ok(parent.join(BESIDE))
}
