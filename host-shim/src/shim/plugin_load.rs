//! Reads, verifies and loads the plugin.
//!
//! What cannot be loaded is said, and keeps nothing else from working.

use std::{fs, path::Path, sync::Arc};

use spacecp_contract::{Digest, PluginManifest, Root};

use super::{Rooms, ShimError, beside, services, told::Told};
use crate::{
    plugin::{PluginEngine, PluginError, PluginHost},
    trust::{self, TrustError, Unverified, Verified},
};

/// Why the plugin cannot be loaded.
#[derive(Debug, Clone, thiserror::Error)]
pub enum PluginLoadError {
    /// A file.
    #[error("cannot read {path}: {reason}")]
    File {
        /// The file.
        path: String,
        /// What is wrong.
        reason: String,
    },
    /// Only a fingerprint is pinned, and the feed has not been heard yet.
    #[error(
        "nobody can say yet whose plugin may run: only the fingerprint of the first root is here, and the root comes with the first sync"
    )]
    NoRoot,
    /// It is not signed as it must be.
    #[error(transparent)]
    Trust(#[from] TrustError),
    /// It cannot run here.
    #[error(transparent)]
    Plugin(#[from] PluginError),
}

/// A plugin that may run: the manifest that was signed, and the very bytes that it is about.
struct Offered {
    manifest: Verified<PluginManifest>,
    component: Vec<u8>,
}

/// Reads, verifies and loads the plugin. Nothing of it is compiled before it has been verified.
pub(super) async fn load(
    rooms: &Arc<Rooms>,
    told: &Arc<Told>,
) -> Result<Result<PluginHost, PluginLoadError>, ShimError> {
    let offered = match verified(rooms).await? {
        Ok(offered) => offered,
        Err(error) => return Ok(Err(error)),
    };
    let loaded = start(rooms, told, &offered);
    if let Ok(plugin) = &loaded {
        rooms
            .store()
            .plugin_ran(&plugin.manifest().plugin, plugin.manifest().release)
            .await?;
    }
    Ok(loaded)
}

/// The component that would run, by its digest: read and verified as if it were to be loaded.
pub(super) async fn component(rooms: &Rooms) -> Result<Result<Digest, PluginLoadError>, ShimError> {
    let offered = verified(rooms).await?;
    Ok(offered.map(|offered| offered.manifest.component))
}

fn start(
    rooms: &Arc<Rooms>,
    told: &Arc<Told>,
    offered: &Offered,
) -> Result<PluginHost, PluginLoadError> {
    let config = rooms.config();
    let engine = PluginEngine::new(config.limits, &config.state.join("plugin-cache"))?;
    let services = Arc::new(services::PluginServices {
        rooms: rooms.clone(),
        trying: None,
        told: told.clone(),
    });
    let Offered {
        manifest,
        component,
    } = offered;
    Ok(PluginHost::load(&engine, manifest, component, services)?)
}

async fn verified(rooms: &Rooms) -> Result<Result<Offered, PluginLoadError>, ShimError> {
    let root = rooms.follower().root().await?;
    let release = rooms.store().plugin_release("advisories").await?;
    let Some(root) = root else {
        return Ok(Err(PluginLoadError::NoRoot));
    };
    Ok(read(rooms, &root, release))
}

fn read(
    rooms: &Rooms,
    root: &Verified<Root>,
    release: Option<u64>,
) -> Result<Offered, PluginLoadError> {
    let config = &rooms.config().plugin;
    let manifest = read_bounded(&config.manifest, 64 << 10)?;
    let signatures = read_bounded(&beside(&config.manifest), 64 << 10)?;
    let component = read_bounded(&config.component, rooms.config().limits.component)?;
    let offered = Unverified {
        bytes: &manifest,
        signatures: &signatures,
    };
    let manifest = trust::plugin(root, offered, &component, release)?;
    Ok(Offered {
        manifest,
        component,
    })
}

fn read_bounded(path: &Path, limit: u64) -> Result<Vec<u8>, PluginLoadError> {
    let failed = |reason: String| PluginLoadError::File {
        path: path.display().to_string(),
        reason,
    };
    let length = fs::metadata(path)
        .map_err(|error| failed(error.to_string()))?
        .len();
    if length > limit {
        return Err(failed(format!(
            "it has {length} bytes, and {limit} are allowed"
        )));
    }
    fs::read(path).map_err(|error| failed(error.to_string()))
}
