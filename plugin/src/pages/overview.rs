//! The overview: how the panel stands, and what to do first.

use std::collections::HashMap;

use super::{
    advisory_badges, badge, cell, counted, decided, heading, labelled, link, notice, paragraph,
    plain, status_badge, strong, time, to_advisory, verdict_badges,
};
use crate::{
    bindings::{
        exports::spacecp::advisories::{
            exposure::{Status, Verdict},
            pages::{Block, Cell, Page, Place, Table, Tone},
        },
        spacecp::advisories::settings::Freshness,
    },
    decisions::{Decisions, Standing},
    knowledge::Knowledge,
};

/// Rows of one table; the advisories page and a report have them all.
const MOST_ROWS: usize = 200;

/// Components that are listed.
const MOST_COMPONENTS: usize = 1_000;

/// Composes the page at `now`, in seconds since 1970.
pub fn overview(
    knowledge: &Knowledge,
    decisions: &Decisions,
    freshness: &Freshness,
    now: i64,
) -> Page {
    let summary = knowledge.summary();
    let verdicts = knowledge.verdicts();
    let tally = decisions.tally(&verdicts);
    let mut blocks = vec![standing(&summary, decided::of_those(&tally), freshness)];
    blocks.extend(decided::problem(decisions));
    if summary.undecided > 0 {
        let undecided = counted(summary.undecided as usize, "component", "components");
        blocks.push(notice(Tone::Warning, format!("{undecided} cannot be decided: see the versions that could not be read or compared below.")));
    }
    blocks.push(current(freshness, now));
    let exposed: Vec<&Verdict> = verdicts
        .iter()
        .copied()
        .filter(|verdict| verdict.status == Status::Affected)
        .collect();
    let exposed = decisions.most_urgent_first(exposed);
    if let Some(first) = exposed.first() {
        blocks.push(heading("What to do first"));
        if decisions.standing(first) != Standing::Open {
            blocks.push(paragraph(
                "Somebody has decided about every exposure. What is left is to correct them:",
            ));
        }
        blocks.push(first_step(knowledge, first));
    }
    blocks.push(heading("Exposed"));
    blocks.push(table(
        "Exposed components",
        &exposed,
        decisions,
        "Nothing that is installed here is known to be exposed.",
    ));
    rest(exposed.len(), MOST_ROWS, &mut blocks);
    let unknown: Vec<&Verdict> = verdicts
        .iter()
        .copied()
        .filter(|verdict| verdict.status == Status::Unknown)
        .collect();
    if !unknown.is_empty() {
        blocks.push(heading("Undecided"));
        blocks.push(table(
            "Components that cannot be decided",
            &unknown,
            decisions,
            "",
        ));
        rest(unknown.len(), MOST_ROWS, &mut blocks);
    }
    blocks.push(heading("Components"));
    blocks.push(components(knowledge, &verdicts));
    rest(knowledge.components().len(), MOST_COMPONENTS, &mut blocks);
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

fn standing(
    summary: &crate::bindings::exports::spacecp::advisories::exposure::Summary,
    of_those: Option<(String, Tone)>,
    freshness: &Freshness,
) -> Block {
    let of = counted(summary.components as usize, "component", "components");
    match summary.exposed {
        // Silence is not an all-clear.
        0 if freshness.last_word.is_none() => notice(
            Tone::Warning,
            format!("Nobody can say yet whether any of {of} is exposed."),
        ),
        0 => notice(Tone::Good, format!("None of {of} is known to be exposed.")),
        exposed => match of_those {
            None => notice(Tone::Danger, format!("{exposed} of {of} exposed.")),
            Some((words, tone)) => notice(tone, format!("{exposed} of {of} exposed: {words}.")),
        },
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

fn table(caption: &str, verdicts: &[&Verdict], decisions: &Decisions, empty: &str) -> Block {
    let verdicts = &verdicts[..verdicts.len().min(MOST_ROWS)];
    let mut table = Table {
        caption: caption.to_owned(),
        columns: ["Component", "Advisory", "Severity", "Why", "Correction"]
            .map(str::to_owned)
            .to_vec(),
        rows: verdicts.iter().map(|verdict| row(verdict)).collect(),
        empty: empty.to_owned(),
    };
    decided::column(&mut table, verdicts, decisions);
    Block::Table(table)
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

/// Says how many rows a table leaves out.
fn rest(all: usize, shown: usize, blocks: &mut Vec<Block>) {
    if all > shown {
        blocks.push(paragraph(format!("And {} more.", all - shown)));
    }
}

fn components(knowledge: &Knowledge, verdicts: &[&Verdict]) -> Block {
    let mut gravest: HashMap<&str, Status> = HashMap::new();
    for verdict in verdicts {
        // They come worst first.
        gravest.entry(&verdict.component).or_insert(verdict.status);
    }
    let shown = knowledge.components().iter().take(MOST_COMPONENTS);
    let rows = shown.map(|component| {
        let standing = match (gravest.get(component.name.as_str()), &component.version) {
            (Some(Status::Affected), _) => status_badge(Status::Affected),
            (Some(status), Some(_)) => status_badge(*status),
            (_, None) => badge("unknown", Tone::Warning),
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
    rest(knowledge.unreadable().count(), MOST_ROWS, blocks);
    for unreadable in any.take(MOST_ROWS) {
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
