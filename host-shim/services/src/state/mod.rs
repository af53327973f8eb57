//! What the services share: each of the crates below, opened once, and what is under way.
//!
//! May not: need the plugin. What has to work when there is none works with this alone.

mod documents;
mod open;
mod running;

use std::sync::{Arc, OnceLock};

use jiff::Timestamp;
use spacecp_contract::Digest;
use tokio::sync::{Mutex, RwLock, RwLockReadGuard, RwLockWriteGuard, watch};

use crate::{
    Events, ServiceError, ServicesConfig,
    advisory_index::AdvisoryIndex,
    apply::Applier,
    automation::{AutomationError, Ledger},
    cache::{self, Cache},
    decisions::local::{Facts, LocalDecision, decided},
    fetch::{Access, FetchError},
    identity,
    inventory::{Component, Inventory, Lookout, Report},
    plugin::bindings::exports::spacecp::advisories::exposure::ExposureReport,
    policy::{InForce, Policy},
    store::Store,
    sync::Follower,
};
pub(crate) use open::beside;
use open::{access, applier_of, follower, store_without_feed};
pub use open::{applier, open_store, own_folder, replace_store, secure_place};

/// Each of the crates below, opened once.
#[derive(Debug)]
pub(crate) struct State {
    config: ServicesConfig,
    store: Store,
    /// Made by whoever first follows the feed: what needs no feed needs no pinned root either.
    follower: OnceLock<Follower>,
    applier: Applier,
    ledger: Ledger,
    lookout: Lookout,
    /// The inventory that was read last, and what it was made of.
    read: std::sync::Mutex<Option<LastInventory>>,
    /// Held by a sync of this process that is under way.
    syncing: Arc<Mutex<()>>,
    /// Whether automatic application is to begin nothing more.
    closing: watch::Sender<bool>,
    /// Held, together, by whoever is at a component.
    at_work: RwLock<()>,
    /// The documents at hand in short, by the digest of what that rests on.
    index: Mutex<Option<(Digest, Arc<AdvisoryIndex>)>>,
    /// The same, for the next process.
    index_cache: Arc<Cache<AdvisoryIndex>>,
    /// What the plugin said last.
    report_cache: Cache<ExposureReport>,
    /// Told whenever something happened that somebody may have to know.
    events: Events,
}

/// An inventory with what it was made of: as long as none of that changes it is the same.
#[derive(Debug, Clone)]
struct LastInventory {
    report: Arc<Report>,
    components: Vec<Component>,
    decisions: Vec<LocalDecision>,
    inventory: Arc<Inventory>,
}

impl State {
    /// All of it, with a pinned root that can be used and a store of the feed that can be read.
    pub(crate) async fn open(config: ServicesConfig) -> Result<Self, ServiceError> {
        let store = open_store(&config).await?;
        let state = Self::around(config, store);
        state.follower()?;
        // The vendor wants to know whom to encrypt to before there is anything to read.
        if let Err(error) = identity::load_or_make(&state.config.state, Timestamp::now()) {
            tracing::warn!(%error, "cannot decrypt sealed documents");
        }
        Ok(state)
    }

    /// The same for what has to work without the feed, the pinned root and the plugin: whoever wants one of
    /// them is told why it cannot be used.
    pub(crate) async fn open_without_feed(config: ServicesConfig) -> Result<Self, ServiceError> {
        let store = store_without_feed(&config).await?;
        Ok(Self::around(config, store))
    }

    fn around(config: ServicesConfig, store: Store) -> Self {
        let applier = applier_of(&config, store.clone());
        let ledger = Ledger::new(store.clone());
        let lookout = Lookout::new(
            spacecp_apply::config::inventory::jobs(&config.components, &config.inventories),
            &config.components,
            config.scan,
            &config.state,
        );
        let index_cache = Arc::new(Cache::within(&config.state, cache::ADVISORY_INDEX));
        let report_cache = Cache::within(&config.state, cache::REPORT);
        Self {
            config,
            store,
            follower: OnceLock::new(),
            applier,
            ledger,
            lookout,
            read: std::sync::Mutex::default(),
            syncing: Arc::default(),
            closing: watch::Sender::new(false),
            at_work: RwLock::new(()),
            index: Mutex::default(),
            index_cache,
            report_cache,
            events: Events::default(),
        }
    }

    pub(crate) fn config(&self) -> &ServicesConfig {
        &self.config
    }

    pub(crate) fn store(&self) -> &Store {
        &self.store
    }

    /// What follows the feed, or why nobody can: its addresses or the pinned root cannot be used.
    pub(crate) fn follower(&self) -> Result<&Follower, ServiceError> {
        if let Some(follower) = self.follower.get() {
            return Ok(follower);
        }
        let follower = follower(&self.config, &self.store)?;
        Ok(self.follower.get_or_init(|| follower))
    }

    pub(crate) fn applier(&self) -> &Applier {
        &self.applier
    }

    /// To be held for as long as something is done to a component.
    pub(crate) async fn at_work(&self) -> RwLockReadGuard<'_, ()> {
        self.at_work.read().await
    }

    /// Waits until nothing is done to any component, and lets nobody begin any more as long as it is held.
    pub(crate) async fn at_rest(&self) -> RwLockWriteGuard<'_, ()> {
        self.at_work.write().await
    }

    pub(crate) fn index(&self) -> &Mutex<Option<(Digest, Arc<AdvisoryIndex>)>> {
        &self.index
    }

    pub(crate) fn index_cache(&self) -> &Arc<Cache<AdvisoryIndex>> {
        &self.index_cache
    }

    pub(crate) fn report_cache(&self) -> &Cache<ExposureReport> {
        &self.report_cache
    }

    pub(crate) fn events(&self) -> &Events {
        &self.events
    }

    /// How whatever is not on this machine is reached, as it is configured for the feed.
    pub(crate) fn access(&self) -> Result<Access, FetchError> {
        access(&self.config.feed)
    }

    pub(crate) fn syncing(&self) -> Arc<Mutex<()>> {
        self.syncing.clone()
    }

    pub(crate) fn closing(&self) -> &watch::Sender<bool> {
        &self.closing
    }

    pub(crate) fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// The rules in force, or those that would be under another policy.
    pub(crate) async fn rules(&self, trying: Option<&Policy>) -> Result<InForce, AutomationError> {
        let seed = self.ledger.seed().await?;
        let policy = match trying {
            Some(policy) => policy.clone(),
            None => match self.ledger.decided().await? {
                Some(decided) => decided.policy,
                None => self.config.policy.initial(),
            },
        };
        Ok(self.config.policy.bound(&policy, seed))
    }

    /// What is installed: what is configured is read afresh, and what is found by looking is looked for
    /// where that is too long ago.
    pub(crate) async fn inventory(&self) -> Arc<Inventory> {
        let report = self.lookout.look().await;
        self.read_inventory(report).await
    }

    /// What is installed, with what was found the last time: for a plugin that waits for the answer.
    pub(crate) async fn inventory_last_seen(&self) -> Arc<Inventory> {
        let report = self.lookout.last_seen().await;
        self.read_inventory(report).await
    }

    pub(crate) fn lookout(&self) -> &Lookout {
        &self.lookout
    }

    /// Puts together what is configured, what was found and what was decided about it. That may be very much, so that
    /// it is kept for as long as nothing of it changes.
    async fn read_inventory(&self, report: Arc<Report>) -> Arc<Inventory> {
        let running = self.running(&report).await;
        let configured = self.config.components.clone();
        let before = self.last_read().clone();
        let standing = self.local_decisions().await;
        let now = if standing.is_empty() {
            Timestamp::now()
        } else {
            self.now().await
        };
        let read = move || {
            let configured = Inventory::read(&configured);
            let components = configured.components.clone();
            let facts = Facts::of(&components, &report);
            let (decisions, over) = facts.sort(standing, now);
            let same = before.filter(|before| {
                Arc::ptr_eq(&before.report, &report)
                    && before.components == components
                    && before.decisions == decisions
                    && before.inventory.running == running
            });
            let inventory = if let Some(same) = same {
                same.inventory
            } else {
                let inventory = decided(configured.with(&report), &decisions);
                Arc::new(inventory.running(running))
            };
            let last = LastInventory {
                report,
                components,
                decisions,
                inventory,
            };
            (last, over)
        };
        let (last, over) = on_a_thread(read).await;
        self.end_local_decisions(&over).await;
        let inventory = last.inventory.clone();
        *self.last_read() = Some(last);
        inventory
    }

    fn last_read(&self) -> std::sync::MutexGuard<'_, Option<LastInventory>> {
        // Nothing that holds it leaves it halfway.
        self.read
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

/// Reads or writes where nobody waits for the disk.
pub(crate) async fn on_a_thread<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(panic) => std::panic::resume_unwind(panic.into_panic()),
    }
}
