//! Where signed documents wait: in the desk, until a broadcast takes them out.
//!
//! What is public leaves for the feed then. What is under embargo stays, and only what is sealed of it goes
//! into the feed, which a web server may show to anybody. A feed without a desk has no place for secrets.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

use spacecp_contract::{Audience, Digest, DocumentKind, FeedPath, IndexEntry};

use super::{Feed, FeedError};
use crate::{durable, panels::Panels, sealing::Sealing};

/// The part of a desk that belongs to one feed.
#[derive(Debug, Clone)]
pub(super) struct Place {
    /// The desk.
    desk: PathBuf,
    /// Signed documents and their payloads, laid out as in a feed.
    signed: PathBuf,
}

impl Place {
    pub(super) fn of(desk: &Path, audience: &Audience) -> Self {
        Self {
            desk: desk.to_owned(),
            signed: desk.join("signed").join(audience.as_str()),
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
        self.desk = Some(Place::of(desk, &audience));
        Ok(self)
    }

    /// The folder that takes what is signed.
    pub(super) fn waits_in(&self) -> &Path {
        self.desk.as_ref().map_or(&self.folder, |desk| &desk.signed)
    }

    /// Makes sure that nobody else can enter where signed documents wait.
    pub(super) fn make_room(&self) -> Result<(), FeedError> {
        let Some(desk) = &self.desk else {
            return Ok(());
        };
        durable::private_folder(&desk.signed).map_err(|source| FeedError::File {
            path: desk.signed.clone(),
            source,
        })
    }

    /// Where a document or a payload lies: in the desk while it is there, else in the feed.
    pub(crate) fn place(&self, path: &FeedPath) -> PathBuf {
        let waiting = self.desk.as_ref();
        let waiting = waiting.map(|desk| desk.signed.join(path.as_str()));
        let waiting = waiting.filter(|place| place.exists());
        waiting.unwrap_or_else(|| self.folder.join(path.as_str()))
    }

    /// Where a file would lie in the feed for everybody to read.
    pub(crate) fn in_public(&self, path: &FeedPath) -> PathBuf {
        self.folder.join(path.as_str())
    }

    /// The private side; none without a desk.
    pub(crate) fn sealing(&self) -> Option<Sealing<'_>> {
        let desk = self.desk.as_ref()?;
        // Beside the documents, in a folder that is for the desk alone.
        let ledger = desk.signed.join("sealed.json");
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
        let folder = self.folder.join("sealed");
        let mut digests = Vec::new();
        for first in self.names::<String>(&folder)? {
            if first.len() == 2 {
                digests.extend(self.names::<Digest>(&folder.join(first))?);
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
        let mut moves = Vec::new();
        let mut leave = |path: &FeedPath| {
            let from = desk.signed.join(path.as_str());
            if from.exists() {
                moves.push((from, self.folder.join(path.as_str())));
            }
        };
        // Several corrections may bring one payload.
        for digest in payloads.into_iter().collect::<BTreeSet<_>>() {
            leave(&FeedPath::blob(&digest));
        }
        for entry in documents {
            let path = FeedPath::document(entry.kind, &entry.id, entry.revision);
            leave(&path.signatures());
            leave(&path);
        }
        let moved = durable::move_all(&moves);
        moved.map_err(|(path, source)| FeedError::File { path, source })
    }

    /// The folders that have documents of this kind.
    pub(super) fn folders(&self, kind: DocumentKind) -> Vec<PathBuf> {
        let waiting = self.desk.as_ref().map(|desk| desk.signed.clone());
        let folders = waiting.into_iter().chain([self.folder.clone()]);
        folders.map(|folder| folder.join(kind.as_str())).collect()
    }
}
