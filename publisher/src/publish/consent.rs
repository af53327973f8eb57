//! What a broadcast does only where somebody asks for it by name, because it cannot be taken back.

use std::collections::BTreeSet;

use jiff::Timestamp;
use spacecp_contract::{Advisory, DocumentId, DocumentKind, FeedPath, Index, IndexEntry};

use super::PublishService;
use crate::{
    cases::policy::Approval,
    feed::{FeedError, Visibility},
    record::{Record, RecordError, SealedTo},
};

/// What somebody asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Consent {
    /// Advisories that may become public before the date that was planned for it.
    pub disclose: BTreeSet<DocumentId>,
    /// Go on with a private side that this desk does not remember: everything in it is on this desk.
    pub seal_anew: bool,
    /// The panels that are to read what is under embargo, where the desk was restored and its registry may be old.
    pub recipients: BTreeSet<String>,
    /// Who publishes, and why an advisory goes out that its finder has not approved of.
    pub approval: Approval,
}

impl PublishService<'_> {
    /// Refuses what would be public sooner than panels were told, unless it was asked for: an advisory of which
    /// a revision on the desk has a planned date that has not come. `before` is what is public already.
    pub(super) fn refuse_early(
        &self,
        sides: &Visibility,
        before: Option<&Index>,
        now: Timestamp,
    ) -> Result<(), FeedError> {
        let is_new = |entry: &&IndexEntry| {
            before.is_none_or(|before| before.entry(entry.kind, &entry.id).is_none())
        };
        let is_asked = |entry: &&IndexEntry| self.consent.disclose.contains(&entry.id);
        let new = sides.public.iter().filter(is_new);
        for entry in new.filter(|entry| entry.kind == DocumentKind::Advisory && !is_asked(entry)) {
            let revisions = self.feed.revisions(entry.kind, &entry.id)?;
            // The newest is for everybody, and most have no other.
            for revision in revisions.into_iter().filter(|one| *one < entry.revision) {
                let path = FeedPath::document(entry.kind, &entry.id, revision);
                let Some(advisory) = self.feed.read::<Advisory>(&path)? else {
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

    /// Refuses to seal for panels that are entitled only because the registry was put back to an earlier day.
    pub(super) fn refuse_recipients(&self, record: Option<&Record>) -> Result<(), FeedError> {
        let (Some(record), Some(sealing)) = (record, self.feed.sealing()) else {
            return Ok(());
        };
        let entitled = sealing.entitled_panels()?;
        let is_dropped = |one: &&SealedTo| {
            let mut dropped = record.dropped.iter();
            dropped.any(|dropped| dropped.recipient == one.recipient)
        };
        if let Some(revoked) = entitled.iter().find(is_dropped) {
            let panel = revoked.panel.clone();
            return Err(RecordError::RevokedPanel { panel }.into());
        }
        let is_unknown = record.current.as_ref().is_some_and(|one| one.is_unknown);
        let named: BTreeSet<&str> = entitled.iter().map(|one| one.panel.as_str()).collect();
        if is_unknown && !self.consent.recipients.iter().map(String::as_str).eq(named) {
            let panels = entitled.into_iter().map(|one| one.panel).collect();
            return Err(RecordError::UnconfirmedRecipients { panels }.into());
        }
        Ok(())
    }

    /// Refuses to go on with a private side that this desk does not remember, unless it was asked for.
    pub(super) fn refuse_unknown_side(&self, before: &Index) -> Result<(), FeedError> {
        if self.consent.seal_anew && self.feed.sealing().is_some() {
            return Ok(());
        }
        self.feed.refuse_unknown_side(before)
    }
}
