//! What a run begins with: what is trusted already, and where trust began.

use std::collections::BTreeMap;

use jiff::Timestamp;
use spacecp_contract::{Audience, Digest, DocumentId, DocumentKind, Head, Index, Root};

use crate::{
    TrustError, Unverified, Verified, check_root, good_until, is_vouched_for, pinned_root,
    times::check_head,
};

/// What a panel trusts of a feed.
#[derive(Debug, Clone, Default)]
pub struct Trusted {
    /// The newest root; none before the first sync.
    pub root: Option<Verified<Root>>,
    /// The sequence epoch by which head and index were accepted.
    pub sequence_epoch: u64,
    /// The head.
    pub head: Option<Verified<Head>>,
    /// The index.
    pub index: Option<Verified<Index>>,
    /// The latest time by which anything was decided; the clock may not go behind it.
    pub latest_time: Timestamp,
    /// The documents that this panel has read under embargo, and holds as such.
    pub private: PrivateDocuments,
    /// What became of the private side of that index.
    pub reading: Option<Reading>,
    /// What was seen expired: it is, wherever the clock goes afterwards.
    pub seen_expired: SeenExpired,
    /// The latest head that was ever accepted, remembered apart from what is stored of the feed, which may be lost, or
    /// put back to an earlier day.
    pub latest_head: Option<HeadNumber>,
}

/// What orders heads: sequences count within an epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct HeadNumber {
    /// The sequence epoch of the root by which it was verified.
    pub epoch: u64,
    /// Its sequence.
    pub sequence: u64,
}

/// What was seen expired, by whatever clock. A root seen expired verifies its successor and nothing else; of
/// heads only a higher sequence, or a later epoch, is believed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SeenExpired {
    /// The digest of the newest such root. Roots before it are never trusted again anyway.
    pub root: Option<Digest>,
    /// The latest such head.
    pub head: Option<SeenHead>,
}

/// A head that was seen expired. Whatever is ordered before it is older.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct SeenHead {
    /// The sequence epoch that it was verified in.
    pub epoch: u64,
    /// Its sequence.
    pub sequence: u64,
    /// The digest of its bytes. Another head of the same sequence is not this one: what somebody signed
    /// with a key for a minute must not keep the vendor's own from a panel.
    pub digest: Digest,
}

impl SeenExpired {
    /// Whether this root was seen expired.
    pub fn has_root(&self, root: &Verified<Root>) -> bool {
        self.root
            .is_some_and(|seen| seen == Digest::of(root.bytes()))
    }

    /// Whether this head, or a later one of its epoch, was seen expired.
    pub fn has_head(&self, epoch: u64, head: &Verified<Head>) -> bool {
        self.head.is_some_and(|seen| {
            let later = (seen.epoch, seen.sequence) > (epoch, head.sequence);
            later
                || (seen.epoch, seen.sequence) == (epoch, head.sequence)
                    && seen.digest == Digest::of(head.bytes())
        })
    }
}

impl Trusted {
    /// The head, unless it or the root above it has expired at `now`, was seen expired before, or is beyond
    /// the bounds that this root sets, or its keys have lost their role since.
    pub fn fresh_head(&self, now: Timestamp) -> Option<&Verified<Head>> {
        let (root, head) = (self.root.as_ref()?, self.head.as_ref()?);
        check_root(root, now).ok()?;
        check_head(root, head, now).ok()?;
        let is_fresh = !self.has_seen_expired() && !self.has_gone_back() && self.has_its_keys(head);
        is_fresh.then_some(head)
    }

    /// Whether the keys that signed this head still hold their role. What was known stays known after a root that
    /// takes it from them, but nothing more is decided by it.
    pub fn has_its_keys(&self, head: &Verified<Head>) -> bool {
        let root = self.root.as_ref();
        root.is_none_or(|root| is_vouched_for(root, head))
    }

    /// Until when the head is good, going by the times that it and its root name.
    pub fn good_until(&self) -> Option<Timestamp> {
        let (root, head) = (self.root.as_ref()?, self.head.as_ref()?);
        Some(good_until(root, head))
    }

    /// Whether the head or the root above it was seen expired, by whatever clock.
    pub fn has_seen_expired(&self) -> bool {
        let root = self.root.as_ref();
        let head = self.head.as_ref();
        root.is_some_and(|root| self.seen_expired.has_root(root))
            || head.is_some_and(|head| self.seen_expired.has_head(self.sequence_epoch, head))
    }

    /// Whether the head is older than one that was accepted before: what is stored of the feed was put back.
    pub fn has_gone_back(&self) -> bool {
        let head = self.head.as_ref().map(|head| HeadNumber {
            epoch: self.sequence_epoch,
            sequence: head.sequence,
        });
        head.is_some_and(|head| self.latest_head > Some(head))
    }

    /// Every document that is current here, public or under embargo.
    pub fn listed(&self) -> impl Iterator<Item = (DocumentKind, &DocumentId)> {
        let public = self.index.iter().flat_map(|index| &index.documents);
        let public = public.map(|entry| (entry.kind, &entry.id));
        let private = self.private.keys().map(|(kind, id)| (*kind, id));
        public.chain(private)
    }
}

/// Where trust begins: what the administrator was handed over apart from the feed.
#[derive(Debug, Clone)]
pub enum Pin {
    /// The first root itself.
    Root(Box<Verified<Root>>),
    /// The digest of the first root, which is then fetched from the feed.
    Fingerprint {
        /// Which root it is.
        version: u64,
        /// The digest of its bytes.
        digest: Digest,
    },
}

impl Pin {
    /// Pins a root that was handed over as a file: it must be signed by its own root keys.
    pub fn root(offered: Unverified<'_>, audience: &Audience) -> Result<Self, TrustError> {
        Ok(Self::Root(Box::new(pinned_root(offered, audience)?)))
    }

    /// The version of the pinned root.
    pub fn version(&self) -> u64 {
        match self {
            Self::Root(root) => root.version,
            Self::Fingerprint { version, .. } => *version,
        }
    }

    /// The digest of the pinned root's bytes.
    pub fn digest(&self) -> Digest {
        match self {
            Self::Root(root) => Digest::of(root.bytes()),
            Self::Fingerprint { digest, .. } => *digest,
        }
    }
}

/// A document that need not be fetched again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HeldDocument {
    /// Its revision.
    pub revision: u64,
    /// The digest of its bytes.
    pub digest: Digest,
    /// The root under which it was verified, if it has not been accepted yet: a run that was cut
    /// off left it behind, and it counts only as long as the same root is trusted.
    pub waiting_under: Option<u64>,
    /// Whether it came sealed.
    pub private: bool,
}

/// Documents that were read under embargo: their revisions, and the digests of their bytes.
pub type PrivateDocuments = BTreeMap<(DocumentKind, DocumentId), (u64, Digest)>;

/// What became of the private side of an index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reading {
    /// Whom this panel was when it looked (`age1…`).
    pub recipient: String,
    /// Whether there was an envelope for it.
    pub entitled: bool,
}

/// What the store has, by kind and id.
pub type Held = BTreeMap<(DocumentKind, DocumentId), HeldDocument>;
