//! Is the installed version one that the correction is for?

use spacecp_contract::version::{Range, Version};

use super::{Found, Situation, obstacle};

pub(super) fn check(situation: &Situation<'_>) -> Vec<Found> {
    let correction = situation.correction;
    let Ok(installed) = &situation.component.version else {
        return Vec::new();
    };
    let version = match Version::read(correction.scheme, installed) {
        Ok(version) => version,
        Err(error) => {
            return vec![obstacle(
                format!("cannot compare the installed version: {error}"),
                "Correct the component by hand.",
            )];
        }
    };
    let from = match Range::read(correction.scheme, &correction.from) {
        Ok(from) => from,
        Err(error) => {
            return vec![obstacle(
                format!("cannot parse the versions in the correction: {error}"),
                "Wait for another revision of the correction.",
            )];
        }
    };
    if from.contains(&version) == Some(true) {
        return Vec::new();
    }
    let found = format!(
        "version {installed} is installed, but the correction is from {} to {}",
        correction.from.introduced, correction.to
    );
    vec![obstacle(
        found,
        "Wait for a correction for this version, or update the component first.",
    )]
}
