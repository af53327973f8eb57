//! What would decide the unknown verdicts of an advisory.

use spacecp_contract::ways_out;

use super::{code, heading, link, paragraph, plain, strong};
use crate::{
    bindings::exports::spacecp::advisories::{
        exposure::{Status, Verdict},
        pages::{Block, Item, Place, Span},
    },
    knowledge::Knowledge,
};

/// Components that are named one by one.
const MOST_NAMED: usize = 20;

/// The ways for each component of which it is not known whether the advisory affects it.
pub(super) fn blocks(knowledge: &Knowledge, advisory: &str) -> Vec<Block> {
    let verdicts = knowledge.verdicts_of(advisory);
    let unknown: Vec<&Verdict> = verdicts
        .filter(|verdict| verdict.status == Status::Unknown)
        .collect();
    if unknown.is_empty() {
        return Vec::new();
    }
    let mut blocks = vec![heading("What would decide the unknown verdicts")];
    for verdict in unknown.iter().take(MOST_NAMED) {
        blocks.push(item(0, vec![strong(verdict.component.clone())]));
        let ways = ways_out(advisory, &verdict.component, verdict.version.as_deref());
        for way in ways {
            let mut spans = vec![plain(way.words)];
            if let Some(command) = way.command {
                spans.extend([plain(" "), code(command)]);
            }
            blocks.push(item(1, spans));
        }
        if verdict.version.is_none() {
            let form = link("Set it on the components page.", Place::Components);
            blocks.push(item(1, vec![form]));
        }
    }
    if unknown.len() > MOST_NAMED {
        let rest = unknown.len() - MOST_NAMED;
        blocks.push(paragraph(format!("And {rest} more.")));
    }
    blocks
}

fn item(depth: u8, spans: Vec<Span>) -> Block {
    Block::Item(Item {
        depth,
        number: None,
        spans,
    })
}
