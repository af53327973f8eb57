//! One advisory: what is wrong, what it means for this panel, and what can be done.

use jiff::Timestamp;
use spacecp_contract::Advisory;

use super::{
    advisories::standing, badge, cell, code, counted, day, decided, fact, heading, labelled,
    notice, outdated, overview::labels, paragraph, plain, roll_back, size, strong, to_advisory,
    way_out,
};
use crate::{
    bindings::{
        exports::spacecp::advisories::exposure::Verdict,
        exports::spacecp::advisories::pages::{
            Action, Apply, Block, Cell, Event, Fact, Item, Page, Table, Tone,
        },
        spacecp::advisories::corrections::{
            Application, FileChange, Finding, Gravity, Plan, Restart,
        },
    },
    decisions::Decisions,
    headline::Headline,
    knowledge::Knowledge,
    markdown,
};

/// Files of a plan that are listed; the rest is counted.
const MOST_FILES: usize = 200;

/// What the panel says of a correction for one component.
#[derive(Debug, Clone, PartialEq)]
pub struct Prepared {
    /// The component that it would be applied to.
    pub component: String,
    /// The plan, or why there is none.
    pub plan: Result<Plan, String>,
}

/// Who asks, as far as it matters to what they are offered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Asking {
    /// Whether they may act.
    pub may_act: bool,
    /// When.
    pub now: Timestamp,
    /// Whether there is a maintenance window to wait for.
    pub windows: bool,
}

/// Composes the page of one advisory, of which `advisory` is the document.
pub fn advisory(
    knowledge: &Knowledge,
    known: &Headline,
    advisory: &Advisory,
    prepared: &[Prepared],
    decisions: &Decisions,
    history: &[Application],
    asking: Asking,
) -> Page {
    let may_act = asking.may_act;
    let mut badges = labels(known);
    badges.push(standing(knowledge, known));
    let mut blocks = vec![Block::Badges(badges)];
    withdrawn(knowledge, known, &mut blocks);
    if known.notice.is_some() {
        blocks.push(notice(
            Tone::Information,
            "A notice, not a vulnerability: it does not count as affected.",
        ));
    }
    for prepared in prepared {
        correction(prepared, asking, &mut blocks);
    }
    embargo(advisory, asking.now, &mut blocks);
    blocks.push(heading("This panel"));
    blocks.push(verdicts(knowledge, known, decisions));
    blocks.extend(way_out::blocks(knowledge, &known.id));
    let exposures = decided::Exposures::new(knowledge, known, decisions);
    let marked: Vec<&str> = knowledge
        .verdicts_of(&known.id)
        .filter(|verdict| verdict.mark.is_some())
        .map(|verdict| verdict.component.as_str())
        .collect();
    let components = knowledge.components().iter();
    outdated::section(
        components.filter(|component| marked.contains(&&*component.name)),
        &mut blocks,
    );
    exposures.decisions(may_act, &mut blocks);
    let answered = |application: &&Application| {
        advisory
            .corrections
            .iter()
            .any(|id| id.as_str() == application.correction.id)
    };
    for application in history
        .iter()
        .filter(answered)
        .filter(|application| application.reversible)
    {
        blocks.push(paragraph(format!(
            "{} corrected from {} to {}.",
            application.component, application.from, application.to
        )));
        if may_act {
            blocks.push(roll_back(application));
        }
    }
    if may_act {
        exposures.accept(&mut blocks);
    }
    section("Issue", &advisory.issue, &mut blocks);
    section("Impacts", &advisory.impacts, &mut blocks);
    if !advisory.workarounds.is_empty() {
        blocks.push(heading("Workarounds"));
        for workaround in &advisory.workarounds {
            blocks.extend(markdown::blocks(&workaround.text, 3));
            if may_act {
                exposures.mark(&workaround.id, &mut blocks);
            }
        }
    }
    section("Solution", &advisory.solution, &mut blocks);
    for plan in prepared
        .iter()
        .filter_map(|prepared| prepared.plan.as_ref().ok())
    {
        files(plan, &mut blocks);
    }
    blocks.push(heading("About this advisory"));
    blocks.push(Block::Facts(facts(advisory)));
    timeline(advisory, &mut blocks);
    references(advisory, &mut blocks);
    Page {
        title: format!("{}: {}", advisory.id, advisory.title),
        blocks,
        embargo: advisory.is_under_embargo(),
    }
}

fn embargo(advisory: &Advisory, now: Timestamp, blocks: &mut Vec<Block>) {
    if !advisory.is_under_embargo() {
        return;
    }
    let until = advisory
        .embargo_until
        .map(|until| planned(until, now))
        .unwrap_or_default();
    let text = format!(
        "Under embargo ({}). You may apply and test the correction. Do not share, publish or highlight this advisory.{until}",
        advisory.tlp
    );
    blocks.push(notice(Tone::Embargo, text));
}

/// A date that has passed lifts nothing by itself: the vendor may have had to wait.
fn planned(until: Timestamp, now: Timestamp) -> String {
    let day = day(until);
    if until > now {
        return format!(" Disclosure is planned for {day}.");
    }
    format!(
        " Disclosure was planned for {day}, but the vendor has not published it yet; the embargo continues until then."
    )
}

fn withdrawn(knowledge: &Knowledge, known: &Headline, blocks: &mut Vec<Block>) {
    if let Some(since) = known.withdrawn {
        blocks.push(notice(
            Tone::Information,
            format!(
                "Withdrawn by the vendor on {}: no longer valid.",
                day(since)
            ),
        ));
    } else if !knowledge.in_force(known) {
        blocks.push(notice(Tone::Information, "Superseded by another advisory."));
    }
}

fn facts(advisory: &Advisory) -> Vec<Fact> {
    let mut facts = vec![
        fact("Published", vec![plain(day(advisory.published))]),
        fact(
            "Revision",
            vec![plain(format!(
                "{} of {}",
                advisory.revision,
                day(advisory.modified)
            ))],
        ),
        fact("Distribution", vec![plain(advisory.tlp.to_string())]),
    ];
    if !advisory.aliases.is_empty() {
        facts.push(fact(
            "Also known as",
            vec![plain(advisory.aliases.join(", "))],
        ));
    }
    for vector in &advisory.severity {
        facts.push(fact("CVSS", vec![code(vector.clone())]));
    }
    if !advisory.cwe.is_empty() {
        let numbers: Vec<String> = advisory
            .cwe
            .iter()
            .map(|number| format!("CWE-{number}"))
            .collect();
        facts.push(fact("Weakness", vec![plain(numbers.join(", "))]));
    }
    for credit in &advisory.credits {
        facts.push(fact(
            "Credits",
            vec![plain(format!("{} ({})", credit.name, credit.role))],
        ));
    }
    if let Some(source) = &advisory.source {
        facts.push(fact(
            "Imported from",
            vec![
                code(source.id.clone()),
                plain(format!(" ({})", source.format)),
            ],
        ));
    }
    for superseded in &advisory.supersedes {
        facts.push(fact("Supersedes", vec![to_advisory(superseded)]));
    }
    facts
}

fn verdicts(knowledge: &Knowledge, known: &Headline, decisions: &Decisions) -> Block {
    let verdicts: Vec<&Verdict> = knowledge.verdicts_of(&known.id).collect();
    let rows = verdicts.iter().map(|verdict| {
        vec![
            cell(vec![strong(verdict.component.clone())]),
            cell(vec![plain(
                verdict
                    .version
                    .clone()
                    .unwrap_or_else(|| "not known".to_owned()),
            )]),
            labelled(outdated::badges(verdict)),
            cell(vec![plain(verdict.reason.clone())]),
        ]
    });
    let mut table = Table {
        caption: "Verdicts".to_owned(),
        columns: ["Component", "Version", "Verdict", "Why"]
            .map(str::to_owned)
            .to_vec(),
        rows: rows.collect(),
        empty: "No installed component matches this advisory.".to_owned(),
    };
    decided::column(&mut table, &verdicts, decisions);
    Block::Table(table)
}

fn correction(prepared: &Prepared, asking: Asking, blocks: &mut Vec<Block>) {
    blocks.push(heading(&format!("Correction of {}", prepared.component)));
    let plan = match &prepared.plan {
        Ok(plan) => plan,
        Err(reason) => {
            return blocks.push(notice(
                Tone::Warning,
                format!("No plan available: {reason}"),
            ));
        }
    };
    let restart = match plan.restart {
        Restart::None => "No restart",
        Restart::Component => "Restarts the component",
        Restart::Panel => "Restarts the panel",
    };
    blocks.push(Block::Paragraph(vec![
        code(plan.from.clone()),
        plain(" → "),
        code(plan.to.clone()),
        plain(format!(
            ". {restart}. Files: {}. Download: {}.",
            counts(plan),
            size(plan.download)
        )),
    ]));
    for finding in &plan.findings {
        blocks.push(found(finding));
    }
    let obstructed = plan
        .findings
        .iter()
        .any(|finding| finding.gravity == Gravity::Obstacle);
    if asking.may_act && !obstructed {
        offer(plan, asking, blocks);
    }
    blocks.push(Block::Paragraph(vec![
        plain("Correction "),
        code(plan.correction.id.clone()),
        plain(format!(" revision {}.", plan.correction.revision)),
    ]));
}

/// The buttons that apply the plan, now or in a window.
fn offer(plan: &Plan, asking: Asking, blocks: &mut Vec<Block>) {
    let apply = Apply {
        correction: plan.correction.clone(),
        component: plan.component.clone(),
        plan: plan.digest.clone(),
        to: plan.to.clone(),
        overwrites: plan
            .findings
            .iter()
            .any(|finding| finding.gravity == Gravity::Warning),
    };
    blocks.push(Block::Action(Action::Apply(apply.clone())));
    if asking.windows {
        blocks.push(Block::Action(Action::Schedule(apply)));
    }
}

fn counts(plan: &Plan) -> String {
    let of = |change: FileChange| {
        plan.files
            .iter()
            .filter(|file| file.change == change)
            .count()
    };
    format!(
        "{} changed, {} added, {} removed",
        of(FileChange::Changed),
        of(FileChange::Added),
        of(FileChange::Removed)
    )
}

fn found(finding: &Finding) -> Block {
    let tone = match finding.gravity {
        Gravity::Information => Tone::Information,
        Gravity::Warning => Tone::Warning,
        Gravity::Obstacle => Tone::Danger,
    };
    let text = match &finding.remedy {
        Some(remedy) => format!(
            "{}: {}. {remedy}",
            finding.check,
            finding.found.trim_end_matches('.')
        ),
        None => format!("{}: {}", finding.check, finding.found),
    };
    notice(tone, text)
}

fn files(plan: &Plan, blocks: &mut Vec<Block>) {
    blocks.push(heading(&format!("Files of {} that change", plan.component)));
    let rows = plan.files.iter().take(MOST_FILES).map(|file| {
        let (word, tone) = match file.change {
            FileChange::Added => ("added", Tone::Good),
            FileChange::Changed => ("changed", Tone::Information),
            FileChange::Removed => ("removed", Tone::Warning),
        };
        let bytes = if file.change == FileChange::Removed {
            "–".to_owned()
        } else {
            size(file.size)
        };
        vec![
            cell(vec![code(file.path.clone())]),
            labelled(vec![badge(word, tone)]),
            cell(vec![plain(bytes)]),
        ]
    });
    blocks.push(Block::Table(Table {
        caption: format!(
            "Changes by this correction: {}",
            counted(plan.files.len(), "file", "files")
        ),
        columns: ["File", "Change", "Size afterwards"]
            .map(str::to_owned)
            .to_vec(),
        rows: rows.collect(),
        empty: "No files change.".to_owned(),
    }));
    if plan.files.len() > MOST_FILES {
        blocks.push(paragraph(format!(
            "And {} more.",
            plan.files.len() - MOST_FILES
        )));
    }
}

fn section(title: &str, text: &str, blocks: &mut Vec<Block>) {
    if text.trim().is_empty() {
        return;
    }
    blocks.push(heading(title));
    blocks.extend(markdown::blocks(text, 3));
}

fn timeline(advisory: &Advisory, blocks: &mut Vec<Block>) {
    if advisory.timeline.is_empty() {
        return;
    }
    blocks.push(heading("Timeline"));
    let event = |entry: &spacecp_contract::TimelineEntry| Event {
        at: entry.at.as_second(),
        value: Cell {
            badges: Vec::new(),
            spans: vec![plain(entry.event.clone())],
        },
    };
    blocks.push(Block::Timeline(
        advisory.timeline.iter().map(event).collect(),
    ));
}

fn references(advisory: &Advisory, blocks: &mut Vec<Block>) {
    if advisory.references.is_empty() {
        return;
    }
    blocks.push(heading("References"));
    for reference in &advisory.references {
        let link = markdown::target(&reference.url);
        let text = if link.is_some() {
            reference.title.clone()
        } else {
            format!("{} ({})", reference.title, reference.url)
        };
        let span = super::Span {
            link,
            ..plain(text)
        };
        blocks.push(Block::Item(Item {
            depth: 0,
            number: None,
            spans: vec![span],
        }));
    }
}
