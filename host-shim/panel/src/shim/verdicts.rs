//! Every verdict: from the plugin, or from what it said last where nothing has changed since.

use spacecp_contract::{Digest, PluginManifest, encode};

use super::{Shim, ShimError, contract, plugin_load, told::Last};
use crate::{
    config::Config,
    plugin::{Counts, bindings::exports::spacecp::advisories::exposure::ExposureReport},
    remembered::Grounds,
};

impl Shim {
    /// Every verdict, as of now.
    ///
    /// While the plugin has not been asked anything, the report that it gave last answers, if feed, inventory,
    /// decisions and the plugin itself are what they were; the plugin is verified for that, and not started.
    #[tracing::instrument(name = "match", skip_all)]
    pub async fn report(&self) -> Result<ExposureReport, ShimError> {
        // Whoever has an instance that knows everything need not look anywhere else; and one that has
        // failed is not to be covered up.
        if self.plugin_counts() == Counts::default()
            && let Some(report) = self.recalled().await
        {
            tracing::debug!("report read from cache");
            return Ok(report);
        }
        let plugin = self.informed_plugin().await?;
        let decisions = self.decisions_now().await;
        plugin.host.refresh().await?;
        let before = self.told.last();
        let report = plugin.host.report().await?;
        let told = (before == self.told.last()).then_some(before);
        if let (Some(told), Ok(decisions)) = (told, decisions) {
            let signed = signed(plugin.host.manifest());
            // It has answered; that it cannot be remembered is no reason to withhold the answer.
            if let Err(error) = self.remember(&report, signed, told, decisions).await {
                tracing::warn!(%error, "cannot cache the report");
            }
        }
        Ok(report)
    }

    /// Has the plugin take in what there is, so that the first who asks does not wait for that.
    pub async fn warm(&self) -> Result<(), ShimError> {
        self.informed_plugin().await?.host.refresh().await?;
        Ok(())
    }

    /// The report that the plugin would give now, if it gave it before. Whatever is wrong is for the plugin's
    /// own way to say.
    async fn recalled(&self) -> Option<ExposureReport> {
        // While one thread looks around, another verifies.
        let (inventory, plugin) = tokio::join!(self.rooms.inventory(), self.plugin_in_force());
        let (inventory, plugin) = (inventory.fingerprint.to_string(), plugin?);
        let decisions = self.decisions_now().await.ok()?;
        let grounds = self.grounds(plugin, inventory, decisions).await.ok()??;
        let rooms = self.rooms.clone();
        on_a_thread(move || rooms.remembered().recall(grounds.digest())).await
    }

    /// The plugin whose word counts now; verified for this unless it is at work here.
    async fn plugin_in_force(&self) -> Option<Digest> {
        if self.plugin.is_taken() {
            return Some(signed(self.plugin().await.ok()?.host.manifest()));
        }
        let manifest = plugin_load::manifest_in_force(&self.rooms).await;
        Some(signed(&*manifest.ok()?.ok()?))
    }

    /// Keeps a report for whoever asks next, if the plugin had read all that there is.
    async fn remember(
        &self,
        report: &ExposureReport,
        plugin: Digest,
        told: Last,
        decisions: Digest,
    ) -> Result<(), ShimError> {
        let (Some(inventory), Some(documents)) = (told.inventory, told.documents) else {
            return Ok(());
        };
        if self.decisions_now().await? != decisions {
            return Ok(());
        }
        let Some(grounds) = self.grounds(plugin, inventory, decisions).await? else {
            return Ok(());
        };
        if grounds.documents != documents {
            return Ok(());
        }
        let (rooms, report) = (self.rooms.clone(), report.clone());
        on_a_thread(move || rooms.remembered().keep(grounds.digest(), &report)).await;
        Ok(())
    }

    /// What a report rests on now; nothing before the first word of the vendor, or where what is stored of it
    /// was found damaged.
    async fn grounds(
        &self,
        plugin: Digest,
        inventory: String,
        decisions: Digest,
    ) -> Result<Option<Grounds>, ShimError> {
        let store = self.rooms.store();
        let end = store.end_of_documents().await?;
        if end.damaged {
            return Ok(None);
        }
        let trusted = store.trusted().await?;
        Ok(trusted.index.as_ref().map(|index| Grounds {
            plugin,
            documents: end.cursor,
            index: Digest::of(index.bytes()),
            inventory,
            decisions,
            configuration: configured(self.rooms.config()),
        }))
    }

    /// What was decided and how it stands, in the words in which a plugin is told.
    async fn decisions_now(&self) -> Result<Digest, ShimError> {
        let decisions = self.rooms.decisions().await?;
        let told: Vec<_> = decisions.iter().filter_map(contract::decision).collect();
        Ok(Digest::of(format!("{told:?}").as_bytes()))
    }
}

/// What was signed of a plugin; its component is named in it.
fn signed(manifest: &PluginManifest) -> Digest {
    Digest::of(&encode(manifest))
}

/// What the configuration says of whom to believe, of what is installed, and of what a plugin may use.
fn configured(config: &Config) -> Digest {
    let feed = &config.feed;
    let believed = (&feed.audience, &feed.root, &feed.root_fingerprint);
    let installed = (&config.components, &config.inventories, &config.scan);
    Digest::of(format!("{believed:?} {installed:?} {:?}", config.limits).as_bytes())
}

/// Reads or writes where nobody waits for the disk.
pub(super) async fn on_a_thread<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(panic) => std::panic::resume_unwind(panic.into_panic()),
    }
}
