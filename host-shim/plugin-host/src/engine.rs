//! The engine that compiles and runs plugins, and the clock that interrupts them.

use std::{fs, io, path::Path, thread, time::Duration};

use wasmtime::{Cache, CacheConfig, Config, Engine};

use super::PluginError;
use crate::PluginLimits;

/// How often the engine's epoch grows: the grain of guest time.
pub(super) const TICK: Duration = Duration::from_millis(5);

/// Compiles and runs plugins.
#[derive(Clone)]
pub struct PluginEngine {
    engine: Engine,
    limits: PluginLimits,
}

impl std::fmt::Debug for PluginEngine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PluginEngine")
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}

impl PluginEngine {
    /// An engine that keeps compiled code in `cache`, a folder that only the shim may enter.
    ///
    /// Compiled code is trusted by whoever runs it, so the folder is made for its owner alone and
    /// one that others may write is refused.
    pub fn new(limits: PluginLimits, cache: &Path) -> Result<Self, PluginError> {
        let failed = |reason: String| PluginError::Engine { reason };
        own_folder(cache).map_err(|error| {
            failed(format!(
                "cannot use the folder {}: {error}",
                cache.display()
            ))
        })?;
        let mut cache_config = CacheConfig::new();
        cache_config.with_directory(cache);
        let cache = Cache::new(cache_config).map_err(|error| failed(format!("{error:#}")))?;
        let mut config = Config::new();
        config.wasm_component_model(true);
        config.epoch_interruption(true);
        config.max_wasm_stack(limits.stack);
        // Host calls run on the guest's stack and need room of their own.
        config.async_stack_size(limits.stack + (1 << 20));
        config.cache(Some(cache));
        let engine = Engine::new(&config).map_err(|error| failed(format!("{error:#}")))?;
        tick(&engine)
            .map_err(|error| failed(format!("no thread for the plugin's clock: {error}")))?;
        Ok(Self { engine, limits })
    }

    /// The limits that hold every plugin.
    pub fn limits(&self) -> &PluginLimits {
        &self.limits
    }

    pub(super) fn inner(&self) -> &Engine {
        &self.engine
    }
}

/// Makes a folder for its owner alone; one that is there must be so already.
fn own_folder(folder: &Path) -> io::Result<()> {
    use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
    if !folder.exists() {
        return fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(folder);
    }
    let mode = fs::metadata(folder)?.permissions().mode();
    if mode & 0o022 != 0 {
        return Err(io::Error::other(
            "others may write to it, and compiled code in it would be run: make it 0700",
        ));
    }
    Ok(())
}

/// Lets time pass for as long as the engine lives.
fn tick(engine: &Engine) -> io::Result<()> {
    let weak = engine.weak();
    let run = move || {
        while let Some(engine) = weak.upgrade() {
            engine.increment_epoch();
            drop(engine);
            thread::sleep(TICK);
        }
    };
    thread::Builder::new()
        .name("plugin-clock".to_owned())
        .spawn(run)
        .map(drop)
}
