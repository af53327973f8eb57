//! The pieces of a page as HTML.
//!
//! Their texts are a stranger's: every one goes through `maud`, which escapes, and every button and form
//! is drawn here and not by whoever composed the page.

use jiff::Timestamp;
use maud::{Markup, html};

use super::{
    chart,
    decisions::decision_of,
    frame::{Frame, token},
    listing,
    paths::{changes, path},
    text::{outward, tone_word, visible},
};
use spacecp_plugin_host::bindings::exports::spacecp::advisories::pages::{
    Action, Apply, Badge, Block, Cell, Diff, Fact, Item, LineKind, Place, Span, Table, Target,
};

/// The pieces, in their order.
pub(super) fn blocks(all: &[Block], frame: &Frame<'_>) -> Markup {
    // Neighbouring list items form a list.
    let runs = all.chunk_by(|one, other| matches!((one, other), (Block::Item(_), Block::Item(_))));
    // A list that can be narrowed has pages of its own; any other long table is folded.
    let is_list = all.iter().any(|block| matches!(block, Block::Filter(_)));
    let unfolded = if is_list { usize::MAX } else { UNFOLDED };
    html! {
        @for run in runs {
            (run_of_blocks(run, unfolded, frame))
        }
    }
}

fn run_of_blocks(run: &[Block], unfolded: usize, frame: &Frame<'_>) -> Markup {
    match run {
        [Block::Item(_), ..] => {
            let items: Vec<&Item> = run
                .iter()
                .filter_map(|block| {
                    if let Block::Item(item) = block {
                        Some(item)
                    } else {
                        None
                    }
                })
                .collect();
            list(&items, frame)
        }
        [block, ..] => one_block(block, unfolded, frame),
        [] => html! {},
    }
}

fn one_block(block: &Block, unfolded: usize, frame: &Frame<'_>) -> Markup {
    match block {
        Block::Heading(heading) => heading_of(heading.level, &spans(&heading.spans, frame)),
        Block::Paragraph(text) => paragraph(text, frame),
        Block::Item(item) => list(&[item], frame),
        Block::Quote(text) => html! { blockquote { (spans(text, frame)) } },
        Block::Code(code) => html! { pre tabindex="0" { code { (visible(&code.text)) } } },
        Block::Badges(all) => html! { p.badges { (badges(all)) } },
        Block::Facts(facts) => html! {
            dl.facts.figures[are_figures(facts)] { @for fact in facts { div { dt { (visible(&fact.label)) } dd { (cell(&fact.value, frame)) } } } }
        },
        Block::Table(table) => table_of(table, unfolded, frame),
        Block::Timeline(events) => html! {
            ol.timeline {
                @for event in events {
                    li { (time(event.at)) " " (cell(&event.value, frame)) }
                }
            }
        },
        Block::Notice(notice) => {
            html! { p.notice.(tone_word(notice.tone)) { (spans(&notice.spans, frame)) } }
        }
        Block::Action(action) => action_of(action, frame),
        Block::Diff(diff) => difference(diff),
        Block::Chart(chart) => chart::picture(chart),
        Block::Filter(filter) => listing::form(filter, frame.site),
        Block::Pages(pager) => listing::pager(pager, frame.site),
        Block::Rule => html! { hr; },
    }
}

fn paragraph(text: &[Span], frame: &Frame<'_>) -> Markup {
    let Some((words, place)) = main_action(text) else {
        return html! { p { (spans(text, frame)) } };
    };
    html! { p { a.button.primary href=(frame.site.at(&path(place))) { (visible(words)) } } }
}

/// The words and the page of a paragraph that is nothing but a strong link to a page: the one thing to do, drawn as
/// a button. The text of an advisory cannot lead to a page, so it cannot draw one.
fn main_action(text: &[Span]) -> Option<(&str, &Place)> {
    match text {
        [
            Span {
                text,
                style,
                link: Some(Target::Place(place)),
            },
        ] if style.strong => Some((text, place)),
        _ => None,
    }
}

/// Whether every value is a number in a badge: these are drawn large.
fn are_figures(facts: &[Fact]) -> bool {
    let is_number = |badge: &Badge| {
        !badge.text.is_empty() && badge.text.bytes().all(|byte| byte.is_ascii_digit())
    };
    facts
        .iter()
        .all(|fact| matches!(&fact.value.badges[..], [badge] if is_number(badge)))
}

/// Rows of a table that are shown before the rest is folded.
const UNFOLDED: usize = 10;

/// A difference, each line with its mark: what comes and what goes is not said by colour alone.
fn difference(diff: &Diff) -> Markup {
    html! {
        figure.diff {
            figcaption { code { (visible(&diff.path)) } }
            pre tabindex="0" {
                @for line in &diff.lines {
                    @match line.kind {
                        LineKind::Position => span.position { (visible(&line.text)) },
                        LineKind::Same => span { " " (visible(&line.text)) },
                        LineKind::Added => ins { "+" (visible(&line.text)) },
                        LineKind::Removed => del { "-" (visible(&line.text)) },
                    }
                    "\n"
                }
            }
        }
    }
}

fn heading_of(level: u8, text: &Markup) -> Markup {
    match level {
        0..=2 => html! { h2 { (text) } },
        3 => html! { h3 { (text) } },
        4 => html! { h4 { (text) } },
        5 => html! { h5 { (text) } },
        _ => html! { h6 { (text) } },
    }
}

/// Nested lists from a flat run: an item takes the deeper ones that follow it.
fn list(items: &[&Item], frame: &Frame<'_>) -> Markup {
    let Some(first) = items.first() else {
        return html! {};
    };
    let depth = items.iter().map(|item| item.depth).min().unwrap_or(0);
    let body = html! {
        @for group in groups(items, depth) {
            li { (spans(&group[0].spans, frame)) @if group.len() > 1 { (list(&group[1..], frame)) } }
        }
    };
    if let Some(number) = first.number {
        html! { ol start=(number) { (body) } }
    } else {
        html! { ul { (body) } }
    }
}

/// Each item of this depth with what is deeper behind it; deeper ones before the first stand alone.
fn groups<'a>(items: &'a [&'a Item], depth: u8) -> Vec<&'a [&'a Item]> {
    let mut groups = Vec::new();
    let mut start = 0;
    for end in 1..=items.len() {
        if end == items.len() || items[end].depth <= depth {
            groups.push(&items[start..end]);
            start = end;
        }
    }
    groups
}

/// A table; what is beyond `unfolded` rows is in a second one that opens without a script. A remainder of one or
/// two rows takes no more room than the line that would stand for it.
fn table_of(table: &Table, unfolded: usize, frame: &Frame<'_>) -> Markup {
    if table.rows.is_empty() {
        return html! { @if !table.empty.is_empty() { p.empty { (visible(&table.empty)) } } };
    }
    let folds = table.rows.len() > unfolded.saturating_add(2);
    let shown = if folds { unfolded } else { table.rows.len() };
    let (first, more) = table.rows.split_at(shown);
    html! {
        (rows_of(&table.caption, table, first, frame))
        @if folds {
            details.fold {
                summary { (more.len()) " more" }
                (rows_of(&format!("{}: {} more", table.caption, more.len()), table, more, frame))
            }
        }
    }
}

fn rows_of(label: &str, table: &Table, rows: &[Vec<Cell>], frame: &Frame<'_>) -> Markup {
    html! {
        div.table role="region" aria-label=(visible(label)) tabindex="0" {
            table {
                @if label == table.caption && !label.is_empty() { caption { (visible(label)) } }
                thead { tr { @for column in &table.columns { th scope="col" { (visible(column)) } } } }
                tbody {
                    @for row in rows {
                        tr {
                            @for (column, value) in table.columns.iter().zip(row) {
                                td data-label=(visible(column)) { div { (cell(value, frame)) } }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn cell(cell: &Cell, frame: &Frame<'_>) -> Markup {
    html! { (badges(&cell.badges)) (spans(&cell.spans, frame)) }
}

fn badges(badges: &[Badge]) -> Markup {
    html! { @for badge in badges { span.badge.(tone_word(badge.tone)) { (visible(&badge.text)) } " " } }
}

fn spans(spans: &[Span], frame: &Frame<'_>) -> Markup {
    html! { @for span in spans { (linked(span, frame)) } }
}

fn linked(span: &Span, frame: &Frame<'_>) -> Markup {
    let text = styled(span);
    match &span.link {
        Some(Target::Place(place)) => html! { a href=(frame.site.at(&path(place))) { (text) } },
        Some(Target::Listing(part)) => {
            let address = listing::address(&Place::Advisories, part);
            html! { a href=(frame.site.at(&address)) { (text) } }
        }
        Some(Target::External(address)) => match outward(address) {
            Some(address) => {
                html! { a href=(address) rel="noopener noreferrer nofollow" { (text) } }
            }
            None => text,
        },
        None => text,
    }
}

fn styled(span: &Span) -> Markup {
    let mut text = lines(&span.text);
    if span.style.code {
        text = html! { code { (text) } };
    }
    if span.style.strikethrough {
        text = html! { s { (text) } };
    }
    if span.style.emphasis {
        text = html! { em { (text) } };
    }
    if span.style.strong {
        text = html! { strong { (text) } };
    }
    text
}

fn lines(text: &str) -> Markup {
    let text = visible(text);
    html! {
        @for (number, line) in text.split('\n').enumerate() {
            @if number > 0 { br; }
            (line)
        }
    }
}

fn time(second: i64) -> Markup {
    let Ok(time) = Timestamp::from_second(second) else {
        return html! { "at an unknown time" };
    };
    html! { time datetime=(time.to_string()) { (time.strftime("%Y-%m-%d %H:%M UTC").to_string()) } }
}

fn action_of(action: &Action, frame: &Frame<'_>) -> Markup {
    // Whoever may not act sees no button; the routes refuse them all the same.
    if !frame.may_act {
        return html! {};
    }
    match action {
        Action::Apply(apply) => {
            let changes = changes(&apply.correction.id, &apply.component);
            let words = html! { "Apply: " (visible(&apply.component)) " → " (visible(&apply.to)) };
            html! {
                p { a href=(frame.site.at(&changes)) { "Show changes" } }
                (apply_form(apply, "/apply", &html! { button.primary type="submit" { (words) } }, frame))
            }
        }
        Action::Schedule(apply) => {
            let button = html! { button type="submit" { "At the next window: " (visible(&apply.component)) " → " (visible(&apply.to)) } };
            apply_form(apply, "/schedule", &button, frame)
        }
        Action::RollBack(back) => html! {
            form.action method="post" action=(frame.site.at("/roll-back")) {
                (token(frame))
                input type="hidden" name="application" value=(back.application);
                button type="submit" { "Roll back: " (visible(&back.component)) " → " (visible(&back.to)) }
            }
        },
        decision => decision_of(decision, frame),
    }
}

/// A form that leads to the plan that is shown, at once or later.
fn apply_form(apply: &Apply, action: &str, button: &Markup, frame: &Frame<'_>) -> Markup {
    html! {
        form.action method="post" action=(frame.site.at(action)) {
            (token(frame))
            input type="hidden" name="correction" value=(apply.correction.id);
            input type="hidden" name="component" value=(apply.component);
            input type="hidden" name="plan" value=(apply.plan);
            @if apply.overwrites {
                label.word { input type="checkbox" name="overwrite" value="yes" required; " Continue despite the warnings above" }
            }
            (button)
        }
    }
}
