//! What a CSAF document says of each component: affected, not affected, or being looked into.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use spacecp_contract::{
    Affected, ComponentName, Justification, NotAffected, VersionScheme, Versions,
};

use super::{
    extent::Extent,
    products::{Known, Products},
    record::{Record, Vulnerability},
    statement::{Category, List, Statement},
    vers,
};
use crate::{Refusal, Remark, mapping::Unmapped, naming::shown, step_limit::Steps};

/// What is said of components.
#[derive(Debug, Default)]
pub(super) struct Said {
    pub(super) affected: Vec<Affected>,
    pub(super) not_affected: Vec<NotAffected>,
    /// Products that are mapped to no component.
    pub(super) unmapped: BTreeSet<Unmapped>,
    corrected: BTreeMap<ComponentName, BTreeSet<String>>,
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
}

/// Reads the statuses of every vulnerability.
///
/// # Errors
///
/// [`Refusal`] for a document that says nothing of any component, and for one whose reading would not
/// end.
pub(super) fn said<'a>(
    record: &'a Record,
    products: &'a Products<'a>,
    steps: &'a Steps,
    remarks: &'a mut Vec<Remark>,
) -> Result<Said, Refusal> {
    let category = match record.document.category.as_str() {
        "csaf_security_advisory" => Category::Advisory,
        _ => Category::Statements,
    };
    let mut reader = Reader {
        products,
        steps,
        category,
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
    if !said.affected.is_empty() || !said.not_affected.is_empty() {
        return Ok(said);
    }
    if said.unmapped.is_empty() {
        return Err(Refusal::Components {
            field: "vulnerabilities",
            reason: first.unwrap_or_else(|| "no affected product".to_owned()),
        });
    }
    Err(Refusal::Unmapped {
        products: said.unmapped.into_iter().collect(),
    })
}

/// Goes through the vulnerabilities of one document.
struct Reader<'a> {
    products: &'a Products<'a>,
    steps: &'a Steps,
    category: Category,
    said: Said,
    /// Components that vulnerabilities do not affect, in all or some versions, and which these are.
    spared: BTreeMap<Spared, (Justification, BTreeSet<usize>)>,
    remarks: &'a mut Vec<Remark>,
    /// Why the first product is none that a panel could have.
    first: Option<String>,
}

/// A component and those of its versions that are not affected: none for all of them, else as they are written.
type Spared = (ComponentName, Option<(VersionScheme, SparedVersions)>);

/// Ranges as they are written in VERS, and single versions.
type SparedVersions = (BTreeSet<String>, BTreeSet<String>);

/// What is not affected and why; or why that cannot be said, in words.
type Reasoned = Result<(Spared, Justification), String>;

/// What one vulnerability says of each component, in the order in which they come.
#[derive(Default)]
struct Statements {
    all: Vec<((ComponentName, VersionScheme), Statement)>,
    places: HashMap<(ComponentName, VersionScheme), usize>,
}

impl Statements {
    fn of(&mut self, component: ComponentName, scheme: VersionScheme) -> &mut Statement {
        let key = (component, scheme);
        let last = self.all.len();
        let place = *self.places.entry(key.clone()).or_insert(last);
        if place == last {
            self.all.push((key, Statement::default()));
        }
        &mut self.all[place].1
    }
}

impl<'a> Reader<'a> {
    fn flaw(&mut self, number: usize, flaw: &'a Vulnerability) -> Result<(), Refusal> {
        let base = format!("vulnerabilities[{number}].product_status");
        let status = &flaw.product_status;
        let mut statements = Statements::default();
        for (name, list, ids) in [
            ("known_affected", List::Affected, &status.known_affected),
            (
                "first_affected",
                List::FirstAffected,
                &status.first_affected,
            ),
            ("last_affected", List::LastAffected, &status.last_affected),
            ("fixed", List::Fixed, &status.fixed),
            ("first_fixed", List::FirstFixed, &status.first_fixed),
            (
                "under_investigation",
                List::UnderInvestigation,
                &status.under_investigation,
            ),
            ("recommended", List::Recommended, &status.recommended),
        ] {
            for (field, known) in self.known(&format!("{base}.{name}"), ids)? {
                let Known {
                    component,
                    scheme,
                    extent,
                    ..
                } = known;
                let statement = statements.of(component.clone(), scheme);
                // What is new is compared with what is there.
                self.steps.take(STEPS_OF_A_VERSION + statement.len())?;
                if let Some(text) = statement.put(list, scheme, extent) {
                    let reason = format!(
                        "{component}: cannot read {:?} as versions; panels treat it as unknown",
                        shown(&text)
                    );
                    self.remark(field, reason);
                }
            }
        }
        for ((component, scheme), statement) in statements.all {
            self.finish(&base, component, scheme, statement)?;
        }
        self.spared(number, flaw, &base)
    }

    fn finish(
        &mut self,
        base: &str,
        component: ComponentName,
        scheme: VersionScheme,
        statement: Statement,
    ) -> Result<(), Refusal> {
        let length = statement.len();
        let pairs = length.saturating_mul(statement.fixes());
        self.steps
            .take(pairs.saturating_mul(STEPS_OF_A_VERSION) + length * STEPS_OF_A_VERSION)?;
        let said = statement.finish(component.clone(), scheme, self.category);
        if let Some(version) = said.contradicted {
            let reason = format!(
                "{:?} of {component} is listed as affected and fixed; panels treat it as unknown",
                shown(&version)
            );
            self.remark(base.to_owned(), reason);
        }
        if !said.corrected.is_empty() {
            let corrected = self.said.corrected.entry(component).or_default();
            corrected.extend(said.corrected);
        }
        // Most vulnerabilities of a document say the same, and that is said once.
        self.steps.take(self.said.affected.len())?;
        if !self.said.affected.contains(&said.affected) {
            self.said.affected.push(said.affected);
        }
        Ok(())
    }

    fn spared(
        &mut self,
        number: usize,
        flaw: &'a Vulnerability,
        base: &str,
    ) -> Result<(), Refusal> {
        let field = format!("{base}.known_not_affected");
        let ids = &flaw.product_status.known_not_affected;
        for (place, id) in ids.iter().enumerate() {
            self.steps.take(self.products.steps(id))?;
            let field = format!("{field}[{place}]");
            match self.spare(flaw, id, &field)? {
                Some(Ok((spared, justification))) => {
                    let (_, flaws) = self
                        .spared
                        .entry(spared)
                        .or_insert((justification, BTreeSet::new()));
                    flaws.insert(number);
                }
                Some(Err(reason)) => self.remark(field, reason),
                None => {}
            }
        }
        Ok(())
    }

    /// The products of a list that panels can have; the others are named.
    fn known(&mut self, field: &str, ids: &'a [String]) -> Result<Vec<(String, Known)>, Refusal> {
        let mut found = Vec::new();
        for (place, id) in ids.iter().enumerate() {
            let field = format!("{field}[{place}]");
            self.steps.take(self.products.steps(id))?;
            if let Some(known) = self.look_up(&field, id) {
                found.push((field, known));
            }
        }
        Ok(found)
    }

    /// A product, if panels can have it; else it is named.
    fn look_up(&mut self, field: &str, id: &'a str) -> Option<Known> {
        match self.products.known(id) {
            Ok(mut known) => {
                if let Some(reason) = known.note.take() {
                    let field = field.to_owned();
                    self.remarks.push(Remark { field, reason });
                }
                Some(known)
            }
            Err(stranger) => {
                self.said.unmapped.extend(stranger.unmapped);
                self.remark(field.to_owned(), stranger.reason);
                None
            }
        }
    }

    fn remark(&mut self, field: String, reason: String) {
        self.first.get_or_insert_with(|| reason.clone());
        self.remarks.push(Remark { field, reason });
    }

    /// The component that a product is and its versions that are not affected, if it is said why; else why that
    /// cannot be said here, in words. Nothing where it is no product that panels can have.
    fn spare(
        &mut self,
        flaw: &Vulnerability,
        id: &'a String,
        field: &str,
    ) -> Result<Option<Reasoned>, Refusal> {
        let Some(known) = self.look_up(field, id) else {
            return Ok(None);
        };
        let Known {
            component,
            scheme,
            extent,
            ..
        } = known;
        let Some(justification) = self.justification(flaw, id)? else {
            return Ok(Some(Err(format!(
                "no flag or impact explains why {component} is not affected"
            ))));
        };
        Ok(Some(justification.and_then(|justification| {
            let only = spared_versions(scheme, extent).map_err(|text| {
                format!("{component}: cannot read {:?} as versions", shown(&text))
            })?;
            Ok(((component, only), justification))
        })))
    }

    /// Why a product is not affected: by the flag that a vulnerability has for it, or by its impact in words.
    fn justification(
        &self,
        flaw: &Vulnerability,
        id: &String,
    ) -> Result<Option<Result<Justification, String>>, Refusal> {
        for flag in &flaw.flags {
            if self.names(&flag.product_ids, &flag.group_ids, id)? {
                return Ok(Some(justification(&flag.label)));
            }
        }
        for threat in &flaw.threats {
            let is_reason = threat.category == "impact" && !is_a_rating(&threat.details);
            if is_reason && self.names(&threat.product_ids, &threat.group_ids, id)? {
                return Ok(Some(Ok(Justification::Stated)));
            }
        }
        Ok(None)
    }

    /// Whether a product is named, by itself or in a group.
    fn names(&self, ids: &[String], groups: &[String], id: &String) -> Result<bool, Refusal> {
        let groups = groups.iter().map(|group| self.products.group(group));
        for ids in groups.chain([ids]) {
            self.steps.take(1 + ids.len())?;
            if ids.contains(id) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Says of components that they are not affected where that holds for all vulnerabilities: whoever
    /// reads of one advisory wants to know whether any of its flaws concerns them.
    fn spare_all(&mut self, flaws: usize) {
        let affected = self.said.affected.iter();
        let said: HashSet<ComponentName> = affected.map(|one| one.component.clone()).collect();
        for ((component, only), (justification, of)) in std::mem::take(&mut self.spared) {
            if of.len() == flaws {
                self.said.not_affected.push(NotAffected {
                    component,
                    justification,
                    only: only.map(|(scheme, versions)| Box::new(only_those(scheme, versions))),
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

/// The versions of a product that is not affected, in a form that can be compared; none for all of them.
fn spared_versions(
    scheme: VersionScheme,
    extent: Extent,
) -> Result<Option<(VersionScheme, SparedVersions)>, String> {
    if let Some(unread) = extent.unread {
        return Err(unread);
    }
    let versions = extent.versions;
    if extent.is_all || versions == vers::all() {
        return Ok(None);
    }
    // What a range leaves out is a statement about others, and words are none about these.
    let kind = vers::kinds(scheme).first().copied().unwrap_or("generic");
    if let Some(range) = versions.ranges.first()
        && (!extent.is_exact || !versions.excluded.is_empty())
    {
        return Err(vers::write(kind, range, &versions.excluded));
    }
    let ranges = versions.ranges.iter();
    let ranges = ranges.map(|range| vers::write(kind, range, &[])).collect();
    Ok(Some((
        scheme,
        (ranges, versions.listed.into_iter().collect()),
    )))
}

fn only_those(scheme: VersionScheme, (ranges, listed): SparedVersions) -> Versions {
    let ranges = ranges
        .iter()
        .filter_map(|text| vers::read(scheme, text).ok());
    Versions {
        scheme,
        ranges: ranges.flat_map(|versions| versions.ranges).collect(),
        versions: listed.into_iter().collect(),
    }
}

/// Whether a text says how grave something is, or nothing, instead of why nobody is affected.
fn is_a_rating(text: &str) -> bool {
    const RATINGS: [&str; 14] = [
        "",
        "none",
        "n/a",
        "not applicable",
        "unknown",
        "informational",
        "low",
        "minor",
        "medium",
        "moderate",
        "important",
        "high",
        "critical",
        "severe",
    ];
    let text = text.trim().trim_end_matches('.').to_ascii_lowercase();
    RATINGS.contains(&text.as_str())
}

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
