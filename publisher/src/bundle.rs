//! A feed as one file, to be carried to a machine without internet.
//!
//! An uncompressed tar archive of what is current: every root, the head, its index, the documents
//! that the index names, their payloads, and what is sealed. The same feed makes the same bytes.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use spacecp_contract::{Correction, DocumentKind, FeedPath, Index, Limits, decode};

use crate::{
    durable,
    feed::{Feed, FeedError},
};

/// What went into a bundle.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Bundled {
    /// The feed's sequence.
    pub sequence: u64,
    /// Until when panels believe it.
    pub expires: jiff::Timestamp,
    /// Documents.
    pub documents: usize,
    /// Payloads.
    pub payloads: usize,
    /// Sealed files; which of them are what shows to nobody but who can open them.
    pub sealed: usize,
    /// Bytes of the bundle.
    pub length: u64,
}

/// Why there is no bundle.
#[derive(Debug, thiserror::Error)]
pub enum BundleError {
    /// The feed.
    #[error(transparent)]
    Feed(#[from] FeedError),
    /// Nothing was ever broadcast.
    #[error("{} has no head; run \"spacecp-publisher broadcast\" first", .0.display())]
    NoHead(PathBuf),
    /// A file cannot be read or written.
    #[error("cannot use {}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: io::Error,
    },
    /// A correction of the feed cannot be read.
    #[error("cannot read {path}: {source}")]
    Decode {
        /// Its path in the feed.
        path: FeedPath,
        /// What is wrong.
        source: spacecp_contract::DecodeError,
    },
}

/// Puts what is current in a feed into one file, which appears whole or not at all.
pub fn bundle(feed: &Feed, into: &Path) -> Result<Bundled, BundleError> {
    let head = feed
        .head()?
        .ok_or_else(|| BundleError::NoHead(feed.folder().to_owned()))?;
    let root = feed.root()?;
    let index = feed.index(head.sequence)?;
    let payloads = payloads(feed, &index)?;
    let failed = |source| BundleError::File {
        path: into.to_owned(),
        source,
    };
    durable::sweep(durable::folder_of(into)).map_err(failed)?;
    let file = durable::unfinished(durable::folder_of(into)).map_err(failed)?;
    let mut archive = Archive {
        builder: tar::Builder::new(file),
        feed,
        time: u64::try_from(head.issued.as_second()).unwrap_or(0),
    };
    for version in 1..=root.version {
        archive.signed(&FeedPath::root(version))?;
    }
    archive.signed(&FeedPath::head())?;
    archive.signed(&FeedPath::index(head.sequence))?;
    for entry in &index.documents {
        archive.signed(&FeedPath::document(entry.kind, &entry.id, entry.revision))?;
    }
    let sealed = match &index.sealed {
        Some(_) => feed.sealed_files()?,
        None => Vec::new(),
    };
    for path in payloads.iter().chain(&sealed) {
        archive.add(path)?;
    }
    let file = archive.builder.into_inner().map_err(failed)?;
    file.as_file().sync_all().map_err(failed)?;
    let length = file.as_file().metadata().map_err(failed)?.len();
    file.persist(into).map_err(|error| failed(error.error))?;
    Ok(Bundled {
        sequence: head.sequence,
        expires: head.expires,
        documents: index.documents.len(),
        payloads: payloads.len(),
        sealed: sealed.len(),
        length,
    })
}

/// The payloads of the corrections that are current.
fn payloads(
    feed: &Feed,
    index: &Index,
) -> Result<std::collections::BTreeSet<FeedPath>, BundleError> {
    let mut payloads = std::collections::BTreeSet::new();
    let corrections = index.documents.iter();
    for entry in corrections.filter(|entry| entry.kind == DocumentKind::Correction) {
        let path = FeedPath::document(entry.kind, &entry.id, entry.revision);
        let bytes = feed.public().read(&path).map_err(FeedError::from)?;
        let bytes = bytes.ok_or_else(|| missing(feed, &path))?;
        let correction: Correction = decode(&bytes, &Limits::default())
            .map_err(|source| BundleError::Decode { path, source })?;
        let files = correction.files.iter();
        let after = files.filter_map(|file| file.after.as_ref());
        payloads.extend(after.map(|after| FeedPath::blob(&after.blob.digest)));
    }
    Ok(payloads)
}

fn missing(feed: &Feed, path: &FeedPath) -> BundleError {
    BundleError::File {
        path: feed.in_public(path),
        source: io::ErrorKind::NotFound.into(),
    }
}

struct Archive<'a> {
    builder: tar::Builder<tempfile::NamedTempFile>,
    feed: &'a Feed,
    time: u64,
}

impl Archive<'_> {
    fn signed(&mut self, path: &FeedPath) -> Result<(), BundleError> {
        self.add(path)?;
        self.add(&path.signatures())
    }

    fn add(&mut self, path: &FeedPath) -> Result<(), BundleError> {
        let file = self.feed.public().open(path).map_err(FeedError::from)?;
        let file = file.ok_or_else(|| missing(self.feed, path))?;
        self.copy(path, file).map_err(|source| BundleError::File {
            path: self.feed.in_public(path),
            source,
        })
    }

    fn copy(&mut self, path: &FeedPath, file: fs::File) -> io::Result<()> {
        let mut header = tar::Header::new_ustar();
        header.set_path(path.as_str())?;
        header.set_size(file.metadata()?.len());
        header.set_mode(0o644);
        header.set_mtime(self.time);
        header.set_cksum();
        self.builder.append(&header, file)
    }
}
