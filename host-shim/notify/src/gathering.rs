//! What is the case now, gathered from the services.
//!
//! Of the plugin's report only the verdicts are used: whatever a notice says is taken from verified documents, the
//! inventory and the journal.

use std::collections::BTreeMap;

use jiff::Timestamp;
use spacecp_apply::apply::Outcome;
use spacecp_contract::DocumentId;
use spacecp_plugin_host::{
    PluginError,
    bindings::exports::spacecp::advisories::exposure::{ExposureReport, Status, Verdict},
};
use spacecp_services::{
    PluginLoadError, ServiceError, counted_status,
    decisions::{self, State},
    matters,
};
use spacecp_store::{StoreError, audit};

use crate::{
    Exposure, Kind, Notifications, NotifyError, Present, Told, Topic,
    known_documents::KnownDocuments,
};

/// Applications and decisions that are looked at, the newest.
const MOST_ENDED: u32 = 500;

/// Exposures that are looked at.
const MOST_EXPOSURES: usize = 50_000;

impl Notifications {
    /// What is the case now.
    pub(crate) async fn present(
        &self,
        told: &Told,
        now: Timestamp,
    ) -> Result<Present, NotifyError> {
        let report = self.exposure.report().await;
        let disabled = match &report {
            Ok(_) => Some(false),
            Err(ServiceError::NoPlugin(PluginLoadError::NoRoot)) => None,
            Err(ServiceError::NoPlugin(_) | ServiceError::Plugin(PluginError::Disabled { .. })) => {
                Some(true)
            }
            Err(ServiceError::Plugin(_)) => None,
            // Nothing else can be had from the store either.
            Err(_) => return Ok(report.map(|_| Present::default())?),
        };
        let mut known = KnownDocuments::new(&self.store);
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
        let freshness = self.store.freshness().await?;
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
        known: &mut KnownDocuments<'_>,
        now: Timestamp,
    ) -> Result<BTreeMap<(DocumentId, String), Exposure>, NotifyError> {
        let inventory = self.exposure.inventory().await;
        let decided = decisions::current(&self.store, now).await?;
        let mut exposures = BTreeMap::new();
        let matter = |verdict: &&Verdict| matters(verdict);
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
            let status = counted_status(verdict);
            let covers =
                |one: &decisions::Decision| one.covers(id.as_str(), component.name(), status);
            let exposure = Exposure {
                version: component.version().map(str::to_owned),
                affected: status == Status::Affected,
                correction,
                decided: decided.iter().any(covers),
            };
            exposures.insert((id, component.name().to_owned()), exposure);
        }
        Ok(exposures)
    }

    async fn ended_applications(
        &self,
        known: &mut KnownDocuments<'_>,
    ) -> Result<Vec<crate::Application>, NotifyError> {
        let mut ended = Vec::new();
        for application in self
            .corrections
            .history(MOST_ENDED)
            .await?
            .into_iter()
            .rev()
        {
            let kind = match application.outcome {
                Outcome::Applied => Kind::Applied,
                Outcome::Failed => Kind::Failed,
                Outcome::RolledBack => Kind::RolledBack,
                Outcome::InProgress => continue,
            };
            let connection = self.store.pool().acquire().await;
            let mut connection = connection.map_err(StoreError::from)?;
            let signed = audit::signed(&mut connection, &application.id).await?;
            drop(connection);
            for id in &signed.advisories {
                known.look_up(id).await?;
            }
            ended.push(crate::Application {
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
        known: &mut KnownDocuments<'_>,
        now: Timestamp,
    ) -> Result<Vec<crate::Decision>, NotifyError> {
        let all = decisions::all(&self.store, MOST_ENDED, now).await?;
        let mut ended = Vec::new();
        for decision in all.into_iter().rev() {
            let kind = match decision.state {
                State::Expired => Kind::AcceptanceExpired,
                State::Reopened => Kind::AcceptanceReopened,
                _ => continue,
            };
            known.look_up(&decision.advisory).await?;
            ended.push(crate::Decision {
                number: decision.number,
                kind,
                advisory: decision.advisory,
                component: decision.component,
            });
        }
        Ok(ended)
    }
}
