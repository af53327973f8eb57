//! The desk's own copies of public documents: whoever removes one from the published folder does not make the
//! vendor unable to publish it again. Payloads are not copied; they are built again from their trees.

use spacecp_contract::{Digest, FeedPath, IndexEntry, Root};
use spacecp_trust::Verified;

use super::{Feed, FeedError, accepted, unverified};
use crate::feed_directory::FeedDirectory;

impl Feed {
    /// Copies the documents that the desk has no copy of yet.
    pub(crate) fn keep_copies(&self, documents: &[IndexEntry]) -> Result<(), FeedError> {
        let Some(copies) = self.copies() else {
            return Ok(());
        };
        let mut files = Vec::new();
        for entry in documents {
            let path = path_of(entry);
            if !has(copies, entry) {
                let (bytes, signatures) = self.offered(&path)?;
                files.push((path.signatures(), signatures));
                files.push((path, bytes));
            }
        }
        Ok(copies.write_all(&files)?)
    }

    /// Replaces the signatures in the copy of a document, if there is one.
    pub(crate) fn copy_signatures(
        &self,
        path: &FeedPath,
        signatures: &str,
    ) -> Result<(), FeedError> {
        match self.copies() {
            Some(copies) if copies.exists(path)? => {
                Ok(copies.write(&path.signatures(), signatures.as_bytes())?)
            }
            _ => Ok(()),
        }
    }

    /// Whether a document is in the published folder or in a copy, with the bytes that its entry says.
    pub(crate) fn can_publish(&self, entry: &IndexEntry) -> bool {
        has(&self.folder, entry) || self.copies().is_some_and(|copies| has(copies, entry))
    }

    /// Whether the desk's copy has signatures of a document that a newer root accepts than those in the
    /// published folder, or any where no root accepts those.
    pub(crate) fn has_better_signatures(
        &self,
        roots: &[Verified<Root>],
        entry: &IndexEntry,
    ) -> bool {
        let Some(copies) = self.copies().filter(|copies| has(copies, entry)) else {
            return false;
        };
        let path = path_of(entry).signatures();
        let signatures = |directory: &FeedDirectory| directory.read(&path).ok().flatten();
        // Most are the same, and need not be verified.
        signatures(copies) != signatures(&self.folder)
            && accepted_by(roots, entry, copies) > accepted_by(roots, entry, &self.folder)
    }

    /// Puts documents back into the published folder that are missing or damaged there, or whose signatures are.
    pub(crate) fn restore_copies(&self, documents: &[IndexEntry]) -> Result<(), FeedError> {
        let Some(copies) = self.copies() else {
            return Ok(());
        };
        let roots = self.roots()?;
        for entry in documents.iter().filter(|entry| has(copies, entry)) {
            if has(&self.folder, entry) && !self.has_better_signatures(&roots, entry) {
                continue;
            }
            let path = path_of(entry);
            for path in [path.signatures(), path] {
                if let Some(bytes) = copies.read(&path)? {
                    self.write(&path, &bytes)?;
                }
            }
        }
        Ok(())
    }
}

/// The place of the newest root that accepts a document with the signatures beside it; none where none does.
fn accepted_by(
    roots: &[Verified<Root>],
    entry: &IndexEntry,
    directory: &FeedDirectory,
) -> Option<usize> {
    let path = path_of(entry);
    let bytes = directory.read(&path).ok()??;
    let signatures = directory.read(&path.signatures()).ok()??;
    let accepts = |root| accepted(root, entry, unverified(&bytes, &signatures)).is_ok();
    roots.iter().rposition(accepts)
}

fn has(directory: &FeedDirectory, entry: &IndexEntry) -> bool {
    let bytes = directory.read(&path_of(entry));
    bytes.is_ok_and(|bytes| bytes.is_some_and(|bytes| Digest::of(&bytes) == entry.digest))
}

fn path_of(entry: &IndexEntry) -> FeedPath {
    FeedPath::document(entry.kind, &entry.id, entry.revision)
}
