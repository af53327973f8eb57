//! The file that a vendor hands over, read and verified.
//!
//! May not: write anything; believe a part of the archive before the digest of all of it was compared with what the
//! vendor told by another way.

use std::{
    collections::HashMap,
    io::{self, Read, Seek, SeekFrom},
    path::{Path, PathBuf},
};

use jiff::Timestamp;
use spacecp_contract::{
    Digest,
    archive::{ArchiveError, Place},
    hand_over::{HandOver, LONGEST, Part, SCHEMA, parts},
};
use spacecp_fs::regular_file;
use spacecp_trust::{TrustError, Unverified, check_root, pinned_root, plugin};

/// A hand-over whose digest is known, and nothing of it believed yet.
#[derive(Debug)]
pub struct Received {
    path: PathBuf,
    digest: Digest,
    parts: HashMap<Part, Vec<u8>>,
}

/// A hand-over that the vendor's keys vouch for.
#[derive(Debug)]
pub struct Verified {
    /// Where to follow the feed, and whom to report to.
    pub facts: HandOver,
    /// The digest of the archive.
    pub digest: Digest,
    /// The plugin and its version, for people.
    pub plugin: String,
    parts: HashMap<Part, Vec<u8>>,
}

/// Why a hand-over is not used.
#[derive(Debug, thiserror::Error)]
pub enum HandOverError {
    /// It cannot be read.
    #[error("cannot read the hand-over {}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: io::Error,
    },
    /// It is longer than any.
    #[error("{} has {length} bytes; a hand-over has at most {LONGEST}", path.display())]
    TooLong {
        /// The file.
        path: PathBuf,
        /// Its bytes.
        length: u64,
    },
    /// It is another kind of file.
    #[error("{} is not a hand-over: {source}. Ask the vendor for the file that \"spacecp-publisher init\" wrote", path.display())]
    Archive {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: ArchiveError,
    },
    /// It is not the file that the vendor speaks of.
    #[error(
        "SHA-256 mismatch: {} has {found}, but {expected} was given. Do not use the file; ask the vendor for a new copy and for the SHA-256 by another way",
        path.display()
    )]
    Mismatch {
        /// The file.
        path: PathBuf,
        /// The digest that was given.
        expected: Digest,
        /// Its digest.
        found: Digest,
    },
    /// Its facts cannot be read.
    #[error("cannot read {} in {}: {reason}", Part::Facts.name(), path.display())]
    Facts {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// It is for a newer program.
    #[error("{} has schema {schema}; this program reads schema {SCHEMA}. Install a newer version", path.display())]
    Schema {
        /// The file.
        path: PathBuf,
        /// The schema.
        schema: u32,
    },
    /// The root or the plugin is not signed as it must be.
    #[error("the hand-over {} is refused: {source}", path.display())]
    Trust {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: TrustError,
    },
}

impl Received {
    /// Reads an archive: its digest and its parts, of the same open file.
    pub fn read(path: &Path) -> Result<Self, HandOverError> {
        let failed = |source| HandOverError::File {
            path: path.to_owned(),
            source,
        };
        let file = regular_file::open(path).map_err(failed)?;
        let length = file.metadata().map_err(failed)?.len();
        if length > LONGEST {
            return Err(HandOverError::TooLong {
                path: path.to_owned(),
                length,
            });
        }
        // In memory, so that what was hashed is what is read.
        let mut archive = Vec::new();
        file.take(LONGEST)
            .read_to_end(&mut archive)
            .map_err(failed)?;
        let digest = Digest::of(&archive);
        let places = parts(io::Cursor::new(&archive), archive.len() as u64);
        let places = places.map_err(|source| HandOverError::Archive {
            path: path.to_owned(),
            source,
        })?;
        let parts = places
            .into_iter()
            .map(|(part, place)| Ok((part, contents(&archive, place)?)))
            .collect::<io::Result<_>>()
            .map_err(failed)?;
        Ok(Self {
            path: path.to_owned(),
            digest,
            parts,
        })
    }

    /// The digest of the archive: what a person compares.
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// Verifies root and plugin, once `expected`, which the vendor told by another way, is the archive's digest.
    pub fn verify(self, expected: Digest, now: Timestamp) -> Result<Verified, HandOverError> {
        let path = self.path.clone();
        if expected != self.digest {
            return Err(HandOverError::Mismatch {
                path,
                expected,
                found: self.digest,
            });
        }
        let facts = self.facts()?;
        let refused = |source| HandOverError::Trust {
            path: self.path.clone(),
            source,
        };
        let root = pinned_root(
            self.signed(Part::Root, Part::RootSignatures),
            &facts.audience,
        )
        .map_err(refused)?;
        check_root(&root, now).map_err(refused)?;
        let manifest = plugin(
            &root,
            self.signed(Part::Manifest, Part::ManifestSignatures),
            self.part(Part::Component),
            None,
        )
        .map_err(refused)?;
        Ok(Verified {
            plugin: format!("{} {}", manifest.plugin, manifest.version),
            facts,
            digest: self.digest,
            parts: self.parts,
        })
    }

    fn facts(&self) -> Result<HandOver, HandOverError> {
        let unread = |reason: String| HandOverError::Facts {
            path: self.path.clone(),
            reason,
        };
        let text =
            std::str::from_utf8(self.part(Part::Facts)).map_err(|e| unread(e.to_string()))?;
        let facts: HandOver = toml::from_str(text).map_err(|error| unread(error.to_string()))?;
        if facts.schema > SCHEMA {
            return Err(HandOverError::Schema {
                path: self.path.clone(),
                schema: facts.schema,
            });
        }
        if facts.from.is_empty() {
            return Err(unread("it names no address of a feed".to_owned()));
        }
        Ok(facts)
    }

    fn signed(&self, bytes: Part, signatures: Part) -> Unverified<'_> {
        Unverified {
            bytes: self.part(bytes),
            signatures: self.part(signatures),
        }
    }

    fn part(&self, part: Part) -> &[u8] {
        self.parts.get(&part).map_or(&[], Vec::as_slice)
    }
}

impl Verified {
    /// The bytes of a part.
    pub fn part(&self, part: Part) -> &[u8] {
        self.parts.get(&part).map_or(&[], Vec::as_slice)
    }
}

fn contents(archive: &[u8], place: Place) -> io::Result<Vec<u8>> {
    let mut archive = io::Cursor::new(archive);
    archive.seek(SeekFrom::Start(place.begin))?;
    let mut bytes = Vec::new();
    archive.take(place.length).read_to_end(&mut bytes)?;
    Ok(bytes)
}
