//! Taking back what was signed by mistake, as long as no panel has it.

use std::path::PathBuf;

use spacecp_contract::{DocumentId, DocumentKind, FeedPath};

use super::{Feed, FeedError, beside};
use crate::durable;

impl Feed {
    /// Takes back what was signed by mistake and no panel has: it is as if it had never been signed. Gives its
    /// revision. What a correction brings stays on the desk, where nobody finds it.
    ///
    /// # Errors
    ///
    /// [`FeedError::NotWaiting`] where nothing of the kind waits for a broadcast.
    pub fn unsign(&self, kind: DocumentKind, id: &DocumentId) -> Result<u64, FeedError> {
        let _lock = self.lock()?;
        let waiting = self.newest_waiting(kind, id)?;
        let (revision, place) = waiting.ok_or_else(|| FeedError::NotWaiting {
            kind,
            id: id.clone(),
            feed: self.folder.clone(),
        })?;
        // What was sealed with it must not become current.
        if let Some(sealing) = self.sealing() {
            sealing.forget_pending()?;
        }
        for path in [place.clone(), beside(&place)] {
            durable::remove(&path).map_err(|source| FeedError::File { path, source })?;
        }
        Ok(revision)
    }

    /// The newest revision, where it lies on the desk and was never broadcast.
    fn newest_waiting(
        &self,
        kind: DocumentKind,
        id: &DocumentId,
    ) -> Result<Option<(u64, PathBuf)>, FeedError> {
        let Some(revision) = self.newest_revision(kind, id)? else {
            return Ok(None);
        };
        let path = FeedPath::document(kind, id, revision);
        let place = self.place(&path);
        let is_sealed = self
            .private_entries()?
            .iter()
            .any(|entry| (entry.kind, &entry.id, entry.revision) == (kind, id, revision));
        let waits = place != self.in_public(&path) && !is_sealed;
        Ok(waits.then_some((revision, place)))
    }
}
