//! The rooms without the plugin: what has to work when there is none.

use std::{collections::VecDeque, fs, os::unix::fs::DirBuilderExt, path::Path, sync::Arc};

use jiff::Timestamp;
use spacecp_contract::{Correction, Digest, DocumentId, DocumentKind};

use super::{ApplyRequest, Progress, ShimError, beside, carried::Carried};
use crate::{
    apply::{Application, Applier, ApplyError, Order, Plan},
    config::{Config, FeedConfig},
    fetch::{FetchError, Patience, Source},
    inventory::{Component, Inventory},
    store::Store,
    sync::{Follower, Mirror},
    trust::{self, AnyDocument, Unverified, Verified, workflow::Pin},
};

/// One of each room.
#[derive(Debug)]
pub(crate) struct Rooms {
    config: Config,
    store: Store,
    follower: Follower,
    applier: Applier,
}

impl Rooms {
    pub(super) async fn open(config: Config) -> Result<Self, ShimError> {
        make_state_folder(&config)?;
        let store = Store::open(&config.state.join("store.sqlite")).await?;
        let mirrors = config.feed.from.iter().map(|address| {
            let source = Arc::new(Source::new(address, Patience::default())?);
            let address = address.to_owned();
            Ok(Mirror { address, source })
        });
        let mirrors = mirrors.collect::<Result<Vec<_>, FetchError>>()?;
        let pin = pin(&config.feed)?;
        let audience = config.feed.audience.clone();
        let follower = Follower::new(mirrors, store.clone(), pin, audience);
        let applier = Applier::new(store.clone());
        Ok(Self {
            config,
            store,
            follower,
            applier,
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

    /// What is installed, read afresh.
    pub(super) async fn inventory(&self) -> Inventory {
        let configured = self.config.components.clone();
        match tokio::task::spawn_blocking(move || Inventory::read(&configured)).await {
            Ok(inventory) => inventory,
            Err(panic) => std::panic::resume_unwind(panic.into_panic()),
        }
    }

    pub(super) async fn plan(
        &self,
        correction: &DocumentId,
        component: &str,
    ) -> Result<Plan, ShimError> {
        let correction = self.correction(correction).await?;
        let inventory = self.inventory().await;
        let component = find(&inventory, component)?;
        Ok(self
            .applier
            .plan(&correction, component, &inventory)
            .await?)
    }

    pub(super) async fn apply(
        &self,
        request: ApplyRequest,
        progress: &dyn Progress,
    ) -> Result<Application, ShimError> {
        let correction = self.correction(&request.correction).await?;
        let inventory = self.inventory().await;
        let now = Timestamp::now();
        let mut mirrors: VecDeque<Mirror> = self.carried(&correction)?.into_iter().collect();
        mirrors.extend(self.follower.mirrors().iter().cloned());
        loop {
            let order = Order {
                correction: &correction,
                component: find(&inventory, &request.component)?,
                inventory: &inventory,
                shown: request.plan,
                overwrite: request.overwrite,
                by: &request.by,
                id: application_id(now)?,
                now,
            };
            // The configuration was checked: there is one at least.
            let Some(mirror) = mirrors.pop_front() else {
                return Err(ShimError::NotFound {
                    what: "feed",
                    name: "from".to_owned(),
                });
            };
            let applied = self.applier.apply(order, &mirror.source, progress).await;
            match applied {
                // Nothing was changed for want of a payload, which another mirror may have.
                Err(ApplyError::Payload(error)) if !mirrors.is_empty() => {
                    tracing::warn!(mirror = mirror.address, %error, "this mirror did not give the payload");
                }
                applied => return Ok(applied?),
            }
        }
    }

    /// Where the payloads of a correction are if they were all carried here.
    fn carried(&self, correction: &Correction) -> Result<Option<Mirror>, ShimError> {
        let carried = Carried::below(&self.config.state);
        if !carried.has(correction) {
            return Ok(None);
        }
        let address = carried.folder().display().to_string();
        let source = Arc::new(Source::new(&address, Patience::default())?);
        Ok(Some(Mirror { address, source }))
    }

    pub(super) async fn components_for(
        &self,
        correction: &DocumentId,
    ) -> Result<Vec<String>, ShimError> {
        let correction = self.correction(correction).await?;
        let inventory = self.inventory().await;
        let fitting = inventory
            .components
            .iter()
            .filter(|component| component.advisory_name == correction.component);
        Ok(fitting.map(|component| component.name.clone()).collect())
    }

    async fn correction(&self, id: &DocumentId) -> Result<Verified<Correction>, ShimError> {
        match self.store.document(DocumentKind::Correction, id).await? {
            Some(AnyDocument::Correction(correction)) => Ok(correction),
            _ => Err(ShimError::NotFound {
                what: "correction",
                name: id.to_string(),
            }),
        }
    }
}

fn find<'a>(inventory: &'a Inventory, name: &str) -> Result<&'a Component, ShimError> {
    inventory
        .component(name)
        .ok_or_else(|| ShimError::NotFound {
            what: "component",
            name: name.to_owned(),
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

/// The folder that only the shim may enter.
fn make_state_folder(config: &Config) -> Result<(), ShimError> {
    let made = fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(&config.state);
    made.map_err(|source| ShimError::File {
        path: config.state.clone(),
        source,
    })
}

/// A name for an application: when it began, and a little that tells two of one second apart.
fn application_id(now: Timestamp) -> Result<String, ShimError> {
    let mut tail = [0; 3];
    getrandom::fill(&mut tail).map_err(|error| ShimError::File {
        path: "/dev/urandom".into(),
        source: std::io::Error::other(error.to_string()),
    })?;
    Ok(format!(
        "{}-{}",
        now.strftime("%Y%m%dT%H%M%S"),
        hex::encode(tail)
    ))
}
