//! Making what a feed has current: a new index and, last of all, the head.
//!
//! A reader at any instant finds either the old head with the old index or the new head with the new
//! one, and both have all that they name. The panel's own verifier looks at everything first; nothing
//! here may write what it has not seen.

mod current;
mod plan;

use jiff::Timestamp;
use spacecp_contract::{
    Digest, DocumentId, DocumentKind, FeedPath, Head, Index, Limits, Role, Root, TrustedComment,
    encode,
};
use spacecp_trust::{Before, Verified};

use crate::{
    feed::{Feed, FeedError, HeldBack, accepted, holds, unverified},
    keys::SecretKey,
    sign::{Signed, sign, sign_bytes},
};
use plan::Contents;

/// What a broadcast would change, or has changed.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Broadcast {
    /// The sequence that it makes current.
    pub sequence: u64,
    /// From when on it is stale, unless another broadcast follows.
    pub expires: Timestamp,
    /// Documents that panels did not know, or knew an older revision of.
    pub news: Vec<(DocumentId, u64)>,
    /// All documents that everybody may read now.
    pub documents: usize,
    /// What is under embargo; none where a feed has no private side.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub private: Option<Embargoed>,
    /// Corrections that stay on the desk.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub held_back: Vec<HeldBack>,
}

/// What a broadcast says in private.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub struct Embargoed {
    /// Documents under embargo.
    pub documents: usize,
    /// Panels that can read them.
    pub panels: usize,
}

/// A head with its index.
type Current = (Verified<Head>, Verified<Index>);

impl Feed {
    /// What a broadcast at `now` would change; writes nothing. Of its index, the private side is still the
    /// one before.
    pub fn plan_broadcast(
        &self,
        now: Timestamp,
        expires: Timestamp,
    ) -> Result<(Broadcast, Index), FeedError> {
        self.plan(&self.everything()?, now, expires)
    }

    /// The index of a broadcast at `now`, for keys on other machines. What is under embargo is sealed for it;
    /// nobody finds that before the index is current.
    pub fn prepare_broadcast(
        &self,
        now: Timestamp,
        expires: Timestamp,
    ) -> Result<(Broadcast, Index), FeedError> {
        let _lock = self.lock()?;
        self.prepare(&self.everything()?, now, expires)
    }

    /// Makes everything that was added current.
    pub fn broadcast(
        &self,
        now: Timestamp,
        expires: Timestamp,
        keys: &[&SecretKey],
    ) -> Result<Broadcast, FeedError> {
        self.publish(Self::everything, now, expires, keys)
    }

    /// What a refresh at `now` would say; writes nothing.
    pub fn plan_refresh(
        &self,
        now: Timestamp,
        expires: Timestamp,
    ) -> Result<(Broadcast, Index), FeedError> {
        self.plan(&self.what_was_broadcast()?, now, expires)
    }

    /// Says once more, with a fresh head, what is current already. What was added since the last
    /// broadcast stays unseen: that is a person's decision, and this is a timer's work.
    pub fn refresh(
        &self,
        now: Timestamp,
        expires: Timestamp,
        keys: &[&SecretKey],
    ) -> Result<Broadcast, FeedError> {
        self.publish(Self::what_was_broadcast, now, expires, keys)
    }

    /// Signs current documents of a role again where panels that are new would refuse them, because
    /// who signed them no longer holds the role. Their bytes stay; says which they were.
    ///
    /// Only what an earlier root vouches for is signed: a file that somebody put there is refused.
    pub fn sign_again(
        &self,
        kind: DocumentKind,
        keys: &[&SecretKey],
    ) -> Result<Vec<(DocumentId, u64)>, FeedError> {
        let _lock = self.lock()?;
        let roots = self.roots()?;
        let root = self.root()?;
        holds(&root, kind.role(), keys)?;
        let mut again = Vec::new();
        for entry in self.entries(kind)? {
            let Err(refused) = self.refuse_unaccepted(&root, &entry) else {
                continue;
            };
            let vouched = |root| self.refuse_unaccepted(root, &entry).is_ok();
            if !roots.iter().any(vouched) {
                return Err(refused);
            }
            let path = FeedPath::document(kind, &entry.id, entry.revision);
            let (bytes, _) = self.offered(&path)?;
            let comment = TrustedComment::for_parts(kind, &entry.id, entry.revision);
            let new = sign_bytes(&bytes, &comment, keys)?;
            accepted(&root, &entry, unverified(&bytes, new.as_bytes()))?;
            self.write_signatures(&path, &new)?;
            again.push((entry.id, entry.revision));
        }
        Ok(again)
    }

    /// Makes these documents current, alone in the feed from the first look to the last byte.
    fn publish(
        &self,
        contents: impl FnOnce(&Self) -> Result<Contents, FeedError>,
        now: Timestamp,
        expires: Timestamp,
        keys: &[&SecretKey],
    ) -> Result<Broadcast, FeedError> {
        let _lock = self.lock()?;
        let root = self.root()?;
        holds(&root, Role::Feed, keys)?;
        let (plan, index) = self.prepare(&contents(self)?, now, expires)?;
        let index = sign(index, keys)?;
        let head = sign(head(&root, &plan, &index.bytes, now), keys)?;
        self.refuse_what_panels_refuse(&root, &head, &index, now)?;
        self.make_current(&head, &index)?;
        Ok(plan)
    }

    /// Makes a head and its index current that were signed elsewhere, if they are what comes next: with
    /// everything that they name, and after nothing else was broadcast meanwhile.
    pub fn broadcast_signed(
        &self,
        head: &Signed<Head>,
        index: &Signed<Index>,
        now: Timestamp,
    ) -> Result<(), FeedError> {
        let _lock = self.lock()?;
        let root = self.root()?;
        // Whoever collects one signature more than was needed has nothing to do.
        let there = [
            self.bytes(&FeedPath::head())?,
            self.bytes(&FeedPath::index(index.document.sequence))?,
        ];
        if there.each_ref().map(Option::as_deref) == [Some(&*head.bytes), Some(&*index.bytes)] {
            return Ok(());
        }
        let before = self.broadcast_before()?;
        let next = next_sequence(&root, before.as_ref())?;
        let asked = head.document.sequence;
        if asked != next || index.document.sequence != next {
            return Err(FeedError::Overtaken { asked, next });
        }
        let index_before = before.as_ref().map(|(_, (_, index))| &**index);
        self.refuse_secret_since(&index.document, index_before)?;
        let was_sealed = index_before.is_some_and(|index| index.sealed.is_some());
        self.refuse_other_seals(&index.document, was_sealed)?;
        self.refuse_gaps(&index.document, &[], &[])?;
        for entry in &index.document.documents {
            self.refuse_unaccepted(&root, entry)?;
        }
        self.refuse_what_panels_refuse(&root, head, index, now)?;
        self.make_current(head, index)
    }

    /// Refuses an index whose private side is not what was sealed here for it.
    fn refuse_other_seals(&self, index: &Index, was_sealed: bool) -> Result<(), FeedError> {
        let Some(sealed) = &index.sealed else {
            if was_sealed {
                return Err(FeedError::SealedGone);
            }
            return Ok(());
        };
        match self.sealing() {
            None => Err(FeedError::SealedElsewhere(self.folder().to_owned())),
            Some(sealing) if sealing.waits_for_others(sealed)? => Err(FeedError::OtherReaders),
            Some(sealing) if sealing.has(sealed)? => Ok(()),
            Some(_) => Err(FeedError::SealedGone),
        }
    }

    /// The head that would make a planned index current; its bytes are those that are to be signed.
    pub fn planned_head(
        &self,
        plan: &Broadcast,
        index: &Index,
        now: Timestamp,
    ) -> Result<Head, FeedError> {
        Ok(head(&*self.root()?, plan, &encode(index), now))
    }

    /// Has the panel's own verifier look at a head and its index before anybody else can.
    fn refuse_what_panels_refuse(
        &self,
        root: &Verified<Root>,
        head: &Signed<Head>,
        index: &Signed<Index>,
        now: Timestamp,
    ) -> Result<(), FeedError> {
        let refused = |source| FeedError::Refused {
            what: format!("sequence {}", head.document.sequence),
            source,
        };
        let trusted = self.broadcast_before()?;
        let before = Before {
            head: trusted.as_ref().map(|(_, (head, _))| head),
            index: trusted.as_ref().map(|(_, (_, index))| index),
            afresh: trusted
                .as_ref()
                .is_some_and(|(epoch, _)| *epoch != root.sequence_epoch),
        };
        let offered = unverified(&head.bytes, head.signatures.as_bytes());
        let head = spacecp_trust::head(root, before, offered, now).map_err(refused)?;
        let offered = unverified(&index.bytes, index.signatures.as_bytes());
        spacecp_trust::index(root, &head, before, offered, &Limits::default())
            .map(drop)
            .map_err(refused)
    }

    /// What panels that are up to date hold, with the sequence epoch by which they took it, whether or not
    /// its signers have lost their role since; nothing before the first broadcast. Whoever can write into
    /// the folder must not have it taken for something else: what no root vouches for is an error.
    fn broadcast_before(&self) -> Result<Option<(u64, Current)>, FeedError> {
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
        let Ok(head) = spacecp_trust::head(root, before, offered, Timestamp::MIN) else {
            return Ok(None);
        };
        let (bytes, signatures) = self.offered(&FeedPath::index(head.sequence))?;
        let offered = unverified(&bytes, &signatures);
        let index = spacecp_trust::index(root, &head, before, offered, &Limits::default());
        Ok(index.ok().map(|index| (head, index)))
    }
}

/// The head of an index with these bytes.
fn head(root: &Root, plan: &Broadcast, index: &[u8], now: Timestamp) -> Head {
    Head {
        audience: root.audience.clone(),
        sequence: plan.sequence,
        issued: now,
        expires: plan.expires,
        index: Digest::of(index),
        index_length: index.len() as u64,
        root_version: root.version,
    }
}

/// The sequence after the one before; from one again only where a root lets sequences start afresh
/// because they are used up.
fn next_sequence(root: &Root, before: Option<&(u64, Current)>) -> Result<u64, FeedError> {
    let Some((epoch, (head, _))) = before else {
        return Ok(1);
    };
    match head.sequence.checked_add(1) {
        Some(next) => Ok(next),
        None if *epoch != root.sequence_epoch => Ok(1),
        None => Err(FeedError::UsedUp(head.sequence)),
    }
}
