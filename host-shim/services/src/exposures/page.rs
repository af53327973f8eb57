//! The page about the history of exposures.

use jiff::Timestamp;
use spacecp_render::page_builder::{
    heading, labelled, minute, notice, paragraph, plain, text, to_advisory,
};

use super::{
    ExposureRecord, KnownComponent, Period, Question, Verdict,
    history::{DAYS, SHOWN},
};
use crate::plugin::bindings::exports::spacecp::advisories::pages::{
    Block, Cell, Chart, Page, Point, Series, Table, Tone,
};

/// The record as a page, for a browser and a terminal.
pub fn page(record: &ExposureRecord, question: &Question) -> Page {
    let mut blocks = vec![Block::Chart(chart(record))];
    blocks.push(answer(record, question));
    blocks.push(heading("Period and end"));
    blocks.push(Block::Table(Table {
        caption: "Exposures, current ones first".to_owned(),
        columns: ["Component", "Advisory", "Verdict", "Since", "Until", "Why"]
            .map(str::to_owned)
            .to_vec(),
        rows: record.periods.iter().map(row).collect(),
        empty: "No exposures recorded.".to_owned(),
    }));
    if record.more {
        blocks.push(paragraph(format!(
            "Only the newest {SHOWN} are shown. Filter by advisory, component or time."
        )));
    }
    blocks.push(paragraph("Times show when an exposure became known to this panel. The affected version may have been installed earlier."));
    Page {
        title: "Exposure history".to_owned(),
        blocks,
        embargo: record.is_under_embargo(),
    }
}

fn chart(record: &ExposureRecord) -> Chart {
    let series = |label: &str, tone, counts: &[(Timestamp, u32)]| Series {
        label: label.to_owned(),
        tone,
        points: counts
            .iter()
            .map(|(at, value)| Point {
                at: at.as_second(),
                value: *value,
            })
            .collect(),
    };
    Chart {
        caption: format!("Components affected in the last {DAYS} days"),
        begin: record.begin.as_second(),
        end: record.end.as_second(),
        series: vec![
            series("affected", Tone::Danger, &record.exposed),
            series("unknown", Tone::Warning, &record.undecided),
        ],
    }
}

/// The answer to what was asked, in words. What the record does not go back to is not answered.
fn answer(record: &ExposureRecord, question: &Question) -> Block {
    let of = |verdict| {
        let periods = record.periods.iter();
        periods.filter(|period| period.verdict == verdict).count()
    };
    let (exposed, undecided) = (of(Verdict::Affected), of(Verdict::Unknown));
    let about = about(question);
    let more = if record.more { "more than " } else { "" };
    let known = record.component.as_ref();
    let unknown = record.unknown_advisory.as_ref();
    let words = match (exposed, undecided) {
        // That nothing is recorded says nothing of what nobody speaks of.
        (0, 0) if known.is_some_and(|known| !known.is_clear()) || unknown.is_some() => {
            let known = known.map(KnownComponent::words);
            let unknown = unknown.map(ToString::to_string);
            [unknown, known]
                .into_iter()
                .flatten()
                .collect::<Vec<_>>()
                .join(" ")
        }
        (0, 0) => format!("No exposure{about} recorded."),
        (0, _) => {
            format!("No exposure{about} recorded, but {more}{undecided} with unknown status.")
        }
        (_, 0) => format!("Exposures{about}: {more}{exposed}."),
        _ => {
            format!("Exposures{about}: {more}{exposed}, and {undecided} with unknown status.")
        }
    };
    let reach = match record.began {
        None => " Recording has not started yet.".to_owned(),
        Some(_) if record.covers(question) => String::new(),
        Some(began) => format!(
            " Recording started {}; earlier exposures are unknown.",
            minute(began)
        ),
    };
    let is_known = unknown.is_none() && known.is_none_or(KnownComponent::is_clear);
    let tone = if exposed + undecided == 0 && record.covers(question) && is_known {
        Tone::Good
    } else {
        Tone::Warning
    };
    notice(tone, format!("{words}{reach}"))
}

/// What was asked about.
fn about(question: &Question) -> String {
    let mut about = String::new();
    if let Some(flaw) = &question.flaw {
        about.push_str(&format!(" to {flaw}"));
    }
    if let Some(component) = &question.component {
        about.push_str(&format!(" of {component}"));
    }
    about.push_str(&match (question.from, question.until) {
        (Some(from), Some(until)) => format!(" between {} and {}", minute(from), minute(until)),
        (Some(from), None) => format!(" since {}", minute(from)),
        (None, Some(until)) => format!(" until {}", minute(until)),
        (None, None) => String::new(),
    });
    about
}

fn row(period: &Period) -> Vec<Cell> {
    let verdict = match (period.verdict, period.until) {
        (Verdict::Affected, None) => labelled("affected", Tone::Danger),
        (Verdict::Unknown, None) => labelled("unknown", Tone::Warning),
        (Verdict::Affected, Some(_)) => labelled("was affected", Tone::Neutral),
        (Verdict::Unknown, Some(_)) => labelled("was unknown", Tone::Neutral),
    };
    let why = match &period.ended {
        Some(ended) => format!("{}; ended: {ended}", period.because),
        None => period.because.clone(),
    };
    let until = period.until.map_or("still".to_owned(), minute);
    vec![
        text(vec![plain(period.component.clone())]),
        text(vec![to_advisory(&period.advisory)]),
        verdict,
        text(vec![plain(minute(period.since))]),
        text(vec![plain(until)]),
        text(vec![plain(why)]),
    ]
}
