//! Disowning documents that somebody else had this desk's keys sign and broadcast.

use jiff::Timestamp;
use spacecp_contract::{Digest, DocumentId, DocumentKind, FeedPath, IndexEntry};

use super::SigningService;
use crate::{
    feed::FeedError,
    feed_directory::FeedDirectory,
    reconcile::Depth,
    record::{Disowned, Record, RecordError},
};

/// A document that is not this desk's, and who says so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Disown {
    /// Its kind.
    pub kind: DocumentKind,
    /// The document.
    pub id: DocumentId,
    /// The first revision that is not this desk's: those before it are.
    pub revision: u64,
    /// Who says so.
    pub by: String,
    /// Why.
    pub reason: String,
}

impl SigningService<'_> {
    /// Takes a document out of the record of what this desk has published: it is never signed or listed again, and
    /// the record says why. An earlier revision that the desk has a copy of is listed in its place.
    ///
    /// # Errors
    ///
    /// [`RecordError::NotAfresh`] where panels have it and sequences do not start afresh, and
    /// [`RecordError::NoSuchDocument`] where there is none.
    pub fn disown(&self, what: &Disown, now: Timestamp) -> Result<(), FeedError> {
        let _lock = self.feed.lock()?;
        // Its files may be gone, or damaged.
        let reconciled = self.feed.reconciled(Depth::Heads)?;
        let deskless = || RecordError::Deskless(self.feed.folder().to_owned());
        let path = self.feed.record_path().ok_or_else(deskless)?;
        let (mut record, _) = reconciled.ok_or_else(deskless)?;
        self.refuse_undisownable(&record, what)?;
        record.disowned.push(Disowned {
            at: now,
            by: what.by.clone(),
            reason: what.reason.clone(),
            kind: what.kind,
            id: what.id.clone(),
            revision: what.revision,
        });
        // Of what everybody had the desk has copies; what is under embargo waits there.
        let sides = [self.feed.copies(), self.feed.signed()];
        let [public, private] = sides.map(|own| self.earlier(own, what));
        if let Some(current) = &mut record.current {
            for (side, earlier) in [
                (&mut current.public, public?),
                (&mut current.private, private?),
            ] {
                let is_it = |entry: &IndexEntry| {
                    (entry.kind, &entry.id) == (what.kind, &what.id)
                        && entry.revision >= what.revision
                };
                if let Some(place) = side.iter().position(is_it) {
                    match earlier {
                        Some(earlier) => side[place] = earlier,
                        None => drop(side.remove(place)),
                    }
                }
            }
        }
        // What was sealed with it must not become current.
        if let Some(sealing) = self.feed.sealing() {
            sealing.forget_pending()?;
        }
        // From here on it counts nowhere, whatever files of it are left.
        Ok(record.write(path)?)
    }

    fn refuse_undisownable(&self, record: &Record, what: &Disown) -> Result<(), FeedError> {
        let (kind, id) = (what.kind, what.id.clone());
        record.refuse_disowned(kind, &id, what.revision)?;
        let listed = record.listed(kind, &id);
        let listed = listed.filter(|entry| entry.revision >= what.revision);
        let newest = self.feed.newest_revision(kind, &id)?;
        if listed.is_none() && newest.is_none_or(|newest| newest < what.revision) {
            return Err(RecordError::NoSuchDocument { kind, id }.into());
        }
        if listed.is_some() && !self.starts_afresh()? {
            return Err(RecordError::NotAfresh { kind, id }.into());
        }
        Ok(())
    }

    /// The newest revision before those that are disowned, if this directory of the desk has it.
    fn earlier(
        &self,
        own: Option<&FeedDirectory>,
        what: &Disown,
    ) -> Result<Option<IndexEntry>, FeedError> {
        let (kind, id) = (what.kind, &what.id);
        let revisions = self.feed.revisions(kind, id)?.into_iter();
        let revision = revisions.filter(|one| *one < what.revision).max();
        let (Some(revision), Some(own)) = (revision, own) else {
            return Ok(None);
        };
        let path = FeedPath::document(kind, id, revision);
        Ok(own.read(&path)?.map(|bytes| IndexEntry {
            kind,
            id: id.clone(),
            revision,
            digest: Digest::of(&bytes),
            length: bytes.len() as u64,
        }))
    }
}
