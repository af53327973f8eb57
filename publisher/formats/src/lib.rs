//! Other people's advisory formats, read and written: OSV and CSAF.
//!
//! [`osv`] and [`csaf`] turn one document into one advisory and back. [`json`] reads untrusted JSON
//! within [`Limits`], and [`extra_fields`] keeps what our fields do not say. Nothing here does I/O or
//! asks a clock; the publisher imports and exports with it.
//!
//! Three rules hold for both formats:
//!
//! - **Nothing is lost.** Before an advisory leaves here, the document is put together again from it
//!   and has to be the one that came.
//! - **Nothing is guessed.** Versions that decide about exposure are read in the order of their
//!   ecosystem; what cannot be read is named and makes the versions of that component unknown. What only
//!   adds to it and has no field here – a package of an ecosystem that no panel has, a severity that does
//!   not compute – is kept and named.
//! - **Nothing is loosened.** A document's TLP label is the least; whoever imports may only be
//!   stricter.
//!
//! ```
//! use spacecp_formats::{Format, Limits, Terms, json, restore, to_advisory};
//!
//! let record = br#"{
//!     "id": "GHSA-jfh8-c2jp-5v3q", "modified": "2026-01-01T00:00:00Z", "summary": "A flaw",
//!     "affected": [{ "package": { "ecosystem": "npm", "name": "left-pad" }, "versions": ["1.0.0"] }]
//! }"#;
//! let record = json::read(record, &Limits::default())?;
//! let converted = to_advisory(Format::Osv, &record, &Terms::public())?;
//! assert_eq!(&*converted.advisory.id, "GHSA-JFH8-C2JP-5V3Q");
//! assert_eq!(restore(Format::Osv, &converted.advisory), Some(Ok(record)));
//! # Ok::<(), spacecp_formats::Refusal>(())
//! ```
#![forbid(unsafe_code)]

pub mod csaf;
pub mod extra_fields;
mod ids;
pub mod json;
mod lenient;
mod limits;
mod mapping;
mod naming;
pub mod osv;
mod solution;
mod step_limit;
pub mod timeline;
pub mod vector;

use jiff::Timestamp;
use serde_json::Value;
use spacecp_contract::{Advisory, Audience, LONGEST_REST, Source, SourceFormat, Tlp};

pub use self::{
    extra_fields::RestoreError,
    json::JsonError,
    limits::Limits,
    mapping::{Mapped, ProductMap, Unmapped, key as product_key},
    naming::shown,
};

/// A format of other people's advisories.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Open Source Vulnerability, schema 1.x: <https://ossf.github.io/osv-schema/>.
    Osv,
    /// CSAF 2.0, and 2.1 as far as it has the same: <https://docs.oasis-open.org/csaf/csaf/v2.0/csaf-v2.0.html>.
    Csaf,
}

impl Format {
    /// Its name in signed documents.
    pub fn source(self) -> SourceFormat {
        match self {
            Self::Osv => SourceFormat::Osv,
            Self::Csaf => SourceFormat::Csaf,
        }
    }

    /// The id that a document says it has; empty if it says none.
    pub fn id_of(self, document: &Value) -> &str {
        let place = match self {
            Self::Osv => "/id",
            Self::Csaf => "/document/tracking/id",
        };
        document
            .pointer(place)
            .and_then(Value::as_str)
            .unwrap_or("")
    }
}

/// For whom documents are taken over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Terms {
    /// Whom the advisories are for.
    pub audience: Audience,
    /// A label that is at least this strict.
    pub tlp: Tlp,
    /// When what is not public is planned to become so.
    pub embargo_until: Option<Timestamp>,
    /// Which components the products are that no package URL names.
    pub products: ProductMap,
}

impl Terms {
    /// For everybody.
    pub fn public() -> Self {
        let audience = Audience::new(Audience::PUBLIC).expect("it is a lower-case word");
        Self {
            audience,
            tlp: Tlp::Clear,
            embargo_until: None,
            products: ProductMap::default(),
        }
    }

    /// Whether everybody may have what is taken over.
    fn is_public(&self) -> bool {
        self.audience.as_str() == Audience::PUBLIC
    }

    /// The date that goes with a label.
    fn embargo(&self, tlp: Tlp) -> Option<Timestamp> {
        self.embargo_until
            .filter(|_| matches!(tlp, Tlp::Amber | Tlp::AmberStrict | Tlp::Red))
    }

    /// The label of an advisory whose document has this one.
    fn label(&self, document: Option<Tlp>) -> Tlp {
        let document = document.unwrap_or(Tlp::Clear);
        if strictness(document) > strictness(self.tlp) {
            document
        } else {
            self.tlp
        }
    }
}

fn strictness(tlp: Tlp) -> u8 {
    match tlp {
        Tlp::Clear => 0,
        Tlp::Green => 1,
        Tlp::Amber => 2,
        Tlp::AmberStrict => 3,
        Tlp::Red => 4,
    }
}

/// An advisory that was made from a document, as revision 1.
#[derive(Debug, Clone, PartialEq)]
pub struct Converted {
    /// The advisory.
    pub advisory: Advisory,
    /// What of the document decides nothing here and is only kept, each with why.
    pub remarks: Vec<Remark>,
    /// Products that decide nothing because nobody has said which components they are.
    pub unmapped: Vec<Unmapped>,
}

/// A part of a document that is kept and decides nothing.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Remark {
    /// The field, as `affected[1].package`.
    pub field: String,
    /// Why.
    pub reason: String,
}

/// Why a document is not taken over.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// It is not read.
    #[error("{0}")]
    Json(#[from] JsonError),
    /// It is not a document of the format.
    #[error("{field}: {reason}")]
    Shape {
        /// The field.
        field: String,
        /// What is wrong, as the reader of the format says it.
        reason: String,
    },
    /// It is of another version of the format.
    #[error("{field}: {found:?} is not supported, only {read}")]
    Version {
        /// The field.
        field: &'static str,
        /// What it says.
        found: String,
        /// What is read.
        read: &'static str,
    },
    /// Its id cannot be made one of ours.
    #[error("{field}: {found:?} is not a valid advisory id: {reason}")]
    Id {
        /// The field.
        field: &'static str,
        /// The id.
        found: String,
        /// Why.
        reason: String,
    },
    /// A time that is none.
    #[error("{field}: {found:?} is not a time: {reason}")]
    Time {
        /// The field.
        field: String,
        /// What is there.
        found: String,
        /// Why.
        reason: String,
    },
    /// It speaks of nothing that a panel could have.
    #[error("{field}: unsupported package: {reason}")]
    Components {
        /// The field.
        field: &'static str,
        /// Why, for the first of them.
        reason: String,
    },
    /// Nobody has said which components its products are.
    #[error(
        "no product of it is a known component: {:?} has no package URL and is mapped to no component",
        .products.first().map_or("", Unmapped::best)
    )]
    Unmapped {
        /// The products.
        products: Vec<Unmapped>,
    },
    /// It may not be passed on like this.
    #[error("{field}: {reason}")]
    Sharing {
        /// The field.
        field: &'static str,
        /// Why, and what to do.
        reason: String,
    },
    /// It is small, and following what it says is endless.
    #[error("its references exceed the limit of {most} steps")]
    Steps {
        /// The limit.
        most: usize,
    },
    /// More is left over than an advisory can keep.
    #[error("{rest} bytes of extra fields exceed the limit of {LONGEST_REST}")]
    TooMuch {
        /// How many bytes.
        rest: usize,
    },
    /// What would be given back is not what came.
    #[error("it cannot be exported unchanged, so it is not imported: {0}")]
    Lossy(RestoreError),
}

/// Turns one document into an advisory.
///
/// # Errors
///
/// [`Refusal`], with the field and what is wrong.
pub fn to_advisory(format: Format, document: &Value, terms: &Terms) -> Result<Converted, Refusal> {
    let (id, mut taken) = match format {
        Format::Osv => osv::to_advisory(document, terms)?,
        Format::Csaf => csaf::to_advisory(document, terms)?,
    };
    // Others call it by the name that it has there.
    let aliases = &mut taken.advisory.aliases;
    if id != *taken.advisory.id && !aliases.contains(&id) {
        aliases.push(id.clone());
    }
    let source = taken.advisory.source.insert(Box::new(Source {
        format: format.source(),
        id,
        digest: extra_fields::digest(document),
        rest: String::new(),
    }));
    let mut source = source.clone();
    let said = said(format, &taken.advisory);
    source.rest = extra_fields::difference(&said, document);
    if source.rest.len() > LONGEST_REST {
        return Err(Refusal::TooMuch {
            rest: source.rest.len(),
        });
    }
    // The proof that nothing is lost, for this very document.
    extra_fields::restore(said, &source).map_err(Refusal::Lossy)?;
    taken.advisory.source = Some(source);
    Ok(taken)
}

/// The document that an advisory was made from, as it came; none if it was made from none of this
/// format.
///
/// # Errors
///
/// [`RestoreError`] where the advisory no longer says what the document said.
pub fn restore(format: Format, advisory: &Advisory) -> Option<Result<Value, RestoreError>> {
    let source = advisory.source.as_ref()?;
    (source.format == format.source())
        .then(|| extra_fields::restore(said(format, advisory), source))
}

/// What the fields of an advisory say of the document that it was made from.
fn said(format: Format, advisory: &Advisory) -> Value {
    match format {
        Format::Osv => osv::document(advisory),
        Format::Csaf => csaf::said(advisory),
    }
}
