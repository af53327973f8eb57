//! The documents that notices speak of, looked up once each.

use std::collections::BTreeMap;

use spacecp_contract::{Advisory, DocumentId, DocumentKind, rate};
use spacecp_store::{Store, StoreError};
use spacecp_trust::{AnyDocument, Verified};

use crate::About;

/// Documents that were looked up, each once.
pub(crate) struct KnownDocuments<'a> {
    store: &'a Store,
    advisories: BTreeMap<DocumentId, Option<About>>,
    corrections: BTreeMap<String, Option<(DocumentId, u64)>>,
}

impl<'a> KnownDocuments<'a> {
    pub(crate) fn new(store: &'a Store) -> Self {
        Self {
            store,
            advisories: BTreeMap::new(),
            corrections: BTreeMap::new(),
        }
    }

    /// Whether the panel has this advisory.
    pub(crate) async fn look_up(&mut self, id: &DocumentId) -> Result<bool, StoreError> {
        if let Some(known) = self.advisories.get(id) {
            return Ok(known.is_some());
        }
        let document = self.store.document(DocumentKind::Advisory, id).await?;
        let about = match &document {
            Some(AnyDocument::Advisory(advisory)) => Some(about(advisory)),
            _ => None,
        };
        let there = about.is_some();
        self.advisories.insert(id.clone(), about);
        Ok(there)
    }

    /// A correction that the panel has, with its revision.
    pub(crate) async fn correction(
        &mut self,
        name: &str,
    ) -> Result<Option<(DocumentId, u64)>, StoreError> {
        if let Some(known) = self.corrections.get(name) {
            return Ok(known.clone());
        }
        let Ok(id) = DocumentId::new(name) else {
            return Ok(None);
        };
        let document = self.store.document(DocumentKind::Correction, &id).await?;
        let found = match document {
            Some(AnyDocument::Correction(correction)) => Some((id, correction.revision)),
            _ => None,
        };
        self.corrections.insert(name.to_owned(), found.clone());
        Ok(found)
    }

    pub(crate) fn about(self) -> BTreeMap<DocumentId, About> {
        let known = self.advisories.into_iter();
        known.filter_map(|(id, about)| Some((id, about?))).collect()
    }
}

fn about(advisory: &Verified<Advisory>) -> About {
    About {
        revision: advisory.revision,
        title: advisory.title.clone(),
        severity: rate(&advisory.severity).severity,
        known_exploited: advisory.known_exploited,
        embargo: advisory.is_under_embargo(),
        withdrawn: advisory.withdrawn.is_some(),
        workaround: !advisory.workarounds.is_empty(),
    }
}
