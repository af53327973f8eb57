//! What a command holds on to for as long as it runs.
//!
//! A process that is killed cannot kill the command that it waits for: an order to stop goes on, and
//! may stop what recovery has just found running. So every command is given one open, locked, empty
//! file as its standard input. The lock lasts until the last process that has it has ended, and
//! recovery waits for that before it looks.

use std::{
    fs::{File, TryLockError},
    io,
    os::unix::fs::OpenOptionsExt,
    path::Path,
    process::Stdio,
    time::Duration,
};

use tokio::time::{Instant, sleep};

/// How often somebody who waits looks again.
const PAUSE: Duration = Duration::from_millis(50);

/// An open, locked file to be handed to what is started.
#[derive(Debug)]
pub struct Tie(File);

impl Tie {
    /// A tie that is this file. Commands of an earlier process may hold on to it still: for their end,
    /// wait with [`Tie::released`] first.
    pub fn new(path: &Path) -> io::Result<Self> {
        let file = open(path)?;
        // Held by a careless daemon that was started earlier: whoever waited has waited.
        match file.try_lock() {
            Ok(()) | Err(TryLockError::WouldBlock) => Ok(Self(file)),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }

    /// Waits until nobody holds on to the file any more, but no longer than `within`. Says whether it
    /// came to that.
    pub async fn released(path: &Path, within: Duration) -> io::Result<bool> {
        if !path.exists() {
            return Ok(true);
        }
        let file = open(path)?;
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

fn open(path: &Path) -> io::Result<File> {
    File::options()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(path)
}
