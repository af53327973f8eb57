//! The exports: asks the panel for what is new, and answers from what is known.
//!
//! The only module that calls an import.

use std::{cell::RefCell, collections::BTreeSet};

use jiff::Timestamp;
use spacecp_contract::{Advisory, Limits, decode};

use crate::{
    bindings::{
        exports::spacecp::advisories::{automation, exposure, pages as exported},
        spacecp::advisories::{
            corrections, decisions, documents, inventory, log, settings, types::DocumentRef,
        },
    },
    decisions::Decisions,
    headline::Headline,
    knowledge::Knowledge,
    pages::{self, Prepared},
    plan,
};

/// Documents asked for at a time.
const BATCH: u32 = 1_000;

/// Documents that the panel is asked about at a time.
const NAMES: usize = 10_000;

/// Applications shown.
const HISTORY: u32 = 200;

thread_local! {
    // A component has one thread, and no call begins before the last one returned.
    static KNOWLEDGE: RefCell<Knowledge> = RefCell::default();
}

struct Plugin;

crate::bindings::export!(Plugin with_types_in crate::bindings);

/// Answers from what is known, after taking in what is new.
fn informed<T>(answer: impl FnOnce(&Knowledge) -> T) -> Result<T, String> {
    KNOWLEDGE.with_borrow_mut(|knowledge| {
        take_in(knowledge)?;
        Ok(answer(knowledge))
    })
}

fn take_in(knowledge: &mut Knowledge) -> Result<(), String> {
    let found = inventory::fingerprint().map_err(|inventory::Error::Unavailable(reason)| reason)?;
    if knowledge.fingerprint() != Some(found.as_str()) {
        let snapshot =
            inventory::components().map_err(|inventory::Error::Unavailable(reason)| reason)?;
        knowledge.install(snapshot);
    }
    loop {
        let batch = documents::since(knowledge.cursor(), BATCH)
            .map_err(|documents::Error::Unavailable(reason)| reason)?;
        let unreadable = knowledge.unreadable().count();
        knowledge.take(&batch.documents, batch.next);
        if knowledge.unreadable().count() > unreadable {
            log::write(
                log::Level::Warn,
                "some documents could not be read; see the overview",
            );
        }
        if batch.complete {
            return Ok(());
        }
    }
}

impl exposure::Guest for Plugin {
    fn refresh() -> Result<exposure::Summary, exposure::Error> {
        informed(Knowledge::summary).map_err(exposure::Error::Unavailable)
    }

    fn report() -> Result<exposure::ExposureReport, exposure::Error> {
        // An instance that has only just begun knows nothing, and nothing is not "not exposed".
        if KNOWLEDGE.with_borrow(|knowledge| knowledge.cursor().is_none()) {
            return informed(Knowledge::report).map_err(exposure::Error::Unavailable);
        }
        KNOWLEDGE.with_borrow(|knowledge| Ok(knowledge.report()))
    }
}

impl automation::Guest for Plugin {
    fn plan(now: i64) -> Result<Vec<automation::Action>, automation::Error> {
        informed(|knowledge| plan_at(knowledge, now))
            .and_then(|planned| planned)
            .map_err(automation::Error::Unavailable)
    }
}

fn plan_at(knowledge: &Knowledge, now: i64) -> Result<Vec<automation::Action>, String> {
    let rules =
        settings::current_rules(now).map_err(|settings::Error::Unavailable(reason)| reason)?;
    let accepted = accepted(&plan::candidates(knowledge))?;
    let around = plan::Circumstances {
        now,
        rules: &rules,
        fresh_until: settings::current_freshness().valid_until,
        accepted: &accepted,
    };
    Ok(plan::plan(knowledge, &around))
}

/// When the panel accepted what decides about these corrections.
fn accepted(candidates: &[plan::Candidate<'_>]) -> Result<plan::Accepted, String> {
    let mut names: BTreeSet<(bool, &str)> = BTreeSet::new();
    for candidate in candidates {
        names.insert((false, candidate.correction.id.as_str()));
        let verdicts = candidate.verdicts.iter();
        names.extend(verdicts.map(|verdict| (true, verdict.advisory.id.as_str())));
    }
    let names: Vec<(bool, &str)> = names.into_iter().collect();
    let mut accepted = plan::Accepted::default();
    for some in names.chunks(NAMES) {
        let asked: Vec<documents::Name> = some.iter().map(name).collect();
        let times =
            documents::accepted(&asked).map_err(|documents::Error::Unavailable(reason)| reason)?;
        for ((is_advisory, id), time) in some.iter().zip(times) {
            let Some(time) = time else { continue };
            let of_kind = if *is_advisory {
                &mut accepted.advisories
            } else {
                &mut accepted.corrections
            };
            of_kind.insert((*id).to_owned(), time);
        }
    }
    Ok(accepted)
}

fn name((is_advisory, id): &(bool, &str)) -> documents::Name {
    documents::Name {
        kind: if *is_advisory {
            documents::Kind::Advisory
        } else {
            documents::Kind::Correction
        },
        id: (*id).to_owned(),
    }
}

impl exported::Guest for Plugin {
    fn render(request: exported::Request) -> Result<exported::Page, exported::Error> {
        informed(|knowledge| compose(knowledge, &request)).map_err(exported::Error::Unavailable)?
    }
}

fn compose(
    knowledge: &Knowledge,
    request: &exported::Request,
) -> Result<exported::Page, exported::Error> {
    let history = || corrections::history(HISTORY).map_err(exported::Error::Unavailable);
    match &request.place {
        exported::Place::Overview => Ok(pages::overview(
            knowledge,
            &decided(),
            &settings::current_freshness(),
            &rules(request.now),
            request.now,
        )),
        exported::Place::Advisories => Ok(pages::advisories(knowledge, &request.listing)),
        exported::Place::Components => Ok(pages::components(knowledge, &request.listing)),
        exported::Place::History => Ok(pages::history(knowledge, &history()?, request.may_act)),
        exported::Place::Advisory(id) => {
            let known = knowledge
                .advisory(id)
                .ok_or_else(|| exported::Error::NotFound(format!("advisory {id}")))?;
            let document = document(known)?;
            let prepared = prepare(knowledge, known);
            Ok(pages::advisory(
                knowledge,
                known,
                &document,
                &prepared,
                &decided(),
                &history()?,
                pages::Asking {
                    may_act: request.may_act,
                    now: Timestamp::from_second(request.now).unwrap_or(Timestamp::MIN),
                    windows: rules(request.now)
                        .is_ok_and(|rules| matches!(rules.hours, settings::Hours::Openings(_))),
                },
            ))
        }
    }
}

/// The whole of an advisory, at the revision that is known. It was readable when it came.
fn document(known: &Headline) -> Result<Advisory, exported::Error> {
    let reference = DocumentRef {
        id: known.id.to_string(),
        revision: known.revision,
    };
    let unavailable = |reason: String| {
        let reason = format!("cannot read advisory {}: {reason}", known.id);
        exported::Error::Unavailable(reason)
    };
    let bytes = documents::fetch(documents::Kind::Advisory, &reference);
    let bytes = bytes.map_err(|error| match error {
        documents::FetchError::NotHeld => unavailable("changed meanwhile".to_owned()),
        documents::FetchError::Unavailable(reason) => unavailable(reason),
    })?;
    decode(&bytes, &Limits::default()).map_err(|error| unavailable(error.to_string()))
}

/// The rules of automatic application.
fn rules(now: i64) -> pages::Automation {
    settings::current_rules(now).map_err(|settings::Error::Unavailable(reason)| reason)
}

/// What administrators decided.
fn decided() -> Decisions {
    Decisions::new(decisions::current().map_err(|decisions::Error::Unavailable(reason)| reason))
}

/// What the panel says of each correction that would end an exposure to this advisory.
fn prepare(knowledge: &Knowledge, known: &Headline) -> Vec<Prepared> {
    let mut prepared: Vec<Prepared> = Vec::new();
    for verdict in knowledge.verdicts_of(&known.id) {
        let Some(reference) = &verdict.correction else {
            continue;
        };
        let Some(exposed) = knowledge.component(&verdict.component) else {
            continue;
        };
        let Some((_, target)) = knowledge.correction_for(known, exposed) else {
            continue;
        };
        if prepared
            .iter()
            .any(|prepared| prepared.component == target.name)
        {
            continue;
        }
        let plan = corrections::prepare(reference, &target.name).map_err(|error| match error {
            corrections::PlanError::NotApplicable(reason)
            | corrections::PlanError::Unavailable(reason) => reason,
        });
        prepared.push(Prepared {
            component: target.name.clone(),
            plan,
        });
    }
    prepared
}
