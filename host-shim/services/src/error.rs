//! Why a service could not do what it was asked for.

use std::path::PathBuf;

use jiff::Timestamp;

use crate::{
    PluginLoadError, UnknownAdvisory,
    apply::{ApplyError, InsecurePath},
    audit::AuditError,
    automation::AutomationError,
    decisions::DecisionError,
    fetch::FetchError,
    identity::IdentityError,
    plugin::PluginError,
    report::ReportingError,
    store::StoreError,
    sync::SyncError,
    tokens::TokenError,
    trust::TrustError,
};
use spacecp_fs::OwnPlaceError;

/// Why a service could not do what it was asked for.
#[derive(Debug, thiserror::Error)]
pub enum ServiceError {
    /// A folder or file that the configuration names.
    #[error("cannot use {}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: std::io::Error,
    },
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The feed's address.
    #[error(transparent)]
    Fetch(#[from] FetchError),
    /// Corrections whose payloads were carried here and are more than may be kept.
    #[error(
        "imported the advisories but not the payloads of the corrections: they have {needed} bytes, the payload cache holds at most {limit}. Raise feed.keep-payloads-bytes in the configuration, then import the file again"
    )]
    NoRoomForPayloads {
        /// Bytes of all of them.
        needed: u64,
        /// Bytes that may be kept.
        limit: u64,
    },
    /// The folder of the state stands open.
    #[error(transparent)]
    Place(#[from] OwnPlaceError),
    /// Other users could exchange the folder of the state for one of theirs.
    #[error("cannot use the state directory {}: {insecure}. Give {} to root or to user {user}, writable by nobody else (chown, chmod go-w, setfacl -b), or set \"state\" to a directory that only they can rename, such as /var/lib/spacecp-advisories", state.display(), insecure.path().display())]
    InsecureState {
        /// The folder.
        state: PathBuf,
        /// Who, and where.
        insecure: InsecurePath,
        /// Who this process is.
        user: u32,
    },
    /// The panel's identity.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// The pinned root.
    #[error("invalid pinned root {}: {source}", path.display())]
    PinnedRoot {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: TrustError,
    },
    /// A sync that changed nothing.
    #[error(transparent)]
    Sync(#[from] SyncError),
    /// A correction that was not applied or taken back.
    #[error(transparent)]
    Apply(#[from] ApplyError),
    /// Automatic application.
    #[error(transparent)]
    Automation(#[from] AutomationError),
    /// A decision that was not made or taken back.
    #[error(transparent)]
    Decision(#[from] DecisionError),
    /// A report to the vendor.
    #[error(transparent)]
    Reporting(#[from] ReportingError),
    /// A token of the API.
    #[error(transparent)]
    Token(#[from] TokenError),
    /// The audit log.
    #[error(transparent)]
    Audit(#[from] AuditError),
    /// A clock that is not behind what is remembered.
    #[error(
        "cannot reset the recorded times: the clock shows {now}, not before the latest recorded time {furthest}, so nothing was seen expired too early"
    )]
    ClockNotBehind {
        /// The time now.
        now: Timestamp,
        /// The latest time remembered.
        furthest: Timestamp,
    },
    /// The plugin cannot be loaded.
    #[error("plugin not available: {0}")]
    NoPlugin(PluginLoadError),
    /// The plugin did not answer.
    #[error(transparent)]
    Plugin(#[from] PluginError),
    /// Something that was found by looking.
    #[error(
        "cannot apply a correction to {name:?}: it was found by a scan and is not a configured component. Correct the component that contains it, or update it where it came from"
    )]
    NotCorrectable {
        /// Its name.
        name: String,
    },
    /// No advisory of that name, and which one may be meant.
    #[error("{0}")]
    NoAdvisory(UnknownAdvisory),
    /// A value for programs that cannot be written as JSON.
    #[error("cannot write JSON: {0}")]
    Unserialisable(serde_json::Error),
    /// Nothing of that name.
    #[error("no {what} {name:?} on this panel")]
    NotFound {
        /// What was asked for.
        what: &'static str,
        /// The name.
        name: String,
    },
}

impl ServiceError {
    /// What the store said, where it is the store that failed.
    pub fn of_the_store(&self) -> Option<&StoreError> {
        match self {
            Self::Store(error)
            | Self::Sync(SyncError::Store(error))
            | Self::Apply(ApplyError::Store(error))
            | Self::Automation(AutomationError::Store(error))
            | Self::Decision(DecisionError::Store(error))
            | Self::Token(TokenError::Store(error))
            | Self::Audit(AuditError::Store(error)) => Some(error),
            _ => None,
        }
    }

    /// Whether something could not be written for want of space, or because the file system takes no writes.
    pub fn is_full(&self) -> bool {
        match self {
            Self::Apply(error) => error.is_full(),
            _ => self.of_the_store().is_some_and(StoreError::is_full),
        }
    }

    /// What a log may say of it: of what is under embargo, ids and nothing more.
    pub fn for_log(&self) -> String {
        match self {
            Self::Apply(error) => error.for_log(),
            error => error.to_string(),
        }
    }

    /// There is no correction of this name.
    pub(crate) fn no_correction(name: &str) -> Self {
        Self::NotFound {
            what: "correction",
            name: name.to_owned(),
        }
    }
}
