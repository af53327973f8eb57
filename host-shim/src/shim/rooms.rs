//! The rooms without the plugin: what has to work when there is none.

use std::{fs, os::unix::fs::DirBuilderExt, sync::Arc};

use jiff::Timestamp;
use spacecp_contract::{Correction, DocumentId, DocumentKind};

use super::{ApplyRequest, Progress, ShimError, beside};
use crate::{
    apply::{Application, Applier, Order, Plan},
    config::Config,
    fetch::{Patience, Source},
    inventory::{Component, Inventory},
    store::Store,
    sync::Follower,
    trust::{AnyDocument, Unverified, Verified},
};

/// One of each room.
#[derive(Debug)]
pub(crate) struct Rooms {
    config: Config,
    store: Store,
    source: Arc<Source>,
    follower: Follower,
    applier: Applier,
}

impl Rooms {
    pub(super) async fn open(config: Config) -> Result<Self, ShimError> {
        make_state_folder(&config)?;
        let store = Store::open(&config.state.join("store.sqlite")).await?;
        let source = Arc::new(Source::new(&config.feed.from, Patience::default())?);
        let path = config.feed.root.clone();
        let read = |path: std::path::PathBuf| {
            fs::read(&path).map_err(|source| ShimError::File { path, source })
        };
        let (bytes, signatures) = (read(path.clone())?, read(beside(&path))?);
        let pinned = Unverified {
            bytes: &bytes,
            signatures: &signatures,
        };
        let follower = Follower::new(source.clone(), store.clone(), pinned, &config.feed.audience)
            .map_err(|source| ShimError::PinnedRoot { path, source })?;
        let applier = Applier::new(store.clone());
        Ok(Self {
            config,
            store,
            source,
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
        Ok(self.applier.apply(order, &self.source, progress).await?)
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
