//! What a broadcast does only where somebody asks for it by name, because it cannot be taken back.

use std::collections::BTreeSet;

use jiff::Timestamp;
use spacecp_contract::{Advisory, DocumentId, DocumentKind, Index, IndexEntry};

use super::{Feed, FeedError, Sides, sides::path_of};

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

    /// Refuses what would be public sooner than panels were told, unless it was asked for.
    pub(crate) fn refuse_early(&self, sides: &Sides, now: Timestamp) -> Result<(), FeedError> {
        let sealed = self.private_entries()?;
        let is_advisory = |entry: &&IndexEntry| entry.kind == DocumentKind::Advisory;
        for entry in sealed.iter().filter(is_advisory) {
            let is_public = sides
                .public
                .iter()
                .any(|public| (public.kind, &public.id) == (entry.kind, &entry.id));
            if !is_public || self.consent.disclose.contains(&entry.id) {
                continue;
            }
            let advisory: Option<Advisory> = self.read(&path_of(entry))?;
            let planned = advisory.and_then(|advisory| advisory.embargo_until);
            if let Some(planned) = planned.filter(|planned| *planned > now) {
                let id = entry.id.clone();
                return Err(FeedError::Early { id, planned });
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
