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
    // The correction may replace embedded components; their versions are unknown until it is applied.
    let inside = format!("{}/", plan.component);
    for found in &mut inventory.found {
        if found.name.starts_with(&inside) {
            found.version = Err(format!("{} is corrected first", plan.component));
        }
    }
    inventory
}

#[cfg(test)]
mod tests {
    use spacecp_contract::{Restart, VersionRange};

    use super::*;
    use crate::{
        apply::Plan,
        config::VersionConfig,
        inventory::{Component, Found, Provider},
    };

    fn plan(component: &str, name: &[u8]) -> Plan {
        Plan {
            digest: Digest::of(name),
            correction: "SPACECP-SC-2026-0001".parse().expect("an id"),
            revision: 1,
            component: component.to_owned(),
            from: "1.0.0".to_owned(),
            to: "2.0.0".to_owned(),
            files: Vec::new(),
            download: 0,
            restart: Restart::None,
            restarts: false,
            health: None,
            findings: Vec::new(),
            differences: Vec::new(),
        }
    }

    fn correction(id: &str, component: &str, to: &str) -> Correction {
        Correction {
            id: id.parse().expect("an id"),
            revision: 1,
            audience: "customers".parse().expect("an audience"),
            published: jiff::Timestamp::UNIX_EPOCH,
            advisories: Vec::new(),
            component: component.parse().expect("a name"),
            scheme: VersionScheme::Semver,
            from: VersionRange {
                introduced: "0".to_owned(),
                fixed: None,
                last_affected: None,
                limit: None,
            },
            to: to.to_owned(),
            requires: Vec::new(),
            files: Vec::new(),
            restart: Restart::None,
            health: None,
            reversible: true,
        }
    }

    fn requiring(component: &str, at_least: &str) -> Correction {
        let mut correction = correction("SPACECP-SC-2026-0002", "spacecp:panel", "2.0.0");
        correction.requires.push(spacecp_contract::Requirement {
            component: component.parse().expect("a name"),
            at_least: at_least.to_owned(),
        });
        correction
    }

    #[test]
    fn the_digest_of_one_plan_is_its_own_and_of_several_that_of_all_in_their_order() {
        let (one, other) = (plan("a", b"one"), plan("b", b"other"));
        assert_eq!(join(vec![one.clone()]).digest, one.digest);
        let both = join(vec![one.clone(), other.clone()]);
        let reverse = join(vec![other.clone(), one.clone()]);
        assert_eq!(both.plans, [one.clone(), other.clone()]);
        assert_ne!(both.digest, reverse.digest);
        assert_ne!(both.digest, one.digest);
        assert_eq!(both.digest, join(vec![one, other]).digest);
    }

    #[test]
    fn a_correction_comes_before_another_that_requires_what_it_reaches() {
        let first = correction("SPACECP-SC-2026-0001", "spacecp:houston", "1.5.0");
        for (at_least, before) in [
            ("1.4.9", true),
            ("1.5.0", true),
            ("1.5.1", false),
            ("no version", true),
        ] {
            let second = requiring("spacecp:houston", at_least);
            assert_eq!(comes_before(&first, &second), before, "{at_least}");
            assert!(!comes_before(&second, &first));
        }
        let of_another = requiring("spacecp:module", "1.0.0");
        assert!(!comes_before(&first, &of_another));
    }

    #[test]
    fn no_correction_comes_before_itself() {
        let mut own = requiring("spacecp:panel", "1.0.0");
        assert!(!comes_before(&own, &own));
        own.id = "SPACECP-SC-2026-0003".parse().expect("an id");
        let other = requiring("spacecp:panel", "1.0.0");
        assert!(comes_before(&own, &other));
    }

    #[test]
    fn after_a_plan_its_component_has_the_new_version_and_what_is_inside_has_none() {
        let component = |name: &str| Component {
            name: name.to_owned(),
            advisory_name: "spacecp:houston".parse().expect("a name"),
            scheme: VersionScheme::Semver,
            folder: "/nowhere".into(),
            keep: Vec::new(),
            version: Ok("1.0.0".to_owned()),
            found_at: String::new(),
            source: VersionConfig {
                file: "VERSION".parse().expect("a path"),
                pattern: None,
                pointer: None,
            },
        };
        let found = |name: &str| Found {
            name: name.to_owned(),
            advisory_name: "npm:node-ipc".parse().expect("a name"),
            scheme: VersionScheme::Npm,
            version: Ok("9.0.0".to_owned()),
            found_at: String::new(),
            provider: Provider::Npm,
        };
        let before = Inventory {
            components: vec![component("panel"), component("houston")],
            found: vec![
                found("houston/node-ipc"),
                found("houston-2/node-ipc"),
                found("panel/node-ipc"),
            ],
            ..Inventory::read(&[])
        };
        let after = after(&before, &plan("houston", b"one"));
        let versions = after
            .components
            .iter()
            .map(|one| one.version.as_deref().ok());
        assert_eq!(versions.collect::<Vec<_>>(), [Some("1.0.0"), Some("2.0.0")]);
        let inside = after.found.iter().map(|one| one.version.is_ok());
        assert_eq!(inside.collect::<Vec<_>>(), [false, true, true]);
    }
}
