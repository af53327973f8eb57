//! One process of a panel at a time, for what two would do twice.
//!
//! A lock on a file below the shim's own folder; the system lets go of it when its process ends, however that
//! was. Nothing waits here: who comes second is told so.

use std::{
    fs::{File, TryLockError},
    io,
    path::{Path, PathBuf},
};

/// Held while something is under way that nobody else may begin, in this process or another.
#[derive(Debug)]
pub struct OneProcess {
    file: File,
}

/// Why it cannot be begun.
#[derive(Debug, thiserror::Error)]
pub enum OneProcessError {
    /// Somebody is at it.
    #[error("another process of this panel holds the lock")]
    Busy,
    /// Nobody can say whether somebody is.
    #[error("cannot use the lock {}: {source}", path.display())]
    Lock {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: io::Error,
    },
}

impl OneProcess {
    /// Takes the lock `path`, and makes the file if it is not there.
    pub fn take(path: &Path) -> Result<Self, OneProcessError> {
        let failed = |source| OneProcessError::Lock {
            path: path.to_owned(),
            source,
        };
        let file = File::options()
            .create(true)
            .write(true)
            .truncate(false)
            .open(path)
            .map_err(failed)?;
        match file.try_lock() {
            Ok(()) => Ok(Self { file }),
            Err(TryLockError::WouldBlock) => Err(OneProcessError::Busy),
            Err(TryLockError::Error(source)) => Err(failed(source)),
        }
    }
}

impl Drop for OneProcess {
    fn drop(&mut self) {
        // Closing the file would not be enough at once: a process that another thread is starting at
        // this moment has a copy of it until it runs its own program.
        if let Err(error) = self.file.unlock() {
            tracing::warn!(%error, "cannot release lock");
        }
    }
}
