//! Version range specifiers, `vers:TYPE/CONSTRAINTS`, as CSAF has them in `product_version_range`.
//!
//! The format is that of ECMA-427: constraints between `|`, each a comparator and a version, percent
//! encoded, in the order of the versions. What our ranges cannot say – a version left out, a lower
//! end that is itself unaffected – is refused.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use spacecp_contract::{
    VersionRange, VersionScheme,
    version::{Range, Version},
};

use crate::naming::shown;

/// Why a specifier is no range of ours.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum VersError {
    #[error("invalid range {0:?}; expected \"vers:TYPE/CONSTRAINTS\"")]
    Form(String),
    #[error("{found:?} does not use the version scheme {scheme}")]
    Scheme {
        found: String,
        scheme: VersionScheme,
    },
    #[error("{0:?} excludes versions in an unsupported way")]
    Unsayable(String),
    #[error("starts and ends do not alternate in {0:?}")]
    Order(String),
    #[error("{0}")]
    Range(#[from] spacecp_contract::version::RangeError),
    #[error("{0}")]
    Version(#[from] spacecp_contract::version::VersionError),
}

/// Ranges, and single versions.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Versions {
    pub(super) ranges: Vec<VersionRange>,
    pub(super) listed: Vec<String>,
}

/// What stays as it is in a version between constraints.
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'.')
    .remove(b'-')
    .remove(b'_')
    .remove(b'~');

/// Reads a specifier of versions in this scheme.
pub(super) fn read(scheme: VersionScheme, text: &str) -> Result<Versions, VersError> {
    let parts = text
        .strip_prefix("vers:")
        .and_then(|text| text.split_once('/'));
    let (kind, constraints) = parts.ok_or_else(|| VersError::Form(shown(text)))?;
    if !kinds(scheme).contains(&kind) {
        return Err(VersError::Scheme {
            found: shown(kind),
            scheme,
        });
    }
    let mut versions = Versions::default();
    if constraints.trim() == "*" {
        versions.ranges.push(range("0".to_owned()));
        return Ok(versions);
    }
    let mut open: Option<VersionRange> = None;
    for constraint in constraints.split('|') {
        let constraint = constraint.trim();
        let begins = constraint.find(|letter| !"<>=!".contains(letter));
        let (comparator, encoded) = constraint.split_at(begins.unwrap_or(constraint.len()));
        let version = percent_decode_str(encoded).decode_utf8();
        let version = version
            .map_err(|_| VersError::Form(shown(text)))?
            .into_owned();
        Version::read(scheme, &version)?;
        match comparator {
            "" | "=" if open.is_none() => versions.listed.push(version),
            ">=" if open.is_none() => open = Some(range(version)),
            "<" | "<=" => {
                // A lower end is missing only before everything else.
                let first = versions.ranges.is_empty() && versions.listed.is_empty();
                let begun = open.take().or_else(|| first.then(|| range("0".to_owned())));
                let mut ended = begun.ok_or_else(|| VersError::Order(shown(text)))?;
                match comparator {
                    "<" => ended.fixed = Some(version),
                    _ => ended.last_affected = Some(version),
                }
                versions.ranges.push(ended);
            }
            "!=" | ">" => return Err(VersError::Unsayable(shown(constraint))),
            _ => return Err(VersError::Order(shown(text))),
        }
    }
    versions.ranges.extend(open);
    for range in &versions.ranges {
        Range::read(scheme, range)?;
    }
    Ok(versions)
}

fn range(introduced: String) -> VersionRange {
    VersionRange {
        introduced,
        fixed: None,
        last_affected: None,
        limit: None,
    }
}

/// The specifier of one range, in a type of the registry of `vers`.
pub(super) fn write(kind: &str, range: &VersionRange) -> String {
    let encoded = |text: &String| utf8_percent_encode(text, PLAIN).to_string();
    let mut constraints = Vec::new();
    if range.introduced != "0" {
        constraints.push(format!(">={}", encoded(&range.introduced)));
    }
    constraints.extend(range.fixed.as_ref().map(|end| format!("<{}", encoded(end))));
    constraints.extend(
        range
            .limit
            .as_ref()
            .filter(|end| *end != "*")
            .map(|end| format!("<{}", encoded(end))),
    );
    constraints.extend(
        range
            .last_affected
            .as_ref()
            .map(|end| format!("<={}", encoded(end))),
    );
    if constraints.is_empty() {
        constraints.push("*".to_owned());
    }
    format!("vers:{kind}/{}", constraints.join("|"))
}

/// The types whose versions have the order of a scheme; the first is the one that is written.
pub(super) fn kinds(scheme: VersionScheme) -> &'static [&'static str] {
    match scheme {
        VersionScheme::Semver => &["semver", "cargo"],
        VersionScheme::Npm => &["npm", "semver"],
        VersionScheme::Deb => &["deb"],
        VersionScheme::Rpm => &["rpm"],
        VersionScheme::Maven => &["maven"],
        VersionScheme::Generic => &["generic"],
        VersionScheme::Unknown => &[],
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(text: &str) -> Result<Versions, VersError> {
        super::read(VersionScheme::Semver, text)
    }

    fn written(text: &str) -> Vec<String> {
        let versions = read(text).unwrap();
        let read = |range: &VersionRange| Range::read(VersionScheme::Semver, range).unwrap();
        let ranges = versions.ranges.iter().map(|range| read(range).to_string());
        ranges.chain(versions.listed.clone()).collect()
    }

    #[test]
    fn constraints_are_ranges_in_turns_and_single_versions() {
        assert_eq!(written("vers:semver/*"), ["[0, …)"]);
        assert_eq!(written("vers:semver/<1.2.0"), ["[0, 1.2.0)"]);
        assert_eq!(written("vers:semver/>=1.0.0|<1.2.0"), ["[1.0.0, 1.2.0)"]);
        assert_eq!(written("vers:semver/>=1.0.0"), ["[1.0.0, …)"]);
        assert_eq!(written("vers:cargo/<=1.2.0"), ["[0, 1.2.0]"]);
        let several = "vers:semver/<1.2.0|>=2.0.0|<2.1.0|3.0.0";
        assert_eq!(written(several), ["[0, 1.2.0)", "[2.0.0, 2.1.0)", "3.0.0"]);
    }

    #[test]
    fn what_no_range_of_ours_says_is_refused_and_not_made_wider_or_narrower() {
        for text in [
            "vers:semver/>1.0.0|<2.0.0",
            "vers:semver/>=1.0.0|!=1.5.0|<2.0.0",
            "vers:semver/<1.0.0|<2.0.0",
            "vers:semver/>=2.0.0|>=3.0.0",
            "vers:semver/>=2.0.0|<1.0.0",
            "vers:semver/>=2.0.0|2.5.0|<3.0.0",
            "vers:semver/<=soon",
            "vers:semver/",
            "vers:pypi/<1.0.0",
            "vers:semver",
            "versions before 1.2",
            "<1.2.0",
            "vers:semver/%ff",
        ] {
            assert!(read(text).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn whatever_the_text_reading_ends(text in "(vers:(semver|rpm|maven)/)?[<>=!|*0-9a-z.%~^+-]{0,40}") {
            for scheme in [VersionScheme::Semver, VersionScheme::Rpm, VersionScheme::Maven] {
                let _ = super::read(scheme, &text);
            }
        }

        #[test]
        fn a_range_that_is_written_is_read_again(one in 0..50u8, two in 0..50u8, kind in 0..4u8, build in "[a-z|<%+]{0,4}") {
            let (low, high) = (one.min(two), one.max(two) + 1);
            let mut original = range(if low == 0 { "0".into() } else { format!("{low}.1{build}") });
            match kind {
                0 => original.fixed = Some(format!("{high}.2{build}")),
                1 => original.last_affected = Some(format!("{high}.2{build}")),
                _ => {}
            }
            let text = write("maven", &original);
            let again = super::read(VersionScheme::Maven, &text);
            prop_assert_eq!(again.map(|versions| versions.ranges), Ok(vec![original]));
        }
    }
}
