//! The commands about cases: each records one thing that happened, or shows what did.

use std::{
    fs::File,
    io::{self, Read},
    path::Path,
};

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};
use spacecp_contract::{Advisory, DocumentId, DocumentKind, FeedPath, Tlp};

use super::{
    Ending,
    case_arguments::{CaseCommand, CaseStep, Who},
    desk::Desk,
};
use crate::{
    broadcast::Broadcast,
    cases::{
        self,
        case::Case,
        course::{Answer, Entry, Event, State},
        desk::{Broken, Cases},
        id::CaseId,
    },
    check::Fault,
    drafts::Known,
    feed::Feed,
    report::{self, envelope},
};

impl Desk<'_> {
    pub(super) fn cases(&self) -> Cases {
        Cases::of(&self.arguments.desk)
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
        let state = case.standing().state();
        let mut words = format!("{} is {state}.", case.id());
        if case.is_reachable() && case.standing().untold_since().is_some() {
            words.push_str(&format!(
                " Tell the finder, and say so with \"case told {} --text …\".",
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
        if !report.finder.recipient.is_empty() {
            // Found out now, and not when a copy is to be encrypted to it.
            report.finder.recipient.parse::<report::key::Recipient>()?;
        }
        let recipient = key.recipient();
        let case = self.cases().open(&report, &recipient, self.now, by)?;
        let place = self.cases().place(case.id());
        let words = format!(
            "{} is opened, in {}: {}\nAnswer the finder, and say so with \"case acknowledge {}\".",
            case.id(),
            place.display(),
            case.title(),
            case.id()
        );
        self.say(&short(&case), &words)
    }

    fn list_cases(&self, all: bool) -> Result<Ending> {
        let (mut cases, broken) = self.cases().all()?;
        cases.retain(|case| all || !case.standing().state().is_closed());
        let mut lines: Vec<String> = cases.iter().map(line).collect();
        lines.extend(
            broken
                .iter()
                .map(|broken| format!("cannot be read: {}", broken.error)),
        );
        if lines.is_empty() {
            lines.push("There is no open case.".to_owned());
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
            let said = |text: &str| if text.is_empty() { "not said" } else { text }.to_owned();
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
                overdue.with_context(|| format!("cannot tell what of {} is overdue", case.id()))?,
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
                .map(|broken| format!("cannot be read: {}", broken.error)),
        );
        if lines.is_empty() {
            lines.push("Nothing is overdue.".to_owned());
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

    /// What the cases of an advisory forbid.
    pub(super) fn faults_of_cases(&self, advisory: &Advisory) -> Result<Vec<Fault>> {
        let cases = about(&self.cases(), &advisory.id)?;
        Ok(cases::advisory::faults(
            advisory,
            &cases.iter().collect::<Vec<_>>(),
        ))
    }

    pub(super) fn cases_of_broadcast<'b>(
        &'b self,
        without_review: Option<&'b str>,
        by: Option<&'b str>,
    ) -> CasesOfBroadcast<'b> {
        CasesOfBroadcast {
            desk: self,
            without_review,
            by,
        }
    }
}

/// The cases that a broadcast takes a step further.
pub(super) struct CasesOfBroadcast<'a> {
    desk: &'a Desk<'a>,
    without_review: Option<&'a str>,
    by: Option<&'a str>,
}

impl CasesOfBroadcast<'_> {
    /// Which cases go on by this broadcast, and how; refuses what one of them forbids.
    pub(super) fn going_on(&self, feed: &Feed, plan: &Broadcast) -> Result<Vec<(CaseId, Event)>> {
        let mut going_on = Vec::new();
        for (id, revision) in &plan.news {
            for case in about(&self.desk.cases(), id)? {
                let path = FeedPath::document(DocumentKind::Advisory, id, *revision);
                let Some(advisory) = feed.read::<Advisory>(&path)? else {
                    continue;
                };
                let events = self.events(&case, &advisory)?;
                going_on.extend(events.into_iter().map(|event| (case.id().clone(), event)));
            }
        }
        Ok(going_on)
    }

    fn events(&self, case: &Case, advisory: &Advisory) -> Result<Vec<Event>> {
        let mut standing = case.standing().clone();
        let mut events = Vec::new();
        let is_out = |state| matches!(state, State::Broadcast | State::Disclosed);
        if !is_out(standing.state()) {
            let without_review = if standing.is_approved() {
                None
            } else {
                self.without_review.map(str::to_owned)
            };
            events.push(Event::Broadcast { without_review });
        }
        if advisory.tlp == Tlp::Clear && standing.state() != State::Disclosed {
            events.push(Event::Disclosed);
        }
        for event in &events {
            let entry = Entry {
                at: self.desk.now,
                by: String::new(),
                event: event.clone(),
            };
            standing = standing
                .after(&entry)
                .with_context(|| format!("{} is about {}", advisory.id, case.id()))?;
        }
        Ok(events)
    }

    /// Records what has happened.
    pub(super) fn go_on(&self, going_on: Vec<(CaseId, Event)>) -> Result<()> {
        if going_on.is_empty() {
            return Ok(());
        }
        let by = named(self.by)?;
        for (id, event) in going_on {
            let word = event.word();
            let recorded = self.desk.cases().record(&id, self.desk.now, &by, event);
            recorded.with_context(|| {
                format!("it is current for panels, and {id} does not say so yet: record it with \"case {word} {id}\"")
            })?;
        }
        Ok(())
    }
}

/// The cases about an advisory. One that cannot be read may be about it.
fn about(cases: &Cases, advisory: &DocumentId) -> Result<Vec<Case>> {
    let (mut cases, broken) = cases.all()?;
    if let Some(broken) = broken.into_iter().next() {
        return Err(broken.error)
            .with_context(|| format!("cannot tell whether a case is about {advisory}"));
    }
    cases.retain(|case| case.standing().advisory() == Some(advisory));
    Ok(cases)
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
        bail!("a case says who did what: name yourself with --by NAME, or in SPACECP_BY");
    }
    Ok(name)
}

/// Reads what may be a report, and no more of it than a report can have.
fn read_bounded(path: &Path) -> Result<Vec<u8>> {
    let limit = envelope::LONGEST as u64 + 1;
    let mut bytes = Vec::new();
    let read = match path.to_str() {
        Some("-") => io::stdin().take(limit).read_to_end(&mut bytes),
        _ => File::open(path).and_then(|file| file.take(limit).read_to_end(&mut bytes)),
    };
    read.with_context(|| format!("cannot read {}", path.display()))?;
    Ok(bytes)
}

fn line(case: &Case) -> String {
    let standing = case.standing();
    format!(
        "{}  {} since {}  {}",
        case.id(),
        standing.state(),
        standing.since(),
        case.title()
    )
}

fn short(case: &Case) -> Value {
    let standing = case.standing();
    json!({
        "id": case.id().to_string(),
        "title": case.title(),
        "state": standing.state().to_string(),
        "since": standing.since(),
        "reachable": case.is_reachable(),
        "advisory": standing.advisory(),
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
