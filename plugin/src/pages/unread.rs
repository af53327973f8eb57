//! The paths that could not be read, and those of them that are acknowledged.
//!
//! May not: decide whether an acknowledgement holds, which the panel does.

use super::{cell, code, counted, notice, paragraph, plain, time};
use crate::{
    bindings::exports::spacecp::advisories::pages::{Block, Table, Tone},
    knowledge::Knowledge,
};

/// Paths that are listed one by one.
const MOST_UNREAD: usize = 50;

/// Both, as far as there are any.
pub(super) fn blocks(knowledge: &Knowledge) -> Vec<Block> {
    let mut blocks = Vec::new();
    unread(knowledge, &mut blocks);
    acknowledged(knowledge, &mut blocks);
    blocks
}

fn unread(knowledge: &Knowledge, blocks: &mut Vec<Block>) {
    let unread = knowledge.unread();
    if unread.is_empty() {
        return;
    }
    let paths = counted(unread.len(), "path", "paths");
    blocks.push(notice(
        Tone::Warning,
        format!("{paths} could not be read completely. The status of components there is unknown."),
    ));
    let rows = unread.iter().take(MOST_UNREAD).map(|unread| {
        vec![
            cell(vec![code(unread.place.clone())]),
            cell(vec![plain(unread.reason.clone())]),
        ]
    });
    blocks.push(Block::Table(Table {
        caption: "Unreadable paths".to_owned(),
        columns: ["Path", "Why"].map(str::to_owned).to_vec(),
        rows: rows.collect(),
        empty: String::new(),
    }));
    more(unread.len(), blocks);
}

fn acknowledged(knowledge: &Knowledge, blocks: &mut Vec<Block>) {
    let acknowledged = knowledge.acknowledged();
    if acknowledged.is_empty() {
        return;
    }
    let rows = acknowledged.iter().take(MOST_UNREAD).map(|one| {
        vec![
            cell(vec![code(one.place.clone())]),
            cell(vec![plain(one.reason.clone())]),
            cell(vec![plain(format!("{}: {}", one.by, one.because))]),
            cell(vec![plain(time(one.until))]),
        ]
    });
    blocks.push(Block::Table(Table {
        caption: "Unreadable paths that are acknowledged".to_owned(),
        columns: ["Path", "Why", "Acknowledged by", "Until"]
            .map(str::to_owned)
            .to_vec(),
        rows: rows.collect(),
        empty: String::new(),
    }));
    more(acknowledged.len(), blocks);
}

fn more(all: usize, blocks: &mut Vec<Block>) {
    if all > MOST_UNREAD {
        blocks.push(paragraph(format!("And {} more.", all - MOST_UNREAD)));
    }
}
