//! `check`: which installed components are exposed, and why.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde_json::{Value, json};
use spacecp_scan::processes::OutdatedProcess;

use super::{
    CommandError, Ending, Output,
    arguments::{Check, Deny, Format},
    coverage::Coverage,
    redacted_output::RedactedOutput,
    sarif, way_out,
};
use crate::{
    decisions::{Decision, Kind, State},
    plugin::bindings::exports::spacecp::advisories::{
        exposure::{ExposureReport, NoticeKind, Noticed, Status, Verdict},
        pages::{Badge, Block, Cell, Heading, Notice, Page, Severity, Span, Style, Table, Tone},
    },
    services::{OutdatedComponent, Panel, counted_status, mark_word, matters},
    store::Freshness,
};

/// Severities, as a list of findings is sorted.
const WORST_FIRST: [Severity; 6] = [
    Severity::Critical,
    Severity::High,
    Severity::Medium,
    Severity::Low,
    Severity::None,
    Severity::Unrated,
];

pub(super) async fn check(
    panel: &Panel,
    asked: &Check,
    out: &Output,
) -> Result<Ending, CommandError> {
    let report = panel.exposure.report().await?;
    let freshness = panel.feed.freshness().await?;
    let decisions = panel.decisions.current().await?;
    let telling = RedactedOutput::of(panel, out).await;
    let now = Timestamp::now();
    let coverage = Coverage::of(panel).await;
    let outdated = panel.exposure.outdated(coverage.inventory());
    if asked.format == Format::Sarif {
        let verdicts = telling.verdicts(&report.verdicts).await?;
        let noticed: Vec<Verdict> = concerning(&report).map(|one| one.verdict.clone()).collect();
        let noticed = telling.verdicts(&noticed).await?;
        let problems = problems(&report, &coverage, &freshness, now);
        out.value(&sarif::log(&verdicts, &noticed, &problems))?;
    } else if out.json || asked.format == Format::Json {
        let standing = report.verdicts.iter().map(|one| (one, None));
        let repeated = report.repeated.iter();
        let repeated = repeated.map(|one| (&one.verdict, Some(one.same_flaw_as.as_str())));
        let mut all: Vec<(&Verdict, Option<&str>)> = standing.chain(repeated).collect();
        let mut summary = json!(report.summary);
        summary["worst"] = json!(report.summary.worst.map(severity_word));
        if !out.under_embargo {
            let exposed = all.iter().map(|(verdict, _)| *verdict);
            let exposed = exposed.filter(|one| counted_status(one) == Status::Affected);
            summary["worst"] = json!(telling.worst(exposed, &WORST_FIRST).map(severity_word));
            // Whether it repeats another, and its place among the others, say more than an id.
            for (verdict, same_flaw_as) in &mut all {
                *same_flaw_as = same_flaw_as.filter(|_| telling.is_public(verdict));
            }
            all.sort_by_cached_key(|(verdict, _)| telling.sort_key(verdict));
        }
        let verdicts = all.into_iter();
        let verdicts: Vec<Value> = verdicts
            .map(|(verdict, same_flaw_as)| told(verdict, same_flaw_as, &decisions))
            .collect();
        let mut noticed: Vec<&Noticed> = report.notices.iter().collect();
        noticed.sort_by_cached_key(|one| telling.sort_key(&one.verdict));
        let notices: Vec<Value> = noticed
            .into_iter()
            .map(|one| told_notice(one, &decisions))
            .collect();
        let whole = json!({
            "summary": summary,
            "coverage": coverage.json(),
            "verdicts": verdicts,
            "restart-pending": outdated.iter().map(told_outdated).collect::<Vec<_>>(),
            "notices": notices,
            "unreadable": report.unreadable,
            "freshness": freshness,
        });
        telling.value(&whole).await?;
    } else {
        let page = page(&report, &decisions, &freshness, &coverage, &outdated, now);
        out.page(&page)?;
    }
    let denied = asked.deny.contains(&Deny::Notices) && concerning(&report).next().is_some();
    let is_read = asked.allow_unread || coverage.unread().next().is_none();
    let well = !denied
        && is_heard(&freshness, now)
        && is_read
        && (all_is_well(&report) || asked.allow_accepted && all_is_accepted(&report, &decisions));
    Ok(if well { Ending::Well } else { Ending::Exposed })
}

/// The verdict with what was decided about it beside it, and whose verdict speaks for it if it is not its own.
/// A script that compares with other people's lists wants every advisory; one that counts flaws leaves those out.
fn told(verdict: &Verdict, same_flaw_as: Option<&str>, decisions: &[Decision]) -> Value {
    let beside: Vec<_> = beside(verdict, decisions).collect();
    let mut told = json!(verdict);
    told["status"] = json!(status_word(verdict.status));
    told["mark"] = json!(verdict.mark.map(mark_word));
    told["severity"] = json!(severity_word(verdict.severity));
    told["same_flaw_as"] = json!(same_flaw_as);
    told["decisions"] = json!(beside);
    if verdict.status == Status::Unknown {
        told["ways_out"] = json!(way_out::of(verdict));
    }
    told
}

/// What runs of a component from before it was changed, for programs. It names no advisory.
fn told_outdated(outdated: &OutdatedComponent) -> Value {
    let process = |process: &OutdatedProcess| {
        json!({
            "pid": process.pid,
            "user": process.user,
            "name": process.name,
            "started": process.started,
            "why": process.why,
            "version": process.version,
            "unit": process.unit,
        })
    };
    json!({
        "component": outdated.component,
        "processes": outdated.processes.iter().map(process).collect::<Vec<_>>(),
        "undecided": outdated.undecided,
        "remedy": outdated.remedy,
    })
}

/// What a notice says of a component, with what the notice is.
fn told_notice(noticed: &Noticed, decisions: &[Decision]) -> Value {
    let mut notice = told(&noticed.verdict, None, decisions);
    notice["kind"] = json!(kind_word(noticed.kind));
    notice
}

/// The notices about something here, or that may be about it.
fn concerning(report: &ExposureReport) -> impl Iterator<Item = &Noticed> {
    report
        .notices
        .iter()
        .filter(|one| matches!(one.verdict.status, Status::Affected | Status::Unknown))
}

/// The notice's word in JSON and on a terminal.
fn kind_word(kind: NoticeKind) -> &'static str {
    match kind {
        NoticeKind::Unmaintained => "unmaintained",
        NoticeKind::Unsound => "unsound",
        NoticeKind::Notice => "notice",
        NoticeKind::Other => "other",
    }
}

/// The decisions about an exposure, whether they hold or not.
fn beside<'a>(
    verdict: &'a Verdict,
    decisions: &'a [Decision],
) -> impl Iterator<Item = &'a Decision> {
    decisions
        .iter()
        .filter(move |decision| is_about(decision, verdict))
}

fn is_about(decision: &Decision, verdict: &Verdict) -> bool {
    let status = counted_status(verdict);
    decision.is_about(&verdict.advisory.id, &verdict.component, status)
}

/// Whether a risk can be accepted: nobody can say that there is none.
fn is_open(verdict: &Verdict) -> bool {
    matches!(counted_status(verdict), Status::Affected | Status::Unknown)
}

/// Whether every exposure, and every unknown verdict, is accepted, and there is nothing else to worry about.
fn all_is_accepted(report: &ExposureReport, decisions: &[Decision]) -> bool {
    let accepted = |verdict: &Verdict| {
        decisions.iter().any(|decision| {
            decision.kind == Kind::Acceptance
                && decision.state == State::Standing
                && is_about(decision, verdict)
        })
    };
    let mut open = report.verdicts.iter().filter(|verdict| is_open(verdict));
    let of = |status: Status| {
        let verdicts = report.verdicts.iter();
        let these = verdicts.filter(move |verdict| counted_status(verdict) == status);
        these
            .map(|verdict| &verdict.component)
            .collect::<BTreeSet<_>>()
    };
    let exposed = of(Status::Affected);
    let undecided = of(Status::Unknown).difference(&exposed).count();
    // Of a component whose version is not known and that no advisory names nobody has accepted anything.
    open.all(accepted)
        && report.unreadable.is_empty()
        && report.summary.undecided as usize == undecided
}

/// What kept the verdicts from being about everything, each with the place and the reason.
fn problems(
    report: &ExposureReport,
    coverage: &Coverage,
    freshness: &Freshness,
    now: Timestamp,
) -> Vec<sarif::Problem> {
    let problem = |is_serious| {
        move |(path, why): (&str, String)| sarif::Problem {
            id: "unread-path",
            is_serious,
            place: Some(path.to_owned()),
            words: format!("{path} could not be read: {why}"),
        }
    };
    let unread = coverage.unread().map(problem(true));
    let acknowledged = coverage.acknowledged().map(problem(false));
    let unreadable = report.unreadable.iter().map(|one| sarif::Problem {
        id: "unreadable-document",
        is_serious: true,
        place: None,
        // The reason may quote what is under embargo.
        words: format!(
            "cannot read {} revision {}",
            one.document.id, one.document.revision
        ),
    });
    let stale = staleness(freshness, now).filter(|_| !is_heard(freshness, now));
    let stale = stale.map(|words| sarif::Problem {
        id: "feed-not-current",
        is_serious: true,
        place: None,
        words,
    });
    let scan = unread.chain(acknowledged);
    scan.chain(unreadable).chain(stale).collect()
}

/// Whether nothing is exposed, and nothing undecided.
fn all_is_well(report: &ExposureReport) -> bool {
    report.summary.exposed == 0 && nobody_wonders(report)
}

/// Whether there is a verdict about everything that was found, and no document that could not be read.
fn nobody_wonders(report: &ExposureReport) -> bool {
    report.summary.undecided == 0 && report.unreadable.is_empty()
}

/// Whether the vendor's word is there, and still good: before the first, and after the last has
/// expired, nobody can say that nothing is wrong.
fn is_heard(freshness: &Freshness, now: Timestamp) -> bool {
    freshness.sequence.is_some() && !freshness.is_stale(now)
}

/// What there is to say about how current the verdicts are, if there is anything.
fn staleness(freshness: &Freshness, now: Timestamp) -> Option<String> {
    let Some(until) = freshness.valid_until else {
        return Some(
            "Not synced yet: status unknown. Run \"spacecp-advisories sync\" first.".to_owned(),
        );
    };
    let minute = |time: Timestamp| time.strftime("%Y-%m-%d %H:%M UTC").to_string();
    let problem = freshness
        .problem
        .as_ref()
        .map(|problem| format!(" The last sync failed: {problem}"));
    if freshness.is_stale(now) {
        let last = freshness.spoken.map_or_else(String::new, minute);
        let problem = problem.unwrap_or_default();
        return Some(format!(
            "The data from the feed expired at {}; last updated {last}.{problem}",
            minute(until)
        ));
    }
    problem.map(|problem| problem.trim_start().to_owned())
}

/// The verdicts as a page, so that they are drawn, and made safe, like any other.
fn page(
    report: &ExposureReport,
    decisions: &[Decision],
    freshness: &Freshness,
    coverage: &Coverage,
    outdated: &[OutdatedComponent],
    now: Timestamp,
) -> Page {
    let summary = &report.summary;
    let standing = format!(
        "{} of {} components affected{}, {} unknown, {} advisories checked",
        summary.exposed,
        summary.components,
        match summary.restart_pending {
            0 => String::new(),
            some => format!(" ({some} of them fixed, restart pending)"),
        },
        summary.undecided,
        summary.advisories
    );
    let is_read = coverage.unread().next().is_none();
    let tone = match (summary.exposed, summary.undecided) {
        (0, 0) if all_is_well(report) && is_read && is_heard(freshness, now) => Tone::Good,
        (0, _) => Tone::Warning,
        _ => Tone::Danger,
    };
    let mut blocks = vec![Block::Notice(Notice {
        tone,
        spans: vec![plain(standing)],
    })];
    if summary.unread > 0 {
        let places = match summary.unread {
            1 => "1 path".to_owned(),
            many => format!("{many} paths"),
        };
        let words = format!(
            "{places} could not be read, so components there are unknown. See \"spacecp-advisories unread\"."
        );
        blocks.push(Block::Notice(Notice {
            tone: Tone::Warning,
            spans: vec![plain(words)],
        }));
    }
    blocks.push(Block::Paragraph(vec![plain(coverage.line().to_owned())]));
    let unexamined = coverage.unexamined().into_iter();
    blocks.extend(unexamined.map(|line| Block::Paragraph(vec![plain(line)])));
    if let Some(words) = staleness(freshness, now) {
        blocks.push(Block::Notice(Notice {
            tone: Tone::Warning,
            spans: vec![plain(words)],
        }));
    }
    let shown: Vec<&Verdict> = report
        .verdicts
        .iter()
        .filter(|verdict| matters(verdict))
        .collect();
    let mut table = Table {
        caption: "Verdicts".to_owned(),
        columns: [
            "Verdict",
            "Component",
            "Advisory",
            "Severity",
            "Reason",
            "Correction",
        ]
        .map(str::to_owned)
        .to_vec(),
        rows: shown.iter().map(|verdict| row(verdict)).collect(),
        empty: "No affected or unknown components.".to_owned(),
    };
    add_decisions(&mut table, &shown, decisions);
    blocks.push(Block::Table(table));
    blocks.extend(processes(outdated));
    blocks.extend(way_out::blocks(&report.verdicts));
    blocks.extend(notices(report));
    for unreadable in &report.unreadable {
        let words = format!(
            "cannot read {} revision {}: {}",
            unreadable.document.id, unreadable.document.revision, unreadable.reason
        );
        blocks.push(Block::Notice(Notice {
            tone: Tone::Warning,
            spans: vec![plain(words)],
        }));
    }
    let noticed = concerning(report).map(|one| &one.verdict);
    let embargo = report
        .verdicts
        .iter()
        .chain(noticed)
        .any(|verdict| verdict.embargo && matters(verdict));
    Page {
        title: "Exposure".to_owned(),
        blocks,
        embargo,
    }
}

/// The processes that run a version from before a component was changed, and how to restart each.
fn processes(outdated: &[OutdatedComponent]) -> Vec<Block> {
    let each = outdated.iter().flat_map(|component| {
        component.processes.iter().map(move |process| {
            let started = process.started;
            let started = started.map(|time| time.strftime("%Y-%m-%d %H:%M UTC").to_string());
            [
                component.component.clone(),
                format!("{} ({})", process.name, process.pid),
                process.user.clone(),
                started.unwrap_or_else(|| "not known".to_owned()),
                process.why.clone(),
                component.remedy.clone(),
            ]
        })
    });
    let cell = |text: String| Cell {
        badges: Vec::new(),
        spans: vec![plain(text)],
    };
    let rows: Vec<Vec<Cell>> = each
        .map(|texts| texts.into_iter().map(cell).collect())
        .collect();
    let caption = "Restart pending: processes from before the component was changed";
    let mut blocks = Vec::new();
    if !rows.is_empty() {
        blocks.push(Block::Heading(Heading {
            level: 2,
            spans: vec![plain("Restart pending".to_owned())],
        }));
        blocks.push(Block::Table(Table {
            caption: caption.to_owned(),
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
            rows,
            empty: String::new(),
        }));
    }
    for component in outdated {
        if let Some(undecided) = &component.undecided {
            let words = format!(
                "Whether an earlier version of {} still runs is unknown: {undecided}. Run the check as root, or restart it: {}",
                component.component, component.remedy
            );
            blocks.push(Block::Notice(Notice {
                tone: Tone::Warning,
                spans: vec![plain(words)],
            }));
        }
    }
    blocks
}

/// What is worth knowing of components and is no exposure.
fn notices(report: &ExposureReport) -> Vec<Block> {
    let cell = |text: String| Cell {
        badges: Vec::new(),
        spans: vec![plain(text)],
    };
    let rows: Vec<Vec<Cell>> = concerning(report)
        .map(|Noticed { verdict, kind }| {
            let label = Cell {
                badges: vec![Badge {
                    text: kind_word(*kind).to_owned(),
                    tone: Tone::Information,
                }],
                spans: Vec::new(),
            };
            let texts = [&verdict.component, &verdict.advisory.id, &verdict.reason];
            let texts = texts.into_iter().cloned().map(cell);
            std::iter::once(label).chain(texts).collect()
        })
        .collect();
    if rows.is_empty() {
        return Vec::new();
    }
    let caption = "Notices, none of which counts as affected";
    vec![
        Block::Heading(Heading {
            level: 2,
            spans: vec![plain(caption.to_owned())],
        }),
        Block::Table(Table {
            caption: caption.to_owned(),
            columns: ["Notice", "Component", "Advisory", "Reason"]
                .map(str::to_owned)
                .to_vec(),
            rows,
            empty: String::new(),
        }),
    ]
}

/// A column for what was decided, where anything was.
fn add_decisions(table: &mut Table, shown: &[&Verdict], decisions: &[Decision]) {
    if shown
        .iter()
        .all(|verdict| beside(verdict, decisions).next().is_none())
    {
        return;
    }
    table.columns.push("Decision".to_owned());
    for (row, verdict) in table.rows.iter_mut().zip(shown) {
        let words: Vec<String> = beside(verdict, decisions).map(in_short).collect();
        let words = if words.is_empty() {
            "–".to_owned()
        } else {
            words.join("; ")
        };
        row.push(Cell {
            badges: Vec::new(),
            spans: vec![plain(words)],
        });
    }
}

fn in_short(decision: &Decision) -> String {
    let what = match decision.kind {
        Kind::Workaround => "workaround in place",
        Kind::Acceptance => "accepted",
    };
    match (decision.state, decision.until) {
        (State::Standing, Some(until)) => {
            format!("{what} until {}", until.strftime("%Y-%m-%d %H:%M UTC"))
        }
        (State::Standing, None) => what.to_owned(),
        (state, _) => format!("was {what}: {}", state.as_str()),
    }
}

/// The verdict's word in JSON, as in the API.
fn status_word(status: Status) -> &'static str {
    match status {
        Status::Affected => "affected",
        Status::Fixed => "fixed",
        Status::NotAffected => "not-affected",
        Status::Unknown => "unknown",
    }
}

/// The severity's word, in JSON and on a terminal.
fn severity_word(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "critical",
        Severity::High => "high",
        Severity::Medium => "medium",
        Severity::Low => "low",
        Severity::None => "none",
        Severity::Unrated => "unrated",
    }
}

fn row(verdict: &Verdict) -> Vec<Cell> {
    let tone = match counted_status(verdict) {
        Status::Affected => Tone::Danger,
        Status::Unknown => Tone::Warning,
        Status::Fixed | Status::NotAffected => Tone::Good,
    };
    let word = status_word(verdict.status).replace('-', " ");
    let mark = verdict.mark.map(|mark| Badge {
        text: mark_word(mark).replace('-', " "),
        tone,
    });
    let severity = severity_word(verdict.severity);
    let score = verdict
        .score
        .map(|score| format!(" {}.{}", score / 10, score % 10))
        .unwrap_or_default();
    let exploited = if verdict.known_exploited {
        ", exploited"
    } else {
        ""
    };
    let correction = verdict
        .correction
        .as_ref()
        .map_or_else(|| "–".to_owned(), |correction| correction.id.clone());
    let texts = [
        verdict.component.clone(),
        verdict.advisory.id.clone(),
        format!("{severity}{score}{exploited}"),
        verdict.reason.clone(),
        correction,
    ];
    let label = Cell {
        badges: std::iter::once(Badge { text: word, tone })
            .chain(mark)
            .collect(),
        spans: Vec::new(),
    };
    std::iter::once(label)
        .chain(texts.into_iter().map(|text| Cell {
            badges: Vec::new(),
            spans: vec![plain(text)],
        }))
        .collect()
}

fn plain(text: String) -> Span {
    Span {
        text,
        style: Style {
            emphasis: false,
            strong: false,
            code: false,
            strikethrough: false,
        },
        link: None,
    }
}
