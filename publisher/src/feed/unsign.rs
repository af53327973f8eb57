//! Taking back what was signed by mistake, as long as no panel has it.

use std::path::PathBuf;

use spacecp_contract::{DocumentId, DocumentKind, FeedPath};

use super::{Feed, FeedError, beside};
use crate::durable;

impl Feed {
    /// Takes back every revision that was signed and that no panel has: it is as if none had ever been signed.
    /// Gives the revisions. What a correction brings stays on the desk, where nobody finds it.
    ///
    /// All of them, since what the newest was to put right is what an older one has wrong.
    ///
    /// # Errors
    ///
    /// [`FeedError::NotWaiting`] where nothing of the kind waits for a broadcast, and
    /// [`FeedError::NotRemembered`] where this desk cannot tell what panels have.
    pub fn unsign(&self, kind: DocumentKind, id: &DocumentId) -> Result<Vec<u64>, FeedError> {
        let _lock = self.lock()?;
        if let Some(before) = self.index_before()? {
            self.refuse_unknown_side(&before)?;
        }
        let waiting = self.waiting(kind, id)?;
        if waiting.is_empty() {
            return Err(FeedError::NotWaiting {
                kind,
                id: id.clone(),
                feed: self.folder.clone(),
            });
        }
        // What was sealed with it must not become current.
        if let Some(sealing) = self.sealing() {
            sealing.forget_pending()?;
        }
        // The oldest first: none of them is the newest because this ended in between, but for the newest.
        for (_, place) in &waiting {
            for path in [place.clone(), beside(place)] {
                durable::remove(&path).map_err(|source| FeedError::File { path, source })?;
            }
        }
        Ok(waiting.into_iter().map(|(revision, _)| revision).collect())
    }

    /// The revisions that lie on the desk and were never broadcast, with where they lie.
    fn waiting(
        &self,
        kind: DocumentKind,
        id: &DocumentId,
    ) -> Result<Vec<(u64, PathBuf)>, FeedError> {
        let sealed = self.private_entries()?;
        let mut sealed = sealed.iter();
        let sealed = sealed.find(|entry| (entry.kind, &entry.id) == (kind, id));
        let mut waiting = Vec::new();
        for revision in self.revisions(kind, id)? {
            let path = FeedPath::document(kind, id, revision);
            let place = self.place(&path);
            if place == self.in_public(&path) {
                // Older ones were overtaken by it, and newer ones wait.
                waiting.clear();
            } else if sealed.is_none_or(|sealed| revision > sealed.revision) {
                waiting.push((revision, place));
            }
        }
        Ok(waiting)
    }
}
