//! The house: owns one of each room and is what `web` and `cli` talk to.

use std::{path::Path, sync::Arc};

use spacecp_contract::{Digest, DocumentId};

use crate::{
    apply::{Application, Plan},
    config::Config,
    plugin::bindings::exports::spacecp::advisories::{automation, exposure, pages},
    plugin::bindings::spacecp::advisories::settings::Freshness,
    store::StoreError,
};

/// Everything that a panel can ask for.
#[derive(Debug)]
pub struct Shim {
    config: Config,
}

/// Why the shim could not do what it was asked for.
#[derive(Debug, thiserror::Error)]
pub enum ShimError {
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What a request to apply says.
#[derive(Debug, Clone)]
pub struct ApplyRequest {
    /// The correction.
    pub correction: DocumentId,
    /// The component on this panel.
    pub component: String,
    /// The digest of the plan that was shown; none to take the present plan as it is.
    pub plan: Option<Digest>,
    /// Whether locally modified files may be replaced.
    pub overwrite: bool,
    /// Who asks.
    pub by: String,
}

/// Receives the progress of an application.
pub trait Progress: Send + Sync {
    /// A step has begun; the words are those of the journal, as `staged`.
    fn step(&self, step: &str);
    /// So many of so many files of this step are done.
    fn files(&self, done: u64, of: u64);
}

impl Progress for () {
    fn step(&self, _: &str) {}
    fn files(&self, _: u64, _: u64) {}
}

/// What a sync found.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct SyncReport {
    /// Whether anything is new.
    pub changed: bool,
    /// The feed's sequence now.
    pub sequence: u64,
    /// Documents accepted by this sync: ids and revisions.
    pub accepted: Vec<(DocumentId, u64)>,
    /// Until when this is good.
    pub valid_until: jiff::Timestamp,
}

impl Shim {
    /// Opens the store, finishes or undoes what a crash interrupted, and loads the plugin.
    ///
    /// A plugin that cannot be loaded does not keep the rest from working: what needs it says why
    /// it is not there; `sync`, `plan`, `apply`, `roll_back` and `history` do not.
    pub async fn open(_config: Config) -> Result<Arc<Self>, ShimError> {
        todo!()
    }
    /// The configuration.
    pub fn config(&self) -> &Config {
        &self.config
    }
    /// Asks the feed for news.
    pub async fn sync(&self) -> Result<SyncReport, ShimError> {
        todo!()
    }
    /// Every verdict, fresh.
    pub async fn report(&self) -> Result<exposure::ExposureReport, ShimError> {
        todo!()
    }
    /// A page of the plugin.
    pub async fn page(&self, _request: pages::Request) -> Result<pages::Page, ShimError> {
        todo!()
    }
    /// What the plugin would apply by itself now.
    pub async fn automation_plan(&self) -> Result<Vec<automation::Action>, ShimError> {
        todo!()
    }
    /// What applying would do.
    pub async fn plan(
        &self,
        _correction: &DocumentId,
        _component: &str,
    ) -> Result<Plan, ShimError> {
        todo!()
    }
    /// Applies a correction.
    pub async fn apply(
        &self,
        _request: ApplyRequest,
        _progress: &dyn Progress,
    ) -> Result<Application, ShimError> {
        todo!()
    }
    /// Takes an application back.
    pub async fn roll_back(
        &self,
        _application: &str,
        _by: &str,
        _progress: &dyn Progress,
    ) -> Result<Application, ShimError> {
        todo!()
    }
    /// What was applied, newest first.
    pub async fn history(&self, _limit: u32) -> Result<Vec<Application>, ShimError> {
        todo!()
    }
    /// How current the panel's knowledge is.
    pub async fn freshness(&self) -> Freshness {
        todo!()
    }
    /// Where the state is.
    pub fn state(&self) -> &Path {
        &self.config.state
    }
}
