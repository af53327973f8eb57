//! Where signed documents wait: in the desk, until a broadcast takes them out.
//!
//! What is public leaves for the feed then. What is under embargo stays, and only what is sealed of it goes
//! into the feed, which a web server may show to anybody. A feed without a desk has no place for secrets.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

use spacecp_contract::{Audience, Blob, Digest, FeedPath, IndexEntry};

use super::{Feed, FeedError, accepted, unverified};
use crate::{
    cases::case_store::CaseStore, durable::Readers, feed_directory::FeedDirectory, panels::Panels,
    record::Record, sealing::Sealing,
};

/// The part of a desk that belongs to one feed.
#[derive(Debug, Clone)]
pub(super) struct Outbox {
    /// The desk.
    desk: PathBuf,
    /// Whom the feed is for.
    audience: Audience,
    /// Signed documents and their payloads, laid out as in a feed.
    signed: FeedDirectory,
    /// Copies of what was published, laid out in the same way.
    published: FeedDirectory,
    /// The record of what was published.
    record: PathBuf,
}

impl Outbox {
    pub(super) fn of(desk: &Path, audience: &Audience) -> Self {
        let part =
            |name| FeedDirectory::new(desk.join(name).join(audience.as_str()), Readers::Owner);
        Self {
            desk: desk.to_owned(),
            audience: audience.clone(),
            signed: part("signed"),
            published: part("published"),
            record: Record::path(desk, audience),
        }
    }
}

impl Feed {
    /// The same feed, of this desk: what is signed waits there for its broadcast, and what is under embargo
    /// is sealed for the panels that are enrolled there. The feed must have a root, which says whom it is for.
    ///
    /// # Errors
    ///
    /// [`FeedError`] where there is no root that panels would follow.
    pub fn with_desk(mut self, desk: &Path) -> Result<Self, FeedError> {
        let audience = self.root()?.audience.clone();
        self.desk = Some(Outbox::of(desk, &audience));
        Ok(self)
    }

    /// The feed of a desk that is for this audience, in a folder that may have no root yet.
    pub fn of_desk(folder: impl Into<PathBuf>, desk: &Path, audience: &Audience) -> Self {
        let mut feed = Self::at(folder);
        feed.desk = Some(Outbox::of(desk, audience));
        feed
    }

    /// The cases of the desk; none without a desk.
    pub(crate) fn case_store(&self) -> Option<CaseStore> {
        self.desk.as_ref().map(|desk| CaseStore::of(&desk.desk))
    }

    /// The file that records what was published; none without a desk.
    pub(crate) fn record_path(&self) -> Option<&Path> {
        self.desk.as_ref().map(|desk| desk.record.as_path())
    }

    /// Whom the feed is for, as its desk knows it.
    pub(crate) fn audience(&self) -> Option<&Audience> {
        self.desk.as_ref().map(|desk| &desk.audience)
    }

    /// The published folder, and the two of the desk that are laid out like it: only the holder of the lock writes
    /// there.
    pub(crate) fn directories(&self) -> impl Iterator<Item = &FeedDirectory> {
        let published = std::iter::once(&self.folder);
        published.chain(self.signed()).chain(self.copies())
    }

    /// The published folder.
    pub(crate) fn public(&self) -> &FeedDirectory {
        &self.folder
    }

    /// What waits in the desk; none without a desk.
    pub(crate) fn signed(&self) -> Option<&FeedDirectory> {
        self.desk.as_ref().map(|desk| &desk.signed)
    }

    /// The desk's copies of what was published; none without a desk.
    pub(crate) fn copies(&self) -> Option<&FeedDirectory> {
        self.desk.as_ref().map(|desk| &desk.published)
    }

    /// The folder that takes what is signed. Nobody else can enter the desk's.
    pub(crate) fn waits_in(&self) -> &FeedDirectory {
        self.signed().unwrap_or(&self.folder)
    }

    /// Whether a document or a payload lies in the desk, and not in the published folder alone.
    pub(crate) fn is_waiting(&self, path: &FeedPath) -> Result<bool, FeedError> {
        match self.signed() {
            Some(signed) => Ok(signed.exists(path)?),
            None => Ok(false),
        }
    }

    /// What has a document or a payload: the desk while it is there, else the published folder.
    pub(crate) fn holder(&self, path: &FeedPath) -> Result<&FeedDirectory, FeedError> {
        match self.signed() {
            Some(signed) if signed.exists(path)? => Ok(signed),
            _ => Ok(&self.folder),
        }
    }

    /// Where a document or a payload lies, for messages.
    pub(crate) fn place(&self, path: &FeedPath) -> PathBuf {
        self.holder(path).unwrap_or(&self.folder).place(path)
    }

    /// Where a file would lie in the feed for everybody to read, for messages.
    pub(crate) fn in_public(&self, path: &FeedPath) -> PathBuf {
        self.folder.place(path)
    }

    /// The private side; none without a desk.
    pub(crate) fn sealing(&self) -> Option<Sealing<'_>> {
        let desk = self.desk.as_ref()?;
        // Beside the documents, in a folder that is for the desk alone.
        let ledger = desk.signed.path().join("sealed.json");
        // A head that cannot be read is refused where it matters.
        let head = self.head().ok().flatten();
        Some(Sealing::of(
            &self.folder,
            ledger,
            Panels::of_desk(&desk.desk),
            head.map(|head| head.index),
        ))
    }

    /// What is under embargo now, as far as this desk remembers it.
    pub(crate) fn private_entries(&self) -> Result<Vec<IndexEntry>, FeedError> {
        match self.sealing() {
            Some(sealing) => Ok(sealing.current()?.0),
            None => Ok(Vec::new()),
        }
    }

    /// The sealed files that panels may ask for: those of what is current, as the desk remembers it. Without
    /// that it is every one that lies here, for nobody else can tell them apart.
    pub(crate) fn sealed_files(&self) -> Result<Vec<FeedPath>, FeedError> {
        let known = match self.sealing() {
            Some(sealing) => sealing.files()?,
            None => None,
        };
        if let Some(known) = known {
            return Ok(known.iter().map(FeedPath::sealed).collect());
        }
        let mut digests = Vec::new();
        for first in self.public_names::<String>("sealed")? {
            if first.len() == 2 {
                digests.extend(self.public_names::<Digest>(&format!("sealed/{first}"))?);
            }
        }
        digests.sort_unstable();
        Ok(digests.iter().map(FeedPath::sealed).collect())
    }

    /// Takes these documents and payloads out of the desk into the feed, signatures before what they sign.
    pub(crate) fn release(
        &self,
        documents: &[IndexEntry],
        payloads: impl IntoIterator<Item = Digest>,
    ) -> Result<(), FeedError> {
        let Some(desk) = &self.desk else {
            return Ok(());
        };
        let mut leaving = Vec::new();
        // Several corrections may bring one payload.
        for digest in payloads.into_iter().collect::<BTreeSet<_>>() {
            leaving.push(FeedPath::blob(&digest));
        }
        for entry in documents {
            let path = FeedPath::document(entry.kind, &entry.id, entry.revision);
            leaving.extend([path.signatures(), path]);
        }
        let mut there = Vec::new();
        for path in leaving {
            if desk.signed.exists(&path)? {
                there.push(path);
            }
        }
        Ok(self.folder.take_all(&desk.signed, &there)?)
    }

    /// Puts these documents back into the desk, each before its signatures: nobody was told of them. Only what is
    /// genuine comes back, and nothing that the desk has is replaced: others may be able to write the feed.
    pub(crate) fn withhold_documents(&self, documents: &[IndexEntry]) -> Result<(), FeedError> {
        let roots = self.roots()?;
        for entry in documents {
            let path = FeedPath::document(entry.kind, &entry.id, entry.revision);
            self.withhold(&path, |bytes| Digest::of(bytes) == entry.digest)?;
            let Some(document) = self.bytes(&path)? else {
                continue;
            };
            self.withhold(&path.signatures(), |signatures| {
                let accepts =
                    |root| accepted(root, entry, unverified(&document, signatures)).is_ok();
                roots.iter().any(accepts)
            })?;
        }
        Ok(())
    }

    /// Puts these payloads back into the desk.
    pub(crate) fn withhold_payloads(
        &self,
        payloads: impl IntoIterator<Item = Blob>,
    ) -> Result<(), FeedError> {
        let Some(desk) = &self.desk else {
            return Ok(());
        };
        for blob in payloads {
            let path = FeedPath::blob(&blob.digest);
            let is_here = if desk.signed.exists(&path)? {
                self.folder.has_payload(&blob)
            } else {
                desk.signed.put_payload(&self.folder, &blob)
            };
            // What is not genuine stays where it is.
            if is_here.unwrap_or(false) {
                self.folder.remove(&path)?;
            }
        }
        Ok(())
    }

    /// Puts a file back into the desk, out of the feed or else from the desk's copy of what was published. What
    /// is not genuine stays where it is.
    fn withhold(
        &self,
        path: &FeedPath,
        is_genuine: impl Fn(&[u8]) -> bool,
    ) -> Result<(), FeedError> {
        let Some(desk) = &self.desk else {
            return Ok(());
        };
        let genuine = |directory: &FeedDirectory| {
            let bytes = directory.read(path).ok().flatten();
            bytes.filter(|bytes| is_genuine(bytes))
        };
        let found = genuine(&self.folder);
        let is_public = found.is_some();
        if !desk.signed.exists(path)? {
            let Some(bytes) = found.or_else(|| genuine(&desk.published)) else {
                return Ok(());
            };
            desk.signed.write(path, &bytes)?;
        }
        if is_public {
            // What was verified is written, and not renamed: it may be another file by now.
            self.folder.remove(path)?;
        }
        Ok(())
    }
}
