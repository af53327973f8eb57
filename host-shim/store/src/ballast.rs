//! A file that only takes up room in the state directory, to be given up when its disk is full: then recovery and
//! rollback can still write what they have done to the journal.

use std::{
    fs::{self, File},
    io::{self, Write},
    os::unix::fs::OpenOptionsExt,
    path::Path,
};

use spacecp_fs::private_files;

/// Its name in the state directory.
const NAME: &str = "ballast";

/// Its bytes: several times what a rollback adds to SQLite's logs, with their indexes.
const BYTES: usize = 2 << 20;

/// Free bytes without which the file is not made: it must not be what fills the disk.
const PLENTY: u64 = 16 * BYTES as u64;

/// Bytes that there has to be room for, so that a disk does not count as full.
const ROOM: usize = 256 << 10;

/// Puts the file there if it is missing and there is room. It is for a bad day: that it cannot be made is no
/// failure of anything.
pub fn keep(state: &Path) {
    let path = state.join(NAME);
    let free = rustix::fs::statvfs(state).map_or(0, |disk| disk.f_bavail * disk.f_frsize);
    if path.exists() || free < PLENTY {
        return;
    }
    if let Err(error) = make(&path) {
        tracing::debug!(%error, "cannot create the reserve file in the state directory");
        drop(fs::remove_file(&path));
    }
}

/// Removes the file if the disk is full. Says whether it did.
pub fn give_up_if_full(state: &Path) -> bool {
    if !has_no_room(state) {
        return false;
    }
    let given_up = fs::remove_file(state.join(NAME)).is_ok();
    if given_up {
        tracing::warn!(state = %state.display(), "disk full: reserve file in the state directory removed");
    }
    given_up
}

/// Whether nothing can be written beside this file, for want of space or because the file system takes no writes.
pub(super) fn is_full(file: &Path) -> bool {
    has_no_room(file.parent().unwrap_or(Path::new(".")))
}

/// Whether something can be written in a folder, and what is wrong if it cannot.
pub fn room(folder: &Path) -> io::Result<()> {
    tempfile::tempfile_in(folder).and_then(|file| fill(&file, ROOM))
}

fn has_no_room(folder: &Path) -> bool {
    room(folder).is_err_and(|error| {
        spacecp_fs::is_full(&error) || error.kind() == io::ErrorKind::ReadOnlyFilesystem
    })
}

fn make(path: &Path) -> io::Result<()> {
    let mut options = File::options();
    let file = options
        .write(true)
        .create_new(true)
        .mode(private_files::FILE);
    fill(&file.open(path)?, BYTES)
}

/// Writes what no file system stores in less than its length.
fn fill(mut file: &File, bytes: usize) -> io::Result<()> {
    let mut seed = [0; 8];
    getrandom::fill(&mut seed).map_err(io::Error::other)?;
    let mut word = u64::from_le_bytes(seed) | 1;
    let mut chunk = Vec::with_capacity(64 << 10);
    for _ in 0..bytes.div_ceil(64 << 10) {
        chunk.clear();
        for _ in 0..(64 << 10) / 8 {
            // Xorshift: no two words are alike.
            word ^= word << 13;
            word ^= word >> 7;
            word ^= word << 17;
            chunk.extend_from_slice(&word.to_le_bytes());
        }
        file.write_all(&chunk)?;
    }
    Ok(())
}
