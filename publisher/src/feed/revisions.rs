//! Which documents a feed has, and in which revisions.
//!
//! Whoever can write the published folder can put anything there. Of it only what the desk's record lists counts,
//! and what is older; what waits in the desk counts as it lies there.

use spacecp_contract::{Digest, DocumentId, DocumentKind, FeedPath, IndexEntry};

use super::{Feed, FeedError};
use crate::{feed_directory::FeedDirectory, record::Record};

impl Feed {
    /// The record of this feed's audience, as it was written last; none without a desk.
    pub(crate) fn record(&self) -> Result<Option<Record>, FeedError> {
        match self.record_path() {
            Some(path) => Ok(Record::read(path)?),
            None => Ok(None),
        }
    }

    /// The newest revision of every document of this kind.
    pub(crate) fn entries(&self, kind: DocumentKind) -> Result<Vec<IndexEntry>, FeedError> {
        let mut ids: Vec<DocumentId> = Vec::new();
        for directory in self.directories() {
            ids.extend(names::<DocumentId>(directory, kind.as_str())?);
        }
        ids.sort();
        ids.dedup();
        let record = self.record()?;
        let mut entries = Vec::new();
        for id in ids {
            let Some(revision) = self.revisions_by(record.as_ref(), kind, &id)?.pop() else {
                continue;
            };
            let path = FeedPath::document(kind, &id, revision);
            let missing = || FeedError::File {
                path: self.place(&path),
                source: std::io::ErrorKind::NotFound.into(),
            };
            let bytes = self.bytes(&path)?.ok_or_else(missing)?;
            entries.push(IndexEntry {
                kind,
                id,
                revision,
                digest: Digest::of(&bytes),
                length: bytes.len() as u64,
            });
        }
        Ok(entries)
    }

    pub(crate) fn newest_revision(
        &self,
        kind: DocumentKind,
        id: &DocumentId,
    ) -> Result<Option<u64>, FeedError> {
        Ok(self.revisions(kind, id)?.pop())
    }

    /// Every revision of a document, in order. Of the published folder only those count that the desk's record
    /// lists, or that are older: whoever can write the folder can put anything there.
    pub(crate) fn revisions(
        &self,
        kind: DocumentKind,
        id: &DocumentId,
    ) -> Result<Vec<u64>, FeedError> {
        self.revisions_by(self.record()?.as_ref(), kind, id)
    }

    fn revisions_by(
        &self,
        record: Option<&Record>,
        kind: DocumentKind,
        id: &DocumentId,
    ) -> Result<Vec<u64>, FeedError> {
        let below = format!("{kind}/{id}");
        let mut revisions = names::<u64>(&self.folder, &below)?;
        if let Some(record) = record {
            let listed = record.listed(kind, id).map_or(0, |entry| entry.revision);
            revisions.retain(|revision| *revision <= listed);
        }
        if let Some(waiting) = self.signed() {
            revisions.extend(names::<u64>(waiting, &below)?);
        }
        if let Some(record) = record {
            revisions.retain(|revision| record.disowned(kind, id, *revision).is_none());
        }
        revisions.sort_unstable();
        revisions.dedup();
        Ok(revisions)
    }

    /// The names below the published folder that are names of this kind.
    pub(crate) fn public_names<T: std::str::FromStr + ToString>(
        &self,
        below: &str,
    ) -> Result<Vec<T>, FeedError> {
        names(&self.folder, below)
    }
}

/// The names in a directory that are names of this kind, as this program writes them; none where there is no
/// directory.
fn names<T: std::str::FromStr + ToString>(
    directory: &FeedDirectory,
    below: &str,
) -> Result<Vec<T>, FeedError> {
    let names = directory.names(below)?;
    let parse = |name: &std::ffi::OsString| {
        let name = name.to_str()?;
        let parsed = name.parse::<T>().ok()?;
        (parsed.to_string() == name).then_some(parsed)
    };
    Ok(names.iter().filter_map(parse).collect())
}
