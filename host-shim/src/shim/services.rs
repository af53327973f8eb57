//! Answers the plugin's imports from the other rooms.
//!
//! Read only, but for the plugin's own state. Nothing here acts on what a plugin says.

use std::sync::Arc;

use spacecp_contract::DocumentId;

use super::{Rooms, contract};
use crate::plugin::{
    Answer, Services, StateWrite,
    bindings::spacecp::advisories::{
        corrections, decisions, documents, inventory, settings, types,
    },
};

/// The rooms, as narrow as the plugin may see them.
#[derive(Debug, Clone)]
pub(super) struct PluginServices {
    pub(super) rooms: Arc<Rooms>,
}

impl Services for PluginServices {
    fn documents_since(
        &self,
        after: Option<documents::Cursor>,
        limit: u32,
    ) -> Answer<'_, Result<documents::Batch, documents::Error>> {
        Box::pin(async move {
            let batch = self
                .rooms
                .store()
                .documents_since(after.map(contract::cursor), limit)
                .await;
            batch
                .map(contract::batch)
                .map_err(|error| documents::Error::Unavailable(error.to_string()))
        })
    }

    fn components(&self) -> Answer<'_, Result<inventory::Snapshot, inventory::Error>> {
        Box::pin(async move { Ok(contract::snapshot(&self.rooms.inventory().await)) })
    }

    fn plan(
        &self,
        correction: types::DocumentRef,
        component: String,
    ) -> Answer<'_, Result<corrections::Plan, corrections::PlanError>> {
        Box::pin(async move {
            let refused = |reason: String| corrections::PlanError::NotApplicable(reason);
            let id = DocumentId::new(correction.id).map_err(|error| refused(error.to_string()))?;
            let plan = self.rooms.plan(&id, &component).await;
            plan.map(|plan| contract::plan(&plan))
                .map_err(|error| refused(error.to_string()))
        })
    }

    fn history(&self, limit: u32) -> Answer<'_, Result<Vec<corrections::Application>, String>> {
        Box::pin(async move {
            let history = self
                .rooms
                .applier()
                .history(limit.min(1_000))
                .await
                .map_err(|error| error.to_string())?;
            Ok(history.iter().map(contract::application).collect())
        })
    }

    fn policy(&self) -> settings::Policy {
        contract::policy(&self.rooms.config().policy)
    }

    fn freshness(&self) -> Answer<'_, settings::Freshness> {
        Box::pin(async move { contract::freshness(self.rooms.store().freshness().await) })
    }

    fn decisions(&self) -> Answer<'_, Result<Vec<decisions::Decision>, decisions::Error>> {
        Box::pin(async move {
            let current = self.rooms.decisions().await;
            let current =
                current.map_err(|error| decisions::Error::Unavailable(error.to_string()))?;
            Ok(current.iter().filter_map(contract::decision).collect())
        })
    }

    fn state_get(&self, key: String) -> Answer<'_, Result<Option<Vec<u8>>, String>> {
        Box::pin(async move {
            self.rooms
                .store()
                .state_get(&key)
                .await
                .map_err(|error| error.to_string())
        })
    }

    fn state_sizes(&self) -> Answer<'_, Result<Vec<(String, u64)>, String>> {
        Box::pin(async move {
            self.rooms
                .store()
                .state_sizes()
                .await
                .map_err(|error| error.to_string())
        })
    }

    fn state_commit(&self, writes: Vec<StateWrite>) -> Answer<'_, Result<(), String>> {
        Box::pin(async move {
            self.rooms
                .store()
                .state_commit(&writes)
                .await
                .map_err(|error| error.to_string())
        })
    }
}
