//! The page about automatic application, in the browser and on the terminal.
//!
//! Composed by the shim and not by the plugin: what holds the plugin must not be described by it.

use jiff::SignedDuration;

use super::{
    Foreseen, PolicyReport,
    pieces::{self, heading, minute, plain},
};
use crate::{
    automation::{Fate, Line, Quarantine, Run, Wake},
    plugin::bindings::exports::spacecp::advisories::pages::{
        Block, Cell, Fact, Notice, Page, Table, Tone,
    },
    policy::{Policy, Treatment, Windows},
};

/// The report as a page, for a browser and a terminal; with what would happen now, where that could
/// be found out.
pub fn page(report: &PolicyReport, foreseen: &Result<Foreseen, String>) -> Page {
    let mut blocks = vec![Block::Notice(notice(report))];
    blocks.push(Block::Facts(facts(report)));
    blocks.push(heading("What it would do now"));
    blocks.extend(foreseen_blocks(foreseen));
    if !report.quarantined.is_empty() {
        blocks.push(heading("In quarantine"));
        blocks.push(Block::Paragraph(vec![plain(
            "These failed here, or somebody took them back. They are not applied by themselves again until the vendor publishes another revision or an administrator releases them.",
        )]));
        blocks.push(quarantine(&report.quarantined));
    }
    blocks.push(heading("Last runs"));
    blocks.push(runs(&report.runs));
    Page {
        title: "Policy".to_owned(),
        blocks,
        embargo: foreseen.as_ref().is_ok_and(|foreseen| foreseen.embargo),
    }
}

/// What a policy that is not in force would do now.
pub(crate) fn trial(foreseen: &Result<Foreseen, String>) -> Page {
    let mut blocks = vec![Block::Notice(Notice {
        tone: Tone::Information,
        spans: vec![plain(
            "This is not in force yet. It is what this policy would do with what is known now.",
        )],
    })];
    blocks.extend(foreseen_blocks(foreseen));
    Page {
        title: "Policy: a preview".to_owned(),
        blocks,
        embargo: foreseen.as_ref().is_ok_and(|foreseen| foreseen.embargo),
    }
}

fn notice(report: &PolicyReport) -> Notice {
    let (tone, mut words) = match report.wake {
        Wake::Never if !report.policy.automatic => (
            Tone::Information,
            "Automatic application is off: corrections wait for you.".to_owned(),
        ),
        Wake::Never => (
            Tone::Warning,
            "Automatic application is on, and no window ever opens: nothing will be applied by itself."
                .to_owned(),
        ),
        Wake::At(next) => (
            Tone::Good,
            format!("Automatic application is on. It looks again at {}.", minute(next)),
        ),
        Wake::Now { .. } => (
            Tone::Good,
            "Automatic application is on, and its time is now: \"serve\" runs it within a minute."
                .to_owned(),
        ),
    };
    if let Some(missed) = report.agenda.missed {
        words.push_str(&format!(
            " The window of {} was missed, as nothing ran here; its run comes in the next one.",
            minute(missed)
        ));
    }
    Notice {
        tone,
        spans: vec![plain(words)],
    }
}

fn facts(report: &PolicyReport) -> Vec<Fact> {
    let policy = &report.policy;
    let mut facts = vec![
        fact("From severity", policy.minimum_severity.word()),
        fact("By severity", treatments(policy)),
        fact("Known to be exploited", exploited(policy)),
        fact("Waits", waits(report)),
        fact("Windows", windows(&policy.windows)),
    ];
    if !report.configured_windows.is_always() && report.configured_windows != policy.windows {
        let words = windows(&report.configured_windows);
        facts.push(fact("And only within", words));
    }
    if let Some(opening) = report.openings.first() {
        let word = if report.open { "open" } else { "next" };
        let words = format!(
            "{word}: {} to {}",
            minute(opening.begin),
            minute(opening.end)
        );
        facts.push(fact("Window", words));
    }
    facts.push(fact("May restart", policy.restarts.word()));
    let excluded: Vec<&str> = policy.excluded.iter().map(String::as_str).collect();
    let excluded = match excluded.as_slice() {
        [] => "nothing".to_owned(),
        names => names.join(", "),
    };
    facts.push(fact("Excluded", excluded));
    let decided = match (&report.decided_by, report.decided) {
        (Some(by), Some(at)) => format!("{by}, {}", minute(at)),
        _ => "the configuration".to_owned(),
    };
    facts.push(fact("Decided by", decided));
    facts
}

fn treatments(policy: &Policy) -> String {
    let severity = &policy.severity;
    let each = [
        ("low", severity.low),
        ("medium", severity.medium),
        ("high", severity.high),
        ("critical", severity.critical),
    ];
    let words: Vec<String> = each
        .iter()
        .map(|(name, treatment): &(&str, Treatment)| format!("{name} {}", treatment.word()))
        .collect();
    words.join(", ")
}

fn exploited(policy: &Policy) -> String {
    if !policy.known_exploited_at_once {
        return "like any other flaw".to_owned();
    }
    match (
        policy.known_exploited_skips_delay,
        policy.known_exploited_skips_windows,
    ) {
        (false, false) => "whatever its severity",
        (true, false) => "whatever its severity, without delay",
        (false, true) => "whatever its severity, outside windows too",
        (true, true) => "whatever its severity, without delay, outside windows too",
    }
    .to_owned()
}

fn waits(report: &PolicyReport) -> String {
    let policy = &report.policy;
    let mut words = Vec::new();
    if policy.delay_hours > 0 {
        words.push(format!("{} h after receipt", policy.delay_hours));
    }
    if policy.minimum_age_hours > 0 {
        words.push(format!("{} h after publication", policy.minimum_age_hours));
    }
    if policy.wave_hours > 0 {
        let wave = SignedDuration::from_secs(report.wave_seconds);
        let (hours, minutes) = (wave.as_hours(), wave.as_mins() % 60);
        words.push(format!(
            "{hours} h {minutes} min more here (waves over {} h)",
            policy.wave_hours
        ));
    }
    match words.as_slice() {
        [] => "for nothing".to_owned(),
        words => words.join(", "),
    }
}

fn windows(windows: &Windows) -> String {
    if windows.is_always() {
        return "none: at any time".to_owned();
    }
    let words: Vec<String> = windows.0.iter().map(ToString::to_string).collect();
    words.join("; ")
}

fn foreseen_blocks(foreseen: &Result<Foreseen, String>) -> Vec<Block> {
    match foreseen {
        Err(reason) => vec![Block::Notice(Notice {
            tone: Tone::Warning,
            spans: vec![plain(format!("That cannot be said: {reason}"))],
        })],
        Ok(foreseen) => {
            let of = |fate: Fate| {
                foreseen
                    .lines
                    .iter()
                    .filter(|line| line.fate == fate)
                    .count()
            };
            let words = format!(
                "Would apply now: {}. Would hold: {}.",
                of(Fate::Due),
                of(Fate::Held) + of(Fate::Refused)
            );
            vec![
                Block::Paragraph(vec![plain(words)]),
                lines(
                    "What would be applied now, and what would be held back",
                    &foreseen.lines,
                    "There is nothing to correct.",
                ),
            ]
        }
    }
}

/// Lines of a run, or of one that was foreseen.
pub(crate) fn lines(caption: &str, lines: &[Line], empty: &str) -> Block {
    let columns = ["What", "Correction", "Component", "Because", "Due"];
    Block::Table(Table {
        caption: caption.to_owned(),
        columns: columns.map(str::to_owned).to_vec(),
        rows: lines.iter().map(row).collect(),
        empty: empty.to_owned(),
    })
}

fn row(line: &Line) -> Vec<Cell> {
    let (tone, word) = fate(line.fate);
    let due = line.due.map_or("–".to_owned(), minute);
    vec![
        badge(tone, word),
        text(format!("{} revision {}", line.correction, line.revision)),
        text(line.component.clone()),
        text(line.reason.clone()),
        text(due),
    ]
}

fn fate(fate: Fate) -> (Tone, &'static str) {
    match fate {
        Fate::Due => (Tone::Information, "would apply"),
        Fate::UnderWay => (Tone::Information, "under way"),
        Fate::Applied => (Tone::Good, "applied"),
        Fate::Failed => (Tone::Danger, "failed"),
        Fate::Refused => (Tone::Warning, "refused"),
        Fate::Held => (Tone::Neutral, "held"),
    }
}

fn quarantine(quarantined: &[Quarantine]) -> Block {
    let columns = ["Since", "Correction", "Component", "Because"];
    let row = |kept: &Quarantine| {
        vec![
            text(minute(kept.since)),
            text(format!("{} revision {}", kept.correction, kept.revision)),
            text(kept.component.clone()),
            text(kept.reason.clone()),
        ]
    };
    Block::Table(Table {
        caption: "What is not applied by itself any more".to_owned(),
        columns: columns.map(str::to_owned).to_vec(),
        rows: quarantined.iter().map(row).collect(),
        empty: String::new(),
    })
}

fn runs(runs: &[Run]) -> Block {
    Block::Table(Table {
        caption: "The newest runs first".to_owned(),
        columns: ["When", "What came of it"].map(str::to_owned).to_vec(),
        rows: runs
            .iter()
            .map(|run| vec![text(minute(run.began)), text(summary(run))])
            .collect(),
        empty: "There was no run yet.".to_owned(),
    })
}

/// A run in one sentence or a few.
fn summary(run: &Run) -> String {
    let mut words = Vec::new();
    for line in &run.lines {
        let word = match line.fate {
            Fate::Held | Fate::Due => continue,
            other => fate(other).1,
        };
        let because = match line.fate {
            Fate::Applied | Fate::UnderWay => String::new(),
            _ => format!(" ({})", line.reason),
        };
        words.push(format!(
            "{} {word} for {}{because}.",
            line.correction, line.component
        ));
    }
    let held = run
        .lines
        .iter()
        .filter(|line| line.fate == Fate::Held)
        .count();
    if words.is_empty() {
        words.push("Nothing was due.".to_owned());
    }
    if held > 0 {
        words.push(format!("Held back: {held}."));
    }
    if let Some(missed) = run.late_since {
        words.push(format!(
            "It came late: the window of {} was missed.",
            minute(missed)
        ));
    }
    if let Some(problem) = &run.problem {
        words.push(format!("Problem: {problem}."));
    }
    if run.ended.is_none() {
        words.push("It has not ended, or was cut off.".to_owned());
    }
    words.join(" ")
}

fn fact(label: &str, words: impl Into<String>) -> Fact {
    pieces::fact(label, vec![plain(words)])
}

fn badge(tone: Tone, word: &str) -> Cell {
    pieces::labelled(word, tone)
}

fn text(words: impl Into<String>) -> Cell {
    pieces::text(vec![plain(words)])
}
