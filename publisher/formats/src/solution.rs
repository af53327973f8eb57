//! What an external advisory says is to be done.
//!
//! OSV has no text for it, and a CSAF document need not have one. What is written here in its place
//! follows from the ranges alone: the corrected versions that the document names, or that it names
//! none. So every advisory says what to do, and those of others can be held to the same rule as ours.

use std::collections::{BTreeMap, HashSet};

use spacecp_contract::{Affected, ComponentName};

/// The solution that ranges tell.
pub(super) fn from_ranges(id: &str, affected: &[Affected]) -> String {
    let mut corrected: BTreeMap<&ComponentName, Vec<&str>> = BTreeMap::new();
    for affected in affected {
        let versions = corrected.entry(&affected.component).or_default();
        let ranges = affected.ranges.iter();
        versions.extend(ranges.filter_map(|range| range.fixed.as_deref()));
    }
    for versions in corrected.values_mut() {
        let mut seen = HashSet::new();
        versions.retain(|version| seen.insert(*version));
    }
    from_versions(id, &corrected)
}

/// The solution that names of corrected versions tell, by component.
pub(super) fn from_versions(id: &str, corrected: &BTreeMap<&ComponentName, Vec<&str>>) -> String {
    if corrected.is_empty() {
        return format!("{id} names no corrected version.");
    }
    let line = |(component, versions): (&&ComponentName, &Vec<&str>)| {
        if versions.is_empty() {
            return format!("- {id} names no corrected version of `{component}`.");
        }
        // A version has no backtick in any scheme but the freest.
        let versions = versions.iter().map(|version| version.replace('`', "'"));
        let versions: Vec<String> = versions.map(|version| format!("`{version}`")).collect();
        format!("- `{component}` is corrected in {}.", versions.join(", "))
    };
    corrected.iter().map(line).collect::<Vec<_>>().join("\n")
}
