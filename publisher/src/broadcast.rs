//! Making what a feed has current: a new index and, last of all, the head.
//!
//! A reader at any instant finds either the old head with the old index or the new head with the new
//! one, and both have all that they name. The panel's own verifier looks at everything first.

use std::fs;

use jiff::Timestamp;
use spacecp_contract::{
    Advisory, Correction, Digest, DocumentId, DocumentKind, FeedPath, Head, Index, IndexEntry,
    Limits, Role, Root,
};
use spacecp_trust::{Before, Verified};

use crate::{
    feed::{Feed, FeedError, accepted, holds, unverified},
    keys::SecretKey,
    sign::{Signed, sign},
};

/// What a broadcast would change, or has changed.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Broadcast {
    /// The sequence that it makes current.
    pub sequence: u64,
    /// From when on it is stale, unless another broadcast follows.
    pub expires: Timestamp,
    /// Documents that panels did not know, or knew an older revision of.
    pub news: Vec<(DocumentId, u64)>,
    /// All documents that are current now.
    pub documents: usize,
}

/// A head with its index.
type Current = (Verified<Head>, Verified<Index>);

impl Feed {
    /// What a broadcast at `now` would change; writes nothing.
    pub fn plan_broadcast(
        &self,
        now: Timestamp,
        expires: Timestamp,
    ) -> Result<(Broadcast, Index), FeedError> {
        let mut documents = self.entries(DocumentKind::Advisory)?;
        documents.extend(self.entries(DocumentKind::Correction)?);
        self.plan(documents, now, expires)
    }

    /// Makes everything that was added current.
    pub fn broadcast(
        &self,
        now: Timestamp,
        expires: Timestamp,
        keys: &[&SecretKey],
    ) -> Result<Broadcast, FeedError> {
        let _lock = self.lock()?;
        let root = self.root()?;
        holds(&root, Role::Feed, keys)?;
        let (plan, index) = self.plan_broadcast(now, expires)?;
        self.publish(plan, index, now, keys)
    }

    /// What a refresh at `now` would say; writes nothing.
    pub fn plan_refresh(
        &self,
        now: Timestamp,
        expires: Timestamp,
    ) -> Result<(Broadcast, Index), FeedError> {
        let head = self
            .head()?
            .ok_or_else(|| FeedError::NoHead(self.folder().to_owned()))?;
        self.plan(self.index(head.sequence)?.documents, now, expires)
    }

    /// Says once more, with a fresh head, what is current already. What was added since the last
    /// broadcast stays unseen: that is a person's decision, and this is a timer's work.
    pub fn refresh(
        &self,
        now: Timestamp,
        expires: Timestamp,
        keys: &[&SecretKey],
    ) -> Result<Broadcast, FeedError> {
        let _lock = self.lock()?;
        let root = self.root()?;
        holds(&root, Role::Feed, keys)?;
        let (plan, index) = self.plan_refresh(now, expires)?;
        self.publish(plan, index, now, keys)
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
            let path = FeedPath::document(kind, &entry.id, entry.revision);
            let bytes = self.bytes(&path)?.unwrap_or_default();
            let old = self.bytes(&path.signatures())?.unwrap_or_default();
            let Err(refused) = accepted(&root, &entry, &bytes, &old) else {
                continue;
            };
            let vouched = |root| accepted(root, &entry, &bytes, &old).is_ok();
            if !roots.iter().any(vouched) {
                return Err(refused);
            }
            let comment =
                spacecp_contract::TrustedComment::for_parts(kind, &entry.id, entry.revision);
            let new = crate::sign::sign_bytes(&bytes, &comment, keys)?;
            accepted(&root, &entry, &bytes, new.as_bytes())?;
            self.write(&path.signatures(), new.as_bytes())?;
            again.push((entry.id, entry.revision));
        }
        Ok(again)
    }

    fn plan(
        &self,
        documents: Vec<IndexEntry>,
        now: Timestamp,
        expires: Timestamp,
    ) -> Result<(Broadcast, Index), FeedError> {
        let root = self.root()?;
        if root.expires <= now {
            return Err(FeedError::RootExpired {
                version: root.version,
                expires: root.expires,
            });
        }
        let old = match self.head()? {
            Some(head) => self.read::<Index>(&FeedPath::index(head.sequence))?,
            None => None,
        };
        let known = |entry: &IndexEntry| {
            old.as_ref()
                .and_then(|index| index.entry(entry.kind, &entry.id))
                .is_some_and(|old| old.revision == entry.revision)
        };
        let news = documents
            .iter()
            .filter(|entry| !known(entry))
            .map(|entry| (entry.id.clone(), entry.revision))
            .collect();
        let plan = Broadcast {
            sequence: old.as_ref().map_or(0, |index| index.sequence) + 1,
            expires,
            news,
            documents: documents.len(),
        };
        let index = Index {
            audience: root.audience.clone(),
            sequence: plan.sequence,
            documents,
        };
        self.refuse_gaps(&index)?;
        for entry in &index.documents {
            let path = FeedPath::document(entry.kind, &entry.id, entry.revision);
            let bytes = self.bytes(&path)?.unwrap_or_default();
            let signatures = self.bytes(&path.signatures())?.unwrap_or_default();
            accepted(&root, entry, &bytes, &signatures)?;
        }
        Ok((plan, index))
    }

    fn publish(
        &self,
        plan: Broadcast,
        index: Index,
        now: Timestamp,
        keys: &[&SecretKey],
    ) -> Result<Broadcast, FeedError> {
        let root = self.root()?;
        let index = sign(index, keys)?;
        let head = Head {
            audience: root.audience.clone(),
            sequence: plan.sequence,
            issued: now,
            expires: plan.expires,
            index: Digest::of(&index.bytes),
            index_length: index.bytes.len() as u64,
            root_version: root.version,
        };
        let head = sign(head, keys)?;
        self.refuse_what_panels_refuse(&root, &head, &index, now)?;
        let path = FeedPath::index(plan.sequence);
        self.write(&path.signatures(), index.signatures.as_bytes())?;
        self.write(&path, &index.bytes)?;
        // The signatures of the head before stay beside the new ones, so that a reader at any instant
        // finds those that fit; panels pass over what does not, as long as enough does.
        let path = FeedPath::head();
        let old = self.signatures_of(plan.sequence - 1)?;
        self.write(&path.signatures(), (head.signatures + &old).as_bytes())?;
        self.write(&path, &head.bytes)?;
        Ok(plan)
    }

    /// The signatures beside the head that are of this sequence.
    fn signatures_of(&self, sequence: u64) -> Result<String, FeedError> {
        let file = self.bytes(&FeedPath::head().signatures())?;
        let text = String::from_utf8(file.unwrap_or_default()).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        let comment = format!(" name=head revision={sequence}");
        let of_it = lines
            .chunks_exact(4)
            .filter(|block| block[2].ends_with(&comment));
        Ok(of_it.map(|block| block.join("\n") + "\n").collect())
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
        let (old_head, old_index) = self.current(root)?.unzip();
        let before = Before {
            head: old_head.as_ref(),
            index: old_index.as_ref(),
            afresh: false,
        };
        let offered = unverified(&head.bytes, head.signatures.as_bytes());
        let head = spacecp_trust::head(root, before, offered, now).map_err(refused)?;
        let offered = unverified(&index.bytes, index.signatures.as_bytes());
        spacecp_trust::index(root, &head, before, offered, &Limits::default())
            .map(drop)
            .map_err(refused)
    }

    /// What panels that are up to date trust now; nothing if its signers have lost their role.
    pub(crate) fn current(&self, root: &Verified<Root>) -> Result<Option<Current>, FeedError> {
        let before = Before {
            head: None,
            index: None,
            afresh: true,
        };
        let path = FeedPath::head();
        let (Some(bytes), Some(signatures)) = (self.bytes(&path)?, self.bytes(&path.signatures())?)
        else {
            return Ok(None);
        };
        let offered = unverified(&bytes, &signatures);
        let Ok(head) = spacecp_trust::head(root, before, offered, Timestamp::MIN) else {
            return Ok(None);
        };
        let path = FeedPath::index(head.sequence);
        let (Some(bytes), Some(signatures)) = (self.bytes(&path)?, self.bytes(&path.signatures())?)
        else {
            return Ok(None);
        };
        let offered = unverified(&bytes, &signatures);
        let index = spacecp_trust::index(root, &head, before, offered, &Limits::default());
        Ok(index.ok().map(|index| (head, index)))
    }

    /// Corrections that advisories name, and payloads that corrections name, must be there.
    fn refuse_gaps(&self, index: &Index) -> Result<(), FeedError> {
        for entry in &index.documents {
            let path = FeedPath::document(entry.kind, &entry.id, entry.revision);
            if entry.kind == DocumentKind::Advisory {
                let Some(advisory) = self.read::<Advisory>(&path)? else {
                    continue;
                };
                for correction in advisory.corrections {
                    if index.entry(DocumentKind::Correction, &correction).is_none() {
                        return Err(FeedError::MissingCorrection {
                            advisory: advisory.id,
                            correction,
                        });
                    }
                }
                continue;
            }
            let Some(correction) = self.read::<Correction>(&path)? else {
                continue;
            };
            for after in correction.files.iter().filter_map(|file| file.after) {
                let digest = after.blob.digest;
                let intact = fs::read(self.folder().join(FeedPath::blob(&digest).as_str()))
                    .is_ok_and(|bytes| {
                        bytes.len() as u64 == after.blob.length && Digest::of(&bytes) == digest
                    });
                if !intact {
                    return Err(FeedError::Payload {
                        id: correction.id,
                        digest,
                    });
                }
            }
        }
        Ok(())
    }
}
