//! Why the shim could not do what it was asked for.

use std::path::PathBuf;

use super::PluginLoadError;
use crate::{
    apply::ApplyError,
    audit::AuditError,
    automation::AutomationError,
    decisions::DecisionError,
    fetch::FetchError,
    identity::IdentityError,
    notify::{NotifyError, ReadingError},
    own_place::OwnPlaceError,
    plugin::PluginError,
    report::ReportingError,
    store::StoreError,
    sync::SyncError,
    tokens::TokenError,
    trust::TrustError,
};

/// Why the shim could not do what it was asked for.
#[derive(Debug, thiserror::Error)]
pub enum ShimError {
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
        "the news were taken in, but the payloads of its corrections were left out: they have {needed} bytes, and at most {limit} may be kept here; raise feed.keep-payloads-bytes in the configuration, and import the file again"
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
    /// The panel's identity.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// The pinned root.
    #[error("the pinned root {} is not to be trusted: {source}", path.display())]
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
    /// Notifications.
    #[error(transparent)]
    Notify(#[from] NotifyError),
    /// A report to the vendor.
    #[error(transparent)]
    Reporting(#[from] ReportingError),
    /// What somebody has read.
    #[error(transparent)]
    Reading(#[from] ReadingError),
    /// A token of the API.
    #[error(transparent)]
    Token(#[from] TokenError),
    /// The audit log.
    #[error(transparent)]
    Audit(#[from] AuditError),
    /// The plugin cannot be loaded.
    #[error("the plugin is not there: {0}")]
    NoPlugin(PluginLoadError),
    /// The plugin did not answer.
    #[error(transparent)]
    Plugin(#[from] PluginError),
    /// Something that was found by looking.
    #[error(
        "{name:?} was found here and is not configured: it is corrected with the component around it, or by whoever installed it"
    )]
    NotCorrectable {
        /// Its name.
        name: String,
    },
    /// Nothing of that name.
    #[error("there is no {what} {name:?} here")]
    NotFound {
        /// What was asked for.
        what: &'static str,
        /// The name.
        name: String,
    },
}

impl ShimError {
    /// There is no correction of this name.
    pub(crate) fn no_correction(name: &str) -> Self {
        Self::NotFound {
            what: "correction",
            name: name.to_owned(),
        }
    }
}
