//! One process at a time tells and delivers, so that nobody is told the same by two.

use std::{
    fs::{File, TryLockError},
    path::Path,
};

use super::NotifyError;

/// Held while notices are gathered and delivered; the system lets go of it when the process ends.
#[derive(Debug)]
pub(crate) struct OneTeller {
    file: File,
}

impl Drop for OneTeller {
    fn drop(&mut self) {
        // At once, whoever has a copy of the file.
        if let Err(error) = self.file.unlock() {
            tracing::warn!(%error, "the lock of notifications could not be released");
        }
    }
}

impl OneTeller {
    /// Takes the lock below the shim's own folder, or says that it is taken.
    pub(crate) fn take(state: &Path) -> Result<Self, NotifyError> {
        let path = state.join("notify.lock");
        let failed = |source| NotifyError::Lock {
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
            Err(TryLockError::WouldBlock) => Err(NotifyError::Busy),
            Err(TryLockError::Error(source)) => Err(failed(source)),
        }
    }
}
