//! Pieces of the pages that the shim composes itself.

use jiff::Timestamp;

use crate::plugin::bindings::exports::spacecp::advisories::pages::{
    Badge, Block, Cell, Fact, Heading, Notice, Place, Span, Style, Target, Tone,
};

pub(super) fn plain(words: impl Into<String>) -> Span {
    span(words.into(), false)
}

pub(super) fn code(words: impl Into<String>) -> Span {
    span(words.into(), true)
}

pub(super) fn to_advisory(id: &str) -> Span {
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

pub(super) fn text(spans: Vec<Span>) -> Cell {
    Cell {
        badges: Vec::new(),
        spans,
    }
}

pub(super) fn labelled(words: &str, tone: Tone) -> Cell {
    Cell {
        badges: vec![Badge {
            text: words.to_owned(),
            tone,
        }],
        spans: Vec::new(),
    }
}

pub(super) fn fact(label: &str, spans: Vec<Span>) -> Fact {
    Fact {
        label: label.to_owned(),
        value: text(spans),
    }
}

pub(super) fn heading(words: &str) -> Block {
    Block::Heading(Heading {
        level: 2,
        spans: vec![plain(words)],
    })
}

pub(super) fn paragraph(words: impl Into<String>) -> Block {
    Block::Paragraph(vec![plain(words)])
}

pub(super) fn notice(tone: Tone, words: impl Into<String>) -> Block {
    Block::Notice(Notice {
        tone,
        spans: vec![plain(words)],
    })
}

/// A time for people: minutes, in UTC.
pub(super) fn minute(time: Timestamp) -> String {
    time.strftime("%Y-%m-%d %H:%M UTC").to_string()
}
