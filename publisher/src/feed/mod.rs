//! The folder that panels follow.
//!
//! What is signed waits in its desk ([`crate::signing`]) until [`crate::publish`] makes it current. What is read
//! here is verified as a panel verifies it.

mod copies;
mod current;
mod error;
mod outbox;
mod revisions;
mod verified_advisories;
mod visibility;

pub use error::FeedError;
pub use visibility::HeldBack;
pub(crate) use visibility::Visibility;

use std::{
    fs::File,
    io,
    path::{Path, PathBuf},
};

use spacecp_contract::{Document, FeedPath, Head, Index, IndexEntry, Limits, Root, decode};

use spacecp_trust::{Unverified, Verified};

pub use crate::feed_directory::{FileError, FileKind};
use crate::{
    durable::{self, Readers},
    feed_directory::FeedDirectory,
};

/// A head with its index.
pub(crate) type Current = (Verified<Head>, Verified<Index>);

/// Held while a command works at a feed.
#[derive(Debug)]
pub(crate) struct Lock {
    _feed: File,
    _record: Option<File>,
}

/// A feed folder.
#[derive(Debug, Clone)]
pub struct Feed {
    folder: FeedDirectory,
    desk: Option<outbox::Outbox>,
}

impl Feed {
    /// The feed in this folder, which need not be there yet.
    pub fn at(folder: impl Into<PathBuf>) -> Self {
        Self {
            folder: FeedDirectory::new(folder.into(), Readers::Everybody),
            desk: None,
        }
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The newest root, after the whole chain was verified as a panel verifies it.
    pub fn root(&self) -> Result<Verified<Root>, FeedError> {
        self.roots()?
            .pop()
            .ok_or_else(|| FeedError::NoRoot(self.folder().to_owned()))
    }

    /// Every root from the first on, verified as a panel verifies them; none in an empty folder.
    pub fn roots(&self) -> Result<Vec<Verified<Root>>, FeedError> {
        let mut roots: Vec<Verified<Root>> = Vec::new();
        for version in 1.. {
            let path = FeedPath::root(version);
            let Some(bytes) = self.bytes(&path)? else {
                break;
            };
            let signatures = self.bytes(&path.signatures())?.unwrap_or_default();
            roots.push(follows(roots.last(), version, &bytes, &signatures)?);
        }
        Ok(roots)
    }

    /// One writer at a time: a timer that refreshes the head and a person who broadcasts.
    pub(crate) fn lock(&self) -> Result<Lock, FeedError> {
        let feed = self.folder.lock()?;
        // One audience may be published in two folders by mistake; the record is one.
        let record = self.record_path().map(|record| {
            let folder = durable::folder_of(record);
            let locked = durable::private_folder(folder)
                .and_then(|()| File::open(folder))
                .and_then(|folder| folder.lock().map(|()| folder));
            locked.map_err(|source| FeedError::File {
                path: folder.to_owned(),
                source,
            })
        });
        Ok(Lock {
            _feed: feed,
            _record: record.transpose()?,
        })
    }

    /// The head that is current, if there was a broadcast.
    pub fn head(&self) -> Result<Option<Head>, FeedError> {
        self.read(&FeedPath::head())
    }

    /// The index of a sequence that was broadcast.
    pub fn index(&self, sequence: u64) -> Result<Index, FeedError> {
        let path = FeedPath::index(sequence);
        let missing = || FeedError::File {
            path: self.in_public(&path),
            source: io::ErrorKind::NotFound.into(),
        };
        self.read(&path)?.ok_or_else(missing)
    }

    pub(crate) fn bytes(&self, path: &FeedPath) -> Result<Option<Vec<u8>>, FeedError> {
        Ok(self.holder(path)?.read(path)?)
    }

    /// A file and its signatures, with nothing in the place of one that is not there: no verifier takes
    /// that for anything.
    pub(crate) fn offered(&self, path: &FeedPath) -> Result<(Vec<u8>, Vec<u8>), FeedError> {
        let bytes = self.bytes(path)?.unwrap_or_default();
        let signatures = self.bytes(&path.signatures())?.unwrap_or_default();
        Ok((bytes, signatures))
    }

    /// Refuses a document of this feed that panels which trust `root` would refuse.
    pub(crate) fn refuse_unaccepted(
        &self,
        root: &Verified<Root>,
        entry: &IndexEntry,
    ) -> Result<(), FeedError> {
        let path = FeedPath::document(entry.kind, &entry.id, entry.revision);
        let (bytes, signatures) = self.offered(&path)?;
        accepted(root, entry, unverified(&bytes, &signatures))
    }

    pub(crate) fn read<T: Document>(&self, path: &FeedPath) -> Result<Option<T>, FeedError> {
        let holder = self.holder(path)?;
        let Some(bytes) = holder.read(path)? else {
            return Ok(None);
        };
        let document = decode(&bytes, &Limits::default());
        document.map(Some).map_err(|source| FeedError::Decode {
            path: holder.place(path),
            source,
        })
    }

    pub(crate) fn write(&self, path: &FeedPath, bytes: &[u8]) -> Result<(), FeedError> {
        Ok(self.folder.write(path, bytes)?)
    }

    /// Writes what stands beside a document, wherever that lies.
    pub(crate) fn write_signatures(
        &self,
        path: &FeedPath,
        signatures: &str,
    ) -> Result<(), FeedError> {
        let beside = path.signatures();
        self.holder(path)?.write(&beside, signatures.as_bytes())?;
        self.copy_signatures(path, signatures)
    }
}

pub(crate) fn unverified<'a>(bytes: &'a [u8], signatures: &'a [u8]) -> Unverified<'a> {
    Unverified { bytes, signatures }
}

/// The root of this version, as a panel that has the one before would take it.
pub(crate) fn follows(
    before: Option<&Verified<Root>>,
    version: u64,
    bytes: &[u8],
    signatures: &[u8],
) -> Result<Verified<Root>, FeedError> {
    let offered = unverified(bytes, signatures);
    let root = match before {
        Some(before) => spacecp_trust::next_root(before, offered),
        None => spacecp_trust::reverify_root(offered),
    };
    root.map_err(|source| FeedError::Refused {
        what: format!("root {version}"),
        source,
    })
}

/// Refuses a document that every panel would refuse.
pub(crate) fn accepted(
    root: &Verified<Root>,
    entry: &IndexEntry,
    offered: Unverified<'_>,
) -> Result<(), FeedError> {
    spacecp_trust::document(root, entry, offered, &Limits::default())
        .map(drop)
        .map_err(|source| FeedError::Refused {
            what: format!("{} revision {}", entry.id, entry.revision),
            source,
        })
}
