//! Every verdict: from the plugin, or from what it said last where nothing has changed since.

use spacecp_contract::{Digest, PluginManifest, encode};

use crate::{
    Exposure, ServiceError, ServicesConfig,
    cache::CacheKey,
    plugin::{Counts, bindings::exports::spacecp::advisories::exposure::ExposureReport},
    plugin_runtime::{LastInputs, contract, load},
    state::on_a_thread,
};

impl Exposure {
    /// Every verdict, as of now.
    ///
    /// While the plugin has not been asked anything, the report that it gave last answers, if feed, inventory,
    /// decisions and the plugin itself are what they were; the plugin is verified for that, and not started.
    #[tracing::instrument(name = "match", skip_all)]
    pub async fn report(&self) -> Result<ExposureReport, ServiceError> {
        // Whoever has an instance that knows everything need not look anywhere else; and one that has
        // failed is not to be covered up.
        if self.plugin.counts() == Counts::default()
            && let Some(report) = self.cached_report().await
        {
            tracing::debug!("report read from cache");
            return Ok(report);
        }
        let plugin = self.plugin.informed().await?;
        let decisions = self.decisions_now().await;
        plugin.host.refresh().await?;
        let before = self.plugin.inputs().last();
        let report = plugin.host.report().await?;
        let told = (before == self.plugin.inputs().last()).then_some(before);
        if let (Some(told), Ok(decisions)) = (told, decisions) {
            let signed = signed(plugin.host.manifest());
            // It has answered; that it cannot be remembered is no reason to withhold the answer.
            if let Err(error) = self.keep_report(&report, signed, told, decisions).await {
                tracing::warn!(%error, "cannot cache the report");
            }
        }
        Ok(report)
    }

    /// The report that the plugin would give now, if it gave it before. Whatever is wrong is for the plugin's
    /// own way to say.
    async fn cached_report(&self) -> Option<ExposureReport> {
        // While one thread looks around, another verifies.
        let (inventory, plugin) = tokio::join!(self.state.inventory(), self.plugin_in_force());
        let (inventory, plugin) = (inventory.fingerprint.to_string(), plugin?);
        let decisions = self.decisions_now().await.ok()?;
        let key = self.key(plugin, inventory, decisions).await.ok()??;
        let state = self.state.clone();
        on_a_thread(move || state.report_cache().recall(key.digest())).await
    }

    /// The plugin whose word counts now; verified for this unless it is at work here.
    async fn plugin_in_force(&self) -> Option<Digest> {
        if self.plugin.is_taken() {
            return Some(signed(self.plugin.loaded().await.ok()?.host.manifest()));
        }
        let manifest = load::manifest_in_force(&self.state).await;
        Some(signed(&*manifest.ok()?.ok()?))
    }

    /// Keeps a report for whoever asks next, if the plugin had read all that there is.
    async fn keep_report(
        &self,
        report: &ExposureReport,
        plugin: Digest,
        told: LastInputs,
        decisions: Digest,
    ) -> Result<(), ServiceError> {
        let (Some(inventory), Some(documents)) = (told.inventory, told.documents) else {
            return Ok(());
        };
        if self.decisions_now().await? != decisions {
            return Ok(());
        }
        let Some(key) = self.key(plugin, inventory, decisions).await? else {
            return Ok(());
        };
        if key.documents != documents {
            return Ok(());
        }
        let (state, report) = (self.state.clone(), report.clone());
        on_a_thread(move || state.report_cache().keep(key.digest(), &report)).await;
        Ok(())
    }

    /// What a report rests on now; nothing before the first word of the vendor, or where what is stored of it
    /// was found damaged.
    async fn key(
        &self,
        plugin: Digest,
        inventory: String,
        decisions: Digest,
    ) -> Result<Option<CacheKey>, ServiceError> {
        let store = self.state.store();
        let end = store.end_of_documents().await?;
        if end.damaged {
            return Ok(None);
        }
        let trusted = store.trusted().await?;
        Ok(trusted.index.as_ref().map(|index| CacheKey {
            plugin,
            documents: end.cursor,
            index: Digest::of(index.bytes()),
            inventory,
            decisions,
            configuration: configured(self.state.config()),
        }))
    }

    /// What was decided and how it stands, in the words in which a plugin is told.
    async fn decisions_now(&self) -> Result<Digest, ServiceError> {
        let decisions = self.state.decisions().await?;
        let told: Vec<_> = decisions.iter().filter_map(contract::decision).collect();
        Ok(Digest::of(format!("{told:?}").as_bytes()))
    }
}

/// What was signed of a plugin; its component is named in it.
fn signed(manifest: &PluginManifest) -> Digest {
    Digest::of(&encode(manifest))
}

/// What the configuration says of whom to believe, of what is installed, and of what a plugin may use.
fn configured(config: &ServicesConfig) -> Digest {
    let feed = &config.feed;
    let believed = (&feed.audience, &feed.root, &feed.root_fingerprint);
    let installed = (&config.components, &config.inventories, &config.scan);
    Digest::of(format!("{believed:?} {installed:?} {:?}", config.limits).as_bytes())
}
