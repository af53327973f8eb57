//! What was last read of the feed and verified, so that it is not read and verified again for every question.

use std::{
    collections::HashMap,
    sync::{Arc, OnceLock},
};

use spacecp_contract::{DocumentKind, IndexEntry};

use crate::trust::workflow::Trusted;

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

    /// What the index says of a document.
    pub(super) fn entry(&self, kind: DocumentKind, id: &str) -> Option<&IndexEntry> {
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
