//! The lock that a command inherits and holds for as long as it runs.
//!
//! A process that is killed cannot kill the command that it waits for: an order to stop goes on, and
//! may stop what recovery has just found running. So every command is given one open, locked, empty
//! file as its standard input. The lock lasts until the last process that has it has ended, and
//! recovery waits for that before it looks.
//!
//! The caller opens the file, for reading only; nothing here knows a path.

use std::{
    fs::{File, TryLockError},
    io,
    process::Stdio,
    time::Duration,
};

use tokio::time::{Instant, sleep};

/// How often somebody who waits looks again.
const PAUSE: Duration = Duration::from_millis(50);

/// An open, locked file to be handed to what is started.
#[derive(Debug)]
pub struct InheritedLock(File);

impl InheritedLock {
    /// Locks this file. Commands of an earlier process may hold it still: for their end, wait with
    /// [`InheritedLock::released`] first.
    pub fn new(file: File) -> io::Result<Self> {
        // Held by a careless daemon that was started earlier: whoever waited has waited.
        match file.try_lock() {
            Ok(()) | Err(TryLockError::WouldBlock) => Ok(Self(file)),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }

    /// Waits until no process holds the lock of this file any more, but no longer than `within`. Says
    /// whether it came to that.
    pub async fn released(file: &File, within: Duration) -> io::Result<bool> {
        let end = Instant::now() + within;
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(true),
                Err(TryLockError::Error(error)) => return Err(error),
                Err(TryLockError::WouldBlock) if Instant::now() >= end => return Ok(false),
                Err(TryLockError::WouldBlock) => sleep(PAUSE).await,
            }
        }
    }

    /// Standard input for a command: empty, and it holds the lock.
    pub fn stdin(&self) -> io::Result<Stdio> {
        Ok(Stdio::from(self.0.try_clone()?))
    }
}
