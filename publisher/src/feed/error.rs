//! Why something is not put into a feed, or does not become current there.

use std::{io, path::PathBuf};

use jiff::Timestamp;
use spacecp_contract::{Audience, DecodeError, Digest, DocumentId, DocumentKind, Role, Tlp};
use spacecp_trust::{TrustError, workflow::WorkflowError};

use crate::{
    cases::policy::PolicyError, feed_directory::FileError, record::RecordError, sealing::SealError,
    sign::SignError,
};

/// Why something is not put into a feed.
#[derive(Debug, thiserror::Error)]
pub enum FeedError {
    /// A file cannot be read or written.
    #[error("cannot use {}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: io::Error,
    },
    /// A file of the feed cannot be used.
    #[error(transparent)]
    Directory(#[from] FileError),
    /// A file is not what its place says.
    #[error("invalid file in the feed: {}: {source}", path.display())]
    Decode {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: DecodeError,
    },
    /// The revision is there already, with other contents.
    #[error("{id} revision {revision} is already published with other contents; use revision {}", revision + 1)]
    Republished {
        /// The document.
        id: DocumentId,
        /// Its revision.
        revision: u64,
    },
    /// Panels never accept an older revision.
    #[error("{id} is published as revision {published}; {revision} is not newer")]
    Older {
        /// The document.
        id: DocumentId,
        /// The revision offered.
        revision: u64,
        /// The revision that is there.
        published: u64,
    },
    /// A document for others.
    #[error("{id} is for the audience {audience}, this feed for {feed}")]
    Audience {
        /// The document.
        id: DocumentId,
        /// Whom it is for.
        audience: Audience,
        /// Whom the feed is for.
        feed: Audience,
    },
    /// A key that does not hold the role.
    #[error("key {key} does not have the role {role} in root {version}")]
    Key {
        /// The key's id.
        key: String,
        /// The role.
        role: Role,
        /// The root's version.
        version: u64,
    },
    /// Fewer keys than the root demands.
    #[error("the role {role} requires {threshold} signatures, but {given} keys were given")]
    Threshold {
        /// The role.
        role: Role,
        /// How many are demanded.
        threshold: u32,
        /// How many were given.
        given: usize,
    },
    /// The feed has no root yet.
    #[error("{} has no root; create one with \"spacecp-publisher root new\"", .0.display())]
    NoRoot(PathBuf),
    /// A correction without its payload.
    #[error("payload {digest} of {id} is missing or damaged; build the correction again")]
    Payload {
        /// The correction.
        id: DocumentId,
        /// The payload.
        digest: Digest,
    },
    /// An advisory names a correction that is not there.
    #[error("{advisory} refers to correction {correction}, which is not in this feed")]
    MissingCorrection {
        /// The advisory.
        advisory: DocumentId,
        /// The correction.
        correction: DocumentId,
    },
    /// Nothing was ever broadcast.
    #[error("{} has no head; run \"spacecp-publisher broadcast\" first", .0.display())]
    NoHead(PathBuf),
    /// What is current was not signed by any key that ever held the role.
    #[error("the head or index in {} differs from the published one. Restore it from a mirror or a copy", .0.display())]
    Strange(PathBuf),
    /// No sequence comes after it.
    #[error(
        "sequence {0} is the highest possible; restart sequences with \"root revoke … --afresh\""
    )]
    UsedUp(u64),
    /// Something else was broadcast since the signatures were asked for.
    #[error(
        "the request is for sequence {asked}, but {next} is next: something was published meanwhile. Create the signing requests again"
    )]
    Overtaken {
        /// The sequence that was signed.
        asked: u64,
        /// The one that panels would follow.
        next: u64,
    },
    /// The root has expired: panels would refuse everything.
    #[error("root {version} expired on {expires}; create a new one first")]
    RootExpired {
        /// Its version.
        version: u64,
        /// When.
        expires: Timestamp,
    },
    /// The head would be good for longer than the root allows.
    #[error(
        "the lifetime of the head exceeds the {most_days} days allowed by root {version}. Lower --expires, or raise the limit with \"root renew --head-days DAYS\""
    )]
    HeadLifetime {
        /// The root's version.
        version: u64,
        /// Days that it allows.
        most_days: i64,
    },
    /// Every panel would refuse it.
    #[error("cannot publish {what}: every panel would reject it: {source}")]
    Refused {
        /// What was to be published.
        what: String,
        /// What a panel says of it.
        source: TrustError,
    },
    /// No panel could follow it.
    #[error("cannot publish {what}: no panel could follow it: {source}")]
    Unfollowable {
        /// What was to be published.
        what: String,
        /// What a panel says of it.
        source: WorkflowError,
    },
    /// A panel that is entitled to the private side does not find in it what was sealed.
    #[error(
        "cannot publish sequence {sequence}: a recipient would not find every sealed document. Broadcast again"
    )]
    Unreadable {
        /// The sequence.
        sequence: u64,
    },
    /// A document under embargo without a place where nobody else reads it.
    #[error("{id} is {tlp} and must be kept in the working directory until broadcast; pass --desk")]
    NoDesk {
        /// The document.
        id: DocumentId,
        /// Its label.
        tlp: Tlp,
    },
    /// A feed with a private side, and no desk that knows what is in it.
    #[error("{} has a sealed side, which needs the working directory that encrypted it; pass --desk", .0.display())]
    SealedElsewhere(PathBuf),
    /// A private side that this desk does not remember.
    #[error(
        "the sealed side of {} is not recorded in {}. Continue in the working directory that encrypted it, or restore its record from a copy; if the record is lost, sign every embargoed document here and broadcast with \"--seal-anew\"",
        feed.display(), ledger.display()
    )]
    NotRemembered {
        /// The feed.
        feed: PathBuf,
        /// What the desk remembers.
        ledger: PathBuf,
    },
    /// Something that would be public before the date that was planned.
    #[error(
        "{id} would become public before the announced date {planned}. Wait, or broadcast with \"--disclose {id}\""
    )]
    Early {
        /// The advisory.
        id: DocumentId,
        /// The date.
        planned: Timestamp,
    },
    /// Nothing that could be taken back.
    #[error("no pending revision of the {kind} {id} in {}. A published advisory can only be withdrawn; \"disown\" a document that others signed with your keys", feed.display())]
    NotWaiting {
        /// Its kind.
        kind: DocumentKind,
        /// The document.
        id: DocumentId,
        /// The feed.
        feed: PathBuf,
    },
    /// A correction that stays on the desk, and is asked for.
    #[error(
        "{advisory} refers to correction {correction}, which also fixes {waits_for}. Sign {waits_for} first: whether it is under embargo is not known yet"
    )]
    HeldBack {
        /// The advisory.
        advisory: DocumentId,
        /// The correction.
        correction: DocumentId,
        /// The advisory that is not signed.
        waits_for: DocumentId,
    },
    /// A document under embargo that lies in the feed for everybody to read.
    #[error(
        "the {kind} {id} is under embargo but unencrypted in {}, so readers of the feed may have seen it. Remove the file there and sign it again",
        path.display()
    )]
    InClear {
        /// Its kind.
        kind: DocumentKind,
        /// The document.
        id: DocumentId,
        /// Where it lies.
        path: PathBuf,
    },
    /// A document that was public before.
    #[error(
        "the {kind} {id} is public as revision {public}, so revision {revision} cannot be under embargo. Discard the pending revision with \"spacecp-publisher discard-pending\""
    )]
    KnownAlready {
        /// Its kind.
        kind: DocumentKind,
        /// The document.
        id: DocumentId,
        /// The public revision.
        public: u64,
        /// The revision offered.
        revision: u64,
    },
    /// A public advisory that names something under embargo.
    #[error(
        "public advisory {advisory} refers to correction {correction}, which fixes an embargoed advisory and would reveal it"
    )]
    TellsOf {
        /// The advisory.
        advisory: DocumentId,
        /// The correction.
        correction: DocumentId,
    },
    /// A public advisory that names another one, which is under embargo.
    #[error(
        "public advisory {advisory} refers to {embargoed}, which is under embargo, and would reveal it"
    )]
    Names {
        /// The advisory.
        advisory: DocumentId,
        /// The one that it names.
        embargoed: DocumentId,
    },
    /// Something is under embargo, and nobody may read it.
    #[error(
        "the {kind} {id} is under embargo, but no panel is enrolled. Run \"spacecp-publisher panel enrol\", or \"discard-pending\" if it was signed by mistake"
    )]
    NobodyEntitled {
        /// Its kind.
        kind: DocumentKind,
        /// The document.
        id: DocumentId,
    },
    /// What was sealed for a broadcast is there no more.
    #[error(
        "the encrypted files of this broadcast are missing or were replaced. Create the signing requests again"
    )]
    SealedGone,
    /// What was for everybody when signatures were asked for, and is not any more.
    #[error(
        "the {kind} {id} is public in this broadcast, which documents signed since then do not allow. Create the signing requests again"
    )]
    SecretSince {
        /// Its kind.
        kind: DocumentKind,
        /// The document.
        id: DocumentId,
    },
    /// Others are entitled now than were when it was sealed.
    #[error(
        "panels were enrolled or revoked after this broadcast was encrypted. Create the signing requests again"
    )]
    OtherReaders,
    /// The published folder and the desk's record of it differ, or there is none.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// The disclosure policy forbids it.
    #[error(transparent)]
    Policy(#[from] PolicyError),
    /// Nothing was sealed.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// The signature was not made.
    #[error(transparent)]
    Sign(#[from] SignError),
}
