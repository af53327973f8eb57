//! Keeps the record of exposures, and shows it: since when, until when, and why each ended.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use super::{
    Shim, ShimError, lines,
    pieces::{heading, labelled, minute, notice, paragraph, plain, text, to_advisory},
};
use crate::{
    exposures::{self, Finding, Period, Query, Verdict, counts},
    plugin::bindings::exports::spacecp::advisories::{
        exposure::{self, Status},
        pages::{Block, Cell, Chart, Page, Point, Series, Table, Tone},
    },
};

/// Days that the chart goes back.
const DAYS: i64 = 90;

/// Periods that are shown.
const SHOWN: u32 = 200;

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

impl Shim {
    /// Holds the verdicts against the record, and writes down what has begun and ended since.
    ///
    /// Costs a report of the plugin's, but nothing where neither feed nor inventory has changed.
    #[tracing::instrument(name = "note-exposures", skip_all)]
    pub async fn note_exposures(&self, now: Timestamp) -> Result<(), ShimError> {
        let sequence = self.freshness().await?.sequence;
        if sequence.is_none() {
            // Before the first word of the vendor nothing is known, and so nothing has ended either.
            return Ok(());
        }
        let inventory = self.rooms.inventory().await.fingerprint;
        // After a recovery from stolen keys sequences begin again, and one may come twice.
        let stream = self.rooms.store().end_of_documents().await?.cursor.epoch;
        let about = Some((stream, sequence, inventory));
        if *self.noted.lock().await == about {
            return Ok(());
        }
        let report = self.report().await?;
        let found: Vec<Finding> = report.verdicts.iter().map(finding).collect();
        let changed = exposures::note(self.rooms.store(), &found, now).await?;
        if changed > 0 {
            tracing::info!(changed, "exposure history updated");
        }
        *self.noted.lock().await = about;
        Ok(())
    }

    /// Since when the oldest exposure that lasts was known here.
    pub async fn oldest_exposure(&self, now: Timestamp) -> Result<Option<Timestamp>, ShimError> {
        match self.note_exposures(now).await {
            // What was known before is still known.
            Err(error) if error.is_full() => {
                tracing::warn!(%error, "exposure history may be outdated");
            }
            noted => noted?,
        }
        Ok(exposures::oldest(self.rooms.store()).await?)
    }

    /// What the record says to a question.
    pub async fn exposure_record(
        &self,
        question: &Question,
        now: Timestamp,
    ) -> Result<ExposureRecord, ShimError> {
        // Without the plugin the record is what it was, and still worth reading.
        if let Err(error) = self.note_exposures(now).await {
            tracing::warn!(%error, "exposure history may be outdated");
        }
        let store = self.rooms.store();
        let advisories = match &question.flaw {
            Some(name) => self.rooms.about_one_flaw(name).await?,
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
        Ok(ExposureRecord {
            more,
            began,
            embargoed: self.rooms.embargoed().await?,
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
    fn covers(&self, question: &Question) -> bool {
        let began = self.began.zip(question.from);
        began.is_some_and(|(began, from)| began <= from)
    }
}

fn finding(verdict: &exposure::Verdict) -> Finding {
    Finding {
        advisory: lines::text(&verdict.advisory.id),
        component: lines::text(&verdict.component),
        verdict: match verdict.status {
            Status::Affected => Some(Verdict::Affected),
            Status::Unknown => Some(Verdict::Unknown),
            Status::Fixed | Status::NotAffected => None,
        },
        version: verdict.version.as_deref().map(lines::text),
        reason: lines::text(&verdict.reason),
    }
}

/// The record as a page, for a browser and a terminal.
pub fn page(record: &ExposureRecord, question: &Question) -> Page {
    let mut blocks = vec![Block::Chart(chart(record))];
    blocks.push(answer(record, question));
    blocks.push(heading("Period and end"));
    blocks.push(Block::Table(Table {
        caption: "Exposures, current ones first".to_owned(),
        columns: ["Component", "Advisory", "Verdict", "Since", "Until", "Why"]
            .map(str::to_owned)
            .to_vec(),
        rows: record.periods.iter().map(row).collect(),
        empty: "No exposures recorded.".to_owned(),
    }));
    if record.more {
        blocks.push(paragraph(format!(
            "Only the newest {SHOWN} are shown. Filter by advisory, component or time."
        )));
    }
    blocks.push(paragraph("Times show when an exposure became known to this panel. The affected version may have been installed earlier."));
    Page {
        title: "Exposure history".to_owned(),
        blocks,
        embargo: record.is_under_embargo(),
    }
}

fn chart(record: &ExposureRecord) -> Chart {
    let series = |label: &str, tone, counts: &[(Timestamp, u32)]| Series {
        label: label.to_owned(),
        tone,
        points: counts
            .iter()
            .map(|(at, value)| Point {
                at: at.as_second(),
                value: *value,
            })
            .collect(),
    };
    Chart {
        caption: format!("Components affected in the last {DAYS} days"),
        begin: record.begin.as_second(),
        end: record.end.as_second(),
        series: vec![
            series("affected", Tone::Danger, &record.exposed),
            series("unknown", Tone::Warning, &record.undecided),
        ],
    }
}

/// The answer to what was asked, in words. What the record does not go back to is not answered.
fn answer(record: &ExposureRecord, question: &Question) -> Block {
    let of = |verdict| {
        let periods = record.periods.iter();
        periods.filter(|period| period.verdict == verdict).count()
    };
    let (exposed, undecided) = (of(Verdict::Affected), of(Verdict::Unknown));
    let about = about(question);
    let more = if record.more { "more than " } else { "" };
    let words = match (exposed, undecided) {
        (0, 0) => format!("No exposure{about} recorded."),
        (0, _) => {
            format!("No exposure{about} recorded, but {more}{undecided} with unknown status.")
        }
        (_, 0) => format!("Exposures{about}: {more}{exposed}."),
        _ => {
            format!("Exposures{about}: {more}{exposed}, and {undecided} with unknown status.")
        }
    };
    let reach = match record.began {
        None => " Recording has not started yet.".to_owned(),
        Some(_) if record.covers(question) => String::new(),
        Some(began) => format!(
            " Recording started {}; earlier exposures are unknown.",
            minute(began)
        ),
    };
    let tone = if exposed + undecided == 0 && record.covers(question) {
        Tone::Good
    } else {
        Tone::Warning
    };
    notice(tone, format!("{words}{reach}"))
}

/// What was asked about.
fn about(question: &Question) -> String {
    let mut about = String::new();
    if let Some(flaw) = &question.flaw {
        about.push_str(&format!(" to {flaw}"));
    }
    if let Some(component) = &question.component {
        about.push_str(&format!(" of {component}"));
    }
    about.push_str(&match (question.from, question.until) {
        (Some(from), Some(until)) => format!(" between {} and {}", minute(from), minute(until)),
        (Some(from), None) => format!(" since {}", minute(from)),
        (None, Some(until)) => format!(" until {}", minute(until)),
        (None, None) => String::new(),
    });
    about
}

fn row(period: &Period) -> Vec<Cell> {
    let verdict = match (period.verdict, period.until) {
        (Verdict::Affected, None) => labelled("affected", Tone::Danger),
        (Verdict::Unknown, None) => labelled("unknown", Tone::Warning),
        (Verdict::Affected, Some(_)) => labelled("was affected", Tone::Neutral),
        (Verdict::Unknown, Some(_)) => labelled("was unknown", Tone::Neutral),
    };
    let why = match &period.ended {
        Some(ended) => format!("{}; ended: {ended}", period.because),
        None => period.because.clone(),
    };
    let until = period.until.map_or("still".to_owned(), minute);
    vec![
        text(vec![plain(period.component.clone())]),
        text(vec![to_advisory(&period.advisory)]),
        verdict,
        text(vec![plain(minute(period.since))]),
        text(vec![plain(until)]),
        text(vec![plain(why)]),
    ]
}
