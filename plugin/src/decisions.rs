//! What administrators decided, and what that leaves to be done.
//!
//! A decision never changes a verdict. It says which exposures somebody has looked at, so that the
//! others come first.

use rustc_hash::FxHashMap;

use crate::bindings::{
    exports::spacecp::advisories::exposure::{Status, Verdict},
    spacecp::advisories::decisions::{Decision, Kind, State},
};
use crate::running::counted;

/// How far an exposure is dealt with, the most urgent first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Standing {
    /// Nobody has decided anything, or nothing that still holds.
    Open,
    /// A workaround is in place.
    WorkedAround,
    /// The risk is accepted.
    Accepted,
}

/// The decisions that the panel has, or why it cannot say.
#[derive(Debug, Clone, PartialEq)]
pub struct Decisions {
    /// By advisory, each in the order in which the panel gave them.
    by_advisory: FxHashMap<String, Vec<Decision>>,
    problem: Option<String>,
}

impl Decisions {
    /// Those that the panel gave.
    pub fn new(given: Result<Vec<Decision>, String>) -> Self {
        let (list, problem) = match given {
            Ok(list) => (list, None),
            Err(problem) => (Vec::new(), Some(problem)),
        };
        let mut by_advisory: FxHashMap<String, Vec<Decision>> = FxHashMap::default();
        for decision in list {
            let advisory = decision.advisory.id.clone();
            by_advisory.entry(advisory).or_default().push(decision);
        }
        Self {
            by_advisory,
            problem,
        }
    }

    /// Why the panel cannot say what was decided. Everything counts as open then.
    pub fn problem(&self) -> Option<&str> {
        self.problem.as_deref()
    }

    /// The decisions about an advisory: those that hold, and those that ended by themselves.
    pub fn about<'a>(&'a self, advisory: &'a str) -> impl Iterator<Item = &'a Decision> {
        self.by_advisory.get(advisory).into_iter().flatten()
    }

    /// The decisions that hold for an exposure.
    pub fn of<'a>(&'a self, verdict: &'a Verdict) -> impl Iterator<Item = &'a Decision> {
        let matching = self.matching(verdict);
        matching.filter(|decision| decision.state == State::Standing)
    }

    /// The decisions about an exposure, whether they hold or not. One about every component is about what is affected:
    /// whoever accepts what nobody knows says for which component.
    pub fn matching<'a>(&'a self, verdict: &'a Verdict) -> impl Iterator<Item = &'a Decision> {
        self.about(&verdict.advisory.id).filter(|decision| {
            let component = decision.component.as_ref();
            match component {
                Some(component) => *component == verdict.component,
                None => verdict.status != Status::Unknown,
            }
        })
    }

    /// How far an exposure is dealt with. An acceptance counts before a workaround: who accepts a
    /// risk has decided about all of it.
    pub fn standing(&self, verdict: &Verdict) -> Standing {
        let standing = |decision: &Decision| match decision.kind {
            Kind::Workaround => Standing::WorkedAround,
            Kind::Acceptance => Standing::Accepted,
        };
        self.of(verdict)
            .map(standing)
            .max()
            .unwrap_or(Standing::Open)
    }

    /// Verdicts, worst first, in the order in which they want to be dealt with.
    pub fn most_urgent_first<'a>(&self, mut verdicts: Vec<&'a Verdict>) -> Vec<&'a Verdict> {
        // Stable: among those that are dealt with alike, the worst stay first.
        verdicts.sort_by_cached_key(|verdict| self.standing(verdict));
        verdicts
    }

    /// How the exposed components stand.
    pub fn tally(&self, verdicts: &[&Verdict]) -> Tally {
        let mut components: std::collections::BTreeMap<&str, (Standing, Vec<i64>)> =
            std::collections::BTreeMap::new();
        for verdict in verdicts {
            if counted(verdict) != Status::Affected {
                continue;
            }
            let standing = self.standing(verdict);
            let until = self.of(verdict).filter_map(|decision| decision.until).min();
            let (worst, ends) = components
                .entry(&verdict.component)
                .or_insert((standing, Vec::new()));
            // A component is as far as the exposure of it that nobody has dealt with.
            *worst = standing.min(*worst);
            ends.extend(until);
        }
        let mut tally = Tally::default();
        for (standing, ends) in components.into_values() {
            let group = match standing {
                Standing::Open => &mut tally.open,
                Standing::WorkedAround => &mut tally.worked_around,
                Standing::Accepted => &mut tally.accepted,
            };
            group.components += 1;
            group.first_end = group.first_end.into_iter().chain(ends).min();
        }
        tally
    }
}

/// How many exposed components stand how.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// With an exposure that nobody has decided about.
    pub open: Group,
    /// With a workaround in place for every exposure that is not accepted.
    pub worked_around: Group,
    /// With every exposure accepted.
    pub accepted: Group,
}

/// Components that stand alike.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Group {
    /// How many.
    pub components: usize,
    /// When the first of their decisions ends.
    pub first_end: Option<i64>,
}
