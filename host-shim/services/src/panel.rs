//! The services of one panel, opened together.

use std::sync::Arc;

use jiff::Timestamp;
use spacecp_store::Store;

use crate::{
    Automation, Corrections, Decisions, Events, Exposure, Feed, Redactor, Reports, ServiceError,
    ServicesConfig, Tokens, Trust, plugin_runtime::PluginRuntime, state::State,
};

/// One service for each duty of a panel. Each is cheap to clone; a handler takes the one that it needs.
#[derive(Debug, Clone)]
pub struct Panel {
    /// Sync, import, and the documents received.
    pub feed: Feed,
    /// Verdicts, the plugin's pages, and the history of exposures.
    pub exposure: Exposure,
    /// Plans, apply runs, rollbacks.
    pub corrections: Corrections,
    /// Policy, automatic runs, quarantine, scheduled corrections.
    pub automation: Automation,
    /// Workarounds in place and accepted risks.
    pub decisions: Decisions,
    /// The trusted state, the audit log, the identity and the clock.
    pub trust: Trust,
    /// API tokens.
    pub tokens: Tokens,
    /// Vulnerability reports to the vendor.
    pub reports: Reports,
    state: Arc<State>,
}

impl Panel {
    /// Opens the store, and finishes or undoes what a crash interrupted.
    ///
    /// The plugin is loaded when it is first needed, and verified whenever its word is used. One that cannot
    /// be loaded does not keep the rest from working: what needs it says why it is not there; `sync`,
    /// `plan`, `apply`, `roll_back` and `history` do not.
    pub async fn open(config: ServicesConfig) -> Result<Self, ServiceError> {
        Self::around(State::open(config).await?).await
    }

    /// The same for rolling back: neither the pinned root nor what is stored of the feed has to be there or whole.
    pub async fn open_without_feed(config: ServicesConfig) -> Result<Self, ServiceError> {
        Self::around(State::open_without_feed(config).await?).await
    }

    async fn around(state: State) -> Result<Self, ServiceError> {
        let now = Timestamp::now();
        // A recovery may come to a whole application, and its future need not be part of whoever opens a panel.
        // What cannot be recovered now is tried again now and then, and keeps nobody from reading.
        if let Err(error) = Box::pin(state.applier().recover(now)).await {
            if !error.is_full() {
                return Err(error.into());
            }
            tracing::error!(error = error.for_log(), "recovery failed: disk full");
        }
        if let Err(error) = state.applier().clear_old_trees(now).await {
            tracing::warn!(error = error.for_log(), "cannot remove old trees");
        }
        let state = Arc::new(state);
        let plugin = PluginRuntime::new(state.clone());
        Ok(Self {
            feed: Feed::new(state.clone(), plugin.clone()),
            exposure: Exposure::new(state.clone(), plugin.clone()),
            corrections: Corrections::new(state.clone()),
            automation: Automation::new(state.clone(), plugin),
            decisions: Decisions::new(state.clone()),
            trust: Trust::new(state.clone()),
            tokens: Tokens::new(state.store().clone()),
            reports: Reports::new(state.clone()),
            state,
        })
    }

    /// The store, for crates above that own a table in it.
    pub fn store(&self) -> &Store {
        self.state.store()
    }

    /// What makes redacted views by the documents of this panel.
    pub async fn redactor(&self) -> Redactor {
        Redactor::new(self.feed.advisory_index().await, self.store().clone())
    }

    /// Says when something happened here.
    pub fn events(&self) -> &Events {
        self.state.events()
    }
}
