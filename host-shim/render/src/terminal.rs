//! A page for a terminal: as wide as it is, in colour only where that is wanted.

use std::fmt::Write;

use jiff::Timestamp;
use unicode_width::UnicodeWidthStr;

use super::{chart, text::visible};
use spacecp_plugin_host::bindings::exports::spacecp::advisories::pages::{
    Action, Badge, Block, Cell, DiffLine, LineKind, Page, Span, Table, Target, Tone,
};

/// What the terminal can show.
#[derive(Debug, Clone, Copy)]
pub struct Terminal {
    /// Columns.
    pub width: usize,
    /// Whether it shows colours.
    pub colour: bool,
}

/// What stands above something that is under embargo.
pub fn mark(terminal: Terminal) -> String {
    let mut out = String::new();
    terminal.line(
        &mut out,
        Tone::Embargo,
        "UNDER EMBARGO: contains confidential advisories. Do not share.",
    );
    out.push('\n');
    out
}

/// The page as text, with a line break at its end.
pub fn page(page: &Page, terminal: Terminal) -> String {
    let mut out = String::new();
    if page.embargo {
        out.push_str(&mark(terminal));
    }
    terminal.line(&mut out, Tone::Neutral, &visible(&page.title));
    let _ = writeln!(
        out,
        "{}",
        "=".repeat(visible(&page.title).width().min(terminal.width))
    );
    for block in &page.blocks {
        out.push_str(&one_block(block, terminal));
    }
    out
}

impl Terminal {
    fn line(self, out: &mut String, tone: Tone, text: &str) {
        for line in wrap(text, self.width) {
            let _ = writeln!(out, "{}", self.paint(tone, &line));
        }
    }

    /// Lines that stand behind the first one's mark.
    fn hanging(self, out: &mut String, mark: &str, text: &str) {
        let indent = mark.width();
        for (number, line) in wrap(text, self.width.saturating_sub(indent))
            .iter()
            .enumerate()
        {
            let lead = if number == 0 { mark } else { "" };
            let _ = writeln!(out, "{lead:indent$}{line}");
        }
    }

    fn paint(self, tone: Tone, text: &str) -> String {
        let code = match tone {
            _ if !self.colour => return text.to_owned(),
            Tone::Neutral => return text.to_owned(),
            Tone::Good => "32",
            Tone::Information => "36",
            Tone::Warning => "33",
            Tone::Danger => "31;1",
            Tone::Embargo => "35;1",
        };
        format!("\u{1b}[{code}m{text}\u{1b}[0m")
    }
}

fn one_block(block: &Block, terminal: Terminal) -> String {
    let mut out = String::new();
    match block {
        Block::Heading(heading) => {
            out.push('\n');
            terminal.line(&mut out, Tone::Neutral, &text(&heading.spans));
            let _ = writeln!(
                out,
                "{}",
                "-".repeat(text(&heading.spans).width().min(terminal.width))
            );
        }
        Block::Paragraph(spans) => terminal.line(&mut out, Tone::Neutral, &text(spans)),
        Block::Item(item) => {
            let mark = item
                .number
                .map_or_else(|| "-".to_owned(), |number| format!("{number}."));
            let indent = "  ".repeat(usize::from(item.depth));
            terminal.hanging(&mut out, &format!("{indent}{mark} "), &text(&item.spans));
        }
        Block::Quote(spans) => {
            for line in wrap(&text(spans), terminal.width.saturating_sub(2)) {
                let _ = writeln!(out, "| {line}");
            }
        }
        Block::Code(code) => {
            for line in visible(&code.text).lines() {
                let _ = writeln!(out, "    {line}");
            }
        }
        Block::Badges(badges) => {
            let _ = writeln!(out, "{}", badges_text(badges, terminal));
        }
        Block::Facts(facts) => {
            let widest = facts
                .iter()
                .map(|fact| visible(&fact.label).width())
                .max()
                .unwrap_or(0)
                // One long label must not fill every other line with spaces.
                .min(terminal.width / 2);
            for fact in facts {
                let label = visible(&fact.label);
                let pad = " ".repeat(widest.saturating_sub(label.width()));
                let _ = writeln!(out, "{label}{pad}  {}", cell(&fact.value, terminal));
            }
        }
        Block::Table(table) => out.push_str(&table_text(table, terminal)),
        Block::Timeline(events) => {
            for event in events {
                let at = Timestamp::from_second(event.at)
                    .map(|time| time.strftime("%Y-%m-%d").to_string())
                    .unwrap_or_default();
                let _ = writeln!(out, "{at}  {}", cell(&event.value, terminal));
            }
        }
        Block::Notice(notice) => terminal.line(&mut out, notice.tone, &text(&notice.spans)),
        Block::Action(action) => {
            // Never broken: half of a command is another command.
            let line = terminal.paint(Tone::Information, &action_text(action));
            let _ = writeln!(out, "{line}");
        }
        Block::Diff(diff) => {
            terminal.line(&mut out, Tone::Neutral, &visible(&diff.path));
            for line in &diff.lines {
                let _ = writeln!(out, "{}", diff_line(line, terminal));
            }
        }
        Block::Chart(chart) => out.push_str(&chart::bars(chart, terminal.width)),
        // A terminal is narrowed by the options of the command.
        Block::Filter(_) => {}
        Block::Pages(pager) => {
            let (page, pages) = (pager.listing.page, pager.pages);
            let next = if page < pages {
                format!("; --page {} shows the next", page + 1)
            } else {
                String::new()
            };
            let _ = writeln!(out, "Page {page} of {pages}{next}.");
        }
        Block::Rule => {
            let _ = writeln!(out, "{}", "-".repeat(terminal.width.min(72)));
        }
    }
    out
}

fn diff_line(line: &DiffLine, terminal: Terminal) -> String {
    let (mark, tone) = match line.kind {
        LineKind::Position => ("", Tone::Information),
        LineKind::Same => (" ", Tone::Neutral),
        LineKind::Added => ("+", Tone::Good),
        LineKind::Removed => ("-", Tone::Danger),
    };
    let text = visible(&line.text).replace('\n', "\u{fffd}");
    terminal.paint(tone, &format!("{mark}{text}"))
}

fn action_text(action: &Action) -> String {
    match action {
        Action::Apply(apply) => format!(
            "> apply: spacecp-advisories apply {} --component={} --plan={}",
            name(&apply.correction.id),
            word(&apply.component),
            word(&apply.plan)
        ),
        Action::Schedule(apply) => format!(
            "> schedule for the next window: spacecp-advisories apply {} --component={} --plan={} --at-window",
            name(&apply.correction.id),
            word(&apply.component),
            word(&apply.plan)
        ),
        Action::RollBack(back) => format!(
            "> roll back: spacecp-advisories rollback {}",
            name(&back.application)
        ),
        Action::MarkWorkaround(mark) => format!(
            "> mark as in place: spacecp-advisories workaround mark {} {}{}",
            name(&mark.advisory.id),
            name(&mark.workaround),
            one_component(&mark.components)
        ),
        Action::LiftWorkaround(back) => format!(
            "> remove the mark: spacecp-advisories workaround unmark {} {}{}",
            name(&back.advisory),
            name(back.workaround.as_deref().unwrap_or_default()),
            component(back.component.as_deref())
        ),
        Action::AcceptRisk(accept) => format!(
            "> accept the risk: spacecp-advisories accept {}{} --reason=WHY --until=DAY",
            name(&accept.advisory.id),
            one_component(&accept.components)
        ),
        Action::WithdrawAcceptance(back) => format!(
            "> withdraw the acceptance: spacecp-advisories accept {}{} --withdraw",
            name(&back.advisory),
            component(back.component.as_deref())
        ),
    }
}

/// The component of a command; none for every component.
fn component(component: Option<&str>) -> String {
    component.map_or(String::new(), |component| {
        format!(" --component={}", word(component))
    })
}

/// The component where there is only one to choose.
fn one_component(components: &[String]) -> String {
    match components {
        [one] => component(Some(one)),
        _ => String::new(),
    }
}

/// A stranger's text as one word of a shell that runs nothing: readers copy these lines.
fn word(text: &str) -> String {
    let text = visible(text).replace(['\n', '\t'], "\u{fffd}");
    let plain =
        |character: char| character.is_ascii_alphanumeric() || "-_./:@+".contains(character);
    if !text.is_empty() && text.chars().all(plain) {
        return text;
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// The same where an option could stand; no name begins with a dash.
fn name(text: &str) -> String {
    word(text.trim_start_matches('-'))
}

/// A table whose columns fit the terminal, or a list of its rows where they do not.
fn table_text(table: &Table, terminal: Terminal) -> String {
    if table.rows.is_empty() {
        return if table.empty.is_empty() {
            String::new()
        } else {
            format!("{}\n", visible(&table.empty))
        };
    }
    let plain = Terminal {
        colour: false,
        ..terminal
    };
    let heads: Vec<String> = table
        .columns
        .iter()
        .map(|head| visible(head).replace('\n', " "))
        .collect();
    let rows: Vec<Vec<String>> = table
        .rows
        .iter()
        .map(|row| {
            row.iter()
                .map(|value| cell(value, plain).replace('\n', " "))
                .collect()
        })
        .collect();
    let widths: Vec<usize> = heads
        .iter()
        .enumerate()
        .map(|(column, head)| {
            rows.iter()
                .filter_map(|row| row.get(column))
                .map(|value| value.width())
                .chain([head.width()])
                .max()
                .unwrap_or(0)
        })
        .collect();
    let mut out = String::new();
    if widths.iter().sum::<usize>() + 2 * widths.len() <= terminal.width {
        let _ = writeln!(out, "{}", padded(&heads, &widths));
        for (row, source) in rows.iter().zip(&table.rows) {
            let coloured = source
                .iter()
                .zip(row)
                .map(|(value, plain)| (cell(value, terminal).replace('\n', " "), plain.width()));
            let line: Vec<String> = coloured
                .zip(&widths)
                .map(|((text, width), widest)| format!("{text}{}", " ".repeat(widest - width)))
                .collect();
            let _ = writeln!(out, "{}", line.join("  ").trim_end());
        }
        return out;
    }
    for row in &table.rows {
        for (head, value) in heads.iter().zip(row) {
            let _ = writeln!(out, "{head}: {}", cell(value, terminal));
        }
        out.push('\n');
    }
    out
}

fn padded(values: &[String], widths: &[usize]) -> String {
    let cells: Vec<String> = values
        .iter()
        .zip(widths)
        .map(|(value, width)| format!("{value}{}", " ".repeat(width.saturating_sub(value.width()))))
        .collect();
    cells.join("  ").trim_end().to_owned()
}

fn cell(cell: &Cell, terminal: Terminal) -> String {
    let labels = badges_text(&cell.badges, terminal);
    let words = text(&cell.spans);
    match (labels.is_empty(), words.is_empty()) {
        (false, false) => format!("{labels} {words}"),
        (false, true) => labels,
        _ => words,
    }
}

fn badges_text(badges: &[Badge], terminal: Terminal) -> String {
    let painted: Vec<String> = badges
        .iter()
        .map(|badge| terminal.paint(badge.tone, &format!("[{}]", visible(&badge.text))))
        .collect();
    painted.join(" ")
}

fn text(spans: &[Span]) -> String {
    let mut out = String::new();
    for span in spans {
        out.push_str(&visible(&span.text));
        if let Some(Target::External(address)) = &span.link
            && *address != span.text
        {
            let _ = write!(out, " <{}>", visible(address));
        }
    }
    out
}

/// Breaks at spaces so that lines fit; a longer word stays whole.
fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = Vec::new();
    for paragraph in text.split('\n') {
        let mut line = String::new();
        for word in paragraph.split(' ') {
            if !line.is_empty() && line.width() + 1 + word.width() > width {
                lines.push(std::mem::take(&mut line));
            }
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
        lines.push(line);
    }
    lines
}
