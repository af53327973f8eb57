//! Keeps the record of exposures, and reads it: since when, until when, and why each ended.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use super::{
    Finding, KnownComponent, Period, Query, Verdict, counted_status, counts, service::Noted,
};
use crate::{
    Exposure, ServiceError,
    advisory_index::UnknownAdvisory,
    exposures,
    plugin::bindings::exports::spacecp::advisories::exposure::{self, Status},
    plugin_runtime::bounded_text,
};

/// Days that the chart goes back.
pub(super) const DAYS: i64 = 90;

/// Periods that are shown.
pub(super) const SHOWN: u32 = 200;

/// Periods that the chart is made of.
const COUNTED: u32 = 100_000;

/// A question about the record.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Question {
    /// To this flaw only: an advisory's id, or a name that advisories have for it, as a CVE.
    pub flaw: Option<String>,
    /// Of this component only.
    pub component: Option<String>,
    /// From this instant on.
    pub from: Option<Timestamp>,
    /// Until this instant.
    pub until: Option<Timestamp>,
}

/// What was asked of the record, and what it says.
#[derive(Debug, Clone, Serialize)]
pub struct ExposureRecord {
    /// What is known of the component that was asked about.
    pub component: Option<KnownComponent>,
    /// What else an advisory may be meant, where none is called as was asked.
    pub unknown_advisory: Option<UnknownAdvisory>,
    /// The periods that fit, those that last first, then the newest.
    pub periods: Vec<Period>,
    /// Whether there are more that fit.
    pub more: bool,
    /// Since when the record is kept: nobody can say from it what was before. None where it has not begun.
    pub began: Option<Timestamp>,
    /// The advisories that are under embargo. Not given out: which there are is nobody else's business.
    #[serde(skip)]
    pub embargoed: BTreeSet<String>,
    /// Where the chart begins.
    pub begin: Timestamp,
    /// Where it ends.
    pub end: Timestamp,
    /// From each instant on, how many components were exposed.
    pub exposed: Vec<(Timestamp, u32)>,
    /// From each instant on, of how many components nobody could say.
    pub undecided: Vec<(Timestamp, u32)>,
}

impl Exposure {
    /// Holds the verdicts against the record, and writes down what has begun and ended since.
    ///
    /// Costs a report of the plugin's, but nothing where neither feed nor inventory has changed.
    #[tracing::instrument(name = "note-exposures", skip_all)]
    pub async fn note_exposures(&self, now: Timestamp) -> Result<(), ServiceError> {
        let sequence = self.state.store().freshness().await?.sequence;
        if sequence.is_none() {
            // Before the first word of the vendor nothing is known, and so nothing has ended either.
            return Ok(());
        }
        let about = Some(Noted {
            stream: self.state.store().end_of_documents().await?.cursor.epoch,
            sequence,
            inventory: self.state.inventory().await.fingerprint,
        });
        if *self.noted.lock().await == about {
            return Ok(());
        }
        let report = self.report().await?;
        let found: Vec<Finding> = report.verdicts.iter().map(finding).collect();
        let changed = exposures::note(self.state.store(), &found, now).await?;
        if changed > 0 {
            tracing::info!(changed, "exposure history updated");
        }
        *self.noted.lock().await = about;
        Ok(())
    }

    /// Since when the oldest exposure that lasts was known here.
    pub async fn oldest_exposure(&self, now: Timestamp) -> Result<Option<Timestamp>, ServiceError> {
        match self.note_exposures(now).await {
            // What was known before is still known.
            Err(error) if error.is_full() => {
                tracing::warn!(%error, "exposure history may be outdated");
            }
            noted => noted?,
        }
        Ok(exposures::oldest(self.state.store()).await?)
    }

    /// What the record says to a question.
    pub async fn exposure_record(
        &self,
        question: &Question,
        now: Timestamp,
    ) -> Result<ExposureRecord, ServiceError> {
        // Without the plugin the record is what it was, and still worth reading.
        if let Err(error) = self.note_exposures(now).await {
            tracing::warn!(%error, "exposure history may be outdated");
        }
        let store = self.state.store();
        let advisories = match &question.flaw {
            Some(name) => self.state.about_one_flaw(name).await?,
            None => BTreeSet::new(),
        };
        let query = Query {
            advisories,
            component: question.component.clone(),
            from: question.from,
            until: question.until,
        };
        let mut periods = exposures::periods(store, &query, SHOWN + 1).await?;
        let more = periods.len() > SHOWN as usize;
        periods.truncate(SHOWN as usize);
        let begin = now - SignedDuration::from_hours(24 * DAYS);
        let charted = Query {
            from: Some(begin),
            until: Some(now),
            ..query
        };
        let charted = exposures::periods(store, &charted, COUNTED).await?;
        let began = exposures::began(store).await?;
        let counted = |verdict| {
            let counts = counts(&charted, verdict);
            // From the beginning of the record until the first of them there was none.
            let none = began.map(|began| (began, 0));
            let none = none.filter(|none| counts.first().is_none_or(|first| none.0 < first.0));
            none.into_iter().chain(counts).collect()
        };
        let component = match &question.component {
            Some(name) => Some(self.known_component(name).await?),
            None => None,
        };
        let unknown_advisory = match &question.flaw {
            Some(name) if periods.is_empty() => self.state.unknown_advisory(name).await?,
            _ => None,
        };
        Ok(ExposureRecord {
            component,
            unknown_advisory,
            more,
            began,
            embargoed: self.state.embargoed().await?,
            begin,
            end: now,
            exposed: counted(Verdict::Affected),
            undecided: counted(Verdict::Unknown),
            periods,
        })
    }
}

impl ExposureRecord {
    /// Whether any of what is shown is under embargo.
    pub fn is_under_embargo(&self) -> bool {
        let mut periods = self.periods.iter();
        periods.any(|period| self.embargoed.contains(&period.advisory))
    }

    /// Whether the record was kept for all of the time that is asked about.
    pub(super) fn covers(&self, question: &Question) -> bool {
        let began = self.began.zip(question.from);
        began.is_some_and(|(began, from)| began <= from)
    }
}

fn finding(verdict: &exposure::Verdict) -> Finding {
    Finding {
        advisory: bounded_text(&verdict.advisory.id),
        component: bounded_text(&verdict.component),
        verdict: match counted_status(verdict) {
            Status::Affected => Some(Verdict::Affected),
            Status::Unknown => Some(Verdict::Unknown),
            Status::Fixed | Status::NotAffected => None,
        },
        version: verdict.version.as_deref().map(bounded_text),
        reason: bounded_text(&verdict.reason),
    }
}
