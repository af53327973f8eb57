//! Answers the plugin's imports from the shared state.
//!
//! Read only, but for the plugin's own state. Nothing here acts on what a plugin says.

use std::sync::Arc;

use jiff::Timestamp;
use spacecp_contract::DocumentId;

use super::{contract, inputs::PluginInputs};
use crate::{
    plugin::{
        Answer, Services, StateWrite,
        bindings::spacecp::advisories::{
            corrections, decisions, documents, inventory, settings, types,
        },
    },
    policy::Policy,
    state::State,
};

/// The shared state, as narrow as the plugin may see them.
#[derive(Debug, Clone)]
pub(crate) struct PluginImports {
    pub(crate) state: Arc<State>,
    /// The policy that is tried out instead of the one in force. The plugin remembers nothing of
    /// what it does then.
    pub(crate) trying: Option<Policy>,
    /// What this plugin was told last.
    pub(crate) inputs: Arc<PluginInputs>,
}

impl Services for PluginImports {
    fn documents_since(
        &self,
        after: Option<documents::Cursor>,
        limit: u32,
    ) -> Answer<'_, Result<documents::Batch, documents::Error>> {
        Box::pin(async move {
            let batch = self
                .state
                .store()
                .documents_since(after.map(contract::cursor), limit)
                .await;
            if let Ok(batch) = &batch {
                self.inputs.documents(batch);
            }
            batch
                .map(contract::batch)
                .map_err(|error| documents::Error::Unavailable(error.to_string()))
        })
    }

    fn fetch(
        &self,
        kind: documents::Kind,
        document: types::DocumentRef,
    ) -> Answer<'_, Result<Vec<u8>, documents::FetchError>> {
        Box::pin(async move {
            let kind = contract::kind(kind);
            let held = self.state.store().document(kind, &document.id).await;
            let held =
                held.map_err(|error| documents::FetchError::Unavailable(error.to_string()))?;
            held.filter(|held| held.revision() == document.revision)
                .map(|held| held.bytes().to_vec())
                .ok_or(documents::FetchError::NotHeld)
        })
    }

    fn accepted(
        &self,
        names: Vec<documents::Name>,
    ) -> Answer<'_, Result<Vec<Option<i64>>, documents::Error>> {
        Box::pin(async move {
            let received = self.state.store().received().await;
            let received =
                received.map_err(|error| documents::Error::Unavailable(error.to_string()))?;
            let of = |name: documents::Name| {
                let time = received.get(&(contract::kind(name.kind), name.id));
                time.map(|time| time.as_second())
            };
            Ok(names.into_iter().map(of).collect())
        })
    }

    fn fingerprint(&self) -> Answer<'_, Result<String, inventory::Error>> {
        Box::pin(async move {
            let inventory = self.state.inventory_last_seen().await;
            let fingerprint = inventory.fingerprint.to_string();
            self.inputs.inventory(&fingerprint);
            Ok(fingerprint)
        })
    }

    fn components(&self) -> Answer<'_, Result<inventory::Snapshot, inventory::Error>> {
        Box::pin(async move {
            let inventory = self.state.inventory_last_seen().await;
            let snapshot = contract::snapshot(&inventory, &self.state.config().components);
            self.inputs.inventory(&snapshot.fingerprint);
            Ok(snapshot)
        })
    }

    fn plan(
        &self,
        correction: types::DocumentRef,
        component: String,
    ) -> Answer<'_, Result<corrections::Plan, corrections::PlanError>> {
        Box::pin(async move {
            let refused = |reason: String| corrections::PlanError::NotApplicable(reason);
            let id = DocumentId::new(correction.id).map_err(|error| refused(error.to_string()))?;
            let plan = self.state.plan(&id, &component).await;
            plan.map(|plan| contract::plan(&plan))
                .map_err(|error| refused(error.to_string()))
        })
    }

    fn history(&self, limit: u32) -> Answer<'_, Result<Vec<corrections::Application>, String>> {
        Box::pin(async move {
            let history = self
                .state
                .applier()
                .history(limit.min(1_000))
                .await
                .map_err(|error| error.to_string())?;
            Ok(history.iter().map(contract::application).collect())
        })
    }

    fn policy(&self) -> Answer<'_, settings::Policy> {
        Box::pin(async move {
            let rules = self.state.rules(self.trying.as_ref()).await;
            contract::policy(rules.as_ref().ok().map(|rules| &rules.policy))
        })
    }

    fn rules(&self, now: i64) -> Answer<'_, Result<settings::Rules, settings::Error>> {
        Box::pin(async move {
            let unavailable = |reason: String| settings::Error::Unavailable(reason);
            let now =
                Timestamp::from_second(now).map_err(|error| unavailable(error.to_string()))?;
            let rules = self.state.rules(self.trying.as_ref()).await;
            let rules = rules.map_err(|error| unavailable(error.to_string()))?;
            let kept = self.state.quarantined().await;
            let kept = kept.map_err(|error| unavailable(error.to_string()))?;
            Ok(contract::rules(&rules, &kept, now))
        })
    }

    fn freshness(&self) -> Answer<'_, settings::Freshness> {
        Box::pin(async move {
            let freshness = self.state.store().freshness().await;
            contract::freshness(freshness, Timestamp::now())
        })
    }

    fn decisions(&self) -> Answer<'_, Result<Vec<decisions::Decision>, decisions::Error>> {
        Box::pin(async move {
            let current = self.state.decisions().await;
            let current =
                current.map_err(|error| decisions::Error::Unavailable(error.to_string()))?;
            Ok(current.iter().filter_map(contract::decision).collect())
        })
    }

    fn state_get(&self, key: String) -> Answer<'_, Result<Option<Vec<u8>>, String>> {
        Box::pin(async move {
            self.state
                .store()
                .state_get(&key)
                .await
                .map_err(|error| error.to_string())
        })
    }

    fn state_sizes(&self) -> Answer<'_, Result<Vec<(String, u64)>, String>> {
        Box::pin(async move {
            self.state
                .store()
                .state_sizes()
                .await
                .map_err(|error| error.to_string())
        })
    }

    fn state_commit(&self, writes: Vec<StateWrite>) -> Answer<'_, Result<(), String>> {
        Box::pin(async move {
            if self.trying.is_some() {
                return Ok(());
            }
            let writes: Vec<_> = writes
                .into_iter()
                .map(|write| (write.key, write.value))
                .collect();
            self.state
                .store()
                .state_commit(&writes)
                .await
                .map_err(|error| error.to_string())
        })
    }
}
