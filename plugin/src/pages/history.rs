//! What was applied and taken back.

use super::{badge, cell, heading, plain, roll_back, strong, time};
use crate::bindings::{
    exports::spacecp::advisories::pages::{Badge, Block, Cell, Page, Table, Tone},
    spacecp::advisories::corrections::{Application, Outcome},
};
use crate::knowledge::Knowledge;

/// Composes the page.
pub fn history(knowledge: &Knowledge, applications: &[Application], may_act: bool) -> Page {
    let mut blocks = vec![Block::Table(Table {
        caption: "Apply runs, newest first".to_owned(),
        columns: [
            "When",
            "Component",
            "Correction",
            "Version",
            "Outcome",
            "By",
        ]
        .map(str::to_owned)
        .to_vec(),
        rows: applications.iter().map(row).collect(),
        empty: "No corrections applied yet.".to_owned(),
    })];
    let reversible: Vec<&Application> = applications
        .iter()
        .filter(|application| application.reversible)
        .collect();
    if may_act && !reversible.is_empty() {
        blocks.push(heading("Roll back"));
        for application in reversible {
            blocks.push(roll_back(application));
        }
    }
    Page {
        title: "History".to_owned(),
        blocks,
        embargo: applications
            .iter()
            .any(|application| knowledge.is_under_embargo(&application.correction.id)),
    }
}

fn row(application: &Application) -> Vec<Cell> {
    let outcome = Cell {
        badges: vec![outcome(application.outcome)],
        spans: application
            .reason
            .iter()
            .map(|reason| plain(reason.clone()))
            .collect(),
    };
    vec![
        cell(vec![plain(time(
            application.ended.unwrap_or(application.began),
        ))]),
        cell(vec![strong(application.component.clone())]),
        cell(vec![plain(format!(
            "{} revision {}",
            application.correction.id, application.correction.revision
        ))]),
        cell(vec![plain(format!(
            "{} → {}",
            application.from, application.to
        ))]),
        outcome,
        cell(vec![plain(application.by.clone())]),
    ]
}

fn outcome(outcome: Outcome) -> Badge {
    match outcome {
        Outcome::InProgress => badge("in progress", Tone::Information),
        Outcome::Applied => badge("applied", Tone::Good),
        Outcome::RolledBack => badge("rolled back", Tone::Neutral),
        Outcome::Failed => badge("failed", Tone::Danger),
    }
}
