//! The documents at hand, each verified again: which advisories speak of one flaw, and which are under embargo.

use std::{collections::BTreeSet, sync::Arc};

use spacecp_contract::{Advisory, Correction, Digest, DocumentId, DocumentKind};

use super::{State, on_a_thread};
use crate::{AdvisoryIndex, ServiceError, cache, trust::AnyDocument};

impl State {
    /// The advisories and corrections at hand, in short: read anew where the feed says something else.
    pub(crate) async fn advisory_index(&self) -> Result<Arc<AdvisoryIndex>, ServiceError> {
        let (key, damaged) = self.advisory_index_key().await?;
        let mut kept = self.index().lock().await;
        if let Some((of, advisory_index)) = &*kept
            && *of == key
        {
            return Ok(advisory_index.clone());
        }
        // What was found damaged has no word that is remembered either.
        let recalled = if damaged {
            None
        } else {
            let last = self.index_cache().clone();
            on_a_thread(move || last.recall(key)).await
        };
        let advisory_index = match recalled {
            Some(recalled) => Arc::new(recalled),
            None => self.read_advisory_index(key).await?,
        };
        *kept = Some((key, advisory_index.clone()));
        Ok(advisory_index)
    }

    /// Reads it, and keeps it for the next process if the store has not moved on meanwhile.
    async fn read_advisory_index(&self, key: Digest) -> Result<Arc<AdvisoryIndex>, ServiceError> {
        let advisory_index = Arc::new(AdvisoryIndex::read(self.store()).await?);
        if self.advisory_index_key().await? == (key, false) {
            let (last, kept) = (self.index_cache().clone(), advisory_index.clone());
            on_a_thread(move || last.keep(key, &kept)).await;
        }
        Ok(advisory_index)
    }

    /// What an index rests on: the index, and as many of the documents that it names as this panel could read;
    /// and whether something of that was found damaged.
    async fn advisory_index_key(&self) -> Result<(Digest, bool), ServiceError> {
        let trusted = self.store().trusted().await?;
        let index = trusted.index.as_ref();
        let index = Digest::of(index.map_or(&[][..], |index| index.bytes()));
        let end = self.store().end_of_documents().await?;
        let key = cache::digest(&("catalogue", index, end.cursor));
        Ok((key, end.damaged))
    }

    /// The advisories that speak of the flaw of this name, by their ids: the one that is called so, those
    /// that have the name as an alias, and those that share a name with one of these. The name itself is
    /// among them: what is no longer current may still be recorded.
    pub(crate) async fn about_one_flaw(
        &self,
        name: &str,
    ) -> Result<BTreeSet<String>, ServiceError> {
        let advisories = self.advisories().await?;
        let mut names = BTreeSet::from([name.to_owned()]);
        loop {
            let known = names.len();
            for advisory in &advisories {
                let own = || {
                    advisory
                        .aliases
                        .iter()
                        .cloned()
                        .chain([advisory.id.to_string()])
                };
                if own().any(|own| names.contains(&own)) {
                    names.extend(own());
                }
            }
            if names.len() == known {
                return Ok(names);
            }
        }
    }

    /// The advisories that are under embargo.
    pub(crate) async fn embargoed(&self) -> Result<BTreeSet<String>, ServiceError> {
        let advisory_index = self.advisory_index().await?;
        Ok(advisory_index
            .embargoed()
            .map(ToString::to_string)
            .collect())
    }

    /// Every advisory that is current. Each is verified again.
    pub(crate) async fn advisories(&self) -> Result<Vec<Advisory>, ServiceError> {
        let trusted = self.store().trusted().await?;
        let mut advisories = Vec::new();
        for (kind, id) in trusted.listed() {
            if kind == DocumentKind::Advisory
                && let Some(AnyDocument::Advisory(advisory)) =
                    self.store().document(kind, id).await?
            {
                advisories.push(advisory.document().clone());
            }
        }
        Ok(advisories)
    }

    /// The advisories under embargo that a correction answers.
    pub(crate) async fn under_embargo(
        &self,
        correction: &Correction,
    ) -> Result<BTreeSet<DocumentId>, ServiceError> {
        let secret = self.advisories().await?.into_iter().filter(|advisory| {
            advisory.is_under_embargo()
                && (advisory.corrections.contains(&correction.id)
                    || correction.advisories.contains(&advisory.id))
        });
        Ok(secret.map(|advisory| advisory.id).collect())
    }
}
