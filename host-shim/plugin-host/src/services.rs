//! What the plugin's imports are answered from.

use std::pin::Pin;

use super::bindings::spacecp::advisories::{
    corrections, decisions, documents, inventory, settings, types,
};

/// An answer that may take a while.
pub type Answer<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// One change to the plugin's state; no value means that the key goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StateWrite {
    /// The key.
    pub key: String,
    /// Its new value.
    pub value: Option<Vec<u8>>,
}

/// The rest of the shim, as narrow as the contract needs it.
///
/// Errors are those of the contract: what a plugin is told, in words fit for it.
pub trait Services: Send + Sync + 'static {
    /// See `documents.since`.
    fn documents_since(
        &self,
        after: Option<documents::Cursor>,
        limit: u32,
    ) -> Answer<'_, Result<documents::Batch, documents::Error>>;

    /// See `documents.fetch`.
    fn fetch(
        &self,
        kind: documents::Kind,
        document: types::DocumentRef,
    ) -> Answer<'_, Result<Vec<u8>, documents::FetchError>>;

    /// See `documents.accepted`.
    fn accepted(
        &self,
        names: Vec<documents::Name>,
    ) -> Answer<'_, Result<Vec<Option<i64>>, documents::Error>>;

    /// See `inventory.fingerprint`.
    fn fingerprint(&self) -> Answer<'_, Result<String, inventory::Error>> {
        Box::pin(async move { Ok(self.components().await?.fingerprint) })
    }

    /// See `inventory.components`.
    fn components(&self) -> Answer<'_, Result<inventory::Snapshot, inventory::Error>>;

    /// See `corrections.plan`.
    fn plan(
        &self,
        correction: types::DocumentRef,
        component: String,
    ) -> Answer<'_, Result<corrections::Plan, corrections::PlanError>>;

    /// See `corrections.history`.
    fn history(&self, limit: u32) -> Answer<'_, Result<Vec<corrections::Application>, String>>;

    /// See `settings.current-policy`.
    fn policy(&self) -> Answer<'_, settings::Policy>;

    /// See `settings.current-rules`; `now` in seconds since 1970.
    fn rules(&self, now: i64) -> Answer<'_, Result<settings::Rules, settings::Error>>;

    /// See `settings.current-freshness`.
    fn freshness(&self) -> Answer<'_, settings::Freshness>;

    /// See `decisions.current`.
    fn decisions(&self) -> Answer<'_, Result<Vec<decisions::Decision>, decisions::Error>>;

    /// The durable value under a key.
    fn state_get(&self, key: String) -> Answer<'_, Result<Option<Vec<u8>>, String>>;

    /// The durable size of every value, by key.
    fn state_sizes(&self) -> Answer<'_, Result<Vec<(String, u64)>, String>>;

    /// Makes all writes durable, or none.
    fn state_commit(&self, writes: Vec<StateWrite>) -> Answer<'_, Result<(), String>>;
}
