//! Is the installed version one that the correction is for?

use semver::Version;
use spacecp_contract::VersionScheme;

use super::{Found, Situation, obstacle};

pub(super) fn check(situation: &Situation<'_>) -> Vec<Found> {
    let correction = situation.correction;
    let Ok(installed) = &situation.component.version else {
        return Vec::new();
    };
    if !matches!(
        correction.scheme,
        VersionScheme::Semver | VersionScheme::Npm
    ) {
        return vec![obstacle(
            "the correction's versions are in a scheme that this panel cannot compare",
            "Update the panel's advisories.",
        )];
    }
    let Ok(version) = Version::parse(installed) else {
        return vec![obstacle(
            format!("the installed version {installed:?} cannot be compared"),
            "Correct the component by hand.",
        )];
    };
    let from = &correction.from;
    let parse = |text: &String| Version::parse(text).ok();
    let begins = from.introduced == "0"
        || parse(&from.introduced).is_some_and(|first| first.cmp_precedence(&version).is_le());
    let ends = match (&from.fixed, &from.last_affected) {
        (Some(end), _) => parse(end).is_some_and(|end| version.cmp_precedence(&end).is_lt()),
        (None, Some(last)) => parse(last).is_some_and(|last| version.cmp_precedence(&last).is_le()),
        (None, None) => true,
    };
    if begins && ends {
        return Vec::new();
    }
    let found = format!(
        "version {installed} is installed, and the correction leads from {} to {}",
        from.introduced, correction.to
    );
    vec![obstacle(
        found,
        "Wait for a correction for this version, or update the component first.",
    )]
}
