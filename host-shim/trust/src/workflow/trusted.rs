//! What a run begins with: what is trusted already, and where trust began.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use spacecp_contract::{Audience, Digest, DocumentId, DocumentKind, Head, Index, Root};

use crate::{TrustError, Unverified, Verified, check_root, pinned_root};

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
    /// The digests of heads that were seen expired: they are, wherever the clock goes afterwards.
    pub expired: BTreeSet<Digest>,
}

impl Trusted {
    /// The head, unless it or the root above it has expired at `now`, or it was seen expired before.
    pub fn fresh_head(&self, now: Timestamp) -> Option<&Verified<Head>> {
        let root = self.root.as_ref()?;
        check_root(root, now).ok()?;
        let head = self.head.as_ref().filter(|head| head.expires > now)?;
        (!self.has_seen_expired(head)).then_some(head)
    }

    /// Every document that is current here, public or under embargo.
    pub fn listed(&self) -> impl Iterator<Item = (DocumentKind, &DocumentId)> {
        let public = self.index.iter().flat_map(|index| &index.documents);
        let public = public.map(|entry| (entry.kind, &entry.id));
        let private = self.private.keys().map(|(kind, id)| (*kind, id));
        public.chain(private)
    }

    /// Whether this head was seen expired, by whatever clock.
    pub fn has_seen_expired(&self, head: &Verified<Head>) -> bool {
        !self.expired.is_empty() && self.expired.contains(&Digest::of(head.bytes()))
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
