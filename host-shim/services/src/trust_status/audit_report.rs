//! The audit log for people: as a part of a page, for a browser and a terminal.
//!
//! Composed by the shim and not by the plugin: what was done must not be told by something that may
//! have had a part in it.

use spacecp_render::page_builder::{self, code, minute, plain, text, to_advisory};

use super::Trust;
use crate::{
    ServiceError,
    audit::{self, Entry, Recorded, Walked, What},
    plugin::bindings::exports::spacecp::advisories::pages::{
        Badge, Block, Cell, Notice, Span, Table, Tone,
    },
};

/// The newest entries of a log, newest first, and whether the whole of it holds.
#[derive(Debug)]
pub struct AuditReport {
    /// The newest entries, newest first.
    pub newest: Vec<Recorded>,
    /// What was found in the whole log.
    pub walked: Walked,
}

impl Trust {
    /// The newest entries of the audit log, at most `most` of them, and whether the whole of it holds.
    pub async fn audit(&self, most: usize) -> Result<AuditReport, ServiceError> {
        let mut newest = std::collections::VecDeque::new();
        let walked = audit::walk(self.state.store(), None, |recorded: Recorded| {
            newest.push_front(recorded);
            newest.truncate(most);
        });
        Ok(AuditReport {
            walked: walked.await?,
            newest: newest.into(),
        })
    }
}

/// The report as blocks of a page.
pub fn blocks(report: &AuditReport) -> Vec<Block> {
    let heading = page_builder::heading("Audit log");
    let table = Block::Table(Table {
        caption: "Actions and decisions, newest first".to_owned(),
        columns: [
            "Entry",
            "When",
            "Who",
            "What",
            "About",
            "Version",
            "Signed by",
        ]
        .map(str::to_owned)
        .to_vec(),
        rows: report.newest.iter().map(|one| row(&one.entry)).collect(),
        empty: "No entries yet.".to_owned(),
    });
    vec![heading, Block::Notice(standing(&report.walked)), table]
}

fn standing(walked: &Walked) -> Notice {
    let (tone, words) = match (&walked.fault, walked.head) {
        (Some(fault), _) => (
            Tone::Danger,
            format!("Audit log verification failed: {fault}. Entries from there on are not shown."),
        ),
        (None, Some(head)) => (
            Tone::Neutral,
            format!("All entries verified. Newest entry: {head}."),
        ),
        (None, None) => (Tone::Neutral, "The audit log is empty.".to_owned()),
    };
    Notice {
        tone,
        spans: vec![plain(words)],
    }
}

fn row(entry: &Entry) -> Vec<Cell> {
    let event = &entry.event;
    let versions = match (&event.from, &event.to) {
        (Some(from), Some(to)) => format!("{from} → {to}"),
        (None, Some(to)) => to.clone(),
        _ => "–".to_owned(),
    };
    let keys = if event.keys.is_empty() {
        vec![plain("–")]
    } else {
        vec![code(event.keys.join(" "))]
    };
    vec![
        text(vec![plain(entry.number.to_string())]),
        text(vec![plain(minute(entry.at))]),
        text(vec![plain(event.who.clone())]),
        what(entry),
        text(about(entry)),
        text(vec![plain(versions)]),
        text(keys),
    ]
}

fn what(entry: &Entry) -> Cell {
    let event = &entry.event;
    let tone = match event.what {
        What::Applied => Tone::Good,
        What::Failed | What::TrustReset | What::ClockReset | What::DecisionReopened => {
            Tone::Warning
        }
        What::Recovered | What::SyncedNewRoot | What::Imported | What::PolicyChanged => {
            Tone::Information
        }
        _ => Tone::Neutral,
    };
    let mut words = event.what.as_str().replace('-', " ");
    if let (What::Recovered, Some(outcome)) = (event.what, event.outcome) {
        words = format!("{words}: {}", outcome.as_str().replace('-', " "));
    }
    let mut spans: Vec<Span> = event.reason.iter().cloned().map(plain).collect();
    if let Some(until) = event.until {
        spans.push(plain(
            until.strftime(" (until %Y-%m-%d %H:%M UTC)").to_string(),
        ));
    }
    Cell {
        badges: vec![Badge { text: words, tone }],
        spans,
    }
}

fn about(entry: &Entry) -> Vec<Span> {
    let event = &entry.event;
    let mut spans = Vec::new();
    let mut add = |span: Span| {
        if !spans.is_empty() {
            spans.push(plain(" "));
        }
        spans.push(span);
    };
    if let Some(component) = &event.component {
        add(plain(component.clone()));
    }
    if let Some(path) = &event.path {
        add(code(path.clone()));
    }
    if let Some(correction) = &event.correction {
        add(plain(correction.to_string()));
    }
    for advisory in &event.advisories {
        add(to_advisory(advisory));
    }
    if let Some(workaround) = &event.workaround {
        add(code(workaround.clone()));
    }
    if spans.is_empty() {
        spans.push(plain("–"));
    }
    spans
}
