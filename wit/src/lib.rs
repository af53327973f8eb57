//! What a panel, its advisories plugin and the vendor share: the signed documents.
//!
//! The interfaces between panel and plugin are the `*.wit` files beside this crate; this crate
//! holds the other half of the contract, the documents that a vendor signs and everybody else
//! reads. It is pure: no I/O, no clock, no randomness, no keys. It knows nobody else.
//!
//! Reading always goes through [`decode`], which bounds size, depth and counts before anything is
//! allocated for them:
//!
//! ```
//! use spacecp_contract::{DecodeError, Head, Limits, decode};
//!
//! let error = decode::<Head>(b"\xdd\xff\xff\xff\xff", &Limits::default()).unwrap_err();
//! assert!(matches!(error, DecodeError::Shape { .. }), "{error}");
//! ```
#![forbid(unsafe_code)]

mod advisory;
#[cfg(feature = "bundle")]
pub mod archive;
#[cfg(feature = "bundle")]
pub mod bundle;
pub mod capsule;
mod codec;
mod comment;
mod correction;
mod delta;
mod digest;
mod ecosystem;
pub mod envelope;
mod feed;
mod fixed;
#[cfg(feature = "bundle")]
pub mod hand_over;
pub mod identity;
mod layout;
mod manifest;
mod name;
mod path;
mod preamble;
mod report;
mod root;
mod scope;
mod sealed;
mod severity;
mod shape;
mod source;
pub mod version;
mod way_out;

pub use advisory::{
    Advisory, Affected, Credit, Justification, NotAffected, NoticeKind, Others, Reference,
    TimelineEntry, Tlp, Unlisted, VersionRange, VersionScheme, Versions, Workaround,
};
pub use codec::{DecodeError, Document, DocumentKind, SCHEMA, decode, encode};
pub use comment::{CommentError, TrustedComment};
pub use correction::{Blob, Correction, FileChange, FileState, Requirement, Restart};
pub use delta::{DELTAS, IndexDelta, WORTH_A_DELTA};
pub use digest::{Digest, DigestError};
pub use ecosystem::{Ecosystem, Release};
pub use feed::{Head, Index, IndexEntry};
pub use layout::{FeedPath, SIGNATURE_SUFFIX};
pub use manifest::PluginManifest;
pub use name::{Audience, ComponentName, DocumentId, NameError};
pub use path::{PathError, TreePath};
pub use report::{
    Attachment, Finder, REPORT_SCHEMA, Report, ReportError, ReportLimits, ReportedVersion,
};
pub use root::{Role, RoleKeys, Root, TimeBounds};
pub use scope::{InScope, OrdinaryBug};
pub use sealed::{
    ObjectKey, Sealed, SealedEntry, SealedIndex, SealedIndexError, SealedObject, SealedPayload,
    most_sealed,
};
pub use severity::{Rating, Severity, rate};
pub use shape::{Limits, ShapeError};
pub use source::{LONGEST_REST, LONGEST_SOURCE_ID, Source, SourceFormat};
pub use way_out::{WayOut, ways_out};

/// The version of the WIT package that this crate belongs to.
pub const CONTRACT_VERSION: &str = "1.0.0";
