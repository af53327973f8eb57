//! What a CSAF document says of each component: affected, not affected, or being looked into.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use spacecp_contract::{
    Affected, ComponentName, Justification, NotAffected, VersionRange, VersionScheme,
    version::{Range, Version},
};

use super::{
    products::{Extent, Known, Products},
    record::{Record, Vulnerability},
};
use crate::{Refusal, Remark, naming::shown, step_limit::Steps};

/// What is said of components.
#[derive(Debug, Default)]
pub(super) struct Said {
    pub(super) affected: Vec<Affected>,
    pub(super) not_affected: Vec<NotAffected>,
    corrected: BTreeMap<ComponentName, BTreeSet<String>>,
    /// Where each stands in `affected`.
    places: HashMap<(ComponentName, VersionScheme), usize>,
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
            let more = versions.iter().map(String::as_str);
            all.extend(more);
        }
        for versions in found.values_mut() {
            let mut seen = HashSet::new();
            versions.retain(|version| seen.insert(*version));
        }
        found
    }

    fn entry(&mut self, component: &ComponentName, scheme: VersionScheme) -> &mut Affected {
        let last = self.affected.len();
        let place = *self
            .places
            .entry((component.clone(), scheme))
            .or_insert(last);
        if place == last {
            self.affected.push(Affected {
                component: component.clone(),
                scheme,
                ranges: Vec::new(),
                versions: Vec::new(),
            });
        }
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
///
/// # Errors
///
/// [`Refusal`] for versions that cannot be read, for a document that says nothing of any component,
/// and for one whose reading would not end.
pub(super) fn said(
    record: &Record,
    products: &Products<'_>,
    steps: &Steps,
    remarks: &mut Vec<Remark>,
) -> Result<Said, Refusal> {
    let mut reader = Reader {
        products,
        steps,
        said: Said::default(),
        spared: BTreeMap::new(),
        remarks,
        first: None,
    };
    for (number, flaw) in record.vulnerabilities.iter().enumerate() {
        reader.flaw(number, flaw)?;
    }
    reader.spare_all(record.vulnerabilities.len());
    let Reader { said, first, .. } = reader;
    if said.affected.is_empty() && said.not_affected.is_empty() {
        return Err(Refusal::Components {
            field: "vulnerabilities",
            reason: first.unwrap_or_else(|| "no affected product".to_owned()),
        });
    }
    Ok(said)
}

/// Goes through the vulnerabilities of one document.
struct Reader<'a> {
    products: &'a Products<'a>,
    steps: &'a Steps,
    said: Said,
    /// Components that vulnerabilities do not affect, and which these are.
    spared: BTreeMap<ComponentName, (Justification, BTreeSet<usize>)>,
    remarks: &'a mut Vec<Remark>,
    /// Why the first product is none that a panel could have.
    first: Option<String>,
}

/// The versions of each component that one vulnerability calls fixed.
type Fixed = HashMap<ComponentName, BTreeSet<String>>;

impl Reader<'_> {
    fn flaw(&mut self, number: usize, flaw: &Vulnerability) -> Result<(), Refusal> {
        let base = format!("vulnerabilities[{number}].product_status");
        let status = &flaw.product_status;
        let mut fixed = Fixed::new();
        for (name, ids) in [
            ("fixed", &status.fixed),
            ("first_fixed", &status.first_fixed),
        ] {
            for (_, known) in self.known(&format!("{base}.{name}"), ids)? {
                if let Extent::Version(version) = known.extent {
                    fixed.entry(known.component).or_default().insert(version);
                }
            }
        }
        for (name, ids) in [
            ("known_affected", &status.known_affected),
            ("first_affected", &status.first_affected),
            ("last_affected", &status.last_affected),
        ] {
            for (field, known) in self.known(&format!("{base}.{name}"), ids)? {
                self.affected(field, &known, &fixed)?;
            }
        }
        for (component, versions) in fixed {
            let corrected = self.said.corrected.entry(component).or_default();
            corrected.extend(versions);
        }
        let field = format!("{base}.under_investigation");
        for (_, known) in self.known(&field, &status.under_investigation)? {
            self.said.open(&known.component);
        }
        let field = format!("{base}.known_not_affected");
        for (place, id) in status.known_not_affected.iter().enumerate() {
            self.steps.take(self.products.steps(id))?;
            match self.spare(flaw, id)? {
                Ok((component, justification)) => {
                    let spared = self.spared.entry(component);
                    let (_, flaws) = spared.or_insert((justification, BTreeSet::new()));
                    flaws.insert(number);
                }
                Err(reason) => self.remark(format!("{field}[{place}]"), reason),
            }
        }
        Ok(())
    }

    /// The products of a list that panels can have; the others are named.
    fn known(&mut self, field: &str, ids: &[String]) -> Result<Vec<(String, Known)>, Refusal> {
        let mut found = Vec::new();
        for (place, id) in ids.iter().enumerate() {
            let field = format!("{field}[{place}]");
            self.steps.take(self.products.steps(id))?;
            match self.products.known(id) {
                Ok(mut known) => {
                    if let Some(reason) = known.note.take() {
                        let field = field.clone();
                        self.remarks.push(Remark { field, reason });
                    }
                    found.push((field, known));
                }
                Err(reason) => self.remark(field, reason),
            }
        }
        Ok(found)
    }

    fn remark(&mut self, field: String, reason: String) {
        self.first.get_or_insert_with(|| reason.clone());
        self.remarks.push(Remark { field, reason });
    }

    fn affected(&mut self, field: String, known: &Known, fixed: &Fixed) -> Result<(), Refusal> {
        let Some(version) = self.contradicted(known, fixed)? else {
            return self.affect(&field, known);
        };
        self.said.open(&known.component);
        let component = &known.component;
        let reason = format!(
            "{:?} of {component} is listed as affected and fixed; panels treat it as unknown",
            shown(version)
        );
        self.remarks.push(Remark { field, reason });
        Ok(())
    }

    /// The version of an affected product that the same vulnerability calls fixed, if there is one.
    ///
    /// A product without a version is all of its versions, and a document that names a fixed one
    /// beside it does not say which of the others it means.
    fn contradicted<'b>(
        &self,
        affected: &Known,
        fixed: &'b Fixed,
    ) -> Result<Option<&'b str>, Refusal> {
        let Some(fixed) = fixed.get(&affected.component) else {
            return Ok(None);
        };
        let scheme = affected.ecosystem.scheme();
        let found = match &affected.extent {
            Extent::All => fixed.first(),
            Extent::Version(version) => fixed.get(version),
            Extent::Range(Err(_)) => None,
            Extent::Range(Ok(versions)) => {
                let (ranges, listed) = (&versions.ranges, &versions.listed);
                let pairs = fixed.len().saturating_mul(ranges.len() + listed.len());
                self.steps.take(pairs.saturating_mul(STEPS_OF_A_VERSION))?;
                let ranges = ranges
                    .iter()
                    .filter_map(|range| Range::read(scheme, range).ok());
                let ranges: Vec<Range> = ranges.collect();
                fixed.iter().find(|text| {
                    let within = |version: Version| {
                        let mut ranges = ranges.iter();
                        ranges.any(|range| range.contains(&version) == Some(true))
                    };
                    listed.contains(text) || Version::read(scheme, text).is_ok_and(within)
                })
            }
        };
        Ok(found.map(String::as_str))
    }

    fn affect(&mut self, field: &str, known: &Known) -> Result<(), Refusal> {
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
        let entry = self.said.entry(&known.component, scheme);
        for range in ranges {
            self.steps.take(STEPS_OF_A_VERSION + entry.ranges.len())?;
            if !entry.ranges.contains(&range) {
                entry.ranges.push(range);
            }
        }
        for version in listed {
            self.steps.take(STEPS_OF_A_VERSION + entry.versions.len())?;
            if !entry.versions.contains(&version) {
                entry.versions.push(version);
            }
        }
        Ok(())
    }

    /// The component that a product is, if none of its versions is affected and it is said why; else
    /// why it cannot be said here, in words.
    fn spare(
        &self,
        flaw: &Vulnerability,
        id: &String,
    ) -> Result<Result<(ComponentName, Justification), String>, Refusal> {
        let known = match self.products.known(id) {
            Ok(known) => known,
            Err(reason) => return Ok(Err(reason)),
        };
        let component = known.component;
        let whole = match &known.extent {
            Extent::All => true,
            Extent::Range(Ok(versions)) => versions.ranges == [all()],
            _ => false,
        };
        if !whole {
            return Ok(Err(format!(
                "some versions of {component} are not affected, which is not stated separately"
            )));
        }
        let Some(label) = self.flag(flaw, id)? else {
            return Ok(Err(format!(
                "no flag explains why {component} is not affected"
            )));
        };
        Ok(justification(label).map(|justification| (component, justification)))
    }

    /// The label of the flag that a vulnerability has for a product.
    fn flag<'b>(&self, flaw: &'b Vulnerability, id: &String) -> Result<Option<&'b str>, Refusal> {
        for flag in &flaw.flags {
            let groups = flag
                .group_ids
                .iter()
                .map(|group| self.products.group(group));
            for ids in groups.chain([flag.product_ids.as_slice()]) {
                self.steps.take(1 + ids.len())?;
                if ids.contains(id) {
                    return Ok(Some(&flag.label));
                }
            }
        }
        Ok(None)
    }

    /// Says of components that they are not affected where that holds for all vulnerabilities: whoever
    /// reads of one advisory wants to know whether any of its flaws concerns them.
    fn spare_all(&mut self, flaws: usize) {
        let affected = self.said.affected.iter();
        let said: HashSet<ComponentName> = affected.map(|one| one.component.clone()).collect();
        for (component, (justification, of)) in std::mem::take(&mut self.spared) {
            if of.len() == flaws {
                self.said.not_affected.push(NotAffected {
                    component,
                    justification,
                });
            } else if !said.contains(&component) {
                let reason = format!(
                    "{component} is not affected by some of the vulnerabilities; nothing is stated about the others"
                );
                self.remark("vulnerabilities".to_owned(), reason);
            }
        }
    }
}

/// What reading, keeping and comparing a version costs beside walking to it.
const STEPS_OF_A_VERSION: usize = 100;

fn justification(label: &str) -> Result<Justification, String> {
    Ok(match label {
        "component_not_present" => Justification::ComponentNotPresent,
        "vulnerable_code_not_present" => Justification::VulnerableCodeNotPresent,
        "vulnerable_code_not_in_execute_path" => Justification::VulnerableCodeNotInExecutePath,
        "vulnerable_code_cannot_be_controlled_by_adversary" => {
            Justification::VulnerableCodeCannotBeControlledByAdversary
        }
        "inline_mitigations_already_exist" => Justification::InlineMitigationsAlreadyExist,
        other => return Err(format!("unknown flag {:?}", shown(other))),
    })
}

fn all() -> VersionRange {
    VersionRange {
        introduced: "0".to_owned(),
        fixed: None,
        last_affected: None,
        limit: None,
    }
}
