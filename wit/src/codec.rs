//! Turns signed documents into bytes and back.
//!
//! MessagePack with named fields; the outermost map also says `schema` and `kind`. Fields that a
//! reader does not know are ignored; a schema above [`SCHEMA`] is refused by name. A decoded
//! document is not yet a trusted one: whoever decodes has verified the signature over the very
//! same bytes, or treats the result as a stranger's word.

use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::{
    Limits, Role, ShapeError,
    preamble::{Preamble, PreambleError},
};

/// The schema that this crate writes, and the highest that it reads.
pub const SCHEMA: u32 = 1;

/// The kinds of signed document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DocumentKind {
    /// [`crate::Root`]
    Root,
    /// [`crate::Head`]
    Head,
    /// [`crate::Index`]
    Index,
    /// [`crate::Advisory`]
    Advisory,
    /// [`crate::Correction`]
    Correction,
    /// [`crate::PluginManifest`]
    Plugin,
}

impl DocumentKind {
    /// The word that documents, file names and trusted comments use.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Root => "root",
            Self::Head => "head",
            Self::Index => "index",
            Self::Advisory => "advisory",
            Self::Correction => "correction",
            Self::Plugin => "plugin",
        }
    }

    /// The role whose keys sign documents of this kind.
    pub fn role(self) -> Role {
        match self {
            Self::Root => Role::Root,
            Self::Head | Self::Index => Role::Feed,
            Self::Advisory => Role::Advisory,
            Self::Correction => Role::Correction,
            Self::Plugin => Role::Plugin,
        }
    }
}

impl std::fmt::Display for DocumentKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A document that somebody signs.
pub trait Document: Serialize + DeserializeOwned {
    /// What kind it is.
    const KIND: DocumentKind;

    /// What its trusted comment calls it: its id, or its kind where there is only one.
    fn name(&self) -> &str;

    /// What its trusted comment calls its revision: revision, version or sequence.
    fn revision(&self) -> u64;

    /// Checks what serde cannot: that the parts fit each other. The error says what does not.
    fn validate(&self) -> Result<(), String> {
        Ok(())
    }
}

/// Why bytes are not a document.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// Beyond a limit, cut short, or not MessagePack.
    #[error("not a readable {kind}: {source}")]
    Shape {
        /// What was looked for.
        kind: DocumentKind,
        /// What is wrong.
        source: ShapeError,
    },
    /// Another kind of document.
    #[error("expected a {expected}, found a {found}")]
    Kind {
        /// What was looked for.
        expected: DocumentKind,
        /// What it says it is.
        found: String,
    },
    /// Written for a newer reader.
    #[error(
        "this {kind} has schema {found}, but this program supports up to {SCHEMA}: update spacecp-advisories"
    )]
    Schema {
        /// What was looked for.
        kind: DocumentKind,
        /// Its schema.
        found: u32,
    },
    /// A field is missing, or of another type, or has a value that it may not have.
    #[error("not a readable {kind}: {reason}")]
    Field {
        /// What was looked for.
        kind: DocumentKind,
        /// What is wrong.
        reason: String,
    },
    /// Its parts do not fit each other.
    #[error("inconsistent {kind}: {reason}")]
    Invalid {
        /// What was looked for.
        kind: DocumentKind,
        /// What is wrong.
        reason: String,
    },
}

impl DecodeError {
    /// The same without the values that were found, which may be under embargo.
    #[must_use]
    pub fn without_contents(self) -> Self {
        match self {
            Self::Kind { expected, .. } => Self::Kind {
                expected,
                found: "document of another kind".to_owned(),
            },
            Self::Field { kind, .. } => Self::Field {
                kind,
                reason: "a field is missing or has an invalid value".to_owned(),
            },
            Self::Invalid { kind, .. } => Self::Invalid {
                kind,
                reason: "fields contradict each other".to_owned(),
            },
            other @ (Self::Shape { .. } | Self::Schema { .. }) => other,
        }
    }
}

#[derive(Serialize)]
struct Outgoing<'a, T> {
    schema: u32,
    kind: DocumentKind,
    #[serde(flatten)]
    document: &'a T,
}

/// Reads a document, refusing what is beyond `limits` before allocating for it.
pub fn decode<T: Document>(bytes: &[u8], limits: &Limits) -> Result<T, DecodeError> {
    read(bytes, limits, T::KIND, T::validate)
}

/// Reads a document of this kind, which may go on using the bytes.
pub(crate) fn read<'a, T: Deserialize<'a>>(
    bytes: &'a [u8],
    limits: &Limits,
    kind: DocumentKind,
    validate: impl FnOnce(&T) -> Result<(), String>,
) -> Result<T, DecodeError> {
    let refused = |error| match error {
        PreambleError::Shape(source) => DecodeError::Shape { kind, source },
        error => DecodeError::Field {
            kind,
            reason: error.to_string(),
        },
    };
    let preamble = Preamble::read(bytes, limits).map_err(refused)?;
    if preamble.kind != kind.as_str() {
        return Err(DecodeError::Kind {
            expected: kind,
            found: preamble.kind.chars().take(32).collect(),
        });
    }
    if preamble.schema > SCHEMA {
        return Err(DecodeError::Schema {
            kind,
            found: preamble.schema,
        });
    }
    preamble.names_fields().map_err(refused)?;
    let document: T = rmp_serde::from_slice(bytes).map_err(|error| DecodeError::Field {
        kind,
        reason: error.to_string(),
    })?;
    validate(&document).map_err(|reason| DecodeError::Invalid { kind, reason })?;
    Ok(document)
}

/// Writes a document as the bytes to sign.
pub fn encode<T: Document>(document: &T) -> Vec<u8> {
    rmp_serde::to_vec_named(&Outgoing { schema: SCHEMA, kind: T::KIND, document })
        .expect("documents hold nothing that MessagePack cannot: no maps with unusual keys, no failing writers")
}
