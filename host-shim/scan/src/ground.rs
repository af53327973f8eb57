//! The folder that a job looks at, held open: whatever is opened is opened through it.
//!
//! Links inside the folder are followed, but not out of it, whatever is exchanged meanwhile, and opening never waits.

use std::{
    fs::File,
    io,
    path::{Path, PathBuf},
};

use cap_std::fs::{Dir, Metadata, MetadataExt, OpenOptions, OpenOptionsExt};
use serde::{Deserialize, Serialize};

use crate::{Why, root};

/// Opening returns at once, whatever it is that is opened.
const WITHOUT_WAITING: i32 = rustix::fs::OFlags::NONBLOCK.bits().cast_signed();

/// The folder.
#[derive(Debug)]
pub(crate) struct Ground {
    dir: Dir,
    /// Its path, for a person.
    pub(crate) path: PathBuf,
}

/// What tells whether a file is the one that it was.
///
/// Whoever writes to a file, cuts it, or sets its times back changes its `ctime`, which no system call
/// sets; whoever puts another in its place changes its inode. What was changed within the same tick of
/// the clock as it was read could look the same: see [`Stamp::is_settled`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Stamp {
    device: u64,
    inode: u64,
    size: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

/// Seconds that a file has to be left alone before it is believed to be what was read: more than any
/// clock of a file system, a server's across the network included, should be off by.
const SETTLED: i64 = 2;

impl Stamp {
    fn of(metadata: &Metadata) -> Self {
        Self {
            device: metadata.dev(),
            inode: metadata.ino(),
            size: metadata.len(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
        }
    }

    /// Whether nothing is in it.
    pub(crate) fn is_empty(&self) -> bool {
        self.size == 0
    }

    /// Whether the last change lies far enough back that another one would have shown.
    pub(crate) fn is_settled(&self, now: jiff::Timestamp) -> bool {
        self.changed.0.saturating_add(SETTLED) < now.as_second()
    }
}

/// What lies at a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    File,
    Folder,
    /// A link, whatever it leads to.
    Link,
    Other,
}

impl Ground {
    /// The folder at `path`; or the one around it, with its name, where a file lies there.
    pub(crate) fn of(path: &Path) -> (PathBuf, Option<PathBuf>, Result<Self, Why>) {
        if let (Some(around), Some(name)) = (path.parent(), path.file_name())
            && let Ok(around) = Self::open(around)
            && around.dir.metadata(name).is_ok_and(|file| file.is_file())
        {
            return (around.path.clone(), Some(name.into()), Ok(around));
        }
        (path.to_owned(), None, Self::open(path))
    }

    fn open(path: &Path) -> Result<Self, Why> {
        Ok(Self {
            dir: Dir::from_std_file(root::open(path)?),
            path: path.to_owned(),
        })
    }

    /// The whole path of something inside, for a person.
    pub(crate) fn shown(&self, inside: &Path) -> String {
        if inside.as_os_str().is_empty() {
            return self.path.display().to_string();
        }
        self.path.join(inside).display().to_string()
    }

    /// The stamp of a file; nothing where there is nothing.
    pub(crate) fn stamp(&self, file: &Path) -> Result<Option<Stamp>, Why> {
        match self.dir.metadata(file) {
            Ok(metadata) if metadata.is_file() => Ok(Some(Stamp::of(&metadata))),
            Ok(_) => Err(Why::NotAFile),
            Err(error) if is_not_there(&error) => self.dangling(file),
            Err(error) => Err(Why::io(&error)),
        }
    }

    /// A link that leads nowhere is something, and cannot be read.
    fn dangling<T>(&self, path: &Path) -> Result<Option<T>, Why> {
        match self.dir.symlink_metadata(path) {
            Ok(_) => Err(Why::Io("broken symbolic link".to_owned())),
            Err(_) => Ok(None),
        }
    }

    /// Opens a regular file.
    pub(crate) fn file(&self, file: &Path) -> Result<(File, Stamp), Why> {
        let mut options = OpenOptions::new();
        let options = options.read(true).custom_flags(WITHOUT_WAITING);
        let opened = self.dir.open_with(file, options);
        let opened = opened.map_err(|error| Why::io(&error))?;
        let metadata = opened.metadata().map_err(|error| Why::io(&error))?;
        if !metadata.is_file() {
            return Err(Why::NotAFile);
        }
        Ok((opened.into_std(), Stamp::of(&metadata)))
    }

    /// The stamp of a file that is open.
    pub(crate) fn stamp_of(file: &File) -> Result<Stamp, Why> {
        let metadata = file.metadata().map_err(|error| Why::io(&error))?;
        Ok(Stamp::of(&Metadata::from_just_metadata(metadata)))
    }

    /// What lies in a folder, by name, and which folder it is; nothing where there is none.
    pub(crate) fn list(&self, folder: &Path) -> Result<Option<Listing>, Why> {
        let opened = if folder.as_os_str().is_empty() {
            self.dir.try_clone()
        } else {
            self.dir.open_dir(folder)
        };
        let opened = match opened {
            Ok(opened) => opened,
            Err(error) if is_not_there(&error) => return self.dangling(folder),
            Err(error) => return Err(Why::io(&error)),
        };
        let metadata = opened.dir_metadata().map_err(|error| Why::io(&error))?;
        Ok(Some(Listing {
            id: (metadata.dev(), metadata.ino()),
            dir: opened,
        }))
    }
}

/// A folder to list.
#[derive(Debug)]
pub(crate) struct Listing {
    /// Which folder it is, by whatever path it was reached.
    pub(crate) id: (u64, u64),
    dir: Dir,
}

impl Listing {
    /// The names in it, sorted, each asked for before it is kept.
    pub(crate) fn names(
        &self,
        mut may: impl FnMut() -> Result<(), Why>,
    ) -> Result<Vec<(PathBuf, Kind)>, Why> {
        let mut names = Vec::new();
        for entry in self.dir.entries().map_err(|error| Why::io(&error))? {
            may()?;
            let entry = entry.map_err(|error| Why::io(&error))?;
            let mut kind = entry.file_type().map_err(|error| Why::io(&error))?;
            if !(kind.is_file() || kind.is_dir() || kind.is_symlink()) {
                // Not every file system says it while it lists.
                let metadata = entry.metadata().map_err(|error| Why::io(&error))?;
                kind = metadata.file_type();
            }
            let kind = if kind.is_file() {
                Kind::File
            } else if kind.is_dir() {
                Kind::Folder
            } else if kind.is_symlink() {
                Kind::Link
            } else {
                Kind::Other
            };
            names.push((PathBuf::from(entry.file_name()), kind));
        }
        names.sort_by(|one, other| one.0.cmp(&other.0));
        Ok(names)
    }
}

fn is_not_there(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
    )
}
