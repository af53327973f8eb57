//! Which correction would end an exposure, and which component it is applied to.
//!
//! May not: judge what is exposed, or when a correction is applied.

use std::{cmp::Ordering, rc::Rc};

use spacecp_contract::{Correction, identity::canonical_name};

use super::Knowledge;
use crate::{
    bindings::{
        exports::spacecp::advisories::exposure::{Status, Verdict},
        spacecp::advisories::{inventory::Component, types::DocumentRef},
    },
    exposure::{Installed, Ranges, compare},
    headline::Headline,
};

impl Knowledge {
    /// The correction that would end an exposure, and the component to apply it to: the exposed one
    /// itself, or one that carries it.
    pub fn correction_for(
        &self,
        advisory: &Headline,
        exposed: &Component,
    ) -> Option<(&Correction, &Component)> {
        let named = advisory.corrections.iter();
        let mut candidates: Vec<&Correction> = named
            .filter_map(|id| self.corrections.get(id.as_str()))
            .collect();
        // Whatever cannot be compared is chosen from in one order, however the advisory lists it.
        candidates.sort_unstable_by(|one, other| one.id.cmp(&other.id));
        let fitting = candidates.into_iter().filter_map(|correction| {
            let places = self.by_name.get(&*canonical_name(&correction.component))?;
            let mut targets = places.iter().map(|place| &self.components[*place]);
            let target = targets.find(|target| {
                target.correctable && carries(target, exposed) && fits(correction, target)
            })?;
            let ends = self.ends(correction, advisory)?;
            Some((ends, correction, target))
        });
        // One that surely ends it before one of whose version nobody can say so; the closest to the exposed component
        // before one around it; the one that leads highest.
        let best = fitting.reduce(|best, next| {
            let surer = next.0.cmp(&best.0);
            let closer = || next.2.name.len().cmp(&best.2.name.len());
            let further = || leads_further(next.1, best.1);
            if surer.then_with(closer).then_with(further).is_gt() {
                next
            } else {
                best
            }
        });
        best.map(|(_, correction, target)| (correction, target))
    }

    /// Whether the version that a correction leads to is surely no longer affected by this advisory; none where it
    /// is affected as well.
    fn ends(&self, correction: &Correction, advisory: &Headline) -> Option<bool> {
        let to = Installed::new(&correction.component, &correction.to);
        let statement = self.index.statement(&advisory.id, &correction.component);
        match statement.map(|statement| statement.judge(Some(&to)).status) {
            Some(Status::Affected) => None,
            Some(Status::Unknown) => Some(false),
            Some(Status::Fixed | Status::NotAffected) | None => Some(true),
        }
    }

    /// The correction of another advisory about the same flaw, where it would end this one's exposure as well.
    pub(super) fn correction_of_others(
        &self,
        verdict: &Verdict,
        others: &[Rc<Verdict>],
    ) -> Option<DocumentRef> {
        let advisory = self.advisories.get(&verdict.advisory.id)?;
        let named = others.iter().filter_map(|other| other.correction.as_ref());
        let mut ending = named.filter(|named| {
            let correction = self.corrections.get(&named.id);
            correction.is_some_and(|correction| self.ends(correction, advisory).is_some())
        });
        ending.next().cloned()
    }
}

/// Which of two corrections leads to the higher version; neither, where nobody can say.
fn leads_further(one: &Correction, other: &Correction) -> Ordering {
    if one.scheme != other.scheme {
        return Ordering::Equal;
    }
    compare(one.scheme, &one.to, &other.to).unwrap_or(Ordering::Equal)
}

/// Whether `target` is the exposed component or one that has it inside.
fn carries(target: &Component, exposed: &Component) -> bool {
    target.name == exposed.name
        || exposed
            .name
            .strip_prefix(&target.name)
            .is_some_and(|rest| rest.starts_with('/'))
}

/// Whether a correction can be applied to the version that is installed.
fn fits(correction: &Correction, target: &Component) -> bool {
    let from = spacecp_contract::Affected {
        component: correction.component.clone(),
        scheme: correction.scheme,
        ranges: vec![correction.from.clone()],
        versions: Vec::new(),
        unlisted: None,
    };
    let version = target.version.as_deref();
    version.is_some_and(|version| {
        let judged = Ranges::new(&from).judge(&Installed::new(&correction.component, version));
        judged.status == Status::Affected
    })
}
