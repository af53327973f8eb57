//! Who is told what happens here, and whether it reached them: for the page and the command.

use spacecp_contract::Severity;

use spacecp_plugin_host::bindings::exports::spacecp::advisories::pages::{
    Block, Cell, Page, Table, Tone,
};
use spacecp_render::page_builder::{labelled, minute, notice, plain, text};

use crate::{ChannelReport, GivenUp, Kind, NotifyReport};

/// The severities that can be asked for, the worst first. What is not rated is told in any case.
const SEVERITIES: [Severity; 4] = [
    Severity::Critical,
    Severity::High,
    Severity::Medium,
    Severity::Low,
];

/// Composes the page.
pub fn page(report: &NotifyReport) -> Page {
    let mut blocks = Vec::new();
    if report.channels.is_empty() {
        blocks.push(notice(
            Tone::Warning,
            "No notification channels configured. Add [[notify.channel]] to the configuration.",
        ));
    } else {
        blocks.push(channels(&report.channels));
        blocks.push(severities(&report.channels));
        blocks.push(events(&report.channels));
    }
    if !report.failures.is_empty() {
        blocks.push(failures(&report.failures));
    }
    Page {
        title: format!("Notifications of {}", report.panel),
        blocks,
        embargo: false,
    }
}

fn channels(channels: &[ChannelReport]) -> Block {
    let heads = [
        "Channel",
        "Link",
        "When",
        "Pending",
        "Last delivery",
        "State",
    ];
    let rows = channels.iter().map(|channel| {
        vec![
            words(format!("{} ({})", channel.name, channel.kind)),
            words(&channel.leads_to),
            words(&channel.when),
            words(channel.pending.to_string()),
            words(channel.last_delivery.map_or("never".to_owned(), minute)),
            state(channel),
        ]
    });
    table("Channels", &heads, rows.collect())
}

fn state(channel: &ChannelReport) -> Cell {
    let problem = match &channel.problem {
        Some(problem) if channel.last_failure > channel.last_delivery => problem,
        _ => return labelled("working", Tone::Good),
    };
    let given_up = match channel.given_up {
        0 => String::new(),
        count => format!(", {count} abandoned"),
    };
    let mut cell = labelled("failing", Tone::Danger);
    cell.spans.push(plain(format!(
        "{} consecutive failures{given_up}: {problem}",
        channel.failed_in_a_row
    )));
    cell
}

/// Which severities each channel hears of.
fn severities(channels: &[ChannelReport]) -> Block {
    let mut heads = vec!["Channel"];
    heads.extend(SEVERITIES.map(Severity::name));
    heads.push("not rated, or exploited");
    let rows = channels.iter().map(|channel| {
        let mut row = vec![words(&channel.name)];
        let heard = SEVERITIES.map(|severity| told(severity >= channel.minimum));
        row.extend(heard);
        row.push(told(true));
        row
    });
    table("Severities", &heads, rows.collect())
}

/// Which events each channel hears of.
fn events(channels: &[ChannelReport]) -> Block {
    let mut heads = vec!["Event"];
    heads.extend(channels.iter().map(|channel| channel.name.as_str()));
    let rows = Kind::ALL.iter().map(|kind| {
        let mut row = vec![words(kind.as_str())];
        let hears = |channel: &ChannelReport| {
            let events = channel.events.as_ref();
            told(events.is_none_or(|events| events.contains(kind)))
        };
        row.extend(channels.iter().map(hears));
        row
    });
    table("Events", &heads, rows.collect())
}

fn told(yes: bool) -> Cell {
    words(if yes { "yes" } else { "–" })
}

fn failures(failures: &[GivenUp]) -> Block {
    let heads = ["Abandoned", "Channel", "What", "Attempts", "Why"];
    let rows = failures.iter().map(|one| {
        let what = one.event.map_or("under embargo", Kind::as_str);
        vec![
            words(minute(one.ended)),
            words(&one.channel),
            words(format!("{what} {}", one.advisories.join(", "))),
            words(one.attempts.to_string()),
            words(&one.problem),
        ]
    });
    table("Abandoned", &heads, rows.collect())
}

fn words(words: impl Into<String>) -> Cell {
    text(vec![plain(words)])
}

fn table(caption: &str, heads: &[&str], rows: Vec<Vec<Cell>>) -> Block {
    Block::Table(Table {
        caption: caption.to_owned(),
        columns: heads.iter().map(|head| (*head).to_owned()).collect(),
        rows,
        empty: String::new(),
    })
}
