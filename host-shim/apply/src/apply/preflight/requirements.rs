//! Has every component that must be there first reached its version?

use std::cmp::Ordering;

use spacecp_contract::version::compare;

use super::{Found, Situation, obstacle};

pub(super) fn check(situation: &Situation<'_>) -> Vec<Found> {
    let mut found = Vec::new();
    for required in &situation.correction.requires {
        let mut installed = situation
            .inventory
            .installed()
            .filter(|installed| *installed.advisory_name() == required.component)
            .peekable();
        let needs = format!(
            "{} {} or later is required",
            required.component, required.at_least
        );
        if installed.peek().is_none() {
            found.push(obstacle(
                format!("{needs} but is not installed"),
                "Install it first.",
            ));
        }
        for component in installed {
            let version = component.version();
            let reached = version
                .and_then(|version| compare(component.scheme(), version, &required.at_least))
                .map(Ordering::is_ge);
            match reached {
                Some(true) => {}
                Some(false) => found.push(obstacle(
                    format!("{needs}; {} is older", component.name()),
                    "Apply its correction first.",
                )),
                None => found.push(obstacle(
                    format!(
                        "{needs}; the version of {} cannot be compared",
                        component.name()
                    ),
                    "Check that component first.",
                )),
            }
        }
    }
    found
}
