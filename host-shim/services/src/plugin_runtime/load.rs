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

use super::{LoadedPlugin, imports::PluginImports, inputs::PluginInputs};
use crate::{
    ServiceError,
    plugin::{PluginEngine, PluginError, PluginHost},
    state::{State, beside},
    trust::{self, TrustError, Unverified, Verified},
};
use spacecp_fs::{hashing, regular_file};

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
pub(crate) async fn load(
    state: &Arc<State>,
    inputs: &Arc<PluginInputs>,
    turn: OwnedMutexGuard<()>,
) -> Result<Result<LoadedPlugin, PluginLoadError>, ServiceError> {
    let Some((root, release)) = whose_word(state).await? else {
        return Ok(Err(PluginLoadError::NoRoot));
    };
    let (at, inputs) = (state.clone(), inputs.clone());
    let loading = aside(move || {
        let offered = read(&at, &root, release);
        let loaded = offered.and_then(|offered| {
            let host = start(&at, &inputs, &offered)?;
            let manifest = offered.manifest;
            Ok(LoadedPlugin { host, manifest })
        });
        (loaded, turn)
    });
    let (loaded, _turn) = loading.await;
    if let Ok(plugin) = &loaded {
        note_release(state, &plugin.manifest).await?;
    }
    Ok(loaded)
}

/// Holds the manifest of a plugin that was loaded under an earlier root against this one.
pub(crate) fn verify_again(
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
pub(crate) async fn note_release(
    state: &State,
    manifest: &PluginManifest,
) -> Result<(), ServiceError> {
    let (store, plugin) = (state.store(), &manifest.plugin);
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
pub(crate) async fn manifest_in_force(
    state: &Arc<State>,
) -> Result<Result<Verified<PluginManifest>, PluginLoadError>, ServiceError> {
    let Some((root, release)) = whose_word(state).await? else {
        return Ok(Err(PluginLoadError::NoRoot));
    };
    let at = state.clone();
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
    state: &State,
    root: &Verified<Root>,
    release: Option<u64>,
) -> Result<Verified<PluginManifest>, PluginLoadError> {
    let config = &state.config().plugin;
    let (manifest, signatures) = manifest(state)?;
    let mut component = open_bounded(&config.component, state.config().limits.component)?;
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
    state: &Arc<State>,
    inputs: &Arc<PluginInputs>,
    offered: &Offered,
) -> Result<PluginHost, PluginLoadError> {
    let config = state.config();
    let engine = PluginEngine::new(config.limits, &config.state.join("plugin-cache"))?;
    let imports = Arc::new(PluginImports {
        state: state.clone(),
        trying: None,
        inputs: inputs.clone(),
    });
    let Offered {
        manifest,
        component,
    } = offered;
    Ok(PluginHost::load(&engine, manifest, component, imports)?)
}

/// The root that says whose plugin may run, if it is known, and the release that ran here last.
async fn whose_word(state: &State) -> Result<Option<(Verified<Root>, Option<u64>)>, ServiceError> {
    let root = state.follower()?.root().await?;
    let release = state.store().plugin_release("advisories").await?;
    Ok(root.map(|root| (root, release)))
}

fn read(
    state: &State,
    root: &Verified<Root>,
    release: Option<u64>,
) -> Result<Offered, PluginLoadError> {
    let config = &state.config().plugin;
    let (manifest, signatures) = manifest(state)?;
    let component = read_bounded(&config.component, state.config().limits.component)?;
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
fn manifest(state: &State) -> Result<(Vec<u8>, Vec<u8>), PluginLoadError> {
    let path = &state.config().plugin.manifest;
    let manifest = read_bounded(path, 64 << 10)?;
    let signatures = read_bounded(&beside(path), 64 << 10)?;
    Ok((manifest, signatures))
}

/// A file that is no longer than it may be, and is read no further however it grows.
fn open_bounded(path: &Path, limit: u64) -> Result<io::Take<fs::File>, PluginLoadError> {
    let opened = regular_file::open(path).and_then(|file| Ok((file.metadata()?.len(), file)));
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
