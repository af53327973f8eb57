//! The advisories received.

use std::cmp::Reverse;

use super::{
    badge, cell, counted, day, labelled, overview::labels, paragraph, plain, status_badge,
    to_advisory,
};
use crate::{
    bindings::exports::spacecp::advisories::{
        exposure::Status,
        pages::{Badge, Block, Cell, Page, Table, Tone},
    },
    exposure::gravity,
    knowledge::{Knowledge, Known},
    severity,
};

/// Rows on one page; a search finds the rest.
const MOST_ROWS: usize = 500;

/// Composes the page, with the advisories that `search` finds.
pub fn advisories(knowledge: &Knowledge, search: Option<&str>) -> Page {
    let words: Vec<String> = search
        .unwrap_or("")
        .split_whitespace()
        .map(str::to_lowercase)
        .collect();
    let mut found: Vec<&Known> = knowledge
        .advisories()
        .filter(|known| matches(known, &words))
        .collect();
    found.sort_by_key(|known| {
        Reverse((
            gravest(knowledge, known).map(gravity),
            known.advisory.known_exploited,
            known.rating.score,
            known.advisory.modified,
        ))
    });
    let mut blocks = vec![Block::Search(search.unwrap_or("").to_owned())];
    let received = counted(knowledge.advisories().count(), "advisory", "advisories");
    blocks.push(paragraph(if words.is_empty() {
        format!("{received} received.")
    } else {
        format!("{} of {received} fit the search.", found.len())
    }));
    if found.len() > MOST_ROWS {
        blocks.push(paragraph(format!(
            "The first {MOST_ROWS} are shown; search to see others."
        )));
        found.truncate(MOST_ROWS);
    }
    let embargo = found.iter().any(|known| known.advisory.is_under_embargo());
    blocks.push(Block::Table(Table {
        caption: "Advisories".to_owned(),
        columns: ["Advisory", "Title", "Severity", "This panel", "Changed"]
            .map(str::to_owned)
            .to_vec(),
        rows: found
            .into_iter()
            .map(|known| row(knowledge, known))
            .collect(),
        empty: if words.is_empty() {
            "No advisory has been received yet.".to_owned()
        } else {
            "No advisory fits the search.".to_owned()
        },
    }));
    Page {
        title: "Advisories".to_owned(),
        blocks,
        embargo,
    }
}

fn row(knowledge: &Knowledge, known: &Known) -> Vec<Cell> {
    let advisory = &known.advisory;
    vec![
        cell(vec![to_advisory(&advisory.id)]),
        cell(vec![plain(advisory.title.clone())]),
        labelled(labels(known)),
        labelled(vec![standing(knowledge, known)]),
        cell(vec![plain(day(advisory.modified))]),
    ]
}

/// The gravest verdict that an advisory has on this panel.
fn gravest(knowledge: &Knowledge, known: &Known) -> Option<Status> {
    knowledge
        .verdicts_of(&known.advisory.id)
        .iter()
        .map(|verdict| verdict.status)
        .max_by_key(|status| gravity(*status))
}

pub(super) fn standing(knowledge: &Knowledge, known: &Known) -> Badge {
    if known.advisory.withdrawn.is_some() {
        return badge("withdrawn", Tone::Neutral);
    }
    if !knowledge.in_force(known) {
        return badge("superseded", Tone::Neutral);
    }
    gravest(knowledge, known)
        .map_or_else(|| badge("not installed here", Tone::Neutral), status_badge)
}

/// Whether every word is somewhere in id, aliases, title or components.
fn matches(known: &Known, words: &[String]) -> bool {
    let advisory = &known.advisory;
    let mut text = format!(
        "{} {} {} {}",
        advisory.id,
        advisory.title,
        advisory.aliases.join(" "),
        severity::name(known.rating.severity)
    );
    for affected in &advisory.affected {
        text.push(' ');
        text.push_str(&affected.component);
    }
    let text = text.to_lowercase();
    words.iter().all(|word| text.contains(word.as_str()))
}
