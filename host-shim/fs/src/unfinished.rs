//! Files that have not got their names yet: a process that is killed leaves them behind.
//!
//! Each is locked as long as its process writes it, so that the next process can tell it from one that is needed, and
//! removes it.
//!
//! May not: be used in a directory that other programs use as well.

use std::{fs, fs::File, io, os::unix::fs::MetadataExt, path::Path};

/// What the names of such files begin with: the default of the crate `tempfile`, by which they are made.
const UNFINISHED: &str = ".tmp";

/// Locks a file that was only just made. False where another process has taken it for a leftover before: then another
/// one has to be made.
pub fn keep(file: &File) -> io::Result<bool> {
    file.lock()?;
    Ok(file.metadata()?.nlink() > 0)
}

/// Removes what killed processes left in a directory; files of running ones stay.
pub fn sweep(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let is_unfinished = entry.file_name().to_string_lossy().starts_with(UNFINISHED);
        if is_unfinished && entry.file_type()?.is_file() {
            remove_abandoned(&entry.path())?;
        }
    }
    Ok(())
}

fn remove_abandoned(path: &Path) -> io::Result<()> {
    let removed = match File::open(path) {
        Ok(file) if file.try_lock().is_ok() => fs::remove_file(path),
        Ok(_) => Ok(()),
        Err(error) => Err(error),
    };
    match removed {
        // Its process has given it its name meanwhile, or another one was faster.
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        removed => removed,
    }
}
