//! Several corrections as one plan: their order, and one digest over all of it.
//!
//! Pure: nothing here looks at a disk.

use std::{cmp::Ordering, collections::VecDeque};

use sha2::{Digest as _, Sha256};
use spacecp_contract::{Correction, Digest, VersionScheme, version::compare};

use super::{ApplyError, JointPlan, Part, Plan, lock::are_related};
use crate::inventory::Inventory;

/// One plan out of several, in their order.
pub(super) fn join(plans: Vec<Plan>) -> JointPlan {
    let digest = match plans.as_slice() {
        // A plan of one is that one.
        [plan] => plan.digest,
        plans => {
            let mut hash = Sha256::new();
            for plan in plans {
                hash.update(plan.digest.as_bytes());
            }
            Digest::from_bytes(hash.finalize().into())
        }
    };
    JointPlan { digest, plans }
}

/// Puts what others require before them, and leaves the order otherwise as it was asked for.
pub(super) fn in_order<'a>(parts: &[Part<'a>]) -> Result<Vec<Part<'a>>, ApplyError> {
    let mut waiting: VecDeque<Part<'a>> = parts.iter().copied().collect();
    let mut ordered = Vec::with_capacity(parts.len());
    while !waiting.is_empty() {
        let free = waiting.iter().position(|part| {
            !waiting
                .iter()
                .any(|other| comes_before(other.correction, part.correction))
        });
        match free.and_then(|free| waiting.remove(free)) {
            Some(part) => ordered.push(part),
            None => return Err(circle(&waiting.iter().copied().collect::<Vec<_>>())),
        }
    }
    Ok(ordered)
}

/// Whether `first` leads to what `second` requires.
fn comes_before(first: &Correction, second: &Correction) -> bool {
    first.id != second.id
        && second.requires.iter().any(|required| {
            required.component == first.component
                && reaches(first.scheme, &first.to, &required.at_least)
        })
}

/// Versions that cannot be compared are put in order too: preflight says that they cannot.
fn reaches(scheme: VersionScheme, version: &str, least: &str) -> bool {
    compare(scheme, version, least).is_none_or(Ordering::is_ge)
}

/// Names a circle: from any of those that wait, always on to one that it waits for.
fn circle(waiting: &[Part<'_>]) -> ApplyError {
    let mut way: Vec<&Correction> = Vec::new();
    let mut at = waiting.first().map(|part| part.correction.document());
    while let Some(correction) = at {
        if let Some(seen) = way.iter().position(|before| before.id == correction.id) {
            way.drain(..seen);
            way.push(correction);
            break;
        }
        way.push(correction);
        let mut others = waiting.iter().map(|part| part.correction.document());
        at = others.find(|other| comes_before(other, correction));
    }
    // From "waits for" to "comes before".
    let corrections = way.iter().rev().map(|correction| correction.id.to_string());
    ApplyError::Circle {
        corrections: corrections.collect(),
    }
}

/// Refuses two corrections of one folder, or of folders of which one lies in the other: the second would
/// be built from a tree that is gone.
pub(super) fn one_a_folder(parts: &[Part<'_>]) -> Result<(), ApplyError> {
    for (place, part) in parts.iter().enumerate() {
        let folder = &part.component.folder;
        let mut before = parts.iter().take(place);
        if let Some(first) = before.find(|before| are_related(&before.component.folder, folder)) {
            return Err(ApplyError::SameFolder {
                first: first.correction.id.to_string(),
                second: part.correction.id.to_string(),
                folder: folder.clone(),
            });
        }
    }
    Ok(())
}

/// The inventory as it will be once a plan has been carried out.
pub(super) fn after(inventory: &Inventory, plan: &Plan) -> Inventory {
    let mut inventory = inventory.clone();
    let mut components = inventory.components.iter_mut();
    if let Some(component) = components.find(|component| component.name == plan.component) {
        component.version = Ok(plan.to.clone());
    }
    // What is inside it will be another; which, nobody can say before it is there.
    let inside = format!("{}/", plan.component);
    for found in &mut inventory.found {
        if found.name.starts_with(&inside) {
            found.version = Err(format!("{} is corrected before", plan.component));
        }
    }
    inventory
}
