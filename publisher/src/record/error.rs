//! Why a published folder, or the record of it, is not gone on with.

use std::{io, path::PathBuf};

use jiff::Timestamp;
use spacecp_contract::{DocumentId, DocumentKind};

/// Why a command refuses to go on with a published folder.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// The record cannot be read or written.
    #[error("cannot use {}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: io::Error,
    },
    /// The record is not what this program wrote.
    #[error("invalid publication record {} (line {line}): {reason}. Restore it from version control", path.display())]
    Format {
        /// The file.
        path: PathBuf,
        /// The line.
        line: usize,
        /// What is wrong.
        reason: String,
    },
    /// A command that publishes has no desk to keep the record in.
    #[error("cannot publish in {}: the publication record is in the working directory. Pass --desk", .0.display())]
    Deskless(PathBuf),
    /// The folder was published by a desk that kept no record, or another one.
    #[error("{} was published before, but the publication record {} does not exist, so its sequence cannot be checked. Compare the sequence with a panel, then run \"recover-from feed {}\"", feed.display(), record.display(), feed.display())]
    Missing {
        /// The published folder.
        feed: PathBuf,
        /// The record that is not there.
        record: PathBuf,
    },
    /// The head of the folder is older than the recorded one, or gone.
    #[error("{} was rolled back: it has {}, but sequence {recorded} was published. Restore a newer copy of the directory, or run \"recover-from record {}\"", feed.display(), found.map_or_else(|| "no head".to_owned(), |found| format!("sequence {found}")), feed.display())]
    FeedRolledBack {
        /// The published folder.
        feed: PathBuf,
        /// The recorded sequence.
        recorded: u64,
        /// The sequence found; none without a head.
        found: Option<u64>,
    },
    /// A root that this desk published is not in the folder.
    #[error("{} was rolled back: the published root {version} is missing or has other contents. Run \"recover-from record {}\"", feed.display(), feed.display())]
    RootRolledBack {
        /// The published folder.
        feed: PathBuf,
        /// The root.
        version: u64,
    },
    /// The folder is newer than the record: the desk was put back, or there is a second one.
    #[error("{} is older than {}: the working directory was restored from a backup, or {what} was published from another one or with stolen keys. If keys may be stolen, start with \"root revoke {} KEY --afresh\" for the feed key, which continues from this record whatever the directory contains; then revoke the others. Otherwise continue in the newest, or run \"recover-from feed {}\" and check every document that it lists as new before you pass --yes", record.display(), feed.display(), feed.display(), feed.display())]
    DeskRolledBack {
        /// The published folder.
        feed: PathBuf,
        /// The record.
        record: PathBuf,
        /// What the folder has, which is not recorded.
        what: String,
    },
    /// The head or the index has the right sequence, and other contents than were published.
    #[error("{} does not have the published contents. Restore it from a copy, or run \"recover-from record {}\"", path.display(), feed.display())]
    Replaced {
        /// The published folder.
        feed: PathBuf,
        /// The file.
        path: PathBuf,
    },
    /// A document or a sealed file is missing, or has other contents.
    #[error("{what} is missing or damaged: {}. Restore it from a copy, or run \"recover-from record\" if it was published", path.display())]
    Damaged {
        /// What it is.
        what: String,
        /// Where it has to be.
        path: PathBuf,
    },
    /// A document that the record does not list, and nobody asked for.
    #[error("{kind} {id} revision {revision} was never published, so it is not signed again by default: {}. Check it, then pass \"--document {id}\", or remove it with \"discard-pending\"", path.display())]
    NotListed {
        /// Its kind.
        kind: DocumentKind,
        /// The document.
        id: DocumentId,
        /// Its revision.
        revision: u64,
        /// Where it lies.
        path: PathBuf,
    },
    /// Nothing waits in the desk under the name that was given.
    #[error(
        "no {kind} {id} in the working directory or the publication record; documents found only in the published directory are not signed"
    )]
    NoSuchDocument {
        /// Its kind.
        kind: DocumentKind,
        /// The document.
        id: DocumentId,
    },
    /// A root of the folder contradicts the recorded one: no recovery unites the two.
    #[error("root {version} of {} differs from the published one: panels that trust one reject the other. Restore the directory that panels follow", feed.display())]
    Forked {
        /// The published folder.
        feed: PathBuf,
        /// The root.
        version: u64,
    },
    /// The head of the folder was signed by keys that have lost their role, and this desk did not publish it.
    #[error("root {version} rejects sequence {sequence} in {}: its keys lost their role, and it is not in the publication record. Run \"recover-from record {}\", or revoke those keys with \"root revoke --afresh\"", feed.display(), feed.display())]
    NotVouched {
        /// The published folder.
        feed: PathBuf,
        /// The sequence of its head.
        sequence: u64,
        /// The newest root.
        version: u64,
    },
    /// A document that was disowned.
    #[error(
        "the {kind} {id} revision {revision} was disowned by {by} on {at}: {reason}. It is not signed or listed again; use another id for its replacement"
    )]
    Disowned {
        /// Its kind.
        kind: DocumentKind,
        /// The document.
        id: DocumentId,
        /// The revision.
        revision: u64,
        /// Who disowned it.
        by: String,
        /// When.
        at: Timestamp,
        /// Why.
        reason: String,
    },
    /// What is published now lists a document that was disowned.
    #[error("{} still lists the disowned {kind} {id}: run \"broadcast\"", feed.display())]
    DisownedListed {
        /// The published folder.
        feed: PathBuf,
        /// Its kind.
        kind: DocumentKind,
        /// The document.
        id: DocumentId,
    },
    /// Panels that have a document refuse every feed that lacks it.
    #[error(
        "cannot disown the {kind} {id}: panels that have it refuse every broadcast without it until a root starts a new epoch. First revoke the keys that signed it with \"root revoke … --afresh\""
    )]
    NotAfresh {
        /// Its kind.
        kind: DocumentKind,
        /// The document.
        id: DocumentId,
    },
    /// A panel that was taken off the broadcasts is entitled again by a registry of an earlier day.
    #[error(
        "cannot seal: panel {panel} was revoked and left out of an earlier broadcast, but panels/ lists it as enrolled. The directory was restored to an earlier state: revoke {panel} again with \"panel revoke {panel} --reason …\". To readmit the panel, renew its identity there and enrol the new one"
    )]
    RevokedPanel {
        /// The panel.
        panel: String,
    },
    /// Nobody can say whether the registry is the newest.
    #[error("cannot seal: the working directory was restored, so panels/ may list panels that were revoked since. Revoke those, then name all others: \"broadcast --seal-anew --recipient {}\"", panels.join(" --recipient "))]
    UnconfirmedRecipients {
        /// Those who are entitled by the registry.
        panels: Vec<String>,
    },
    /// There is nothing to recover from.
    #[error("cannot recover: {0}")]
    Nothing(String),
}
