//! What a broadcast follows: what panels hold, and what the desk has recorded.

use spacecp_contract::{Digest, FeedPath, Index, Root};

use super::PublishService;
use crate::{
    feed::{Current, FeedError},
    reconcile::Depth,
    record::{Record, RecordError},
};

/// What a broadcast follows.
pub(super) struct Basis {
    /// What panels that are up to date hold, as the folder has it, with the sequence epoch of the root that
    /// vouches for it; none before the first broadcast.
    pub(super) before: Option<(u64, Current)>,
    /// What this desk has published; none without a desk.
    pub(super) record: Option<Record>,
    /// What the record lists for everybody, where the folder has another head: the desk decided once to publish it.
    listed: Option<Index>,
}

impl Basis {
    pub(super) fn new(before: Option<(u64, Current)>, record: Option<Record>) -> Self {
        let listed = record.as_ref().filter(|_| before.is_none());
        let listed = listed.and_then(Record::listed_in_public);
        Self {
            before,
            record,
            listed,
        }
    }

    /// What is public already. Of what only the record lists, nothing says how its private side was sealed.
    pub(super) fn index(&self) -> Option<&Index> {
        let before = self.before.as_ref();
        let before = before.map(|(_, (_, index))| index.document());
        before.or(self.listed.as_ref())
    }

    /// Whether what was published last has a private side.
    pub(super) fn was_sealed(&self) -> bool {
        let recorded = self.record.as_ref().filter(|_| self.before.is_none());
        let recorded = recorded.and_then(|record| record.current.as_ref());
        recorded.is_some_and(|current| current.sealed.is_some())
            || self.index().is_some_and(|index| index.sealed.is_some())
    }

    /// The sequence epoch of what was published last.
    pub(super) fn epoch(&self) -> Option<u64> {
        let recorded = self
            .record
            .as_ref()
            .and_then(|record| record.current.as_ref());
        let recorded = recorded.map(|current| current.epoch);
        recorded.or(self.before.as_ref().map(|(epoch, _)| *epoch))
    }
}

impl PublishService<'_> {
    /// What the next broadcast follows; nothing is changed.
    pub(super) fn basis(&self) -> Result<Basis, FeedError> {
        let record = self.feed.recorded(Depth::Documents)?;
        let before = self.before(record.as_ref())?;
        Ok(Basis::new(before, record))
    }

    /// What panels hold: the head of the folder, unless the desk has published another one.
    fn before(&self, record: Option<&Record>) -> Result<Option<(u64, Current)>, FeedError> {
        let found = self.feed.bytes(&FeedPath::head())?;
        let found = found.as_deref().map(Digest::of);
        match record {
            Some(record) if record.current.as_ref().map(|current| current.head) != found => {
                Ok(None)
            }
            _ => self.feed.broadcast_before(),
        }
    }

    /// The same, after killed commands were cleaned up.
    pub(super) fn reconciled_basis(&self) -> Result<Basis, FeedError> {
        let reconciled = self.feed.reconciled(Depth::Documents)?;
        let deskless = || RecordError::Deskless(self.feed.folder().to_owned());
        let before = self.before(reconciled.as_ref().map(|(record, _)| record))?;
        // A feed with a private side says more of why it needs its desk.
        if let (None, Some((_, (_, index)))) = (&reconciled, &before) {
            self.refuse_unknown_side(index)?;
        }
        let (record, _) = reconciled.ok_or_else(deskless)?;
        Ok(Basis::new(before, Some(record)))
    }
}

/// The sequence after every one that was signed; from one again only where a root lets sequences start afresh
/// because they are used up, or nearly: a thief who stopped just below the end must not leave only a few.
pub(super) fn next_sequence(root: &Root, basis: &Basis) -> Result<u64, FeedError> {
    let before = basis.before.as_ref();
    let before = before.map(|(epoch, (head, _))| (basis.epoch().unwrap_or(*epoch), head.sequence));
    let highest = basis.record.as_ref().and_then(|record| record.highest);
    let highest = highest.map(|highest| (highest.epoch, highest.sequence));
    let Some((epoch, last)) = before.max(highest) else {
        return Ok(1);
    };
    match last.checked_add(1) {
        Some(next) if epoch == root.sequence_epoch || last < u64::MAX / 2 => Ok(next),
        _ if epoch != root.sequence_epoch => Ok(1),
        _ => Err(FeedError::UsedUp(last)),
    }
}
