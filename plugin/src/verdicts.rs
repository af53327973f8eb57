//! The verdicts that stand, counted as they come and go, and put in order once for everybody who asks.
//!
//! It does not judge: whoever does puts the verdicts of one advisory in place of those before.

use std::{cell::OnceCell, rc::Rc};

use rustc_hash::FxHashMap;

use crate::{
    bindings::{
        exports::spacecp::advisories::exposure::{Status, Verdict},
        spacecp::advisories::types::Severity,
    },
    exposure::{gravity, merge},
    running::counted,
    severity,
    words::compare,
};

/// Every verdict, by the advisory that it is about.
#[derive(Debug, Default)]
pub(crate) struct Verdicts {
    by_advisory: FxHashMap<String, Vec<Rc<Verdict>>>,
    /// How often each component is exposed and undecided.
    standing: FxHashMap<String, Stands>,
    exposed: usize,
    pending: usize,
    undecided: usize,
    /// Exposures of each severity.
    severities: Vec<(Severity, usize)>,
    order: OnceCell<Order>,
}

/// How a component stands.
#[derive(Debug, Clone, Copy, Default)]
struct Stands {
    /// Verdicts about what is installed.
    affected: usize,
    /// Verdicts that count as affected because of what runs.
    pending: usize,
    unknown: usize,
    /// Whether its own version is not known.
    unversioned: bool,
}

impl Stands {
    fn is_exposed(self) -> bool {
        self.affected + self.pending > 0
    }

    fn is_undecided(self) -> bool {
        !self.is_exposed() && (self.unknown > 0 || self.unversioned)
    }

    fn is_pending(self) -> bool {
        self.affected == 0 && self.pending > 0
    }
}

/// The order in which verdicts are shown.
#[derive(Debug)]
struct Order {
    /// All of them, worst first.
    every: Vec<Rc<Verdict>>,
    /// One for each flaw, and the others about it.
    merged: Vec<(Rc<Verdict>, Vec<Rc<Verdict>>)>,
}

impl Verdicts {
    /// Advisories that have a say, whether about a component of this panel or not.
    pub(crate) fn advisories(&self) -> usize {
        self.by_advisory.len()
    }

    /// Components with an exposure.
    pub(crate) fn exposed(&self) -> usize {
        self.exposed
    }

    /// Components that are exposed only by what still runs.
    pub(crate) fn restart_pending(&self) -> usize {
        self.pending
    }

    /// Components that are not exposed as far as is known, and of which nobody can say so.
    pub(crate) fn undecided(&self) -> usize {
        self.undecided
    }

    /// Verdicts that say `affected` or `unknown`.
    pub(crate) fn noticed(&self) -> usize {
        let all = self.by_advisory.values().flatten();
        all.filter(|verdict| gravity(counted(verdict)) >= gravity(Status::Unknown))
            .count()
    }

    /// The worst severity among exposures.
    pub(crate) fn worst(&self) -> Option<Severity> {
        let there = self.severities.iter().filter(|(_, number)| *number > 0);
        there
            .map(|(severity, _)| *severity)
            .max_by_key(|severity| severity::rank(*severity))
    }

    /// Puts the verdicts of an advisory in place of those before.
    pub(crate) fn put(&mut self, advisory: &str, verdicts: Vec<Verdict>) {
        for verdict in &verdicts {
            self.count(verdict, true);
        }
        let verdicts = verdicts.into_iter().map(Rc::new).collect();
        let before = self.by_advisory.insert(advisory.to_owned(), verdicts);
        self.forget(before);
    }

    /// An advisory has no say any longer.
    pub(crate) fn remove(&mut self, advisory: &str) {
        let before = self.by_advisory.remove(advisory);
        self.forget(before);
    }

    /// Says which components there are whose version is not known; those before are no longer.
    pub(crate) fn unversioned<'a>(&mut self, components: impl Iterator<Item = &'a str>) {
        let before: Vec<String> = self
            .standing
            .iter()
            .filter(|(_, stands)| stands.unversioned)
            .map(|(component, _)| component.clone())
            .collect();
        for component in before {
            self.change(&component, |stands| stands.unversioned = false);
        }
        for component in components {
            self.change(component, |stands| stands.unversioned = true);
        }
    }

    fn forget(&mut self, verdicts: Option<Vec<Rc<Verdict>>>) {
        for verdict in verdicts.iter().flatten() {
            self.count(verdict, false);
        }
        self.order = OnceCell::new();
    }

    fn count(&mut self, verdict: &Verdict, comes: bool) {
        let step = |number: &mut usize| {
            *number = if comes {
                *number + 1
            } else {
                number.saturating_sub(1)
            };
        };
        match counted(verdict) {
            Status::Affected => {
                let is_installed = verdict.status == Status::Affected;
                self.change(&verdict.component, |stands| {
                    step(if is_installed {
                        &mut stands.affected
                    } else {
                        &mut stands.pending
                    });
                });
                let mut severities = self.severities.iter_mut();
                match severities.find(|(severity, _)| *severity == verdict.severity) {
                    Some((_, number)) => step(number),
                    None => self.severities.push((verdict.severity, 1)),
                }
            }
            Status::Unknown => self.change(&verdict.component, |stands| step(&mut stands.unknown)),
            Status::Fixed | Status::NotAffected => {}
        }
    }

    /// Changes how a component stands, and the sums with it.
    fn change(&mut self, component: &str, change: impl FnOnce(&mut Stands)) {
        let known = self.standing.get_mut(component);
        let is_new = known.is_none();
        let mut none_yet = Stands::default();
        let stands = known.unwrap_or(&mut none_yet);
        let before = *stands;
        change(stands);
        let after = *stands;
        self.exposed =
            self.exposed + usize::from(after.is_exposed()) - usize::from(before.is_exposed());
        self.pending =
            self.pending + usize::from(after.is_pending()) - usize::from(before.is_pending());
        self.undecided =
            self.undecided + usize::from(after.is_undecided()) - usize::from(before.is_undecided());
        if !after.is_exposed() && after.unknown == 0 && !after.unversioned {
            self.standing.remove(component);
        } else if is_new {
            self.standing.insert(component.to_owned(), after);
        }
    }

    /// The verdicts of one advisory.
    pub(crate) fn of(&self, advisory: &str) -> impl Iterator<Item = &Verdict> {
        let verdicts = self.by_advisory.get(advisory).into_iter();
        verdicts.flatten().map(Rc::as_ref)
    }

    /// All of them, worst first.
    pub(crate) fn every<'a>(
        &'a self,
        aliases: impl Fn(&str) -> &'a [String],
    ) -> impl Iterator<Item = &'a Verdict> {
        self.order(aliases).every.iter().map(Rc::as_ref)
    }

    /// One for each flaw and component, worst first, with the verdicts of other advisories about the flaw.
    pub(crate) fn merged<'a>(
        &'a self,
        aliases: impl Fn(&str) -> &'a [String],
    ) -> impl Iterator<Item = (&'a Verdict, &'a [Rc<Verdict>])> {
        let merged = self.order(aliases).merged.iter();
        merged.map(|(verdict, others)| (verdict.as_ref(), others.as_slice()))
    }

    /// What everybody is shown comes in one order, so it is made once after each change.
    fn order<'a>(&'a self, aliases: impl Fn(&str) -> &'a [String]) -> &'a Order {
        self.order.get_or_init(|| {
            let mut every: Vec<Rc<Verdict>> =
                self.by_advisory.values().flatten().cloned().collect();
            every.sort_by(|one, other| {
                let urgency = urgency(other).cmp(&urgency(one));
                urgency
                    .then_with(|| compare(&one.advisory.id, &other.advisory.id))
                    .then_with(|| compare(&one.component, &other.component))
            });
            let verdicts: Vec<&Verdict> = every.iter().map(Rc::as_ref).collect();
            let merged = merge(&verdicts, |id| aliases(id)).into_iter();
            let merged = merged.map(|(place, others)| {
                let others = others.into_iter().map(|other| Rc::clone(&every[other]));
                (Rc::clone(&every[place]), others.collect())
            });
            let merged = merged.collect();
            Order { every, merged }
        })
    }
}

/// What is shown first: affected before unknown before the rest; then known exploited, then
/// score, then what can be corrected.
fn urgency(verdict: &Verdict) -> (u8, bool, u8, u8, bool) {
    (
        gravity(counted(verdict)),
        verdict.known_exploited,
        severity::rank(verdict.severity),
        verdict.score.unwrap_or(0),
        verdict.correction.is_some(),
    )
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;
    use crate::bindings::spacecp::advisories::types::DocumentRef;

    #[derive(Debug, Clone)]
    enum Step {
        Put(u8, Vec<(u8, Status, Severity)>),
        Remove(u8),
        Unversioned(BTreeSet<u8>),
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let status = prop_oneof![
            Just(Status::Affected),
            Just(Status::Unknown),
            Just(Status::Fixed),
        ];
        let severity = prop_oneof![Just(Severity::Low), Just(Severity::High)];
        let verdicts = prop::collection::vec((0..4_u8, status, severity), 0..4);
        let step = prop_oneof![
            (0..5_u8, verdicts).prop_map(|(advisory, verdicts)| Step::Put(advisory, verdicts)),
            (0..5_u8).prop_map(Step::Remove),
            prop::collection::btree_set(0..4_u8, 0..4).prop_map(Step::Unversioned),
        ];
        prop::collection::vec(step, 0..30)
    }

    fn verdict(advisory: u8, (component, status, severity): (u8, Status, Severity)) -> Verdict {
        Verdict {
            advisory: DocumentRef {
                id: advisory.to_string(),
                revision: 1,
            },
            title: String::new(),
            component: component.to_string(),
            version: None,
            status,
            reason: String::new(),
            severity,
            score: None,
            known_exploited: false,
            embargo: false,
            correction: None,
            mark: None,
        }
    }

    proptest! {
        #[test]
        fn sums_are_those_of_counting_anew(steps in steps()) {
            let mut verdicts = Verdicts::default();
            let mut unversioned: BTreeSet<String> = BTreeSet::new();
            for step in &steps {
                match step {
                    Step::Put(advisory, of) => {
                        let of = of.iter().map(|one| verdict(*advisory, *one)).collect();
                        verdicts.put(&advisory.to_string(), of);
                    }
                    Step::Remove(advisory) => verdicts.remove(&advisory.to_string()),
                    Step::Unversioned(components) => {
                        unversioned = components.iter().map(u8::to_string).collect();
                        verdicts.unversioned(unversioned.iter().map(String::as_str));
                    }
                }
                let all: Vec<&Verdict> = verdicts.every(|_| &[]).collect();
                let of = |status: Status| -> BTreeSet<&str> {
                    let found = all.iter().filter(|verdict| verdict.status == status);
                    found.map(|verdict| verdict.component.as_str()).collect()
                };
                let exposed = of(Status::Affected);
                let mut undecided = of(Status::Unknown);
                undecided.extend(unversioned.iter().map(String::as_str));
                prop_assert_eq!(verdicts.exposed(), exposed.len());
                prop_assert_eq!(verdicts.undecided(), undecided.difference(&exposed).count());
                let worst = all.iter().filter(|verdict| verdict.status == Status::Affected);
                let worst = worst.map(|verdict| severity::rank(verdict.severity)).max();
                prop_assert_eq!(verdicts.worst().map(severity::rank), worst);
            }
        }
    }
}
