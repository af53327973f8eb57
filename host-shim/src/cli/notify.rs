//! `notify`: the channels and how they fare, a trial, and another attempt at what failed.

use jiff::Timestamp;

use super::{CommandError, Ending, Output, apply::whoami, arguments::NotifyAction};
use crate::{
    notify::{ChannelReport, GivenUp, NotifyError, NotifyReport},
    plugin::bindings::exports::spacecp::advisories::pages::{
        Block, Cell, Notice, Page, Span, Style, Table, Tone,
    },
    render::terminal,
    shim::{Shim, ShimError},
};

pub(super) async fn notify(
    shim: &Shim,
    action: &NotifyAction,
    out: &Output,
) -> Result<Ending, CommandError> {
    match action {
        NotifyAction::List => list(shim, out).await,
        NotifyAction::Test { channel } => test(shim, channel.as_deref(), out).await,
        NotifyAction::Retry => retry(shim, out).await,
    }
}

async fn list(shim: &Shim, out: &Output) -> Result<Ending, CommandError> {
    let report = shim.notify_report().await?;
    if out.json {
        out.value(&report)?;
    } else {
        out.text(&terminal::page(&page(&report), out.terminal()))?;
    }
    Ok(Ending::Well)
}

async fn test(shim: &Shim, channel: Option<&str>, out: &Output) -> Result<Ending, CommandError> {
    let configured = &shim.config().notify.channels;
    let names: Vec<&str> = match channel {
        Some(channel) => vec![channel],
        None => configured.iter().map(|one| one.name.as_str()).collect(),
    };
    if names.is_empty() {
        return Err(ShimError::from(NotifyError::NoChannel).into());
    }
    let mut tried = Vec::new();
    for name in names {
        let problem = match shim.notify_test(name, &whoami()).await {
            Ok(()) => None,
            Err(ShimError::Notify(NotifyError::Trial { source, .. })) => Some(source.to_string()),
            Err(error) => return Err(error.into()),
        };
        tried.push((name, problem));
    }
    let well = tried.iter().all(|(_, problem)| problem.is_none());
    if out.json {
        let tried = tried.iter().map(|(name, problem)| {
            serde_json::json!({ "channel": name, "taken": problem.is_none(), "problem": problem })
        });
        out.value(&tried.collect::<Vec<_>>())?;
    } else {
        for (name, problem) in &tried {
            out.line(&match problem {
                None => format!("{name} took the trial."),
                Some(problem) => format!("{name} did not take the trial: {problem}"),
            })?;
        }
    }
    Ok(if well { Ending::Well } else { Ending::Failed })
}

async fn retry(shim: &Shim, out: &Output) -> Result<Ending, CommandError> {
    if shim.config().notify.channels.is_empty() {
        return Err(ShimError::from(NotifyError::NoChannel).into());
    }
    let now = Timestamp::now();
    let again = shim.notify_again(now).await?;
    let told = shim.notify(now).await?;
    if out.json {
        out.value(&serde_json::json!({ "again": again, "told": told }))?;
    } else {
        out.line(&format!(
            "{} new, {again} to be tried again: {} delivered, {} failed.",
            told.new, told.delivered, told.failed
        ))?;
    }
    Ok(if told.failed == 0 {
        Ending::Well
    } else {
        Ending::Failed
    })
}

fn page(report: &NotifyReport) -> Page {
    let mut blocks = Vec::new();
    if report.channels.is_empty() {
        blocks.push(Block::Notice(Notice {
            tone: Tone::Warning,
            spans: vec![plain(
                "Nobody is told what happens here: add [[notify.channel]] to the configuration.",
            )],
        }));
    } else {
        blocks.push(channels(&report.channels));
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
        "Leads to",
        "Tells",
        "When",
        "Pending",
        "Last delivery",
        "State",
    ];
    let rows = channels.iter().map(|channel| {
        let state = match &channel.problem {
            Some(problem) if channel.last_failure > channel.last_delivery => {
                let given_up = match channel.given_up {
                    0 => String::new(),
                    count => format!(", {count} given up"),
                };
                format!(
                    "failed {} times{given_up}: {problem}",
                    channel.failed_in_a_row
                )
            }
            _ => "in order".to_owned(),
        };
        let tells = match &channel.events {
            None => format!("from {} on", channel.minimum_severity),
            Some(events) => {
                let events: Vec<&str> = events.iter().map(|kind| kind.as_str()).collect();
                format!(
                    "from {} on: {}",
                    channel.minimum_severity,
                    events.join(", ")
                )
            }
        };
        [
            format!("{} ({})", channel.name, channel.kind),
            channel.leads_to.clone(),
            tells,
            channel.when.clone(),
            channel.pending.to_string(),
            channel.last_delivery.map_or("never".to_owned(), shown),
            state,
        ]
    });
    table("Channels", &heads, rows.map(Vec::from).collect())
}

fn failures(failures: &[GivenUp]) -> Block {
    let heads = ["Given up", "Channel", "What", "Attempts", "Why"];
    let rows = failures.iter().map(|one| {
        let what = one.event.map_or("under embargo", |kind| kind.as_str());
        vec![
            shown(one.ended),
            one.channel.clone(),
            format!("{what} {}", one.advisories.join(", ")),
            one.attempts.to_string(),
            one.problem.clone(),
        ]
    });
    table("Given up", &heads, rows.collect())
}

fn table(caption: &str, heads: &[&str], rows: Vec<Vec<String>>) -> Block {
    let cell = |text: &String| Cell {
        badges: Vec::new(),
        spans: vec![plain(text)],
    };
    let rows = rows.iter().map(|row| row.iter().map(cell).collect());
    Block::Table(Table {
        caption: caption.to_owned(),
        columns: heads.iter().map(|head| (*head).to_owned()).collect(),
        rows: rows.collect(),
        empty: String::new(),
    })
}

fn plain(text: &str) -> Span {
    Span {
        text: text.to_owned(),
        style: Style {
            emphasis: false,
            strong: false,
            code: false,
            strikethrough: false,
        },
        link: None,
    }
}

fn shown(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M UTC").to_string()
}
