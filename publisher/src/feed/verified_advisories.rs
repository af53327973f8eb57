//! The advisories that a feed has, each verified as a panel verifies it before anybody reads it.

use spacecp_contract::{
    Advisory, Correction, Digest, DocumentId, DocumentKind, FeedPath, IndexEntry, Limits, Root,
};
use spacecp_trust::{AnyDocument, Verified};

use super::{Feed, FeedError, unverified};
use crate::sign::SignError;

impl Feed {
    /// The newest revision of an advisory that this feed has, verified as panels that trust `root` verify
    /// it; none if it has none.
    pub(crate) fn advisory(
        &self,
        root: &Verified<Root>,
        id: &DocumentId,
    ) -> Result<Option<Verified<Advisory>>, FeedError> {
        let newest = self.newest_revision(DocumentKind::Advisory, id)?;
        let found = newest.map(|revision| self.advisory_revision(root, id, revision));
        found.transpose()
    }

    /// Every revision of a correction that was signed.
    pub(crate) fn corrections(&self, id: &DocumentId) -> Result<Vec<Correction>, FeedError> {
        let kind = DocumentKind::Correction;
        let revisions = self.revisions(kind, id)?.into_iter();
        let read = |revision| self.read(&FeedPath::document(kind, id, revision));
        let found: Result<Vec<_>, _> = revisions.map(read).collect();
        Ok(found?.into_iter().flatten().collect())
    }

    /// A revision of an advisory, verified as panels that trust `root` verify it.
    pub(crate) fn advisory_revision(
        &self,
        root: &Verified<Root>,
        id: &DocumentId,
        revision: u64,
    ) -> Result<Verified<Advisory>, FeedError> {
        let kind = DocumentKind::Advisory;
        let path = FeedPath::document(kind, id, revision);
        let bytes = self.bytes(&path)?.unwrap_or_default();
        let entry = IndexEntry {
            kind,
            id: id.clone(),
            revision,
            digest: Digest::of(&bytes),
            length: bytes.len() as u64,
        };
        self.verified_advisory(root, &entry)
    }

    /// An advisory that an index lists, verified as panels that trust `root` verify it.
    pub(crate) fn verified_advisory(
        &self,
        root: &Verified<Root>,
        entry: &IndexEntry,
    ) -> Result<Verified<Advisory>, FeedError> {
        let path = FeedPath::document(DocumentKind::Advisory, &entry.id, entry.revision);
        let (bytes, signatures) = self.offered(&path)?;
        let refused = |source| FeedError::Refused {
            what: format!("{} revision {}", entry.id, entry.revision),
            source,
        };
        let offered = unverified(&bytes, &signatures);
        let found = spacecp_trust::document(root, entry, offered, &Limits::default());
        match found.map_err(refused)? {
            AnyDocument::Advisory(advisory) => Ok(advisory),
            AnyDocument::Correction(_) => {
                let reason = format!("{} is a correction", entry.id);
                Err(SignError::Invalid(reason).into())
            }
        }
    }
}
