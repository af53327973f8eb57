//! The rooms without the plugin: what has to work when there is none.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::{Arc, OnceLock},
    time::Duration,
};

use jiff::Timestamp;
use spacecp_contract::Digest;
use tokio::sync::{Mutex, Notify, RwLock, RwLockReadGuard, RwLockWriteGuard, watch};

use super::{ShimError, beside, catalogue::Catalogue};
use crate::{
    apply::Applier,
    automation::{AutomationError, Ledger},
    config::{Config, FeedConfig},
    control::{Configured, Watchdog},
    fetch::{self, Access, FetchError, Patience, Proxy, Source},
    identity,
    inventory::{Inventory, Lookout, Report},
    plugin::bindings::exports::spacecp::advisories::exposure::ExposureReport,
    policy::{InForce, Policy},
    remembered::{self, Remembered},
    store::{JOURNAL_COPY, Store, ballast},
    sync::{Follower, Mirror},
    trust::{self, Unverified, workflow::Pin},
};
use spacecp_fs::private_files;

/// The file in the state folder with what only this panel knows.
const STORE: &str = "store.sqlite";

/// One of each room.
#[derive(Debug)]
pub(crate) struct Rooms {
    config: Config,
    store: Store,
    /// Made by whoever first follows the feed: what needs no feed needs no pinned root either.
    follower: OnceLock<Follower>,
    applier: Applier,
    ledger: Ledger,
    lookout: Lookout,
    /// The inventory that was read last, and what was found by then.
    read: std::sync::Mutex<Option<(Arc<Report>, Arc<Inventory>)>>,
    /// Held by a sync of this process that is under way.
    syncing: Arc<Mutex<()>>,
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
    /// All of it, with a pinned root that can be used and a store of the feed that can be read.
    pub(super) async fn open(config: Config) -> Result<Self, ShimError> {
        let store = store(&config).await?;
        let rooms = Self::around(config, store);
        rooms.follower()?;
        // The vendor wants to know whom to encrypt to before there is anything to read.
        if let Err(error) = identity::load_or_make(&rooms.config.state, Timestamp::now()) {
            tracing::warn!(%error, "cannot decrypt sealed documents");
        }
        Ok(rooms)
    }

    /// The same for what has to work without the feed, the pinned root and the plugin: whoever wants one of
    /// them is told why it cannot be used.
    pub(super) async fn open_without_feed(config: Config) -> Result<Self, ShimError> {
        let store = store_without_feed(&config).await?;
        Ok(Self::around(config, store))
    }

    fn around(config: Config, store: Store) -> Self {
        let applier = applier_of(&config, store.clone());
        let ledger = Ledger::new(store.clone());
        let lookout = Lookout::new(
            config.jobs(),
            &config.components,
            config.scan,
            &config.state,
        );
        let listed_last = Arc::new(Remembered::within(&config.state, remembered::CATALOGUE));
        let remembered = Remembered::within(&config.state, remembered::REPORT);
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
            listed: Mutex::default(),
            listed_last,
            remembered,
            stirred: Notify::new(),
        }
    }

    pub(super) fn config(&self) -> &Config {
        &self.config
    }

    pub(super) fn store(&self) -> &Store {
        &self.store
    }

    /// What follows the feed, or why nobody can: its addresses or the pinned root cannot be used.
    pub(super) fn follower(&self) -> Result<&Follower, ShimError> {
        if let Some(follower) = self.follower.get() {
            return Ok(follower);
        }
        let follower = follower(&self.config, &self.store)?;
        Ok(self.follower.get_or_init(|| follower))
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

    pub(super) fn syncing(&self) -> Arc<Mutex<()>> {
        self.syncing.clone()
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
pub async fn applier(config: &Config) -> Result<(Applier, Store), ShimError> {
    // What it does has to be written to the journal, on a full disk too.
    ballast::give_up_if_full(&config.state);
    let store = store_without_feed(config).await?;
    Ok((applier_of(config, store.clone()), store))
}

/// What this panel knows, in a folder that only its own user may enter.
pub async fn store(config: &Config) -> Result<Store, ShimError> {
    private_files::folder(&config.state)?;
    let store = Store::open(&config.state.join(STORE)).await?;
    ballast::keep(&config.state);
    Ok(store)
}

/// Sets a lost or damaged store aside, and makes a new one of the copy of the journal. Says where the other is.
pub async fn replace_store(config: &Config, by: &str) -> Result<PathBuf, ShimError> {
    private_files::folder(&config.state)?;
    Ok(Store::replace(&config.state.join(STORE), by, Timestamp::now()).await?)
}

/// The same for what needs the journal whatever became of the feed. Where `store.sqlite` is damaged or lost, the copy
/// of the journal stands in for it.
async fn store_without_feed(config: &Config) -> Result<Store, ShimError> {
    private_files::folder(&config.state)?;
    let opened = Store::open_without_feed(&config.state.join(STORE)).await;
    let damage = match &opened {
        Ok(store) => store.look_for_own_damage().await.err(),
        Err(_) => None,
    };
    let error = match (opened, damage) {
        (Err(error), _) => error,
        (Ok(_), Some(error)) if error.wants_the_copy() => error,
        (Ok(store), _) => return Ok(store),
    };
    let copy = config.state.join(JOURNAL_COPY);
    if !error.wants_the_copy() {
        return Err(error.into());
    }
    match Store::open_to_stand_in(&copy).await {
        Ok(store) => {
            tracing::error!(%error, copy = %copy.display(), "store.sqlite is damaged or lost; using the copy of the journal. Restore store.sqlite from a backup");
            Ok(store)
        }
        Err(no_copy) => {
            tracing::error!(error = %no_copy, copy = %copy.display(), "cannot use the copy of the journal either");
            Err(error.into())
        }
    }
}

/// What follows the feed where the configuration says, from the root that is pinned there.
fn follower(config: &Config, store: &Store) -> Result<Follower, ShimError> {
    let access = access(&config.feed)?;
    let mirrors = config.feed.from.iter().map(|address| {
        let source = Arc::new(Source::new(address, access.clone())?);
        let address = address.to_owned();
        Ok(Mirror { address, source })
    });
    let mirrors = mirrors.collect::<Result<Vec<_>, FetchError>>()?;
    let pin = pin(&config.feed)?;
    let follower = Follower::new(mirrors, store.clone(), pin, config.feed.audience.clone());
    Ok(follower.reading_as(config.state.clone()))
}

fn applier_of(config: &Config, store: Store) -> Applier {
    let folders = config.components.iter().map(|component| &component.folder);
    Applier::new(store)
        .controlled_by(Arc::new(Configured::new(&config.components)))
        .watched_by(watchdog(config))
        .keeping(config.apply.old_trees())
        .working_in(config.apply.workspace.clone())
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
        patience: Patience {
            sync: Duration::from_secs(feed.sync_timeout),
            payload: Duration::from_secs(feed.sync_timeout),
            ..Patience::default()
        },
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
