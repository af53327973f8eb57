//! Whose document an advisory was made from, and what of it no field of ours has room for.
//!
//! A panel shows where the word comes from and needs nothing else of this; the vendor gives the
//! document back from it, in the form in which it came.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::Digest;

/// The document of somebody else that an advisory was made from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Source {
    /// Its form.
    pub format: SourceFormat,
    /// Its id, as it is written there; at most [`LONGEST_SOURCE_ID`] bytes.
    pub id: String,
    /// The digest of its facts: of the JSON with sorted keys and without blanks. Whoever gives the
    /// document back knows by it that nothing was lost.
    pub digest: Digest,
    /// What the other fields do not say: a JSON Patch (RFC 6902) that turns the document as they
    /// have it into the one that came. At most [`LONGEST_REST`] bytes; empty where nothing is left,
    /// or where a reader that has no use for it has dropped it.
    #[serde(default)]
    pub rest: String,
}

/// The form of somebody else's document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SourceFormat {
    /// Open Source Vulnerability, schema 1.x.
    Osv,
    /// Common Security Advisory Framework 2.0.
    Csaf,
    /// One that a later reader knows.
    #[serde(other)]
    Unknown,
}

/// The longest id of a source in bytes.
pub const LONGEST_SOURCE_ID: usize = 1024;

/// The most that is kept of a source in bytes, so that an advisory stays one that panels read.
pub const LONGEST_REST: usize = 512 << 10;

impl Source {
    /// What is longer than it may be, in words.
    pub(crate) fn validate(&self) -> Result<(), String> {
        let measured = [
            ("the id of its source", self.id.len(), LONGEST_SOURCE_ID),
            ("what it keeps of its source", self.rest.len(), LONGEST_REST),
        ];
        match measured.iter().find(|(_, length, most)| length > most) {
            Some((what, length, most)) => Err(format!(
                "{what} has {length} bytes, more than the limit of {most}"
            )),
            None => Ok(()),
        }
    }
}

impl fmt::Display for SourceFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Osv => "OSV",
            Self::Csaf => "CSAF",
            Self::Unknown => "unknown",
        })
    }
}
