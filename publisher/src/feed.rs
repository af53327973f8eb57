//! The folder that panels follow.
//!
//! Documents are added to it as they are signed; a broadcast makes them current by writing a new
//! index and, last of all, the head. A reader at any instant finds either the old head with the old
//! index or the new head with the new one, and both have all that they name.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use jiff::Timestamp;
use spacecp_contract::{
    Audience, Correction, DecodeError, Digest, Document, DocumentId, DocumentKind, FeedPath, Head,
    Index, IndexEntry, Limits, Role, Root, decode,
};

use spacecp_trust::{Before, TrustError, Unverified, Verified};

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
}

/// What a broadcast would change, or has changed.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Broadcast {
    /// The sequence that it makes current.
    pub sequence: u64,
    /// From when on it is stale, unless another broadcast follows.
    pub expires: Timestamp,
    /// Documents that panels did not know, or knew an older revision of.
    pub news: Vec<(DocumentId, u64)>,
    /// All documents that are current now.
    pub documents: usize,
}

/// A head with its index.
type Current = (Verified<Head>, Verified<Index>);

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
    /// The signature was not made.
    #[error(transparent)]
    Sign(#[from] SignError),
}

impl Feed {
    /// The feed in this folder, which need not be there yet.
    pub fn at(folder: impl Into<PathBuf>) -> Self {
        Self {
            folder: folder.into(),
        }
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The newest root.
    pub fn root(&self) -> Result<Root, FeedError> {
        let mut newest = None;
        for version in 1.. {
            match self.read::<Root>(&FeedPath::root(version))? {
                Some(root) => newest = Some(root),
                None => break,
            }
        }
        newest.ok_or_else(|| FeedError::NoRoot(self.folder.clone()))
    }

    /// Adds a signed root.
    pub fn add_root(&self, root: &Signed<Root>) -> Result<(), FeedError> {
        let path = FeedPath::root(root.document.version);
        self.write_once(
            &path,
            &root.bytes,
            &root.signatures,
            "ROOT",
            root.document.version,
        )
    }

    /// Signs an advisory or a correction and adds it; panels see it after the next broadcast.
    pub fn add<T: Document>(
        &self,
        document: T,
        audience: &Audience,
        keys: &[&SecretKey],
    ) -> Result<Signed<T>, FeedError> {
        let root = self.root()?;
        let id = DocumentId::new(document.name())
            .map_err(|error| SignError::Invalid(error.to_string()))?;
        if !audience.may_reach(&root.audience) {
            return Err(FeedError::Audience {
                id,
                audience: audience.clone(),
                feed: root.audience,
            });
        }
        holds(&root, T::KIND.role(), keys)?;
        let (kind, revision) = (T::KIND, document.revision());
        if let Some(published) = self.newest_revision(kind, &id)?
            && published > revision
        {
            return Err(FeedError::Older {
                id,
                revision,
                published,
            });
        }
        let signed = sign(document, keys)?;
        self.write_once(
            &FeedPath::document(kind, &id, revision),
            &signed.bytes,
            &signed.signatures,
            &id,
            revision,
        )?;
        Ok(signed)
    }

    /// Adds a correction's payload, then signs and adds the correction.
    pub fn add_correction(
        &self,
        built: Built,
        keys: &[&SecretKey],
    ) -> Result<Signed<Correction>, FeedError> {
        for (digest, bytes) in &built.payload {
            self.write(&FeedPath::blob(digest), bytes)?;
        }
        let audience = built.correction.audience.clone();
        self.add(built.correction, &audience, keys)
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

    /// What a broadcast at `now` would change; writes nothing.
    pub fn plan_broadcast(
        &self,
        now: Timestamp,
        expires: Timestamp,
    ) -> Result<(Broadcast, Index), FeedError> {
        let root = self.root()?;
        if root.expires <= now {
            return Err(FeedError::RootExpired {
                version: root.version,
                expires: root.expires,
            });
        }
        let old = match self.head()? {
            Some(head) => self.read::<Index>(&FeedPath::index(head.sequence))?,
            None => None,
        };
        let sequence = old.as_ref().map_or(0, |index| index.sequence) + 1;
        let mut documents = self.entries(DocumentKind::Advisory)?;
        documents.extend(self.entries(DocumentKind::Correction)?);
        let known = |entry: &IndexEntry| {
            old.as_ref()
                .and_then(|index| index.entry(entry.kind, &entry.id))
                .is_some_and(|old| old.revision == entry.revision)
        };
        let news = documents
            .iter()
            .filter(|entry| !known(entry))
            .map(|entry| (entry.id.clone(), entry.revision))
            .collect();
        let plan = Broadcast {
            sequence,
            expires,
            news,
            documents: documents.len(),
        };
        let index = Index {
            audience: root.audience,
            sequence,
            documents,
        };
        self.refuse_gaps(&index)?;
        Ok((plan, index))
    }

    /// Makes everything that was added current.
    pub fn broadcast(
        &self,
        now: Timestamp,
        expires: Timestamp,
        keys: &[&SecretKey],
    ) -> Result<Broadcast, FeedError> {
        let root = self.root()?;
        holds(&root, Role::Feed, keys)?;
        let (plan, index) = self.plan_broadcast(now, expires)?;
        let index = sign(index, keys)?;
        let head = sign(
            Head {
                audience: root.audience,
                sequence: plan.sequence,
                issued: now,
                expires,
                index: Digest::of(&index.bytes),
                index_length: index.bytes.len() as u64,
                root_version: root.version,
            },
            keys,
        )?;
        self.refuse_what_panels_refuse(root.version, &head, &index, now)?;
        let path = FeedPath::index(plan.sequence);
        self.write(&path.signatures(), index.signatures.as_bytes())?;
        self.write(&path, &index.bytes)?;
        // The signatures of the head before stay beside the new ones, so that a reader at any instant
        // finds those that fit; panels pass over what does not, as long as enough does.
        let path = FeedPath::head();
        let old = self.signatures_of(plan.sequence - 1)?;
        self.write(&path.signatures(), (head.signatures + &old).as_bytes())?;
        self.write(&path, &head.bytes)?;
        Ok(plan)
    }

    /// The signatures beside the head that are of this sequence.
    fn signatures_of(&self, sequence: u64) -> Result<String, FeedError> {
        let file = self.bytes(&FeedPath::head().signatures())?;
        let text = String::from_utf8(file.unwrap_or_default()).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        let comment = format!(" name=head revision={sequence}");
        let of_it = lines
            .chunks_exact(4)
            .filter(|block| block[2].ends_with(&comment));
        Ok(of_it.map(|block| block.join("\n") + "\n").collect())
    }

    /// Has the panel's own verifier look at a head and its index before anybody else can.
    fn refuse_what_panels_refuse(
        &self,
        root_version: u64,
        head: &Signed<Head>,
        index: &Signed<Index>,
        now: Timestamp,
    ) -> Result<(), FeedError> {
        let refused = |source| FeedError::Refused {
            what: format!("sequence {}", head.document.sequence),
            source,
        };
        let path = FeedPath::root(root_version);
        let (bytes, signatures) = (self.bytes(&path)?, self.bytes(&path.signatures())?);
        let (bytes, signatures) = (bytes.unwrap_or_default(), signatures.unwrap_or_default());
        let root =
            spacecp_trust::reverify_root(unverified(&bytes, &signatures)).map_err(refused)?;
        let (old_head, old_index) = self.current(&root)?.unzip();
        let before = Before {
            head: old_head.as_ref(),
            index: old_index.as_ref(),
            afresh: false,
        };
        let offered = unverified(&head.bytes, head.signatures.as_bytes());
        let head = spacecp_trust::head(&root, before, offered, now).map_err(refused)?;
        let offered = unverified(&index.bytes, index.signatures.as_bytes());
        spacecp_trust::index(&root, &head, before, offered, &Limits::default())
            .map(drop)
            .map_err(refused)
    }

    /// What panels that are up to date trust now; nothing if its signers have lost their role.
    fn current(&self, root: &Verified<Root>) -> Result<Option<Current>, FeedError> {
        let before = Before {
            head: None,
            index: None,
            afresh: true,
        };
        let path = FeedPath::head();
        let (Some(bytes), Some(signatures)) = (self.bytes(&path)?, self.bytes(&path.signatures())?)
        else {
            return Ok(None);
        };
        let offered = unverified(&bytes, &signatures);
        let Ok(head) = spacecp_trust::head(root, before, offered, Timestamp::MIN) else {
            return Ok(None);
        };
        let path = FeedPath::index(head.sequence);
        let (Some(bytes), Some(signatures)) = (self.bytes(&path)?, self.bytes(&path.signatures())?)
        else {
            return Ok(None);
        };
        let offered = unverified(&bytes, &signatures);
        let index = spacecp_trust::index(root, &head, before, offered, &Limits::default());
        Ok(index.ok().map(|index| (head, index)))
    }

    fn bytes(&self, path: &FeedPath) -> Result<Option<Vec<u8>>, FeedError> {
        let path = self.folder.join(path.as_str());
        match fs::read(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            bytes => bytes
                .map(Some)
                .map_err(|source| FeedError::File { path, source }),
        }
    }

    /// Corrections that advisories name, and payloads that corrections name, must be there.
    fn refuse_gaps(&self, index: &Index) -> Result<(), FeedError> {
        for entry in &index.documents {
            let path = FeedPath::document(entry.kind, &entry.id, entry.revision);
            if entry.kind == DocumentKind::Advisory {
                let Some(advisory) = self.read::<spacecp_contract::Advisory>(&path)? else {
                    continue;
                };
                for correction in advisory.corrections {
                    if index.entry(DocumentKind::Correction, &correction).is_none() {
                        return Err(FeedError::MissingCorrection {
                            advisory: advisory.id,
                            correction,
                        });
                    }
                }
                continue;
            }
            let Some(correction) = self.read::<Correction>(&path)? else {
                continue;
            };
            for after in correction.files.iter().filter_map(|file| file.after) {
                let digest = after.blob.digest;
                let intact = fs::read(self.folder.join(FeedPath::blob(&digest).as_str()))
                    .is_ok_and(|bytes| {
                        bytes.len() as u64 == after.blob.length && Digest::of(&bytes) == digest
                    });
                if !intact {
                    return Err(FeedError::Payload {
                        id: correction.id,
                        digest,
                    });
                }
            }
        }
        Ok(())
    }

    /// The newest revision of every document of this kind.
    fn entries(&self, kind: DocumentKind) -> Result<Vec<IndexEntry>, FeedError> {
        let mut ids: Vec<DocumentId> = self.names(&self.folder.join(kind.as_str()))?;
        ids.sort();
        let mut entries = Vec::new();
        for id in ids {
            let Some(revision) = self.newest_revision(kind, &id)? else {
                continue;
            };
            let path = self
                .folder
                .join(FeedPath::document(kind, &id, revision).as_str());
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

    fn newest_revision(
        &self,
        kind: DocumentKind,
        id: &DocumentId,
    ) -> Result<Option<u64>, FeedError> {
        let revisions: Vec<u64> = self.names(&self.folder.join(kind.as_str()).join(id.as_str()))?;
        Ok(revisions.into_iter().max())
    }

    /// The names in a folder that are names of this kind; none where there is no folder.
    fn names<T: std::str::FromStr>(&self, folder: &Path) -> Result<Vec<T>, FeedError> {
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

    fn read<T: Document>(&self, path: &FeedPath) -> Result<Option<T>, FeedError> {
        let path = self.folder.join(path.as_str());
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

    fn write(&self, path: &FeedPath, bytes: &[u8]) -> Result<(), FeedError> {
        let path = self.folder.join(path.as_str());
        durable::replace(&path, bytes).map_err(|source| FeedError::File { path, source })
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
        let there = fs::read(self.folder.join(path.as_str())).ok();
        if there.is_some_and(|there| there != bytes) {
            let id = DocumentId::new(id).map_err(|error| SignError::Invalid(error.to_string()))?;
            return Err(FeedError::Republished { id, revision });
        }
        self.write(&path.signatures(), signatures.as_bytes())?;
        self.write(path, bytes)
    }
}

fn unverified<'a>(bytes: &'a [u8], signatures: &'a [u8]) -> Unverified<'a> {
    Unverified { bytes, signatures }
}

/// Refuses keys that panels would refuse.
fn holds(root: &Root, role: Role, keys: &[&SecretKey]) -> Result<(), FeedError> {
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
