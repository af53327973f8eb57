//! Reads, verifies and loads the plugin.
//!
//! What cannot be loaded is said, and keeps nothing else from working.

use std::{
    fs,
    io::{self, Read},
    path::Path,
    sync::Arc,
};

use spacecp_contract::{PluginManifest, Root};
use tokio::sync::OwnedMutexGuard;

use super::{Rooms, ShimError, beside, plugin_slot::LoadedPlugin, services, told::Told};
use crate::{
    plugin::{PluginEngine, PluginError, PluginHost},
    trust::{self, TrustError, Unverified, Verified},
};
use spacecp_fs::hashing;

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
        "cannot verify the plugin yet: only the fingerprint of the first root is configured, and the first sync fetches the root. Run \"spacecp-advisories sync\""
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
///
/// Reading and compiling take seconds in which this thread serves others; `turn` is held until they have ended, also
/// where nobody waits for the plugin any more.
pub(super) async fn load(
    rooms: &Arc<Rooms>,
    told: &Arc<Told>,
    turn: OwnedMutexGuard<()>,
) -> Result<Result<LoadedPlugin, PluginLoadError>, ShimError> {
    let Some((root, release)) = whose_word(rooms).await? else {
        return Ok(Err(PluginLoadError::NoRoot));
    };
    let (at, told) = (rooms.clone(), told.clone());
    let loading = aside(move || {
        let offered = read(&at, &root, release);
        let loaded = offered.and_then(|offered| {
            let host = start(&at, &told, &offered)?;
            let manifest = offered.manifest;
            Ok(LoadedPlugin { host, manifest })
        });
        (loaded, turn)
    });
    let (loaded, _turn) = loading.await;
    if let Ok(plugin) = &loaded {
        note_release(rooms, &plugin.manifest).await?;
    }
    Ok(loaded)
}

/// Holds the manifest of a plugin that was loaded under an earlier root against this one.
pub(super) fn verify_again(
    root: &Verified<Root>,
    manifest: &Verified<PluginManifest>,
) -> Result<(), TrustError> {
    let offered = Unverified {
        bytes: manifest.bytes(),
        signatures: manifest.signatures().as_bytes(),
    };
    let component = (manifest.component, manifest.length);
    trust::plugin_by_digest(root, offered, component, None).map(drop)
}

/// Remembers the release that runs, so that no older one runs after it. On a full disk it runs all the same: it was
/// verified, and whoever could bring an older one has nothing from that.
pub(super) async fn note_release(
    rooms: &Rooms,
    manifest: &PluginManifest,
) -> Result<(), ShimError> {
    let (store, plugin) = (rooms.store(), &manifest.plugin);
    if store.plugin_release(plugin).await? >= Some(manifest.release) {
        return Ok(());
    }
    match store.plugin_ran(plugin, manifest.release).await {
        Err(error) if error.is_full() => {
            tracing::warn!(%error, "cannot record the release of the plugin");
            Ok(())
        }
        noted => Ok(noted?),
    }
}

/// The manifest of the plugin that would run: verified with its component as if that were to be loaded, which
/// is never held whole.
pub(super) async fn manifest_in_force(
    rooms: &Arc<Rooms>,
) -> Result<Result<Verified<PluginManifest>, PluginLoadError>, ShimError> {
    let Some((root, release)) = whose_word(rooms).await? else {
        return Ok(Err(PluginLoadError::NoRoot));
    };
    let at = rooms.clone();
    Ok(aside(move || manifest_of(&at, &root, release)).await)
}

/// Reads, hashes or compiles where nobody else waits for the thread.
async fn aside<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(panic) => std::panic::resume_unwind(panic.into_panic()),
    }
}

fn manifest_of(
    rooms: &Rooms,
    root: &Verified<Root>,
    release: Option<u64>,
) -> Result<Verified<PluginManifest>, PluginLoadError> {
    let config = &rooms.config().plugin;
    let (manifest, signatures) = manifest(rooms)?;
    let mut component = open_bounded(&config.component, rooms.config().limits.component)?;
    let room = component.limit();
    let digest = hashing::digest_of(&mut component);
    let digest = digest.map_err(|error| failed(&config.component, &error))?;
    let found = (digest, room - component.limit());
    let offered = Unverified {
        bytes: &manifest,
        signatures: &signatures,
    };
    Ok(trust::plugin_by_digest(root, offered, found, release)?)
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

/// The root that says whose plugin may run, if it is known, and the release that ran here last.
async fn whose_word(rooms: &Rooms) -> Result<Option<(Verified<Root>, Option<u64>)>, ShimError> {
    let root = rooms.follower()?.root().await?;
    let release = rooms.store().plugin_release("advisories").await?;
    Ok(root.map(|root| (root, release)))
}

fn read(
    rooms: &Rooms,
    root: &Verified<Root>,
    release: Option<u64>,
) -> Result<Offered, PluginLoadError> {
    let config = &rooms.config().plugin;
    let (manifest, signatures) = manifest(rooms)?;
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

/// The manifest and its signatures, as they lie there.
fn manifest(rooms: &Rooms) -> Result<(Vec<u8>, Vec<u8>), PluginLoadError> {
    let path = &rooms.config().plugin.manifest;
    let manifest = read_bounded(path, 64 << 10)?;
    let signatures = read_bounded(&beside(path), 64 << 10)?;
    Ok((manifest, signatures))
}

/// A file that is no longer than it may be, and is read no further however it grows.
fn open_bounded(path: &Path, limit: u64) -> Result<io::Take<fs::File>, PluginLoadError> {
    let opened = fs::File::open(path).and_then(|file| Ok((file.metadata()?.len(), file)));
    let (length, file) = opened.map_err(|error| failed(path, &error))?;
    if length > limit {
        let words = format!("the file has {length} bytes; at most {limit} are allowed");
        return Err(failed(path, &io::Error::other(words)));
    }
    Ok(file.take(limit.saturating_add(1)))
}

fn read_bounded(path: &Path, limit: u64) -> Result<Vec<u8>, PluginLoadError> {
    let mut bytes = Vec::new();
    open_bounded(path, limit)?
        .read_to_end(&mut bytes)
        .map_err(|error| failed(path, &error))?;
    if bytes.len() as u64 > limit {
        let words = format!("the file grew beyond {limit} bytes while being read");
        return Err(failed(path, &io::Error::other(words)));
    }
    Ok(bytes)
}

fn failed(path: &Path, reason: &io::Error) -> PluginLoadError {
    PluginLoadError::File {
        path: path.display().to_string(),
        reason: reason.to_string(),
    }
}
