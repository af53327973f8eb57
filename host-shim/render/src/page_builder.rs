//! Builds the blocks of pages that are not the plugin's: spans, cells, facts, notices, times.
//!
//! May not: know what a page is about.

use jiff::Timestamp;

use spacecp_plugin_host::bindings::exports::spacecp::advisories::pages::{
    Badge, Block, Cell, Fact, Heading, Notice, Place, Span, Style, Target, Tone,
};

/// Plain text.
pub fn plain(words: impl Into<String>) -> Span {
    span(words.into(), false)
}

/// Text as it is typed or stored: an id, a digest, a path.
pub fn code(words: impl Into<String>) -> Span {
    span(words.into(), true)
}

/// The id of an advisory, with a link to its page.
pub fn to_advisory(id: &str) -> Span {
    Span {
        link: Some(Target::Place(Place::Advisory(id.to_owned()))),
        ..plain(id)
    }
}

fn span(text: String, code: bool) -> Span {
    Span {
        text,
        style: Style {
            emphasis: false,
            strong: false,
            code,
            strikethrough: false,
        },
        link: None,
    }
}

/// A cell with text and no badge.
pub fn text(spans: Vec<Span>) -> Cell {
    Cell {
        badges: Vec::new(),
        spans,
    }
}

/// A cell with one badge and no text.
pub fn labelled(words: &str, tone: Tone) -> Cell {
    Cell {
        badges: vec![Badge {
            text: words.to_owned(),
            tone,
        }],
        spans: Vec::new(),
    }
}

/// A label with its value.
pub fn fact(label: &str, spans: Vec<Span>) -> Fact {
    Fact {
        label: label.to_owned(),
        value: text(spans),
    }
}

/// A heading below the title.
pub fn heading(words: &str) -> Block {
    Block::Heading(Heading {
        level: 2,
        spans: vec![plain(words)],
    })
}

/// A paragraph of plain text.
pub fn paragraph(words: impl Into<String>) -> Block {
    Block::Paragraph(vec![plain(words)])
}

/// A notice that stands out by its tone.
pub fn notice(tone: Tone, words: impl Into<String>) -> Block {
    Block::Notice(Notice {
        tone,
        spans: vec![plain(words)],
    })
}

/// A time for people: minutes, in UTC.
pub fn minute(time: Timestamp) -> String {
    time.strftime("%Y-%m-%d %H:%M UTC").to_string()
}
