//! Why something is not put into a feed, or does not become current there.

use std::{io, path::PathBuf};

use jiff::Timestamp;
use spacecp_contract::{Audience, DecodeError, Digest, DocumentId, DocumentKind, Role, Tlp};
use spacecp_trust::TrustError;

use crate::{sealing::SealError, sign::SignError};

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
    /// A file is not what its place says.
    #[error("{} is not what a feed has there: {source}", path.display())]
    Decode {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: DecodeError,
    },
    /// The revision is there already, with other contents.
    #[error("{id} revision {revision} is published already with other contents: make it revision {}", revision + 1)]
    Republished {
        /// The document.
        id: DocumentId,
        /// Its revision.
        revision: u64,
    },
    /// Panels never accept an older revision.
    #[error("{id} is published as revision {published}, and {revision} is not newer")]
    Older {
        /// The document.
        id: DocumentId,
        /// The revision offered.
        revision: u64,
        /// The revision that is there.
        published: u64,
    },
    /// A document for others.
    #[error("{id} is for {audience}, and this feed is for {feed}")]
    Audience {
        /// The document.
        id: DocumentId,
        /// Whom it is for.
        audience: Audience,
        /// Whom the feed is for.
        feed: Audience,
    },
    /// A key that does not hold the role.
    #[error("the key {key} does not hold the role {role} in root {version}")]
    Key {
        /// The key's id.
        key: String,
        /// The role.
        role: Role,
        /// The root's version.
        version: u64,
    },
    /// Fewer keys than the root demands.
    #[error("the role {role} demands {threshold} signatures, and {given} keys were given")]
    Threshold {
        /// The role.
        role: Role,
        /// How many are demanded.
        threshold: u32,
        /// How many were given.
        given: usize,
    },
    /// The feed has no root yet.
    #[error("{} has no root: make one with \"spacecp-publisher root new\"", .0.display())]
    NoRoot(PathBuf),
    /// A correction without its payload.
    #[error("the payload {digest} of {id} is missing or damaged: add the correction again")]
    Payload {
        /// The correction.
        id: DocumentId,
        /// The payload.
        digest: Digest,
    },
    /// An advisory names a correction that is not there.
    #[error("{advisory} names the correction {correction}, which this feed does not have")]
    MissingCorrection {
        /// The advisory.
        advisory: DocumentId,
        /// The correction.
        correction: DocumentId,
    },
    /// Nothing was ever broadcast.
    #[error("{} has no head: broadcast first", .0.display())]
    NoHead(PathBuf),
    /// What is current was not signed by any key that ever held the role.
    #[error("the head or the index in {} is not what was broadcast there: put back the last ones that were, from a mirror or a copy", .0.display())]
    Strange(PathBuf),
    /// No sequence comes after it.
    #[error(
        "sequence {0} is the last there is: let sequences start afresh with \"root revoke … --afresh\""
    )]
    UsedUp(u64),
    /// Something else was broadcast since the signatures were asked for.
    #[error(
        "sequence {asked} was asked for, and {next} comes next: something was broadcast meanwhile; ask for signatures anew"
    )]
    Overtaken {
        /// The sequence that was signed.
        asked: u64,
        /// The one that panels would follow.
        next: u64,
    },
    /// The root has expired: panels would refuse everything.
    #[error("root {version} expired on {expires}: make a new one first")]
    RootExpired {
        /// Its version.
        version: u64,
        /// When.
        expires: Timestamp,
    },
    /// Every panel would refuse it.
    #[error("{what} is not published, because every panel would refuse it: {source}")]
    Refused {
        /// What was to be published.
        what: String,
        /// What a panel says of it.
        source: TrustError,
    },
    /// A document under embargo without a place where nobody else reads it.
    #[error("{id} is {tlp}, and there is no desk where it could wait: name the desk")]
    NoDesk {
        /// The document.
        id: DocumentId,
        /// Its label.
        tlp: Tlp,
    },
    /// A feed with a private side, and no desk that knows what is in it.
    #[error("{} has a private side, and only the desk that sealed it can go on with it: name the desk", .0.display())]
    SealedElsewhere(PathBuf),
    /// A private side that this desk does not remember.
    #[error(
        "{} has a private side that this desk did not seal, or has forgotten: {} does not know of it. Go on at the desk that did, or put its memory back from a copy; if that is lost, see that everything under embargo is signed here, and broadcast with \"--seal-anew\"",
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
        "{id} would be public now, and panels were told that it is not before {planned}: wait, or broadcast with \"--disclose {id}\""
    )]
    Early {
        /// The advisory.
        id: DocumentId,
        /// The date.
        planned: Timestamp,
    },
    /// Nothing that could be taken back.
    #[error("no revision of the {kind} {id} waits for a broadcast of {}: what panels have is withdrawn, and not taken back", feed.display())]
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
        "{advisory} names the correction {correction}, which also answers {waits_for}: nobody can say whether that will be under embargo before it is signed"
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
        "the {kind} {id} is under embargo, and {} has it in clear: whoever could read the feed may know of it. Remove the file there, and sign it again",
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
        "the {kind} {id} is public as revision {public}, and revision {revision} would be under embargo: what is known cannot be made secret again. \"spacecp-publisher unsign\" takes it back"
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
        "{advisory} is public and names the correction {correction}, which answers something under embargo: it would tell of it"
    )]
    TellsOf {
        /// The advisory.
        advisory: DocumentId,
        /// The correction.
        correction: DocumentId,
    },
    /// A public advisory that names another one, which is under embargo.
    #[error(
        "{advisory} is public and names {embargoed}, which is under embargo: it would tell of it"
    )]
    Names {
        /// The advisory.
        advisory: DocumentId,
        /// The one that it names.
        embargoed: DocumentId,
    },
    /// Something is under embargo, and nobody may read it.
    #[error(
        "the {kind} {id} is under embargo, and no panel is enrolled that could read it: \"spacecp-publisher panel enrol\", or take it back if it was signed by mistake"
    )]
    NobodyEntitled {
        /// Its kind.
        kind: DocumentKind,
        /// The document.
        id: DocumentId,
    },
    /// What was sealed for a broadcast is there no more.
    #[error(
        "what was sealed for this broadcast is gone, or was sealed anew since: ask for signatures anew"
    )]
    SealedGone,
    /// What was for everybody when signatures were asked for, and is not any more.
    #[error(
        "the {kind} {id} is for everybody in this broadcast, and what was signed since does not let it go out: ask for signatures anew"
    )]
    SecretSince {
        /// Its kind.
        kind: DocumentKind,
        /// The document.
        id: DocumentId,
    },
    /// Others are entitled now than were when it was sealed.
    #[error(
        "panels were enrolled or revoked since this broadcast was sealed, and it is still for those before: ask for signatures anew"
    )]
    OtherReaders,
    /// Nothing was sealed.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// The signature was not made.
    #[error(transparent)]
    Sign(#[from] SignError),
}
