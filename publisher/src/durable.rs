//! Writes files so that a crash leaves the old contents or the new, never a part.

use std::{
    collections::BTreeSet,
    fs::{self, File, OpenOptions},
    io::{self, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

/// Puts `bytes` at `path`: written beside it, synced, renamed, and the folder synced.
pub(crate) fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = folder_of(path);
    fs::create_dir_all(folder)?;
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(bytes)?;
    set_readable(file.as_file())?;
    file.as_file().sync_all()?;
    file.persist(path).map_err(|error| error.error)?;
    File::open(folder)?.sync_all()
}

/// Does the same for many files, and waits for the disk once where it can; says which failed.
pub(crate) fn replace_all(files: &[(PathBuf, Vec<u8>)]) -> Result<(), (PathBuf, io::Error)> {
    let mut written = Vec::with_capacity(files.len());
    for (path, bytes) in files {
        let write = || {
            let folder = folder_of(path);
            fs::create_dir_all(folder)?;
            let mut file = tempfile::NamedTempFile::new_in(folder)?;
            file.write_all(bytes)?;
            set_readable(file.as_file())?;
            Ok(file.into_temp_path())
        };
        written.push((path, write().map_err(|error| (path.clone(), error))?));
    }
    // Closed in between, so that as many files as there are can be written with few open.
    for (path, file) in &written {
        let synced = File::open(file).and_then(|file| file.sync_all());
        synced.map_err(|error| ((*path).clone(), error))?;
    }
    let mut folders = BTreeSet::new();
    for (path, file) in written {
        file.persist(path)
            .map_err(|error| (path.clone(), error.error))?;
        folders.insert(folder_of(path));
    }
    for folder in folders {
        let synced = File::open(folder).and_then(|folder| folder.sync_all());
        synced.map_err(|error| (folder.to_owned(), error))?;
    }
    Ok(())
}

/// Does the same with a file that is for its owner alone, in a folder that is, too.
pub(crate) fn replace_private(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = folder_of(path);
    private_folder(folder)?;
    // Temporary files are made for their owner alone.
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(bytes)?;
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

/// Gives files other places, and waits for the disk once they have them. What is on another disk is copied.
pub(crate) fn move_all(files: &[(PathBuf, PathBuf)]) -> Result<(), (PathBuf, io::Error)> {
    let mut folders = BTreeSet::new();
    for (from, to) in files {
        let folder = folder_of(to);
        let moved = || {
            fs::create_dir_all(folder)?;
            match fs::rename(from, to) {
                Err(error) if error.kind() == io::ErrorKind::CrossesDevices => copy(from, to),
                moved => moved,
            }
        };
        moved().map_err(|error| (from.clone(), error))?;
        folders.insert(folder);
    }
    for folder in folders {
        let synced = File::open(folder).and_then(|folder| folder.sync_all());
        synced.map_err(|error| (folder.to_owned(), error))?;
    }
    Ok(())
}

/// Removes a file for good; one that is not there is gone already.
pub(crate) fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => File::open(folder_of(path))?.sync_all(),
    }
}

/// Copies a file durably, and removes it where it was.
fn copy(from: &Path, to: &Path) -> io::Result<()> {
    let mut file = tempfile::NamedTempFile::new_in(folder_of(to))?;
    io::copy(&mut File::open(from)?, &mut file)?;
    set_readable(file.as_file())?;
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
