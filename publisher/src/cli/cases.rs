//! The commands about cases: each records one thing that happened, or shows what did.

use std::{
    io::{self, Read},
    path::Path,
};

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};
use spacecp_contract::DocumentId;

use super::{
    Ending,
    case_arguments::{CaseCommand, CaseStep, Who},
    cli_context::CliContext,
};
use crate::{
    cases::{
        self,
        case::Case,
        case_store::{Broken, CaseStore},
        id::CaseId,
        state_machine::{Answer, Entry, Event},
    },
    drafts::Known,
    regular_file,
    report::{self, envelope, key::Recipient},
};

impl CliContext<'_> {
    pub(super) fn cases(&self) -> CaseStore {
        CaseStore::of(&self.arguments.desk)
    }

    pub(super) fn case(&self, command: &CaseCommand) -> Result<Ending> {
        let (id, event, who) = match command {
            CaseCommand::Open { report, key, who } => {
                return self.open_case(report, &key.key, &named(who.by.as_deref())?);
            }
            CaseCommand::List { all } => return self.list_cases(*all),
            CaseCommand::Show { id, finder, key } => {
                return self.show_case(id, finder.then_some(key.key.as_str()));
            }
            CaseCommand::Review { id, out, key, who } => {
                return self.review(id, out, &key.key, &named(who.by.as_deref())?);
            }
            CaseCommand::Overdue => return self.overdue(),
            CaseCommand::Step(step) => event_of(step),
        };
        let by = named(who.by.as_deref())?;
        let case = self.cases().record(id, self.now, &by, event)?;
        self.say_case(&case)
    }

    fn say_case(&self, case: &Case) -> Result<Ending> {
        let state = case.status().state();
        let mut words = format!("{} is {state}.", case.id());
        if case.is_reachable() && case.status().untold_since().is_some() {
            words.push_str(&format!(
                " Inform the finder, and record it with \"case inform {} --text …\".",
                case.id()
            ));
        }
        self.say(&short(case), &words)
    }

    fn open_case(&self, path: &Path, key: &str, by: &str) -> Result<Ending> {
        let sealed = read_bounded(path)?;
        let key = self.report_key(key)?;
        let report = report::open(&sealed, &key)
            .with_context(|| format!("cannot open {}", path.display()))?;
        let recipient = key.recipient();
        let case = self.cases().open(&report, &recipient, self.now, by)?;
        let place = self.cases().place(case.id());
        let mut words = format!(
            "Opened {} in {}: {}\nAnswer the finder, then record it with \"case acknowledge {}\".",
            case.id(),
            place.display(),
            case.title(),
            case.id()
        );
        // A report is not turned away for that.
        let own = &report.finder.recipient;
        if !own.is_empty()
            && let Err(error) = own.parse::<Recipient>()
        {
            words.push_str(&format!(
                "\nwarning: cannot use the finder's recipient: {error}. Copies for the finder are encrypted with a passphrase."
            ));
        }
        self.say(&short(&case), &words)
    }

    fn list_cases(&self, all: bool) -> Result<Ending> {
        let (mut cases, broken) = self.cases().all()?;
        cases.retain(|case| all || !case.status().state().is_closed());
        let mut lines: Vec<String> = cases.iter().map(line).collect();
        lines.extend(
            broken
                .iter()
                .map(|broken| format!("unreadable: {}", broken.error)),
        );
        if lines.is_empty() {
            lines.push("No open cases.".to_owned());
        }
        let value = json!({
            "cases": cases.iter().map(short).collect::<Vec<_>>(),
            "broken": unread(&broken),
        });
        self.say(&value, &lines.join("\n"))?;
        Ok(if broken.is_empty() {
            Ending::Well
        } else {
            Ending::Faults
        })
    }

    fn show_case(&self, id: &CaseId, finder_with: Option<&str>) -> Result<Ending> {
        let cases = self.cases();
        let case = cases.case(id)?;
        let report = cases.report(id)?;
        let mut words = format!("{}\n", line(&case));
        for entry in case.entries() {
            words.push_str(&format!(
                "\n{}  {}: {}",
                entry.at,
                entry.by,
                described(&entry.event)
            ));
        }
        let mut value = short(&case);
        value["entries"] = case.entries().iter().map(entry_value).collect();
        value["text"] = json!(report);
        if let Some(key) = finder_with {
            let finder = if cases.has_finder(id) {
                cases.finder(id, &self.report_key(key)?)?
            } else {
                spacecp_contract::Finder::default()
            };
            let said = |text: &str| if text.is_empty() { "not stated" } else { text }.to_owned();
            words.push_str(&format!(
                "\n\nFinder: {}\n  credit: {}\n  recipient: {}",
                said(&finder.contact),
                said(&finder.credit),
                said(&finder.recipient)
            ));
            value["finder"] = json!(finder);
        }
        self.say(&value, &format!("{words}\n\n{}", report.trim_end()))
    }

    fn overdue(&self) -> Result<Ending> {
        let deadlines = self.cases().deadlines()?;
        let (cases, broken) = self.cases().all()?;
        let mut found = Vec::new();
        for case in &cases {
            let overdue = deadlines.overdue(case, self.now);
            found.extend(
                overdue
                    .with_context(|| format!("cannot compute the deadlines of {}", case.id()))?,
            );
        }
        found.sort_by_key(|one| one.due);
        let mut lines: Vec<String> = found
            .iter()
            .map(|one| {
                format!(
                    "{}  {}, due {} ({} days ago)",
                    one.case, one.what, one.due, one.days
                )
            })
            .collect();
        lines.extend(
            broken
                .iter()
                .map(|broken| format!("unreadable: {}", broken.error)),
        );
        if lines.is_empty() {
            lines.push("No cases are overdue.".to_owned());
        }
        let is_well = found.is_empty() && broken.is_empty();
        self.say(
            &json!({ "overdue": found, "broken": unread(&broken) }),
            &lines.join("\n"),
        )?;
        Ok(if is_well {
            Ending::Well
        } else {
            Ending::Faults
        })
    }

    /// What a case says for the draft of its advisory.
    pub(super) fn known_of(&self, id: &CaseId) -> Result<Known> {
        let cases = self.cases();
        let case = cases.case(id)?;
        Ok(cases::advisory::known(&case, &cases.summary(id)?))
    }

    pub(super) fn record_draft(&self, id: &CaseId, advisory: &DocumentId) -> Result<()> {
        let advisory = advisory.clone();
        let by = named(None)?;
        self.cases()
            .record(id, self.now, &by, Event::Drafted { advisory })?;
        Ok(())
    }
}

/// What a command records.
fn event_of(step: &CaseStep) -> (&CaseId, Event, &Who) {
    match step {
        CaseStep::Acknowledge { id, who } => (id, Event::Acknowledged, who),
        CaseStep::Verify { id, scope, who } => (id, Event::Verified { scope: *scope }, who),
        CaseStep::Reject {
            id,
            reason,
            text,
            who,
        } => {
            let (reason, text) = (*reason, text.clone());
            (id, Event::Rejected { reason, text }, who)
        }
        CaseStep::Start { id, who } => (id, Event::Started, who),
        CaseStep::Correct {
            id,
            correction,
            workaround,
            who,
        } => {
            let answer = match correction {
                Some(correction) => Answer::Correction(correction.clone()),
                None => Answer::Workaround(workaround.clone().unwrap_or_default()),
            };
            (id, Event::Corrected(answer), who)
        }
        CaseStep::Answer {
            id,
            objections,
            who,
            ..
        } => {
            let objections = objections.clone();
            (id, Event::Answered { objections }, who)
        }
        CaseStep::Credit {
            id,
            agreed,
            text,
            who,
            ..
        } => {
            let (agreed, text) = (*agreed, text.clone());
            (id, Event::Credit { agreed, text }, who)
        }
        CaseStep::Broadcast {
            id,
            without_review,
            who,
        } => {
            let without_review = without_review.clone();
            (id, Event::Broadcast { without_review }, who)
        }
        CaseStep::Disclosed { id, who } => (id, Event::Disclosed, who),
        CaseStep::Told { id, text, who } => (id, Event::Told { text: text.clone() }, who),
    }
}

/// Who does something: what was said, or the name of the user.
pub(super) fn named(by: Option<&str>) -> Result<String> {
    let user = || {
        std::env::var("SPACECP_BY")
            .or_else(|_| std::env::var("USER"))
            .ok()
    };
    let name = by.map(str::to_owned).or_else(user).unwrap_or_default();
    if name.trim().is_empty() {
        bail!("missing person to record: pass --by NAME, or set SPACECP_BY");
    }
    Ok(name)
}

/// Reads what may be a report, and no more of it than a report can have.
fn read_bounded(path: &Path) -> Result<Vec<u8>> {
    let limit = envelope::LONGEST as u64 + 1;
    let mut bytes = Vec::new();
    let read = match path.to_str() {
        Some("-") => io::stdin().take(limit).read_to_end(&mut bytes),
        _ => regular_file::open(path).and_then(|file| file.take(limit).read_to_end(&mut bytes)),
    };
    read.with_context(|| format!("cannot read {}", path.display()))?;
    Ok(bytes)
}

fn line(case: &Case) -> String {
    let status = case.status();
    format!(
        "{}  {} since {}  {}",
        case.id(),
        status.state(),
        status.since(),
        case.title()
    )
}

fn short(case: &Case) -> Value {
    let status = case.status();
    json!({
        "id": case.id().to_string(),
        "title": case.title(),
        "state": status.state().to_string(),
        "since": status.since(),
        "reachable": case.is_reachable(),
        "advisory": status.advisory(),
        "report": case.report(),
    })
}

fn unread(broken: &[Broken]) -> Vec<Value> {
    let broken = broken.iter();
    broken
        .map(|broken| json!({ "folder": broken.folder, "problem": broken.error.to_string() }))
        .collect()
}

fn entry_value(entry: &Entry) -> Value {
    json!({
        "at": entry.at,
        "by": entry.by,
        "what": entry.event.word(),
        "words": described(&entry.event),
    })
}

/// What happened, in words.
fn described(event: &Event) -> String {
    let word = event.word();
    match event {
        Event::Verified { scope: Some(scope) } => format!("{word}: {}", scope.sentence()),
        Event::Rejected { reason, text } if text.is_empty() => {
            format!("{word}: {}", reason.sentence())
        }
        Event::Rejected { reason, text } => format!("{word}: {} ({text})", reason.sentence()),
        Event::Corrected(Answer::Correction(id)) => format!("{word} by {id}"),
        Event::Corrected(Answer::Workaround(text)) => format!("{word} by a workaround: {text}"),
        Event::Reviewed { copy, .. } => format!("{word} {copy}"),
        Event::Answered { objections: None } => format!("{word}: approved"),
        Event::Answered {
            objections: Some(text),
        } => format!("{word}: {text}"),
        Event::Broadcast {
            without_review: Some(reason),
        } => format!("{word} without the finder's review: {reason}"),
        Event::Told { text } => format!("{word}: {text}"),
        Event::Credit { agreed, text } => {
            let agreed = if *agreed { "agreed" } else { "not agreed" };
            format!("{word} {agreed} {text}").trim_end().to_owned()
        }
        Event::Drafted { advisory } => format!("{word} {advisory}"),
        _ => word.to_owned(),
    }
}
