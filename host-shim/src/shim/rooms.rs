//! The rooms without the plugin: what has to work when there is none.

use std::{fs, path::Path, sync::Arc};

use jiff::Timestamp;
use spacecp_contract::Digest;
use tokio::sync::{Mutex, Notify, RwLock, RwLockReadGuard, RwLockWriteGuard, watch};

use super::{ShimError, beside, catalogue::Catalogue};
use crate::{
    apply::Applier,
    automation::{AutomationError, Ledger},
    config::{Config, FeedConfig},
    control::{Configured, Watchdog},
    fetch::{self, Access, FetchError, Proxy, Source},
    identity,
    inventory::{Inventory, Lookout, Report},
    own_place,
    plugin::bindings::exports::spacecp::advisories::exposure::ExposureReport,
    policy::{InForce, Policy},
    remembered::{self, Remembered},
    store::Store,
    sync::{Follower, Mirror},
    trust::{self, Unverified, workflow::Pin},
};

/// One of each room.
#[derive(Debug)]
pub(crate) struct Rooms {
    config: Config,
    store: Store,
    follower: Follower,
    applier: Applier,
    ledger: Ledger,
    lookout: Lookout,
    /// The inventory that was read last, and what was found by then.
    read: std::sync::Mutex<Option<(Arc<Report>, Arc<Inventory>)>>,
    /// Whether automatic application is to begin nothing more.
    closing: watch::Sender<bool>,
    /// Held, together, by whoever is at a component.
    at_work: RwLock<()>,
    /// The documents at hand in short, by the digest of what that rests on.
    listed: Mutex<Option<(Digest, Arc<Catalogue>)>>,
    /// The same, for the next process.
    listed_last: Arc<Remembered<Catalogue>>,
    /// What the plugin said last.
    remembered: Remembered<ExposureReport>,
    /// Rung when something happened that somebody may have to be told.
    stirred: Notify,
}

impl Rooms {
    pub(super) async fn open(config: Config) -> Result<Self, ShimError> {
        let store = store(&config).await?;
        let access = access(&config.feed)?;
        let mirrors = config.feed.from.iter().map(|address| {
            let source = Arc::new(Source::new(address, access.clone())?);
            let address = address.to_owned();
            Ok(Mirror { address, source })
        });
        let mirrors = mirrors.collect::<Result<Vec<_>, FetchError>>()?;
        let pin = pin(&config.feed)?;
        let audience = config.feed.audience.clone();
        // The vendor wants to know whom to encrypt to before there is anything to read.
        if let Err(error) = identity::load_or_make(&config.state, Timestamp::now()) {
            tracing::warn!(%error, "this panel cannot read what is encrypted to it");
        }
        let follower =
            Follower::new(mirrors, store.clone(), pin, audience).reading_as(config.state.clone());
        let applier = applier_of(&config, store.clone());
        let ledger = Ledger::new(store.clone());
        let lookout = Lookout::new(&config);
        let listed_last = Arc::new(Remembered::within(&config.state, remembered::CATALOGUE));
        let remembered = Remembered::within(&config.state, remembered::REPORT);
        Ok(Self {
            config,
            store,
            follower,
            applier,
            ledger,
            lookout,
            read: std::sync::Mutex::default(),
            closing: watch::Sender::new(false),
            at_work: RwLock::new(()),
            listed: Mutex::default(),
            listed_last,
            remembered,
            stirred: Notify::new(),
        })
    }

    pub(super) fn config(&self) -> &Config {
        &self.config
    }

    pub(super) fn store(&self) -> &Store {
        &self.store
    }

    pub(super) fn follower(&self) -> &Follower {
        &self.follower
    }

    pub(super) fn applier(&self) -> &Applier {
        &self.applier
    }

    /// To be held for as long as something is done to a component.
    pub(super) async fn at_work(&self) -> RwLockReadGuard<'_, ()> {
        self.at_work.read().await
    }

    /// Waits until nothing is done to any component, and lets nobody begin any more as long as it is held.
    pub(super) async fn at_rest(&self) -> RwLockWriteGuard<'_, ()> {
        self.at_work.write().await
    }

    pub(super) fn listed(&self) -> &Mutex<Option<(Digest, Arc<Catalogue>)>> {
        &self.listed
    }

    pub(super) fn listed_last(&self) -> &Arc<Remembered<Catalogue>> {
        &self.listed_last
    }

    pub(super) fn remembered(&self) -> &Remembered<ExposureReport> {
        &self.remembered
    }

    pub(super) fn stirred(&self) -> &Notify {
        &self.stirred
    }

    /// How whatever is not on this machine is reached, as it is configured for the feed.
    pub(super) fn access(&self) -> Result<Access, FetchError> {
        access(&self.config.feed)
    }

    pub(super) fn closing(&self) -> &watch::Sender<bool> {
        &self.closing
    }

    pub(super) fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// The rules in force, or those that would be under another policy.
    pub(super) async fn rules(&self, trying: Option<&Policy>) -> Result<InForce, AutomationError> {
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
    pub(super) async fn inventory(&self) -> Arc<Inventory> {
        let report = self.lookout.look().await;
        self.read_inventory(report).await
    }

    /// What is installed, with what was found the last time: for a plugin that waits for the answer.
    pub(super) async fn inventory_last_seen(&self) -> Arc<Inventory> {
        let report = self.lookout.last_seen().await;
        self.read_inventory(report).await
    }

    pub(super) fn lookout(&self) -> &Lookout {
        &self.lookout
    }

    /// Puts together what is configured and what was found. The latter may be very much, so that both
    /// together are kept for as long as neither changes.
    async fn read_inventory(&self, report: Arc<Report>) -> Arc<Inventory> {
        let configured = self.config.components.clone();
        let before = self.last_read().clone();
        let found = report.clone();
        let read = move || {
            let configured = Inventory::read(&configured);
            let same = before.filter(|(report, inventory)| {
                Arc::ptr_eq(report, &found) && inventory.components == configured.components
            });
            match same {
                Some((_, inventory)) => inventory,
                None => Arc::new(configured.with(&found)),
            }
        };
        let inventory = match tokio::task::spawn_blocking(read).await {
            Ok(inventory) => inventory,
            Err(panic) => std::panic::resume_unwind(panic.into_panic()),
        };
        *self.last_read() = Some((report, inventory.clone()));
        inventory
    }

    fn last_read(&self) -> std::sync::MutexGuard<'_, Option<(Arc<Report>, Arc<Inventory>)>> {
        // Nothing that holds it leaves it halfway.
        self.read
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

/// What applies and takes back, alone: for what has to work without feed and plugin.
pub(crate) async fn applier(config: &Config) -> Result<Applier, ShimError> {
    let store = store(config).await?;
    Ok(applier_of(config, store))
}

/// What this panel knows, in a folder that only its own user may enter.
pub(crate) async fn store(config: &Config) -> Result<Store, ShimError> {
    own_place::folder(&config.state)?;
    Ok(Store::open(&config.state.join("store.sqlite")).await?)
}

fn applier_of(config: &Config, store: Store) -> Applier {
    let folders = config.components.iter().map(|component| &component.folder);
    Applier::new(store)
        .controlled_by(Arc::new(Configured::new(&config.components)))
        .watched_by(watchdog(config))
        .keeping(config.apply.old_trees())
        .among(folders.cloned().collect())
}

/// What goes on while the panel is stopped, if it is known where that program is.
fn watchdog(config: &Config) -> Option<Watchdog> {
    Some(Watchdog {
        program: config.apply.program.clone()?,
        config: config.path.clone(),
        log: config.state.join("watchdog.log"),
    })
}

/// How the feed is reached, as it is configured.
fn access(feed: &FeedConfig) -> Result<Access, FetchError> {
    let proxy = match feed.proxy.as_deref() {
        None => Proxy::Environment,
        Some("none") => Proxy::None,
        Some(address) => Proxy::Address(address.to_owned()),
    };
    let authorities = match &feed.authorities {
        Some(path) => fetch::authorities(path)?,
        None => Vec::new(),
    };
    Ok(Access {
        proxy,
        authorities,
        object_stores: feed.object_stores.clone(),
        ..Access::default()
    })
}

/// Where trust begins: the root that lies here, the fingerprint, or both if they agree.
fn pin(feed: &FeedConfig) -> Result<Pin, ShimError> {
    // The configuration was checked: a fingerprint that is there can be read.
    let fingerprint: Option<Digest> = feed
        .root_fingerprint
        .as_deref()
        .and_then(|text| text.parse().ok());
    let Some(path) = &feed.root else {
        let digest = fingerprint.ok_or_else(|| ShimError::File {
            path: "the first root".into(),
            source: std::io::ErrorKind::NotFound.into(),
        })?;
        return Ok(Pin::Fingerprint {
            version: feed.root_version,
            digest,
        });
    };
    let read = |path: &Path| {
        fs::read(path).map_err(|source| ShimError::File {
            path: path.to_owned(),
            source,
        })
    };
    let (bytes, signatures) = (read(path)?, read(&beside(path))?);
    let offered = Unverified {
        bytes: &bytes,
        signatures: &signatures,
    };
    let pinned = match fingerprint {
        Some(digest) => trust::by_fingerprint(offered, digest, &feed.audience)
            .map(|root| Pin::Root(Box::new(root))),
        None => Pin::root(offered, &feed.audience),
    };
    pinned.map_err(|source| ShimError::PinnedRoot {
        path: path.clone(),
        source,
    })
}
