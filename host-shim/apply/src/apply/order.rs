//! What is to be applied and what was said about it, and what comes of that: work for each part of it.
//!
//! May not: touch the disk, or begin anything.

use jiff::Timestamp;
use spacecp_contract::{Correction, Digest, Restart};

use super::{
    Application, ApplyError, JointPlan, Outcome, Plan,
    journal::{Entry, State},
    lock::Locks,
};
use crate::inventory::{Component, Inventory};
use spacecp_trust::Verified;

/// A correction and the component that it is for.
#[derive(Debug, Clone, Copy)]
pub struct Part<'a> {
    /// The correction.
    pub correction: &'a Verified<Correction>,
    /// The component.
    pub component: &'a Component,
}

/// What is to be applied, and what was said about it.
#[derive(Debug)]
pub struct Order<'a> {
    /// The corrections with their components, one a folder. All of them are applied, or none.
    pub parts: Vec<Part<'a>>,
    /// Everything installed.
    pub inventory: &'a Inventory,
    /// The digest of the plan that was shown; none to take the present plan as it is.
    pub shown: Option<Digest>,
    /// Whether what wants a word has been given it.
    pub overwrite: bool,
    /// Who asks.
    pub by: &'a str,
    /// A name for the application that no other has; several get a number behind it each.
    pub id: String,
    /// Now.
    pub now: Timestamp,
}

/// One part of an order, on its way.
#[derive(Debug)]
pub(super) struct Work<'a> {
    pub(super) entry: Entry,
    pub(super) part: Part<'a>,
    /// The inventory as it is once everything before this has been applied.
    pub(super) supposed: Inventory,
    /// The digest of the plan that is carried out.
    pub(super) agreed: Digest,
}

/// Whether the plan may be carried out as it was asked for.
pub(super) fn agreed(joint: &JointPlan, order: &Order<'_>) -> Result<(), ApplyError> {
    let mut plans = joint.plans.iter();
    let panel = plans.find(|plan| plan.restarts && plan.restart == Restart::Panel);
    if let Some(plan) = panel.filter(|_| joint.plans.len() > 1) {
        return Err(ApplyError::NotAlone {
            correction: plan.correction.to_string(),
        });
    }
    for plan in &joint.plans {
        if plan.obstacles().next().is_some() {
            return Err(ApplyError::Obstacle {
                plan: Box::new(plan.clone()),
            });
        }
    }
    if let Some(shown) = order.shown.filter(|shown| *shown != joint.digest) {
        return Err(ApplyError::Drifted {
            shown,
            present: joint.digest,
        });
    }
    let mut plans = joint.plans.iter();
    match plans.find(|plan| plan.warnings().next().is_some()) {
        Some(plan) if !order.overwrite => Err(ApplyError::WantsWord {
            plan: Box::new(plan.clone()),
        }),
        _ => Ok(()),
    }
}

/// What is to be done, in its order.
pub(super) fn works<'a>(
    joint: &JointPlan,
    ordered: Vec<(Part<'a>, Inventory)>,
    order: &Order<'_>,
    locks: &Locks,
) -> Result<Vec<Work<'a>>, ApplyError> {
    let several = ordered.len() > 1;
    let planned = joint.plans.iter().zip(ordered).enumerate();
    planned
        .map(|(place, (plan, (part, supposed)))| {
            let id = if several {
                format!("{}-{}", order.id, place + 1)
            } else {
                order.id.clone()
            };
            Ok(Work {
                entry: new_entry(id, part, plan, order, locks)?,
                part,
                supposed,
                agreed: plan.digest,
            })
        })
        .collect()
}

fn new_entry(
    id: String,
    part: Part<'_>,
    plan: &Plan,
    order: &Order<'_>,
    locks: &Locks,
) -> Result<Entry, ApplyError> {
    let folder = &part.component.folder;
    let lock = locks.of(folder).ok_or_else(|| ApplyError::Busy {
        folder: folder.clone(),
    })?;
    let files = part.correction.files.iter();
    let changes = files.map(|file| (file.path.to_string(), file.after.map(|after| after.digest)));
    Ok(Entry {
        state: State::Planned,
        folder: folder.clone(),
        workspace: lock.workspace(&id),
        new_tree: None,
        keep: part.component.keep.clone(),
        changes: changes.collect(),
        plan: order.id.clone(),
        restarts: plan.restarts,
        panel: plan.restarts && plan.restart == Restart::Panel,
        one_way: !part.correction.reversible,
        health: plan.health.clone(),
        owes_start: false,
        old_bytes: None,
        exchanged: None,
        application: Application {
            id,
            correction: plan.correction.clone(),
            revision: plan.revision,
            component: plan.component.clone(),
            from: plan.from.clone(),
            to: plan.to.clone(),
            began: order.now,
            ended: None,
            by: order.by.to_owned(),
            outcome: Outcome::InProgress,
            reason: None,
            reversible: false,
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::apply::{Finding, Gravity};

    fn plan(restart: Restart, restarts: bool, found: &[Gravity]) -> Plan {
        let finding = |gravity: &Gravity| Finding {
            check: "a-check".to_owned(),
            gravity: *gravity,
            found: "something".to_owned(),
            remedy: None,
        };
        Plan {
            digest: Digest::of(b"one"),
            correction: "SPACECP-SC-2026-0001".parse().expect("an id"),
            revision: 1,
            component: "houston".to_owned(),
            from: "1.0.0".to_owned(),
            to: "2.0.0".to_owned(),
            files: Vec::new(),
            download: 0,
            restart,
            restarts,
            health: None,
            findings: found.iter().map(finding).collect(),
            differences: Vec::new(),
        }
    }

    fn ask(plans: Vec<Plan>, shown: Option<Digest>, overwrite: bool) -> Result<(), ApplyError> {
        let inventory = Inventory::read(&[]);
        let order = Order {
            parts: Vec::new(),
            inventory: &inventory,
            shown,
            overwrite,
            by: "somebody",
            id: "an-id".to_owned(),
            now: Timestamp::UNIX_EPOCH,
        };
        let digest = Digest::of(b"all");
        agreed(&JointPlan { digest, plans }, &order)
    }

    fn ordinary() -> Plan {
        plan(Restart::Component, true, &[Gravity::Information])
    }

    #[test]
    fn a_plan_that_nothing_was_found_against_is_carried_out() {
        assert!(ask(vec![ordinary(), ordinary()], None, false).is_ok());
    }

    #[test]
    fn a_plan_is_carried_out_only_as_it_was_shown() {
        let (same, other) = (Digest::of(b"all"), Digest::of(b"another"));
        assert!(ask(vec![ordinary()], Some(same), false).is_ok());
        let refused = ask(vec![ordinary()], Some(other), true);
        assert!(matches!(
            refused,
            Err(ApplyError::Drifted { shown, present }) if shown == other && present == same
        ));
    }

    #[test]
    fn an_obstacle_in_any_plan_stops_all_of_them_whatever_is_said_to_it() {
        let blocked = plan(Restart::None, false, &[Gravity::Warning, Gravity::Obstacle]);
        for overwrite in [false, true] {
            let refused = ask(vec![ordinary(), blocked.clone()], None, overwrite);
            assert!(matches!(refused, Err(ApplyError::Obstacle { .. })));
        }
    }

    #[test]
    fn a_warning_in_any_plan_needs_a_confirmation() {
        let doubtful = plan(
            Restart::None,
            false,
            &[Gravity::Information, Gravity::Warning],
        );
        let plans = || vec![ordinary(), doubtful.clone()];
        let refused = ask(plans(), None, false);
        assert!(matches!(refused, Err(ApplyError::WantsWord { .. })));
        assert!(ask(plans(), None, true).is_ok());
    }

    #[test]
    fn a_correction_that_restarts_the_panel_is_applied_alone() {
        let panel = || plan(Restart::Panel, true, &[]);
        assert!(ask(vec![panel()], None, false).is_ok());
        for plans in [vec![panel(), ordinary()], vec![ordinary(), panel()]] {
            let refused = ask(plans, None, true);
            assert!(matches!(refused, Err(ApplyError::NotAlone { .. })));
        }
        let by_a_person = plan(Restart::Panel, false, &[]);
        assert!(ask(vec![by_a_person, ordinary()], None, false).is_ok());
    }
}
