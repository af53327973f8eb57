//! What is to be applied and what was said about it, and what comes of that: work for each part of it.
//!
//! May not: touch the disk, or begin anything.

use jiff::Timestamp;
use spacecp_contract::{Correction, Digest, Restart};

use super::{
    Application, ApplyError, JointPlan, Outcome, Plan,
    journal::{Entry, State},
    lock::beside,
};
use crate::{
    inventory::{Component, Inventory},
    trust::Verified,
};

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
                entry: new_entry(id, part, plan, order)?,
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
) -> Result<Entry, ApplyError> {
    let files = part.correction.files.iter();
    let changes = files.map(|file| (file.path.to_string(), file.after.map(|after| after.digest)));
    Ok(Entry {
        state: State::Planned,
        folder: part.component.folder.clone(),
        workspace: beside(&part.component.folder)?.join(&id),
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
