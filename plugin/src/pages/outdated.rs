//! What pages say of processes that run a version from before a component was changed.

use super::{badge, cell, code, heading, notice, paragraph, plain, status_badge, strong, time};
use crate::{
    bindings::{
        exports::spacecp::advisories::{
            exposure::{Mark, Verdict},
            pages::{Badge, Block, Cell, Table, Tone},
        },
        spacecp::advisories::inventory::{Component, Process, Running},
    },
    knowledge::Knowledge,
};

/// Processes that one page lists.
const MOST_LISTED: usize = 50;

/// The label of a verdict, with its mark.
pub(super) fn badges(verdict: &Verdict) -> Vec<Badge> {
    let mut badges = vec![status_badge(verdict.status)];
    badges.extend(verdict.mark.map(mark_badge));
    badges
}

pub(super) fn mark_badge(mark: Mark) -> Badge {
    match mark {
        Mark::RestartPending => badge("restart pending", Tone::Danger),
        Mark::RestartUnknown => badge("restart unknown", Tone::Warning),
        Mark::Compromised => badge("compromised", Tone::Danger),
    }
}

/// What to do about a mark, in one sentence; none without one.
pub(super) fn remedy<'a>(knowledge: &'a Knowledge, verdict: &Verdict) -> Option<&'a str> {
    verdict.mark?;
    let running = knowledge.component(&verdict.component)?.running.as_ref()?;
    Some(&running.remedy)
}

/// Lists the processes of these components, and how to restart each; nothing where none is outdated.
pub(super) fn section<'a>(
    components: impl Iterator<Item = &'a Component>,
    blocks: &mut Vec<Block>,
) {
    let outdated: Vec<(&Component, &Running)> = components
        .filter_map(|component| Some((component, component.running.as_ref()?)))
        .collect();
    if outdated.is_empty() {
        return;
    }
    blocks.push(heading("Restart pending"));
    let each = outdated.iter().flat_map(|(component, running)| {
        running
            .processes
            .iter()
            .map(|process| row(component, process, &running.remedy))
    });
    let rows: Vec<Vec<Cell>> = each.collect();
    let all = rows.len();
    if all > 0 {
        blocks.push(Block::Table(Table {
            caption: "Processes that run a version from before the component was changed"
                .to_owned(),
            columns: [
                "Component",
                "Process",
                "User",
                "Started",
                "Why",
                "What to do",
            ]
            .map(str::to_owned)
            .to_vec(),
            rows: rows.into_iter().take(MOST_LISTED).collect(),
            empty: String::new(),
        }));
    }
    if all > MOST_LISTED {
        blocks.push(paragraph(format!("And {} more.", all - MOST_LISTED)));
    }
    for (component, running) in outdated {
        if let Some(undecided) = &running.undecided {
            let name = &component.name;
            blocks.push(notice(
                Tone::Warning,
                format!("Whether an earlier version of {name} still runs is unknown: {undecided}. Check as root, or restart it: {}", running.remedy),
            ));
        }
    }
}

fn row(component: &Component, process: &Process, remedy: &str) -> Vec<Cell> {
    let started = process.started.map_or_else(|| "not known".to_owned(), time);
    vec![
        cell(vec![strong(component.name.clone())]),
        cell(vec![
            code(process.name.clone()),
            plain(format!(" ({})", process.pid)),
        ]),
        cell(vec![plain(process.user.clone())]),
        cell(vec![plain(started)]),
        cell(vec![plain(process.why.clone())]),
        cell(vec![plain(remedy)]),
    ]
}
