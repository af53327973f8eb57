//! Opens what the services share, as it is configured: the store, the applier, and what follows the feed.

use std::{
    io::Read,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use jiff::Timestamp;
use spacecp_contract::Digest;
use spacecp_feed::FeedConfig;
use spacecp_fs::{private_files, regular_file, unfinished};

use crate::{
    ServiceError, ServicesConfig,
    apply::{Applier, insecure_path},
    control::{Configured, Watchdog},
    fetch::{self, Access, FetchError, Patience, Proxy, Source},
    store::{JOURNAL_COPY, Replaced, Store, ballast},
    sync::{Follower, Mirror},
    trust::{self, Unverified, workflow::Pin},
};

/// The file in the state folder with what only this panel knows.
const STORE: &str = "store.sqlite";

/// Makes the folder of the state for this panel's user alone, where no other user could exchange it: whoever could
/// would have this process, often root, work with records of theirs, or close another folder.
pub fn own_folder(state: &Path) -> Result<(), ServiceError> {
    secure_place(state)?;
    private_files::folder(state)?;
    // One of an identity would be a secret that nobody looks after.
    if let Err(error) = unfinished::sweep(state) {
        tracing::warn!(state = %state.display(), %error, "cannot remove files that killed processes left");
    }
    Ok(())
}

/// Refuses a place for the state that other users could exchange. Makes nothing.
pub fn secure_place(state: &Path) -> Result<(), ServiceError> {
    match insecure_path(state)? {
        None => Ok(()),
        Some(insecure) => Err(ServiceError::InsecureState {
            state: state.to_owned(),
            insecure,
            user: rustix::process::geteuid().as_raw(),
        }),
    }
}

/// The most bytes that are read of the pinned root, and of its signatures: more than a root may have, so that the
/// verifier refuses what is cut off here.
const LONGEST_ROOT: u64 = 1 << 20;

/// What applies and takes back, alone: for what has to work without feed and plugin.
pub async fn applier(config: &ServicesConfig) -> Result<(Applier, Store), ServiceError> {
    own_folder(&config.state)?;
    // What it does has to be written to the journal, on a full disk too.
    ballast::give_up_if_full(&config.state);
    let store = store_without_feed(config).await?;
    Ok((applier_of(config, store.clone()), store))
}

/// What this panel knows, in a folder that only its own user may enter.
pub async fn open_store(config: &ServicesConfig) -> Result<Store, ServiceError> {
    own_folder(&config.state)?;
    let store = Store::open(&config.state.join(STORE)).await?;
    ballast::keep(&config.state);
    Ok(store)
}

/// Sets a lost or damaged store aside, and makes a new one of the copy of the journal. Says where the other is.
pub async fn replace_store(config: &ServicesConfig, by: &str) -> Result<Replaced, ServiceError> {
    own_folder(&config.state)?;
    Ok(Store::replace(&config.state.join(STORE), by, Timestamp::now()).await?)
}

/// The same for what needs the journal whatever became of the feed. Where `store.sqlite` is damaged or lost, the copy
/// of the journal stands in for it.
pub(super) async fn store_without_feed(config: &ServicesConfig) -> Result<Store, ServiceError> {
    own_folder(&config.state)?;
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
pub(super) fn follower(config: &ServicesConfig, store: &Store) -> Result<Follower, ServiceError> {
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

pub(super) fn applier_of(config: &ServicesConfig, store: Store) -> Applier {
    let folders = config.components.iter().map(|component| &component.folder);
    Applier::new(store)
        .controlled_by(Arc::new(Configured::new(&config.components)))
        .watched_by(watchdog(config))
        .keeping(config.apply.old_trees())
        .working_in(config.apply.workspace.clone())
        .among(folders.cloned().collect())
}

/// What goes on while the panel is stopped, if it is known where that program is.
fn watchdog(config: &ServicesConfig) -> Option<Watchdog> {
    Some(Watchdog {
        program: config.apply.program.clone()?,
        config: config.path.clone(),
        log: config.state.join("watchdog.log"),
    })
}

/// How the feed is reached, as it is configured.
pub(super) fn access(feed: &FeedConfig) -> Result<Access, FetchError> {
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
fn pin(feed: &FeedConfig) -> Result<Pin, ServiceError> {
    // The configuration was checked: a fingerprint that is there can be read.
    let fingerprint: Option<Digest> = feed
        .root_fingerprint
        .as_deref()
        .and_then(|text| text.parse().ok());
    let Some(path) = &feed.root else {
        let digest = fingerprint.ok_or_else(|| ServiceError::File {
            path: "the first root".into(),
            source: std::io::ErrorKind::NotFound.into(),
        })?;
        return Ok(Pin::Fingerprint {
            version: feed.root_version,
            digest,
        });
    };
    let read = |path: &Path| {
        let mut bytes = Vec::new();
        let opened = regular_file::open(path);
        opened
            .and_then(|file| file.take(LONGEST_ROOT).read_to_end(&mut bytes))
            .map_err(|source| ServiceError::File {
                path: path.to_owned(),
                source,
            })?;
        Ok::<_, ServiceError>(bytes)
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
    pinned.map_err(|source| ServiceError::PinnedRoot {
        path: path.clone(),
        source,
    })
}

/// The signature file beside a file.
pub(crate) fn beside(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(spacecp_contract::SIGNATURE_SUFFIX);
    name.into()
}
