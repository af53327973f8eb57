//! Whether something that is installed is affected, as far as the shim itself can tell.
//!
//! The plugin gives the verdicts; this is the native second look before anything is applied by
//! itself. It never says yes to what it cannot compare.

use semver::Version;
use spacecp_contract::{Advisory, Correction, VersionRange, VersionScheme};

use crate::inventory::{Component, Inventory};

/// Whether the correction leads away from the version that is installed.
pub(super) fn fits(correction: &Correction, component: &Component) -> bool {
    let version = component.version.as_ref();
    version.is_ok_and(|version| contains(correction.scheme, &correction.from, version))
}

/// Whether an advisory affects a component, or something inside it.
pub(super) fn affects(advisory: &Advisory, component: &Component, inventory: &Inventory) -> bool {
    let inside = |part: &&Component| {
        part.name == component.name
            || part
                .name
                .strip_prefix(&component.name)
                .is_some_and(|rest| rest.starts_with('/'))
    };
    let mut parts = inventory.components.iter().filter(inside);
    parts.any(|part| {
        let Ok(version) = &part.version else {
            return false;
        };
        advisory.affected.iter().any(|affected| {
            affected.component == part.advisory_name
                && (affected.versions.contains(version)
                    || affected
                        .ranges
                        .iter()
                        .any(|range| contains(affected.scheme, range, version)))
        })
    })
}

fn contains(scheme: VersionScheme, range: &VersionRange, version: &str) -> bool {
    if !matches!(scheme, VersionScheme::Semver | VersionScheme::Npm) {
        return false;
    }
    let Some(version) = read(version) else {
        return false;
    };
    let begins = range.introduced == "0"
        || read(&range.introduced).is_some_and(|first| first.cmp_precedence(&version).is_le());
    let ends = match (&range.fixed, &range.last_affected) {
        (Some(end), _) => read(end).is_some_and(|end| version.cmp_precedence(&end).is_lt()),
        (None, Some(last)) => read(last).is_some_and(|last| version.cmp_precedence(&last).is_le()),
        (None, None) => true,
    };
    begins && ends
}

/// A leading "v" is part of a tag, not of a version.
fn read(text: &str) -> Option<Version> {
    Version::parse(text.strip_prefix('v').unwrap_or(text)).ok()
}
