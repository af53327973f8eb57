//! Which corrections to apply without being asked, which to hold back, why, and until when.
//!
//! A verdict that is `unknown` never leads to a correction: only what is affected is corrected. The
//! panel holds every action against its own rules again, so nothing here has to be trusted.

use std::{cmp::Ordering, collections::BTreeMap};

use spacecp_contract::{Correction, Restart};

use crate::{
    bindings::{
        exports::spacecp::advisories::{
            automation::{Action, Decision},
            exposure::{Status, Verdict},
        },
        spacecp::advisories::{
            settings::{Hours, Restarts, Rules, Treatment},
            types::{DocumentRef, Severity},
        },
    },
    exposure::compare,
    knowledge::Knowledge,
    severity,
};

/// What beside the documents and the components decides about a plan.
#[derive(Debug)]
pub struct Circumstances<'a> {
    /// Now.
    pub now: i64,
    /// The administrator's rules.
    pub rules: &'a Rules,
    /// Until when the vendor's last word is good; none before the first.
    pub fresh_until: Option<i64>,
    /// When this panel accepted the current revisions: of advisories and of corrections, by id.
    pub accepted: &'a Accepted,
}

/// When documents were accepted, by id.
#[derive(Debug, Default)]
pub struct Accepted {
    /// Advisories.
    pub advisories: BTreeMap<String, i64>,
    /// Corrections.
    pub corrections: BTreeMap<String, i64>,
}

/// A correction that would end exposures, with the verdicts that it would end, worst first.
#[derive(Debug)]
pub struct Candidate<'a> {
    /// The correction.
    pub correction: &'a Correction,
    /// The component to apply it to.
    pub component: String,
    /// What it would end.
    pub verdicts: Vec<&'a Verdict>,
}

/// The corrections that end exposures, in the order of the worst that each ends.
pub fn candidates(knowledge: &Knowledge) -> Vec<Candidate<'_>> {
    let mut candidates: Vec<Candidate<'_>> = Vec::new();
    let mut places: BTreeMap<(String, String), usize> = BTreeMap::new();
    for verdict in knowledge
        .every_verdict()
        .filter(|verdict| verdict.status == Status::Affected)
    {
        let Some(known) = knowledge.advisory(&verdict.advisory.id) else {
            continue;
        };
        let Some(exposed) = knowledge.component(&verdict.component) else {
            continue;
        };
        let Some((correction, target)) = knowledge.correction_for(known, exposed) else {
            continue;
        };
        let key = (correction.id.to_string(), target.name.clone());
        if let Some(place) = places.get(&key) {
            candidates[*place].verdicts.push(verdict);
            continue;
        }
        places.insert(key, candidates.len());
        candidates.push(Candidate {
            correction,
            component: target.name.clone(),
            verdicts: vec![verdict],
        });
    }
    candidates
}

/// What to do, in the order in which to do it; what is held comes behind that.
///
/// A correction that answers several exposures is one action; the one that may be corrected soonest
/// decides.
pub fn plan(knowledge: &Knowledge, around: &Circumstances<'_>) -> Vec<Action> {
    let candidates = candidates(knowledge);
    let mut actions: Vec<Action> = candidates
        .iter()
        .map(|candidate| action(candidate, knowledge, around))
        .collect();
    one_at_a_time(knowledge, &mut actions);
    actions.sort_by_key(|action| action.decision == Decision::Hold);
    actions
}

fn action(candidate: &Candidate<'_>, knowledge: &Knowledge, around: &Circumstances<'_>) -> Action {
    let mut advisories: Vec<String> = Vec::new();
    for verdict in &candidate.verdicts {
        if !advisories.contains(&verdict.advisory.id) {
            advisories.push(verdict.advisory.id.clone());
        }
    }
    let answer = decide(candidate, knowledge, around);
    Action {
        correction: reference(candidate.correction),
        component: candidate.component.clone(),
        decision: if answer.apply {
            Decision::Apply
        } else {
            Decision::Hold
        },
        reason: answer.reason,
        advisories,
        due: answer.due,
    }
}

/// Holds all but one of the corrections to apply to the same component: after the first, the others
/// meet another version. The one that leads furthest goes first, and the next plan says what is
/// left to do.
fn one_at_a_time(knowledge: &Knowledge, actions: &mut [Action]) {
    let mut first: BTreeMap<String, usize> = BTreeMap::new();
    for place in 0..actions.len() {
        if actions[place].decision != Decision::Apply {
            continue;
        }
        let Some(best) = first.get_mut(&actions[place].component) else {
            first.insert(actions[place].component.clone(), place);
            continue;
        };
        let further = leads_further(knowledge, &actions[place], &actions[*best]);
        let (goes, waits) = if further {
            (place, *best)
        } else {
            (*best, place)
        };
        *best = goes;
        actions[waits].decision = Decision::Hold;
        actions[waits].reason = format!(
            "{} is applied to {} first",
            actions[goes].correction.id, actions[goes].component
        );
    }
}

fn leads_further(knowledge: &Knowledge, one: &Action, other: &Action) -> bool {
    let correction = |action: &Action| knowledge.correction(&action.correction.id);
    let (Some(one), Some(other)) = (correction(one), correction(other)) else {
        return false;
    };
    compare(one.scheme, &one.to, &other.to).is_some_and(Ordering::is_gt)
}

/// What becomes of one correction.
struct Answer {
    apply: bool,
    reason: String,
    due: Option<i64>,
}

impl Answer {
    fn apply(reason: String) -> Self {
        Self {
            apply: true,
            reason,
            due: None,
        }
    }

    fn hold(reason: String) -> Self {
        Self {
            apply: false,
            reason,
            due: None,
        }
    }

    fn until(due: Option<i64>, reason: String) -> Self {
        Self {
            due,
            ..Self::hold(reason)
        }
    }

    /// What comes first: now, then the earliest time, then what waits for a person.
    fn place(&self) -> (bool, i64) {
        (!self.apply, self.due.unwrap_or(i64::MAX))
    }
}

fn decide(candidate: &Candidate<'_>, knowledge: &Knowledge, around: &Circumstances<'_>) -> Answer {
    if let Some(reason) = never_by_itself(candidate, around) {
        return Answer::hold(reason);
    }
    let each = candidate.verdicts.iter();
    let answers = each.map(|verdict| in_time(verdict, candidate, knowledge, around));
    // Of equals the first, which is the gravest.
    let soonest = answers.reduce(|best, next| {
        if next.place() < best.place() {
            next
        } else {
            best
        }
    });
    soonest.unwrap_or_else(|| Answer::hold("it fixes no affected component".to_owned()))
}

/// Why the correction waits for a person, whatever it ends.
fn never_by_itself(candidate: &Candidate<'_>, around: &Circumstances<'_>) -> Option<String> {
    let (rules, component) = (around.rules, &candidate.component);
    if !rules.automatic {
        return Some("the policy requires an administrator for every correction".to_owned());
    }
    if around.fresh_until.is_none_or(|until| until <= around.now) {
        return Some(
            "the data from the feed has expired; nothing is applied automatically until the next sync".to_owned(),
        );
    }
    if rules.excluded.contains(component) {
        return Some(format!("the policy excludes {component}"));
    }
    let restarts = match candidate.correction.restart {
        Restart::None => None,
        Restart::Component => (rules.restarts == Restarts::None).then_some("the component"),
        Restart::Panel => (rules.restarts != Restarts::Panel).then_some("the panel"),
    };
    if let Some(what) = restarts {
        return Some(format!(
            "it restarts {what}, which the policy does not allow"
        ));
    }
    let reference = reference(candidate.correction);
    let kept = rules
        .quarantined
        .iter()
        .find(|kept| kept.correction == reference && kept.component == *component)?;
    Some(format!("in quarantine: {}", kept.reason))
}

/// What the rules say about one of the flaws.
fn in_time(
    verdict: &Verdict,
    candidate: &Candidate<'_>,
    knowledge: &Knowledge,
    around: &Circumstances<'_>,
) -> Answer {
    let (rules, now) = (around.rules, around.now);
    let (id, word) = (&verdict.advisory.id, severity::name(verdict.severity));
    let at_once = verdict.known_exploited && rules.known_exploited_at_once;
    let because = if at_once {
        format!("{id} is known to be exploited")
    } else {
        format!("{id} is {word}")
    };
    match treatment(rules, verdict.severity) {
        Treatment::Automatic => {}
        Treatment::Ask if at_once => {}
        Treatment::Ask if is_below(rules, verdict.severity) => {
            let least = severity::name(rules.minimum_severity);
            return Answer::hold(format!(
                "{id} is {word}, below the policy's minimum {least}"
            ));
        }
        Treatment::Ask => {
            return Answer::hold(format!(
                "{id} is {word}; the policy requires an administrator"
            ));
        }
        Treatment::Never => {
            return Answer::hold(format!(
                "{id} is {word}; the policy requires an administrator"
            ));
        }
    }
    let skips_delay = at_once && rules.known_exploited_skips_delay;
    let skips_windows = at_once && rules.known_exploited_skips_windows;
    let ripe = if skips_delay {
        now
    } else {
        match ripe(verdict, candidate, knowledge, around) {
            Some(ripe) => ripe,
            None => return Answer::hold(format!("{because}; time of receipt unknown")),
        }
    };
    let opening = if skips_windows {
        Some(ripe.max(now))
    } else {
        first_open(&rules.hours, ripe.max(now))
    };
    match opening {
        Some(due) if due <= now => Answer::apply(because),
        Some(due) if ripe > now => Answer::until(
            Some(due),
            format!("{because}; delayed (delay, minimum age or rollout wave)"),
        ),
        Some(due) => Answer::until(
            Some(due),
            format!("{because}; no maintenance window is open"),
        ),
        // Further ahead than the openings that were given.
        None if ripe > now => Answer::until(
            Some(ripe),
            format!("{because}; delayed (delay, minimum age or rollout wave)"),
        ),
        None => Answer::hold(format!(
            "{because}; no maintenance window is open, none upcoming"
        )),
    }
}

/// When delay, minimum age and wave are over; none where it is not known when they began.
fn ripe(
    verdict: &Verdict,
    candidate: &Candidate<'_>,
    knowledge: &Knowledge,
    around: &Circumstances<'_>,
) -> Option<i64> {
    let (rules, correction) = (around.rules, candidate.correction);
    let seconds = |seconds: u64| i64::try_from(seconds).unwrap_or(i64::MAX);
    let advisory = knowledge.advisory(&verdict.advisory.id)?;
    let advisory_accepted = *around.accepted.advisories.get(&verdict.advisory.id)?;
    let accepted = around.accepted.corrections.get(correction.id.as_str())?;
    let received = advisory_accepted.max(*accepted);
    let published = advisory
        .modified
        .as_second()
        .max(correction.published.as_second());
    let delayed = received.saturating_add(seconds(rules.delay));
    let aged = published.saturating_add(seconds(rules.minimum_age));
    Some(delayed.max(aged).saturating_add(seconds(rules.wave)))
}

/// The first instant from `time` on at which something may begin.
fn first_open(hours: &Hours, time: i64) -> Option<i64> {
    match hours {
        Hours::Always => Some(time),
        Hours::Openings(openings) => openings
            .iter()
            .find(|opening| opening.end > time)
            .map(|opening| opening.begin.max(time)),
    }
}

fn is_below(rules: &Rules, found: Severity) -> bool {
    severity::rank(found) < severity::rank(rules.minimum_severity)
}

fn treatment(rules: &Rules, found: Severity) -> Treatment {
    let treatments = &rules.treatments;
    let treatment = match found {
        Severity::Unrated | Severity::None => Treatment::Ask,
        Severity::Low => treatments.low,
        Severity::Medium => treatments.medium,
        Severity::High => treatments.high,
        Severity::Critical => treatments.critical,
    };
    match treatment {
        Treatment::Automatic if is_below(rules, found) => Treatment::Ask,
        other => other,
    }
}

fn reference(correction: &Correction) -> DocumentRef {
    DocumentRef {
        id: correction.id.to_string(),
        revision: correction.revision,
    }
}
