//! The signing service: adds signed documents to a feed's desk, renews their signatures, and takes them back.
//!
//! The panel's own verifier looks at each document first. Panels see nothing of them before
//! [`crate::publish`] makes them current.

mod batch;
mod discard_pending;
mod disown;
mod sign_again;

pub use disown::Disown;

use spacecp_contract::{
    Audience, Correction, Digest, Document, DocumentId, DocumentKind, FeedPath, IndexEntry, Role,
    Root,
};

use crate::{
    corrections::Built,
    feed::{Feed, FeedError, accepted, follows, unverified},
    keys::SecretKey,
    reconcile::Depth,
    sign::{SignError, Signed, sign},
};

/// Adds signed documents to a feed.
#[derive(Debug)]
pub struct SigningService<'a> {
    feed: &'a Feed,
}

impl<'a> SigningService<'a> {
    /// The service for this feed.
    pub fn of(feed: &'a Feed) -> Self {
        Self { feed }
    }

    /// Adds a signed root, if panels will follow it.
    pub fn add_root(&self, root: &Signed<Root>) -> Result<(), FeedError> {
        let _lock = self.feed.lock()?;
        let roots = self.feed.roots()?;
        // After keys were stolen the head may be anybody's; what lets sequences start afresh needs none.
        let epoch = roots.last().map_or(0, |newest| newest.sequence_epoch);
        let recorded = if root.document.sequence_epoch > epoch {
            self.feed.reconciled(Depth::Roots)?
        } else {
            self.feed.reconciled(Depth::Heads)?
        };
        let version = root.document.version;
        let roots = self.feed.roots()?;
        let before = usize::try_from(version.saturating_sub(1)).unwrap_or(usize::MAX);
        let before = roots.get(..before.min(roots.len())).and_then(<[_]>::last);
        follows(before, version, &root.bytes, root.signatures.as_bytes())?;
        let path = FeedPath::root(version);
        let write = || self.write_once(&path, &root.bytes, &root.signatures, "ROOT", version);
        let (Some((mut record, _)), Some(place)) = (recorded, self.feed.record_path()) else {
            return write();
        };
        // Recorded first: a root that is out and unknown here could be put back by nobody.
        if self.feed.bytes(&path)?.is_none() {
            record.expect_root(&root.document, &root.bytes, &root.signatures);
            record.write(place)?;
        }
        write()?;
        record.roots_are_published();
        Ok(record.write(place)?)
    }

    /// Signs an advisory or a correction and adds it; panels see it after the next broadcast.
    pub fn add<T: Document>(
        &self,
        document: T,
        audience: &Audience,
        keys: &[&SecretKey],
    ) -> Result<Signed<T>, FeedError> {
        let root = self.feed.root()?;
        let id = id_of(&document)?;
        if !audience.may_reach(&root.audience) {
            return Err(FeedError::Audience {
                id,
                audience: audience.clone(),
                feed: root.audience.clone(),
            });
        }
        self.refuse_older(T::KIND, &id, document.revision())?;
        holds(&root, T::KIND.role(), keys)?;
        let signed = sign(document, keys)?;
        self.put(&signed)?;
        Ok(signed)
    }

    fn refuse_older(
        &self,
        kind: DocumentKind,
        id: &DocumentId,
        revision: u64,
    ) -> Result<(), FeedError> {
        if let Some(record) = self.feed.record()? {
            record.refuse_disowned(kind, id, revision)?;
        }
        let newest = self.feed.newest_revision(kind, id)?;
        match newest {
            Some(published) if published > revision => Err(FeedError::Older {
                id: id.clone(),
                revision,
                published,
            }),
            _ => Ok(()),
        }
    }

    /// Adds an advisory or a correction that was signed elsewhere, if panels will accept it.
    pub fn put<T: Document>(&self, signed: &Signed<T>) -> Result<(), FeedError> {
        let _lock = self.feed.lock()?;
        self.feed.reconciled(Depth::Heads)?;
        let (kind, id) = (T::KIND, id_of(&signed.document)?);
        let revision = signed.document.revision();
        self.refuse_older(kind, &id, revision)?;
        let entry = IndexEntry {
            kind,
            id: id.clone(),
            revision,
            digest: Digest::of(&signed.bytes),
            length: signed.bytes.len() as u64,
        };
        let offered = unverified(&signed.bytes, signed.signatures.as_bytes());
        accepted(&self.feed.root()?, &entry, offered)?;
        self.feed.refuse_secrets(kind, &signed.bytes)?;
        let path = FeedPath::document(kind, &id, revision);
        self.write_once(&path, &signed.bytes, &signed.signatures, &id, revision)
    }

    /// Adds a correction's payload, then signs and adds the correction.
    pub fn add_correction(
        &self,
        built: Built,
        keys: &[&SecretKey],
    ) -> Result<Signed<Correction>, FeedError> {
        self.add_payload(&built)?;
        let audience = built.correction.audience.clone();
        self.add(built.correction, &audience, keys)
    }

    /// Adds what a correction brings. Nobody finds it before the correction names it.
    pub fn add_payload(&self, built: &Built) -> Result<(), FeedError> {
        let _lock = self.feed.lock()?;
        for (digest, bytes) in &built.payload {
            let path = FeedPath::blob(digest);
            // One that is out already need not come again.
            if !self.feed.public().exists(&path)? {
                self.feed.waits_in().write(&path, bytes)?;
            }
        }
        Ok(())
    }

    /// Writes a document and its signatures; the same bytes once more change nothing.
    fn write_once(
        &self,
        path: &FeedPath,
        bytes: &[u8],
        signatures: &str,
        id: &str,
        revision: u64,
    ) -> Result<(), FeedError> {
        let there = self.feed.bytes(path)?;
        let is_new = there.is_none();
        if there.is_some_and(|there| there != bytes) {
            let id = DocumentId::new(id).map_err(|error| SignError::Invalid(error.to_string()))?;
            return Err(FeedError::Republished { id, revision });
        }
        let into = match self.feed.holder(path)? {
            _ if is_new && !path.is_root() => self.feed.waits_in(),
            holder => holder,
        };
        into.write(&path.signatures(), signatures.as_bytes())?;
        Ok(into.write(path, bytes)?)
    }
}

fn id_of<T: Document>(document: &T) -> Result<DocumentId, FeedError> {
    DocumentId::new(document.name()).map_err(|error| SignError::Invalid(error.to_string()).into())
}

/// Refuses keys that panels would refuse.
pub(crate) fn holds(root: &Root, role: Role, keys: &[&SecretKey]) -> Result<(), FeedError> {
    let held = &root.roles[&role];
    for key in keys {
        if !held.keys.contains(&key.public().to_base64()) {
            return Err(FeedError::Key {
                key: key.public().id(),
                role,
                version: root.version,
            });
        }
    }
    if keys.len() < held.threshold as usize {
        return Err(FeedError::Threshold {
            role,
            threshold: held.threshold,
            given: keys.len(),
        });
    }
    Ok(())
}
