//! The advisory of a case: what the case says for its draft, and what the case forbids it.

use spacecp_contract::{Advisory, DocumentId, VersionScheme, version::Version};

use super::{
    case::Case,
    report_text::Summary,
    state_machine::{Answer, Event, State},
};
use crate::{check::Fault, drafts::Known};

/// What a draft can begin with. Everything of it is the finder's word until somebody has verified it.
pub fn known(case: &Case, summary: &Summary) -> Known {
    Known {
        title: summary.title.clone(),
        affected: affected(summary),
        corrections: corrections(case),
        timeline: timeline(case),
    }
}

/// Everything that keeps an advisory of these cases from being published.
pub fn faults(advisory: &Advisory, cases: &[&Case]) -> Vec<Fault> {
    let mut faults = Vec::new();
    for case in cases {
        let (id, status) = (case.id(), case.status());
        let problem = match status.state() {
            state if state.is_verified() => None,
            State::Rejected => Some(format!(
                "case {id} was rejected, so its advisory is not published"
            )),
            state => Some(format!(
                "case {id} is {state}; verify it before publishing its advisory (\"case verify {id}\")"
            )),
        };
        faults.extend(problem.map(|problem| Fault {
            field: "case".to_owned(),
            problem,
        }));
        if !advisory.credits.is_empty() && !status.may_be_credited() {
            faults.push(Fault {
                field: "credits".to_owned(),
                problem: format!(
                    "the finder of {id} has not agreed to be named. Remove the credits, or record the consent with \"case credit {id} --agreed\""
                ),
            });
        }
    }
    faults
}

/// A component's versions, each by itself: which range they are of is for those who verify it to say.
fn affected(summary: &Summary) -> Vec<(String, VersionScheme, Vec<String>)> {
    let mut affected: Vec<(String, VersionScheme, Vec<String>)> = Vec::new();
    for seen in &summary.affected {
        let component = seen.component.to_string();
        let known = affected.iter_mut().find(|(name, ..)| *name == component);
        let is_semver = Version::read(VersionScheme::Semver, &seen.version).is_ok();
        if let Some((_, scheme, versions)) = known {
            if !is_semver {
                *scheme = VersionScheme::Generic;
            }
            if !versions.contains(&seen.version) {
                versions.push(seen.version.clone());
            }
            continue;
        }
        let scheme = if is_semver {
            VersionScheme::Semver
        } else {
            VersionScheme::Generic
        };
        affected.push((component, scheme, vec![seen.version.clone()]));
    }
    affected
}

/// The correction that holds: the last one that was said.
fn corrections(case: &Case) -> Vec<DocumentId> {
    let answer = case
        .entries()
        .iter()
        .rev()
        .find_map(|entry| match &entry.event {
            Event::Corrected(answer) => Some(answer),
            _ => None,
        });
    match answer {
        Some(Answer::Correction(id)) => vec![id.clone()],
        _ => Vec::new(),
    }
}

/// What happened to the case that everybody may know.
fn timeline(case: &Case) -> Vec<(jiff::Timestamp, &'static str)> {
    let told = |event: &Event| match event {
        Event::Reported => Some("Reported in private."),
        Event::Acknowledged => Some("The report was acknowledged."),
        Event::Verified { .. } => Some("The flaw was reproduced."),
        Event::Corrected(_) => Some("A solution was found."),
        Event::Broadcast { .. } => Some("Broadcast to customers in private."),
        Event::Disclosed => Some("Disclosed in public."),
        _ => None,
    };
    let entries = case.entries().iter();
    entries
        .filter_map(|entry| told(&entry.event).map(|words| (entry.at, words)))
        .collect()
}
