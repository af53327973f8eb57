//! Whether something that is installed is affected, as far as the shim itself can tell.
//!
//! The plugin gives the verdicts; this is the native second look before anything is applied by
//! itself. It never says yes to what it cannot compare.

use std::cmp::Ordering;

use spacecp_apply::inventory::{Component, Inventory};
use spacecp_contract::{
    Advisory, Affected, Correction, VersionRange, VersionScheme,
    identity::{Stream, comparable, comparable_range, is_same},
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
        let mut affected = advisory.affected.iter();
        affected.any(|affected| {
            is_same(&affected.component, part.advisory_name())
                && (lists(affected, version) || has_within(affected, version))
        })
    })
}

/// Whether a version is in one of the ranges, and of the line of versions that they are about.
fn has_within(affected: &Affected, version: &str) -> bool {
    let component = affected.component.as_str();
    if Stream::of(component, version).is_some() {
        return false;
    }
    let version = comparable(component, version);
    affected.ranges.iter().any(|range| {
        let range = comparable_range(component, range);
        contains(affected.scheme, &range, &version)
    })
}

fn contains<Text: AsRef<str>>(
    scheme: VersionScheme,
    range: &VersionRange<Text>,
    version: &str,
) -> bool {
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
