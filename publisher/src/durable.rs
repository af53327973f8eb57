//! Writes files so that a crash leaves the old contents or the new, never a part.
//!
//! A process that is killed leaves a file behind that never got its name. Each such file is locked as long as
//! its process writes it, so that the next process can tell it from one that is needed, and removes it.

use std::{
    collections::BTreeSet,
    fs::{self, File, OpenOptions},
    io::{self, Write},
    os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

use tempfile::NamedTempFile;

/// What the names of files begin with that have not got theirs yet.
pub(crate) const UNFINISHED: &str = ".tmp";

/// What the names of those begin with that this module makes: directories that others use as well may have files
/// of other programs that are called like temporary files of a desk.
const UNFINISHED_HERE: &str = ".tmp-spacecp-";

/// Who may read a file, and the folders that are made for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Readers {
    /// Its owner alone.
    Owner,
    /// Whoever serves the folder.
    Everybody,
}

impl Readers {
    fn make_folder(self, folder: &Path) -> io::Result<()> {
        match self {
            Self::Owner => private_folder(folder),
            Self::Everybody => fs::create_dir_all(folder),
        }
    }

    /// Temporary files are made for their owner alone.
    fn set_mode(self, file: &File) -> io::Result<()> {
        match self {
            Self::Owner => Ok(()),
            Self::Everybody => set_readable(file),
        }
    }
}

/// A file without a name yet, in the folder where it is going to have one.
pub(crate) fn unfinished(folder: &Path) -> io::Result<NamedTempFile> {
    loop {
        let file = tempfile::Builder::new()
            .prefix(UNFINISHED_HERE)
            .tempfile_in(folder)?;
        file.as_file().lock()?;
        // Another process may have taken it for a leftover before it was locked.
        if file.as_file().metadata()?.nlink() > 0 {
            return Ok(file);
        }
    }
}

/// Removes the files that killed processes of this program left in a folder, which may be anybody's; those of running
/// ones stay.
pub(crate) fn sweep(folder: &Path) -> io::Result<()> {
    let listing = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        listing => listing?,
    };
    for entry in listing {
        let entry = entry?;
        let name = entry.file_name();
        let is_unfinished = name.to_string_lossy().starts_with(UNFINISHED_HERE);
        if is_unfinished && entry.file_type()?.is_file() {
            remove_abandoned(&entry.path())?;
        }
    }
    Ok(())
}

/// The same for a folder of this program alone, with everything below it.
pub(crate) fn sweep_tree(folder: &Path) -> io::Result<()> {
    for entry in walkdir::WalkDir::new(folder) {
        let entry = match entry {
            Ok(entry) => entry,
            Err(error)
                if error
                    .io_error()
                    .is_some_and(|error| error.kind() == io::ErrorKind::NotFound) =>
            {
                continue;
            }
            Err(error) => return Err(error.into()),
        };
        let is_unfinished = entry.file_name().to_string_lossy().starts_with(UNFINISHED);
        if is_unfinished && entry.file_type().is_file() {
            remove_abandoned(entry.path())?;
        }
    }
    Ok(())
}

fn remove_abandoned(path: &Path) -> io::Result<()> {
    let gone = |error: io::Error| match error.kind() {
        io::ErrorKind::NotFound => Ok(()),
        _ => Err(error),
    };
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) => return gone(error),
    };
    match file.try_lock() {
        Ok(()) => fs::remove_file(path).or_else(gone),
        Err(fs::TryLockError::WouldBlock) => Ok(()),
        Err(fs::TryLockError::Error(error)) => Err(error),
    }
}

/// Puts `bytes` at `path`: written beside it, synced, renamed, and the folder synced.
pub(crate) fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    replace_for(Readers::Everybody, path, bytes)
}

/// Does the same with a file that is for its owner alone, in a folder that is, too.
pub(crate) fn replace_private(path: &Path, bytes: &[u8]) -> io::Result<()> {
    replace_for(Readers::Owner, path, bytes)
}

/// Does the same for whom it is said.
pub(crate) fn replace_for(readers: Readers, path: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = folder_of(path);
    readers.make_folder(folder)?;
    let mut file = unfinished(folder)?;
    file.write_all(bytes)?;
    readers.set_mode(file.as_file())?;
    file.as_file().sync_all()?;
    file.persist(path).map_err(|error| error.error)?;
    File::open(folder)?.sync_all()
}

/// Makes a folder for its owner alone; one that is there stays as it is.
pub(crate) fn private_folder(folder: &Path) -> io::Result<()> {
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)
}

/// Gives files other places and other readers, and waits for the disk once they have them. What is on another
/// disk is copied.
pub(crate) fn move_all(
    readers: Readers,
    files: &[(PathBuf, PathBuf)],
) -> Result<(), (PathBuf, io::Error)> {
    let mut folders = BTreeSet::new();
    for (from, to) in files {
        let folder = folder_of(to);
        let moved = || {
            readers.make_folder(folder)?;
            set_readers(readers, &File::open(from)?)?;
            match fs::rename(from, to) {
                Err(error) if error.kind() == io::ErrorKind::CrossesDevices => {
                    copy(readers, from, to)
                }
                moved => moved,
            }
        };
        moved().map_err(|error| (from.clone(), error))?;
        folders.insert(folder);
        folders.insert(folder_of(from));
    }
    for folder in folders {
        let synced = File::open(folder).and_then(|folder| folder.sync_all());
        synced.map_err(|error| (folder.to_owned(), error))?;
    }
    Ok(())
}

/// Copies a file durably, and removes it where it was.
fn copy(readers: Readers, from: &Path, to: &Path) -> io::Result<()> {
    let mut file = unfinished(folder_of(to))?;
    io::copy(&mut File::open(from)?, &mut file)?;
    readers.set_mode(file.as_file())?;
    file.as_file().sync_all()?;
    file.persist(to).map_err(|error| error.error)?;
    fs::remove_file(from)
}

/// The folder that a file lies in. A bare name lies in the working folder, which has no name of its own.
pub(crate) fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    }
}

/// Gives a file the mode by which these can read it, and nobody else.
pub(crate) fn set_readers(readers: Readers, file: &File) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    let mode = match readers {
        Readers::Owner => 0o600,
        Readers::Everybody => 0o644,
    };
    file.set_permissions(fs::Permissions::from_mode(mode))
}

/// What is published may be read by whoever serves it.
pub(crate) fn set_readable(file: &File) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    file.set_permissions(fs::Permissions::from_mode(0o644))
}

/// Creates a file that nobody but its owner can read; one that is there is left alone.
pub(crate) fn create_private(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// Does the same as [`replace`] in a folder that is no feed's and no desk's: what killed processes left there goes.
pub(crate) fn replace_anywhere(path: &Path, bytes: &[u8]) -> io::Result<()> {
    sweep(folder_of(path))?;
    replace(path, bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_killed_process_left_beside_an_output_goes_and_nothing_of_other_programs() {
        let folder = tempfile::tempdir().unwrap();
        let left = unfinished(folder.path()).unwrap().into_temp_path().keep();
        let left = left.unwrap();
        let of_another = folder.path().join(".tmpAbCdEf");
        fs::write(&of_another, "it is needed").unwrap();
        let output = folder.path().join("output");
        replace_anywhere(&output, b"whole").unwrap();
        assert!(!left.exists());
        assert!(of_another.exists() && output.exists());
    }

    #[test]
    fn what_another_process_is_writing_stays() {
        let folder = tempfile::tempdir().unwrap();
        let being_written = unfinished(folder.path()).unwrap();
        sweep(folder.path()).unwrap();
        assert!(being_written.path().exists());
    }
}
