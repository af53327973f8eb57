//! A directory that is laid out as a feed, reached by handles: the one place that reads and writes below the published
//! folder, and below the folders of a desk that are laid out like it.
//!
//! Others may be able to write a published folder, so nothing below it is believed to be what it should be. Each name
//! is opened from the directory before it and no link is followed, only regular files are read, without waiting for a
//! writer, and a document is refused by its length before any memory is spent on it.

mod file_error;
mod new_file;
mod write;

pub use file_error::{FileError, FileKind};

use std::{
    ffi::OsString,
    fs::File,
    io::{self, Read, Write},
    os::{fd::OwnedFd, unix::ffi::OsStringExt},
    path::{Path, PathBuf},
};

use rustix::{
    fs::{self, AtFlags, Mode, OFlags},
    io::Errno,
};
use sha2::{Digest as _, Sha256};
use spacecp_contract::{Blob, Digest, FeedPath, Limits, SIGNATURE_SUFFIX};

use crate::durable::Readers;

/// The most bytes that panels read of a head.
const HEAD: u64 = 4 << 10;

/// The most bytes that panels read of a root.
const ROOT: u64 = 256 << 10;

/// The most bytes that are read of a file of signatures. Panels read as many.
const SIGNATURES: u64 = 64 << 10;

/// A directory that is laid out as a feed.
#[derive(Debug, Clone)]
pub(crate) struct FeedDirectory {
    path: PathBuf,
    readers: Readers,
}

impl FeedDirectory {
    /// The directory at this path, which need not be there yet. Whoever runs a command names the path, so that links
    /// on the way to it are followed.
    pub(crate) fn new(path: PathBuf, readers: Readers) -> Self {
        Self { path, readers }
    }

    /// Its path.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Where a file lies, for messages.
    pub(crate) fn place(&self, path: &FeedPath) -> PathBuf {
        self.path.join(path.as_str())
    }

    /// The contents of a file; none where there is no such file.
    ///
    /// # Errors
    ///
    /// [`FileError`] for what is no regular file, or longer than panels would read.
    pub(crate) fn read(&self, path: &FeedPath) -> Result<Option<Vec<u8>>, FileError> {
        let Some(file) = self.open(path)? else {
            return Ok(None);
        };
        let failed = |source| FileError::io(self.place(path), source);
        let (limit, length) = (longest(path), file.metadata().map_err(failed)?.len());
        let mut bytes = Vec::new();
        if length <= limit {
            // It may grow while it is read.
            let read = file.take(limit + 1).read_to_end(&mut bytes);
            read.map_err(failed)?;
        }
        let length = length.max(bytes.len() as u64);
        if length > limit {
            return Err(FileError::TooLong {
                path: self.place(path),
                length,
                limit,
            });
        }
        Ok(Some(bytes))
    }

    /// Whether a payload is there, whole. One of another length is not read.
    pub(crate) fn has_payload(&self, blob: &Blob) -> Result<bool, FileError> {
        self.copy_payload(blob, &mut io::sink())
    }

    /// Copies a payload out of this directory, and says whether it was the whole payload and nothing else.
    pub(super) fn copy_payload(
        &self,
        blob: &Blob,
        into: &mut dyn Write,
    ) -> Result<bool, FileError> {
        let path = FeedPath::blob(&blob.digest);
        let Some(file) = self.open(&path)? else {
            return Ok(false);
        };
        let failed = |source| FileError::io(self.place(&path), source);
        if file.metadata().map_err(failed)?.len() != blob.length {
            return Ok(false);
        }
        let mut file = file.take(blob.length);
        let (mut hash, mut piece) = (Sha256::new(), vec![0; 128 << 10]);
        loop {
            match file.read(&mut piece).map_err(failed)? {
                0 => return Ok(Digest::from_bytes(hash.finalize().into()) == blob.digest),
                read => {
                    hash.update(&piece[..read]);
                    into.write_all(&piece[..read]).map_err(failed)?;
                }
            }
        }
    }

    /// Opens a file for reading; none where there is no such file.
    ///
    /// # Errors
    ///
    /// [`FileError::NotAFile`] for what is no regular file.
    pub(crate) fn open(&self, path: &FeedPath) -> Result<Option<File>, FileError> {
        let Some((directory, name)) = self.towards(path.as_str())? else {
            return Ok(None);
        };
        let place = self.place(path);
        match kind_of(&directory, name, &place)? {
            None => return Ok(None),
            // Opening a device may be enough to have it do something.
            Some(FileKind::File) => {}
            Some(found) => return Err(FileError::NotAFile { path: place, found }),
        }
        // It may have been exchanged since for a pipe, which would keep us waiting.
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let file = match fs::openat(&directory, name, flags, Mode::empty()) {
            Err(Errno::NOENT) => return Ok(None),
            file => File::from(file.map_err(|error| FileError::io(place.clone(), error.into()))?),
        };
        let stat = fs::fstat(&file).map_err(|error| FileError::io(place.clone(), error.into()))?;
        match FileKind::of(stat.st_mode) {
            FileKind::File => Ok(Some(file)),
            found => Err(FileError::NotAFile { path: place, found }),
        }
    }

    /// Whether anything has this name, whatever it is.
    pub(crate) fn exists(&self, path: &FeedPath) -> Result<bool, FileError> {
        let Some((directory, name)) = self.towards(path.as_str())? else {
            return Ok(false);
        };
        Ok(kind_of(&directory, name, &self.place(path))?.is_some())
    }

    /// The length of a regular file; none where there is none.
    pub(crate) fn length(&self, path: &FeedPath) -> Result<Option<u64>, FileError> {
        let Some(file) = self.open(path)? else {
            return Ok(None);
        };
        let metadata = file.metadata();
        let metadata = metadata.map_err(|source| FileError::io(self.place(path), source))?;
        Ok(Some(metadata.len()))
    }

    /// The names in a directory below, in no order; none where there is no such directory.
    ///
    /// # Errors
    ///
    /// [`FileError::NotADirectory`] for a link, and for anything else.
    pub(crate) fn names(&self, below: &str) -> Result<Vec<OsString>, FileError> {
        let Some(directory) = self.enter(below)? else {
            return Ok(Vec::new());
        };
        let failed = |error: Errno| FileError::io(self.path.join(below), error.into());
        let mut names = Vec::new();
        for entry in fs::Dir::read_from(&directory).map_err(failed)? {
            let name = entry.map_err(failed)?.file_name().to_bytes().to_vec();
            if name != b"." && name != b".." {
                names.push(OsString::from_vec(name));
            }
        }
        Ok(names)
    }

    /// The directory itself; none where it is not there.
    fn root(&self) -> Result<Option<OwnedFd>, FileError> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        match fs::open(&self.path, flags, Mode::empty()) {
            Err(Errno::NOENT) => Ok(None),
            root => root
                .map(Some)
                .map_err(|error| FileError::io(self.path.clone(), error.into())),
        }
    }

    /// A directory below, which no link leads to; none where it is not there.
    fn enter(&self, below: &str) -> Result<Option<OwnedFd>, FileError> {
        let Some(mut directory) = self.root()? else {
            return Ok(None);
        };
        let mut place = self.path.clone();
        for name in below.split('/').filter(|name| !name.is_empty()) {
            place.push(name);
            match enter_one(&directory, name, &place)? {
                Some(next) => directory = next,
                None => return Ok(None),
            }
        }
        Ok(Some(directory))
    }

    /// The directory that a file lies in, and its name there; none where the directory is not there.
    fn towards<'a>(&self, path: &'a str) -> Result<Option<(OwnedFd, &'a str)>, FileError> {
        let (below, name) = path.rsplit_once('/').unwrap_or(("", path));
        Ok(self.enter(below)?.map(|directory| (directory, name)))
    }
}

/// The most bytes of a document that are held in memory.
fn longest(path: &FeedPath) -> u64 {
    if path.as_str().ends_with(SIGNATURE_SUFFIX) {
        SIGNATURES
    } else if *path == FeedPath::head() {
        HEAD
    } else if path.is_root() {
        ROOT
    } else {
        Limits::default().bytes as u64
    }
}

/// Enters a directory that is no link; none where nothing has the name.
fn enter_one(from: &OwnedFd, name: &str, place: &Path) -> Result<Option<OwnedFd>, FileError> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    match fs::openat(from, name, flags, Mode::empty()) {
        Ok(directory) => Ok(Some(directory)),
        Err(Errno::NOENT) => Ok(None),
        Err(error) => Err(match kind_of(from, name, place)? {
            Some(found) if found != FileKind::Directory => FileError::NotADirectory {
                path: place.to_owned(),
                found,
            },
            _ => FileError::io(place.to_owned(), error.into()),
        }),
    }
}

/// What has a name in a directory; none where nothing has.
fn kind_of(directory: &OwnedFd, name: &str, place: &Path) -> Result<Option<FileKind>, FileError> {
    match fs::statat(directory, name, AtFlags::SYMLINK_NOFOLLOW) {
        Ok(stat) => Ok(Some(FileKind::of(stat.st_mode))),
        Err(Errno::NOENT) => Ok(None),
        Err(error) => Err(FileError::io(place.to_owned(), error.into())),
    }
}
