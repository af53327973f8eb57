//! Has every component that must be there first reached its version?

use semver::Version;

use super::{Found, Situation, obstacle};

pub(super) fn check(situation: &Situation<'_>) -> Vec<Found> {
    let mut found = Vec::new();
    for required in &situation.correction.requires {
        let mut installed = situation
            .inventory
            .components
            .iter()
            .filter(|component| component.advisory_name == required.component)
            .peekable();
        let needs = format!(
            "{} {} or later is required",
            required.component, required.at_least
        );
        if installed.peek().is_none() {
            found.push(obstacle(
                format!("{needs}, and it is not installed"),
                "Install it first.",
            ));
        }
        for component in installed {
            let reached = match (
                component.version.as_deref().map(Version::parse),
                Version::parse(&required.at_least),
            ) {
                (Ok(Ok(version)), Ok(least)) => Some(version >= least),
                _ => None,
            };
            match reached {
                Some(true) => {}
                Some(false) => found.push(obstacle(
                    format!("{needs}, and {} is older", component.name),
                    "Correct that one first.",
                )),
                None => found.push(obstacle(
                    format!(
                        "{needs}, and the version of {} cannot be compared",
                        component.name
                    ),
                    "Look at that component first.",
                )),
            }
        }
    }
    found
}
