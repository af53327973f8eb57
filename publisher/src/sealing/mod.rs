//! Encrypts what is under embargo to the panels that may read it.
//!
//! Each document (with its signatures) and each payload is one sealed file with a key of its own. A sealed
//! index has all keys, and envelopes have the key to that. A broadcast seals what is new, a new sealed
//! index, and new envelopes; the rest is out already. What lies in the feed says nothing to who has no
//! envelope: neither what it is, nor for how many.

mod envelopes;
mod ledger;
mod lookup;
mod object;

use std::{
    collections::{BTreeMap, BTreeSet},
    io::{self, Cursor, Read},
    path::{Path, PathBuf},
};

use spacecp_contract::{
    Audience, Blob, Digest, FeedPath, IndexEntry, Sealed, SealedEntry, SealedIndex, SealedObject,
    SealedPayload, capsule,
};

use crate::{
    feed_directory::{FeedDirectory, FileError},
    panels::{PanelError, Panels},
};
use ledger::{Edition, Ledger, Witness, failed};

/// The private side of one feed, as its desk makes it.
#[derive(Debug, Clone)]
pub(crate) struct Sealing<'a> {
    /// The folder that panels follow.
    feed: &'a FeedDirectory,
    /// What the desk remembers.
    ledger: PathBuf,
    panels: Panels,
    /// The digest of the plain index that the head makes current.
    head: Option<Digest>,
}

/// A document under embargo, as it lies on the desk.
#[derive(Debug)]
pub(crate) struct Private {
    /// The document.
    pub(crate) entry: IndexEntry,
    /// Its bytes.
    pub(crate) bytes: Vec<u8>,
    /// Its signature file.
    pub(crate) signatures: Vec<u8>,
    /// What it brings, and where that lies.
    pub(crate) payloads: BTreeMap<Digest, (Blob, FeedDirectory)>,
}

/// Why nothing was sealed.
#[derive(Debug, thiserror::Error)]
pub enum SealError {
    /// A file of the feed cannot be used.
    #[error(transparent)]
    Directory(#[from] FileError),
    /// A file cannot be read or written.
    #[error("cannot use {}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: io::Error,
    },
    /// What the desk remembers cannot be read.
    #[error("{} was modified by another program: {source}. Restore it from a backup, or move it away to encrypt everything again", path.display())]
    Ledger {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: serde_json::Error,
    },
    /// The registry of panels.
    #[error(transparent)]
    Panels(#[from] PanelError),
    /// The system gave no randomness.
    #[error("cannot create keys: the system's random number generator failed: {0}")]
    Randomness(String),
    /// age did not do what it does.
    #[error("cannot create an envelope: {0}")]
    Envelope(String),
    /// Two panels have one place, again and again.
    #[error(
        "two envelopes share one slot with every nonce; check whether a panel is enrolled twice"
    )]
    Places,
    /// A document that no reader would take.
    #[error("{0} is too long to encrypt")]
    TooLong(String),
}

impl<'a> Sealing<'a> {
    /// The private side of the feed in this folder, whose head makes the index with the digest `head` current,
    /// remembered in `ledger`, for the panels of a desk.
    pub(crate) fn of(
        feed: &'a FeedDirectory,
        ledger: PathBuf,
        panels: Panels,
        head: Option<Digest>,
    ) -> Self {
        Self {
            feed,
            ledger,
            panels,
            head,
        }
    }

    /// What the desk remembers, as the head has it.
    fn remembered(&self) -> Result<Ledger, SealError> {
        Ledger::read_beside(&self.ledger, self.head)
    }

    /// The file of what the desk remembers.
    pub(crate) fn remembered_in(&self) -> &Path {
        &self.ledger
    }

    /// Whether there was ever anybody to seal for.
    pub(crate) fn has_panels(&self) -> Result<bool, SealError> {
        Ok(!self.panels.list()?.is_empty())
    }

    /// How many panels may read what is broadcast next.
    pub(crate) fn entitled(&self) -> Result<usize, SealError> {
        Ok(self.panels.entitled()?.len())
    }

    /// What panels find in private now, and how many of them can.
    pub(crate) fn current(&self) -> Result<(Vec<IndexEntry>, usize), SealError> {
        let current = self.remembered()?.current;
        Ok(current.map_or((Vec::new(), 0), |current| {
            (current.documents, current.panels)
        }))
    }

    /// Whether others are entitled now than were when what is current was sealed.
    pub(crate) fn was_enrolled_otherwise(&self) -> Result<bool, SealError> {
        let now = readers(&self.panels.entitled()?);
        let current = self.remembered()?.current;
        Ok(current.is_none_or(|current| current.readers != now))
    }

    /// Seals these documents to every panel that is entitled: writes the files, and gives what an index says
    /// of them. Nobody finds them before an index does.
    #[tracing::instrument(skip_all, fields(documents = documents.len()))]
    pub(crate) fn seal(
        &self,
        audience: &Audience,
        documents: Vec<Private>,
    ) -> Result<Sealed, SealError> {
        let panels = self.panels.entitled()?;
        let mut ledger = self.remembered()?;
        let overtaken = ledger.pending.take();
        let mut files = BTreeSet::new();
        let (mut entries, mut payloads) = (Vec::new(), BTreeMap::new());
        for private in documents {
            for (digest, (blob, directory)) in &private.payloads {
                let path = FeedPath::blob(digest);
                let missing = || failed(&directory.place(&path), io::ErrorKind::NotFound.into());
                let file = directory.open(&path)?.ok_or_else(missing)?;
                let object = self.once(&mut ledger, *digest, padded(file, blob.length))?;
                files.insert(object.digest);
                payloads.insert(
                    *digest,
                    SealedPayload {
                        blob: *blob,
                        object,
                    },
                );
            }
            let name = || format!("the {} {}", private.entry.kind, private.entry.id);
            let contents = capsule::pack(&[&private.bytes, &private.signatures]);
            let contents = contents.ok_or_else(|| SealError::TooLong(name()))?;
            let digest = Digest::of(&contents);
            let object = self.once(&mut ledger, digest, Cursor::new(contents))?;
            files.insert(object.digest);
            entries.push(SealedEntry {
                document: private.entry,
                object,
            });
        }
        let listed = entries.iter().map(|entry| entry.document.clone());
        let listed = listed.collect();
        let index = SealedIndex::new(audience.clone(), entries, payloads.into_values().collect());
        let contents = capsule::pack(&[&index.to_bytes()]);
        let contents = contents.ok_or_else(|| SealError::TooLong("the sealed index".to_owned()))?;
        let index = self.write(Cursor::new(contents))?;
        // One of the envelopes that are for nobody is for the desk itself, which looks at what it publishes as a
        // panel does that may read it.
        let witness = age::x25519::Identity::generate();
        let mut readers_of_it = panels.clone();
        readers_of_it.push(witness.to_public());
        let envelopes = envelopes::address(&readers_of_it, &index.key)?;
        let buckets = self.write_buckets(&envelopes.buckets)?;
        files.insert(index.digest);
        files.extend(buckets.iter().map(|bucket| bucket.digest));
        ledger.pending = Some(Edition {
            index: index.digest,
            files,
            documents: listed,
            panels: panels.len(),
            readers: readers(&panels),
            sealed_to: self.panels.sealed_to()?,
            listed_in: None,
            witness: Some(Witness::of(&witness)),
        });
        // Remembered before anything is gone: what is sealed and forgotten could never be current.
        ledger.write(&self.ledger)?;
        // What was sealed for a broadcast that never came is of no use any more.
        if let Some(overtaken) = overtaken {
            self.remove(&overtaken, &mut ledger)?;
            ledger.write(&self.ledger)?;
        }
        tracing::info!(panels = panels.len(), "sealed side encrypted");
        Ok(Sealed {
            nonce: envelopes.nonce,
            index: index.blob(),
            buckets,
        })
    }

    /// Whether what an index says of the private side is what was sealed last, or is current.
    pub(crate) fn knows(&self, sealed: &Sealed) -> Result<bool, SealError> {
        Ok(self.edition(sealed.index.digest)?.is_some())
    }

    /// Whether it knows that, and every file of it is there.
    pub(crate) fn has(&self, sealed: &Sealed) -> Result<bool, SealError> {
        Ok(self.knows(sealed)? && self.lost(sealed.index.digest)?.is_none())
    }

    /// The documents of the private side with this sealed index, which may be the one before the current one.
    pub(crate) fn documents(&self, sealed: &Sealed) -> Result<Vec<IndexEntry>, SealError> {
        let ledger = self.remembered()?;
        let known = [ledger.pending, ledger.current, ledger.previous];
        let mut known = known.into_iter().flatten();
        let edition = known.find(|edition| edition.index == sealed.index.digest);
        Ok(edition.map_or_else(Vec::new, |edition| edition.documents))
    }

    /// The documents of what was sealed and waits for its index.
    pub(crate) fn pending(&self, sealed: &Sealed) -> Result<Vec<IndexEntry>, SealError> {
        let pending = self.remembered()?.pending;
        let pending = pending.filter(|pending| pending.index == sealed.index.digest);
        Ok(pending.map_or_else(Vec::new, |pending| pending.documents))
    }

    /// Forgets what was sealed and waits for its index: no signature makes it current any more.
    pub(crate) fn forget_pending(&self) -> Result<(), SealError> {
        let mut ledger = self.remembered()?;
        let Some(pending) = ledger.pending.take() else {
            return Ok(());
        };
        ledger.write(&self.ledger)?;
        self.remove(&pending, &mut ledger)?;
        ledger.write(&self.ledger)
    }

    /// Whether what was sealed and waits for its index is for others than those who are entitled now.
    pub(crate) fn waits_for_others(&self, sealed: &Sealed) -> Result<bool, SealError> {
        let Some(pending) = self.remembered()?.pending else {
            return Ok(false);
        };
        let now = readers(&self.panels.entitled()?);
        Ok(pending.index == sealed.index.digest && pending.readers != now)
    }

    /// Takes note of the plain index, by its digest, that is about to become current with what was sealed for it.
    pub(crate) fn will_be_current(&self, sealed: &Sealed, index: Digest) -> Result<(), SealError> {
        let mut ledger = self.remembered()?;
        let Some(pending) = &mut ledger.pending else {
            return Ok(());
        };
        if pending.index == sealed.index.digest {
            pending.listed_in = Some(index);
            ledger.write(&self.ledger)?;
        }
        Ok(())
    }

    /// Takes note that an index with this private side is current, and removes what nobody asks for any
    /// more: what the broadcast before the last one had.
    pub(crate) fn is_current(&self, sealed: Digest) -> Result<(), SealError> {
        let mut ledger = Ledger::read(&self.ledger)?;
        let is_it = |edition: &Edition| edition.index == sealed;
        if ledger.current.as_ref().is_some_and(is_it) {
            return Ok(());
        }
        let Some(pending) = ledger.pending.take_if(|pending| is_it(pending)) else {
            return Ok(());
        };
        let oldest = std::mem::replace(&mut ledger.previous, ledger.current.take());
        ledger.current = Some(pending);
        ledger.write(&self.ledger)?;
        if let Some(oldest) = oldest {
            self.remove(&oldest, &mut ledger)?;
            ledger.write(&self.ledger)?;
        }
        Ok(())
    }

    /// The files that panels may ask for now; none if the desk remembers nothing.
    pub(crate) fn files(&self) -> Result<Option<BTreeSet<Digest>>, SealError> {
        let current = self.remembered()?.current;
        Ok(current.map(|current| current.files))
    }

    /// Removes the files of an edition that no other one needs.
    fn remove(&self, edition: &Edition, ledger: &mut Ledger) -> Result<(), SealError> {
        let gone = ledger.only_in(edition);
        for digest in &gone {
            self.feed.remove(&FeedPath::sealed(digest))?;
        }
        ledger.forget(&gone);
        Ok(())
    }

    /// The sealed file with contents of this digest, which is made unless it is out already.
    fn once(
        &self,
        ledger: &mut Ledger,
        digest: Digest,
        contents: impl Read,
    ) -> Result<SealedObject, SealError> {
        if let Some(object) = ledger.objects.get(&digest)
            && self.feed.length(&FeedPath::sealed(&object.digest))? == Some(object.length)
        {
            return Ok(*object);
        }
        let object = self.write(contents)?;
        ledger.objects.insert(digest, object);
        Ok(object)
    }

    /// Seals contents into a file of the feed, which gets its name when it is whole.
    fn write(&self, contents: impl Read) -> Result<SealedObject, SealError> {
        let written = self.feed.write_named("sealed", |into| {
            let object = object::seal(contents, into)?;
            Ok((object, FeedPath::sealed(&object.digest)))
        });
        Ok(written?)
    }

    fn write_buckets(&self, buckets: &[Vec<u8>]) -> Result<Vec<Blob>, SealError> {
        let blobs: Vec<Blob> = buckets
            .iter()
            .map(|bytes| Blob {
                digest: Digest::of(bytes),
                length: bytes.len() as u64,
            })
            .collect();
        let files: Vec<(FeedPath, Vec<u8>)> = blobs
            .iter()
            .zip(buckets)
            .map(|(blob, bytes)| (FeedPath::sealed(&blob.digest), bytes.clone()))
            .collect();
        self.feed.write_all(&files)?;
        Ok(blobs)
    }
}

/// A payload of this length, and zeros up to one that says little of which file it is.
fn padded(payload: impl Read, length: u64) -> impl Read {
    let zeros = io::repeat(0).take(capsule::padded(length).saturating_sub(length));
    payload.take(length).chain(zeros)
}

/// The digest of these recipients, in whatever order they come.
fn readers(panels: &[age::x25519::Recipient]) -> Digest {
    let mut names: Vec<String> = panels.iter().map(ToString::to_string).collect();
    names.sort_unstable();
    Digest::of(names.join("\n").as_bytes())
}
