//! What a broadcast does only where somebody asks for it by name, because it cannot be taken back.

use std::collections::BTreeSet;

use jiff::Timestamp;
use spacecp_contract::{Advisory, DocumentId, DocumentKind, FeedPath, Index, IndexEntry};

use super::{Feed, FeedError, Sides};

/// What somebody asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Consent {
    /// Advisories that may become public before the date that was planned for it.
    pub disclose: BTreeSet<DocumentId>,
    /// Go on with a private side that this desk does not remember: everything in it is on this desk.
    pub seal_anew: bool,
}

impl Feed {
    /// The same feed, where its broadcasts may do this.
    #[must_use]
    pub fn with_consent(mut self, consent: Consent) -> Self {
        self.consent = consent;
        self
    }

    /// Refuses what would be public sooner than panels were told, unless it was asked for: an advisory of which
    /// a revision on the desk has a planned date that has not come. `before` is what is public already.
    pub(crate) fn refuse_early(
        &self,
        sides: &Sides,
        before: Option<&Index>,
        now: Timestamp,
    ) -> Result<(), FeedError> {
        let is_new = |entry: &&IndexEntry| {
            before.is_none_or(|before| before.entry(entry.kind, &entry.id).is_none())
        };
        let is_asked = |entry: &&IndexEntry| self.consent.disclose.contains(&entry.id);
        let new = sides.public.iter().filter(is_new);
        for entry in new.filter(|entry| entry.kind == DocumentKind::Advisory && !is_asked(entry)) {
            let revisions = self.revisions(entry.kind, &entry.id)?;
            // The newest is for everybody, and most have no other.
            for revision in revisions.into_iter().filter(|one| *one < entry.revision) {
                let path = FeedPath::document(entry.kind, &entry.id, revision);
                let Some(advisory) = self.read::<Advisory>(&path)? else {
                    continue;
                };
                let planned = advisory.embargo_until.filter(|planned| *planned > now);
                if let Some(planned) = planned.filter(|_| advisory.is_under_embargo()) {
                    let id = entry.id.clone();
                    return Err(FeedError::Early { id, planned });
                }
            }
        }
        Ok(())
    }

    /// Refuses to go on with a private side that this desk did not seal, or sealed in a state of it that is
    /// lost: panels would miss what was in it, and refuse the broadcast.
    pub(crate) fn refuse_unknown_side(&self, before: &Index) -> Result<(), FeedError> {
        let Some(sealed) = &before.sealed else {
            return Ok(());
        };
        match self.sealing() {
            None => Err(FeedError::SealedElsewhere(self.folder.clone())),
            Some(sealing) if self.consent.seal_anew || sealing.knows(sealed)? => Ok(()),
            Some(sealing) => Err(FeedError::NotRemembered {
                feed: self.folder.clone(),
                ledger: sealing.remembered_in().to_owned(),
            }),
        }
    }
}
