//! The trusted comment of a signature: what the signature is for.
//!
//! A minisign signature covers its trusted comment. Ours says role, name and revision, so that a
//! signature cannot be moved to another role, file or revision:
//! `spacecp role=feed name=head revision=12`.

use std::fmt;

use crate::{Document, DocumentKind, Role};

/// What a signature says it is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrustedComment {
    /// The role whose key signed.
    pub role: Role,
    /// The document's name.
    pub name: String,
    /// The document's revision, version or sequence.
    pub revision: u64,
}

/// Why a trusted comment is not one of ours.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("invalid trusted comment {found:?}; expected \"spacecp role=… name=… revision=…\"")]
pub struct CommentError {
    /// The comment, cut to a bearable length.
    pub found: String,
}

impl TrustedComment {
    /// The comment that a signature over `document` must carry.
    pub fn of<T: Document>(document: &T) -> Self {
        Self {
            role: T::KIND.role(),
            name: document.name().to_owned(),
            revision: document.revision(),
        }
    }

    /// The comment for a document that is known by kind, name and revision only.
    pub fn for_parts(kind: DocumentKind, name: &str, revision: u64) -> Self {
        Self {
            role: kind.role(),
            name: name.to_owned(),
            revision,
        }
    }

    /// Reads a comment. There is one way to write each, and no other is accepted.
    pub fn parse(text: &str) -> Result<Self, CommentError> {
        let parsed = Self::parts(text).filter(|comment| comment.to_string() == text);
        parsed.ok_or_else(|| CommentError {
            found: text.chars().take(120).collect(),
        })
    }

    fn parts(text: &str) -> Option<Self> {
        let mut words = text.strip_prefix("spacecp ")?.split(' ');
        let role = Role::from_word(words.next()?.strip_prefix("role=")?)?;
        let name = words.next()?.strip_prefix("name=")?.to_owned();
        let revision = words.next()?.strip_prefix("revision=")?.parse().ok()?;
        words.next().is_none().then_some(Self {
            role,
            name,
            revision,
        })
    }
}

impl fmt::Display for TrustedComment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "spacecp role={} name={} revision={}",
            self.role, self.name, self.revision
        )
    }
}
