//! `check`: which installed components are exposed, and why.

use jiff::Timestamp;
use serde_json::json;

use super::{CommandError, Ending, Output, arguments::Format};
use crate::{
    plugin::bindings::exports::spacecp::advisories::{
        exposure::{ExposureReport, Status, Verdict},
        pages::{Badge, Block, Cell, Notice, Page, Span, Style, Table, Tone},
    },
    render::terminal,
    shim::Shim,
    store::Freshness,
};

pub(super) async fn check(
    shim: &Shim,
    format: Format,
    out: &Output,
) -> Result<Ending, CommandError> {
    let report = shim.report().await?;
    let freshness = shim.freshness().await?;
    if out.json || format == Format::Json {
        let verdicts: Vec<Verdict> = report.verdicts.iter().map(passable).collect();
        out.value(&json!({
            "summary": report.summary,
            "verdicts": verdicts,
            "unreadable": report.unreadable,
            "freshness": freshness,
        }))?;
    } else {
        let page = page(&report, &freshness, Timestamp::now());
        out.text(&terminal::page(&page, out.terminal()))?;
    }
    Ok(if all_is_well(&report, &freshness) {
        Ending::Well
    } else {
        Ending::Exposed
    })
}

/// The verdict as it may be passed on: of an advisory under embargo no more than its id and what a
/// script has to know to act.
fn passable(verdict: &Verdict) -> Verdict {
    if !verdict.embargo {
        return verdict.clone();
    }
    let hidden = || "under embargo".to_owned();
    Verdict {
        title: hidden(),
        reason: hidden(),
        ..verdict.clone()
    }
}

/// Whether nothing is exposed, nothing undecided, and the vendor has been heard at all: before the
/// first word nobody can say that nothing is wrong.
fn all_is_well(report: &ExposureReport, freshness: &Freshness) -> bool {
    let summary = &report.summary;
    summary.exposed == 0
        && summary.undecided == 0
        && report.unreadable.is_empty()
        && freshness.sequence.is_some()
}

/// What there is to say about how current the verdicts are, if there is anything.
fn staleness(freshness: &Freshness, now: Timestamp) -> Option<String> {
    let Some(until) = freshness.valid_until else {
        return Some("Nothing has been heard from the vendor yet: run \"sync\" first.".to_owned());
    };
    let minute = |time: Timestamp| time.strftime("%Y-%m-%d %H:%M UTC").to_string();
    let problem = freshness
        .problem
        .as_ref()
        .map(|problem| format!(" The last attempt failed: {problem}"));
    if until <= now {
        let last = freshness.last_word.map_or_else(String::new, minute);
        let problem = problem.unwrap_or_default();
        return Some(format!(
            "Verified until {}; no fresh word since {last}.{problem}",
            minute(until)
        ));
    }
    problem.map(|problem| problem.trim_start().to_owned())
}

/// The verdicts as a page, so that they are drawn, and made safe, like any other.
fn page(report: &ExposureReport, freshness: &Freshness, now: Timestamp) -> Page {
    let summary = &report.summary;
    let standing = format!(
        "{} of {} components exposed, {} undecided, {} advisories in force",
        summary.exposed, summary.components, summary.undecided, summary.advisories
    );
    let tone = match (summary.exposed, summary.undecided) {
        (0, 0) if all_is_well(report, freshness) => Tone::Good,
        (0, _) => Tone::Warning,
        _ => Tone::Danger,
    };
    let mut blocks = vec![Block::Notice(Notice {
        tone,
        spans: vec![plain(standing)],
    })];
    if let Some(words) = staleness(freshness, now) {
        blocks.push(Block::Notice(Notice {
            tone: Tone::Warning,
            spans: vec![plain(words)],
        }));
    }
    let shown = report
        .verdicts
        .iter()
        .filter(|verdict| matches!(verdict.status, Status::Affected | Status::Unknown));
    blocks.push(Block::Table(Table {
        caption: "Verdicts".to_owned(),
        columns: [
            "Verdict",
            "Component",
            "Advisory",
            "Severity",
            "Why",
            "Correction",
        ]
        .map(str::to_owned)
        .to_vec(),
        rows: shown.map(row).collect(),
        empty: "Nothing that is installed here is known to be exposed.".to_owned(),
    }));
    for unreadable in &report.unreadable {
        let words = format!(
            "{} revision {} cannot be read: {}",
            unreadable.document.id, unreadable.document.revision, unreadable.reason
        );
        blocks.push(Block::Notice(Notice {
            tone: Tone::Warning,
            spans: vec![plain(words)],
        }));
    }
    let embargo = report.verdicts.iter().any(|verdict| {
        verdict.embargo && matches!(verdict.status, Status::Affected | Status::Unknown)
    });
    Page {
        title: "Exposure".to_owned(),
        blocks,
        embargo,
    }
}

fn row(verdict: &Verdict) -> Vec<Cell> {
    let (word, tone) = match verdict.status {
        Status::Affected => ("exposed", Tone::Danger),
        Status::Unknown => ("unknown", Tone::Warning),
        Status::Fixed => ("fixed", Tone::Good),
        Status::NotAffected => ("not affected", Tone::Good),
    };
    let severity = format!("{:?}", verdict.severity)
        .rsplit("::")
        .next()
        .unwrap_or_default()
        .to_lowercase();
    let score = verdict
        .score
        .map(|score| format!(" {}.{}", score / 10, score % 10))
        .unwrap_or_default();
    let exploited = if verdict.known_exploited {
        ", exploited"
    } else {
        ""
    };
    let correction = verdict
        .correction
        .as_ref()
        .map_or_else(|| "–".to_owned(), |correction| correction.id.clone());
    let texts = [
        verdict.component.clone(),
        verdict.advisory.id.clone(),
        format!("{severity}{score}{exploited}"),
        verdict.reason.clone(),
        correction,
    ];
    let label = Cell {
        badges: vec![Badge {
            text: word.to_owned(),
            tone,
        }],
        spans: Vec::new(),
    };
    std::iter::once(label)
        .chain(texts.into_iter().map(|text| Cell {
            badges: Vec::new(),
            spans: vec![plain(text)],
        }))
        .collect()
}

fn plain(text: String) -> Span {
    Span {
        text,
        style: Style {
            emphasis: false,
            strong: false,
            code: false,
            strikethrough: false,
        },
        link: None,
    }
}
