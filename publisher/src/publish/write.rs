//! Writes what becomes current, in the order in which a reader at any instant finds all that is named.

use spacecp_contract::{
    DELTAS, Digest, FeedPath, Head, Index, IndexDelta, IndexEntry, WORTH_A_DELTA,
};

use super::{PublishService, policy::HeldCases};
use crate::{
    cases::transition::CaseTransition,
    feed::FeedError,
    record::{Edition, Record, RecordError, SealedTo},
    sign::Signed,
};

/// What is to be published, signed.
pub(super) struct Publication<'a> {
    pub(super) head: &'a Signed<Head>,
    pub(super) index: &'a Signed<Index>,
    /// What is under embargo with it.
    pub(super) private: &'a [IndexEntry],
    /// What it means for cases.
    pub(super) transitions: Vec<CaseTransition>,
}

impl PublishService<'_> {
    /// Records what is to be published and publishes it: what leads to the index, the index, and last of all the
    /// head. Then cases record it. What a killed command leaves of this, the next one finishes or undoes.
    pub(super) fn make_current(
        &self,
        record: Option<Record>,
        publication: Publication<'_>,
        cases: &HeldCases,
    ) -> Result<(), FeedError> {
        let Publication {
            head,
            index,
            private,
            transitions,
        } = publication;
        let deskless = || RecordError::Deskless(self.feed.folder().to_owned());
        let place = self.feed.record_path().ok_or_else(deskless)?;
        let mut record = record.ok_or_else(deskless)?;
        let (sealed_to, is_unknown) = self.sealed_to(&index.document, &record)?;
        let edition = Edition {
            sealed_to,
            is_unknown,
            epoch: self.feed.root()?.sequence_epoch,
            sequence: head.document.sequence,
            head: Digest::of(&head.bytes),
            index: head.document.index,
            sealed: index
                .document
                .sealed
                .as_ref()
                .map(|sealed| sealed.index.digest),
            public: index.document.documents.clone(),
            private: private.to_vec(),
        };
        record.expect(edition, transitions);
        record.write(place)?;
        self.feed.keep_copies(&index.document.documents)?;
        self.release_public(&index.document)?;
        let path = FeedPath::index(index.document.sequence);
        self.feed
            .write(&path.signatures(), index.signatures.as_bytes())?;
        self.feed.write(&path, &index.bytes)?;
        self.write_deltas(index)?;
        // The signatures of the head before stay beside the new ones, so that a reader at any instant
        // finds those that fit; panels pass over what does not, as long as enough does.
        let path = FeedPath::head();
        let old = match self.feed.head().unwrap_or(None) {
            Some(old) => self.signatures_of(old.sequence),
            None => String::new(),
        };
        let signatures = format!("{}{old}", head.signatures);
        self.feed.write(&path.signatures(), signatures.as_bytes())?;
        if let (Some(sealing), Some(sealed)) = (self.feed.sealing(), &index.document.sealed) {
            sealing.will_be_current(sealed, head.document.index)?;
        }
        self.feed.write(&path, &head.bytes)?;
        if let (Some(sealing), Some(sealed)) = (self.feed.sealing(), &index.document.sealed) {
            sealing.is_current(sealed.index.digest)?;
        }
        record.is_published();
        for refused in self
            .feed
            .record_in_cases(&mut record, cases.lock.as_ref())?
            .refused
        {
            tracing::warn!("{refused}: the next command at this feed repeats it");
        }
        Ok(record.write(place)?)
    }

    /// Whom the private side of an index is sealed to, and whether another state of the desk sealed it.
    fn sealed_to(
        &self,
        index: &Index,
        record: &Record,
    ) -> Result<(Vec<SealedTo>, bool), FeedError> {
        let (Some(sealed), Some(sealing)) = (&index.sealed, self.feed.sealing()) else {
            return Ok((Vec::new(), false));
        };
        let current = record.current.as_ref();
        let is_kept = |current: &&Edition| current.sealed == Some(sealed.index.digest);
        Ok(
            match (sealing.sealed_to(sealed)?, current.filter(is_kept)) {
                (Some(panels), _) => (panels, false),
                (None, Some(current)) => (current.sealed_to.clone(), current.is_unknown),
                (None, None) => (Vec::new(), true),
            },
        )
    }

    /// Takes what becomes public out of the desk.
    fn release_public(&self, index: &Index) -> Result<(), FeedError> {
        let mut leaving: Vec<IndexEntry> = Vec::new();
        // A payload may have been built again for a correction that is public already.
        let mut payloads = Vec::new();
        for entry in &index.documents {
            let path = FeedPath::document(entry.kind, &entry.id, entry.revision);
            if self.feed.is_waiting(&path)? {
                leaving.push(entry.clone());
            }
            payloads.extend(self.feed.payloads(entry)?);
        }
        self.feed
            .release(&leaving, payloads.into_iter().map(|blob| blob.digest))
    }

    /// What changed since earlier indexes, for panels that have those. Nobody believes a delta, so the
    /// earlier ones are taken as they lie here.
    fn write_deltas(&self, index: &Signed<Index>) -> Result<(), FeedError> {
        if (index.bytes.len() as u64) < WORTH_A_DELTA {
            return Ok(());
        }
        let to = index.document.sequence;
        for from in to.saturating_sub(DELTAS).max(1)..to {
            let Ok(Some(old)) = self.feed.read::<Index>(&FeedPath::index(from)) else {
                continue;
            };
            if let Some(delta) = IndexDelta::between(&old, &index.document) {
                let path = FeedPath::delta(to, from);
                self.feed
                    .write(&path.signatures(), index.signatures.as_bytes())?;
                self.feed.write(&path, &delta.to_bytes())?;
            }
        }
        // Who is in the middle of a sync may still want those to the sequence before this one.
        self.forget_deltas(to.saturating_sub(1))
    }

    /// Removes deltas that lead to sequences before `to`.
    fn forget_deltas(&self, to: u64) -> Result<(), FeedError> {
        for name in self.feed.public_names::<String>("index")? {
            let leads_to = name.split_once(".from-");
            let is_old = leads_to
                .and_then(|(leads_to, _)| leads_to.parse::<u64>().ok())
                .is_some_and(|leads_to| leads_to < to);
            let old = Some(name).filter(|_| is_old);
            if let Some(path) = old.and_then(|name| FeedPath::parse(&format!("index/{name}"))) {
                self.feed.public().remove(&path)?;
            }
        }
        Ok(())
    }

    /// The signatures beside the head that are of this sequence.
    fn signatures_of(&self, sequence: u64) -> String {
        // Whatever lies there takes nothing from what is published now.
        let file = self.feed.bytes(&FeedPath::head().signatures());
        let text = String::from_utf8(file.unwrap_or(None).unwrap_or_default()).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        let comment = format!(" name=head revision={sequence}");
        let of_it = lines
            .chunks_exact(4)
            .filter(|block| block[2].ends_with(&comment));
        of_it.map(|block| block.join("\n") + "\n").collect()
    }
}
