//! Which documents are for everybody, and which are under embargo.
//!
//! An advisory says so itself. A correction is as secret as what it answers: whoever sees which files it
//! changes knows where the flaw is. What any revision of it answers counts, or the next revision would tell
//! of the one before. As long as an advisory that it answers is not signed, nobody can say
//! whether that will be under embargo, and the correction stays on the desk.

use std::collections::{BTreeMap, BTreeSet};

use spacecp_contract::{
    Advisory, Blob, Correction, Digest, DocumentId, DocumentKind, FeedPath, Index, IndexEntry,
    Limits, decode,
};

use super::{Feed, FeedError};
use crate::sealing::Private;

/// The newest revision of every document, by who may read it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Visibility {
    /// What everybody may read.
    pub(crate) public: Vec<IndexEntry>,
    /// What is under embargo.
    pub(crate) private: Vec<IndexEntry>,
    /// What stays on the desk.
    pub(crate) held_back: Vec<HeldBack>,
}

/// A correction that stays on the desk, since nobody can say yet who may read it.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct HeldBack {
    /// The correction.
    pub correction: DocumentId,
    /// Its revision.
    pub revision: u64,
    /// The advisory that it answers and that is not signed; none where it says none, and no advisory refers to it.
    pub advisory: Option<DocumentId>,
}

/// What the advisories of a feed say of its corrections.
#[derive(Default)]
struct Advisories {
    /// All that are signed.
    signed: BTreeSet<DocumentId>,
    /// Those under embargo.
    secret: BTreeSet<DocumentId>,
    /// The corrections that those name.
    answers_to_secret: BTreeSet<DocumentId>,
    /// The corrections that public ones name, as far as they had to be read.
    answers: BTreeSet<DocumentId>,
}

impl Feed {
    /// The newest revision of everything that was signed, by side. `before` is what is public already.
    pub(crate) fn by_visibility(&self, before: Option<&Index>) -> Result<Visibility, FeedError> {
        let mut sides = Visibility::default();
        let mut advisories = Advisories::default();
        // What is public already at this revision need not be read for it.
        let is_public = |entry: &IndexEntry| {
            let known = before.and_then(|index| index.entry(entry.kind, &entry.id));
            known.is_some_and(|known| known.revision == entry.revision)
        };
        for entry in self.entries(DocumentKind::Advisory)? {
            advisories.signed.insert(entry.id.clone());
            if is_public(&entry) {
                sides.public.push(entry);
                continue;
            }
            match self.read::<Advisory>(&path_of(&entry))? {
                Some(advisory) if advisory.is_under_embargo() => {
                    let named = self.named_by_any_revision(&advisory.id)?;
                    advisories.answers_to_secret.extend(named);
                    advisories.secret.insert(advisory.id);
                    sides.private.push(entry);
                }
                advisory => {
                    let answers = advisory.into_iter().flat_map(|read| read.corrections);
                    advisories.answers.extend(answers);
                    sides.public.push(entry);
                }
            }
        }
        for entry in self.entries(DocumentKind::Correction)? {
            // An advisory may come to name a correction that everybody has for long.
            if is_public(&entry) {
                sides.public.push(entry);
                continue;
            }
            self.put_correction(entry, &advisories, before, &mut sides)?;
        }
        for entry in &sides.private {
            self.refuse_known(entry, before)?;
        }
        Ok(sides)
    }

    /// Puts a correction that is not public yet where it belongs.
    fn put_correction(
        &self,
        entry: IndexEntry,
        advisories: &Advisories,
        before: Option<&Index>,
        sides: &mut Visibility,
    ) -> Result<(), FeedError> {
        if advisories.answers_to_secret.contains(&entry.id) {
            sides.private.push(entry);
            return Ok(());
        }
        let Some(correction) = self.read::<Correction>(&path_of(&entry))? else {
            return Ok(());
        };
        let revisions = self.corrections(&entry.id)?;
        let mut ever = revisions.iter().flat_map(|one| &one.advisories);
        if ever.any(|id| advisories.secret.contains(id)) {
            sides.private.push(entry);
            return Ok(());
        }
        let mut answered = correction.advisories.iter();
        let missing = answered.find(|id| !advisories.signed.contains(*id));
        let is_named = advisories.answers.contains(&entry.id);
        if missing.is_none() && (is_named || !correction.advisories.is_empty()) {
            sides.public.push(entry);
            return Ok(());
        }
        sides.held_back.push(HeldBack {
            correction: entry.id.clone(),
            revision: entry.revision,
            advisory: missing.cloned(),
        });
        // What panels have of it they keep.
        let is_it = |known: &&IndexEntry| (known.kind, &known.id) == (entry.kind, &entry.id);
        let sealed = self.private_entries()?;
        if let Some(known) = before.and_then(|index| index.documents.iter().find(is_it)) {
            sides.public.push(known.clone());
        } else if let Some(known) = sealed.iter().find(is_it) {
            sides.private.push(known.clone());
        }
        Ok(())
    }

    /// The corrections that any revision of an advisory names.
    fn named_by_any_revision(&self, id: &DocumentId) -> Result<Vec<DocumentId>, FeedError> {
        let kind = DocumentKind::Advisory;
        let mut named = Vec::new();
        for revision in self.revisions(kind, id)? {
            let advisory: Option<Advisory> = self.read(&FeedPath::document(kind, id, revision))?;
            named.extend(advisory.into_iter().flat_map(|read| read.corrections));
        }
        Ok(named)
    }

    /// Refuses what cannot be kept secret, because it is not secret any more.
    fn refuse_known(&self, entry: &IndexEntry, before: Option<&Index>) -> Result<(), FeedError> {
        let (kind, id) = (entry.kind, entry.id.clone());
        if let Some(known) = before.and_then(|index| index.entry(kind, &id)) {
            return Err(FeedError::KnownAlready {
                kind,
                id,
                public: known.revision,
                revision: entry.revision,
            });
        }
        let path = path_of(entry);
        if self.folder.exists(&path)? {
            let path = self.in_public(&path);
            return Err(FeedError::InClear { kind, id, path });
        }
        Ok(())
    }

    /// Refuses to take in a document under embargo where there is no desk to keep it, or that everybody knows.
    pub(crate) fn refuse_secrets(&self, kind: DocumentKind, bytes: &[u8]) -> Result<(), FeedError> {
        if kind != DocumentKind::Advisory {
            return Ok(());
        }
        let advisory = match decode::<Advisory>(bytes, &Limits::default()) {
            Ok(advisory) if advisory.is_under_embargo() => advisory,
            _ => return Ok(()),
        };
        if self.desk.is_none() {
            return Err(FeedError::NoDesk {
                id: advisory.id,
                tlp: advisory.tlp,
            });
        }
        let below = format!("{kind}/{}", advisory.id);
        match self.public_names::<u64>(&below)?.into_iter().max() {
            Some(public) if public != advisory.revision => Err(FeedError::KnownAlready {
                kind,
                id: advisory.id,
                public,
                revision: advisory.revision,
            }),
            _ => Ok(()),
        }
    }

    /// A document under embargo, with all that belongs to it.
    pub(crate) fn private(&self, entry: &IndexEntry) -> Result<Private, FeedError> {
        let (bytes, signatures) = self.offered(&path_of(entry))?;
        let mut payloads = BTreeMap::new();
        for blob in self.payloads(entry)? {
            let holder = self.holder(&FeedPath::blob(&blob.digest))?.clone();
            payloads.insert(blob.digest, (blob, holder));
        }
        Ok(Private {
            entry: entry.clone(),
            bytes,
            signatures,
            payloads,
        })
    }

    /// What a document brings; nothing if it is an advisory.
    pub(crate) fn payloads(&self, entry: &IndexEntry) -> Result<Vec<Blob>, FeedError> {
        if entry.kind != DocumentKind::Correction {
            return Ok(Vec::new());
        }
        let correction: Option<Correction> = self.read(&path_of(entry))?;
        let files = correction
            .into_iter()
            .flat_map(|correction| correction.files);
        let blobs = files.filter_map(|file| file.after).map(|after| after.blob);
        let each: BTreeMap<Digest, _> = blobs.map(|blob| (blob.digest, blob)).collect();
        Ok(each.into_values().collect())
    }

    /// Whether a payload is there, whole.
    pub(crate) fn has_payload(&self, blob: &Blob) -> Result<bool, FeedError> {
        let holder = self.holder(&FeedPath::blob(&blob.digest))?;
        Ok(holder.has_payload(blob)?)
    }
}

fn path_of(entry: &IndexEntry) -> FeedPath {
    FeedPath::document(entry.kind, &entry.id, entry.revision)
}
