//! One application at a time per component, across processes.

use std::{
    fs::{File, TryLockError},
    path::{Path, PathBuf},
    sync::atomic::{AtomicBool, Ordering},
};

use super::{ApplyError, error::Doing, folder::There, workspaces::Workspaces};

/// Held while an application is under way; the system lets go of it when the process ends.
#[derive(Debug)]
pub(super) struct Lock {
    file: File,
    /// The directory that lists the workspaces of the component.
    workspaces: PathBuf,
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
            tracing::warn!(%error, "cannot release the lock of a component");
        }
    }
}

impl Lock {
    /// Takes the lock of the component in `folder`, or says that it is taken.
    pub(super) fn take(place: &Workspaces, folder: &Path) -> Result<Self, ApplyError> {
        let (file, workspaces) = place.make_lock(folder)?;
        Self::locked(file, folder, workspaces, false)
    }

    fn locked(
        file: File,
        folder: &Path,
        workspaces: PathBuf,
        shared: bool,
    ) -> Result<Self, ApplyError> {
        match file.try_lock() {
            Ok(()) => Ok(Self {
                file,
                workspaces,
                shared: AtomicBool::new(shared),
            }),
            Err(TryLockError::WouldBlock) => Err(ApplyError::Busy {
                folder: folder.to_owned(),
            }),
            Err(TryLockError::Error(error)) => {
                Err(error).doing("take the lock of the component in", folder)
            }
        }
    }

    /// Where an application of the component has its workspace.
    pub(super) fn workspace(&self, application: &str) -> PathBuf {
        self.workspaces.join(application)
    }

    /// The lock once more, to be handed to another process.
    pub(super) fn share(&self) -> Result<File, ApplyError> {
        self.shared.store(true, Ordering::SeqCst);
        self.file.try_clone().doing("share", "the lock")
    }

    /// The lock of the component in `folder`, as it was handed over; anything else is refused.
    pub(super) fn inherited(
        file: File,
        place: &Workspaces,
        folder: &Path,
    ) -> Result<Self, ApplyError> {
        let given = rustix::fs::fstat(&file).doing("inspect the inherited lock of", folder)?;
        let there = place.look_at_lock(folder)?;
        if !there.is_some_and(|there| there.is_same(There::of(&given))) {
            return Err(std::io::Error::other(
                "the inherited descriptor is not the lock of this component",
            ))
            .doing("take over", folder);
        }
        // Its workspace is there already, and the journal knows where.
        Self::locked(file, folder, PathBuf::new(), true)
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
        place: &Workspaces,
        folders: impl Iterator<Item = &'a Path>,
        all: &[PathBuf],
    ) -> Result<Self, ApplyError> {
        let own: Vec<&Path> = folders.collect();
        let related = all.iter().map(PathBuf::as_path).filter(|other| {
            !own.contains(other) && own.iter().any(|folder| are_related(folder, other))
        });
        let mut locks = Vec::new();
        for folder in &own {
            locks.push(((*folder).to_owned(), Lock::take(place, folder)?));
        }
        for folder in related.collect::<std::collections::BTreeSet<_>>() {
            match Lock::take(place, folder) {
                Ok(lock) => locks.push((folder.to_owned(), lock)),
                // Nobody works where nobody may write, or where nothing is.
                Err(error) if is_out_of_reach(&error) => {
                    tracing::debug!(
                        error = error.for_log(),
                        "cannot lock a related component; no correction can be applied"
                    );
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
fn is_out_of_reach(error: &ApplyError) -> bool {
    use std::io::ErrorKind;
    match error {
        ApplyError::Insecure { .. } | ApplyError::NotOwn { .. } => true,
        ApplyError::File { source, .. } => matches!(
            source.kind(),
            ErrorKind::NotFound | ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem
        ),
        _ => false,
    }
}
