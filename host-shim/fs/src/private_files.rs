//! Folders and files for the panel's own user alone.
//!
//! What is under embargo lies on this machine in clear: documents, payloads, the keys to them, and the
//! identity that opens broadcasts. What is made here is made so that nobody else can open it. What is there
//! and stands open is closed, where it is this user's to close; and where it is not, it is refused.
//!
//! May not: give anybody a right; open a file that is there. To close a handle of a file that SQLite has
//! open in this process would let go of SQLite's locks, so files are looked at by their names.

use std::{
    fs::{self, DirBuilder, Metadata, OpenOptions, Permissions},
    io,
    os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
};

/// What somebody else than the owner may have to do with it.
const OTHERS: u32 = 0o077;

/// The mode of a folder that is made here.
pub const FOLDER: u32 = 0o700;

/// The mode of a file that is made here.
pub const FILE: u32 = 0o600;

/// Why something is not for this panel's user alone.
#[derive(Debug, thiserror::Error)]
pub enum OwnPlaceError {
    /// It cannot be made, looked at or closed.
    #[error("cannot make {} private to the panel's user: {source}", path.display())]
    File {
        /// The file or folder.
        path: PathBuf,
        /// What is wrong.
        source: io::Error,
    },
    /// It stands open, and it is another user's.
    #[error("{} is accessible to other users (mode {mode:03o}) and belongs to user {owner}, so the panel cannot store embargoed advisories there. Change its owner to user {user}, or remove the access of others", path.display())]
    Open {
        /// The file or folder.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
        /// Whose it is.
        owner: u32,
        /// Who this process is.
        user: u32,
    },
}

/// A folder that others may enter or list, or a file that they may read or write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ajar {
    /// Which.
    pub path: PathBuf,
    /// Its permission bits.
    pub mode: u32,
}

/// Makes the folder if it is not there, with those around it, and closes it to others.
pub fn folder(path: &Path) -> Result<(), OwnPlaceError> {
    let mut builder = DirBuilder::new();
    let made = builder.recursive(true).mode(FOLDER).create(path);
    made.map_err(|source| failed(path, source))?;
    close(path)
}

/// Makes the file, empty, if it is not there, and closes it to others.
pub fn file(path: &Path) -> Result<(), OwnPlaceError> {
    let mut options = OpenOptions::new();
    match options.write(true).create_new(true).mode(FILE).open(path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(failed(path, error)),
        _ => close(path),
    }
}

/// Takes what others may do to a file or folder away from them; nothing is done where nothing is.
pub fn close(path: &Path) -> Result<(), OwnPlaceError> {
    let Some(there) = look(path)? else {
        return Ok(());
    };
    let mode = mode(&there);
    if mode & OTHERS == 0 {
        return Ok(());
    }
    let user = rustix::process::geteuid().as_raw();
    if there.uid() != user {
        return Err(OwnPlaceError::Open {
            path: path.to_owned(),
            mode,
            owner: there.uid(),
            user,
        });
    }
    let closed = Permissions::from_mode(mode & !OTHERS);
    fs::set_permissions(path, closed).map_err(|source| failed(path, source))?;
    tracing::warn!(path = %path.display(), mode = format!("{mode:03o}"), "file was accessible to other users; mode corrected");
    Ok(())
}

/// Which of these stand open to others. What is not there, or cannot be looked at, does not.
pub fn ajar(paths: impl IntoIterator<Item = PathBuf>) -> Vec<Ajar> {
    let ajar = paths.into_iter().filter_map(|path| {
        let mode = mode(&look(&path).ok()??);
        (mode & OTHERS != 0).then_some(Ajar { path, mode })
    });
    ajar.collect()
}

fn look(path: &Path) -> Result<Option<Metadata>, OwnPlaceError> {
    match fs::metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        there => there.map(Some).map_err(|source| failed(path, source)),
    }
}

fn mode(there: &Metadata) -> u32 {
    there.permissions().mode() & 0o777
}

fn failed(path: &Path, source: io::Error) -> OwnPlaceError {
    OwnPlaceError::File {
        path: path.to_owned(),
        source,
    }
}
