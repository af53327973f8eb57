//! Making what a feed has current: a new index and, last of all, the head.
//!
//! A reader at any instant finds either the old head with the old index or the new head with the new
//! one, and both have all that they name. The panel's own verifier looks at everything first; nothing
//! here may write what it has not seen.

use std::fs;

use jiff::Timestamp;
use spacecp_contract::{
    Advisory, Correction, DELTAS, Digest, DocumentId, DocumentKind, FeedPath, Head, Index,
    IndexDelta, IndexEntry, Limits, Role, Root, TrustedComment, WORTH_A_DELTA, encode,
};
use spacecp_trust::{Before, Verified};

use crate::{
    feed::{Feed, FeedError, accepted, holds, unverified},
    keys::SecretKey,
    sign::{Signed, sign, sign_bytes},
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
        self.plan(self.everything()?, now, expires)
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
        self.plan(self.what_was_broadcast()?, now, expires)
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

    fn everything(&self) -> Result<Vec<IndexEntry>, FeedError> {
        let mut documents = self.entries(DocumentKind::Advisory)?;
        documents.extend(self.entries(DocumentKind::Correction)?);
        Ok(documents)
    }

    /// What the last broadcast or refresh listed.
    fn what_was_broadcast(&self) -> Result<Vec<IndexEntry>, FeedError> {
        match self.broadcast_before()? {
            Some((_, (_, index))) => Ok(index.documents.clone()),
            None => Err(FeedError::NoHead(self.folder().to_owned())),
        }
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
        let before = self.broadcast_before()?;
        let sequence = next_sequence(&root, before.as_ref())?;
        let known = |entry: &IndexEntry| {
            let old = before.as_ref().map(|(_, (_, index))| index);
            old.and_then(|index| index.entry(entry.kind, &entry.id))
                .is_some_and(|old| old.revision == entry.revision)
        };
        let news = documents
            .iter()
            .filter(|entry| !known(entry))
            .map(|entry| (entry.id.clone(), entry.revision))
            .collect();
        let plan = Broadcast {
            sequence,
            expires,
            news,
            documents: documents.len(),
        };
        let index = Index {
            audience: root.audience.clone(),
            sequence,
            documents,
        };
        self.refuse_gaps(&index)?;
        for entry in &index.documents {
            self.refuse_unaccepted(&root, entry)?;
        }
        Ok((plan, index))
    }

    /// Makes these documents current, alone in the feed from the first look to the last byte.
    fn publish(
        &self,
        documents: impl FnOnce(&Self) -> Result<Vec<IndexEntry>, FeedError>,
        now: Timestamp,
        expires: Timestamp,
        keys: &[&SecretKey],
    ) -> Result<Broadcast, FeedError> {
        let _lock = self.lock()?;
        let root = self.root()?;
        holds(&root, Role::Feed, keys)?;
        let (plan, index) = self.plan(documents(self)?, now, expires)?;
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
        let next = next_sequence(&root, self.broadcast_before()?.as_ref())?;
        let asked = head.document.sequence;
        if asked != next || index.document.sequence != next {
            return Err(FeedError::Overtaken { asked, next });
        }
        self.refuse_gaps(&index.document)?;
        for entry in &index.document.documents {
            self.refuse_unaccepted(&root, entry)?;
        }
        self.refuse_what_panels_refuse(&root, head, index, now)?;
        self.make_current(head, index)
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

    /// Writes an index, what leads to it, and last of all its head.
    fn make_current(&self, head: &Signed<Head>, index: &Signed<Index>) -> Result<(), FeedError> {
        let path = FeedPath::index(index.document.sequence);
        self.write(&path.signatures(), index.signatures.as_bytes())?;
        self.write(&path, &index.bytes)?;
        self.write_deltas(index)?;
        // The signatures of the head before stay beside the new ones, so that a reader at any instant
        // finds those that fit; panels pass over what does not, as long as enough does.
        let path = FeedPath::head();
        let old = match self.head()? {
            Some(old) => self.signatures_of(old.sequence)?,
            None => String::new(),
        };
        let signatures = format!("{}{old}", head.signatures);
        self.write(&path.signatures(), signatures.as_bytes())?;
        self.write(&path, &head.bytes)
    }

    /// What changed since earlier indexes, for panels that have those. Nobody believes a delta, so the
    /// earlier ones are taken as they lie here.
    fn write_deltas(&self, index: &Signed<Index>) -> Result<(), FeedError> {
        if (index.bytes.len() as u64) < WORTH_A_DELTA {
            return Ok(());
        }
        let to = index.document.sequence;
        for from in to.saturating_sub(DELTAS).max(1)..to {
            let Ok(Some(old)) = self.read::<Index>(&FeedPath::index(from)) else {
                continue;
            };
            if let Some(delta) = IndexDelta::between(&old, &index.document) {
                let path = FeedPath::delta(to, from);
                self.write(&path.signatures(), index.signatures.as_bytes())?;
                self.write(&path, &delta.to_bytes())?;
            }
        }
        // Who is in the middle of a sync may still want those to the sequence before this one.
        self.forget_deltas(to.saturating_sub(1))
    }

    /// Removes deltas that lead to sequences before `to`.
    fn forget_deltas(&self, to: u64) -> Result<(), FeedError> {
        let folder = self.folder().join("index");
        let failed = |source| FeedError::File {
            path: folder.clone(),
            source,
        };
        for entry in fs::read_dir(&folder).map_err(failed)? {
            let name = entry.map_err(failed)?.file_name();
            let leads_to = name.to_str().and_then(|name| name.split_once(".from-"));
            let is_old = leads_to
                .and_then(|(leads_to, _)| leads_to.parse::<u64>().ok())
                .is_some_and(|leads_to| leads_to < to);
            if is_old {
                fs::remove_file(folder.join(name)).map_err(failed)?;
            }
        }
        Ok(())
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
