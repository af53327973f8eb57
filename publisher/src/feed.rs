//! The folder that panels follow.
//!
//! Documents are added to it as they are signed, each after the panel's own verifier has looked at
//! it; they wait in its desk until [`crate::broadcast`] makes them current.

mod batch;
mod desk;
mod held;
mod sides;

pub(crate) use sides::Sides;

use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
};

use jiff::Timestamp;
use spacecp_contract::{
    Audience, Correction, DecodeError, Digest, Document, DocumentId, DocumentKind, FeedPath, Head,
    Index, IndexEntry, Limits, Role, Root, Tlp, decode,
};

use spacecp_trust::{TrustError, Unverified, Verified};

use crate::{
    corrections::Built,
    durable,
    keys::SecretKey,
    sealing::SealError,
    sign::{SignError, Signed, sign},
};

/// A feed folder.
#[derive(Debug, Clone)]
pub struct Feed {
    folder: PathBuf,
    desk: Option<desk::Place>,
}

/// Why something is not put into a feed.
#[derive(Debug, thiserror::Error)]
pub enum FeedError {
    /// A file cannot be read or written.
    #[error("cannot use {}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: io::Error,
    },
    /// A file is not what its place says.
    #[error("{} is not what a feed has there: {source}", path.display())]
    Decode {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: DecodeError,
    },
    /// The revision is there already, with other contents.
    #[error("{id} revision {revision} is published already with other contents: make it revision {}", revision + 1)]
    Republished {
        /// The document.
        id: DocumentId,
        /// Its revision.
        revision: u64,
    },
    /// Panels never accept an older revision.
    #[error("{id} is published as revision {published}, and {revision} is not newer")]
    Older {
        /// The document.
        id: DocumentId,
        /// The revision offered.
        revision: u64,
        /// The revision that is there.
        published: u64,
    },
    /// A document for others.
    #[error("{id} is for {audience}, and this feed is for {feed}")]
    Audience {
        /// The document.
        id: DocumentId,
        /// Whom it is for.
        audience: Audience,
        /// Whom the feed is for.
        feed: Audience,
    },
    /// A key that does not hold the role.
    #[error("the key {key} does not hold the role {role} in root {version}")]
    Key {
        /// The key's id.
        key: String,
        /// The role.
        role: Role,
        /// The root's version.
        version: u64,
    },
    /// Fewer keys than the root demands.
    #[error("the role {role} demands {threshold} signatures, and {given} keys were given")]
    Threshold {
        /// The role.
        role: Role,
        /// How many are demanded.
        threshold: u32,
        /// How many were given.
        given: usize,
    },
    /// The feed has no root yet.
    #[error("{} has no root: make one with \"spacecp-publisher root new\"", .0.display())]
    NoRoot(PathBuf),
    /// A correction without its payload.
    #[error("the payload {digest} of {id} is missing or damaged: add the correction again")]
    Payload {
        /// The correction.
        id: DocumentId,
        /// The payload.
        digest: Digest,
    },
    /// An advisory names a correction that is not there.
    #[error("{advisory} names the correction {correction}, which this feed does not have")]
    MissingCorrection {
        /// The advisory.
        advisory: DocumentId,
        /// The correction.
        correction: DocumentId,
    },
    /// Nothing was ever broadcast.
    #[error("{} has no head: broadcast first", .0.display())]
    NoHead(PathBuf),
    /// What is current was not signed by any key that ever held the role.
    #[error("the head or the index in {} is not what was broadcast there: put back the last ones that were, from a mirror or a copy", .0.display())]
    Strange(PathBuf),
    /// No sequence comes after it.
    #[error(
        "sequence {0} is the last there is: let sequences start afresh with \"root revoke … --afresh\""
    )]
    UsedUp(u64),
    /// Something else was broadcast since the signatures were asked for.
    #[error(
        "sequence {asked} was asked for, and {next} comes next: something was broadcast meanwhile; ask for signatures anew"
    )]
    Overtaken {
        /// The sequence that was signed.
        asked: u64,
        /// The one that panels would follow.
        next: u64,
    },
    /// The root has expired: panels would refuse everything.
    #[error("root {version} expired on {expires}: make a new one first")]
    RootExpired {
        /// Its version.
        version: u64,
        /// When.
        expires: Timestamp,
    },
    /// Every panel would refuse it.
    #[error("{what} is not published, because every panel would refuse it: {source}")]
    Refused {
        /// What was to be published.
        what: String,
        /// What a panel says of it.
        source: TrustError,
    },
    /// A document under embargo without a place where nobody else reads it.
    #[error("{id} is {tlp}, and there is no desk where it could wait: name the desk")]
    NoDesk {
        /// The document.
        id: DocumentId,
        /// Its label.
        tlp: Tlp,
    },
    /// A feed with a private side, and no desk that knows what is in it.
    #[error("{} has a private side, and only the desk that sealed it can go on with it: name the desk", .0.display())]
    SealedElsewhere(PathBuf),
    /// A document under embargo that lies in the feed for everybody to read.
    #[error(
        "the {kind} {id} is under embargo, and {} has it in clear: whoever could read the feed may know of it. Remove the file there, and sign it again",
        path.display()
    )]
    InClear {
        /// Its kind.
        kind: DocumentKind,
        /// The document.
        id: DocumentId,
        /// Where it lies.
        path: PathBuf,
    },
    /// A document that was public before.
    #[error(
        "the {kind} {id} is public as revision {public}, and revision {revision} would be under embargo: what is known cannot be made secret again"
    )]
    KnownAlready {
        /// Its kind.
        kind: DocumentKind,
        /// The document.
        id: DocumentId,
        /// The public revision.
        public: u64,
        /// The revision offered.
        revision: u64,
    },
    /// A public advisory that names something under embargo.
    #[error(
        "{advisory} is public and names the correction {correction}, which answers something under embargo: it would tell of it"
    )]
    TellsOf {
        /// The advisory.
        advisory: DocumentId,
        /// The correction.
        correction: DocumentId,
    },
    /// Something is under embargo, and nobody may read it.
    #[error(
        "the {kind} {id} is under embargo, and no panel is enrolled that could read it: \"spacecp-publisher panel enrol\", or take it back if it was signed by mistake"
    )]
    NobodyEntitled {
        /// Its kind.
        kind: DocumentKind,
        /// The document.
        id: DocumentId,
    },
    /// What was sealed for a broadcast is there no more.
    #[error(
        "what was sealed for this broadcast is gone, or was sealed anew since: ask for signatures anew"
    )]
    SealedGone,
    /// Nothing was sealed.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// The signature was not made.
    #[error(transparent)]
    Sign(#[from] SignError),
}

impl Feed {
    /// The feed in this folder, which need not be there yet.
    pub fn at(folder: impl Into<PathBuf>) -> Self {
        Self {
            folder: folder.into(),
            desk: None,
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
