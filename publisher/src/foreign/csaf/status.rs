//! What a CSAF document says of each component: affected, not affected, or being looked into.

use std::collections::{BTreeMap, BTreeSet};

use spacecp_contract::{
    Affected, ComponentName, Justification, NotAffected, VersionRange, VersionScheme,
    version::{Range, Version},
};

use super::{
    products::{Extent, Known, Products},
    record::{Record, Vulnerability},
};
use crate::foreign::{Refusal, Remark};

/// What is said of components.
#[derive(Debug, Default)]
pub(super) struct Said {
    pub(super) affected: Vec<Affected>,
    pub(super) not_affected: Vec<NotAffected>,
    corrected: BTreeMap<ComponentName, Vec<String>>,
}

impl Said {
    /// The versions that are called corrected, by component; those that are affected have an entry.
    pub(super) fn corrected(&self) -> BTreeMap<&ComponentName, Vec<&str>> {
        let affected = self.affected.iter();
        let mut found: BTreeMap<&ComponentName, Vec<&str>> = affected
            .map(|affected| (&affected.component, Vec::new()))
            .collect();
        for affected in &self.affected {
            let fixed = affected
                .ranges
                .iter()
                .filter_map(|range| range.fixed.as_deref());
            found.entry(&affected.component).or_default().extend(fixed);
        }
        for (component, versions) in &self.corrected {
            let all = found.entry(component).or_default();
            for version in versions {
                if !all.contains(&version.as_str()) {
                    all.push(version);
                }
            }
        }
        found
    }

    fn entry(&mut self, component: &ComponentName, scheme: VersionScheme) -> &mut Affected {
        let same = |one: &Affected| one.component == *component && one.scheme == scheme;
        let place = self.affected.iter().position(same).unwrap_or_else(|| {
            self.affected.push(Affected {
                component: component.clone(),
                scheme,
                ranges: Vec::new(),
                versions: Vec::new(),
            });
            self.affected.len() - 1
        });
        &mut self.affected[place]
    }

    /// Notes that nobody knows of a component.
    fn open(&mut self, component: &ComponentName) {
        // A scheme that nobody knows is what makes every panel say that it does not know.
        let entry = self.entry(component, VersionScheme::Unknown);
        if entry.ranges.is_empty() {
            entry.ranges.push(all());
        }
    }
}

/// Reads the statuses of every vulnerability.
pub(super) fn said(
    record: &Record,
    products: &Products<'_>,
    remarks: &mut Vec<Remark>,
) -> Result<Said, Refusal> {
    let mut said = Said::default();
    let mut first = None;
    // Components that a vulnerability does not affect, with how many of them.
    let mut spared: BTreeMap<ComponentName, (Justification, BTreeSet<usize>)> = BTreeMap::new();
    for (number, flaw) in record.vulnerabilities.iter().enumerate() {
        let base = format!("vulnerabilities[{number}].product_status");
        let status = &flaw.product_status;
        let mut known = |name: &str, ids: &[String]| -> Vec<(String, Known)> {
            let mut found = Vec::new();
            for (place, id) in ids.iter().enumerate() {
                let field = format!("{base}.{name}[{place}]");
                match products.known(id) {
                    Ok(known) => found.push((field, known)),
                    Err(reason) => {
                        first.get_or_insert_with(|| reason.clone());
                        remarks.push(Remark { field, reason });
                    }
                }
            }
            found
        };
        let affected = [
            known("known_affected", &status.known_affected),
            known("first_affected", &status.first_affected),
            known("last_affected", &status.last_affected),
        ];
        let open = known("under_investigation", &status.under_investigation);
        let fixed = [
            known("fixed", &status.fixed),
            known("first_fixed", &status.first_fixed),
        ];
        for (field, known) in affected.iter().flatten() {
            let Some(version) = contradicted(known, fixed.iter().flatten()) else {
                affect(&mut said, field, known)?;
                continue;
            };
            said.open(&known.component);
            remarks.push(Remark {
                field: field.clone(),
                reason: format!(
                    "{version:?} of {} is called affected and fixed: panels say that it is unknown",
                    known.component
                ),
            });
        }
        for (_, known) in &open {
            said.open(&known.component);
        }
        for (_, known) in fixed.iter().flatten() {
            if let Extent::Version(version) = &known.extent {
                let versions = said.corrected.entry(known.component.clone()).or_default();
                if !versions.contains(version) {
                    versions.push(version.clone());
                }
            }
        }
        for (place, id) in status.known_not_affected.iter().enumerate() {
            match spare(flaw, products, id) {
                Ok((component, justification)) => {
                    let entry = spared.entry(component);
                    entry
                        .or_insert((justification, BTreeSet::new()))
                        .1
                        .insert(number);
                }
                Err(reason) => {
                    first.get_or_insert_with(|| reason.clone());
                    let field = format!("{base}.known_not_affected[{place}]");
                    remarks.push(Remark { field, reason });
                }
            }
        }
    }
    for (component, (justification, of)) in spared {
        // Whoever reads of one advisory wants to know whether any of its flaws concerns them.
        if of.len() == record.vulnerabilities.len() {
            said.not_affected.push(NotAffected {
                component,
                justification,
            });
        } else if !said
            .affected
            .iter()
            .any(|affected| affected.component == component)
        {
            let reason = format!(
                "{component} is not affected by some of the vulnerabilities, and of the others nothing is said"
            );
            first.get_or_insert_with(|| reason.clone());
            remarks.push(Remark {
                field: "vulnerabilities".to_owned(),
                reason,
            });
        }
    }
    if said.affected.is_empty() && said.not_affected.is_empty() {
        return Err(Refusal::Components {
            field: "vulnerabilities",
            reason: first.unwrap_or_else(|| "it says of no product that it is affected".to_owned()),
        });
    }
    Ok(said)
}

/// The version of an affected product that the same vulnerability calls fixed, if there is one.
///
/// A product without a version is all of its versions, and a document that names a fixed one beside
/// it does not say which of the others it means.
fn contradicted<'a>(
    affected: &Known,
    mut fixed: impl Iterator<Item = &'a (String, Known)>,
) -> Option<&'a str> {
    let scheme = affected.ecosystem.scheme();
    fixed.find_map(|(_, known)| {
        let Extent::Version(version) = &known.extent else {
            return None;
        };
        let read = Version::read(scheme, version).ok()?;
        let within = |range: &VersionRange| {
            Range::read(scheme, range).is_ok_and(|range| range.contains(&read) == Some(true))
        };
        let held = match &affected.extent {
            Extent::All => true,
            Extent::Version(affected) => affected == version,
            Extent::Range(Ok(versions)) => {
                versions.ranges.iter().any(within) || versions.listed.contains(version)
            }
            Extent::Range(Err(_)) => false,
        };
        (held && known.component == affected.component).then_some(version.as_str())
    })
}

fn affect(said: &mut Said, field: &str, known: &Known) -> Result<(), Refusal> {
    let scheme = known.ecosystem.scheme();
    let refused = |reason: String| Refusal::Versions {
        field: field.to_owned(),
        reason: format!("{}: {reason}", known.component),
    };
    let (ranges, listed) = match &known.extent {
        Extent::All => (vec![all()], Vec::new()),
        Extent::Version(version) => {
            Version::read(scheme, version).map_err(|error| refused(error.to_string()))?;
            (Vec::new(), vec![version.clone()])
        }
        Extent::Range(Ok(versions)) => (versions.ranges.clone(), versions.listed.clone()),
        Extent::Range(Err(reason)) => return Err(refused(reason.clone())),
    };
    let entry = said.entry(&known.component, scheme);
    for range in ranges {
        if !entry.ranges.contains(&range) {
            entry.ranges.push(range);
        }
    }
    for version in listed {
        if !entry.versions.contains(&version) {
            entry.versions.push(version);
        }
    }
    Ok(())
}

/// The component that a product is, if none of its versions is affected and it is said why.
fn spare(
    flaw: &Vulnerability,
    products: &Products<'_>,
    id: &String,
) -> Result<(ComponentName, Justification), String> {
    let known = products.known(id)?;
    let whole = match &known.extent {
        Extent::All => true,
        Extent::Range(Ok(versions)) => versions.ranges == [all()],
        _ => false,
    };
    if !whole {
        return Err(format!(
            "that some versions of {} are not affected is not said apart from those that are",
            known.component
        ));
    }
    let flag = flaw.flags.iter().find(|flag| {
        let grouped = |group: &String| products.group(group).contains(id);
        flag.product_ids.contains(id) || flag.group_ids.iter().any(grouped)
    });
    let flag =
        flag.ok_or_else(|| format!("no flag says why {} is not affected", known.component))?;
    let justification = match flag.label.as_str() {
        "component_not_present" => Justification::ComponentNotPresent,
        "vulnerable_code_not_present" => Justification::VulnerableCodeNotPresent,
        "vulnerable_code_not_in_execute_path" => Justification::VulnerableCodeNotInExecutePath,
        "vulnerable_code_cannot_be_controlled_by_adversary" => {
            Justification::VulnerableCodeCannotBeControlledByAdversary
        }
        "inline_mitigations_already_exist" => Justification::InlineMitigationsAlreadyExist,
        other => {
            return Err(format!(
                "the flag {:?} is not known here",
                other.chars().take(80).collect::<String>()
            ));
        }
    };
    Ok((known.component, justification))
}

fn all() -> VersionRange {
    VersionRange {
        introduced: "0".to_owned(),
        fixed: None,
        last_affected: None,
        limit: None,
    }
}
