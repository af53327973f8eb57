//! Renews the signatures of documents whose key has lost its role.
//!
//! Only what the desk's record lists is signed, so that nothing that a stolen key has signed, and somebody has put
//! into the published folder, ever gets a signature of the new key.

use spacecp_contract::{DocumentId, DocumentKind, FeedPath, IndexEntry, Root, TrustedComment};
use spacecp_trust::Verified;

use super::{SigningService, holds};
use crate::{
    feed::{FeedError, accepted, unverified},
    keys::SecretKey,
    reconcile::Depth,
    record::{Record, RecordError},
    sign::sign_bytes,
};

impl SigningService<'_> {
    /// Signs current documents of a role again where panels that are new would refuse them, because
    /// who signed them no longer holds the role. Their bytes stay; says which they were.
    ///
    /// Only what the desk's record lists is signed, and only if an earlier root vouches for it. What waits in
    /// the desk is signed only where `pending` names it.
    pub fn sign_again(
        &self,
        kind: DocumentKind,
        pending: &[DocumentId],
        keys: &[&SecretKey],
    ) -> Result<Vec<(DocumentId, u64)>, FeedError> {
        let _lock = self.feed.lock()?;
        let settled = self.feed.reconciled(Depth::Documents)?;
        let deskless = || RecordError::Deskless(self.feed.folder().to_owned());
        let (record, _) = settled.ok_or_else(deskless)?;
        let roots = self.feed.roots()?;
        let root = self.feed.root()?;
        holds(&root, kind.role(), keys)?;
        let unaccepted = self.unaccepted(&record, kind, pending, &root)?;
        let mut again = Vec::new();
        for (entry, refused) in unaccepted {
            let vouched = |root| self.feed.refuse_unaccepted(root, &entry).is_ok();
            if !roots.iter().any(vouched) {
                return Err(refused);
            }
            let path = FeedPath::document(kind, &entry.id, entry.revision);
            let (bytes, _) = self.feed.offered(&path)?;
            let comment = TrustedComment::for_parts(kind, &entry.id, entry.revision);
            let new = sign_bytes(&bytes, &comment, keys)?;
            accepted(&root, &entry, unverified(&bytes, new.as_bytes()))?;
            self.feed.write_signatures(&path, &new)?;
            again.push((entry.id, entry.revision));
        }
        Ok(again)
    }

    /// Whether keys were revoked with a root that lets sequences start afresh, and nothing was broadcast since: what
    /// the record lists may be a thief's.
    pub fn starts_afresh(&self) -> Result<bool, FeedError> {
        let epoch = self.feed.root()?.sequence_epoch;
        let record = self.feed.record()?;
        let current = record.and_then(|record| record.current);
        Ok(current.is_some_and(|current| current.epoch < epoch))
    }

    /// What [`SigningService::sign_again`] would sign; writes nothing.
    pub fn plan_sign_again(
        &self,
        kind: DocumentKind,
        pending: &[DocumentId],
    ) -> Result<Vec<(DocumentId, u64)>, FeedError> {
        let deskless = || RecordError::Deskless(self.feed.folder().to_owned());
        let record = self.feed.recorded(Depth::Documents)?.ok_or_else(deskless)?;
        let unaccepted = self.unaccepted(&record, kind, pending, &self.feed.root()?)?;
        let unaccepted = unaccepted.into_iter();
        Ok(unaccepted
            .map(|(entry, _)| (entry.id, entry.revision))
            .collect())
    }

    /// The documents that new panels would refuse, with what for: those of the record, and those that wait.
    fn unaccepted(
        &self,
        record: &Record,
        kind: DocumentKind,
        asked: &[DocumentId],
        root: &Verified<Root>,
    ) -> Result<Vec<(IndexEntry, FeedError)>, FeedError> {
        let current = record.current.iter();
        let listed = current.flat_map(|one| one.public.iter().chain(&one.private));
        let mut all: Vec<IndexEntry> = listed.filter(|entry| entry.kind == kind).cloned().collect();
        let waiting = self.feed.entries(kind)?;
        let waiting = waiting.into_iter().filter(|entry| !all.contains(entry));
        let waiting: Vec<IndexEntry> = waiting.collect();
        let is_here = |id: &&DocumentId| all.iter().chain(&waiting).any(|entry| entry.id == **id);
        if let Some(unknown) = asked.iter().find(|id| !is_here(id)) {
            let id = unknown.clone();
            return Err(RecordError::NoSuchDocument { kind, id }.into());
        }
        let refused = |entry: IndexEntry| {
            let refused = self.feed.refuse_unaccepted(root, &entry).err()?;
            Some((entry, refused))
        };
        let waiting: Vec<_> = waiting.into_iter().filter_map(refused).collect();
        if let Some((entry, _)) = waiting.iter().find(|(entry, _)| !asked.contains(&entry.id)) {
            let path = FeedPath::document(kind, &entry.id, entry.revision);
            return Err(RecordError::NotListed {
                kind,
                id: entry.id.clone(),
                revision: entry.revision,
                path: self.feed.place(&path),
            }
            .into());
        }
        let mut found: Vec<_> = all.drain(..).filter_map(refused).collect();
        found.extend(waiting);
        Ok(found)
    }
}
