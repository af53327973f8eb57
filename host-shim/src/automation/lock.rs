//! One run at a time, across processes.

use std::{
    fs::{File, TryLockError},
    path::Path,
};

use super::AutomationError;

/// Held while a run is under way; the system lets go of it when the process ends.
#[derive(Debug)]
pub struct OneAtATime {
    file: File,
}

impl Drop for OneAtATime {
    fn drop(&mut self) {
        // Closing the file would not be enough at once: a process that another thread is starting at
        // this moment has a copy of it until it runs its own program.
        if let Err(error) = self.file.unlock() {
            tracing::warn!(%error, "the lock of automatic application could not be released");
        }
    }
}

impl OneAtATime {
    /// Takes the lock below the shim's own folder, or says that it is taken.
    pub fn take(state: &Path) -> Result<Self, AutomationError> {
        let path = state.join("automation.lock");
        let failed = |source| AutomationError::Lock {
            path: path.clone(),
            source,
        };
        let file = File::options()
            .create(true)
            .write(true)
            .truncate(false)
            .open(&path)
            .map_err(failed)?;
        match file.try_lock() {
            Ok(()) => Ok(Self { file }),
            Err(TryLockError::WouldBlock) => Err(AutomationError::Busy),
            Err(TryLockError::Error(source)) => Err(failed(source)),
        }
    }
}
