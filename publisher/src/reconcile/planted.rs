//! What lies in a published folder and was not put there by this desk. Nothing is changed here.

use std::{collections::BTreeMap, path::PathBuf};

use spacecp_contract::{Blob, Digest, DocumentId, DocumentKind, FeedPath};

use crate::{
    feed::{Feed, FeedError},
    record::{Edition, Record},
};

/// The most bytes of a payload that no correction brings which are read, to tell whether it is one. Panels ask for
/// none of it.
const UNLISTED: u64 = 1 << 30;

impl Feed {
    /// Documents in the published folder that no broadcast of this desk put there; none without a record.
    pub(crate) fn planted(&self) -> Result<Vec<PathBuf>, FeedError> {
        let Some(record) = self.record()? else {
            return Ok(Vec::new());
        };
        let mut planted = Vec::new();
        for kind in [DocumentKind::Advisory, DocumentKind::Correction] {
            for id in self.public_names::<DocumentId>(kind.as_str())? {
                let mut editions = record.current.iter().chain(&record.pending);
                let known =
                    |edition: &Edition| edition.entry(kind, &id).map(|entry| entry.revision);
                let listed = editions.by_ref().filter_map(known).max().unwrap_or(0);
                let revisions = self.public_names::<u64>(&format!("{kind}/{id}"))?;
                let strange = revisions.into_iter().filter(|revision| *revision > listed);
                planted.extend(
                    strange
                        .map(|revision| self.in_public(&FeedPath::document(kind, &id, revision))),
                );
            }
        }
        Ok(planted)
    }

    /// What is wrong with documents under embargo, broadcast or not, that lie in the published folder for everybody to
    /// read: each is a [`FeedError::InClear`].
    pub(crate) fn in_clear(&self) -> Result<Vec<FeedError>, FeedError> {
        let record = self.record()?;
        let current = record.as_ref().and_then(|record| record.current.as_ref());
        let mut private = self.private_entries()?;
        private.extend(current.iter().flat_map(|current| current.private.clone()));
        // What an interrupted broadcast disclosed is finished or taken back.
        let pending = record.as_ref().and_then(|record| record.pending.as_ref());
        private.retain(|entry| pending.is_none_or(|pending| !pending.public.contains(entry)));
        let mut found = BTreeMap::new();
        for entry in private {
            let path = FeedPath::document(entry.kind, &entry.id, entry.revision);
            if self.public().exists(&path)? {
                let (kind, id, path) = (entry.kind, entry.id, self.in_public(&path));
                let in_clear = FeedError::InClear {
                    kind,
                    id,
                    path: path.clone(),
                };
                found.insert(path, in_clear);
            }
        }
        let before = record.as_ref().and_then(Record::listed_in_public);
        if let Err(in_clear @ FeedError::InClear { .. }) = self.by_visibility(before.as_ref())
            && found.is_empty()
        {
            return Ok(vec![in_clear]);
        }
        Ok(found.into_values().collect())
    }

    /// Payloads of what everybody can read that are missing in the published folder, or have other contents there,
    /// and files in the place of a payload that are none.
    pub(crate) fn spoiled_payloads(&self) -> Result<Vec<PathBuf>, FeedError> {
        let mut listed: BTreeMap<Digest, Blob> = BTreeMap::new();
        let record = self.record()?;
        let current = record.and_then(|record| record.current);
        for entry in current.iter().flat_map(|current| &current.public) {
            // One that is missing or damaged itself is named as such.
            for blob in self.payloads(entry).unwrap_or_default() {
                listed.insert(blob.digest, blob);
            }
        }
        let mut spoiled = Vec::new();
        for shard in self.public_names::<String>("blob")? {
            let Ok(names) = self.public_names::<Digest>(&format!("blob/{shard}")) else {
                spoiled.push(self.public().path().join("blob").join(shard));
                continue;
            };
            for digest in names {
                let path = FeedPath::blob(&digest);
                let length = self.public().length(&path);
                match (listed.remove(&digest), length) {
                    _ if !path.as_str().starts_with(&format!("blob/{shard}/")) => {}
                    (None, Ok(Some(length))) if length > UNLISTED => {}
                    (blob, Ok(Some(length)))
                        if self
                            .public()
                            .has_payload(&blob.unwrap_or(Blob { digest, length }))
                            .unwrap_or(false) => {}
                    _ => spoiled.push(self.in_public(&path)),
                }
            }
        }
        let missing = listed.keys().map(FeedPath::blob);
        spoiled.extend(missing.map(|path| self.in_public(&path)));
        Ok(spoiled)
    }
}
