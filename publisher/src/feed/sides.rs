//! Which documents are for everybody, and which are under embargo.
//!
//! An advisory says so itself. A correction is as secret as what it answers: whoever sees which files it
//! changes knows where the flaw is.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::File,
    io::{self, Read},
    path::Path,
};

use sha2::{Digest as _, Sha256};
use spacecp_contract::{
    Advisory, Blob, Correction, Digest, DocumentId, DocumentKind, FeedPath, Index, IndexEntry,
    Limits, decode,
};

use super::{Feed, FeedError};
use crate::sealing::Private;

/// The newest revision of every document, by who may read it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Sides {
    /// What everybody may read.
    pub(crate) public: Vec<IndexEntry>,
    /// What is under embargo.
    pub(crate) private: Vec<IndexEntry>,
}

impl Feed {
    /// The newest revision of everything that was signed, by side. `before` is what is public already.
    pub(crate) fn sides(&self, before: Option<&Index>) -> Result<Sides, FeedError> {
        let mut sides = Sides::default();
        let (mut secret, mut answers) = (BTreeSet::new(), BTreeSet::new());
        // What is public already at this revision need not be read for it.
        let is_public = |entry: &IndexEntry| {
            let known = before.and_then(|index| index.entry(entry.kind, &entry.id));
            known.is_some_and(|known| known.revision == entry.revision)
        };
        for entry in self.entries(DocumentKind::Advisory)? {
            if is_public(&entry) {
                sides.public.push(entry);
                continue;
            }
            let advisory: Option<Advisory> = self.read(&path_of(&entry))?;
            match advisory.filter(Advisory::is_under_embargo) {
                Some(advisory) => {
                    secret.insert(advisory.id);
                    answers.extend(advisory.corrections);
                    sides.private.push(entry);
                }
                None => sides.public.push(entry),
            }
        }
        for entry in self.entries(DocumentKind::Correction)? {
            // An advisory may come to name a correction that everybody has for long.
            if !is_public(&entry) && self.is_secret(&entry, &secret, &answers)? {
                sides.private.push(entry);
            } else {
                sides.public.push(entry);
            }
        }
        for entry in &sides.private {
            self.refuse_known(entry, before)?;
        }
        Ok(sides)
    }

    fn is_secret(
        &self,
        entry: &IndexEntry,
        secret: &BTreeSet<DocumentId>,
        answers: &BTreeSet<DocumentId>,
    ) -> Result<bool, FeedError> {
        if answers.contains(&entry.id) {
            return Ok(true);
        }
        let correction: Option<Correction> = self.read(&path_of(entry))?;
        Ok(correction.is_some_and(|correction| {
            let mut advisories = correction.advisories.iter();
            advisories.any(|id| secret.contains(id))
        }))
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
        let path = self.in_public(&path_of(entry));
        if path.exists() {
            return Err(FeedError::InClear { kind, id, path });
        }
        Ok(())
    }

    /// Refuses to take in a document under embargo where there is no desk to keep it.
    pub(super) fn refuse_secrets(&self, kind: DocumentKind, bytes: &[u8]) -> Result<(), FeedError> {
        if kind != DocumentKind::Advisory || self.desk.is_some() {
            return Ok(());
        }
        match decode::<Advisory>(bytes, &Limits::default()) {
            Ok(advisory) if advisory.is_under_embargo() => Err(FeedError::NoDesk {
                id: advisory.id,
                tlp: advisory.tlp,
            }),
            _ => Ok(()),
        }
    }

    /// A document under embargo, with all that belongs to it.
    pub(crate) fn private(&self, entry: &IndexEntry) -> Result<Private, FeedError> {
        let (bytes, signatures) = self.offered(&path_of(entry))?;
        let payloads = self.payloads(entry)?;
        let payloads = payloads.into_iter().map(|blob| {
            let place = self.place(&FeedPath::blob(&blob.digest));
            (blob.digest, (blob, place))
        });
        Ok(Private {
            entry: entry.clone(),
            bytes,
            signatures,
            payloads: payloads.collect(),
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
    pub(crate) fn has_payload(&self, blob: &Blob) -> bool {
        let place = self.place(&FeedPath::blob(&blob.digest));
        digest(&place).is_ok_and(|found| found == (blob.digest, blob.length))
    }
}

/// The digest of a file, however long it is, and its length.
fn digest(path: &Path) -> io::Result<(Digest, u64)> {
    let mut file = File::open(path)?;
    let (mut hash, mut length) = (Sha256::new(), 0);
    let mut piece = vec![0; 128 << 10];
    loop {
        match file.read(&mut piece)? {
            0 => return Ok((Digest::from_bytes(hash.finalize().into()), length)),
            read => {
                hash.update(&piece[..read]);
                length += read as u64;
            }
        }
    }
}

fn path_of(entry: &IndexEntry) -> FeedPath {
    FeedPath::document(entry.kind, &entry.id, entry.revision)
}
