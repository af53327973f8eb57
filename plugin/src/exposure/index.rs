//! Every affected range by the name of its component, kept up to date advisory by advisory.

use std::rc::Rc;

use rustc_hash::FxHashMap;
use spacecp_contract::{Advisory, Justification};

use super::{Installed, Judgement, Ranges};
use crate::bindings::exports::spacecp::advisories::exposure::Status;

/// What advisories say of components, by component.
#[derive(Debug, Default)]
pub struct Index {
    by_component: FxHashMap<Rc<str>, FxHashMap<Rc<str>, Statement>>,
    /// The components that each advisory speaks of, to find its statements again. Both names are those above,
    /// kept once.
    components: FxHashMap<Rc<str>, Box<[Rc<str>]>>,
}

/// What one advisory says of one component.
#[derive(Debug)]
enum Statement {
    Affected(Vec<Ranges>),
    Not(Justification),
}

/// What one advisory says of one installed version.
#[derive(Debug, Clone, PartialEq)]
pub struct Finding<'a> {
    /// The advisory's id.
    pub advisory: &'a str,
    /// What it says.
    pub judgement: Judgement,
}

impl Index {
    /// Takes in an advisory; an earlier revision of it is replaced.
    pub fn put(&mut self, advisory: &Advisory) {
        self.remove(&advisory.id);
        let mut statements: FxHashMap<&str, Statement> = FxHashMap::default();
        for not in &advisory.not_affected {
            statements.insert(&not.component, Statement::Not(not.justification));
        }
        // Where an advisory says both, the flaw counts.
        for affected in &advisory.affected {
            let ranges = Ranges::new(affected);
            match statements.get_mut(affected.component.as_str()) {
                Some(Statement::Affected(all)) => all.push(ranges),
                _ => {
                    drop(statements.insert(&affected.component, Statement::Affected(vec![ranges])));
                }
            }
        }
        let id: Rc<str> = advisory.id.as_str().into();
        let mut components = Vec::with_capacity(statements.len());
        for (component, statement) in statements {
            let name = match self.by_component.get_key_value(component) {
                Some((name, _)) => Rc::clone(name),
                None => component.into(),
            };
            let here = self.by_component.entry(Rc::clone(&name)).or_default();
            here.insert(Rc::clone(&id), statement);
            components.push(name);
        }
        components.sort_unstable();
        self.components.insert(id, components.into());
    }

    /// Forgets an advisory.
    pub fn remove(&mut self, advisory: &str) {
        let components = self.components.remove(advisory).unwrap_or_default();
        for component in components {
            if let Some(statements) = self.by_component.get_mut(&component) {
                statements.remove(advisory);
                if statements.is_empty() {
                    self.by_component.remove(&component);
                }
            }
        }
    }

    /// The components that an advisory speaks of.
    pub fn components(&self, advisory: &str) -> &[Rc<str>] {
        self.components.get(advisory).map_or(&[], Box::as_ref)
    }

    /// Those of them that it says are affected.
    pub fn affected(&self, advisory: &str) -> impl Iterator<Item = &str> {
        let is_affected = move |component: &&Rc<str>| {
            let statements = self.by_component.get(&***component);
            let statement = statements.and_then(|statements| statements.get(advisory));
            matches!(statement, Some(Statement::Affected(_)))
        };
        let components = self.components(advisory).iter().filter(is_affected);
        components.map(Rc::as_ref)
    }

    /// The advisories that speak of a component.
    pub fn advisories(&self, component: &str) -> impl Iterator<Item = &str> {
        let statements = self.by_component.get(component).into_iter();
        statements.flat_map(|statements| statements.keys().map(Rc::as_ref))
    }

    /// What one advisory says of a component in this version, if it speaks of it.
    pub fn finding<'a>(
        &'a self,
        advisory: &str,
        component: &str,
        version: Option<&Installed>,
    ) -> Option<Finding<'a>> {
        let (advisory, statement) = self.by_component.get(component)?.get_key_value(advisory)?;
        Some(Finding {
            advisory,
            judgement: statement.judge(version),
        })
    }
}

impl Statement {
    fn judge(&self, version: Option<&Installed>) -> Judgement {
        let ranges = match self {
            Self::Not(justification) => {
                return Judgement {
                    status: Status::NotAffected,
                    reason: justified(*justification).to_owned(),
                };
            }
            Self::Affected(ranges) => ranges,
        };
        let Some(version) = version else {
            return Judgement {
                status: Status::Unknown,
                reason: "the installed version is not known".to_owned(),
            };
        };
        let mut judgements = ranges.iter().map(|ranges| ranges.judge(version));
        // The gravest verdict stands: affected, then unknown, then fixed.
        let first = judgements.next().unwrap_or(Judgement {
            status: Status::NotAffected,
            reason: String::new(),
        });
        judgements.fold(first, |worst, next| {
            if gravity(next.status) > gravity(worst.status) {
                next
            } else {
                worst
            }
        })
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
        Justification::ComponentNotPresent => "the vendor says: the flawed part is not there",
        Justification::VulnerableCodeNotPresent => "the vendor says: the flawed code is not there",
        Justification::VulnerableCodeNotInExecutePath => {
            "the vendor says: the flawed code never runs"
        }
        Justification::VulnerableCodeCannotBeControlledByAdversary => {
            "the vendor says: an attacker cannot reach the flawed code"
        }
        Justification::InlineMitigationsAlreadyExist => {
            "the vendor says: something already prevents it"
        }
    }
}
