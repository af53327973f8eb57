//! What is installed, what the plugin says of it, and the plugin's pages.
//!
//! May not: change a verdict. Who opened an advisory under embargo is in the access log before the page is handed out.

use std::{collections::BTreeSet, sync::Arc};

use jiff::Timestamp;
use spacecp_contract::{Digest, DocumentId};

use crate::{
    AccessLogEntry, PluginLoadError, PluginState, ServiceError, access_log,
    inventory::{Inventory, Report},
    plugin::{
        Counts, PluginError,
        bindings::exports::spacecp::advisories::pages::{Page, Place, Request},
    },
    plugin_runtime::PluginRuntime,
    state::State,
};

/// Verdicts, the plugin's pages, and the history of exposures.
#[derive(Debug, Clone)]
pub struct Exposure {
    pub(super) state: Arc<State>,
    pub(super) plugin: PluginRuntime,
    /// What the record of exposures was last brought up to date with.
    pub(super) noted: Arc<tokio::sync::Mutex<Option<Noted>>>,
}

/// What the verdicts in the record of exposures rest on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Noted {
    /// The stream of documents: after a recovery from stolen keys sequences begin again, and one may come twice.
    pub(super) stream: u64,
    pub(super) sequence: Option<u64>,
    pub(super) inventory: Digest,
}

impl Exposure {
    pub(crate) fn new(state: Arc<State>, plugin: PluginRuntime) -> Self {
        Self {
            state,
            plugin,
            noted: Arc::default(),
        }
    }

    /// A page of the plugin.
    pub async fn page(&self, request: &Request) -> Result<Page, ServiceError> {
        let rendered = self.plugin.informed().await?.host.render(request).await;
        if let (Err(PluginError::NotFound { .. }), Place::Advisory(id)) =
            (&rendered, &request.place)
            && let Some(unknown) = self.state.unknown_advisory(id).await?
        {
            return Err(ServiceError::NoAdvisory(unknown));
        }
        Ok(rendered?)
    }

    /// The page of an advisory, as `reader` opens it. Under embargo that is noted before the page is handed
    /// out, and whoever may act here sees who else has read it.
    pub async fn advisory_page(
        &self,
        reader: &str,
        request: &Request,
    ) -> Result<Page, ServiceError> {
        let mut page = self.page(request).await?;
        let Place::Advisory(id) = &request.place else {
            return Ok(page);
        };
        let Ok(id) = DocumentId::new(id.clone()) else {
            return Ok(page);
        };
        let one = BTreeSet::from([id.clone()]);
        let state = &self.state;
        state.note_access(reader, &one, Timestamp::now()).await?;
        if request.may_act {
            // The shim's own words, below the plugin's.
            let entries = state.access_log(&id).await?;
            page.blocks.extend(access_log::blocks(&entries));
        }
        Ok(page)
    }

    /// Who opened an advisory while it was under embargo, the first of them first.
    pub async fn access_log(
        &self,
        advisory: &DocumentId,
    ) -> Result<Vec<AccessLogEntry>, ServiceError> {
        self.state.access_log(advisory).await
    }

    /// What is installed.
    pub async fn inventory(&self) -> Arc<Inventory> {
        self.state.inventory().await
    }

    /// What was found inside components and on the machine, and what could not be read there.
    pub async fn scan_report(&self) -> Arc<Report> {
        self.state.lookout().look().await
    }

    /// Has the plugin take in what there is, so that the first who asks does not wait for that.
    pub async fn warm(&self) -> Result<(), ServiceError> {
        self.plugin.informed().await?.host.refresh().await?;
        Ok(())
    }

    /// Why the plugin is not there, if it is not. Loads it if nobody has needed it yet.
    pub async fn plugin_problem(&self) -> Result<Option<PluginLoadError>, ServiceError> {
        match self.plugin.loaded().await {
            Ok(_) => Ok(None),
            Err(ServiceError::NoPlugin(problem)) => Ok(Some(problem)),
            Err(error) => Err(error),
        }
    }

    /// How the plugin is now, without waiting for it. Has it loaded where nobody has needed it yet.
    pub async fn plugin_state(&self) -> Result<PluginState, ServiceError> {
        self.plugin.state_now().await
    }

    /// How often the plugin was called; nothing where there is none, or nobody has needed it yet.
    pub fn plugin_counts(&self) -> Counts {
        self.plugin.counts()
    }
}
