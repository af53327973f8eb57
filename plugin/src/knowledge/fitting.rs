//! Which correction would end an exposure, and which component it is applied to.
//!
//! May not: judge what is exposed, or when a correction is applied.

use std::cmp::Ordering;

use spacecp_contract::Correction;

use super::Knowledge;
use crate::{
    bindings::{
        exports::spacecp::advisories::exposure::Status, spacecp::advisories::inventory::Component,
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
        let candidates = named.filter_map(|id| self.corrections.get(id.as_str()));
        let fitting = candidates.filter_map(|correction| {
            let places = self.by_name.get(correction.component.as_str())?;
            let mut targets = places.iter().map(|place| &self.components[*place]);
            let target = targets.find(|target| {
                target.correctable
                    && carries(target, exposed)
                    && fits(correction, target)
                    && !self.leads_into(correction, advisory)
            })?;
            Some((correction, target))
        });
        // The one that leads highest; the closest to the exposed component before one around it.
        fitting.reduce(|best, next| {
            let closer = next.1.name.len().cmp(&best.1.name.len());
            let further =
                || compare(next.0.scheme, &next.0.to, &best.0.to).unwrap_or(Ordering::Equal);
            if closer.then_with(further).is_gt() {
                next
            } else {
                best
            }
        })
    }

    /// Whether a correction leads to a version that this advisory affects as well.
    fn leads_into(&self, correction: &Correction, advisory: &Headline) -> bool {
        let to = Installed::new(&correction.to);
        let statement = self.index.statement(&advisory.id, &correction.component);
        statement.is_some_and(|statement| statement.judge(Some(&to)).status == Status::Affected)
    }
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
    };
    let version = target.version.as_deref();
    version.is_some_and(|version| {
        let judged = Ranges::new(&from).judge(&Installed::new(version));
        judged.status == Status::Affected
    })
}
