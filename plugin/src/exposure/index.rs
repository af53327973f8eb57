//! What advisories say of components, kept up to date advisory by advisory, to be found by either.

use std::{borrow::Cow, collections::BTreeMap, rc::Rc};

use rustc_hash::{FxHashMap, FxHashSet};
use spacecp_contract::{Advisory, Affected, Justification, NotAffected, identity::canonical_name};

use super::{Installed, Judgement, Ranges};
use crate::bindings::exports::spacecp::advisories::exposure::Status;

/// What advisories say of components. Names are canonical, and shared wherever they come again.
#[derive(Debug, Default)]
pub struct Index {
    /// By advisory, in the order of the components' names.
    by_advisory: FxHashMap<Rc<str>, Box<[Statement]>>,
    by_component: FxHashMap<Rc<str>, Mentioned>,
}

/// What one advisory says of one component.
#[derive(Debug)]
pub struct Statement {
    component: Rc<str>,
    says: Says,
}

/// What is said of a component: at least one of the two.
#[derive(Debug, Default)]
struct Says {
    affected: Vec<Ranges>,
    not: Vec<Spared>,
}

/// Versions that are not affected, according to the vendor.
#[derive(Debug)]
struct Spared {
    justification: Justification,
    /// None: all of them.
    only: Option<Box<Ranges>>,
}

/// A component that advisories speak of.
#[derive(Debug)]
struct Mentioned {
    name: Rc<str>,
    advisories: FxHashSet<Rc<str>>,
}

impl Index {
    /// Takes in an advisory; an earlier revision of it is replaced.
    pub fn put<Text: AsRef<str>>(&mut self, advisory: &Advisory<Text>) {
        self.put_statements(&advisory.id, &advisory.not_affected, &advisory.affected);
    }

    fn put_statements<Text: AsRef<str>>(
        &mut self,
        advisory: &str,
        not_affected: &[NotAffected],
        affected: &[Affected<Text>],
    ) {
        let mut all: BTreeMap<Cow<'_, str>, Says> = BTreeMap::new();
        for not in not_affected {
            let says = all.entry(canonical_name(&not.component)).or_default();
            says.not.push(Spared::new(not));
        }
        for affected in affected {
            let says = all.entry(canonical_name(&affected.component)).or_default();
            says.affected.push(Ranges::new(affected));
        }
        let id: Rc<str> = advisory.into();
        let statement = |(component, says): (Cow<'_, str>, Says)| Statement {
            component: self.mention(&component, &id),
            says,
        };
        let statements = all.into_iter().map(statement).collect();
        if let Some(before) = self.by_advisory.insert(Rc::clone(&id), statements) {
            self.forget(&id, &before);
        }
    }

    /// Notes that an advisory speaks of a component; returns the component's name.
    fn mention(&mut self, component: &str, advisory: &Rc<str>) -> Rc<str> {
        if let Some(mentioned) = self.by_component.get_mut(component) {
            mentioned.advisories.insert(Rc::clone(advisory));
            return Rc::clone(&mentioned.name);
        }
        let name: Rc<str> = component.into();
        let mentioned = Mentioned {
            name: Rc::clone(&name),
            advisories: FxHashSet::from_iter([Rc::clone(advisory)]),
        };
        self.by_component.insert(Rc::clone(&name), mentioned);
        name
    }

    /// Forgets that an advisory speaks of these components, but for those that it still speaks of.
    fn forget(&mut self, advisory: &str, statements: &[Statement]) {
        for Statement { component, .. } in statements {
            if self.statement(advisory, component).is_some() {
                continue;
            }
            if let Some(mentioned) = self.by_component.get_mut(component) {
                mentioned.advisories.remove(advisory);
                if mentioned.advisories.is_empty() {
                    self.by_component.remove(component);
                }
            }
        }
    }

    /// Forgets an advisory.
    pub fn remove(&mut self, advisory: &str) {
        if let Some(statements) = self.by_advisory.remove(advisory) {
            self.forget(advisory, &statements);
        }
    }

    /// What an advisory says.
    pub fn statements(&self, advisory: &str) -> &[Statement] {
        self.by_advisory.get(advisory).map_or(&[], Box::as_ref)
    }

    /// What it says of one component.
    pub fn statement(&self, advisory: &str, component: &str) -> Option<&Statement> {
        let statements = self.statements(advisory);
        let component = canonical_name(component);
        let place = statements.binary_search_by(|statement| (*statement.component).cmp(&component));
        place.ok().map(|place| &statements[place])
    }

    /// The components that it says are affected.
    pub fn affected(&self, advisory: &str) -> impl Iterator<Item = &str> {
        let statements = self.statements(advisory).iter();
        let affected = statements.filter(|statement| !statement.says.affected.is_empty());
        affected.map(Statement::component)
    }

    /// The advisories that speak of a component.
    pub fn advisories(&self, component: &str) -> impl Iterator<Item = &str> {
        let mentioned = self.by_component.get(&*canonical_name(component));
        let mentioned = mentioned.into_iter();
        mentioned.flat_map(|mentioned| mentioned.advisories.iter().map(Rc::as_ref))
    }
}

impl Statement {
    /// The component that it is about.
    pub fn component(&self) -> &str {
        &self.component
    }

    /// What it says of the component in this version.
    pub fn judge(&self, version: Option<&Installed>) -> Judgement {
        let Says { affected, not } = &self.says;
        // Where an advisory says both, the flaw counts.
        let spared = not.iter().find(|spared| match version {
            None => spared.only.is_none(),
            Some(version) => spared.holds_for(version),
        });
        let judged = version.and_then(|version| worst(affected, version));
        match (judged, spared) {
            // What it says of this very version is more than that it does not say anything of others.
            (Some((_, true)), Some(spared)) => spared.judgement(),
            (Some((judged, _)), _) => judged,
            (None, Some(spared)) if affected.is_empty() => spared.judgement(),
            (None, _) => Judgement {
                status: Status::Unknown,
                reason: match version {
                    None => "installed version unknown".to_owned(),
                    Some(version) => format!(
                        "the advisory does not say whether {} is affected",
                        version.as_str()
                    ),
                },
            },
        }
    }
}

/// The gravest of what is said of a version, and whether that is only that nothing is said: affected, then unknown,
/// then fixed.
fn worst(all: &[Ranges], version: &Installed) -> Option<(Judgement, bool)> {
    let judgements = all.iter().map(|ranges| {
        let judged = ranges.judge(version);
        let is_silence = judged.status == Status::Unknown && ranges.leaves_open(version);
        (judged, is_silence)
    });
    // Of two that are unknown, the one that is more than silence stands.
    let rank = |(judged, is_silence): &(Judgement, bool)| (gravity(judged.status), !is_silence);
    judgements.reduce(|worst, next| {
        if rank(&next) > rank(&worst) {
            next
        } else {
            worst
        }
    })
}

impl Spared {
    fn new(not: &NotAffected) -> Self {
        let only = not.only.as_deref().map(|only| {
            let versions = Affected {
                component: not.component.clone(),
                scheme: only.scheme,
                ranges: only.ranges.clone(),
                versions: only.versions.clone(),
                unlisted: None,
            };
            Box::new(Ranges::new(&versions))
        });
        Self {
            justification: not.justification,
            only,
        }
    }

    /// Whether the vendor says it of this version.
    fn holds_for(&self, version: &Installed) -> bool {
        let Some(only) = &self.only else {
            return true;
        };
        only.judge(version).status == Status::Affected
    }

    fn judgement(&self) -> Judgement {
        Judgement {
            status: Status::NotAffected,
            reason: justified(self.justification).to_owned(),
        }
    }
}

/// Which of two verdicts about the same flaw stands, and which of two is shown first.
pub(crate) fn gravity(status: Status) -> u8 {
    match status {
        Status::Affected => 3,
        Status::Unknown => 2,
        Status::Fixed => 1,
        Status::NotAffected => 0,
    }
}

fn justified(justification: Justification) -> &'static str {
    match justification {
        Justification::ComponentNotPresent => {
            "not affected according to the vendor: the vulnerable component is not present"
        }
        Justification::VulnerableCodeNotPresent => {
            "not affected according to the vendor: the vulnerable code is not present"
        }
        Justification::VulnerableCodeNotInExecutePath => {
            "not affected according to the vendor: the vulnerable code is never executed"
        }
        Justification::VulnerableCodeCannotBeControlledByAdversary => {
            "not affected according to the vendor: an attacker cannot reach the vulnerable code"
        }
        Justification::InlineMitigationsAlreadyExist => {
            "not affected according to the vendor: existing mitigations prevent exploitation"
        }
        Justification::Stated => "not affected according to the vendor: see the advisory",
    }
}

#[cfg(test)]
mod tests {
    use spacecp_contract::{VersionRange, VersionScheme};

    use super::*;

    const ID: &str = "SPACECP-SA-2026-0001";

    /// Takes in a revision that speaks of these components.
    fn put(index: &mut Index, components: &[&str]) {
        let affected = |component: &&str| {
            let range = |introduced| VersionRange {
                introduced,
                fixed: None,
                last_affected: None,
                limit: None,
            };
            Affected {
                component: component.parse().unwrap(),
                scheme: VersionScheme::Semver,
                ranges: vec![range("0")],
                versions: Vec::new(),
                unlisted: None,
            }
        };
        index.put_statements(
            ID,
            &[],
            &components.iter().map(affected).collect::<Vec<_>>(),
        );
    }

    fn spoken_of(index: &Index, component: &str) -> bool {
        index.advisories(component).any(|advisory| advisory == ID)
    }

    #[test]
    fn a_component_is_found_by_every_name_that_it_has() {
        let mut index = Index::default();
        put(&mut index, &["deb:debian-12.5:curl", "npm:JSONStream"]);
        for name in [
            "deb:debian-12:curl",
            "deb:debian-12.5:curl",
            "npm:JSONStream",
        ] {
            assert!(spoken_of(&index, name), "{name}");
            assert!(index.statement(ID, name).is_some(), "{name}");
        }
        assert!(!spoken_of(&index, "deb:debian-11:curl"));
    }

    #[test]
    fn a_revision_takes_the_place_of_all_that_the_one_before_said() {
        let mut index = Index::default();
        put(&mut index, &["npm:a", "npm:b"]);
        put(&mut index, &["npm:b", "npm:c"]);
        let named = ["npm:a", "npm:b", "npm:c"].map(|name| spoken_of(&index, name));
        assert_eq!(named, [false, true, true]);
        assert!(index.affected(ID).eq(["npm:b", "npm:c"]));
        index.remove(ID);
        assert!(index.by_component.is_empty() && index.statements(ID).is_empty());
    }
}
