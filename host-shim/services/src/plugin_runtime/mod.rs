//! The plugin that is loaded, for as long as the root of now says that it may run; and what answers its imports.
//!
//! A root may take the plugin's key from whoever had it. Whether the newest root still vouches for the plugin is
//! looked at whenever the plugin is asked for; one that it does not vouch for is dropped, and what lies there by
//! then is loaded in its place. May not: verify or compile anything itself, which `load` does.

pub(crate) mod contract;
mod imports;
mod inputs;
pub(crate) mod load;

use std::{
    os::unix::fs::MetadataExt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use crate::{
    ServiceError,
    plugin::{
        Counts, PluginConfig, PluginHost,
        bindings::exports::spacecp::advisories::automation::Action,
    },
    policy::Policy,
    state::{State, beside},
    trust::Verified,
};
pub(crate) use inputs::LastInputs;
use inputs::PluginInputs;
use jiff::Timestamp;
pub use load::PluginLoadError;
use spacecp_contract::{PluginManifest, Root};

/// What was loaded, or why nothing was.
type Loaded = Result<Arc<LoadedPlugin>, PluginLoadError>;

/// A plugin that may run.
#[derive(Debug)]
pub(crate) struct LoadedPlugin {
    pub(crate) host: PluginHost,
    pub(crate) manifest: Verified<PluginManifest>,
}

/// What was found when somebody wanted the plugin.
#[derive(Debug, Clone)]
struct Found {
    /// The version of the root that vouched for it; none where no root was known.
    root: Option<u64>,
    /// The plugin's files as they were before they were read.
    files: PluginFiles,
    loaded: Loaded,
}

/// The place of the plugin; empty until somebody wants it.
#[derive(Debug, Default)]
pub(crate) struct PluginSlot {
    /// What was found last.
    found: Mutex<Option<Found>>,
    /// Held by whoever loads it.
    loading: Arc<tokio::sync::Mutex<()>>,
}

/// Whether the plugin can be asked.
#[derive(Debug, Clone)]
pub enum PluginState {
    /// It can.
    Ready,
    /// It is being loaded.
    Loading,
    /// It could not be loaded.
    Missing(PluginLoadError),
}

impl PluginSlot {
    fn lock(&self) -> MutexGuard<'_, Option<Found>> {
        // Nothing that holds it leaves it halfway.
        self.found.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether somebody has wanted the plugin.
    pub(crate) fn is_taken(&self) -> bool {
        self.lock().is_some()
    }

    /// The plugin, if there is one.
    pub(crate) fn plugin(&self) -> Option<Arc<LoadedPlugin>> {
        self.lock()
            .as_ref()
            .and_then(|found| found.loaded.clone().ok())
    }

    /// What was found under the root of this version. That there was no plugin counts only as long as its files are
    /// the same: another one may have been installed since.
    fn under(&self, root: Option<u64>, config: &PluginConfig) -> Option<Loaded> {
        let found = self.lock().clone().filter(|found| found.root == root)?;
        let holds = found.loaded.is_ok() || found.files == PluginFiles::of(config);
        holds.then_some(found.loaded)
    }

    fn put(&self, found: Found) {
        *self.lock() = Some(found);
    }
}

/// What tells the plugin's files from those that are installed in their place: inode, length and time of the last
/// change of manifest, signatures and component; none for one that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
struct PluginFiles([Option<(u64, u64, i64, i64)>; 3]);

impl PluginFiles {
    fn of(config: &PluginConfig) -> Self {
        let signatures = beside(&config.manifest);
        let paths = [&config.manifest, &signatures, &config.component];
        Self(paths.map(|path| {
            let file = std::fs::metadata(path).ok()?;
            Some((file.ino(), file.len(), file.mtime(), file.mtime_nsec()))
        }))
    }
}

/// Characters of a text of the plugin's that are kept.
const LONGEST_TEXT: usize = 500;

/// A text of the plugin's, which is a stranger's: no longer than is useful.
pub(crate) fn bounded_text(text: &str) -> String {
    text.chars().take(LONGEST_TEXT).collect()
}

/// The plugin of this panel: loaded when it is first needed, and verified whenever its word is used.
#[derive(Debug, Clone)]
pub(crate) struct PluginRuntime {
    state: Arc<State>,
    slot: Arc<PluginSlot>,
    inputs: Arc<PluginInputs>,
}

impl PluginRuntime {
    pub(crate) fn new(state: Arc<State>) -> Self {
        Self {
            state,
            slot: Arc::default(),
            inputs: Arc::default(),
        }
    }

    /// What the plugin was given last.
    pub(crate) fn inputs(&self) -> &PluginInputs {
        &self.inputs
    }

    /// Whether somebody has wanted the plugin.
    pub(crate) fn is_taken(&self) -> bool {
        self.slot.is_taken()
    }

    /// The plugin, after looking at what is installed: that may take longer than a plugin is given.
    pub(crate) async fn informed(&self) -> Result<Arc<LoadedPlugin>, ServiceError> {
        let plugin = self.loaded().await?;
        self.state.lookout().look().await;
        Ok(plugin)
    }

    /// What the plugin would apply by itself at `now`, before the shim has held it against its ceilings.
    pub(crate) async fn automation_plan(
        &self,
        now: Timestamp,
    ) -> Result<Vec<Action>, ServiceError> {
        let plugin = self.informed().await?;
        Ok(plugin.host.automation_plan(now.as_second()).await?)
    }

    /// What the plugin would plan under a policy that is not in force.
    pub(crate) async fn plan_under(
        &self,
        policy: &Policy,
        now: Timestamp,
    ) -> Result<Vec<Action>, ServiceError> {
        let imports = Arc::new(imports::PluginImports {
            state: self.state.clone(),
            trying: Some(policy.clone()),
            inputs: Arc::default(),
        });
        let plugin = self.informed().await?;
        let plugin = plugin.host.answered_by(imports);
        Ok(plugin.automation_plan(now.as_second()).await?)
    }

    /// The plugin, loaded by whoever needs it first, and again when the root of now does not vouch for the one
    /// that is loaded.
    pub(crate) async fn loaded(&self) -> Result<Arc<LoadedPlugin>, ServiceError> {
        let loaded = Box::pin(self.loaded_plugin()).await?;
        loaded.map_err(ServiceError::NoPlugin)
    }

    /// Drops the plugin if the root of now does not vouch for it.
    pub(crate) async fn drop_revoked(&self) {
        if self.slot.is_taken()
            && let Err(error) = Box::pin(self.loaded_plugin()).await
        {
            tracing::warn!(%error, "cannot verify the plugin against the root");
        }
    }

    async fn loaded_plugin(&self) -> Result<Loaded, ServiceError> {
        let root = match self.state.follower()?.root().await {
            // Nothing can be read of the feed until the next sync builds it anew; neither can the plugin.
            Err(error)
                if error.is_damage()
                    && let Some(plugin) = self.slot.plugin() =>
            {
                return Ok(Ok(plugin));
            }
            root => root?,
        };
        let version = root.as_ref().map(|root| root.version);
        let config = &self.state.config().plugin;
        if let Some(loaded) = self.slot.under(version, config) {
            return Ok(loaded);
        }
        let turn = self.slot.loading.clone().lock_owned().await;
        if let Some(loaded) = self.slot.under(version, config) {
            return Ok(loaded);
        }
        let files = PluginFiles::of(config);
        let loaded = if let Some(plugin) = self.still_vouched_for(root.as_ref()) {
            // Under a root that starts afresh no release is remembered yet.
            load::note_release(&self.state, &plugin.manifest).await?;
            Ok(plugin)
        } else {
            let loaded = load::load(&self.state, &self.inputs, turn).await?;
            loaded.map(Arc::new)
        };
        if let Err(error) = &loaded {
            tracing::error!(%error, "plugin not available");
        }
        self.slot.put(Found {
            root: version,
            files,
            loaded: loaded.clone(),
        });
        Ok(loaded)
    }

    /// The plugin that is loaded, if this root vouches for it.
    fn still_vouched_for(&self, root: Option<&Verified<Root>>) -> Option<Arc<LoadedPlugin>> {
        let plugin = self.slot.plugin()?;
        match load::verify_again(root?, &plugin.manifest) {
            Ok(()) => Some(plugin),
            Err(error) => {
                tracing::error!(%error, "plugin unloaded: its key is no longer trusted by the root");
                None
            }
        }
    }

    /// How the plugin is now, without waiting for it. Has it loaded where nobody has needed it yet.
    pub(crate) async fn state_now(&self) -> Result<PluginState, ServiceError> {
        let root = match self.state.follower()?.root().await {
            Err(error) if error.is_damage() && self.slot.plugin().is_some() => {
                return Ok(PluginState::Ready);
            }
            root => root?,
        };
        let version = root.as_ref().map(|root| root.version);
        match self.slot.under(version, &self.state.config().plugin) {
            Some(Ok(_)) => return Ok(PluginState::Ready),
            Some(Err(error)) => return Ok(PluginState::Missing(error)),
            None => {}
        }
        if self.slot.loading.try_lock().is_ok() {
            let runtime = self.clone();
            tokio::spawn(async move { drop(runtime.loaded().await) });
        }
        Ok(PluginState::Loading)
    }

    /// How often the plugin was called; nothing where there is none, or nobody has needed it yet.
    pub(crate) fn counts(&self) -> Counts {
        let plugin = self.slot.plugin();
        plugin.map_or_else(Counts::default, |plugin| plugin.host.counts())
    }
}
