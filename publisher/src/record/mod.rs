//! The desk's durable record of what it has published for one audience.
//!
//! Whoever can write the published folder can put it back to an earlier day, and so can an honest restore
//! from a backup. The record lies in the desk, is written before each root and each head is published, and
//! every command that signs compares the folder with it ([`crate::reconcile`]). It holds digests, ids and signed roots, no key and
//! no text that is under embargo, and is plain text for the team's own version control.
//!
//! Nothing here signs, and nothing here may change the record without writing why: what leaves it behind is
//! an explicit recovery, which stays in it for good.

mod error;
mod file_format;

pub use error::RecordError;

use std::{
    io,
    path::{Path, PathBuf},
};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use spacecp_contract::{Audience, Digest, DocumentId, DocumentKind, Index, IndexEntry, Root};
use spacecp_trust::Verified;

use crate::{cases::transition::CaseTransition, durable, regular_file};

/// What a desk has published for one audience.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Record {
    audience: Audience,
    /// The highest sequence that was ever signed, published or not: none is used twice.
    pub(crate) highest: Option<Signed>,
    /// Every root, from version 1 on.
    pub(crate) roots: Vec<RecordedRoot>,
    /// What panels find now.
    pub(crate) current: Option<Edition>,
    /// What was about to be published when it was written.
    pub(crate) pending: Option<Edition>,
    /// What the pending edition means for cases, once it is published.
    pending_cases: Vec<CaseTransition>,
    /// What published editions mean for cases, as far as no case is known to have recorded it.
    unrecorded_cases: Vec<CaseTransition>,
    /// Every recovery, oldest first.
    pub(crate) recoveries: Vec<Recovery>,
    /// Documents that are not this desk's, whoever signed them: they are never signed or listed again.
    pub(crate) disowned: Vec<Disowned>,
    /// Panels that a broadcast was sealed to, and a later one was not.
    pub(crate) dropped: Vec<SealedTo>,
}

/// A head that was signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signed {
    /// The sequence epoch of the root under which it was.
    pub epoch: u64,
    /// Its sequence.
    pub sequence: u64,
    /// The digest of its bytes; none where only its sequence is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub head: Option<Digest>,
}

impl Signed {
    fn order(&self) -> (u64, u64) {
        (self.epoch, self.sequence)
    }
}

/// A root that was published, or is about to be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct RecordedRoot {
    pub(crate) version: u64,
    pub(crate) digest: Digest,
    /// Its exact bytes, in base64, so that a root that somebody removed can be put back.
    bytes: String,
    pub(crate) signatures: String,
    /// Whether nobody knows yet that it was published.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) pending: bool,
}

/// What one head lists, on both sides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Edition {
    pub(crate) epoch: u64,
    pub(crate) sequence: u64,
    pub(crate) head: Digest,
    pub(crate) index: Digest,
    /// The sealed index; none where there is no private side.
    pub(crate) sealed: Option<Digest>,
    /// The panels that its private side is sealed to.
    pub(crate) sealed_to: Vec<SealedTo>,
    /// Whether another state of the desk sealed the private side: what is known of it is what was there before, and
    /// the panels that it is for are not known.
    pub(crate) is_unknown: bool,
    pub(crate) public: Vec<IndexEntry>,
    pub(crate) private: Vec<IndexEntry>,
}

/// A panel that a broadcast was sealed to. Its recipient is known by its digest alone.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct SealedTo {
    pub(crate) panel: String,
    pub(crate) recipient: Digest,
}

/// A document that somebody else had this desk's keys sign: no revision from this one on counts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Disowned {
    pub(crate) at: Timestamp,
    pub(crate) by: String,
    pub(crate) reason: String,
    pub(crate) kind: DocumentKind,
    pub(crate) id: DocumentId,
    /// The first revision that is not this desk's.
    pub(crate) revision: u64,
}

/// A recovery: what was believed instead of what was recorded, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Recovery {
    pub(crate) at: Timestamp,
    pub(crate) by: String,
    /// `feed` or `record`.
    pub(crate) from: String,
    pub(crate) reason: String,
    /// The highest sequence before it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) before: Option<Signed>,
    /// The sequence that was adopted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) adopted: Option<Signed>,
    /// Documents that were recorded as published and are no longer.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) lost: Vec<String>,
    /// Documents that are taken for published now and were not recorded as such.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) gained: Vec<String>,
}

impl Record {
    /// A record of nothing.
    pub(crate) fn new(audience: Audience) -> Self {
        Self {
            audience,
            highest: None,
            roots: Vec::new(),
            current: None,
            pending: None,
            pending_cases: Vec::new(),
            unrecorded_cases: Vec::new(),
            recoveries: Vec::new(),
            disowned: Vec::new(),
            dropped: Vec::new(),
        }
    }

    /// The record of an audience in a desk.
    pub(crate) fn path(desk: &Path, audience: &Audience) -> PathBuf {
        desk.join("records").join(format!("{audience}.jsonl"))
    }

    /// Reads a record; none where there is no file.
    pub(crate) fn read(path: &Path) -> Result<Option<Self>, RecordError> {
        match regular_file::text(path, u64::MAX) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(RecordError::File {
                path: path.to_owned(),
                source,
            }),
            Ok(text) => file_format::parse(path, &text).map(Some),
        }
    }

    /// Makes it durable, whole or not at all.
    pub(crate) fn write(&self, path: &Path) -> Result<(), RecordError> {
        let failed = |source| RecordError::File {
            path: path.to_owned(),
            source,
        };
        let text = file_format::to_text(self).map_err(|error| failed(error.into()))?;
        durable::replace_private(path, text.as_bytes()).map_err(failed)
    }

    /// The document of that id that panels have now, on either side.
    pub(crate) fn listed(&self, kind: DocumentKind, id: &DocumentId) -> Option<&IndexEntry> {
        self.current.iter().find_map(|one| one.entry(kind, id))
    }

    /// What everybody can read now, as an index.
    pub(crate) fn listed_in_public(&self) -> Option<Index> {
        self.current.as_ref().map(|current| Index {
            audience: self.audience.clone(),
            sequence: current.sequence,
            documents: current.public.clone(),
            sealed: None,
        })
    }

    /// The decision by which a revision is not this desk's; none where it is.
    pub(crate) fn disowned(
        &self,
        kind: DocumentKind,
        id: &DocumentId,
        revision: u64,
    ) -> Option<&Disowned> {
        let mut all = self.disowned.iter();
        all.find(|one| (one.kind, &one.id) == (kind, id) && one.revision <= revision)
    }

    /// Refuses a revision that is not this desk's.
    pub(crate) fn refuse_disowned(
        &self,
        kind: DocumentKind,
        id: &DocumentId,
        revision: u64,
    ) -> Result<(), RecordError> {
        match self.disowned(kind, id, revision) {
            Some(found) => Err(RecordError::Disowned {
                kind,
                id: id.clone(),
                revision,
                by: found.by.clone(),
                at: found.at,
                reason: found.reason.clone(),
            }),
            None => Ok(()),
        }
    }

    /// Notes a root that is about to be published.
    pub(crate) fn expect_root(
        &mut self,
        root: &spacecp_contract::Root,
        bytes: &[u8],
        signatures: &str,
    ) {
        let known = RecordedRoot {
            version: root.version,
            digest: Digest::of(bytes),
            bytes: data_encoding::BASE64.encode(bytes),
            signatures: signatures.to_owned(),
            pending: true,
        };
        if self.roots.iter().all(|root| root.version != known.version) {
            self.roots.push(known);
        }
    }

    /// Notes that every root is published.
    pub(crate) fn roots_are_published(&mut self) {
        for root in &mut self.roots {
            root.pending = false;
        }
    }

    /// Notes what is about to be published, with what it means for cases; its sequence is used up from now on.
    pub(crate) fn expect(&mut self, edition: Edition, cases: Vec<CaseTransition>) {
        self.reserve(edition.signed());
        self.pending = Some(edition);
        self.pending_cases = cases;
    }

    /// Notes that what was about to be published is.
    pub(crate) fn is_published(&mut self) {
        if let Some(edition) = self.pending.take() {
            self.note_dropped(&edition);
            self.current = Some(edition);
            self.unrecorded_cases.append(&mut self.pending_cases);
        }
    }

    /// Notes panels that the edition before was sealed to, and this one is not.
    fn note_dropped(&mut self, edition: &Edition) {
        let before = self.current.iter().flat_map(|before| &before.sealed_to);
        let dropped = before.filter(|one| !edition.sealed_to.contains(one));
        let dropped: Vec<SealedTo> = dropped.cloned().collect();
        self.dropped.extend(dropped);
        self.dropped.sort();
        self.dropped.dedup();
    }

    /// Forgets what was about to be published, and gives it: nothing of it happened.
    pub(crate) fn forget_pending(&mut self) -> Option<Edition> {
        self.pending_cases.clear();
        self.pending.take()
    }

    /// What was published and cases have not recorded yet.
    pub(crate) fn unrecorded_cases(&self) -> &[CaseTransition] {
        &self.unrecorded_cases
    }

    /// Notes which transitions cases still have to record.
    pub(crate) fn set_unrecorded_cases(&mut self, transitions: Vec<CaseTransition>) {
        self.unrecorded_cases = transitions;
    }

    /// Uses a sequence up.
    pub(crate) fn reserve(&mut self, signed: Signed) {
        let is_higher = self
            .highest
            .is_none_or(|highest| highest.order() <= signed.order());
        if is_higher {
            self.highest = Some(signed);
        }
    }

    /// Whether this very head was signed here and its publication did not come to its end.
    pub(crate) fn was_interrupted(&self, sequence: u64, head: &[u8]) -> bool {
        let is_it =
            |signed: Signed| signed.sequence == sequence && signed.head == Some(Digest::of(head));
        let is_current =
            self.current.as_ref().map(|current| current.head) == Some(Digest::of(head));
        !is_current && self.highest.is_some_and(is_it)
    }

    pub(crate) fn take_roots(&mut self, roots: &[Verified<Root>]) {
        for root in roots {
            self.expect_root(root, root.bytes(), root.signatures());
        }
        self.roots_are_published();
    }
}

impl RecordedRoot {
    pub(crate) fn bytes(&self) -> Vec<u8> {
        // The digest tells whether somebody changed it.
        data_encoding::BASE64
            .decode(self.bytes.as_bytes())
            .unwrap_or_default()
    }
}

impl Edition {
    pub(crate) fn entry(&self, kind: DocumentKind, id: &DocumentId) -> Option<&IndexEntry> {
        let mut all = self.public.iter().chain(&self.private);
        all.find(|entry| entry.kind == kind && entry.id == *id)
    }

    pub(crate) fn signed(&self) -> Signed {
        Signed {
            epoch: self.epoch,
            sequence: self.sequence,
            head: Some(self.head),
        }
    }
}
