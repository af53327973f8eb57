//! The overview: how the panel stands, and what to do first.

use std::collections::BTreeSet;

use spacecp_contract::NoticeKind;

use super::{
    advisory_badges, badge, cell, counted, decided, heading, labelled, link, link_to_list, listing,
    notice, notice_badge, outdated, paragraph, plain, strong, time, to_advisory, verdict_badges,
};
use crate::{
    bindings::{
        exports::spacecp::advisories::{
            exposure::{Status, Summary, Verdict},
            pages::{Block, Cell, Fact, Page, Place, Standing as Stands, Table, Target, Tone},
        },
        spacecp::advisories::settings::{Freshness, Hours, Rules},
    },
    decisions::{Decisions, Standing},
    knowledge::Knowledge,
    running,
};

/// Rows of one table: what a person deals with first. The advisories page has them all.
const MOST_ROWS: usize = 20;

/// Documents that are named because they cannot be read.
const MOST_UNREADABLE: usize = 20;

/// What automatic application does here, as far as the panel can say: its rules at this instant.
pub type Automation = Result<Rules, String>;

/// Composes the page at `now`, in seconds since 1970.
pub fn overview(
    knowledge: &Knowledge,
    decisions: &Decisions,
    freshness: &Freshness,
    automation: &Automation,
    now: i64,
) -> Page {
    let summary = knowledge.summary();
    let verdicts = knowledge.verdicts();
    let tally = decisions.tally(&verdicts);
    let mut blocks = vec![standing(&summary, decided::of_those(&tally), freshness)];
    blocks.extend(figures(&summary, freshness));
    blocks.extend(decided::problem(decisions));
    // What is wrong with the data comes before what the data says; when they were updated comes after.
    let (fault, updated) = match current(freshness, now) {
        Block::Notice(notice) if notice.tone == Tone::Neutral => {
            (None, Some(Block::Notice(notice)))
        }
        fault => (Some(fault), None),
    };
    blocks.extend(fault);
    let of = |status: Status| -> Vec<&Verdict> {
        let verdicts = verdicts.iter().copied();
        verdicts
            .filter(|verdict| running::counted(verdict) == status)
            .collect()
    };
    let exposed = decisions.most_urgent_first(of(Status::Affected));
    if let Some(first) = exposed.first() {
        blocks.push(heading("Most urgent"));
        if decisions.standing(first) != Standing::Open {
            blocks.push(paragraph(
                "Every affected component has a decision. Corrections still to be applied:",
            ));
        }
        blocks.push(first_step(knowledge, first));
        blocks.extend(main_action(knowledge, first));
    }
    if summary.undecided > 0 {
        let undecided = counted(summary.undecided as usize, "component", "components");
        blocks.push(notice(
            Tone::Warning,
            format!(
                "{undecided} with unknown status: a version could not be read or compared. See below."
            ),
        ));
    }
    blocks.extend(updated);
    blocks.push(next_by_itself(automation, now));
    blocks.push(heading("Affected"));
    blocks.push(table(
        "Affected components",
        &exposed,
        decisions,
        "No affected components known.",
    ));
    rest(exposed.len(), Stands::Exposed, &mut blocks);
    let unknown = of(Status::Unknown);
    if !unknown.is_empty() {
        blocks.push(heading("Undecided"));
        blocks.push(table(
            "Components with unknown status",
            &unknown,
            decisions,
            "",
        ));
        rest(unknown.len(), Stands::Undecided, &mut blocks);
    }
    let shown_components = exposed
        .iter()
        .chain(&unknown)
        .map(|verdict| &*verdict.component);
    let shown_components: BTreeSet<&str> = shown_components.collect();
    let pending = knowledge.components().iter();
    outdated::section(
        pending.filter(|component| shown_components.contains(&*component.name)),
        &mut blocks,
    );
    let noticed: Vec<_> = knowledge.notices().filter(concerns).collect();
    notices(&noticed, &mut blocks);
    components(&summary, knowledge.coverage(), &mut blocks);
    unreadable(knowledge, &mut blocks);
    let shown = |verdicts: &[&Verdict]| {
        let mut shown = verdicts.iter().take(MOST_ROWS);
        shown.any(|verdict| verdict.embargo)
    };
    Page {
        title: "Security overview".to_owned(),
        blocks,
        embargo: shown(&exposed)
            || shown(&unknown)
            || noticed.iter().any(|(verdict, _)| verdict.embargo),
    }
}

fn concerns((verdict, _): &(&Verdict, NoticeKind)) -> bool {
    matches!(
        running::counted(verdict),
        Status::Affected | Status::Unknown
    )
}

/// What is worth knowing of components and is no exposure.
fn notices(noticed: &[(&Verdict, NoticeKind)], blocks: &mut Vec<Block>) {
    if noticed.is_empty() {
        return;
    }
    blocks.push(heading("Notices"));
    let rows = noticed.iter().take(MOST_ROWS).map(|(verdict, kind)| {
        vec![
            cell(vec![strong(verdict.component.clone())]),
            labelled(vec![notice_badge(*kind)]),
            cell(vec![
                to_advisory(&verdict.advisory.id),
                plain(format!(" {}", verdict.title)),
            ]),
            cell(vec![plain(verdict.reason.clone())]),
        ]
    });
    blocks.push(Block::Table(Table {
        caption: "Notices about components, none of which counts as affected".to_owned(),
        columns: ["Component", "Notice", "Advisory", "Why"]
            .map(str::to_owned)
            .to_vec(),
        rows: rows.collect(),
        empty: String::new(),
    }));
    rest(noticed.len(), Stands::Notice, blocks);
}

/// What happens without anybody doing anything, and when.
fn next_by_itself(automation: &Automation, now: i64) -> Block {
    let rules = match automation {
        Ok(rules) => rules,
        Err(reason) => {
            return notice(
                Tone::Warning,
                format!("Automatic application: status unknown: {reason}"),
            );
        }
    };
    if !rules.automatic {
        return paragraph(
            "Automatic application is disabled: an administrator applies corrections.",
        );
    }
    let when = match &rules.hours {
        Hours::Always => "at any time".to_owned(),
        Hours::Openings(openings) => {
            let next = openings.iter().find(|opening| opening.end > now);
            match next {
                Some(opening) if opening.begin <= now => {
                    format!("in the maintenance window open until {}", time(opening.end))
                }
                Some(opening) => format!(
                    "in the next maintenance window, {} to {}",
                    time(opening.begin),
                    time(opening.end)
                ),
                None => "in a maintenance window, none upcoming".to_owned(),
            }
        }
    };
    paragraph(format!(
        "Automatic application is enabled: corrections allowed by the policy are applied {when}."
    ))
}

/// How many components there are, and the way to all of them.
fn components(summary: &Summary, coverage: &str, blocks: &mut Vec<Block>) {
    blocks.push(heading("Components"));
    let all = counted(summary.components as usize, "component", "components");
    blocks.push(Block::Paragraph(vec![
        plain("Checked against "),
        plain(counted(
            summary.advisories as usize,
            "advisory",
            "advisories",
        )),
        plain(": "),
        link(all, Place::Components),
        plain(", with their versions and paths. "),
        plain(coverage),
    ]));
    if summary.unread > 0 {
        let places = counted(summary.unread as usize, "place", "places");
        blocks.push(notice(
            Tone::Warning,
            format!(
                "{places} could not be read; components there are unknown. See the components page."
            ),
        ));
    }
}

fn standing(summary: &Summary, of_those: Option<(String, Tone)>, freshness: &Freshness) -> Block {
    let of = counted(summary.components as usize, "component", "components");
    match summary.exposed {
        // Silence is not an all-clear.
        0 if freshness.last_word.is_none() => {
            notice(Tone::Warning, format!("Status of {of} unknown."))
        }
        0 => notice(Tone::Good, format!("None of {of} known to be affected.")),
        exposed => {
            let pending = match summary.restart_pending {
                0 => String::new(),
                all if all == exposed && all == 1 => {
                    " It is fixed and waits for a restart.".to_owned()
                }
                all if all == exposed => {
                    " All of them are fixed and wait for a restart.".to_owned()
                }
                1 => " 1 of them is fixed and waits for a restart.".to_owned(),
                some => format!(" {some} of them are fixed and wait for a restart."),
            };
            match of_those {
                None => notice(
                    Tone::Danger,
                    format!("{exposed} of {of} affected.{pending}"),
                ),
                Some((words, tone)) => notice(
                    tone,
                    format!("{exposed} of {of} affected: {words}.{pending}"),
                ),
            }
        }
    }
}

/// How many components stand how, by the counts of the summary: what waits for a restart is among the affected, and
/// the others add up to all components. None before the first sync: nothing received is no all-clear.
fn figures(summary: &Summary, freshness: &Freshness) -> Option<Block> {
    freshness.last_word?;
    let rest = summary
        .components
        .saturating_sub(summary.exposed)
        .saturating_sub(summary.undecided);
    let figure = |label: &str, number: u32, tone: Tone| Fact {
        label: label.to_owned(),
        value: labelled(vec![badge(
            number.to_string(),
            if number == 0 { Tone::Neutral } else { tone },
        )]),
    };
    Some(Block::Facts(vec![
        figure("Affected", summary.exposed, Tone::Danger),
        figure(
            "Of these, restart pending",
            summary.restart_pending,
            Tone::Warning,
        ),
        figure("Unknown", summary.undecided, Tone::Warning),
        figure("Not known to be affected", rest, Tone::Good),
    ]))
}

/// The way to the correction of the most urgent exposure, if there is one: the one thing to do.
fn main_action(knowledge: &Knowledge, verdict: &Verdict) -> Option<Block> {
    verdict.correction.as_ref()?;
    // Fixed already: what is left to do is a restart, and its paragraph says how.
    if outdated::remedy(knowledge, verdict).is_some() {
        return None;
    }
    let mut action = strong(format!("Review correction of {}", verdict.component));
    action.link = Some(Target::Place(Place::Advisory(verdict.advisory.id.clone())));
    Some(Block::Paragraph(vec![action]))
}

/// Since when, and until when, what is shown can be believed. Stale is calm.
fn current(freshness: &Freshness, now: i64) -> Block {
    let Some(last) = freshness.last_word else {
        let why = freshness
            .problem
            .as_ref()
            .map(|problem| format!(" The last sync failed: {problem}"))
            .unwrap_or_default();
        return notice(
            Tone::Warning,
            format!("Not synced yet: status unknown.{why}"),
        );
    };
    let stale = freshness.valid_until.is_some_and(|until| until <= now);
    let problem = freshness
        .problem
        .as_ref()
        .map(|problem| format!(" The last sync failed: {problem}"))
        .unwrap_or_default();
    let until = freshness.valid_until.map(time).unwrap_or_default();
    if stale {
        let text = format!(
            "The data from the feed expired at {until}; last updated {}. Known advisories stay valid.{problem}",
            time(last)
        );
        return notice(Tone::Warning, text);
    }
    let sequence = freshness
        .sequence
        .map(|sequence| format!(", sequence {sequence}"))
        .unwrap_or_default();
    let tone = if problem.is_empty() {
        Tone::Neutral
    } else {
        Tone::Warning
    };
    notice(
        tone,
        format!(
            "Last update by the vendor {}{sequence}; valid until {until}.{problem}",
            time(last)
        ),
    )
}

fn first_step(knowledge: &Knowledge, verdict: &Verdict) -> Block {
    let mut spans = vec![
        strong(format!("{}: ", verdict.component)),
        plain(format!("{} (", verdict.title)),
        to_advisory(&verdict.advisory.id),
        plain("). "),
    ];
    if let Some(remedy) = outdated::remedy(knowledge, verdict) {
        spans.push(plain(format!(
            "Fixed, but an earlier version still runs. {remedy}"
        )));
        return Block::Paragraph(spans);
    }
    let known = knowledge.advisory(&verdict.advisory.id);
    let workaround = known.is_some_and(|known| known.has_workarounds);
    spans.push(match (&verdict.correction, workaround) {
        (Some(_), _) => link(
            "Correction available.",
            Place::Advisory(verdict.advisory.id.clone()),
        ),
        (None, true) => plain("No correction available yet; workaround described."),
        (None, false) => plain("No correction available yet."),
    });
    if verdict.known_exploited {
        spans.push(strong(" Known exploited."));
    }
    Block::Paragraph(spans)
}

fn table(caption: &str, verdicts: &[&Verdict], decisions: &Decisions, empty: &str) -> Block {
    let verdicts = &verdicts[..verdicts.len().min(MOST_ROWS)];
    let mut table = Table {
        caption: caption.to_owned(),
        columns: ["Component", "Advisory", "Severity", "Why", "Correction"]
            .map(str::to_owned)
            .to_vec(),
        rows: verdicts.iter().map(|verdict| row(verdict)).collect(),
        empty: empty.to_owned(),
    };
    decided::column(&mut table, verdicts, decisions);
    Block::Table(table)
}

fn row(verdict: &Verdict) -> Vec<Cell> {
    let correction = match (&verdict.correction, verdict.status) {
        (Some(_), _) => cell(vec![link(
            "ready",
            Place::Advisory(verdict.advisory.id.clone()),
        )]),
        (None, Status::Affected) => cell(vec![plain("none yet")]),
        (None, _) if verdict.mark.is_some() => cell(vec![plain("applied")]),
        (None, _) => cell(vec![plain("–")]),
    };
    vec![
        cell(vec![strong(verdict.component.clone())]),
        cell(vec![
            to_advisory(&verdict.advisory.id),
            plain(format!(" {}", verdict.title)),
        ]),
        labelled(
            verdict_badges(verdict)
                .into_iter()
                .chain(verdict.mark.map(outdated::mark_badge))
                .collect(),
        ),
        cell(vec![plain(verdict.reason.clone())]),
        correction,
    ]
}

/// Says how many rows a table leaves out, and where they are.
fn rest(all: usize, standing: Stands, blocks: &mut Vec<Block>) {
    if all <= MOST_ROWS {
        return;
    }
    blocks.push(Block::Paragraph(vec![
        plain(format!("And {} more: see ", all - MOST_ROWS)),
        link_to_list("the advisories", listing::standing(standing)),
        plain("."),
    ]));
}

fn unreadable(knowledge: &Knowledge, blocks: &mut Vec<Block>) {
    let mut any = knowledge.unreadable().peekable();
    if any.peek().is_none() {
        return;
    }
    blocks.push(heading("Documents that cannot be read"));
    blocks.push(paragraph("These documents are signed by the vendor but not supported by this plugin version. Update the plugin."));
    let all = knowledge.unreadable().count();
    if all > MOST_UNREADABLE {
        blocks.push(paragraph(format!(
            "{all} documents; the first {MOST_UNREADABLE}:"
        )));
    }
    for unreadable in any.take(MOST_UNREADABLE) {
        blocks.push(paragraph(format!(
            "{} revision {}: {}",
            unreadable.document.id, unreadable.document.revision, unreadable.reason
        )));
    }
}

/// The labels of an advisory that is not tied to a verdict.
pub(super) fn labels(
    known: &crate::headline::Headline,
) -> Vec<crate::bindings::exports::spacecp::advisories::pages::Badge> {
    let mut badges = advisory_badges(
        known.rating.severity,
        known.rating.score,
        known.known_exploited,
        known.embargo,
    );
    badges.extend(known.notice.map(notice_badge));
    badges
}
