//! What panels that are up to date hold of a feed.

use spacecp_contract::{FeedPath, Index, Limits, Root};
use spacecp_trust::{Before, Verified};

use super::{Current, Feed, FeedError, unverified};

impl Feed {
    /// What panels that are up to date hold, with the sequence epoch by which they took it, whether or not
    /// its signers have lost their role since; nothing before the first broadcast. Whoever can write into
    /// the folder must not have it taken for something else: what no root vouches for is an error.
    pub(crate) fn broadcast_before(&self) -> Result<Option<(u64, Current)>, FeedError> {
        for root in self.roots()?.iter().rev() {
            if let Some(current) = self.current(root)? {
                return Ok(Some((root.sequence_epoch, current)));
            }
        }
        // Beginning again at sequence 1 would be refused by every panel that followed this feed.
        if self.bytes(&FeedPath::head())?.is_some() {
            return Err(FeedError::Strange(self.folder().to_owned()));
        }
        Ok(None)
    }

    /// The index that panels which are up to date hold.
    pub(crate) fn index_before(&self) -> Result<Option<Index>, FeedError> {
        let before = self.broadcast_before()?;
        Ok(before.map(|(_, (_, index))| index.document().clone()))
    }

    /// What panels that trust `root` trust now; nothing if its signers have lost their role.
    pub(crate) fn current(&self, root: &Verified<Root>) -> Result<Option<Current>, FeedError> {
        let before = Before {
            head: None,
            index: None,
            afresh: true,
        };
        let (bytes, signatures) = self.offered(&FeedPath::head())?;
        let offered = unverified(&bytes, &signatures);
        let Ok(head) = spacecp_trust::reverify_head(root, offered) else {
            return Ok(None);
        };
        let (bytes, signatures) = self.offered(&FeedPath::index(head.sequence))?;
        let offered = unverified(&bytes, &signatures);
        let index = spacecp_trust::index(root, &head, before, offered, &Limits::default());
        Ok(index.ok().map(|index| (head, index)))
    }

    /// Refuses to go on with a private side that this desk did not seal, or sealed in a state of it that is
    /// lost: panels would miss what was in it, and refuse the broadcast.
    pub(crate) fn refuse_unknown_side(&self, before: &Index) -> Result<(), FeedError> {
        let Some(sealed) = &before.sealed else {
            return Ok(());
        };
        match self.sealing() {
            None => Err(FeedError::SealedElsewhere(self.folder().to_owned())),
            Some(sealing) if sealing.knows(sealed)? => Ok(()),
            Some(sealing) => Err(FeedError::NotRemembered {
                feed: self.folder().to_owned(),
                ledger: sealing.remembered_in().to_owned(),
            }),
        }
    }
}
