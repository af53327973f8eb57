//! What was last read of the feed and verified, so that it is not read and verified again for every question.

use std::{
    collections::HashMap,
    sync::{Arc, OnceLock},
};

use spacecp_contract::{Digest, DocumentId, DocumentKind, IndexEntry};
use spacecp_trust::workflow::Trusted;

/// One of the two sides of a feed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    /// The index lists it.
    Public,
    /// The sealed index does.
    Sealed,
}

/// What was read of the feed and verified, kept for as long as it is what the store holds.
#[derive(Debug)]
pub(super) struct Believed {
    pub(super) version: u64,
    pub(super) trusted: Arc<Trusted>,
    /// Where in the index each document is.
    places: OnceLock<HashMap<(DocumentKind, String), usize>>,
}

impl Believed {
    pub(super) fn new(version: u64, trusted: Trusted) -> Self {
        Self {
            version,
            trusted: Arc::new(trusted),
            places: OnceLock::new(),
        }
    }

    fn entries(&self) -> &[IndexEntry] {
        let index = self.trusted.index.as_ref();
        index.map_or(&[], |index| &index.documents)
    }

    /// On which side a document of this revision and digest is listed; none if it is not.
    pub(super) fn lists(
        &self,
        kind: DocumentKind,
        id: &str,
        revision: u64,
        digest: Digest,
    ) -> Option<Side> {
        if let Some(entry) = self.entry(kind, id) {
            let same = entry.revision == revision && entry.digest == digest;
            return same.then_some(Side::Public);
        }
        let id = DocumentId::new(id.to_owned()).ok()?;
        let sealed = self.trusted.private.get(&(kind, id))?;
        (*sealed == (revision, digest)).then_some(Side::Sealed)
    }

    /// What the index says of a document.
    fn entry(&self, kind: DocumentKind, id: &str) -> Option<&IndexEntry> {
        let places = self.places.get_or_init(|| {
            let entries = self.entries().iter().enumerate();
            entries
                .map(|(place, entry)| ((entry.kind, entry.id.to_string()), place))
                .collect()
        });
        let place = places.get(&(kind, id.to_owned()))?;
        self.entries().get(*place)
    }
}
