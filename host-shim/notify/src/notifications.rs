//! Notifications, as the scheduler, pages and commands ask for them.
//!
//! May not: say what is the case, which `gathering` asks the services for.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
    sync::Arc,
};

use jiff::Timestamp;
use spacecp_contract::DocumentId;
use spacecp_fs::OneProcess;
use spacecp_services::{
    Corrections, Events, Exposure, Feed, Panel, Reports, ServiceError, automation::Ledger, matters,
    report::ReportingError,
};
use spacecp_store::Store;

use crate::{
    Delivered, Dispatcher, Mark, NotifyError, NotifyReport, ReadState, ReadingError,
    config::{ChannelConfig, NotifyConfig},
};

/// Finds out what is new, delivers it, and keeps what each person has read.
#[derive(Debug, Clone)]
pub struct Notifications {
    config: Arc<NotifyConfig>,
    lock: PathBuf,
    pub(crate) store: Store,
    pub(crate) ledger: Ledger,
    pub(crate) feed: Feed,
    pub(crate) exposure: Exposure,
    pub(crate) corrections: Corrections,
    reports: Reports,
    events: Events,
}

impl Notifications {
    /// The notifications of this panel. `state` is the panel's state directory.
    pub fn new(panel: &Panel, config: NotifyConfig, state: &Path) -> Self {
        Self {
            config: Arc::new(config),
            lock: state.join("notify.lock"),
            store: panel.store().clone(),
            ledger: Ledger::new(panel.store().clone()),
            feed: panel.feed.clone(),
            exposure: panel.exposure.clone(),
            corrections: panel.corrections.clone(),
            reports: panel.reports.clone(),
            events: panel.events().clone(),
        }
    }

    /// How it is configured whom to notify.
    pub fn config(&self) -> &NotifyConfig {
        &self.config
    }

    /// The address that reports to the vendor are mailed to; none where they are not.
    pub fn report_address(&self) -> Option<String> {
        let (_, to) = self.config.report_mail(self.reports.config())?;
        Some(to.email.to_string())
    }

    /// Mails a report that is encrypted.
    #[tracing::instrument(name = "mail-report", skip_all)]
    pub async fn mail_report(&self, sealed: &str, now: Timestamp) -> Result<(), NotifyError> {
        let mail = self.config.report_mail(self.reports.config());
        let (mail, to) = mail.ok_or(ServiceError::from(ReportingError::NoMail))?;
        let sent = crate::mail::report(&self.config, mail, to, sealed, now).await;
        tracing::info!(taken = sent.is_ok(), "vulnerability report e-mailed");
        sent.map_err(NotifyError::Report)
    }

    /// Tells whom it concerns what is new at `now`, and delivers what is due. Does nothing without a
    /// channel. Refused while another process of this panel holds the lock.
    #[tracing::instrument(name = "notify", skip_all)]
    pub async fn deliver(&self, now: Timestamp) -> Result<Delivered, NotifyError> {
        let config = self.config();
        if config.channels.is_empty() {
            return Ok(Delivered::default());
        }
        let _one = OneProcess::take(&self.lock)?;
        let store = &self.store;
        crate::tidy(store, config, now).await?;
        let told = crate::told(store).await?;
        let present = self.present(&told, now).await?;
        let new = crate::put(store, &present, config, now).await?;
        let access = self.feed.access()?;
        let courier = Dispatcher::new(config, &access, self.seed().await?);
        let delivered = courier.deliver(store, now).await?;
        Ok(Delivered { new, ..delivered })
    }

    /// How notifications fare.
    pub async fn report(&self) -> Result<NotifyReport, NotifyError> {
        let config = self.config();
        Ok(crate::report(&self.store, config).await?)
    }

    /// Sends a trial to a channel, at once, whatever its hours are.
    pub async fn test(&self, channel: &str, by: &str) -> Result<(), NotifyError> {
        let config = self.config();
        let channel = self.channel(channel)?;
        let access = self.feed.access()?;
        let courier = Dispatcher::new(config, &access, self.seed().await?);
        let sent = courier.trial(channel, by, Timestamp::now()).await;
        tracing::info!(
            by,
            channel = channel.name,
            taken = sent.is_ok(),
            "channel tested"
        );
        let failed = |source| NotifyError::Trial {
            channel: channel.name.clone(),
            source,
        };
        sent.map_err(failed)
    }

    /// Has everything that failed or was given up tried again with the next look. Says how many
    /// deliveries that are.
    pub async fn retry(&self, now: Timestamp) -> Result<u64, NotifyError> {
        let again = crate::again(&self.store, self.config(), now).await?;
        self.events.announce();
        Ok(again)
    }

    /// Waits until something has happened here that somebody may have to be told.
    pub async fn wait_for_event(&self) {
        self.events.wait().await;
    }

    /// What somebody has read and dismissed.
    pub async fn read_state(&self, user: &str) -> Result<ReadState, NotifyError> {
        Ok(crate::read_state(&self.store, user, Timestamp::now()).await?)
    }

    /// Notes that somebody has read a revision of an advisory.
    pub async fn mark_read(
        &self,
        user: &str,
        advisory: &DocumentId,
        revision: u64,
    ) -> Result<(), NotifyError> {
        let (store, now) = (&self.store, Timestamp::now());
        Ok(crate::mark_read(store, user, advisory, revision, now).await?)
    }

    /// Notes that somebody has read every advisory, as it is now.
    pub async fn mark_all_read(&self, user: &str) -> Result<(), NotifyError> {
        Ok(crate::mark_all_read(&self.store, user, Timestamp::now()).await?)
    }

    /// What each of these advisories is to somebody; those that they have read are left out.
    pub async fn marks(
        &self,
        user: &str,
        advisories: &BTreeSet<DocumentId>,
    ) -> Result<BTreeMap<DocumentId, Mark>, NotifyError> {
        if advisories.is_empty() {
            return Ok(BTreeMap::new());
        }
        let state = self.read_state(user).await?;
        let revisions = self.store.revisions(advisories).await?;
        let marked = revisions.into_iter().filter_map(|(id, revision)| {
            let mark = state.mark(&id, revision)?;
            Some((id, mark))
        });
        Ok(marked.collect())
    }

    /// Whether somebody has dismissed everything that is exposed or undecided here.
    pub async fn dismissed_all(&self, user: &str) -> Result<bool, NotifyError> {
        let state = self.read_state(user).await?;
        if state.dismissed.is_empty() {
            return Ok(false);
        }
        let report = self.exposure.report().await?;
        let mut matter = report.verdicts.iter().filter(|verdict| matters(verdict));
        Ok(matter.all(|verdict| state.is_dismissed(&verdict.advisory.id, &verdict.component)))
    }

    /// Notes that somebody has opened the page of an advisory, as it is now, and says which revision
    /// that is; nothing where the panel does not have it.
    pub async fn opened(
        &self,
        user: &str,
        advisory: &DocumentId,
    ) -> Result<Option<u64>, NotifyError> {
        let one = BTreeSet::from([advisory.clone()]);
        let revisions = self.store.revisions(&one).await?;
        let Some(revision) = revisions.get(advisory).copied() else {
            return Ok(None);
        };
        match self.mark_read(user, advisory, revision).await {
            // Taken from the feed in between: nobody can have read it.
            Err(NotifyError::Reading(ReadingError::NoAdvisory { .. })) => Ok(None),
            other => other.map(|()| Some(revision)),
        }
    }

    /// Keeps an advisory out of somebody's sight, for one component or for all, until what it rests on
    /// changes.
    pub async fn dismiss(
        &self,
        user: &str,
        advisory: &DocumentId,
        revision: u64,
        component: Option<&str>,
    ) -> Result<(), NotifyError> {
        if let Some(name) = component
            && self.exposure.inventory().await.installed_as(name).is_none()
        {
            let what = "component";
            let name = name.to_owned();
            return Err(ServiceError::NotFound { what, name }.into());
        }
        let (store, now) = (&self.store, Timestamp::now());
        Ok(crate::dismiss(store, user, advisory, revision, component, now).await?)
    }

    /// Has somebody see again what they dismissed.
    pub async fn undismiss(
        &self,
        user: &str,
        advisory: &DocumentId,
        component: Option<&str>,
    ) -> Result<(), NotifyError> {
        Ok(crate::undismiss(&self.store, user, advisory, component).await?)
    }

    async fn seed(&self) -> Result<u64, ServiceError> {
        Ok(self.ledger.seed().await?)
    }

    fn channel(&self, name: &str) -> Result<&ChannelConfig, NotifyError> {
        let config = self.config();
        let known: Vec<String> = config.channels.iter().map(|one| one.name.clone()).collect();
        if known.is_empty() {
            return Err(NotifyError::NoChannel);
        }
        config
            .channel(name)
            .ok_or_else(|| NotifyError::UnknownChannel {
                name: name.to_owned(),
                known,
            })
    }
}
