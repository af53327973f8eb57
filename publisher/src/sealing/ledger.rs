//! What the desk remembers of what it has sealed: the key to each file, so that nothing is encrypted
//! again that is out already, and which files a feed still needs.
//!
//! Whoever has this can read everything that is under embargo. It lies in the desk, for its owner alone.

use std::{
    collections::{BTreeMap, BTreeSet},
    io,
    path::{Path, PathBuf},
};

use age_core::secrecy::ExposeSecret;
use serde::{Deserialize, Serialize};
use spacecp_contract::{Digest, IndexEntry, SealedObject};

use super::SealError;
use crate::{durable, record::SealedTo, regular_file};

/// The memory of one feed's private side.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Ledger {
    /// Sealed files by the digest of their contents.
    pub(super) objects: BTreeMap<Digest, SealedObject>,
    /// What was sealed for a broadcast that is not current yet.
    pub(super) pending: Option<Edition>,
    /// What panels find now.
    pub(super) current: Option<Edition>,
    /// What they found before: who is in the middle of a sync may still ask for it.
    pub(super) previous: Option<Edition>,
}

/// The private side as one broadcast has it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Edition {
    /// The sealed index.
    pub(super) index: Digest,
    /// All its files: index, buckets, documents, payloads.
    pub(super) files: BTreeSet<Digest>,
    /// The documents.
    pub(super) documents: Vec<IndexEntry>,
    /// How many panels can read it.
    pub(super) panels: usize,
    /// The digest of who they are.
    pub(super) readers: Digest,
    /// Each of them; none where it was sealed before they were listed.
    #[serde(default)]
    pub(super) sealed_to: Vec<SealedTo>,
    /// The digest of the plain index that was about to become current with it; none before that.
    #[serde(default)]
    pub(super) listed_in: Option<Digest>,
    /// The secret identity by which the desk reads it as a panel does.
    #[serde(default)]
    pub(super) witness: Option<Witness>,
}

/// A secret identity of age. It is not shown.
#[derive(Clone, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Witness(String);

impl Witness {
    pub(super) fn of(identity: &age::x25519::Identity) -> Self {
        Self(identity.to_string().expose_secret().to_owned())
    }

    pub(super) fn identity(&self) -> Option<spacecp_trust::Identity> {
        self.0.parse().ok()
    }
}

impl std::fmt::Debug for Witness {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Witness(…)")
    }
}

impl Ledger {
    /// The ledger in this file; an empty one if there is none.
    pub(super) fn read(path: &Path) -> Result<Self, SealError> {
        let text = match regular_file::bytes(path, u64::MAX) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Self::default()),
            text => text.map_err(|source| failed(path, source))?,
        };
        serde_json::from_slice(&text).map_err(|source| SealError::Ledger {
            path: path.to_owned(),
            source,
        })
    }

    /// The ledger as the head has it, which makes the index with this digest current: a process may have ended
    /// between the head and the ledger.
    pub(super) fn read_beside(path: &Path, head: Option<Digest>) -> Result<Self, SealError> {
        let mut ledger = Self::read(path)?;
        let is_live = |edition: &mut Edition| head.is_some() && edition.listed_in == head;
        if let Some(live) = ledger.pending.take_if(is_live) {
            ledger.previous = ledger.current.replace(live);
        }
        Ok(ledger)
    }

    /// Makes it durable.
    pub(super) fn write(&self, path: &Path) -> Result<(), SealError> {
        let text = serde_json::to_vec(self).map_err(|source| SealError::Ledger {
            path: path.to_owned(),
            source,
        })?;
        durable::replace_private(path, &text).map_err(|source| failed(path, source))
    }

    /// Files of an edition that no other one needs.
    pub(super) fn only_in(&self, edition: &Edition) -> Vec<Digest> {
        let others = [&self.pending, &self.current, &self.previous];
        let needed: BTreeSet<&Digest> = others
            .into_iter()
            .flatten()
            .flat_map(|other| &other.files)
            .collect();
        let files = edition.files.iter();
        files
            .filter(|file| !needed.contains(file))
            .copied()
            .collect()
    }

    /// Forgets the keys to what is gone.
    pub(super) fn forget(&mut self, gone: &[Digest]) {
        self.objects
            .retain(|_, object| !gone.contains(&object.digest));
    }
}

pub(super) fn failed(path: &Path, source: io::Error) -> SealError {
    SealError::File {
        path: PathBuf::from(path),
        source,
    }
}
