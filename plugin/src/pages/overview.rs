//! The overview: how the panel stands, and what to do first.

use super::{
    advisory_badges, badge, cell, counted, heading, labelled, link, notice, paragraph, plain,
    status_badge, strong, time, to_advisory, verdict_badges,
};
use crate::{
    bindings::{
        exports::spacecp::advisories::{
            exposure::{Status, Verdict},
            pages::{Block, Cell, Page, Place, Table, Tone},
        },
        spacecp::advisories::settings::Freshness,
    },
    knowledge::Knowledge,
};

/// Composes the page at `now`, in seconds since 1970.
pub fn overview(knowledge: &Knowledge, freshness: &Freshness, now: i64) -> Page {
    let summary = knowledge.summary();
    let mut blocks = vec![standing(&summary)];
    if summary.undecided > 0 {
        let undecided = counted(summary.undecided as usize, "component", "components");
        blocks.push(notice(Tone::Warning, format!("{undecided} cannot be decided: see the versions that could not be read or compared below.")));
    }
    blocks.push(current(freshness, now));
    let verdicts = knowledge.verdicts();
    let exposed: Vec<&Verdict> = verdicts
        .iter()
        .copied()
        .filter(|verdict| verdict.status == Status::Affected)
        .collect();
    if let Some(first) = exposed.first() {
        blocks.push(heading("What to do first"));
        blocks.push(first_step(knowledge, first));
    }
    blocks.push(heading("Exposed"));
    blocks.push(table(
        "Exposed components",
        &exposed,
        "Nothing that is installed here is known to be exposed.",
    ));
    let unknown: Vec<&Verdict> = verdicts
        .iter()
        .copied()
        .filter(|verdict| verdict.status == Status::Unknown)
        .collect();
    if !unknown.is_empty() {
        blocks.push(heading("Undecided"));
        blocks.push(table("Components that cannot be decided", &unknown, ""));
    }
    blocks.push(heading("Components"));
    blocks.push(components(knowledge, &verdicts));
    unreadable(knowledge, &mut blocks);
    let embargo = exposed
        .iter()
        .chain(&unknown)
        .any(|verdict| verdict.embargo);
    Page {
        title: "Security overview".to_owned(),
        blocks,
        embargo,
    }
}

fn standing(summary: &crate::bindings::exports::spacecp::advisories::exposure::Summary) -> Block {
    let of = counted(summary.components as usize, "component", "components");
    match summary.exposed {
        0 => notice(Tone::Good, format!("None of {of} is known to be exposed.")),
        exposed => notice(Tone::Danger, format!("{exposed} of {of} exposed.")),
    }
}

/// Since when, and until when, what is shown can be believed. Stale is calm.
fn current(freshness: &Freshness, now: i64) -> Block {
    let Some(last) = freshness.last_word else {
        let why = freshness
            .problem
            .as_ref()
            .map(|problem| format!(" The last attempt failed: {problem}"))
            .unwrap_or_default();
        return notice(
            Tone::Warning,
            format!("Nothing has been heard from the vendor yet.{why}"),
        );
    };
    let stale = freshness.valid_until.is_some_and(|until| until <= now);
    let problem = freshness
        .problem
        .as_ref()
        .map(|problem| format!(" The last attempt failed: {problem}"))
        .unwrap_or_default();
    let until = freshness.valid_until.map(time).unwrap_or_default();
    if stale {
        let text = format!(
            "Verified until {until}; no fresh word since {}. What is known stays in force.{problem}",
            time(last)
        );
        return notice(Tone::Warning, text);
    }
    let sequence = freshness
        .sequence
        .map(|sequence| format!(", sequence {sequence}"))
        .unwrap_or_default();
    let tone = if problem.is_empty() {
        Tone::Neutral
    } else {
        Tone::Warning
    };
    notice(
        tone,
        format!(
            "Last word from the vendor {}{sequence}; good until {until}.{problem}",
            time(last)
        ),
    )
}

fn first_step(knowledge: &Knowledge, verdict: &Verdict) -> Block {
    let mut spans = vec![
        strong(format!("{}: ", verdict.component)),
        plain(format!("{} (", verdict.title)),
        to_advisory(&verdict.advisory.id),
        plain("). "),
    ];
    let known = knowledge.advisory(&verdict.advisory.id);
    let workaround = known.is_some_and(|known| !known.advisory.workarounds.is_empty());
    spans.push(match (&verdict.correction, workaround) {
        (Some(_), _) => link(
            "A correction is ready to be applied.",
            Place::Advisory(verdict.advisory.id.clone()),
        ),
        (None, true) => plain("There is no correction yet that fits; a workaround is described."),
        (None, false) => plain("There is no correction yet that fits."),
    });
    if verdict.known_exploited {
        spans.push(strong(" Attacks are known."));
    }
    Block::Paragraph(spans)
}

fn table(caption: &str, verdicts: &[&Verdict], empty: &str) -> Block {
    Block::Table(Table {
        caption: caption.to_owned(),
        columns: ["Component", "Advisory", "Severity", "Why", "Correction"]
            .map(str::to_owned)
            .to_vec(),
        rows: verdicts.iter().map(|verdict| row(verdict)).collect(),
        empty: empty.to_owned(),
    })
}

fn row(verdict: &Verdict) -> Vec<Cell> {
    let correction = match (&verdict.correction, verdict.status) {
        (Some(_), _) => cell(vec![link(
            "ready",
            Place::Advisory(verdict.advisory.id.clone()),
        )]),
        (None, Status::Affected) => cell(vec![plain("none yet")]),
        (None, _) => cell(vec![plain("–")]),
    };
    vec![
        cell(vec![strong(verdict.component.clone())]),
        cell(vec![
            to_advisory(&verdict.advisory.id),
            plain(format!(" {}", verdict.title)),
        ]),
        labelled(verdict_badges(verdict)),
        cell(vec![plain(verdict.reason.clone())]),
        correction,
    ]
}

fn components(knowledge: &Knowledge, verdicts: &[&Verdict]) -> Block {
    let rows = knowledge.components().iter().map(|component| {
        let gravest = verdicts
            .iter()
            .find(|verdict| verdict.component == component.name);
        let standing = match (gravest, &component.version) {
            (Some(verdict), _) => status_badge(verdict.status),
            (None, None) => badge("unknown", Tone::Warning),
            (None, Some(_)) => badge("no advisory", Tone::Neutral),
        };
        let version = component.version.clone().unwrap_or_else(|| {
            component
                .problem
                .clone()
                .unwrap_or_else(|| "not known".to_owned())
        });
        vec![
            cell(vec![strong(component.name.clone())]),
            cell(vec![plain(version)]),
            labelled(vec![standing]),
            cell(vec![super::code(component.found_at.clone())]),
        ]
    });
    Block::Table(Table {
        caption: "Components installed".to_owned(),
        columns: ["Component", "Version", "Standing", "Read from"]
            .map(str::to_owned)
            .to_vec(),
        rows: rows.collect(),
        empty: "No components are configured.".to_owned(),
    })
}

fn unreadable(knowledge: &Knowledge, blocks: &mut Vec<Block>) {
    let mut any = knowledge.unreadable().peekable();
    if any.peek().is_none() {
        return;
    }
    blocks.push(heading("Documents that cannot be read"));
    blocks.push(paragraph("They are signed by the vendor, and this plugin does not understand them. An update of the plugin may."));
    for unreadable in any {
        blocks.push(paragraph(format!(
            "{} revision {}: {}",
            unreadable.document.id, unreadable.document.revision, unreadable.reason
        )));
    }
}

/// The labels of an advisory that is not tied to a verdict.
pub(super) fn labels(
    known: &crate::knowledge::Known,
) -> Vec<crate::bindings::exports::spacecp::advisories::pages::Badge> {
    advisory_badges(
        known.rating.severity,
        known.rating.score,
        known.advisory.known_exploited,
        known.advisory.is_under_embargo(),
    )
}
