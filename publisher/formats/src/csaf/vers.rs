//! Version range specifiers, `vers:TYPE/CONSTRAINTS`, as CSAF has them in `product_version_range`.
//!
//! The format is that of ECMA-427: constraints between `|`, each a comparator and a version, percent
//! encoded. They are put in the order of their versions and simplified as the specification says, so that
//! what is written in any order, or more than once, is read as what it means.

use std::cmp::Ordering;

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
    #[error("{one:?} and {other:?} contradict each other or cannot be compared")]
    Order { one: String, other: String },
    #[error("{0}")]
    Range(#[from] spacecp_contract::version::RangeError),
    #[error("{0}")]
    Version(#[from] spacecp_contract::version::VersionError),
}

/// Ranges, single versions, and versions that the ranges leave out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Versions {
    pub(super) ranges: Vec<VersionRange>,
    pub(super) listed: Vec<String>,
    pub(super) excluded: Vec<String>,
}

/// How a constraint compares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Comparator {
    Equal,
    Not,
    Below,
    AtMost,
    Above,
    AtLeast,
}

impl Comparator {
    /// The comparator at the beginning of a text, and what follows it.
    pub(super) fn split(text: &str) -> (Self, &str) {
        const ALL: [(&str, Comparator); 7] = [
            ("<=", Comparator::AtMost),
            (">=", Comparator::AtLeast),
            ("!=", Comparator::Not),
            ("==", Comparator::Equal),
            ("<", Comparator::Below),
            (">", Comparator::Above),
            ("=", Comparator::Equal),
        ];
        let found = ALL
            .iter()
            .find_map(|(sign, comparator)| Some((*comparator, text.strip_prefix(sign)?)));
        found.unwrap_or((Self::Equal, text))
    }

    fn begins(self) -> bool {
        matches!(self, Self::Above | Self::AtLeast)
    }

    fn ends(self) -> bool {
        matches!(self, Self::Below | Self::AtMost)
    }
}

/// What stays as it is in a version between constraints.
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'.')
    .remove(b'-')
    .remove(b'_')
    .remove(b'~');

/// Reads a specifier of versions in this scheme.
pub(super) fn read(scheme: VersionScheme, text: &str) -> Result<Versions, VersError> {
    let (kind, constraints) = parts(text).ok_or_else(|| VersError::Form(shown(text)))?;
    if kind.eq_ignore_ascii_case("none") {
        // The specification has it with an asterisk alone.
        return match constraints.trim() {
            "*" => Ok(Versions::default()),
            _ => Err(VersError::Form(shown(text))),
        };
    }
    if constraints.trim() == "*" {
        return Ok(all());
    }
    if !kinds(scheme).contains(&kind.to_ascii_lowercase().as_str()) {
        return Err(VersError::Scheme {
            found: shown(kind),
            scheme,
        });
    }
    constraints_of(scheme, constraints)?.ok_or_else(|| VersError::Form(shown(text)))
}

/// Reads what comes after the type of a specifier; none where it is none.
pub(super) fn constraints(scheme: VersionScheme, text: &str) -> Option<Versions> {
    constraints_of(scheme, text).ok().flatten()
}

fn constraints_of(scheme: VersionScheme, constraints: &str) -> Result<Option<Versions>, VersError> {
    let read = read_constraints(scheme, constraints)?;
    if read.is_empty() {
        return Ok(None);
    }
    union(scheme, read).map(Some)
}

/// The constraints in the order in which they are written.
fn read_constraints(
    scheme: VersionScheme,
    constraints: &str,
) -> Result<Vec<(Comparator, Version)>, VersError> {
    let constraints = constraints.split('|').map(str::trim);
    let constraints = constraints.filter(|constraint| !constraint.is_empty());
    let read = constraints.map(|constraint| {
        let (comparator, encoded) = Comparator::split(constraint);
        let version = percent_decode_str(encoded.trim()).decode_utf8();
        let version = version.map_err(|_| VersError::Form(shown(constraint)))?;
        Ok((comparator, Version::read(scheme, &version)?))
    });
    read.collect()
}

/// Whether a specifier is written in the one way that the specification has for what it means. What is written
/// otherwise is read, and its bounds may not be the ones that were meant.
pub(super) fn is_canonical(scheme: VersionScheme, text: &str) -> bool {
    let Some((_, constraints)) = parts(text) else {
        return false;
    };
    if constraints == "*" {
        return true;
    }
    let is_odd = |part: &str| part.is_empty() || part.contains(char::is_whitespace);
    if constraints.split('|').any(is_odd) {
        return false;
    }
    let Ok(read) = read_constraints(scheme, constraints) else {
        return false;
    };
    let rises = |pair: &[(Comparator, Version)]| pair[0].1 < pair[1].1;
    let is_sorted = read.windows(2).all(rises);
    let included = read.into_iter();
    let included: Vec<_> = included
        .filter(|(one, _)| *one != Comparator::Not)
        .collect();
    let length = included.len();
    is_sorted && simplified(included).len() == length
}

/// The type and the constraints of a specifier; none where it is none.
pub(super) fn parts(text: &str) -> Option<(&str, &str)> {
    let text = text.trim();
    let (scheme, rest) = text.split_at_checked("vers:".len())?;
    scheme.eq_ignore_ascii_case("vers:").then_some(())?;
    rest.split_once('/')
}

/// Every version.
pub(super) fn all() -> Versions {
    Versions {
        ranges: vec![range("0".to_owned())],
        ..Versions::default()
    }
}

/// What constraints mean together, whatever their order.
fn union(
    scheme: VersionScheme,
    mut constraints: Vec<(Comparator, Version)>,
) -> Result<Versions, VersError> {
    if let Some(((_, first), rest)) = constraints.split_first()
        && let Some((_, other)) = rest
            .iter()
            .find(|(_, other)| first.compare(other).is_none())
    {
        return Err(contradict(first, other));
    }
    constraints.sort_by(|(_, one), (_, other)| one.compare(other).unwrap_or(Ordering::Equal));
    constraints.dedup_by(|one, other| one.0 == other.0 && one.1 == other.1);
    for pair in constraints.windows(2) {
        if let [(_, one), (_, other)] = pair
            && one == other
        {
            return Err(contradict(one, other));
        }
    }
    let (excluded, included): (Vec<_>, Vec<_>) = constraints
        .into_iter()
        .partition(|(comparator, _)| *comparator == Comparator::Not);
    let mut versions = if included.is_empty() {
        all()
    } else {
        intervals(&simplified(included))
    };
    let excluded = excluded.into_iter();
    versions
        .excluded
        .extend(excluded.map(|(_, version)| version.as_str().to_owned()));
    for range in &versions.ranges {
        Range::read(scheme, range)?;
    }
    Ok(versions)
}

fn contradict(one: &Version, other: &Version) -> VersError {
    VersError::Order {
        one: shown(one.as_str()),
        other: shown(other.as_str()),
    }
}

/// Without what another constraint says already, so that starts and ends alternate.
fn simplified(constraints: Vec<(Comparator, Version)>) -> Vec<(Comparator, Version)> {
    let mut kept: Vec<(Comparator, Version)> = Vec::with_capacity(constraints.len());
    for (comparator, version) in constraints {
        // What ends takes in the single versions and ends before it.
        while comparator.ends() && kept.last().is_some_and(|(last, _)| !last.begins()) {
            kept.pop();
        }
        // What has begun takes in whatever does not end it.
        if comparator.ends() || kept.last().is_none_or(|(last, _)| !last.begins()) {
            kept.push((comparator, version));
        }
    }
    kept
}

/// Starts and ends in turns, and single versions, as ranges.
fn intervals(constraints: &[(Comparator, Version)]) -> Versions {
    let mut versions = Versions::default();
    let mut open: Option<VersionRange> = None;
    for (comparator, version) in constraints {
        let text = version.as_str().to_owned();
        match comparator {
            Comparator::Equal => versions.listed.push(text),
            Comparator::Not => versions.excluded.push(text),
            Comparator::AtLeast => open = Some(range(text)),
            Comparator::Above => {
                versions.excluded.push(text.clone());
                open = Some(range(text));
            }
            Comparator::Below | Comparator::AtMost => {
                let mut ended = open.take().unwrap_or_else(|| range("0".to_owned()));
                match comparator {
                    Comparator::Below => ended.fixed = Some(text),
                    _ => ended.last_affected = Some(text),
                }
                versions.ranges.push(ended);
            }
        }
    }
    versions.ranges.extend(open);
    versions
}

pub(super) fn range(introduced: String) -> VersionRange {
    VersionRange {
        introduced,
        fixed: None,
        last_affected: None,
        limit: None,
    }
}

/// The specifier of one range and the versions within that it leaves out, in a type of the registry of `vers`.
pub(super) fn write(kind: &str, range: &VersionRange, excluded: &[String]) -> String {
    let encoded = |text: &String| utf8_percent_encode(text, PLAIN).to_string();
    let mut constraints = Vec::new();
    let is_excluded = excluded.contains(&range.introduced);
    if range.introduced != "0" {
        let sign = if is_excluded { ">" } else { ">=" };
        constraints.push(format!("{sign}{}", encoded(&range.introduced)));
    }
    let others = excluded.iter().filter(|other| **other != range.introduced);
    constraints.extend(others.map(|other| format!("!={}", encoded(other))));
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

/// The specifier of one version.
pub(super) fn write_one(kind: &str, version: &str) -> String {
    format!("vers:{kind}/{}", utf8_percent_encode(version, PLAIN))
}

/// The scheme whose type is written so.
pub(super) fn scheme(kind: &str) -> Option<VersionScheme> {
    VersionScheme::ALL
        .into_iter()
        .find(|scheme| kinds(*scheme).first() == Some(&kind))
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
        VersionScheme::Alpine => &["alpine", "apk"],
        VersionScheme::Composer => &["composer"],
        VersionScheme::Pypi => &["pypi"],
        VersionScheme::Nuget => &["nuget"],
        VersionScheme::Gem => &["gem"],
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
        let excluded = versions
            .excluded
            .iter()
            .map(|version| format!("!{version}"));
        let all = ranges.chain(versions.listed.clone()).chain(excluded);
        all.collect()
    }

    #[test]
    fn constraints_are_ranges_in_turns_and_single_versions() {
        assert_eq!(written("vers:semver/*"), ["[0, …)"]);
        assert_eq!(written("vers:all/*"), ["[0, …)"]);
        assert_eq!(written("vers:semver/<1.2.0"), ["[0, 1.2.0)"]);
        assert_eq!(written("vers:semver/>=1.0.0|<1.2.0"), ["[1.0.0, 1.2.0)"]);
        assert_eq!(written("vers:semver/>=1.0.0"), ["[1.0.0, …)"]);
        assert_eq!(written("vers:cargo/<=1.2.0"), ["[0, 1.2.0]"]);
        let several = "vers:semver/<1.2.0|>=2.0.0|<2.1.0|3.0.0";
        assert_eq!(written(several), ["[0, 1.2.0)", "[2.0.0, 2.1.0)", "3.0.0"]);
    }

    #[test]
    fn what_a_range_leaves_out_is_excluded() {
        let above = ["[1.0.0, 2.0.0)", "!1.0.0"];
        assert_eq!(written("vers:semver/>1.0.0|<2.0.0"), above);
        let without = ["[1.0.0, 2.0.0)", "!1.5.0"];
        assert_eq!(written("vers:semver/>=1.0.0|!=1.5.0|<2.0.0"), without);
        assert_eq!(written("vers:semver/!=1.5.0"), ["[0, …)", "!1.5.0"]);
    }

    #[test]
    fn constraints_mean_the_same_in_any_order_and_however_often() {
        for (text, meaning) in [
            ("vers:semver/<2.0.0|>=1.0.0", "[1.0.0, 2.0.0)"),
            ("vers:semver/<1.0.0|<2.0.0", "[0, 2.0.0)"),
            ("vers:semver/>=2.0.0|>=3.0.0", "[2.0.0, …)"),
            ("vers:semver/>=2.0.0|2.5.0|<3.0.0", "[2.0.0, 3.0.0)"),
            ("vers:semver/1.0.0|<2.0.0", "[0, 2.0.0)"),
            ("vers:semver/>=1.0.0|>=1.0.0| <2.0.0 |", "[1.0.0, 2.0.0)"),
            ("VERS:SemVer/>=1%2E0.0|<2.0.0", "[1.0.0, 2.0.0)"),
        ] {
            assert_eq!(written(text), [meaning], "{text}");
        }
        let split = ["[0, 1.0.0)", "[2.0.0, …)"];
        assert_eq!(written("vers:semver/>=2.0.0|<1.0.0"), split);
    }

    #[test]
    fn what_cannot_be_read_is_refused_and_not_made_wider_or_narrower() {
        for text in [
            "vers:semver/<1.0.0|>=1.0.0",
            "vers:semver/=1.0.0|!=1.0.0",
            "vers:semver/<=soon",
            "vers:semver/",
            "vers:semver/|",
            "vers:semver/*|<2.0.0",
            "vers:pypi/<1.0.0",
            "vers:semver",
            "versions before 1.2",
            "<1.2.0",
            "vers:semver/%ff",
        ] {
            assert!(read(text).is_err(), "{text}");
        }
    }

    #[test]
    fn the_specification_s_own_tests_hold() {
        let data = include_str!("../../tests/data/vers/vers_canonical_parse_test.json");
        let data: serde_json::Value = serde_json::from_str(data).unwrap();
        let mut looked_at = 0;
        for test in data["tests"].as_array().unwrap() {
            let text = test["input"].as_str().unwrap();
            let fails = test["expected_failure"].as_bool().unwrap_or(false);
            // Not every type has an order here, and "1.0%2F0" is no version of npm.
            if text.starts_with("vers:npm/") && (fails || !text.contains('%')) {
                let is_canonical = is_canonical(VersionScheme::Npm, text)
                    && super::read(VersionScheme::Npm, text).is_ok();
                assert_eq!(is_canonical, !fails, "{text}");
                looked_at += 1;
            }
        }
        assert_eq!(looked_at, 7);
        let data = include_str!("../../tests/data/vers/npm_range_containment_test.json");
        let data: serde_json::Value = serde_json::from_str(data).unwrap();
        for test in data["tests"].as_array().unwrap() {
            let text = |field: &str| test["input"][field].as_str().unwrap();
            let versions = super::read(VersionScheme::Npm, text("vers")).unwrap();
            let version = Version::read(VersionScheme::Npm, text("version")).unwrap();
            let within = versions.ranges.iter().any(|range| {
                let range = Range::read(VersionScheme::Npm, range).unwrap();
                range.contains(&version) == Some(true)
            });
            assert_eq!(within, test["expected_output"].as_bool().unwrap());
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
            let text = write("maven", &original, &[]);
            let again = super::read(VersionScheme::Maven, &text);
            prop_assert_eq!(again.map(|versions| versions.ranges), Ok(vec![original]));
        }

        #[test]
        fn a_version_is_in_what_was_read_if_the_specification_says_so(
            constraints in prop::collection::vec((0..6usize, 0..6u8), 1..5), version in 0..7u8,
        ) {
            let unique: std::collections::BTreeMap<u8, usize> =
                constraints.iter().map(|(sign, number)| (*number, *sign)).collect();
            let signs = ["=", "!=", "<", "<=", ">", ">="];
            let text: Vec<String> =
                unique.iter().map(|(number, sign)| format!("{}{number}.0.0", signs[*sign])).collect();
            let versions = read(&format!("vers:semver/{}", text.join("|"))).unwrap();
            let number = |text: &str| text.split('.').next().unwrap().parse::<u8>().unwrap();
            let read = |text: &str| Version::read(VersionScheme::Semver, text).unwrap();
            let found = read(&format!("{version}.0.0"));
            let within = versions.ranges.iter().any(|range| {
                Range::read(VersionScheme::Semver, range).unwrap().contains(&found) == Some(true)
            });
            let listed = |texts: &[String]| texts.iter().any(|text| number(text) == version);
            let contains = !listed(&versions.excluded) && (within || listed(&versions.listed));
            prop_assert_eq!(contains, contained(&unique, version));
        }
    }

    /// The containment of the specification, word for word: "Checking if a version is contained within a range".
    fn contained(constraints: &std::collections::BTreeMap<u8, usize>, version: u8) -> bool {
        if let Some(sign) = constraints.get(&version) {
            match sign {
                0 | 3 | 5 => return true,
                1 => return false,
                _ => {}
            }
        }
        let rest: Vec<(u8, bool)> = constraints
            .iter()
            .filter(|(_, sign)| **sign > 1)
            .map(|(number, sign)| (*number, *sign > 3))
            .collect();
        // Only exclusions: all others.
        if rest.is_empty() {
            return constraints.values().all(|sign| *sign == 1);
        }
        let (first, last) = (rest[0], rest[rest.len() - 1]);
        if !first.1 && version < first.0 || last.1 && version > last.0 {
            return true;
        }
        rest.windows(2)
            .any(|pair| pair[0].1 && !pair[1].1 && pair[0].0 < version && version < pair[1].0)
            || unions(&rest, version)
    }

    /// Where starts or ends are doubled, the specification asks for simplification first.
    fn unions(rest: &[(u8, bool)], version: u8) -> bool {
        rest.iter().enumerate().any(|(place, (number, begins))| {
            let mut later = rest[place..].iter();
            let mut earlier = rest[..=place].iter().rev();
            if *begins {
                let end = later.find(|(_, begins)| !begins);
                *number < version && end.is_none_or(|(end, _)| version < *end)
            } else {
                let begin = earlier.find(|(_, begins)| *begins);
                version < *number && begin.is_none_or(|(begin, _)| version > *begin)
            }
        })
    }
}
