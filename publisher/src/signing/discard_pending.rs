//! Taking back what was signed by mistake, as long as no panel has it.

use spacecp_contract::{DocumentId, DocumentKind, FeedPath};

use super::SigningService;
use crate::{feed::FeedError, reconcile::Depth};

impl SigningService<'_> {
    /// Takes back every revision that was signed and that no panel has: it is as if none had ever been signed.
    /// Gives the revisions. What a correction brings stays on the desk, where nobody finds it.
    ///
    /// All of them, since what the newest was to put right is what an older one has wrong.
    ///
    /// # Errors
    ///
    /// [`FeedError::NotWaiting`] where nothing of the kind waits for a broadcast, and
    /// [`FeedError::NotRemembered`] where this desk cannot tell what panels have.
    pub fn discard_pending(
        &self,
        kind: DocumentKind,
        id: &DocumentId,
    ) -> Result<Vec<u64>, FeedError> {
        let _lock = self.feed.lock()?;
        self.feed.reconciled(Depth::Heads)?;
        if let Some(before) = self.feed.index_before()? {
            self.feed.refuse_unknown_side(&before)?;
        }
        let waiting = self.pending(kind, id)?;
        if waiting.is_empty() {
            return Err(FeedError::NotWaiting {
                kind,
                id: id.clone(),
                feed: self.feed.folder().to_owned(),
            });
        }
        // What was sealed with it must not become current.
        if let Some(sealing) = self.feed.sealing() {
            sealing.forget_pending()?;
        }
        // The oldest first: none of them is the newest because this ended in between, but for the newest.
        for revision in &waiting {
            let path = FeedPath::document(kind, id, *revision);
            for path in [path.clone(), path.signatures()] {
                self.feed.waits_in().remove(&path)?;
            }
        }
        Ok(waiting)
    }

    /// The revisions that lie on the desk and were never broadcast.
    fn pending(&self, kind: DocumentKind, id: &DocumentId) -> Result<Vec<u64>, FeedError> {
        let sealed = self.feed.private_entries()?;
        let mut sealed = sealed.iter();
        let sealed = sealed.find(|entry| (entry.kind, &entry.id) == (kind, id));
        let mut waiting = Vec::new();
        for revision in self.feed.revisions(kind, id)? {
            let path = FeedPath::document(kind, id, revision);
            if !self.feed.is_waiting(&path)? {
                // Older ones were overtaken by it, and newer ones wait.
                waiting.clear();
            } else if sealed.is_none_or(|sealed| revision > sealed.revision) {
                waiting.push(revision);
            }
        }
        Ok(waiting)
    }
}
