//! The private side of a feed: what is encrypted to the panels that may read it.
//!
//! The plain index, which is signed, names the sealed index and the buckets of envelopes. An envelope has
//! the key to the sealed index; that names the documents under embargo, and has the key to each. Every
//! sealed file is an ordinary age file but for its header, which has no recipient: who may read it has the
//! key from here. Documents in it are signed as they are in public, and verified so.

use std::{collections::BTreeSet, fmt};

use serde::{Deserialize, Serialize};

use crate::{
    Audience, Blob, Digest, DocumentKind, IndexEntry, Limits, SCHEMA, capsule,
    envelope::{MOST_BUCKETS, MOST_IN_BUCKET, RECORD},
    fixed, shape,
};

/// Bytes that encryption adds to the shortest contents: header, nonce, and the tag of the first piece.
const OVERHEAD: u64 = 512;

/// Contents are encrypted in pieces of so many bytes; each gets a tag of sixteen.
const PIECE: u64 = 64 << 10;

/// The most bytes of a sealed file with so many bytes of contents.
pub fn most_sealed(contents: u64) -> u64 {
    contents
        .saturating_add((contents / PIECE).saturating_mul(16))
        .saturating_add(OVERHEAD)
}

/// What the plain index says of the private side. A feed that has one always says so, whether or not
/// anything is under embargo.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sealed {
    /// New in each broadcast, so that the places of the envelopes are.
    #[serde(with = "fixed")]
    pub nonce: [u8; 16],
    /// The sealed index.
    pub index: Blob,
    /// The buckets of envelopes, by the leading bits of the tags in them.
    pub buckets: Vec<Blob>,
}

impl Sealed {
    /// Checks what serde cannot.
    pub(crate) fn validate(&self) -> Result<(), String> {
        let buckets = self.buckets.len();
        if !buckets.is_power_of_two() || buckets > MOST_BUCKETS {
            return Err(format!(
                "{buckets} buckets is not a power of two up to {MOST_BUCKETS}"
            ));
        }
        let most = (MOST_IN_BUCKET * RECORD) as u64;
        for (number, bucket) in self.buckets.iter().enumerate() {
            if bucket.length > most {
                return Err(format!(
                    "bucket {number} has {} bytes, more than the limit of {most}",
                    bucket.length
                ));
            }
        }
        let most = most_sealed(capsule::most(Limits::default().bytes as u64));
        if self.index.length > most {
            return Err(format!(
                "the sealed index has {} bytes, more than the limit of {most}",
                self.index.length
            ));
        }
        Ok(())
    }
}

/// The key of one sealed file. It is not shown.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ObjectKey(#[serde(with = "fixed")] [u8; 16]);

impl ObjectKey {
    /// A key of these bytes.
    pub fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// Its bytes.
    pub fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl fmt::Debug for ObjectKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ObjectKey(…)")
    }
}

/// A sealed file, with its key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct SealedObject {
    /// The digest of the sealed bytes, by which the feed has it.
    pub digest: Digest,
    /// How many there are.
    pub length: u64,
    /// Its key.
    pub key: ObjectKey,
}

impl SealedObject {
    /// The sealed bytes.
    pub fn blob(&self) -> Blob {
        Blob {
            digest: self.digest,
            length: self.length,
        }
    }
}

/// A document under embargo.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SealedEntry {
    /// The document, as a plain index would list it.
    pub document: IndexEntry,
    /// The file that has it, with its signatures.
    pub object: SealedObject,
}

/// A payload of a correction under embargo.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct SealedPayload {
    /// The payload, as the correction names it.
    pub blob: Blob,
    /// The file that has it.
    pub object: SealedObject,
}

/// Every current document under embargo. It is not signed: the plain index, which is, has its digest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SealedIndex {
    schema: u32,
    /// Whom the feed is for.
    pub audience: Audience,
    /// The documents, each id once.
    pub documents: Vec<SealedEntry>,
    /// What the corrections among them bring, each once.
    pub payloads: Vec<SealedPayload>,
}

/// Why bytes are not a sealed index.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SealedIndexError {
    /// Beyond a limit, cut short, or not MessagePack.
    #[error(transparent)]
    Shape(#[from] shape::ShapeError),
    /// Written for a newer reader.
    #[error("schema {0} is not supported, only up to {SCHEMA}: update spacecp-advisories")]
    Schema(u32),
    /// A field is missing, or of another type.
    #[error("{0}")]
    Field(String),
    /// Its parts do not fit each other.
    #[error("inconsistent: {0}")]
    Invalid(String),
}

impl SealedIndexError {
    /// The same without the values that were found, which are under embargo.
    #[must_use]
    pub fn without_contents(self) -> Self {
        match self {
            Self::Field(_) => Self::Field("a field is missing or has an invalid value".to_owned()),
            Self::Invalid(_) => Self::Invalid("fields contradict each other".to_owned()),
            other @ (Self::Shape(_) | Self::Schema(_)) => other,
        }
    }
}

impl SealedIndex {
    /// The sealed index of these documents.
    pub fn new(
        audience: Audience,
        documents: Vec<SealedEntry>,
        payloads: Vec<SealedPayload>,
    ) -> Self {
        Self {
            schema: SCHEMA,
            audience,
            documents,
            payloads,
        }
    }

    /// The sealed index in these bytes. Nothing is allocated beyond `limits`.
    pub fn from_bytes(bytes: &[u8], limits: &Limits) -> Result<Self, SealedIndexError> {
        #[derive(Deserialize)]
        struct Version {
            schema: u32,
        }
        shape::check(bytes, limits)?;
        let field = |error: rmp_serde::decode::Error| SealedIndexError::Field(error.to_string());
        let version: Version = rmp_serde::from_slice(bytes).map_err(field)?;
        if version.schema > SCHEMA {
            return Err(SealedIndexError::Schema(version.schema));
        }
        let index: Self = rmp_serde::from_slice(bytes).map_err(field)?;
        index.validate(limits).map_err(SealedIndexError::Invalid)?;
        Ok(index)
    }

    /// The bytes that are sealed.
    pub fn to_bytes(&self) -> Vec<u8> {
        rmp_serde::to_vec_named(self)
            .expect("a sealed index holds numbers, names, digests and keys only")
    }

    fn validate(&self, limits: &Limits) -> Result<(), String> {
        let mut seen = BTreeSet::new();
        for SealedEntry { document, object } in &self.documents {
            let (kind, id) = (document.kind, &document.id);
            if !matches!(kind, DocumentKind::Advisory | DocumentKind::Correction) {
                return Err(format!("it lists {id}, a {kind}"));
            }
            if !seen.insert((kind, id)) {
                return Err(format!("duplicate {kind} {id}"));
            }
            let most = limits.bytes as u64;
            if document.length > most || object.length > most_sealed(capsule::most(most)) {
                return Err(format!("the {kind} {id} exceeds the size limit"));
            }
        }
        let mut seen = BTreeSet::new();
        for SealedPayload { blob, object } in &self.payloads {
            if !seen.insert(blob.digest) {
                return Err(format!("duplicate payload {}", blob.digest));
            }
            if object.length > most_sealed(capsule::most(blob.length)) {
                return Err(format!(
                    "the payload {} is larger than its sealed form can be",
                    blob.digest
                ));
            }
        }
        Ok(())
    }
}
