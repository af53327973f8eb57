//! The affected versions of one component, in the total order of their scheme.

use std::cmp::Ordering;

use semver::Version;
use spacecp_contract::{Affected, VersionRange, VersionScheme};

use crate::bindings::exports::spacecp::advisories::exposure::Status;

/// What is said of one version.
#[derive(Debug, Clone, PartialEq)]
pub struct Judgement {
    /// The verdict.
    pub status: Status,
    /// Why.
    pub reason: String,
}

/// Affected versions, read once and ready to compare with.
#[derive(Debug, Clone)]
pub struct Ranges {
    scheme: VersionScheme,
    ranges: Vec<Result<Range, String>>,
    listed: Vec<String>,
}

#[derive(Debug, Clone)]
struct Range {
    /// None is before all versions.
    introduced: Option<Version>,
    end: End,
}

#[derive(Debug, Clone)]
enum End {
    Fixed(Version),
    LastAffected(Version),
    Open,
}

impl Ranges {
    /// Reads the ranges of an advisory. One that cannot be read stays among them as such.
    pub fn new(affected: &Affected) -> Self {
        Self {
            scheme: affected.scheme,
            ranges: affected.ranges.iter().map(Range::read).collect(),
            listed: affected.versions.clone(),
        }
    }

    /// What these ranges say of a version.
    pub fn judge(&self, text: &str) -> Judgement {
        if self.listed.iter().any(|listed| listed == text) {
            return judgement(Status::Affected, format!("{text} is listed as affected"));
        }
        if !is_ordered(self.scheme) {
            let scheme = scheme_name(self.scheme);
            return judgement(
                Status::Unknown,
                format!("versions in the scheme {scheme} cannot be compared by this plugin yet"),
            );
        }
        let version = match read(text) {
            Ok(version) => version,
            Err(reason) => return judgement(Status::Unknown, reason),
        };
        // Two spellings of one version, as with and without a leading "v", are one version.
        let same = |listed: &&String| compare(self.scheme, listed, text) == Some(Ordering::Equal);
        if let Some(listed) = self.listed.iter().find(same) {
            return judgement(
                Status::Affected,
                format!("{text} is listed as affected, as {listed}"),
            );
        }
        self.judge_version(&version, text)
    }

    fn judge_version(&self, version: &Version, text: &str) -> Judgement {
        let readable = || self.ranges.iter().filter_map(|range| range.as_ref().ok());
        if let Some(range) = readable().find(|range| range.contains(version)) {
            return judgement(Status::Affected, format!("{text} is in {range}"));
        }
        if let Some(Err(reason)) = self.ranges.iter().find(|range| range.is_err()) {
            return judgement(
                Status::Unknown,
                format!("the advisory has a range that cannot be read: {reason}"),
            );
        }
        if let Some(range) = readable().find(|range| range.is_past(version)) {
            return judgement(Status::Fixed, format!("{text} is past {range}"));
        }
        let all: Vec<String> = readable().map(ToString::to_string).collect();
        if all.is_empty() {
            return judgement(
                Status::NotAffected,
                format!("{text} is not among the affected versions"),
            );
        }
        judgement(
            Status::NotAffected,
            format!("{text} is outside {}", all.join(", ")),
        )
    }
}

impl Range {
    fn read(range: &VersionRange) -> Result<Self, String> {
        let introduced = match range.introduced.as_str() {
            "0" => None,
            text => Some(read(text)?),
        };
        let end = match (&range.fixed, &range.last_affected) {
            (Some(fixed), None) => End::Fixed(read(fixed)?),
            (None, Some(last)) => End::LastAffected(read(last)?),
            (None, None) => End::Open,
            (Some(_), Some(_)) => return Err("it has both fixed and last_affected".to_owned()),
        };
        if let (Some(begin), End::Fixed(end) | End::LastAffected(end)) = (&introduced, &end)
            && precedence(begin, end).is_gt()
        {
            return Err(format!(
                "it begins at {begin} and ends before that, at {end}"
            ));
        }
        Ok(Self { introduced, end })
    }

    fn begins_by(&self, version: &Version) -> bool {
        self.introduced
            .as_ref()
            .is_none_or(|introduced| precedence(introduced, version).is_le())
    }

    fn contains(&self, version: &Version) -> bool {
        self.begins_by(version)
            && match &self.end {
                End::Fixed(fixed) => precedence(version, fixed).is_lt(),
                End::LastAffected(last) => precedence(version, last).is_le(),
                End::Open => true,
            }
    }

    /// Whether the version comes after a fix of this range.
    fn is_past(&self, version: &Version) -> bool {
        matches!(&self.end, End::Fixed(fixed) if precedence(version, fixed).is_ge())
    }
}

impl std::fmt::Display for Range {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.introduced {
            Some(introduced) => write!(f, "[{introduced}, ")?,
            None => f.write_str("[0, ")?,
        }
        match &self.end {
            End::Fixed(fixed) => write!(f, "{fixed})"),
            End::LastAffected(last) => write!(f, "{last}]"),
            End::Open => f.write_str("…)"),
        }
    }
}

/// Which of two versions comes first in the order of their scheme; none where that cannot be said.
pub fn compare(scheme: VersionScheme, one: &str, other: &str) -> Option<Ordering> {
    if !is_ordered(scheme) {
        return None;
    }
    Some(precedence(&read(one).ok()?, &read(other).ok()?))
}

/// Whether versions of this scheme can be compared here.
fn is_ordered(scheme: VersionScheme) -> bool {
    matches!(scheme, VersionScheme::Semver | VersionScheme::Npm)
}

/// The precedence of Semantic Versioning 2.0.0, section 11: build metadata does not count.
fn precedence(one: &Version, other: &Version) -> Ordering {
    one.cmp_precedence(other)
}

fn read(text: &str) -> Result<Version, String> {
    // A leading "v" is part of a tag, not of a version, and common enough to be read past.
    Version::parse(text.strip_prefix('v').unwrap_or(text))
        .map_err(|error| format!("{text:?} cannot be read as a version: {error}"))
}

fn scheme_name(scheme: VersionScheme) -> &'static str {
    match scheme {
        VersionScheme::Semver => "semver",
        VersionScheme::Npm => "npm",
        VersionScheme::Deb => "deb",
        VersionScheme::Rpm => "rpm",
        VersionScheme::Maven => "maven",
        VersionScheme::Generic => "generic",
        VersionScheme::Unknown => "that the advisory names",
    }
}

fn judgement(status: Status, reason: String) -> Judgement {
    Judgement { status, reason }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use spacecp_contract::ComponentName;

    use super::*;

    fn ranges(
        scheme: VersionScheme,
        ranges: &[(&str, Option<&str>, Option<&str>)],
        listed: &[&str],
    ) -> Ranges {
        let range = |(introduced, fixed, last): &(&str, Option<&str>, Option<&str>)| VersionRange {
            introduced: (*introduced).to_owned(),
            fixed: fixed.map(str::to_owned),
            last_affected: last.map(str::to_owned),
        };
        Ranges::new(&Affected {
            component: ComponentName::new("spacecp:houston").unwrap(),
            scheme,
            ranges: ranges.iter().map(range).collect(),
            versions: listed.iter().map(|version| (*version).to_owned()).collect(),
        })
    }

    fn semver(bounds: &[(&str, Option<&str>, Option<&str>)]) -> Ranges {
        ranges(VersionScheme::Semver, bounds, &[])
    }

    #[test]
    fn a_version_in_a_range_is_affected_and_says_which() {
        let judged = semver(&[("1.4.0", Some("1.4.3"), None)]).judge("1.4.2");
        assert_eq!(
            judged,
            judgement(Status::Affected, "1.4.2 is in [1.4.0, 1.4.3)".to_owned())
        );
    }

    #[test]
    fn a_pre_release_of_the_fixed_version_is_affected_still() {
        assert_eq!(
            semver(&[("1.0.0", Some("1.4.3"), None)])
                .judge("1.4.3-rc.1")
                .status,
            Status::Affected
        );
    }

    #[test]
    fn the_fixed_version_is_fixed_and_the_one_before_the_range_never_was_affected() {
        let ranges = semver(&[("1.4.0", Some("1.4.3"), None)]);
        assert_eq!(ranges.judge("1.4.3").status, Status::Fixed);
        assert_eq!(ranges.judge("1.3.9").status, Status::NotAffected);
    }

    #[test]
    fn the_last_affected_version_is_affected_and_the_next_is_not() {
        let ranges = semver(&[("1.0.0", None, Some("1.2.0"))]);
        assert_eq!(ranges.judge("1.2.0").status, Status::Affected);
        assert_eq!(ranges.judge("1.2.1").status, Status::NotAffected);
    }

    #[test]
    fn zero_is_before_every_version() {
        assert_eq!(
            semver(&[("0", Some("1.0.0"), None)])
                .judge("0.0.0-alpha")
                .status,
            Status::Affected
        );
    }

    #[test]
    fn backported_branches_are_ranges_of_their_own() {
        let ranges = semver(&[
            ("1.0.0", Some("1.9.5"), None),
            ("2.0.0", Some("2.3.1"), None),
        ]);
        assert_eq!(ranges.judge("1.9.5").status, Status::Fixed);
        assert_eq!(ranges.judge("2.3.0").status, Status::Affected);
    }

    #[test]
    fn build_metadata_does_not_count() {
        assert_eq!(
            semver(&[("1.0.0", Some("1.4.3"), None)])
                .judge("1.4.3+build.9")
                .status,
            Status::Fixed
        );
    }

    #[test]
    fn what_cannot_be_read_is_unknown_and_says_so() {
        let judged = semver(&[("1.0.0", Some("1.4.3"), None)]).judge("nightly");
        assert_eq!(judged.status, Status::Unknown);
        assert!(judged.reason.contains("nightly"), "{}", judged.reason);
        assert_eq!(
            semver(&[("soon", None, None)]).judge("1.0.0").status,
            Status::Unknown
        );
        assert_eq!(
            ranges(VersionScheme::Deb, &[("0", None, None)], &[])
                .judge("1:2.3-4")
                .status,
            Status::Unknown
        );
    }

    #[test]
    fn a_range_that_ends_before_it_begins_decides_nothing() {
        let judged = semver(&[("2.0.0", Some("1.0.0"), None)]).judge("3.0.0");
        assert_eq!(judged.status, Status::Unknown);
        assert!(judged.reason.contains("2.0.0"), "{}", judged.reason);
    }

    #[test]
    fn two_spellings_of_a_listed_version_are_one() {
        let ranges = ranges(VersionScheme::Semver, &[], &["1.2.3"]);
        assert_eq!(ranges.judge("v1.2.3").status, Status::Affected);
        assert_eq!(ranges.judge("1.2.4").status, Status::NotAffected);
    }

    #[test]
    fn a_readable_range_decides_even_beside_one_that_is_not() {
        assert_eq!(
            semver(&[("soon", None, None), ("1.0.0", Some("2.0.0"), None)])
                .judge("1.5.0")
                .status,
            Status::Affected
        );
    }

    #[test]
    fn a_listed_version_is_affected_in_any_scheme() {
        let ranges = ranges(VersionScheme::Generic, &[], &["git-Paper-411"]);
        assert_eq!(ranges.judge("git-Paper-411").status, Status::Affected);
        assert_eq!(ranges.judge("git-Paper-412").status, Status::Unknown);
    }

    fn version() -> impl Strategy<Value = String> {
        (
            0u64..4,
            0u64..4,
            0u64..4,
            prop::option::of("[a-z]{1,3}(\\.[1-9])?"),
        )
            .prop_map(|(major, minor, patch, pre)| {
                format!(
                    "{major}.{minor}.{patch}{}",
                    pre.map(|pre| format!("-{pre}")).unwrap_or_default()
                )
            })
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(introduced in ".{0,12}", fixed in prop::option::of(".{0,12}"), found in ".{0,12}") {
            let _ = semver(&[(&introduced, fixed.as_deref(), None)]).judge(&found);
        }

        #[test]
        fn every_version_is_either_before_within_or_past_a_range_that_makes_sense(from in version(), to in version(), found in version()) {
            let judged = semver(&[(&from, Some(&to), None)]).judge(&found);
            let (from, to, found) = (read(&from).unwrap(), read(&to).unwrap(), read(&found).unwrap());
            let expected = if from > to { Status::Unknown } else if from <= found && found < to { Status::Affected } else if found >= to { Status::Fixed } else { Status::NotAffected };
            prop_assert_eq!(judged.status, expected);
        }
    }
}
