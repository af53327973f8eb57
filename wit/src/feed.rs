//! Head and index: what is current in a feed.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{Audience, Digest, Document, DocumentId, DocumentKind, Sealed};

/// The smallest document: what is current, and until when that can be believed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    /// Whom the feed is for.
    pub audience: Audience,
    /// The feed's version, from 1; a panel never accepts a lower one.
    pub sequence: u64,
    /// When it was issued.
    pub issued: Timestamp,
    /// From when on it is stale.
    pub expires: Timestamp,
    /// The digest of the index of the same sequence.
    pub index: Digest,
    /// The length of that index in bytes.
    pub index_length: u64,
    /// The version of the root at that time.
    pub root_version: u64,
}

impl Document for Head {
    const KIND: DocumentKind = DocumentKind::Head;

    fn name(&self) -> &str {
        Self::KIND.as_str()
    }

    fn revision(&self) -> u64 {
        self.sequence
    }

    fn validate(&self) -> Result<(), String> {
        if self.sequence == 0 || self.root_version == 0 {
            return Err("sequences and versions begin at 1".to_owned());
        }
        if self.expires <= self.issued {
            return Err("expires before it is issued".to_owned());
        }
        Ok(())
    }
}

/// Every current document of a feed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Index {
    /// Whom the feed is for.
    pub audience: Audience,
    /// The sequence of the head that names this index.
    pub sequence: u64,
    /// The documents, each id once.
    pub documents: Vec<IndexEntry>,
    /// The private side; none where a feed has none. Left out of the bytes then, as before there was such
    /// a thing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sealed: Option<Sealed>,
}

impl Index {
    /// The entry of a document.
    pub fn entry(&self, kind: DocumentKind, id: &str) -> Option<&IndexEntry> {
        self.documents
            .iter()
            .find(|entry| entry.kind == kind && entry.id.as_str() == id)
    }
}

impl Document for Index {
    const KIND: DocumentKind = DocumentKind::Index;

    fn name(&self) -> &str {
        Self::KIND.as_str()
    }

    fn revision(&self) -> u64 {
        self.sequence
    }

    fn validate(&self) -> Result<(), String> {
        let mut seen = BTreeSet::new();
        for entry in &self.documents {
            if !matches!(
                entry.kind,
                DocumentKind::Advisory | DocumentKind::Correction
            ) {
                return Err(format!("it lists {}, a {}", entry.id, entry.kind));
            }
            if !seen.insert((entry.kind, &entry.id)) {
                return Err(format!("duplicate {} {}", entry.kind, entry.id));
            }
        }
        self.sealed.as_ref().map_or(Ok(()), Sealed::validate)
    }
}

/// One current document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IndexEntry {
    /// Advisory or correction.
    pub kind: DocumentKind,
    /// Its id.
    pub id: DocumentId,
    /// Its revision.
    pub revision: u64,
    /// The digest of its bytes.
    pub digest: Digest,
    /// The length of its bytes.
    pub length: u64,
}
