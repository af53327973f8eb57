//! Which corrections to apply without being asked, which to hold back, and why.

use std::{cmp::Ordering, collections::BTreeMap};

use crate::{
    bindings::{
        exports::spacecp::advisories::{
            automation::{Action, Decision},
            exposure::{Status, Verdict},
        },
        spacecp::advisories::settings::Policy,
    },
    exposure::compare,
    knowledge::Knowledge,
    severity,
};

/// What to do under this policy, in the order in which to do it.
///
/// A correction that answers several exposures is one action; the gravest of them decides.
pub fn plan(knowledge: &Knowledge, policy: &Policy) -> Vec<Action> {
    let mut actions: Vec<Action> = Vec::new();
    let mut places: BTreeMap<(String, String), usize> = BTreeMap::new();
    // Verdicts come worst first, so the first one that names a correction decides about it.
    for verdict in knowledge
        .verdicts()
        .into_iter()
        .filter(|verdict| verdict.status == Status::Affected)
    {
        let Some(known) = knowledge.advisory(&verdict.advisory.id) else {
            continue;
        };
        let Some(exposed) = knowledge.component(&verdict.component) else {
            continue;
        };
        let Some((correction, target)) = knowledge.correction_for(&known.advisory, exposed) else {
            continue;
        };
        let key = (correction.id.to_string(), target.name.clone());
        if let Some(place) = places.get(&key) {
            let advisories = &mut actions[*place].advisories;
            if !advisories.contains(&verdict.advisory.id) {
                advisories.push(verdict.advisory.id.clone());
            }
            continue;
        }
        let (decision, reason) = decide(verdict, &target.name, policy);
        places.insert(key, actions.len());
        actions.push(Action {
            correction: crate::bindings::spacecp::advisories::types::DocumentRef {
                id: correction.id.to_string(),
                revision: correction.revision,
            },
            component: target.name.clone(),
            decision,
            reason,
            advisories: vec![verdict.advisory.id.clone()],
        });
    }
    one_at_a_time(knowledge, &mut actions);
    actions.sort_by_key(|action| action.decision == Decision::Hold);
    actions
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

fn decide(verdict: &Verdict, target: &str, policy: &Policy) -> (Decision, String) {
    let id = &verdict.advisory.id;
    let word = severity::name(verdict.severity);
    if !policy.automatic {
        return (
            Decision::Hold,
            "the policy leaves every correction to you".to_owned(),
        );
    }
    if policy.excluded.iter().any(|excluded| excluded == target) {
        return (Decision::Hold, format!("the policy excludes {target}"));
    }
    if verdict.known_exploited && policy.known_exploited_at_once {
        return (Decision::Apply, format!("{id} is known to be exploited"));
    }
    if severity::rank(verdict.severity) < severity::rank(policy.minimum_severity) {
        let least = severity::name(policy.minimum_severity);
        return (
            Decision::Hold,
            format!("{id} is {word}, and the policy begins at {least}"),
        );
    }
    (Decision::Apply, format!("{id} is {word}"))
}
