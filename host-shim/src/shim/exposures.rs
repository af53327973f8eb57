//! Keeps the record of exposures, and shows it: since when, until when, and why each ended.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use super::{
    Shim, ShimError,
    pieces::{heading, labelled, minute, notice, paragraph, plain, text, to_advisory},
};
use crate::{
    exposures::{self, Finding, Period, Query, Standing, counts},
    plugin::bindings::exports::spacecp::advisories::{
        exposure::{Status, Verdict},
        pages::{Block, Cell, Chart, Page, Point, Series, Table, Tone},
    },
};

/// Days that the chart goes back.
const DAYS: i64 = 90;

/// Periods that are shown.
const SHOWN: u32 = 200;

/// Periods that the chart is made of.
const COUNTED: u32 = 100_000;

/// What was asked of the record, and what it says.
#[derive(Debug, Clone, Serialize)]
pub struct ExposureRecord {
    /// The periods that fit, those that last first, then the newest.
    pub periods: Vec<Period>,
    /// Whether there are more that fit.
    pub more: bool,
    /// The advisories among them that are under embargo.
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
        let standing = Some((sequence, inventory));
        if *self.noted.lock().await == standing {
            return Ok(());
        }
        let report = self.report().await?;
        let found: Vec<Finding> = report.verdicts.iter().map(finding).collect();
        let changed = exposures::note(self.rooms.store(), &found, now).await?;
        if changed > 0 {
            tracing::info!(changed, "the record of exposures goes on");
        }
        *self.noted.lock().await = standing;
        Ok(())
    }

    /// What the record says, as far as it is asked for.
    pub async fn exposure_record(
        &self,
        query: &Query,
        now: Timestamp,
    ) -> Result<ExposureRecord, ShimError> {
        // Without the plugin the record is what it was, and still worth reading.
        if let Err(error) = self.note_exposures(now).await {
            tracing::warn!(%error, "the record of exposures may be behind");
        }
        let store = self.rooms.store();
        let mut periods = exposures::periods(store, query, SHOWN + 1).await?;
        let more = periods.len() > SHOWN as usize;
        periods.truncate(SHOWN as usize);
        let begin = now - SignedDuration::from_hours(24 * DAYS);
        let charted = Query {
            from: Some(begin),
            until: Some(now),
            ..query.clone()
        };
        let charted = exposures::periods(store, &charted, COUNTED).await?;
        Ok(ExposureRecord {
            more,
            embargoed: self.embargoed().await?,
            begin,
            end: now,
            exposed: counts(&charted, Standing::Exposed),
            undecided: counts(&charted, Standing::Undecided),
            periods,
        })
    }

    /// The advisories that are under embargo, whatever the plugin says of them.
    pub async fn embargoed(&self) -> Result<BTreeSet<String>, ShimError> {
        self.rooms.embargoed().await
    }
}

impl ExposureRecord {
    /// Whether any of what is shown is under embargo.
    pub fn is_under_embargo(&self) -> bool {
        let mut periods = self.periods.iter();
        periods.any(|period| self.embargoed.contains(&period.advisory))
    }
}

fn finding(verdict: &Verdict) -> Finding {
    Finding {
        advisory: verdict.advisory.id.clone(),
        component: verdict.component.clone(),
        standing: match verdict.status {
            Status::Affected => Some(Standing::Exposed),
            Status::Unknown => Some(Standing::Undecided),
            Status::Fixed | Status::NotAffected => None,
        },
        version: verdict.version.clone(),
        reason: verdict.reason.clone(),
    }
}

/// The record as a page, for a browser and a terminal.
pub fn page(record: &ExposureRecord, query: &Query) -> Page {
    let mut blocks = vec![Block::Chart(chart(record))];
    blocks.push(answer(record, query));
    blocks.push(heading("When, and why it ended"));
    blocks.push(Block::Table(Table {
        caption: "Exposures, those that last first".to_owned(),
        columns: ["Component", "Advisory", "Standing", "Since", "Until", "Why"]
            .map(str::to_owned)
            .to_vec(),
        rows: record.periods.iter().map(row).collect(),
        empty: "Nothing is recorded.".to_owned(),
    }));
    if record.more {
        blocks.push(paragraph(format!(
            "There are more: the newest {SHOWN} are shown. Ask for an advisory, a component or a time."
        )));
    }
    blocks.push(paragraph("A time says since when an exposure was known here. The version may have been installed long before its flaw was told of."));
    Page {
        title: "Exposure over time".to_owned(),
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
        caption: format!("Components exposed in the last {DAYS} days"),
        begin: record.begin.as_second(),
        end: record.end.as_second(),
        series: vec![
            series("exposed", Tone::Danger, &record.exposed),
            series("unknown", Tone::Warning, &record.undecided),
        ],
    }
}

/// The answer to what was asked, in words.
fn answer(record: &ExposureRecord, query: &Query) -> Block {
    let of = |standing| {
        let periods = record.periods.iter();
        periods.filter(|period| period.standing == standing).count()
    };
    let (exposed, undecided) = (of(Standing::Exposed), of(Standing::Undecided));
    let mut about = String::new();
    if let Some(advisory) = &query.advisory {
        about.push_str(&format!(" to {advisory}"));
    }
    if let Some(component) = &query.component {
        about.push_str(&format!(" of {component}"));
    }
    match (query.from, query.until) {
        (Some(from), Some(until)) => {
            about.push_str(&format!(" between {} and {}", minute(from), minute(until)));
        }
        (Some(from), None) => about.push_str(&format!(" since {}", minute(from))),
        (None, Some(until)) => about.push_str(&format!(" until {}", minute(until))),
        (None, None) => {}
    }
    let more = if record.more { "more than " } else { "" };
    match (exposed, undecided) {
        (0, 0) => notice(Tone::Good, format!("No exposure{about} is recorded.")),
        (0, _) => notice(
            Tone::Warning,
            format!(
                "No exposure{about} is recorded, but {more}{undecided} that nobody could decide."
            ),
        ),
        (_, 0) => notice(Tone::Warning, format!("Exposures{about}: {more}{exposed}.")),
        _ => notice(
            Tone::Warning,
            format!("Exposures{about}: {more}{exposed}, and {undecided} that nobody could decide."),
        ),
    }
}

fn row(period: &Period) -> Vec<Cell> {
    let standing = match (period.standing, period.until) {
        (Standing::Exposed, None) => labelled("exposed", Tone::Danger),
        (Standing::Undecided, None) => labelled("unknown", Tone::Warning),
        (Standing::Exposed, Some(_)) => labelled("was exposed", Tone::Neutral),
        (Standing::Undecided, Some(_)) => labelled("was unknown", Tone::Neutral),
    };
    let why = match &period.ended {
        Some(ended) => format!("{}; ended: {ended}", period.because),
        None => period.because.clone(),
    };
    let until = period.until.map_or("still".to_owned(), minute);
    vec![
        text(vec![plain(period.component.clone())]),
        text(vec![to_advisory(&period.advisory)]),
        standing,
        text(vec![plain(minute(period.since))]),
        text(vec![plain(until)]),
        text(vec![plain(why)]),
    ]
}
