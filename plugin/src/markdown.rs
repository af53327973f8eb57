//! Advisory Markdown into the blocks of a page.
//!
//! The texts are a stranger's. Nothing of them survives but text, a few styles and links: HTML is
//! text, an image is its description, and how deep things nest is bounded by the blocks there are.

use pulldown_cmark::{CodeBlockKind, Event, HeadingLevel, Options, Parser, Tag, TagEnd};

use crate::bindings::exports::spacecp::advisories::pages::{
    Block, Cell, Code, Heading, Item, Span, Style, Table, Target,
};

/// Blocks that one text may become; what follows is cut, in words.
const MOST_BLOCKS: usize = 500;

/// Bytes of text, and runs of it, that one text may become; a run takes memory beyond its text.
const MOST_TEXT: usize = 128 << 10;
const MOST_RUNS: usize = 5_000;

/// Bytes of an address that is a link.
const LONGEST_ADDRESS: usize = 2_048;

/// Columns of a table that are drawn.
const MOST_COLUMNS: usize = 16;

/// The deepest list that is drawn as such.
const DEEPEST: u8 = 6;

/// The blocks of a text, with its headings below `level`.
pub fn blocks(text: &str, level: u8) -> Vec<Block> {
    let mut composer = Composer {
        level,
        ..Composer::default()
    };
    for event in Parser::new_ext(text, Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH) {
        if composer.is_full() {
            composer.finish();
            composer
                .blocks
                .push(Block::Paragraph(vec![crate::pages::plain(
                    "Text truncated.",
                )]));
            return composer.blocks;
        }
        composer.event(event);
    }
    composer.finish();
    composer.blocks
}

#[derive(Default)]
struct Composer {
    level: u8,
    /// Bytes and runs of text so far.
    text: usize,
    runs: usize,
    blocks: Vec<Block>,
    spans: Vec<Span>,
    style: StyleDepth,
    links: Vec<Option<Target>>,
    heading: Option<u8>,
    quotes: usize,
    /// Open lists: the number of the next item, or none for one without numbers.
    lists: Vec<Option<u32>>,
    /// The item whose text is being read.
    item: Option<(u8, Option<u32>)>,
    code: Option<Code>,
    table: Option<Table>,
    row: Vec<Cell>,
}

#[derive(Default)]
struct StyleDepth {
    emphasis: u16,
    strong: u16,
    strikethrough: u16,
}

impl Composer {
    fn is_full(&self) -> bool {
        self.blocks.len() >= MOST_BLOCKS || self.text >= MOST_TEXT || self.runs >= MOST_RUNS
    }

    /// Ends whatever is open, so that nothing read so far is lost.
    fn finish(&mut self) {
        if let Some(code) = self.code.take() {
            self.blocks.push(Block::Code(code));
        }
        if let Some(table) = self.table.take().filter(|table| !table.columns.is_empty()) {
            self.blocks.push(Block::Table(table));
        }
        self.flush();
    }

    fn event(&mut self, event: Event<'_>) {
        match event {
            Event::Start(tag) => self.start(tag),
            Event::End(tag) => self.end(tag),
            Event::Text(text) => self.text(&text, false),
            Event::Code(text) => self.text(&text, true),
            Event::InlineHtml(text)
            | Event::Html(text)
            | Event::InlineMath(text)
            | Event::DisplayMath(text) => self.text(&text, false),
            Event::SoftBreak => self.text(" ", false),
            Event::HardBreak => self.text("\n", false),
            Event::Rule => {
                self.flush();
                self.blocks.push(Block::Rule);
            }
            Event::FootnoteReference(text) => self.text(&format!("[{text}]"), false),
            Event::TaskListMarker(done) => self.text(if done { "[x] " } else { "[ ] " }, false),
        }
    }

    fn start(&mut self, tag: Tag<'_>) {
        match tag {
            Tag::Heading { level, .. } => {
                self.flush();
                self.heading = Some((self.level + rank(level) - 1).clamp(2, 6));
            }
            Tag::BlockQuote(_) => {
                self.flush();
                self.quotes += 1;
            }
            Tag::CodeBlock(kind) => {
                self.flush();
                let language = match kind {
                    CodeBlockKind::Fenced(name) if !name.is_empty() => {
                        Some(name.chars().take(32).collect())
                    }
                    _ => None,
                };
                self.code = Some(Code {
                    language,
                    text: String::new(),
                });
            }
            Tag::List(first) => {
                self.flush();
                self.lists
                    .push(first.map(|first| u32::try_from(first).unwrap_or(u32::MAX)));
            }
            Tag::Item => {
                self.flush();
                let depth = u8::try_from(self.lists.len().saturating_sub(1))
                    .unwrap_or(u8::MAX)
                    .min(DEEPEST);
                let number = self.lists.last_mut().and_then(|number| {
                    let this = *number;
                    *number = number.map(|number| number.saturating_add(1));
                    this
                });
                self.item = Some((depth, number));
            }
            Tag::Emphasis => self.style.emphasis += 1,
            Tag::Strong => self.style.strong += 1,
            Tag::Strikethrough => self.style.strikethrough += 1,
            Tag::Link { dest_url, .. } => self.links.push(target(&dest_url)),
            // An image is its description, which follows as text.
            Tag::Image { .. } => self.links.push(None),
            Tag::Table(_) => {
                self.flush();
                self.table = Some(Table {
                    caption: String::new(),
                    columns: Vec::new(),
                    rows: Vec::new(),
                    empty: String::new(),
                });
            }
            Tag::TableHead | Tag::TableRow => self.row = Vec::new(),
            _ => {}
        }
    }

    fn end(&mut self, tag: TagEnd) {
        match tag {
            TagEnd::Paragraph | TagEnd::Heading(_) | TagEnd::Item | TagEnd::HtmlBlock => {
                self.flush();
                if tag == TagEnd::Item {
                    self.item = None;
                }
            }
            TagEnd::BlockQuote(_) => {
                self.flush();
                self.quotes = self.quotes.saturating_sub(1);
            }
            TagEnd::CodeBlock => {
                if let Some(code) = self.code.take() {
                    self.blocks.push(Block::Code(code));
                }
            }
            TagEnd::List(_) => {
                self.flush();
                self.lists.pop();
            }
            TagEnd::Emphasis => self.style.emphasis = self.style.emphasis.saturating_sub(1),
            TagEnd::Strong => self.style.strong = self.style.strong.saturating_sub(1),
            TagEnd::Strikethrough => {
                self.style.strikethrough = self.style.strikethrough.saturating_sub(1);
            }
            TagEnd::Link | TagEnd::Image => drop(self.links.pop()),
            TagEnd::TableCell => {
                let spans = std::mem::take(&mut self.spans);
                self.runs += 1;
                match self.row.get_mut(MOST_COLUMNS - 1) {
                    // What has no column of its own stays readable in the last one.
                    Some(last) => {
                        last.spans.push(crate::pages::plain(" | "));
                        last.spans.extend(spans);
                    }
                    None => self.row.push(Cell {
                        badges: Vec::new(),
                        spans,
                    }),
                }
            }
            TagEnd::TableHead => {
                let heads = std::mem::take(&mut self.row);
                if let Some(table) = &mut self.table {
                    table.columns = heads.iter().map(crate::pages::cell_text).collect();
                }
            }
            TagEnd::TableRow => {
                let mut row = std::mem::take(&mut self.row);
                if let Some(table) = &mut self.table {
                    row.resize(
                        table.columns.len(),
                        Cell {
                            badges: Vec::new(),
                            spans: Vec::new(),
                        },
                    );
                    table.rows.push(row);
                }
            }
            TagEnd::Table => {
                if let Some(table) = self.table.take().filter(|table| !table.columns.is_empty()) {
                    self.blocks.push(Block::Table(table));
                }
            }
            _ => {}
        }
    }

    fn text(&mut self, text: &str, code: bool) {
        let left = MOST_TEXT.saturating_sub(self.text);
        let text = &text[..text.floor_char_boundary(left)];
        self.text += text.len();
        if let Some(block) = &mut self.code {
            block.text.push_str(text);
            return;
        }
        let style = Style {
            emphasis: self.style.emphasis > 0,
            strong: self.style.strong > 0,
            code,
            strikethrough: self.style.strikethrough > 0,
        };
        let link = self.links.last().cloned().flatten();
        let last = self.spans.last_mut();
        if let Some(last) = last.filter(|last| last.style == style && last.link == link) {
            last.text.push_str(text);
            return;
        }
        self.runs += 1;
        self.spans.push(Span {
            text: text.to_owned(),
            style,
            link,
        });
    }

    /// Ends the block whose text is being read.
    fn flush(&mut self) {
        let heading = self.heading.take();
        let spans = std::mem::take(&mut self.spans);
        if spans.iter().all(|span| span.text.trim().is_empty()) {
            return;
        }
        self.blocks
            .push(match (heading, self.item.take(), self.quotes) {
                (Some(level), _, _) => Block::Heading(Heading { level, spans }),
                (None, Some((depth, number)), _) => Block::Item(Item {
                    depth,
                    number,
                    spans,
                }),
                (None, None, 0) => Block::Paragraph(spans),
                (None, None, _) => Block::Quote(spans),
            });
    }
}

/// A link out of the panel, if it leads where a reader may want to go.
pub fn target(address: &str) -> Option<Target> {
    if address.len() > LONGEST_ADDRESS {
        return None;
    }
    let scheme = address
        .split_once(':')
        .map(|(scheme, _)| scheme.to_ascii_lowercase())?;
    matches!(scheme.as_str(), "https" | "http" | "mailto")
        .then(|| Target::External(address.to_owned()))
}

fn rank(level: HeadingLevel) -> u8 {
    match level {
        HeadingLevel::H1 => 1,
        HeadingLevel::H2 => 2,
        HeadingLevel::H3 => 3,
        HeadingLevel::H4 => 4,
        HeadingLevel::H5 => 5,
        HeadingLevel::H6 => 6,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn texts(block: &Block) -> String {
        let spans = match block {
            Block::Paragraph(spans) | Block::Quote(spans) => spans,
            Block::Heading(heading) => &heading.spans,
            Block::Item(item) => &item.spans,
            Block::Code(code) => return code.text.clone(),
            _ => return String::new(),
        };
        spans.iter().map(|span| span.text.as_str()).collect()
    }

    #[test]
    fn html_is_text() {
        let blocks = blocks(
            "Hello <script>alert(1)</script>\n\n<div onclick=\"x\">there</div>",
            3,
        );
        let all: String = blocks.iter().map(texts).collect();
        assert!(
            all.contains("<script>alert(1)</script>") && all.contains("onclick"),
            "{all}"
        );
        assert!(
            blocks
                .iter()
                .all(|block| matches!(block, Block::Paragraph(_)))
        );
    }

    #[test]
    fn an_image_is_its_description_and_a_script_link_is_text() {
        let blocks = blocks(
            "![a cat](https://example.com/cat.png) [go](javascript:alert(1)) [read](https://example.com)",
            3,
        );
        let Block::Paragraph(spans) = &blocks[0] else {
            panic!("{blocks:?}")
        };
        let links: Vec<_> = spans.iter().filter_map(|span| span.link.as_ref()).collect();
        assert_eq!(links, [&Target::External("https://example.com".to_owned())]);
        assert!(spans.iter().any(|span| span.text.contains("a cat")));
    }

    #[test]
    fn headings_stay_below_the_page_and_lists_keep_their_numbers() {
        let blocks = blocks("# Top\n\n1. one\n2. two\n   - inner\n", 3);
        assert!(matches!(&blocks[0], Block::Heading(heading) if heading.level == 3));
        assert!(
            matches!(&blocks[2], Block::Item(item) if item.number == Some(2) && item.depth == 0)
        );
        assert!(
            matches!(&blocks[3], Block::Item(item) if item.number.is_none() && item.depth == 1)
        );
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic_or_grow_without_bound(text in "[ -~\\n`*_>#|\\[\\]()<!-]{0,400}") {
            prop_assert!(blocks(&text, 3).len() <= MOST_BLOCKS + 1);
        }
    }

    #[test]
    fn one_paragraph_of_countless_runs_is_cut_too() {
        let blocks = blocks(&"*a* b ".repeat(100_000), 3);
        let Block::Paragraph(spans) = &blocks[0] else {
            panic!("{:?}", blocks[0])
        };
        assert!(spans.len() <= MOST_RUNS);
        let last: String = blocks.last().map(texts).unwrap();
        assert_eq!(last, "Text truncated.");
    }

    #[test]
    fn code_and_tables_without_end_are_cut_and_what_was_read_is_shown() {
        let code = blocks(&format!("```\n{}", "0123456789\n".repeat(100_000)), 3);
        assert!(
            matches!(&code[0], Block::Code(code) if code.text.len() <= MOST_TEXT && !code.text.is_empty())
        );
        let rows = "| 1 | 2 |\n".repeat(100_000);
        let table = blocks(&format!("| a | b |\n|---|---|\n{rows}"), 3);
        assert!(
            matches!(&table[0], Block::Table(table) if table.rows.len() <= MOST_RUNS && table.rows.len() > 100)
        );
    }

    #[test]
    fn a_table_wider_than_a_page_keeps_its_words() {
        let line = |word: &str| format!("|{}\n", format!(" {word} |").repeat(40));
        let text = format!("{}{}{}", line("head"), line("---"), line("cell"));
        let Some(Block::Table(table)) = blocks(&text, 3).into_iter().next() else {
            panic!("a table")
        };
        assert_eq!(
            (table.columns.len(), table.rows[0].len()),
            (MOST_COLUMNS, MOST_COLUMNS)
        );
        let words: String = table.rows[0].iter().map(crate::pages::cell_text).collect();
        assert_eq!(words.matches("cell").count(), 40);
    }

    #[test]
    fn an_address_without_end_is_not_a_link() {
        assert_eq!(
            target(&format!("https://example.com/{}", "a".repeat(5_000))),
            None
        );
    }

    #[test]
    fn a_text_without_end_is_cut_in_words() {
        let blocks = blocks(&"- x\n".repeat(100_000), 3);
        assert_eq!(blocks.len(), MOST_BLOCKS + 1);
    }
}
