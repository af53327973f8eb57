//! What a CSAF document says of each component: affected, not affected, or being looked into.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use spacecp_contract::{Affected, ComponentName, NotAffected, VersionScheme};

use super::{
    products::{Known, Products},
    record::{Record, Vulnerability},
    spared::SparedProducts,
    statement::{Category, List, Statement},
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
        spared: SparedProducts::default(),
        open: HashSet::new(),
        remarks,
        first: None,
    };
    for (number, flaw) in record.vulnerabilities.iter().enumerate() {
        reader.flaw(number, flaw)?;
    }
    reader.finish_spared(record.vulnerabilities.len());
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
pub(super) struct Reader<'a> {
    pub(super) products: &'a Products<'a>,
    pub(super) steps: &'a Steps,
    category: Category,
    pub(super) said: Said,
    pub(super) spared: SparedProducts,
    /// Components that a vulnerability has under investigation as a whole.
    pub(super) open: HashSet<ComponentName>,
    remarks: &'a mut Vec<Remark>,
    /// Why the first product is none that a panel could have.
    first: Option<String>,
}

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
            ("unknown", List::Unknown, &status.unknown),
        ] {
            for (field, known) in self.known(&format!("{base}.{name}"), ids)? {
                let Known {
                    component,
                    scheme,
                    extent,
                    narrowing,
                    ..
                } = known;
                let statement = statements.of(component.clone(), scheme);
                // What is new is compared with what is there.
                self.steps.take(STEPS_OF_A_VERSION + statement.len())?;
                let is_fixed = matches!(list, List::Fixed | List::FirstFixed);
                let text = match narrowing {
                    // What is corrected in one build is so in all of that version.
                    Some(narrowing) if !(narrowing.is_build && is_fixed) => {
                        statement.put_part(list, scheme, extent)
                    }
                    _ => statement.put(list, scheme, extent),
                };
                if let Some(text) = text {
                    let reason = format!(
                        "{component}: cannot read {:?} as versions; panels treat it as unknown",
                        shown(&text)
                    );
                    self.remark(field, reason);
                }
            }
        }
        self.contradictions(flaw, &base)?;
        for ((component, scheme), statement) in statements.all {
            if statement.is_open() {
                self.open.insert(component.clone());
            }
            self.finish(&base, component, scheme, statement)?;
        }
        self.spare(number, flaw, &base)
    }

    /// Names the products that are in lists which exclude each other (CSAF, mandatory test 6.1.6). What they are then is
    /// decided by the gravest: affected, then unknown where something is open, then fixed.
    fn contradictions(&mut self, flaw: &Vulnerability, base: &str) -> Result<(), Refusal> {
        let status = &flaw.product_status;
        let groups = [
            ("affected", &status.known_affected),
            ("affected", &status.first_affected),
            ("affected", &status.last_affected),
            ("fixed", &status.fixed),
            ("fixed", &status.first_fixed),
            ("not affected", &status.known_not_affected),
            ("under investigation", &status.under_investigation),
            ("under investigation", &status.unknown),
        ];
        let mut seen: HashMap<&str, &str> = HashMap::new();
        for (group, ids) in groups {
            for id in ids {
                self.steps.take(1)?;
                let before = *seen.entry(id).or_insert(group);
                if before != group {
                    let reason = format!("{:?} is both {before} and {group}", shown(id));
                    self.remark(base.to_owned(), reason);
                }
            }
        }
        Ok(())
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

    /// The products of a list that panels can have; the others are named.
    fn known(&mut self, field: &str, ids: &'a [String]) -> Result<Vec<(String, Known)>, Refusal> {
        let mut found = Vec::new();
        for (place, id) in ids.iter().enumerate() {
            let field = format!("{field}[{place}]");
            self.steps.take(self.products.steps(id))?;
            let known = self.look_up(&field, id);
            found.extend(known.into_iter().map(|known| (field.clone(), known)));
        }
        Ok(found)
    }

    /// A product, if panels can have it; else it is named.
    pub(super) fn look_up(&mut self, field: &str, id: &'a str) -> Vec<Known> {
        match self.products.known(id) {
            Ok(mut all) => {
                for reason in all.iter_mut().filter_map(|known| known.note.take()) {
                    let field = field.to_owned();
                    self.remarks.push(Remark { field, reason });
                }
                all
            }
            Err(stranger) => {
                self.said.unmapped.extend(stranger.unmapped);
                self.remark(field.to_owned(), stranger.reason);
                Vec::new()
            }
        }
    }

    pub(super) fn remark(&mut self, field: String, reason: String) {
        self.first.get_or_insert_with(|| reason.clone());
        self.remarks.push(Remark { field, reason });
    }
}

/// What reading, keeping and comparing a version costs beside walking to it.
const STEPS_OF_A_VERSION: usize = 100;
