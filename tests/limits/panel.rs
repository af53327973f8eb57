//! The panel's side of a plugin, in memory: enough to be asked, able to be slow.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use anyhow::Result;
use spacecp_advisories::{
    config::PluginLimits,
    plugin::{
        Answer, PluginEngine, PluginError, PluginHost, Services, StateWrite,
        bindings::{
            exports::spacecp::advisories::pages::{Block, Page, Place, Request},
            spacecp::advisories::{corrections, decisions, documents, inventory, settings, types},
        },
    },
};
use spacecp_contract::PluginManifest;
use spacecp_hostile_guest::Behaviour;
use spacecp_tests::artifacts;
use tempfile::TempDir;

/// Answers with nothing, after a while.
#[derive(Debug, Default)]
pub(crate) struct Quiet {
    pub(crate) state: Mutex<BTreeMap<String, Vec<u8>>>,
    /// Bytes of the largest commit: keys, values, and what each write takes beside them.
    pub(crate) largest_commit: Mutex<usize>,
    pub(crate) pause: Duration,
}

impl Services for Quiet {
    fn documents_since(
        &self,
        _: Option<documents::Cursor>,
        _: u32,
    ) -> Answer<'_, Result<documents::Batch, documents::Error>> {
        let next = documents::Cursor {
            epoch: 1,
            position: 0,
        };
        Box::pin(async move {
            Ok(documents::Batch {
                documents: Vec::new(),
                next,
                complete: true,
            })
        })
    }

    fn fetch(
        &self,
        _: documents::Kind,
        _: types::DocumentRef,
    ) -> Answer<'_, Result<Vec<u8>, documents::FetchError>> {
        Box::pin(async { Err(documents::FetchError::NotHeld) })
    }

    fn components(&self) -> Answer<'_, Result<inventory::Snapshot, inventory::Error>> {
        Box::pin(async move {
            tokio::time::sleep(self.pause).await;
            Ok(inventory::Snapshot {
                fingerprint: "quiet".to_owned(),
                components: Vec::new(),
                unread: Vec::new(),
                acknowledged: Vec::new(),
                coverage: String::new(),
            })
        })
    }

    fn plan(
        &self,
        _: types::DocumentRef,
        _: String,
    ) -> Answer<'_, Result<corrections::Plan, corrections::PlanError>> {
        Box::pin(async { Err(corrections::PlanError::Unavailable("quiet".to_owned())) })
    }

    fn history(&self, _: u32) -> Answer<'_, Result<Vec<corrections::Application>, String>> {
        Box::pin(async { Ok(Vec::new()) })
    }

    fn policy(&self) -> Answer<'_, settings::Policy> {
        Box::pin(async {
            settings::Policy {
                automatic: false,
                minimum_severity: types::Severity::High,
                known_exploited_at_once: false,
                excluded: Vec::new(),
            }
        })
    }

    fn rules(&self, _: i64) -> Answer<'_, Result<settings::Rules, settings::Error>> {
        Box::pin(async { Err(settings::Error::Unavailable("quiet".to_owned())) })
    }

    fn accepted(
        &self,
        names: Vec<documents::Name>,
    ) -> Answer<'_, Result<Vec<Option<i64>>, documents::Error>> {
        Box::pin(async move { Ok(vec![None; names.len()]) })
    }

    fn freshness(&self) -> Answer<'_, settings::Freshness> {
        Box::pin(async {
            settings::Freshness {
                sequence: None,
                last_word: None,
                valid_until: None,
                problem: None,
            }
        })
    }

    fn decisions(&self) -> Answer<'_, Result<Vec<decisions::Decision>, decisions::Error>> {
        Box::pin(async { Ok(Vec::new()) })
    }

    fn state_get(&self, key: String) -> Answer<'_, Result<Option<Vec<u8>>, String>> {
        Box::pin(async move { Ok(self.state.lock().unwrap().get(&key).cloned()) })
    }

    fn state_sizes(&self) -> Answer<'_, Result<Vec<(String, u64)>, String>> {
        Box::pin(async {
            Ok(self
                .state
                .lock()
                .unwrap()
                .iter()
                .map(|(key, value)| (key.clone(), value.len() as u64))
                .collect())
        })
    }

    fn state_commit(&self, writes: Vec<StateWrite>) -> Answer<'_, Result<(), String>> {
        Box::pin(async move {
            let mut state = self.state.lock().unwrap();
            let sizes = writes.iter().map(|write| {
                size_of::<StateWrite>() + write.key.len() + write.value.as_ref().map_or(0, Vec::len)
            });
            let size: usize = sizes.sum();
            let mut largest = self.largest_commit.lock().unwrap();
            *largest = size.max(*largest);
            for write in writes {
                match write.value {
                    Some(value) => drop(state.insert(write.key, value)),
                    None => drop(state.remove(&write.key)),
                }
            }
            Ok(())
        })
    }
}

/// A loaded plugin and what it runs on.
pub(crate) struct Panel {
    pub(crate) plugin: PluginHost,
    pub(crate) services: Arc<Quiet>,
    _cache: TempDir,
}

/// Limits that are reached quickly.
pub(crate) fn tight() -> PluginLimits {
    PluginLimits {
        memory: 32 << 20,
        guest_time_ms: 1_500,
        wall_clock_ms: 15_000,
        stack: 256 << 10,
        state: 64 << 10,
        page: 64 << 10,
        log_lines: 20,
        hostcall_fuel: 16 << 20,
        ..PluginLimits::default()
    }
}

pub(crate) fn manifest(component: &[u8]) -> PluginManifest {
    spacecp_publisher::plugins::manifest(
        "hostile",
        &semver::Version::new(1, 0, 0),
        1,
        component,
        jiff::Timestamp::UNIX_EPOCH,
    )
}

impl Panel {
    pub(crate) fn with(limits: PluginLimits, services: Quiet) -> Result<Self> {
        let cache = spacecp_tests::scratch::folder()?;
        let engine = PluginEngine::new(limits, &cache.path().join("cache"))?;
        let component = std::fs::read(artifacts::HOSTILE)?;
        let services = Arc::new(services);
        let plugin =
            PluginHost::load(&engine, &manifest(&component), &component, services.clone())?;
        Ok(Self {
            plugin,
            services,
            _cache: cache,
        })
    }

    pub(crate) fn tight() -> Result<Self> {
        Self::with(tight(), Quiet::default())
    }

    pub(crate) async fn does(&self, behaviour: Behaviour) -> Result<Page, PluginError> {
        let request = Request {
            place: Place::Advisory(behaviour.name()),
            listing: spacecp_advisories::render::whole(),
            now: 0,
            may_act: true,
        };
        self.plugin.render(&request).await
    }

    /// The text of the page, for behaviours that end well.
    pub(crate) async fn says(&self, behaviour: Behaviour) -> Result<String, PluginError> {
        let page = self.does(behaviour).await?;
        Ok(page
            .blocks
            .iter()
            .filter_map(|block| {
                if let Block::Code(code) = block {
                    Some(code.text.clone())
                } else {
                    None
                }
            })
            .collect())
    }
}
