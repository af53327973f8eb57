//! Why a file of a feed is not used.

use std::{fmt, io, path::PathBuf};

use rustix::fs::{FileType, RawMode};

/// Why a file below a feed's directory is not used.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// The system refuses it.
    #[error("cannot use {}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: io::Error,
    },
    /// No regular file where one has to be.
    #[error("cannot use {}: it is {found}, not a regular file, and was not opened. Find out who created it, and remove it", path.display())]
    NotAFile {
        /// Where it is.
        path: PathBuf,
        /// What it is.
        found: FileKind,
    },
    /// No directory where one has to be.
    #[error("cannot use {}: it is {found}, not a directory, and was not followed. Find out who created it, and remove it", path.display())]
    NotADirectory {
        /// Where it is.
        path: PathBuf,
        /// What it is.
        found: FileKind,
    },
    /// A document that no panel would read.
    #[error("cannot use {}: it has {length} bytes, and panels read at most {limit}. Restore it from a copy, or remove it", path.display())]
    TooLong {
        /// The file.
        path: PathBuf,
        /// How long it is.
        length: u64,
        /// How long it may be.
        limit: u64,
    },
}

impl FileError {
    pub(super) fn io(path: PathBuf, source: io::Error) -> Self {
        Self::Io { path, source }
    }
}

/// What has a name in a directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileKind {
    /// A regular file.
    File,
    /// A directory.
    Directory,
    /// A symbolic link.
    Link,
    /// A named pipe.
    Pipe,
    /// A socket.
    Socket,
    /// A device, or what the system has no name for.
    Device,
}

impl FileKind {
    pub(super) fn of(mode: RawMode) -> Self {
        match FileType::from_raw_mode(mode) {
            FileType::RegularFile => Self::File,
            FileType::Directory => Self::Directory,
            FileType::Symlink => Self::Link,
            FileType::Fifo => Self::Pipe,
            FileType::Socket => Self::Socket,
            _ => Self::Device,
        }
    }
}

impl fmt::Display for FileKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::File => "a regular file",
            Self::Directory => "a directory",
            Self::Link => "a symbolic link",
            Self::Pipe => "a pipe",
            Self::Socket => "a socket",
            Self::Device => "a device",
        })
    }
}
