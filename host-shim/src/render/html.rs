//! A page as HTML.
//!
//! Everything goes through `maud`, which escapes; nothing here is ever marked as escaped already.

use jiff::Timestamp;
use maud::{DOCTYPE, Markup, html};

use super::{
    chart,
    decisions::decision_of,
    listing, path,
    text::{outward, visible},
    tone_word,
};
use crate::plugin::bindings::exports::spacecp::advisories::pages::{
    Action, Apply, Badge, Block, Cell, Diff, Item, LineKind, Page, Place, Span, Table, Target,
};

/// The path of the shim's own page about trust.
pub const TRUST: &str = "/trust";

/// The path of the shim's own page about exposure over time.
pub const EXPOSURE: &str = "/exposure";

/// The path of the shim's own page about automatic application.
pub const POLICY: &str = "/policy";

/// Who looks, and what the panel adds to every page.
#[derive(Debug, Clone)]
pub struct Frame<'a> {
    /// The name of whoever is logged in; none on the way to the login.
    pub user: Option<&'a str>,
    /// Whether they may act.
    pub may_act: bool,
    /// The token that every form of theirs carries.
    pub csrf: &'a str,
    /// What happened just before, to be said once.
    pub notices: &'a [Said],
    /// The path of the page, to mark it in the navigation.
    pub path: &'a str,
    /// What is the same on every page of this panel.
    pub site: Site<'a>,
}

/// Where the pages are, and what the panel that they are mounted in wants them to look like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Site<'a> {
    /// The path below which all of them are, without a slash at its end; empty at the root.
    pub base: &'a str,
    /// The words at the top.
    pub brand: &'a str,
    /// The words and the path of a link to the panel around the pages.
    pub back: Option<(&'a str, &'a str)>,
    /// Where the form that logs out leads, below the base; none where the panel has that elsewhere.
    pub logout: Option<&'a str>,
}

impl Default for Site<'_> {
    fn default() -> Self {
        Self::ALONE
    }
}

impl Site<'_> {
    /// Pages at the root of an address of their own.
    pub const ALONE: Self = Self {
        base: "",
        brand: "SpaceCP",
        back: None,
        logout: Some("/logout"),
    };

    /// The path under which a browser finds one of our own.
    pub fn at(&self, own: &str) -> String {
        match (self.base, own) {
            // A router that is nested has its root at the prefix itself.
            (base, "/") if !base.is_empty() => base.to_owned(),
            (base, own) => format!("{base}{own}"),
        }
    }
}

/// Something to be said once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    /// Whether it went well.
    pub well: bool,
    /// The words.
    pub words: String,
}

/// A page of the plugin with something of the shim's own between its title and the rest.
pub(crate) fn page_around(own: &Markup, page: &Page, frame: &Frame<'_>) -> Markup {
    let body = html! {
        h1 { (visible(&page.title)) }
        (own)
        @for run in runs(&page.blocks) {
            (run_of_blocks(run, frame))
        }
    };
    document(&page.title, frame, page.embargo, &body)
}

/// A page of the plugin.
pub fn page(page: &Page, frame: &Frame<'_>) -> Markup {
    page_above(page, &html! {}, frame)
}

/// A page with a form of the shim's own below it.
pub(crate) fn page_above(page: &Page, form: &Markup, frame: &Frame<'_>) -> Markup {
    let body = html! {
        h1 { (visible(&page.title)) }
        @for run in runs(&page.blocks) {
            (run_of_blocks(run, frame))
        }
        (form)
    };
    document(&page.title, frame, page.embargo, &body)
}

/// A page that shows work under way. A browser with scripts follows the events at `events`; one without
/// loads the page again every two seconds.
pub(crate) fn live(title: &str, progress: &Markup, frame: &Frame<'_>) -> Markup {
    let head = html! {
        noscript { meta http-equiv="refresh" content="2"; }
        script src=(frame.site.at("/live.js")) defer {}
    };
    let body = html! {
        h1 { (visible(title)) }
        (progress)
    };
    document_with(title, frame, false, &head, &body)
}

/// A page of the shim's own: a title and paragraphs.
pub fn plain(title: &str, paragraphs: &[String], frame: &Frame<'_>) -> Markup {
    let body = html! {
        h1 { (visible(title)) }
        @for paragraph in paragraphs { p { (visible(paragraph)) } }
        @if frame.user.is_some() { p { a href=(frame.site.at("/")) { "Back to the overview" } } }
    };
    document(title, frame, false, &body)
}

/// The login, with a field for a one-time code where anybody needs one.
pub fn login(problem: Option<&str>, codes: bool, frame: &Frame<'_>) -> Markup {
    let body = html! {
        h1 { "Log in" }
        @if let Some(problem) = problem { p.notice.danger role="alert" { (problem) } }
        form.login method="post" action=(frame.site.at("/login")) {
            label { "Name" input name="name" type="text" autocomplete="username" autocapitalize="none" required autofocus; }
            label { "Password" input name="password" type="password" autocomplete="current-password" required; }
            @if codes {
                label { "Code (if you have set one up)" input name="code" type="text" inputmode="numeric" autocomplete="one-time-code" maxlength="10"; }
            }
            button.primary type="submit" { "Log in" }
        }
    };
    document("Log in", frame, false, &body)
}

fn document(title: &str, frame: &Frame<'_>, embargo: bool, body: &Markup) -> Markup {
    document_with(title, frame, embargo, &html! {}, body)
}

/// A document with more in its head.
fn document_with(
    title: &str,
    frame: &Frame<'_>,
    embargo: bool,
    head: &Markup,
    body: &Markup,
) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (visible(title)) " – SpaceCP advisories" }
                link rel="stylesheet" href=(frame.site.at("/style.css"));
                (head)
            }
            body {
                a.skip href="#content" { "Skip to the content" }
                (header(frame))
                main #content tabindex="-1" {
                    @if embargo {
                        p.notice.embargo { strong { "Under embargo." } " Something on this page is not public: please do not pass it on." }
                    }
                    @for said in frame.notices {
                        p.notice.(if said.well { "good" } else { "danger" }) role="status" { (visible(&said.words)) }
                    }
                    (body)
                }
            }
        }
    }
}

fn header(frame: &Frame<'_>) -> Markup {
    let places = [
        ("Overview", Place::Overview),
        ("Advisories", Place::Advisories),
        ("Components", Place::Components),
        ("History", Place::History),
    ];
    html! {
        header.top {
            span.brand { (visible(frame.site.brand)) " " span { "advisories" } }
            @if let Some((words, to)) = frame.site.back { a.back href=(to) { (visible(words)) } }
            @if let Some(user) = frame.user {
                nav aria-label="Pages" {
                    @for (name, place) in &places {
                        @let target = path(place);
                        a href=(frame.site.at(&target)) aria-current=[(target == frame.path).then_some("page")] { (name) }
                    }
                    a href=(frame.site.at(EXPOSURE)) aria-current=[(frame.path == EXPOSURE).then_some("page")] { "Exposure" }
                    a href=(frame.site.at(TRUST)) aria-current=[(frame.path == TRUST).then_some("page")] { "Trust" }
                    a href=(frame.site.at(POLICY)) aria-current=[(frame.path == POLICY).then_some("page")] { "Policy" }
                }
                div.session {
                    @if frame.may_act {
                        form method="post" action=(frame.site.at("/sync")) { (token(frame)) button type="submit" { "Sync now" } }
                    }
                    @if let Some(logout) = frame.site.logout {
                        form method="post" action=(frame.site.at(logout)) { (token(frame)) button type="submit" { "Log out " (visible(user)) } }
                    } @else {
                        span.user { (visible(user)) }
                    }
                }
            }
        }
    }
}

pub(super) fn token(frame: &Frame<'_>) -> Markup {
    html! { input type="hidden" name="csrf" value=(frame.csrf); }
}

/// Blocks in the runs that are drawn together: neighbouring list items form a list.
fn runs(blocks: &[Block]) -> impl Iterator<Item = &[Block]> {
    blocks.chunk_by(|one, other| matches!((one, other), (Block::Item(_), Block::Item(_))))
}

fn run_of_blocks(run: &[Block], frame: &Frame<'_>) -> Markup {
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
        [block, ..] => one_block(block, frame),
        [] => html! {},
    }
}

fn one_block(block: &Block, frame: &Frame<'_>) -> Markup {
    match block {
        Block::Heading(heading) => heading_of(heading.level, &spans(&heading.spans, frame)),
        Block::Paragraph(text) => html! { p { (spans(text, frame)) } },
        Block::Item(item) => list(&[item], frame),
        Block::Quote(text) => html! { blockquote { (spans(text, frame)) } },
        Block::Code(code) => html! { pre tabindex="0" { code { (visible(&code.text)) } } },
        Block::Badges(all) => html! { p.badges { (badges(all)) } },
        Block::Facts(facts) => html! {
            dl.facts { @for fact in facts { div { dt { (visible(&fact.label)) } dd { (cell(&fact.value, frame)) } } } }
        },
        Block::Table(table) => table_of(table, frame),
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

fn table_of(table: &Table, frame: &Frame<'_>) -> Markup {
    if table.rows.is_empty() {
        return html! { @if !table.empty.is_empty() { p.empty { (visible(&table.empty)) } } };
    }
    html! {
        div.table role="region" aria-label=(visible(&table.caption)) tabindex="0" {
            table {
                @if !table.caption.is_empty() { caption { (visible(&table.caption)) } }
                thead { tr { @for column in &table.columns { th scope="col" { (visible(column)) } } } }
                tbody {
                    @for row in &table.rows {
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
            let changes = super::changes(&apply.correction.id, &apply.component);
            let words = html! { "Apply: " (visible(&apply.component)) " → " (visible(&apply.to)) };
            html! {
                p { a href=(frame.site.at(&changes)) { "See what it changes, line by line" } }
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
                label.word { input type="checkbox" name="overwrite" value="yes" required; " I have read the warnings above and want to go on" }
            }
            (button)
        }
    }
}
