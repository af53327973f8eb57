//! Which corrections to apply without being asked, which to hold back, and why.

use std::collections::BTreeMap;

use crate::{
    bindings::{
        exports::spacecp::advisories::{
            automation::{Action, Decision},
            exposure::{Status, Verdict},
        },
        spacecp::advisories::settings::Policy,
    },
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
    actions.sort_by_key(|action| action.decision == Decision::Hold);
    actions
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
