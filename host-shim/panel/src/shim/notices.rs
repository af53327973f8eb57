//! Notifications, as the scheduler, pages and commands ask for them.
//!
//! Gathers what is the case from the other rooms. Of the plugin's report only the verdicts are used:
//! whatever a notice says is taken from verified documents, the inventory and the journal.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use spacecp_contract::{Advisory, DocumentId, DocumentKind, rate};

use super::{PluginLoadError, Rooms, Shim, ShimError};
use crate::{
    apply::Outcome,
    audit,
    config::ChannelConfig,
    decisions::{self, State},
    notify::{
        self, About, Courier, Delivered, Exposure, Kind, Mark, NotifyError, NotifyReport, Present,
        ReadState, ReadingError, Told, Topic,
    },
    plugin::{
        PluginError,
        bindings::exports::spacecp::advisories::exposure::{ExposureReport, Status, Verdict},
    },
    store::StoreError,
    trust::{AnyDocument, Verified},
};
use spacecp_fs::OneProcess;

/// Applications and decisions that are looked at, the newest.
const MOST_ENDED: u32 = 500;

/// Exposures that are looked at.
const MOST_EXPOSURES: usize = 50_000;

impl Shim {
    /// Tells whom it concerns what is new at `now`, and delivers what is due. Does nothing without a
    /// channel. Refused while another process of this panel holds the lock.
    #[tracing::instrument(name = "notify", skip_all)]
    pub async fn notify(&self, now: Timestamp) -> Result<Delivered, ShimError> {
        let config = &self.config().notify;
        if config.channels.is_empty() {
            return Ok(Delivered::default());
        }
        let lock = self.config().state.join("notify.lock");
        let _one = OneProcess::take(&lock).map_err(NotifyError::from)?;
        let store = self.rooms.store();
        notify::tidy(store, config, now).await?;
        let told = notify::told(store).await?;
        let present = self.present(&told, now).await?;
        let new = notify::put(store, &present, config, now).await?;
        let access = self.rooms.access()?;
        let courier = Courier::new(config, &access, self.rooms.ledger().seed().await?);
        let delivered = courier.deliver(store, now).await?;
        Ok(Delivered { new, ..delivered })
    }

    /// How notifications fare.
    pub async fn notify_report(&self) -> Result<NotifyReport, ShimError> {
        let config = &self.config().notify;
        Ok(notify::report(self.rooms.store(), config).await?)
    }

    /// Sends a trial to a channel, at once, whatever its hours are.
    pub async fn notify_test(&self, channel: &str, by: &str) -> Result<(), ShimError> {
        let config = &self.config().notify;
        let channel = self.channel(channel)?;
        let access = self.rooms.access()?;
        let courier = Courier::new(config, &access, self.rooms.ledger().seed().await?);
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
        Ok(sent.map_err(failed)?)
    }

    /// Has everything that failed or was given up tried again with the next look. Says how many
    /// deliveries that are.
    pub async fn notify_again(&self, now: Timestamp) -> Result<u64, ShimError> {
        let again = notify::again(self.rooms.store(), &self.config().notify, now).await?;
        self.rooms.stirred().notify_one();
        Ok(again)
    }

    /// Waits until something has happened here that somebody may have to be told.
    pub async fn stirred(&self) {
        self.rooms.stirred().notified().await;
    }

    /// What somebody has read and dismissed.
    pub async fn read_state(&self, user: &str) -> Result<ReadState, ShimError> {
        Ok(notify::read_state(self.rooms.store(), user, Timestamp::now()).await?)
    }

    /// Notes that somebody has read a revision of an advisory.
    pub async fn mark_read(
        &self,
        user: &str,
        advisory: &DocumentId,
        revision: u64,
    ) -> Result<(), ShimError> {
        let (store, now) = (self.rooms.store(), Timestamp::now());
        Ok(notify::mark_read(store, user, advisory, revision, now).await?)
    }

    /// Notes that somebody has read every advisory, as it is now.
    pub async fn mark_all_read(&self, user: &str) -> Result<(), ShimError> {
        Ok(notify::mark_all_read(self.rooms.store(), user, Timestamp::now()).await?)
    }

    /// What each of these advisories is to somebody; those that they have read are left out.
    pub async fn marks(
        &self,
        user: &str,
        advisories: &BTreeSet<DocumentId>,
    ) -> Result<BTreeMap<DocumentId, Mark>, ShimError> {
        if advisories.is_empty() {
            return Ok(BTreeMap::new());
        }
        let state = self.read_state(user).await?;
        let revisions = self.rooms.store().revisions(advisories).await?;
        let marked = revisions.into_iter().filter_map(|(id, revision)| {
            let mark = state.mark(&id, revision)?;
            Some((id, mark))
        });
        Ok(marked.collect())
    }

    /// Whether somebody has dismissed everything that is exposed or undecided here.
    pub async fn dismissed_all(&self, user: &str) -> Result<bool, ShimError> {
        let state = self.read_state(user).await?;
        if state.dismissed.is_empty() {
            return Ok(false);
        }
        let report = self.report().await?;
        let mut matter = report
            .verdicts
            .iter()
            .filter(|verdict| matches!(verdict.status, Status::Affected | Status::Unknown));
        Ok(matter.all(|verdict| state.is_dismissed(&verdict.advisory.id, &verdict.component)))
    }

    /// Notes that somebody has opened the page of an advisory, as it is now, and says which revision
    /// that is; nothing where the panel does not have it.
    pub async fn opened(
        &self,
        user: &str,
        advisory: &DocumentId,
    ) -> Result<Option<u64>, ShimError> {
        let one = BTreeSet::from([advisory.clone()]);
        let revisions = self.rooms.store().revisions(&one).await?;
        let Some(revision) = revisions.get(advisory).copied() else {
            return Ok(None);
        };
        match self.mark_read(user, advisory, revision).await {
            // Taken from the feed in between: nobody can have read it.
            Err(ShimError::Reading(ReadingError::NoAdvisory { .. })) => Ok(None),
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
    ) -> Result<(), ShimError> {
        if let Some(name) = component
            && self.rooms.inventory().await.installed_as(name).is_none()
        {
            let what = "component";
            let name = name.to_owned();
            return Err(ShimError::NotFound { what, name });
        }
        let (store, now) = (self.rooms.store(), Timestamp::now());
        Ok(notify::dismiss(store, user, advisory, revision, component, now).await?)
    }

    /// Has somebody see again what they dismissed.
    pub async fn undismiss(
        &self,
        user: &str,
        advisory: &DocumentId,
        component: Option<&str>,
    ) -> Result<(), ShimError> {
        Ok(notify::undismiss(self.rooms.store(), user, advisory, component).await?)
    }

    fn channel(&self, name: &str) -> Result<&ChannelConfig, NotifyError> {
        let config = &self.config().notify;
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

    /// What is the case now.
    async fn present(&self, told: &Told, now: Timestamp) -> Result<Present, ShimError> {
        let report = self.report().await;
        let disabled = match &report {
            Ok(_) => Some(false),
            Err(ShimError::NoPlugin(PluginLoadError::NoRoot)) => None,
            Err(ShimError::NoPlugin(_) | ShimError::Plugin(PluginError::Disabled { .. })) => {
                Some(true)
            }
            Err(ShimError::Plugin(_)) => None,
            // Nothing else can be had from the store either.
            Err(_) => return report.map(|_| Present::default()),
        };
        let mut known = Known::new(&self.rooms);
        let exposures = match &report {
            Ok(report) => Some(self.exposures(report, &mut known, now).await?),
            Err(_) => None,
        };
        for topic in told.keys() {
            if let Topic::Advisory(id) | Topic::Exposure(id, _) = topic {
                known.look_up(id).await?;
            }
        }
        let applications = self.ended_applications(&mut known).await?;
        let not_applied = self.not_applied(&mut known).await?;
        let decisions = self.ended_decisions(&mut known, now).await?;
        let freshness = self.rooms.store().freshness().await?;
        Ok(Present {
            listed: freshness.sequence.is_some(),
            exposures,
            advisories: known.about(),
            applications,
            not_applied,
            decisions,
            stale: freshness.is_stale(now),
            disabled,
        })
    }

    async fn exposures(
        &self,
        report: &ExposureReport,
        known: &mut Known<'_>,
        now: Timestamp,
    ) -> Result<BTreeMap<(DocumentId, String), Exposure>, ShimError> {
        let inventory = self.rooms.inventory().await;
        let decided = decisions::current(self.rooms.store(), now).await?;
        let mut exposures = BTreeMap::new();
        let matter =
            |verdict: &&Verdict| matches!(verdict.status, Status::Affected | Status::Unknown);
        for verdict in report.verdicts.iter().filter(matter).take(MOST_EXPOSURES) {
            let Ok(id) = DocumentId::new(verdict.advisory.id.clone()) else {
                continue;
            };
            let Some(component) = inventory.installed_as(&verdict.component) else {
                continue;
            };
            if !known.look_up(&id).await? {
                continue;
            }
            let correction = match &verdict.correction {
                Some(named) => known.correction(&named.id).await?,
                None => None,
            };
            let covers = |one: &decisions::Decision| one.covers(&id, component.name());
            let exposure = Exposure {
                version: component.version().map(str::to_owned),
                affected: verdict.status == Status::Affected,
                correction,
                decided: decided.iter().any(covers),
            };
            exposures.insert((id, component.name().to_owned()), exposure);
        }
        Ok(exposures)
    }

    async fn ended_applications(
        &self,
        known: &mut Known<'_>,
    ) -> Result<Vec<notify::Application>, ShimError> {
        let mut ended = Vec::new();
        for application in self.history(MOST_ENDED).await?.into_iter().rev() {
            let kind = match application.outcome {
                Outcome::Applied => Kind::Applied,
                Outcome::Failed => Kind::Failed,
                Outcome::RolledBack => Kind::RolledBack,
                Outcome::InProgress => continue,
            };
            let connection = self.rooms.store().pool().acquire().await;
            let mut connection = connection.map_err(StoreError::from)?;
            let signed = audit::signed(&mut connection, &application.id).await?;
            drop(connection);
            for id in &signed.advisories {
                known.look_up(id).await?;
            }
            ended.push(notify::Application {
                id: application.id,
                kind,
                correction: application.correction,
                advisories: signed.advisories,
                component: application.component,
                change: [application.from, application.to],
                reason: application.reason,
            });
        }
        Ok(ended)
    }

    async fn ended_decisions(
        &self,
        known: &mut Known<'_>,
        now: Timestamp,
    ) -> Result<Vec<notify::Decision>, ShimError> {
        let all = decisions::all(self.rooms.store(), MOST_ENDED, now).await?;
        let mut ended = Vec::new();
        for decision in all.into_iter().rev() {
            let kind = match decision.state {
                State::Expired => Kind::AcceptanceExpired,
                State::Reopened => Kind::AcceptanceReopened,
                _ => continue,
            };
            known.look_up(&decision.advisory).await?;
            ended.push(notify::Decision {
                number: decision.number,
                kind,
                advisory: decision.advisory,
                component: decision.component,
            });
        }
        Ok(ended)
    }
}

/// Documents that were looked up, each once.
pub(super) struct Known<'a> {
    rooms: &'a Rooms,
    advisories: BTreeMap<DocumentId, Option<About>>,
    corrections: BTreeMap<String, Option<(DocumentId, u64)>>,
}

impl<'a> Known<'a> {
    fn new(rooms: &'a Rooms) -> Self {
        Self {
            rooms,
            advisories: BTreeMap::new(),
            corrections: BTreeMap::new(),
        }
    }

    /// Whether the panel has this advisory.
    pub(super) async fn look_up(&mut self, id: &DocumentId) -> Result<bool, StoreError> {
        if let Some(known) = self.advisories.get(id) {
            return Ok(known.is_some());
        }
        let document = self
            .rooms
            .store()
            .document(DocumentKind::Advisory, id)
            .await?;
        let about = match &document {
            Some(AnyDocument::Advisory(advisory)) => Some(about(advisory)),
            _ => None,
        };
        let there = about.is_some();
        self.advisories.insert(id.clone(), about);
        Ok(there)
    }

    /// A correction that the panel has, with its revision.
    async fn correction(&mut self, name: &str) -> Result<Option<(DocumentId, u64)>, StoreError> {
        if let Some(known) = self.corrections.get(name) {
            return Ok(known.clone());
        }
        let Ok(id) = DocumentId::new(name) else {
            return Ok(None);
        };
        let document = self
            .rooms
            .store()
            .document(DocumentKind::Correction, &id)
            .await?;
        let found = match document {
            Some(AnyDocument::Correction(correction)) => Some((id, correction.revision)),
            _ => None,
        };
        self.corrections.insert(name.to_owned(), found.clone());
        Ok(found)
    }

    fn about(self) -> BTreeMap<DocumentId, About> {
        let known = self.advisories.into_iter();
        known.filter_map(|(id, about)| Some((id, about?))).collect()
    }
}

fn about(advisory: &Verified<Advisory>) -> About {
    About {
        revision: advisory.revision,
        title: advisory.title.clone(),
        severity: rate(&advisory.severity).severity,
        known_exploited: advisory.known_exploited,
        embargo: advisory.is_under_embargo(),
        withdrawn: advisory.withdrawn.is_some(),
        workaround: !advisory.workarounds.is_empty(),
    }
}
