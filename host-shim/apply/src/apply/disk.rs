//! The one way by which an application changes the disk: action by action, each announced.

use std::{io, path::Path, sync::Arc};

use super::{
    ApplyError, NoFaults,
    error::Doing,
    faults::{Action, Faults, Operation},
};

/// The disk, with whatever may go wrong on it.
#[derive(Debug, Clone)]
pub(super) struct Disk {
    faults: Arc<dyn Faults>,
}

impl Default for Disk {
    fn default() -> Self {
        Self::with(Arc::new(NoFaults))
    }
}

impl Disk {
    /// A disk on which these faults happen.
    pub(super) fn with(faults: Arc<dyn Faults>) -> Self {
        Self { faults }
    }

    /// Performs one action on one path.
    pub(super) fn act<T>(
        &self,
        operation: Operation,
        path: &Path,
        act: impl FnOnce() -> io::Result<T>,
    ) -> Result<T, ApplyError> {
        let action = Action {
            operation,
            path,
            to: None,
        };
        self.perform(&action, act).doing(operation.doing(), path)
    }

    /// Performs one action; its error is the bare one.
    pub(super) fn perform<T>(
        &self,
        action: &Action<'_>,
        act: impl FnOnce() -> io::Result<T>,
    ) -> io::Result<T> {
        self.faults.before(action)?;
        let done = act()?;
        self.faults.after(action);
        Ok(done)
    }

    /// Performs one action that takes a while, as a statement of the journal. `failed` makes an error
    /// of its own kind of what a fault says.
    pub(super) async fn act_slowly<T, E>(
        &self,
        operation: Operation,
        path: &Path,
        act: impl Future<Output = Result<T, E>>,
        failed: impl FnOnce(io::Error) -> E,
    ) -> Result<T, E> {
        let action = Action {
            operation,
            path,
            to: None,
        };
        self.faults.before(&action).map_err(failed)?;
        let done = act.await?;
        self.faults.after(&action);
        Ok(done)
    }

    /// How many of `length` bytes are to be written at once.
    pub(super) fn piece(&self, length: usize) -> usize {
        self.faults.piece(length).clamp(1.min(length), length)
    }
}
