//! Holds a page against its limits and against itself.

use super::bindings::exports::spacecp::advisories::pages::{
    Action, Block, Cell, Filter, Page, Pager, Place, Span, Target,
};

/// Blocks that one page may have.
const MOST_BLOCKS: usize = 20_000;

/// Columns that a table may have.
const MOST_COLUMNS: usize = 32;

/// Whether a page is at most `most` bytes of text, and every part of it fits the others.
pub(super) fn check(page: &Page, most: usize) -> Result<(), String> {
    if page.blocks.len() > MOST_BLOCKS {
        return Err(format!(
            "it has {} blocks, and {MOST_BLOCKS} are allowed",
            page.blocks.len()
        ));
    }
    let mut text = page.title.len();
    for block in &page.blocks {
        text = text.saturating_add(size(block)?);
        if text > most {
            return Err(format!("it has more than {most} bytes of text"));
        }
    }
    Ok(())
}

fn size(block: &Block) -> Result<usize, String> {
    Ok(match block {
        Block::Heading(heading) if !(2..=6).contains(&heading.level) => {
            return Err(format!("it has a heading of level {}", heading.level));
        }
        Block::Heading(heading) => spans(&heading.spans),
        Block::Paragraph(text) | Block::Quote(text) => spans(text),
        Block::Item(item) if item.depth > 8 => {
            return Err(format!("it has a list item {} deep", item.depth));
        }
        Block::Item(item) => spans(&item.spans),
        Block::Code(code) => code.text.len() + code.language.as_ref().map_or(0, String::len),
        Block::Badges(badges) => badges.iter().map(|badge| badge.text.len()).sum(),
        Block::Facts(facts) => facts
            .iter()
            .map(|fact| fact.label.len() + cell(&fact.value))
            .sum(),
        Block::Table(table) => {
            if table.columns.is_empty() || table.columns.len() > MOST_COLUMNS {
                return Err(format!("it has a table of {} columns", table.columns.len()));
            }
            if let Some(row) = table
                .rows
                .iter()
                .find(|row| row.len() != table.columns.len())
            {
                return Err(format!(
                    "it has a table of {} columns with a row of {}",
                    table.columns.len(),
                    row.len()
                ));
            }
            let heads: usize = table.columns.iter().map(String::len).sum();
            table.caption.len()
                + table.empty.len()
                + heads
                + table.rows.iter().flatten().map(cell).sum::<usize>()
        }
        Block::Timeline(events) => events.iter().map(|event| cell(&event.value)).sum(),
        Block::Notice(notice) => spans(&notice.spans),
        Block::Diff(diff) => {
            // A line costs something even where it is empty.
            let lines = diff.lines.iter().map(|line| line.text.len() + 16);
            diff.path.len() + lines.sum::<usize>()
        }
        Block::Chart(chart) => {
            let series = chart
                .series
                .iter()
                .map(|series| series.label.len() + 16 * series.points.len());
            chart.caption.len() + series.sum::<usize>()
        }
        Block::Filter(Filter { place, .. }) | Block::Pages(Pager { place, .. })
            if !matches!(place, Place::Advisories | Place::Components) =>
        {
            return Err("it has a list that is none".to_owned());
        }
        Block::Filter(filter) => filter.listing.words.len() + 64,
        Block::Pages(pager) if pager.pages == 0 || pager.listing.page == 0 => {
            return Err("it has a list without pages".to_owned());
        }
        Block::Pages(pager) => pager.listing.words.len() + 64,
        Block::Action(Action::MarkWorkaround(mark)) => {
            64 + mark.components.iter().map(String::len).sum::<usize>()
        }
        Block::Action(Action::AcceptRisk(accept)) => {
            64 + accept.components.iter().map(String::len).sum::<usize>()
        }
        Block::Action(_) | Block::Rule => 64,
    })
}

fn cell(cell: &Cell) -> usize {
    cell.badges
        .iter()
        .map(|badge| badge.text.len())
        .sum::<usize>()
        + spans(&cell.spans)
}

fn spans(spans: &[Span]) -> usize {
    let link = |span: &Span| match &span.link {
        Some(Target::External(address)) => address.len(),
        Some(Target::Listing(listing)) => listing.words.len(),
        _ => 0,
    };
    spans.iter().map(|span| span.text.len() + link(span)).sum()
}
