//! Why the shim could not do what it was asked for.

use spacecp_contract::DocumentId;

use crate::{
    apply::{ApplyError, RecoverError},
    config::ConfigError,
    fetch::FetchError,
    plugin::PluginError,
    store::StoreError,
    sync::SyncError,
    trust::TrustError,
};
