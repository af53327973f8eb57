//! Where a feed keeps its files.
//!
//! ```text
//! head                                   what is current
//! root/3.root                            every root, by version
//! index/128.index                        every index, by sequence
//! index/128.from-127                     what changed since an earlier one, to spare fetching it whole
//! advisory/SPACECP-SA-2026-0007/2        every revision of every advisory
//! correction/SPACECP-SC-2026-0007/1      every revision of every correction
//! blob/9f/9f86d081…                      payloads, by digest
//! sealed/9f/9f86d081…                    what is encrypted, by digest: index, envelopes, documents, payloads
//! ```
//!
//! Beside each document, with `.minisig` behind its name, lie its signatures: one or more minisign
//! signatures of four lines each, one after the other. A file with one signature is exactly what
//! the `minisign` program writes and reads. Payloads and what is
//! sealed have none; what is signed names them by digest.

use std::fmt;

use crate::{Digest, DocumentId, DocumentKind};

/// What is put behind a document's path to name its signatures.
pub const SIGNATURE_SUFFIX: &str = ".minisig";

/// The path of a file in a feed: relative, with `/` between its parts, made only from checked parts.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FeedPath(String);

impl FeedPath {
    /// The head.
    pub fn head() -> Self {
        Self("head".to_owned())
    }

    /// A root.
    pub fn root(version: u64) -> Self {
        Self(format!("root/{version}.root"))
    }

    /// An index.
    pub fn index(sequence: u64) -> Self {
        Self(format!("index/{sequence}.index"))
    }

    /// What turns the index of one sequence into that of a later one. Beside it lie the signatures of
    /// the later index.
    pub fn delta(to: u64, from: u64) -> Self {
        Self(format!("index/{to}.from-{from}"))
    }

    /// A revision of an advisory or a correction.
    pub fn document(kind: DocumentKind, id: &DocumentId, revision: u64) -> Self {
        Self(format!("{kind}/{id}/{revision}"))
    }

    /// A payload.
    pub fn blob(digest: &Digest) -> Self {
        let name = digest.to_string();
        Self(format!("blob/{}/{name}", &name[..2]))
    }

    /// Something of the private side.
    pub fn sealed(digest: &Digest) -> Self {
        let name = digest.to_string();
        Self(format!("sealed/{}/{name}", &name[..2]))
    }

    /// Whether it is a root or its signatures: the one file that may be asked for before it is there.
    pub fn is_root(&self) -> bool {
        self.0.starts_with("root/")
    }

    /// The signatures beside this document.
    #[must_use]
    pub fn signatures(&self) -> Self {
        Self(format!("{}{SIGNATURE_SUFFIX}", self.0))
    }

    /// Reads a path. There is one way to write each, and nothing else is a path: no `..`, no link to
    /// elsewhere, no other spelling.
    pub fn parse(text: &str) -> Option<Self> {
        let document = text.strip_suffix(SIGNATURE_SUFFIX);
        let path = Self::of_document(document.unwrap_or(text)).or_else(|| {
            let digest = text.rsplit('/').next()?.parse().ok()?;
            let place = match text.split_once('/')? {
                ("sealed", _) => Self::sealed(&digest),
                _ => Self::blob(&digest),
            };
            document.is_none().then_some(place)
        })?;
        let path = if document.is_some() {
            path.signatures()
        } else {
            path
        };
        (path.0 == text).then_some(path)
    }

    fn of_document(text: &str) -> Option<Self> {
        let parts: Vec<&str> = text.split('/').collect();
        match parts.as_slice() {
            ["head"] => Some(Self::head()),
            ["root", name] => Some(Self::root(name.strip_suffix(".root")?.parse().ok()?)),
            ["index", name] => match name.split_once(".from-") {
                Some((to, from)) => Some(Self::delta(to.parse().ok()?, from.parse().ok()?)),
                None => Some(Self::index(name.strip_suffix(".index")?.parse().ok()?)),
            },
            ["advisory", id, revision] => Some(Self::document(
                DocumentKind::Advisory,
                &id.parse().ok()?,
                revision.parse().ok()?,
            )),
            ["correction", id, revision] => Some(Self::document(
                DocumentKind::Correction,
                &id.parse().ok()?,
                revision.parse().ok()?,
            )),
            _ => None,
        }
    }

    /// The path as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for FeedPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
