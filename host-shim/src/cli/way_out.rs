//! What would decide unknown verdicts, on a terminal and for programs.

use spacecp_contract::{WayOut, ways_out};
use spacecp_render::page_builder::{code, heading, plain, text};

use crate::plugin::bindings::exports::spacecp::advisories::{
    exposure::{Status, Verdict},
    pages::{Block, Cell, Table},
};

/// Verdicts that a table has; JSON has all.
const MOST_NAMED: usize = 20;

/// The ways to decide a verdict.
pub(super) fn of(verdict: &Verdict) -> [WayOut; 2] {
    let version = verdict.version.as_deref();
    ways_out(&verdict.advisory.id, &verdict.component, version)
}

/// A table of the ways, if any verdict is unknown.
pub(super) fn blocks(verdicts: &[Verdict]) -> Vec<Block> {
    let unknown = verdicts.iter();
    let unknown = unknown.filter(|verdict| verdict.status == Status::Unknown);
    let rows: Vec<Vec<Cell>> = unknown.take(MOST_NAMED).flat_map(rows).collect();
    if rows.is_empty() {
        return Vec::new();
    }
    let caption = "What would decide the unknown verdicts";
    let table = Table {
        caption: caption.to_owned(),
        columns: ["Component", "Advisory", "What to do", "Command"]
            .map(str::to_owned)
            .to_vec(),
        rows,
        empty: String::new(),
    };
    vec![heading(caption), Block::Table(table)]
}

fn rows(verdict: &Verdict) -> impl Iterator<Item = Vec<Cell>> + use<'_> {
    of(verdict).into_iter().map(|way| {
        let command = way.command.map_or_else(|| plain("–"), code);
        vec![
            text(vec![plain(verdict.component.clone())]),
            text(vec![plain(verdict.advisory.id.clone())]),
            text(vec![plain(way.words)]),
            text(vec![command]),
        ]
    })
}
