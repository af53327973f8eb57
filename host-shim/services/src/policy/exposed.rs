//! Whether something that is installed is affected, as far as the shim itself can tell.
//!
//! The plugin gives the verdicts; this is the native second look before anything is applied by
//! itself. It never says yes to what it cannot compare.

use std::cmp::Ordering;

use spacecp_apply::inventory::{Component, Inventory};
use spacecp_contract::{
    Advisory, Affected, Correction, VersionRange, VersionScheme,
    version::{Range, Version, compare},
};

/// Whether the correction leads away from the version that is installed.
pub(super) fn fits(correction: &Correction, component: &Component) -> bool {
    let version = component.version.as_ref();
    version.is_ok_and(|version| contains(correction.scheme, &correction.from, version))
}

/// Whether an advisory affects a component, or something inside it.
pub(super) fn affects(advisory: &Advisory, component: &Component, inventory: &Inventory) -> bool {
    let parts = inventory.installed();
    let mut parts = parts.filter(|part| part.is_within(&component.name));
    parts.any(|part| {
        let Some(version) = part.version() else {
            return false;
        };
        advisory.affected.iter().any(|affected| {
            affected.component == *part.advisory_name()
                && (lists(affected, version)
                    || affected
                        .ranges
                        .iter()
                        .any(|range| contains(affected.scheme, range, version)))
        })
    })
}

fn contains(scheme: VersionScheme, range: &VersionRange, version: &str) -> bool {
    let Ok(version) = Version::read(scheme, version) else {
        return false;
    };
    Range::read(scheme, range).is_ok_and(|range| range.contains(&version) == Some(true))
}

/// Listed as it is written, or in another spelling of the same version.
fn lists(affected: &Affected, version: &str) -> bool {
    affected.versions.iter().any(|listed| {
        listed == version || compare(affected.scheme, listed, version) == Some(Ordering::Equal)
    })
}
