//! The page about automatic application, in the browser and on the terminal.
//!
//! Composed by the shim and not by the plugin: what holds the plugin must not be described by it.

use jiff::SignedDuration;

use spacecp_render::page_builder::{self, heading, minute, plain};

use super::{Fate, Line, PolicyReport, Preview, Quarantine, Run, Wake};
use crate::{
    plugin::bindings::exports::spacecp::advisories::pages::{
        Block, Cell, Fact, Notice, Page, Table, Tone,
    },
    policy::{Policy, Treatment, Windows},
};

/// The report as a page, for a browser and a terminal; with what would happen now, where that could
/// be found out.
pub fn page(report: &PolicyReport, preview: &Result<Preview, String>) -> Page {
    let mut blocks = vec![Block::Notice(notice(report))];
    blocks.push(Block::Facts(facts(report)));
    blocks.push(heading("Preview"));
    blocks.extend(preview_blocks(preview));
    if !report.quarantined.is_empty() {
        blocks.push(heading("In quarantine"));
        blocks.push(Block::Paragraph(vec![plain(
            "These corrections failed or were rolled back. They are not applied automatically until their next revision or their release by an administrator.",
        )]));
        blocks.push(quarantine(&report.quarantined));
    }
    blocks.push(heading("Last runs"));
    blocks.push(runs(&report.runs));
    Page {
        title: "Policy".to_owned(),
        blocks,
        embargo: preview.as_ref().is_ok_and(|preview| preview.embargo),
    }
}

/// What a policy that is not in force would do now.
pub fn trial(preview: &Result<Preview, String>) -> Page {
    let mut blocks = vec![Block::Notice(Notice {
        tone: Tone::Information,
        spans: vec![plain(
            "This policy is not saved yet. The preview shows what it would do now.",
        )],
    })];
    blocks.extend(preview_blocks(preview));
    Page {
        title: "Policy preview".to_owned(),
        blocks,
        embargo: preview.as_ref().is_ok_and(|preview| preview.embargo),
    }
}

fn notice(report: &PolicyReport) -> Notice {
    let (tone, mut words) = match report.wake {
        Wake::Never if !report.policy.automatic => (
            Tone::Information,
            "Automatic application is disabled.".to_owned(),
        ),
        Wake::Never => (
            Tone::Warning,
            "Automatic application is enabled, but no maintenance window ever opens: nothing will be applied automatically."
                .to_owned(),
        ),
        Wake::At(next) => (
            Tone::Good,
            format!("Automatic application is enabled. Next run at {}.", minute(next)),
        ),
        Wake::Now { .. } => (
            Tone::Good,
            "Automatic application is enabled. \"serve\" starts the next run within a minute."
                .to_owned(),
        ),
    };
    if let Some(missed) = report.agenda.missed {
        words.push_str(&format!(
            " The window of {} was missed because the panel was not running; the run follows in the next window.",
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
        fact("Minimum severity", policy.minimum_severity.word()),
        fact("Severity rules", treatments(policy)),
        fact("Known exploited", exploited(policy)),
        fact("Waits", waits(report)),
        fact("Windows", windows(&policy.windows)),
    ];
    if !report.configured_windows.is_always() && report.configured_windows != policy.windows {
        let words = windows(&report.configured_windows);
        facts.push(fact("Limited to", words));
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
        return "like any other vulnerability".to_owned();
    }
    match (
        policy.known_exploited_skips_delay,
        policy.known_exploited_skips_windows,
    ) {
        (false, false) => "regardless of severity",
        (true, false) => "regardless of severity, without delay",
        (false, true) => "regardless of severity, also outside windows",
        (true, true) => "regardless of severity, without delay, also outside windows",
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
            "{hours} h {minutes} min further delay on this host (rollout over {} h)",
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

fn preview_blocks(preview: &Result<Preview, String>) -> Vec<Block> {
    match preview {
        Err(reason) => vec![Block::Notice(Notice {
            tone: Tone::Warning,
            spans: vec![plain(format!("Preview failed: {reason}"))],
        })],
        Ok(preview) => {
            let of = |fate: Fate| {
                preview
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
                    "Corrections that would be applied or held back",
                    &preview.lines,
                    "No corrections to apply.",
                ),
            ]
        }
    }
}

/// Lines of a run, or of one that was preview.
pub fn lines(caption: &str, lines: &[Line], empty: &str) -> Block {
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
        caption: "Corrections in quarantine".to_owned(),
        columns: columns.map(str::to_owned).to_vec(),
        rows: quarantined.iter().map(row).collect(),
        empty: String::new(),
    })
}

fn runs(runs: &[Run]) -> Block {
    Block::Table(Table {
        caption: "Runs, newest first".to_owned(),
        columns: ["When", "Outcome"].map(str::to_owned).to_vec(),
        rows: runs
            .iter()
            .map(|run| vec![text(minute(run.began)), text(summary(run))])
            .collect(),
        empty: "No runs yet.".to_owned(),
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
            "Delayed: the window of {} was missed.",
            minute(missed)
        ));
    }
    if let Some(problem) = &run.problem {
        words.push(format!("Problem: {problem}."));
    }
    if run.ended.is_none() {
        words.push("In progress or interrupted.".to_owned());
    }
    words.join(" ")
}

fn fact(label: &str, words: impl Into<String>) -> Fact {
    page_builder::fact(label, vec![plain(words)])
}

fn badge(tone: Tone, word: &str) -> Cell {
    page_builder::labelled(word, tone)
}

fn text(words: impl Into<String>) -> Cell {
    page_builder::text(vec![plain(words)])
}
