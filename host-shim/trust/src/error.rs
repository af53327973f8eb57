//! Why something is not believed. Each variant is an attack or a fault that looks like one.

use jiff::Timestamp;
use spacecp_contract::{
    Audience, DecodeError, Digest, DocumentKind, Role, SealedIndexError, TimeBounds, Tlp,
    envelope::BucketError,
};

use super::OpenError;

/// Why something is not believed.
///
/// `what` is the document as the feed names it: `head`, `root 3`, `advisory SPACECP-SA-2026-0007`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TrustError {
    /// The signature file is not one.
    #[error("cannot parse the signatures of the {what}: {reason}")]
    SignatureFile {
        /// The document.
        what: String,
        /// What is wrong.
        reason: String,
    },
    /// Too few good signatures by keys of the role.
    #[error("the {what} is not sufficiently signed: {good} of {needed} required valid signatures by keys of the role {role}{}", note.as_ref().map(|note| format!(" ({note})")).unwrap_or_default())]
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
    #[error("invalid {what}: {source}")]
    Decode {
        /// The document.
        what: String,
        /// What is wrong.
        source: DecodeError,
    },
    /// A genuine document in the place of another.
    #[error("the feed served the {found} instead of the {what} (moved document)")]
    Moved {
        /// The document asked for.
        what: String,
        /// The one served.
        found: String,
    },
    /// For others.
    #[error("the {what} is for the audience {found}, not {expected} (replay from another feed)")]
    Audience {
        /// The document.
        what: String,
        /// Whom it is for.
        found: Audience,
        /// Whom it should be for.
        expected: Audience,
    },
    /// Another first root than the one that is pinned.
    #[error("the first root has fingerprint {found}, but the configuration pins {pinned}")]
    Fingerprint {
        /// The fingerprint in the configuration.
        pinned: Digest,
        /// That of the root offered.
        found: Digest,
    },
    /// A root that does not follow the one before.
    #[error("root {found} does not directly follow the trusted root {trusted}")]
    RootVersion {
        /// The trusted version.
        trusted: u64,
        /// The one offered.
        found: u64,
    },
    /// The newest root has expired.
    #[error(
        "root {version} expired on {expires} (freeze). Nothing new is accepted until the vendor publishes the next root"
    )]
    RootExpired {
        /// Its version.
        version: u64,
        /// When.
        expires: Timestamp,
        /// The digest of its bytes.
        digest: Digest,
    },
    /// The newest root was seen expired before, and the clock has gone back since.
    #[error(
        "root {version} was seen expired before and stays expired regardless of the clock (freeze). Wait for the vendor's next root; if the clock was wrong then, run \"spacecp-advisories trust clock-reset\""
    )]
    RootSeenExpired {
        /// Its version.
        version: u64,
    },
    /// The newest root is issued in the future.
    #[error(
        "root {version} was issued on {issued}, after the current time {now}. Check the clock; if it is right, ask the vendor for the next root"
    )]
    RootIssuedAhead {
        /// Its version.
        version: u64,
        /// When it says that it was issued.
        issued: Timestamp,
        /// The time here.
        now: Timestamp,
    },
    /// The newest root would be good for longer than any may be.
    #[error(
        "root {version} is valid from {issued} until {expires}, longer than the limit of {} days (excessive lifetime)",
        TimeBounds::MOST_ROOT_DAYS
    )]
    RootLifetime {
        /// Its version.
        version: u64,
        /// When it was issued.
        issued: Timestamp,
        /// When it expires.
        expires: Timestamp,
    },
    /// The head has expired.
    #[error("head {sequence} expired on {expires}: the feed is outdated or withheld (freeze)")]
    HeadExpired {
        /// Its sequence.
        sequence: u64,
        /// The sequence epoch that it was verified in.
        epoch: u64,
        /// When.
        expires: Timestamp,
        /// The digest of its bytes.
        digest: Digest,
    },
    /// This head, or a later one, was seen expired before, and the clock has gone back since.
    #[error(
        "head {sequence} or a later one was seen expired before and stays expired regardless of the clock (freeze). Wait for the vendor's next head; if the clock was wrong then, run \"spacecp-advisories trust clock-reset\""
    )]
    HeadSeenExpired {
        /// Its sequence.
        sequence: u64,
    },
    /// The head is issued in the future.
    #[error(
        "head {sequence} was issued on {issued}, after the current time {now}. Check the clock with a time service"
    )]
    HeadIssuedAhead {
        /// Its sequence.
        sequence: u64,
        /// When it says that it was issued.
        issued: Timestamp,
        /// The time here.
        now: Timestamp,
    },
    /// The head would be good for longer than the root allows.
    #[error(
        "head {sequence} is valid from {issued} until {expires}, longer than the {most_days} days allowed by the root (excessive lifetime)"
    )]
    HeadLifetime {
        /// Its sequence.
        sequence: u64,
        /// When it was issued.
        issued: Timestamp,
        /// When it expires.
        expires: Timestamp,
        /// Days that the root allows.
        most_days: i64,
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
    #[error("two different heads have sequence {sequence} (equivocation); keeping the first")]
    Equivocation {
        /// The sequence.
        sequence: u64,
    },
    /// The head was made under a root that cannot be found.
    #[error("the head requires root {wanted}, but the feed has roots up to {trusted} only")]
    RootWithheld {
        /// The root that the head names.
        wanted: u64,
        /// The newest that is trusted.
        trusted: u64,
    },
    /// Bytes that are not those announced.
    #[error("digest mismatch of the {what}: {announced} announced, {found} served (mix-and-match)")]
    Digest {
        /// The document.
        what: String,
        /// The digest announced.
        announced: Digest,
        /// The digest of what was served.
        found: Digest,
    },
    /// A length that is not the one announced.
    #[error("the {what} has {found} bytes, {announced} were announced")]
    Length {
        /// The document.
        what: String,
        /// The length announced.
        announced: u64,
        /// The length served.
        found: u64,
    },
    /// The index is of another sequence than the head.
    #[error("the index has sequence {found}, the head {expected} (mix-and-match)")]
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
        "the {kind} {id} changed without a new revision ({revision}); keeping the first (equivocation)"
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
    /// An index without a sealed side after one that had it.
    #[error("index {found} lacks the sealed side that index {trusted} had (rollback)")]
    SealedSideDropped {
        /// The sequence of the trusted index.
        trusted: u64,
        /// That of the one offered.
        found: u64,
    },
    /// A bucket of envelopes that is none.
    #[error("cannot parse bucket {number} of the sealed broadcast: {source}")]
    Bucket {
        /// Which.
        number: usize,
        /// What is wrong.
        source: BucketError,
    },
    /// An envelope that lies where this panel's does, and is not for it.
    #[error(
        "cannot decrypt this panel's envelope in bucket {number} of the sealed broadcast: it was encrypted to another panel"
    )]
    Envelope {
        /// The bucket.
        number: usize,
    },
    /// Something sealed that does not open.
    #[error("cannot decrypt the {what}: {source}")]
    Unopened {
        /// The file.
        what: String,
        /// What is wrong.
        source: OpenError,
    },
    /// Something sealed whose contents are not those that are listed.
    #[error("the contents of the {what} are not those listed (mix-and-match)")]
    SealedContents {
        /// The document.
        what: String,
    },
    /// A sealed index that was opened, and cannot be read all the same.
    #[error("invalid sealed index: {source}")]
    SealedIndex {
        /// What is wrong.
        source: SealedIndexError,
    },
    /// A document under embargo that anybody can read.
    #[error(
        "advisory {id} is {tlp} but is published unencrypted; embargoed documents must be sealed"
    )]
    Exposed {
        /// Its id.
        id: String,
        /// Its label.
        tlp: Tlp,
    },
    /// A public document that only some can read.
    #[error("advisory {id} is {tlp} but sealed; only embargoed documents may be sealed")]
    Concealed {
        /// Its id.
        id: String,
        /// Its label.
        tlp: Tlp,
    },
    /// A document in public and in private at once.
    #[error("the {kind} {id} is both public (revision {plain}) and sealed (revision {sealed})")]
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
        "plugin {plugin} is release {found}, older than release {trusted} that ran before (rollback)"
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
    /// The same about something that is or may be under embargo: what is wrong, and nothing of its contents. Digests
    /// of contents tell what they are, and so do the values that a decoder complains of.
    #[must_use]
    pub fn without_contents(self) -> Self {
        match self {
            Self::Digest { what, .. } | Self::Length { what, .. } => Self::SealedContents { what },
            Self::Decode { what, source } => Self::Decode {
                what,
                source: source.without_contents(),
            },
            Self::SealedIndex { source } => Self::SealedIndex {
                source: source.without_contents(),
            },
            other => other,
        }
    }
}
