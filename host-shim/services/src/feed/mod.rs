//! Follows the feed for whoever asks: sync, import of a bundle, and the documents received.
//!
//! May not: verify anything, which the crate of the feed does; say what a document means for this panel.

mod bounded_sync;
mod payloads;
mod syncing;

use std::{collections::BTreeSet, path::Path, sync::Arc};

use jiff::Timestamp;
use spacecp_contract::{Advisory, Correction, DocumentId, DocumentKind};

use crate::{
    AdvisoryIndex, ServiceError,
    audit::{self, Event, What},
    fetch::{Access, Source},
    plugin_runtime::PluginRuntime,
    state::State,
    store::Freshness,
    sync::{Mirror, SyncReport},
    trust::{AnyDocument, Verified},
};
pub(crate) use bounded_sync::BoundedSync;

/// Sync, import, and the documents received.
#[derive(Debug, Clone)]
pub struct Feed {
    state: Arc<State>,
    plugin: PluginRuntime,
}

impl Feed {
    pub(crate) fn new(state: Arc<State>, plugin: PluginRuntime) -> Self {
        Self { state, plugin }
    }

    /// Asks the feed for news.
    pub async fn sync(&self) -> Result<SyncReport, ServiceError> {
        // Whoever is second asks all the same; only a run of automatic application looks at it.
        let _under_way = self.state.syncing().try_lock_owned();
        // Everything that a sync may come to would make the future of whoever waits for it a large one.
        let report = Box::pin(self.state.sync(None, Timestamp::now())).await;
        Box::pin(self.plugin.drop_revoked()).await;
        self.state.events().announce();
        report
    }

    /// Seconds between two syncs, as configured.
    pub fn interval(&self) -> u64 {
        self.state.config().feed.interval
    }

    /// Asks the feed for news if nothing of this name has been heard of here. That the feed does not
    /// answer is no failure of this: what is then looked for is not there, and that is said.
    pub async fn look_for(&self, id: &DocumentId) -> Result<(), ServiceError> {
        for kind in [DocumentKind::Advisory, DocumentKind::Correction] {
            if self.state.store().document(kind, id).await?.is_some() {
                return Ok(());
            }
        }
        if let Err(error) = self.sync().await {
            tracing::warn!(%id, %error, "cannot fetch the document from the feed");
        }
        Ok(())
    }

    /// Takes in news that was carried here in one file, without asking anybody on the network. `by`
    /// is kept.
    pub async fn import(&self, file: &Path, by: &str) -> Result<SyncReport, ServiceError> {
        let mirror = Mirror {
            address: file.display().to_string(),
            source: Arc::new(Source::bundle(file)?),
        };
        let report = Box::pin(self.state.sync(Some(&mirror), Timestamp::now())).await;
        Box::pin(self.plugin.drop_revoked()).await;
        let report = report?;
        self.record_import(&report, by).await?;
        self.state.events().announce();
        let corrections = self.state.follower()?.corrections().await?;
        let all: Vec<&Verified<Correction>> = corrections.iter().collect();
        let carried = self.state.payloads_of(&all).await?;
        carried.keep(&mirror.source, &corrections).await?;
        Ok(report)
    }

    /// An advisory that the panel has, verified again.
    pub async fn advisory(
        &self,
        id: &DocumentId,
    ) -> Result<Option<Verified<Advisory>>, ServiceError> {
        let kind = DocumentKind::Advisory;
        Ok(match self.state.store().document(kind, id).await? {
            Some(AnyDocument::Advisory(advisory)) => Some(advisory),
            _ => None,
        })
    }

    /// The advisories and corrections at hand, in short, and which of them are public.
    pub async fn advisory_index(&self) -> Result<Arc<AdvisoryIndex>, ServiceError> {
        self.state.advisory_index().await
    }

    /// Whether anything in a value is about something under embargo, or nobody can say.
    pub async fn is_under_embargo(&self, value: &serde_json::Value) -> bool {
        match self.advisory_index().await {
            Ok(index) => !index.secrets_in(value).is_empty(),
            Err(error) => {
                tracing::warn!(%error, "cannot read the list of embargoed advisories");
                true
            }
        }
    }

    /// The advisories under embargo that a correction answers.
    pub async fn embargoed_behind(
        &self,
        correction: &Correction,
    ) -> Result<BTreeSet<DocumentId>, ServiceError> {
        self.state.under_embargo(correction).await
    }

    /// How current the panel's knowledge is.
    pub async fn freshness(&self) -> Result<Freshness, ServiceError> {
        Ok(self.state.store().freshness().await?)
    }

    /// When the vendor signed the head that is trusted.
    pub async fn head_issued(&self) -> Result<Option<Timestamp>, ServiceError> {
        let trusted = self.state.store().trusted().await?;
        Ok(trusted.head.as_ref().map(|head| head.issued))
    }

    /// How whatever is not on this machine is reached, as it is configured for the feed.
    pub fn access(&self) -> Result<Access, ServiceError> {
        Ok(self.state.access()?)
    }

    async fn record_import(&self, report: &SyncReport, by: &str) -> Result<(), ServiceError> {
        let documents = report.accepted.len();
        let event = Event {
            to: Some(format!("sequence {}", report.sequence)),
            reason: Some(format!("{documents} new or changed documents from a file")),
            ..Event::new(What::Imported, by)
        };
        audit::record(self.state.store(), &event, Timestamp::now()).await?;
        Ok(())
    }
}
