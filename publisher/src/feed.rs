//! The folder that panels follow.
//!
//! Documents are added to it as they are signed, each after the panel's own verifier has looked at
//! it; they wait in its desk until [`crate::broadcast`] makes them current.

mod batch;
mod consent;
mod desk;
mod error;
mod held;
mod sides;
mod unsign;

pub use consent::Consent;
pub use error::FeedError;
pub use sides::HeldBack;
pub(crate) use sides::Sides;

use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
};

use spacecp_contract::{
    Audience, Correction, Digest, Document, DocumentId, DocumentKind, FeedPath, Head, Index,
    IndexEntry, Limits, Role, Root, decode,
};

use spacecp_trust::{Unverified, Verified};

use crate::{
    corrections::Built,
    durable,
    keys::SecretKey,
    sign::{SignError, Signed, sign},
};

/// A feed folder.
#[derive(Debug, Clone)]
pub struct Feed {
    folder: PathBuf,
    desk: Option<desk::Place>,
    consent: Consent,
}

impl Feed {
    /// The feed in this folder, which need not be there yet.
    pub fn at(folder: impl Into<PathBuf>) -> Self {
        Self {
            folder: folder.into(),
            desk: None,
            consent: Consent::default(),
        }
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The newest root, after the whole chain was verified as a panel verifies it.
    pub fn root(&self) -> Result<Verified<Root>, FeedError> {
        self.roots()?
            .pop()
            .ok_or_else(|| FeedError::NoRoot(self.folder.clone()))
    }

    /// Every root from the first on, verified as a panel verifies them; none in an empty folder.
    pub fn roots(&self) -> Result<Vec<Verified<Root>>, FeedError> {
        let mut roots: Vec<Verified<Root>> = Vec::new();
        for version in 1.. {
            let path = FeedPath::root(version);
            let Some(bytes) = self.bytes(&path)? else {
                break;
            };
            let signatures = self.bytes(&path.signatures())?.unwrap_or_default();
            roots.push(follows(roots.last(), version, &bytes, &signatures)?);
        }
        Ok(roots)
    }

    /// Adds a signed root, if panels will follow it.
    pub fn add_root(&self, root: &Signed<Root>) -> Result<(), FeedError> {
        let _lock = self.lock()?;
        let version = root.document.version;
        let roots = self.roots()?;
        let before = usize::try_from(version.saturating_sub(1)).unwrap_or(usize::MAX);
        let before = roots.get(..before.min(roots.len())).and_then(<[_]>::last);
        follows(before, version, &root.bytes, root.signatures.as_bytes())?;
        let path = FeedPath::root(version);
        self.write_once(&path, &root.bytes, &root.signatures, "ROOT", version)
    }

    /// Signs an advisory or a correction and adds it; panels see it after the next broadcast.
    pub fn add<T: Document>(
        &self,
        document: T,
        audience: &Audience,
        keys: &[&SecretKey],
    ) -> Result<Signed<T>, FeedError> {
        let root = self.root()?;
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
        match self.newest_revision(kind, id)? {
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
        let _lock = self.lock()?;
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
        accepted(&self.root()?, &entry, offered)?;
        self.refuse_secrets(kind, &signed.bytes)?;
        let path = FeedPath::document(kind, &id, revision);
        self.write_once(&path, &signed.bytes, &signed.signatures, &id, revision)
    }

    /// One writer at a time: a timer that refreshes the head and a person who broadcasts.
    pub(crate) fn lock(&self) -> Result<File, FeedError> {
        let locked = fs::create_dir_all(&self.folder)
            .and_then(|()| File::open(&self.folder))
            .and_then(|folder| folder.lock().map(|()| folder));
        locked.map_err(|source| FeedError::File {
            path: self.folder.clone(),
            source,
        })
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
        self.make_room()?;
        for (digest, bytes) in &built.payload {
            let path = FeedPath::blob(digest);
            // One that is out already need not come again.
            if !self.in_public(&path).exists() {
                self.write_at(&self.waits_in().join(path.as_str()), bytes)?;
            }
        }
        Ok(())
    }

    /// The head that is current, if there was a broadcast.
    pub fn head(&self) -> Result<Option<Head>, FeedError> {
        self.read(&FeedPath::head())
    }

    /// The index of a sequence that was broadcast.
    pub fn index(&self, sequence: u64) -> Result<Index, FeedError> {
        let path = FeedPath::index(sequence);
        let missing = || FeedError::File {
            path: self.folder.join(path.as_str()),
            source: io::ErrorKind::NotFound.into(),
        };
        self.read(&path)?.ok_or_else(missing)
    }

    pub(crate) fn bytes(&self, path: &FeedPath) -> Result<Option<Vec<u8>>, FeedError> {
        let path = self.place(path);
        match fs::read(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            bytes => bytes
                .map(Some)
                .map_err(|source| FeedError::File { path, source }),
        }
    }

    /// A file and its signatures, with nothing in the place of one that is not there: no verifier takes
    /// that for anything.
    pub(crate) fn offered(&self, path: &FeedPath) -> Result<(Vec<u8>, Vec<u8>), FeedError> {
        let bytes = self.bytes(path)?.unwrap_or_default();
        let signatures = self.bytes(&path.signatures())?.unwrap_or_default();
        Ok((bytes, signatures))
    }

    /// Refuses a document of this feed that panels which trust `root` would refuse.
    pub(crate) fn refuse_unaccepted(
        &self,
        root: &Verified<Root>,
        entry: &IndexEntry,
    ) -> Result<(), FeedError> {
        let path = FeedPath::document(entry.kind, &entry.id, entry.revision);
        let (bytes, signatures) = self.offered(&path)?;
        accepted(root, entry, unverified(&bytes, &signatures))
    }

    /// The newest revision of every document of this kind.
    pub(crate) fn entries(&self, kind: DocumentKind) -> Result<Vec<IndexEntry>, FeedError> {
        let mut ids: Vec<DocumentId> = Vec::new();
        for folder in self.folders(kind) {
            ids.extend(self.names::<DocumentId>(&folder)?);
        }
        ids.sort();
        ids.dedup();
        let mut entries = Vec::new();
        for id in ids {
            let Some(revision) = self.newest_revision(kind, &id)? else {
                continue;
            };
            let path = self.place(&FeedPath::document(kind, &id, revision));
            let bytes = fs::read(&path).map_err(|source| FeedError::File { path, source })?;
            entries.push(IndexEntry {
                kind,
                id,
                revision,
                digest: Digest::of(&bytes),
                length: bytes.len() as u64,
            });
        }
        Ok(entries)
    }

    pub(crate) fn newest_revision(
        &self,
        kind: DocumentKind,
        id: &DocumentId,
    ) -> Result<Option<u64>, FeedError> {
        Ok(self.revisions(kind, id)?.pop())
    }

    /// Every revision of a document, in order.
    pub(crate) fn revisions(
        &self,
        kind: DocumentKind,
        id: &DocumentId,
    ) -> Result<Vec<u64>, FeedError> {
        let mut revisions: Vec<u64> = Vec::new();
        for folder in self.folders(kind) {
            revisions.extend(self.names::<u64>(&folder.join(id.as_str()))?);
        }
        revisions.sort_unstable();
        revisions.dedup();
        Ok(revisions)
    }

    /// The names in a folder that are names of this kind; none where there is no folder.
    pub(crate) fn names<T: std::str::FromStr>(&self, folder: &Path) -> Result<Vec<T>, FeedError> {
        let failed = |source| FeedError::File {
            path: folder.to_owned(),
            source,
        };
        let listing = match fs::read_dir(folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            listing => listing.map_err(failed)?,
        };
        let mut names = Vec::new();
        for entry in listing {
            if let Some(name) = entry
                .map_err(failed)?
                .file_name()
                .to_str()
                .and_then(|name| name.parse().ok())
            {
                names.push(name);
            }
        }
        Ok(names)
    }

    pub(crate) fn read<T: Document>(&self, path: &FeedPath) -> Result<Option<T>, FeedError> {
        let path = self.place(path);
        let bytes = match fs::read(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            bytes => bytes.map_err(|source| FeedError::File {
                path: path.clone(),
                source,
            })?,
        };
        let document = decode(&bytes, &Limits::default());
        document
            .map(Some)
            .map_err(|source| FeedError::Decode { path, source })
    }

    pub(crate) fn write(&self, path: &FeedPath, bytes: &[u8]) -> Result<(), FeedError> {
        self.write_at(&self.in_public(path), bytes)
    }

    fn write_at(&self, path: &Path, bytes: &[u8]) -> Result<(), FeedError> {
        durable::replace(path, bytes).map_err(|source| FeedError::File {
            path: path.to_owned(),
            source,
        })
    }

    /// Writes what stands beside a document, wherever that lies.
    pub(crate) fn write_signatures(
        &self,
        path: &FeedPath,
        signatures: &str,
    ) -> Result<(), FeedError> {
        self.write_at(&beside(&self.place(path)), signatures.as_bytes())
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
        let there = self.bytes(path)?;
        if there.is_some_and(|there| there != bytes) {
            let id = DocumentId::new(id).map_err(|error| SignError::Invalid(error.to_string()))?;
            return Err(FeedError::Republished { id, revision });
        }
        let place = self.place(path);
        let place = if place.exists() || path.is_root() {
            place
        } else {
            self.make_room()?;
            self.waits_in().join(path.as_str())
        };
        self.write_at(&beside(&place), signatures.as_bytes())?;
        self.write_at(&place, bytes)
    }
}

/// The signatures beside a document.
fn beside(document: &Path) -> PathBuf {
    let mut beside = document.as_os_str().to_owned();
    beside.push(spacecp_contract::SIGNATURE_SUFFIX);
    beside.into()
}

pub(crate) fn unverified<'a>(bytes: &'a [u8], signatures: &'a [u8]) -> Unverified<'a> {
    Unverified { bytes, signatures }
}

/// The root of this version, as a panel that has the one before would take it.
fn follows(
    before: Option<&Verified<Root>>,
    version: u64,
    bytes: &[u8],
    signatures: &[u8],
) -> Result<Verified<Root>, FeedError> {
    let offered = unverified(bytes, signatures);
    let root = match before {
        Some(before) => spacecp_trust::next_root(before, offered),
        None => spacecp_trust::reverify_root(offered),
    };
    root.map_err(|source| FeedError::Refused {
        what: format!("root {version}"),
        source,
    })
}

/// Refuses a document that every panel would refuse.
pub(crate) fn accepted(
    root: &Verified<Root>,
    entry: &IndexEntry,
    offered: Unverified<'_>,
) -> Result<(), FeedError> {
    spacecp_trust::document(root, entry, offered, &Limits::default())
        .map(drop)
        .map_err(|source| FeedError::Refused {
            what: format!("{} revision {}", entry.id, entry.revision),
            source,
        })
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
