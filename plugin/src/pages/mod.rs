//! Pages as typed values.
//!
//! Composing only: what a page needs from the panel is handed in.

mod advisories;
mod advisory;
mod components;
mod decided;
mod history;
mod listing;
mod outdated;
mod overview;
mod unread;
mod way_out;

pub use advisories::advisories;
pub use advisory::{Asking, Prepared, advisory};
pub use components::components;
pub use history::history;
use jiff::Timestamp;
pub use listing::whole;
pub use overview::{Automation, overview};
use spacecp_contract::NoticeKind;

use crate::{
    bindings::{
        exports::spacecp::advisories::{
            exposure::{Status, Verdict},
            pages::{
                Action, Badge, Block, Cell, Fact, Heading, Listing, Notice, Place, RollBack, Span,
                Style, Target, Tone,
            },
        },
        spacecp::advisories::{corrections::Application, types::Severity},
    },
    severity,
};

const PLAIN: Style = Style {
    emphasis: false,
    strong: false,
    code: false,
    strikethrough: false,
};

/// Text without a style.
pub fn plain(text: impl Into<String>) -> Span {
    Span {
        text: text.into(),
        style: PLAIN,
        link: None,
    }
}

fn strong(text: impl Into<String>) -> Span {
    Span {
        style: Style {
            strong: true,
            ..PLAIN
        },
        ..plain(text)
    }
}

fn code(text: impl Into<String>) -> Span {
    Span {
        style: Style {
            code: true,
            ..PLAIN
        },
        ..plain(text)
    }
}

fn link(text: impl Into<String>, place: Place) -> Span {
    Span {
        link: Some(Target::Place(place)),
        ..plain(text)
    }
}

fn link_to_list(text: impl Into<String>, listing: Listing) -> Span {
    Span {
        link: Some(Target::Listing(listing)),
        ..plain(text)
    }
}

fn to_advisory(id: &str) -> Span {
    link(id, Place::Advisory(id.to_owned()))
}

fn heading(text: &str) -> Block {
    Block::Heading(Heading {
        level: 2,
        spans: vec![plain(text)],
    })
}

fn paragraph(text: impl Into<String>) -> Block {
    Block::Paragraph(vec![plain(text)])
}

fn notice(tone: Tone, text: impl Into<String>) -> Block {
    Block::Notice(Notice {
        tone,
        spans: vec![plain(text)],
    })
}

fn badge(text: impl Into<String>, tone: Tone) -> Badge {
    Badge {
        text: text.into(),
        tone,
    }
}

fn cell(spans: Vec<Span>) -> Cell {
    Cell {
        badges: Vec::new(),
        spans,
    }
}

fn labelled(badges: Vec<Badge>) -> Cell {
    Cell {
        badges,
        spans: Vec::new(),
    }
}

fn fact(label: &str, spans: Vec<Span>) -> Fact {
    Fact {
        label: label.to_owned(),
        value: cell(spans),
    }
}

/// The text of a cell without its styles.
pub fn cell_text(cell: &Cell) -> String {
    cell.spans.iter().map(|span| span.text.as_str()).collect()
}

fn severity_badge(rating: Severity, score: Option<u8>) -> Badge {
    let tone = match rating {
        Severity::Critical | Severity::High => Tone::Danger,
        Severity::Medium => Tone::Warning,
        Severity::Low => Tone::Information,
        Severity::None | Severity::Unrated => Tone::Neutral,
    };
    let word = severity::name(rating);
    badge(
        score.map_or_else(
            || word.to_owned(),
            |score| format!("{word} {}.{}", score / 10, score % 10),
        ),
        tone,
    )
}

fn status_badge(status: Status) -> Badge {
    match status {
        Status::Affected => badge("affected", Tone::Danger),
        Status::Fixed => badge("fixed", Tone::Good),
        Status::NotAffected => badge("not affected", Tone::Good),
        Status::Unknown => badge("unknown", Tone::Warning),
    }
}

/// What an advisory is that describes no vulnerability.
fn notice_badge(kind: NoticeKind) -> Badge {
    let word = match kind {
        NoticeKind::Notice | NoticeKind::Other => "notice",
        kind => kind.as_str(),
    };
    badge(word, Tone::Information)
}

fn advisory_badges(
    rating: Severity,
    score: Option<u8>,
    known_exploited: bool,
    embargo: bool,
) -> Vec<Badge> {
    let mut badges = vec![severity_badge(rating, score)];
    if known_exploited {
        badges.push(badge("known exploited", Tone::Danger));
    }
    if embargo {
        badges.push(badge("under embargo", Tone::Embargo));
    }
    badges
}

fn verdict_badges(verdict: &Verdict) -> Vec<Badge> {
    advisory_badges(
        verdict.severity,
        verdict.score,
        verdict.known_exploited,
        verdict.embargo,
    )
}

fn roll_back(application: &Application) -> Block {
    Block::Action(Action::RollBack(RollBack {
        application: application.id.clone(),
        component: application.component.clone(),
        to: application.from.clone(),
    }))
}

/// A time for people: minutes, in UTC.
fn time(second: i64) -> String {
    Timestamp::from_second(second).map_or_else(|_| "at an unknown time".to_owned(), minute)
}

fn minute(time: Timestamp) -> String {
    time.strftime("%Y-%m-%d %H:%M UTC").to_string()
}

fn day(time: Timestamp) -> String {
    time.strftime("%Y-%m-%d").to_string()
}

/// A size for people, in the units of IEC 80000-13.
fn size(bytes: u64) -> String {
    const UNITS: [&str; 4] = ["KiB", "MiB", "GiB", "TiB"];
    if bytes < 1024 {
        return format!("{bytes} B");
    }
    let mut tenths = bytes.saturating_mul(10) / 1024;
    let mut unit = 0;
    while tenths >= 10 * 1024 && unit + 1 < UNITS.len() {
        tenths /= 1024;
        unit += 1;
    }
    format!("{}.{} {}", tenths / 10, tenths % 10, UNITS[unit])
}

/// "1 component", "2 components".
fn counted(number: usize, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}
