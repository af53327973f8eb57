//! `check`: which installed components are exposed, and why.

use super::{CommandError, Ending, Output, arguments::Format};
use crate::{
    plugin::bindings::exports::spacecp::advisories::{
        exposure::{ExposureReport, Status, Verdict},
        pages::{Badge, Block, Cell, Notice, Page, Span, Style, Table, Tone},
    },
    render::terminal,
    shim::Shim,
};

pub(super) async fn check(
    shim: &Shim,
    format: Format,
    out: &Output,
) -> Result<Ending, CommandError> {
    let report = shim.report().await?;
    let summary = &report.summary;
    if out.json || format == Format::Json {
        out.value(&report)?;
    } else {
        out.text(&terminal::page(&page(&report), out.terminal()))?;
    }
    Ok(if summary.exposed == 0 && summary.undecided == 0 {
        Ending::Well
    } else {
        Ending::Exposed
    })
}

/// The verdicts as a page, so that they are drawn, and made safe, like any other.
fn page(report: &ExposureReport) -> Page {
    let summary = &report.summary;
    let standing = format!(
        "{} of {} components exposed, {} undecided, {} advisories in force",
        summary.exposed, summary.components, summary.undecided, summary.advisories
    );
    let tone = match (summary.exposed, summary.undecided) {
        (0, 0) => Tone::Good,
        (0, _) => Tone::Warning,
        _ => Tone::Danger,
    };
    let mut blocks = vec![Block::Notice(Notice {
        tone,
        spans: vec![plain(standing)],
    })];
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
