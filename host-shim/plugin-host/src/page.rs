//! Holds a page against its limits and against itself, before anything is drawn.
//!
//! What counts is what a page takes when it is sent: as HTML, as text for a terminal or as JSON, whichever takes
//! most. A test of the crate that draws pages compares.

use crate::bindings::exports::spacecp::advisories::pages::{
    Action, Block, Cell, Chart, Diff, Filter, Listing, Page, Pager, Place, Span, Table, Target,
};

/// Blocks that one page may have.
const MOST_BLOCKS: usize = 20_000;

/// Columns that a table may have.
const MOST_COLUMNS: usize = 32;

/// The levels that a list may have.
pub const DEEPEST_ITEM: u8 = 8;

/// Bytes of markup around the parts of a page. Where a part leads to another page, the path below which the pages
/// are mounted is in it.
mod markup {
    pub(super) const FRAME: usize = 10 << 10;
    pub(super) const BLOCK: usize = 128;
    pub(super) const HEADING: usize = 512;
    pub(super) const SPAN: usize = 128;
    pub(super) const LINK: usize = 512;
    pub(super) const BADGE: usize = 64;
    pub(super) const CELL: usize = 64;
    pub(super) const ROW: usize = 256;
    pub(super) const FACT: usize = 192;
    pub(super) const EVENT: usize = 160;
    pub(super) const DIFF_LINE: usize = 48;
    pub(super) const CHART: usize = 10 << 10;
    pub(super) const POINT: usize = 64;
    pub(super) const FORM: usize = 4 << 10;
    pub(super) const OPTION: usize = 64;
}

/// Whether a page takes at most `most` bytes when it is sent, and every part of it fits the others.
pub fn check(page: &Page, most: usize) -> Result<(), String> {
    if page.blocks.len() > MOST_BLOCKS {
        return Err(format!(
            "it has {} blocks, and {MOST_BLOCKS} are allowed",
            page.blocks.len()
        ));
    }
    page.blocks.iter().try_for_each(check_shape)?;
    if size(page) > most {
        return Err(format!("it takes more than {most} bytes to send"));
    }
    Ok(())
}

/// The bytes that a page takes at most when it is sent.
pub fn size(page: &Page) -> usize {
    let blocks = sum(page.blocks.iter().map(size_of_block));
    blocks.saturating_add(markup::FRAME + 4 * text(&page.title))
}

/// Whether the parts of a block fit each other.
fn check_shape(block: &Block) -> Result<(), String> {
    match block {
        Block::Heading(heading) if !(2..=6).contains(&heading.level) => {
            Err(format!("it has a heading of level {}", heading.level))
        }
        Block::Item(item) if item.depth > DEEPEST_ITEM => {
            Err(format!("it has a list item {} deep", item.depth))
        }
        Block::Table(table) => check_table(table),
        Block::Filter(Filter { place, .. }) | Block::Pages(Pager { place, .. })
            if !matches!(place, Place::Advisories | Place::Components) =>
        {
            Err("invalid list filter".to_owned())
        }
        Block::Pages(pager) if pager.pages == 0 || pager.listing.page == 0 => {
            Err("list without pages".to_owned())
        }
        _ => Ok(()),
    }
}

fn check_table(table: &Table) -> Result<(), String> {
    let columns = table.columns.len();
    if columns == 0 || columns > MOST_COLUMNS {
        return Err(format!("it has a table of {columns} columns"));
    }
    match table.rows.iter().find(|row| row.len() != columns) {
        Some(row) => Err(format!(
            "it has a table of {columns} columns with a row of {}",
            row.len()
        )),
        None => Ok(()),
    }
}

fn size_of_block(block: &Block) -> usize {
    let own = match block {
        Block::Heading(heading) => markup::HEADING + spans(&heading.spans),
        Block::Paragraph(text) | Block::Quote(text) => spans(text),
        // A terminal indents each of its lines, of which the narrowest has a few columns left.
        Block::Item(item) => 6 * spans(&item.spans),
        // A terminal colours each of its lines.
        Block::Notice(notice) => 2 * spans(&notice.spans),
        Block::Code(code) => text(&code.text) + code.language.as_deref().map_or(0, text),
        Block::Badges(all) => badges(all.iter().map(|badge| badge.text.as_str())),
        Block::Facts(facts) => sum(facts
            .iter()
            .map(|fact| markup::FACT + text(&fact.label) + cell(&fact.value))),
        Block::Table(table) => size_of_table(table),
        Block::Timeline(events) => sum(events
            .iter()
            .map(|event| markup::EVENT + cell(&event.value))),
        Block::Diff(diff) => size_of_diff(diff),
        Block::Chart(chart) => size_of_chart(chart),
        Block::Filter(filter) => markup::FORM + listing(&filter.listing),
        Block::Pages(pager) => markup::FORM + 2 * listing(&pager.listing),
        Block::Action(action) => size_of_action(action),
        Block::Rule => 0,
    };
    own.saturating_add(markup::BLOCK)
}

/// The heads of the columns are repeated in each row, for screens that are too narrow for a table, and once more
/// where the rest of a long table is folded.
fn size_of_table(table: &Table) -> usize {
    let heads = sum(table.columns.iter().map(|head| markup::CELL + text(head)));
    let row = |row: &Vec<Cell>| markup::ROW + heads + sum(row.iter().map(cell));
    3 * text(&table.caption) + text(&table.empty) + 2 * heads + sum(table.rows.iter().map(row))
}

fn size_of_diff(diff: &Diff) -> usize {
    let lines = diff.lines.iter();
    text(&diff.path) + sum(lines.map(|line| markup::DIFF_LINE + text(&line.text)))
}

fn size_of_chart(chart: &Chart) -> usize {
    let series = chart
        .series
        .iter()
        .map(|series| markup::CELL + text(&series.label) + markup::POINT * series.points.len());
    markup::CHART + 2 * text(&chart.caption) + sum(series)
}

/// Each text of an action is in its form some few times, and in an address or a command.
fn size_of_action(action: &Action) -> usize {
    let many_times = |texts: &[&str]| sum(texts.iter().map(|one| 4 * address(one)));
    let options = |all: &[String]| sum(all.iter().map(|one| markup::OPTION + 2 * text(one)));
    let own = match action {
        Action::Apply(apply) | Action::Schedule(apply) => many_times(&[
            &apply.correction.id,
            &apply.component,
            &apply.plan,
            &apply.to,
        ]),
        Action::RollBack(back) => many_times(&[&back.application, &back.component, &back.to]),
        Action::MarkWorkaround(mark) => {
            many_times(&[&mark.advisory.id, &mark.workaround]) + options(&mark.components)
        }
        Action::AcceptRisk(accept) => {
            many_times(&[&accept.advisory.id]) + options(&accept.components)
        }
        Action::LiftWorkaround(back) | Action::WithdrawAcceptance(back) => many_times(&[
            &back.advisory,
            back.workaround.as_deref().unwrap_or_default(),
            back.component.as_deref().unwrap_or_default(),
        ]),
    };
    markup::FORM + own
}

fn cell(cell: &Cell) -> usize {
    let badges = badges(cell.badges.iter().map(|badge| badge.text.as_str()));
    markup::CELL + badges + spans(&cell.spans)
}

fn badges<'a>(texts: impl Iterator<Item = &'a str>) -> usize {
    sum(texts.map(|one| markup::BADGE + text(one)))
}

fn spans(spans: &[Span]) -> usize {
    sum(spans
        .iter()
        .map(|span| markup::SPAN + text(&span.text) + span.link.as_ref().map_or(0, link)))
}

fn link(target: &Target) -> usize {
    let own = match target {
        Target::External(to) => address(to),
        Target::Place(Place::Advisory(id)) => address(id),
        Target::Place(_) => 0,
        Target::Listing(part) => listing(part),
    };
    markup::LINK + own
}

fn listing(listing: &Listing) -> usize {
    markup::LINK + address(&listing.words)
}

/// A text that is written into an address, where a byte may take three, or is escaped elsewhere.
fn address(address: &str) -> usize {
    text(address).max(3 * address.len())
}

/// A text as whatever draws it longest writes it.
fn text(text: &str) -> usize {
    sum(text.chars().map(|character| match character {
        // A line break in a terminal has an indent or colours around it.
        '\n' => 20,
        '&' => 5,
        '<' | '>' | '\'' => 4,
        '"' => 6,
        '\\' | '\t' => 2,
        // Written as JSON escapes it, in two halves where it is a rare one.
        other if !crate::printable::is_printable(other) => 6 * other.len_utf16(),
        other => other.len_utf8(),
    }))
}

fn sum(sizes: impl Iterator<Item = usize>) -> usize {
    sizes.fold(0, usize::saturating_add)
}
