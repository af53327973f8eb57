//! What advisories and broadcasts have to do with cases: what a case forbids, and what it goes on by.

use anyhow::{Context, Result, bail};
use spacecp_contract::{Advisory, Digest, DocumentId, DocumentKind, FeedPath, Tlp, encode};

use super::{broadcast_arguments::CasesGoOn, cases::named, desk::Desk};
use crate::{
    cases::{
        self,
        case::Case,
        course::{Entry, Event, State},
        desk::Cases,
        id::CaseId,
    },
    check::Fault,
    feed::Feed,
};

impl Desk<'_> {
    /// What the cases of an advisory forbid.
    pub(super) fn faults_of_cases(&self, advisory: &Advisory) -> Result<Vec<Fault>> {
        let cases = readable(&self.cases())
            .with_context(|| format!("cannot tell whether a case is about {}", advisory.id))?;
        let about = |case: &&Case| case.standing().advisory() == Some(&advisory.id);
        let about: Vec<&Case> = cases.iter().filter(about).collect();
        Ok(cases::advisory::faults(advisory, &about))
    }

    pub(super) fn cases_of_broadcast<'b>(
        &'b self,
        CasesGoOn { without_review, by }: &'b CasesGoOn,
    ) -> CasesOfBroadcast<'b> {
        CasesOfBroadcast {
            desk: self,
            without_review: without_review.as_deref(),
            by: by.as_deref(),
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
    /// Whether the desk has no case.
    pub(super) fn is_empty(&self) -> Result<bool> {
        Ok(self.desk.cases().is_empty()?)
    }

    /// Which cases go on by a broadcast with these news, how, and by whom; refuses what one of them forbids.
    pub(super) fn going_on(&self, feed: &Feed, news: &[(DocumentId, u64)]) -> Result<GoingOn> {
        let cases = readable(&self.desk.cases())
            .context("cannot tell whether a case is about what is broadcast")?;
        let mut events = Vec::new();
        for (id, revision) in news {
            let about = |case: &&Case| case.standing().advisory() == Some(id);
            for case in cases.iter().filter(about) {
                let path = FeedPath::document(DocumentKind::Advisory, id, *revision);
                let Some(advisory) = feed.read::<Advisory>(&path)? else {
                    continue;
                };
                refuse_faults(&advisory, case)?;
                let steps = self.events(case, &advisory)?;
                events.extend(steps.into_iter().map(|event| (case.id().clone(), event)));
            }
        }
        // Found out before the broadcast that nobody says who makes it.
        let by = if events.is_empty() {
            String::new()
        } else {
            named(self.by)?
        };
        Ok(GoingOn { by, events })
    }

    fn events(&self, case: &Case, advisory: &Advisory) -> Result<Vec<Event>> {
        let mut standing = case.standing().clone();
        let mut events = Vec::new();
        let is_out = |state| matches!(state, State::Broadcast | State::Disclosed);
        if !is_out(standing.state()) {
            let approved = standing.refuse_unreviewed(Some(&Digest::of(&encode(advisory))));
            let without_review = match (approved, self.without_review) {
                (Ok(()), _) => None,
                (Err(_), Some(reason)) => Some(reason.to_owned()),
                (Err(refused), None) => {
                    let about = format!("{} is about {}", advisory.id, case.id());
                    return Err(refused).context(about);
                }
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
    pub(super) fn go_on(&self, going_on: GoingOn) -> Result<()> {
        let GoingOn { by, events } = going_on;
        for (id, event) in events {
            let word = event.word();
            let recorded = self.desk.cases().record(&id, self.desk.now, &by, event);
            recorded.with_context(|| {
                format!("it is current for panels, and {id} does not say so yet: record it with \"case {word} {id}\"")
            })?;
        }
        Ok(())
    }
}

/// Refuses what the case forbids by now, whatever it said when the advisory was signed.
fn refuse_faults(advisory: &Advisory, case: &Case) -> Result<()> {
    let faults = cases::advisory::faults(advisory, &[case]);
    match faults.first() {
        Some(fault) => bail!(
            "{} is signed, and may not go out: {}. \"unsign\" takes it back",
            advisory.id,
            fault.problem
        ),
        None => Ok(()),
    }
}

/// What a broadcast means for cases.
#[derive(Default)]
pub(super) struct GoingOn {
    by: String,
    events: Vec<(CaseId, Event)>,
}

/// All cases; one that cannot be read may be the very one.
fn readable(cases: &Cases) -> Result<Vec<Case>> {
    let (cases, broken) = cases.all()?;
    match broken.into_iter().next() {
        Some(broken) => Err(broken.error.into()),
        None => Ok(cases),
    }
}
