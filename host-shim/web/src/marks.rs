//! What a reader has not seen yet, and what they do not want to see, on the rows of a page.
//!
//! The plugin composes a page for everybody; this says beside each advisory in its tables what it is
//! to whoever looks.

use std::collections::{BTreeMap, BTreeSet};

use spacecp_contract::DocumentId;
use spacecp_notify::Mark;
use spacecp_plugin_host::bindings::exports::spacecp::advisories::pages::{
    Badge, Block, Cell, Page, Place, Target, Tone,
};

/// The advisories that the tables of a page lead to.
pub(crate) fn mentioned(page: &Page) -> BTreeSet<DocumentId> {
    let tables = page.blocks.iter().filter_map(|block| match block {
        Block::Table(table) => Some(&table.rows),
        _ => None,
    });
    tables.flatten().flatten().filter_map(leads_to).collect()
}

/// Marks each row by the advisory that it leads to first.
pub(crate) fn mark(page: &mut Page, marks: &BTreeMap<DocumentId, Mark>) {
    for block in &mut page.blocks {
        let Block::Table(table) = block else { continue };
        for row in &mut table.rows {
            let first = row
                .iter_mut()
                .find_map(|cell| leads_to(cell).map(|id| (cell, id)));
            let Some((cell, id)) = first else { continue };
            if let Some(mark) = marks.get(&id) {
                cell.badges.insert(0, badge(*mark));
            }
        }
    }
}

fn leads_to(cell: &Cell) -> Option<DocumentId> {
    cell.spans.iter().find_map(|span| match &span.link {
        Some(Target::Place(Place::Advisory(id))) => DocumentId::new(id.clone()).ok(),
        _ => None,
    })
}

fn badge(mark: Mark) -> Badge {
    let (text, tone) = match mark {
        Mark::New => ("new to you", Tone::Information),
        Mark::Updated => ("updated since you read it", Tone::Information),
        Mark::Dismissed => ("dismissed by you", Tone::Neutral),
    };
    Badge {
        text: text.to_owned(),
        tone,
    }
}
