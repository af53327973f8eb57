//! Why something is not believed. Each variant is an attack or a fault that looks like one.

use jiff::Timestamp;
use spacecp_contract::{
    Audience, DecodeError, Digest, DocumentKind, Head, Role, SealedIndexError, Tlp,
    envelope::BucketError,
};

use super::{OpenError, Verified};

/// Why something is not believed.
///
/// `what` is the document as the feed names it: `head`, `root 3`, `advisory SPACECP-SA-2026-0007`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TrustError {
    /// The signature file is not one.
    #[error("the signatures of the {what} cannot be read: {reason}")]
    SignatureFile {
        /// The document.
        what: String,
        /// What is wrong.
        reason: String,
    },
    /// Too few good signatures by keys of the role.
    #[error("the {what} is not signed as it must be: {good} good signatures by keys of the role {role}, and {needed} are needed{}", note.as_ref().map(|note| format!(" ({note})")).unwrap_or_default())]
    Signatures {
        /// The document.
        what: String,
        /// The role whose keys had to sign.
        role: Role,
        /// Good signatures by different keys.
        good: u32,
        /// Signatures needed.
        needed: u32,
        /// Why the first bad one is bad.
        note: Option<String>,
    },
    /// The bytes were signed, and cannot be read all the same.
    #[error("the {what} cannot be used: {source}")]
    Decode {
        /// The document.
        what: String,
        /// What is wrong.
        source: DecodeError,
    },
    /// A genuine document in the place of another.
    #[error("the {what} was asked for, and the {found} was served in its place (a moved document)")]
    Moved {
        /// The document asked for.
        what: String,
        /// The one served.
        found: String,
    },
    /// For others.
    #[error(
        "the {what} is for {found}, and this panel follows a feed for {expected} (a replay from another feed)"
    )]
    Audience {
        /// The document.
        what: String,
        /// Whom it is for.
        found: Audience,
        /// Whom it should be for.
        expected: Audience,
    },
    /// Another first root than the one that is pinned.
    #[error(
        "the first root is not the pinned one: its fingerprint is {found}, and the configuration says {pinned}"
    )]
    Fingerprint {
        /// The fingerprint in the configuration.
        pinned: Digest,
        /// That of the root offered.
        found: Digest,
    },
    /// A root that does not follow the one before.
    #[error("root {found} does not follow root {trusted}: roots come one by one")]
    RootVersion {
        /// The trusted version.
        trusted: u64,
        /// The one offered.
        found: u64,
    },
    /// The newest root has expired.
    #[error(
        "root {version} expired on {expires}: nothing new can be decided until the vendor issues another (freeze)"
    )]
    RootExpired {
        /// Its version.
        version: u64,
        /// When.
        expires: Timestamp,
    },
    /// The head has expired.
    #[error("head {sequence} expired on {expires}: the feed is stale or held back (freeze)")]
    HeadExpired {
        /// Its sequence.
        sequence: u64,
        /// When.
        expires: Timestamp,
        /// The digest of its bytes.
        digest: Digest,
    },
    /// The sequence went back.
    #[error("the feed went back from sequence {trusted} to {found} (rollback)")]
    Sequence {
        /// The trusted sequence.
        trusted: u64,
        /// The one offered.
        found: u64,
    },
    /// Two heads with one sequence.
    #[error(
        "there are two different heads of sequence {sequence} (equivocation); the first one is kept"
    )]
    Equivocation {
        /// The sequence.
        sequence: u64,
    },
    /// The head was made under a root that cannot be found.
    #[error("the head was made under root {wanted}, and the feed has roots up to {trusted} only")]
    RootWithheld {
        /// The root that the head names.
        wanted: u64,
        /// The newest that is trusted.
        trusted: u64,
    },
    /// Bytes that are not those announced.
    #[error(
        "the {what} is not the one announced: {announced} was announced and {found} is served (mix-and-match)"
    )]
    Digest {
        /// The document.
        what: String,
        /// The digest announced.
        announced: Digest,
        /// The digest of what was served.
        found: Digest,
    },
    /// A length that is not the one announced.
    #[error("the {what} has {found} bytes, and {announced} were announced")]
    Length {
        /// The document.
        what: String,
        /// The length announced.
        announced: u64,
        /// The length served.
        found: u64,
    },
    /// The index is of another sequence than the head.
    #[error("the index is of sequence {found}, and the head of {expected} (mix-and-match)")]
    IndexSequence {
        /// The head's.
        expected: u64,
        /// The index's.
        found: u64,
    },
    /// A document's revision went back.
    #[error("the {kind} {id} went back from revision {trusted} to {found} (rollback)")]
    Revision {
        /// Its kind.
        kind: DocumentKind,
        /// Its id.
        id: String,
        /// The trusted revision.
        trusted: u64,
        /// The one offered.
        found: u64,
    },
    /// A document changed without a new revision.
    #[error(
        "the {kind} {id} changed without a new revision ({revision}); the first one is kept (equivocation)"
    )]
    Changed {
        /// Its kind.
        kind: DocumentKind,
        /// Its id.
        id: String,
        /// The revision.
        revision: u64,
    },
    /// A document is no longer listed.
    #[error(
        "the {kind} {id} is no longer in the index; advisories are withdrawn, never removed (rollback)"
    )]
    Removed {
        /// Its kind.
        kind: DocumentKind,
        /// Its id.
        id: String,
    },
    /// A bucket of envelopes that is none.
    #[error("bucket {number} of the private broadcast cannot be read: {source}")]
    Bucket {
        /// Which.
        number: usize,
        /// What is wrong.
        source: BucketError,
    },
    /// An envelope that lies where this panel's does, and is not for it.
    #[error(
        "the envelope at this panel's place in bucket {number} of the private broadcast does not open with its identity: it was made for another panel"
    )]
    Envelope {
        /// The bucket.
        number: usize,
    },
    /// Something sealed that does not open.
    #[error("the {what} cannot be opened: {source}")]
    Unopened {
        /// The file.
        what: String,
        /// What is wrong.
        source: OpenError,
    },
    /// A sealed index that was opened, and cannot be read all the same.
    #[error("the sealed index cannot be used: {source}")]
    SealedIndex {
        /// What is wrong.
        source: SealedIndexError,
    },
    /// A document under embargo that anybody can read.
    #[error(
        "the advisory {id} is {tlp} and lies in the feed for everybody to read; what is under embargo comes sealed"
    )]
    Exposed {
        /// Its id.
        id: String,
        /// Its label.
        tlp: Tlp,
    },
    /// A public document that only some can read.
    #[error(
        "the advisory {id} is {tlp} and comes sealed; what is not under embargo is for everybody"
    )]
    Concealed {
        /// Its id.
        id: String,
        /// Its label.
        tlp: Tlp,
    },
    /// A document in public and in private at once.
    #[error(
        "the {kind} {id} is in public as revision {plain} and under embargo as revision {sealed} at once: nobody can say which holds"
    )]
    BothSides {
        /// Its kind.
        kind: DocumentKind,
        /// Its id.
        id: String,
        /// The revision in public.
        plain: u64,
        /// The sealed one.
        sealed: u64,
    },
    /// An older plugin than the one that ran before.
    #[error(
        "the plugin {plugin} is release {found}, and release {trusted} ran here before (rollback)"
    )]
    PluginRelease {
        /// The plugin.
        plugin: String,
        /// The release that ran.
        trusted: u64,
        /// The one offered.
        found: u64,
    },
}

impl TrustError {
    /// What there is to say of a head that has expired.
    pub(super) fn head_expired(head: &Verified<Head>) -> Self {
        Self::HeadExpired {
            sequence: head.sequence,
            expires: head.expires,
            digest: Digest::of(head.bytes()),
        }
    }
}
