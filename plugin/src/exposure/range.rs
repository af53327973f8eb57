//! The affected versions of one component, and what they say of the installed one.

use std::{cell::OnceCell, cmp::Ordering};

use spacecp_contract::{
    Affected, Others, VersionScheme,
    identity::{Stream, comparable, comparable_range},
    version::{Range, Relation, Version},
};

use crate::bindings::exports::spacecp::advisories::exposure::Status;

/// What is said of one version.
#[derive(Debug, Clone, PartialEq)]
pub struct Judgement {
    /// The verdict.
    pub status: Status,
    /// Why.
    pub reason: String,
}

/// An installed version, which is read at most once in each scheme.
#[derive(Debug)]
pub struct Installed {
    text: String,
    /// As versions of this component are compared.
    comparable: String,
    /// The line beside its release's own that it is of.
    stream: Option<Stream>,
    /// By scheme, in the order of their declaration.
    read: [OnceCell<Result<Version, String>>; SCHEMES],
}

const SCHEMES: usize = VersionScheme::Unknown as usize + 1;

impl Installed {
    /// A version of a component, by the name that advisories use, as it was found.
    pub fn new(component: &str, text: &str) -> Self {
        Self {
            text: text.to_owned(),
            comparable: comparable(component, text).into_owned(),
            stream: Stream::of(component, text),
            read: Default::default(),
        }
    }

    /// As it was found.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    fn read(&self, scheme: VersionScheme) -> &Result<Version, String> {
        self.read[scheme as usize].get_or_init(|| {
            Version::read(scheme, &self.comparable).map_err(|error| error.to_string())
        })
    }
}

/// Affected versions, read once and ready to compare with.
#[derive(Debug, Clone)]
pub struct Ranges {
    scheme: VersionScheme,
    ranges: Vec<Result<Range, String>>,
    /// As it is written, and read where it can be.
    listed: Vec<Listed>,
    /// The lines beside a release's own that a bound or a listed version is of.
    streams: Vec<Stream>,
    /// What is said of versions that are in none of these, where that is more than that they are not affected.
    unlisted: Option<Box<Rest>>,
}

/// A version as it is written, and read where it can be.
type Listed = (String, Option<Version>);

/// What is said of versions that are not called affected.
#[derive(Debug, Clone)]
struct Rest {
    others: Others,
    excluded: Vec<Listed>,
    fixed: Vec<Listed>,
    /// What is written and could not be read.
    unread: Vec<String>,
    /// Versions that are named as under investigation; one that cannot be read may be any.
    investigated: Vec<Result<Range, String>>,
}

impl Ranges {
    /// Reads the ranges of an advisory. One that cannot be read stays among them as such.
    pub fn new<Text: AsRef<str>>(affected: &Affected<Text>) -> Self {
        let scheme = affected.scheme;
        let component = affected.component.as_str();
        let range = |range| {
            let range = comparable_range(component, range);
            Range::read(scheme, &range).map_err(|error| error.to_string())
        };
        let listed = |text: &Text| {
            let text = text.as_ref();
            let version = Version::read(scheme, &comparable(component, text));
            (text.to_owned(), version.ok())
        };
        Self {
            scheme,
            streams: streams(affected),
            ranges: affected.ranges.iter().map(range).collect(),
            listed: affected.versions.iter().map(listed).collect(),
            unlisted: affected.unlisted.as_deref().map(|unlisted| {
                Box::new(Rest {
                    others: unlisted.others,
                    excluded: unlisted.excluded.iter().map(listed).collect(),
                    fixed: unlisted.fixed.iter().map(listed).collect(),
                    unread: unlisted
                        .unread
                        .iter()
                        .map(|text| text.as_ref().to_owned())
                        .collect(),
                    investigated: unlisted.investigated.iter().map(range).collect(),
                })
            }),
        }
    }

    /// What these ranges say of a version.
    pub fn judge(&self, installed: &Installed) -> Judgement {
        let text = &installed.text;
        if self.listed.iter().any(|(listed, _)| listed == text) {
            return judgement(Status::Affected, format!("{text} is listed as affected"));
        }
        if let Some(stream) = installed.stream
            && !self.streams.contains(&stream)
        {
            let reason = format!("{text} is {stream}, of which the advisory does not speak");
            return judgement(Status::Unknown, reason);
        }
        if let Some(rest) = &self.unlisted
            && self.is_silent()
        {
            // No version decides anything, so it does not matter whether this one can be read.
            return judgement(Status::Unknown, rest.reason(text));
        }
        let version = match installed.read(self.scheme) {
            Ok(version) => version,
            Err(reason) => return judgement(Status::Unknown, reason.clone()),
        };
        // Two spellings of one version, as with and without a leading "v", are one version.
        let same = |(_, listed): &&(String, Option<Version>)| listed.as_ref() == Some(version);
        if let Some((listed, _)) = self.listed.iter().find(same) {
            return judgement(
                Status::Affected,
                format!("{text} is listed as affected, as {listed}"),
            );
        }
        match &self.unlisted {
            Some(rest) => self.judge_unlisted(rest, version),
            None => self.judge_version(version),
        }
    }

    /// Whether this list, which does not say that the version is affected, says nothing of it at all.
    pub fn leaves_open(&self, installed: &Installed) -> bool {
        let Some(rest) = &self.unlisted else {
            return false;
        };
        let is_open = matches!(rest.others, Others::Unstated | Others::UnderInvestigation);
        let is_read = installed.read(self.scheme).is_ok() && self.ranges.iter().all(Result::is_ok);
        if rest.investigated.is_empty() {
            return is_open && rest.unread.is_empty() && (is_read || self.is_silent());
        }
        let is_named = |version: &Version| rest.is_investigated(version);
        let is_other = installed
            .read(self.scheme)
            .as_ref()
            .is_ok_and(|version| !is_named(version));
        is_open && rest.unread.is_empty() && is_read && is_other
    }

    /// Whether no version at all is called affected or fixed.
    fn is_silent(&self) -> bool {
        let fixed = self.unlisted.as_ref().map(|rest| &rest.fixed);
        self.ranges.is_empty() && self.listed.is_empty() && fixed.is_none_or(Vec::is_empty)
    }

    /// What is said of a version that is not listed as affected.
    fn judge_unlisted(&self, rest: &Rest, version: &Version) -> Judgement {
        let is_same = |(_, listed): &&Listed| listed.as_ref() == Some(version);
        let is_excluded = rest.excluded.iter().any(|excluded| is_same(&excluded));
        let judged = self.judge_version(version);
        if judged.status == Status::Unknown || judged.status == Status::Affected && !is_excluded {
            return judged;
        }
        if rest.is_investigated(version) {
            return judgement(Status::Unknown, still_investigating(version.as_str()));
        }
        if let Some((fixed, _)) = rest.fixed.iter().find(is_same) {
            return judgement(
                Status::Fixed,
                format!("{version} is listed as fixed, as {fixed}"),
            );
        }
        // Past one of several ranges alone is no evidence; nor is a fix where something later is open.
        let nothing_is_open = rest.others == Others::Unstated && rest.unread.is_empty();
        let highest = self.highest_fix(rest).filter(|_| nothing_is_open);
        if let Some(fix) = highest.filter(|fix| version >= *fix && self.ends_before(fix)) {
            return judgement(
                Status::Fixed,
                format!("{version} is not before {fix}, the last version called fixed"),
            );
        }
        if rest.others != Others::NotAffected || !rest.unread.is_empty() {
            return judgement(Status::Unknown, rest.reason(version.as_str()));
        }
        if is_excluded {
            let reason = format!("{version} is excluded from the affected versions");
            return judgement(Status::NotAffected, reason);
        }
        judged
    }

    /// The highest version that is called fixed.
    fn highest_fix<'a>(&'a self, rest: &'a Rest) -> Option<&'a Version> {
        let ranges = self.ranges.iter().flatten().filter_map(Range::fixed);
        let listed = rest.fixed.iter().filter_map(|(_, fixed)| fixed.as_ref());
        ranges
            .chain(listed)
            .max_by(|one, other| one.compare(other).unwrap_or(Ordering::Equal))
    }

    /// Whether all that is called affected comes before this version. What cannot be read or compared may not.
    fn ends_before(&self, fix: &Version) -> bool {
        let ends = |range: &Result<Range, String>| {
            range.as_ref().is_ok_and(|range| range.ends_before(fix))
        };
        let is_before = |(_, listed): &Listed| {
            let listed = listed.as_ref();
            listed.is_some_and(|listed| listed.compare(fix) == Some(Ordering::Less))
        };
        self.ranges.iter().all(ends) && self.listed.iter().all(is_before)
    }

    fn judge_version(&self, version: &Version) -> Judgement {
        let (mut unread, mut unrelated, mut past) = (None, None, None);
        for range in &self.ranges {
            let range = match range {
                Ok(range) => range,
                Err(reason) => {
                    unread = unread.or(Some(reason));
                    continue;
                }
            };
            match range.relation(version) {
                Some(Relation::Inside) => {
                    return judgement(Status::Affected, format!("{version} is in {range}"));
                }
                Some(Relation::Past) => past = past.or(Some(range)),
                Some(Relation::Outside) => {}
                None => unrelated = unrelated.or(Some(range)),
            }
        }
        if let Some(reason) = unread {
            return judgement(
                Status::Unknown,
                format!("invalid range in the advisory: {reason}"),
            );
        }
        if let Some(range) = unrelated {
            return judgement(
                Status::Unknown,
                format!("{version} belongs to another release line than {range}"),
            );
        }
        if let Some(range) = past {
            return judgement(Status::Fixed, format!("{version} is past {range}"));
        }
        let readable = self.ranges.iter().flatten();
        let all: Vec<String> = readable.map(ToString::to_string).collect();
        if all.is_empty() {
            return judgement(
                Status::NotAffected,
                format!("{version} is not among the affected versions"),
            );
        }
        judgement(
            Status::NotAffected,
            format!("{version} is outside {}", all.join(", ")),
        )
    }
}

fn streams<Text: AsRef<str>>(affected: &Affected<Text>) -> Vec<Stream> {
    let bounds = affected.ranges.iter().flat_map(|range| {
        let ends = [&range.fixed, &range.last_affected, &range.limit];
        let ends = ends.into_iter().filter_map(Option::as_ref);
        ends.chain([&range.introduced])
    });
    let beside = affected.unlisted.iter();
    let beside = beside.flat_map(|unlisted| unlisted.excluded.iter().chain(&unlisted.fixed));
    let all = bounds.chain(&affected.versions).chain(beside);
    all.filter_map(|version| Stream::of(&affected.component, version.as_ref()))
        .collect()
}

impl Rest {
    /// Whether a version is, or may be, one of those that are named as under investigation.
    fn is_investigated(&self, version: &Version) -> bool {
        let mut all = self.investigated.iter();
        all.any(|range| match range {
            Ok(range) => range.contains(version) != Some(false),
            Err(_) => true,
        })
    }

    /// Why a version that is not named is unknown.
    fn reason(&self, version: &str) -> String {
        if let Some(unread) = self.unread.first() {
            let shown: String = unread.chars().take(LONGEST_SHOWN).collect();
            return format!(
                "the advisory calls {shown:?} affected, which cannot be read as versions"
            );
        }
        match self.others {
            Others::UnderInvestigation => still_investigating(version),
            Others::Contradictory => {
                format!("the advisory calls versions such as {version} both affected and fixed")
            }
            Others::Unreadable => {
                "the affected versions in the advisory cannot be read as versions".to_owned()
            }
            Others::Unstated | Others::NotAffected | Others::Unknown => {
                format!("the advisory does not say whether {version} is affected")
            }
        }
    }
}

fn still_investigating(version: &str) -> String {
    format!("the vendor is still investigating whether {version} is affected")
}

/// The most of a stranger's text that a reason repeats, in characters.
const LONGEST_SHOWN: usize = 80;

fn judgement(status: Status, reason: String) -> Judgement {
    Judgement { status, reason }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use spacecp_contract::{ComponentName, VersionRange};

    use super::*;

    /// Introduced, fixed, last affected.
    type Bounds<'a> = (&'a str, Option<&'a str>, Option<&'a str>);

    fn affected(scheme: VersionScheme, ranges: &[Bounds<'_>], listed: &[&str]) -> Affected {
        let range = |(introduced, fixed, last): &Bounds<'_>| VersionRange {
            introduced: (*introduced).to_owned(),
            fixed: fixed.map(str::to_owned),
            last_affected: last.map(str::to_owned),
            limit: None,
        };
        Affected {
            component: ComponentName::new("spacecp:houston").unwrap(),
            scheme,
            ranges: ranges.iter().map(range).collect(),
            versions: listed.iter().map(|version| (*version).to_owned()).collect(),
            unlisted: None,
        }
    }

    fn ranges(scheme: VersionScheme, bounds: &[Bounds<'_>], listed: &[&str]) -> Ranges {
        Ranges::new(&affected(scheme, bounds, listed))
    }

    fn ranges_of(scheme: VersionScheme, bounds: &[Bounds<'_>]) -> Ranges {
        ranges(scheme, bounds, &[])
    }

    fn judge(ranges: &Ranges, version: &str) -> Judgement {
        ranges.judge(&Installed::new("spacecp:houston", version))
    }

    fn status(ranges: &Ranges, version: &str) -> Status {
        judge(ranges, version).status
    }

    fn semver(bounds: &[Bounds<'_>]) -> Ranges {
        ranges(VersionScheme::Semver, bounds, &[])
    }

    #[test]
    fn a_version_in_a_range_is_affected_and_says_which() {
        let judged = judge(&semver(&[("1.4.0", Some("1.4.3"), None)]), "1.4.2");
        assert_eq!(
            judged,
            judgement(Status::Affected, "1.4.2 is in [1.4.0, 1.4.3)".to_owned())
        );
    }

    #[test]
    fn a_pre_release_of_the_fixed_version_is_affected_still() {
        let ranges = semver(&[("1.0.0", Some("1.4.3"), None)]);
        assert_eq!(status(&ranges, "1.4.3-rc.1"), Status::Affected);
    }

    #[test]
    fn the_fixed_version_is_fixed_and_the_one_before_the_range_never_was_affected() {
        let ranges = semver(&[("1.4.0", Some("1.4.3"), None)]);
        assert_eq!(status(&ranges, "1.4.3"), Status::Fixed);
        assert_eq!(status(&ranges, "1.3.9"), Status::NotAffected);
    }

    #[test]
    fn the_last_affected_version_is_affected_and_the_next_is_not() {
        let ranges = semver(&[("1.0.0", None, Some("1.2.0"))]);
        assert_eq!(status(&ranges, "1.2.0"), Status::Affected);
        assert_eq!(status(&ranges, "1.2.1"), Status::NotAffected);
    }

    #[test]
    fn a_version_past_every_fix_is_unknown_where_something_is_open() {
        use spacecp_contract::Unlisted;
        let judged = |others: Others, unread: &[&str]| {
            let mut open = affected(VersionScheme::Semver, &[("0", Some("1.5.0"), None)], &[]);
            open.unlisted = Some(Box::new(Unlisted {
                others,
                excluded: Vec::new(),
                fixed: Vec::new(),
                unread: unread.iter().map(|text| (*text).to_owned()).collect(),
                investigated: Vec::new(),
            }));
            status(&Ranges::new(&open), "2.5.0")
        };
        assert_eq!(judged(Others::Unstated, &[]), Status::Fixed);
        assert_eq!(judged(Others::Unstated, &["some of 2"]), Status::Unknown);
        for others in [
            Others::UnderInvestigation,
            Others::Unreadable,
            Others::Contradictory,
        ] {
            assert_eq!(judged(others, &[]), Status::Unknown, "{others:?}");
        }
    }

    #[test]
    fn what_is_named_as_under_investigation_is_neither_fixed_nor_spared() {
        use spacecp_contract::Unlisted;
        let mut open = affected(VersionScheme::Semver, &[("0", Some("1.5.0"), None)], &[]);
        open.unlisted = Some(Box::new(Unlisted {
            others: Others::Unstated,
            excluded: Vec::new(),
            fixed: vec!["2.0.0".to_owned(), "3.0.0".to_owned()],
            unread: Vec::new(),
            investigated: vec![VersionRange {
                introduced: "2.0.0".to_owned(),
                fixed: None,
                last_affected: Some("2.5.0".to_owned()),
                limit: None,
            }],
        }));
        let open = Ranges::new(&open);
        for (version, expected) in [
            ("1.0.0", Status::Affected),
            ("2.0.0", Status::Unknown),
            ("2.2.0", Status::Unknown),
            ("2.6.0", Status::Unknown),
            ("3.0.0", Status::Fixed),
            ("3.1.0", Status::Fixed),
        ] {
            assert_eq!(status(&open, version), expected, "{version}");
        }
        let leaves_open = |version| open.leaves_open(&Installed::new("spacecp:houston", version));
        assert!(!leaves_open("2.2.0") && leaves_open("2.6.0"));
    }

    #[test]
    fn a_limit_ends_a_range_without_a_fix() {
        let mut limited = affected(VersionScheme::Semver, &[("1.0.0", None, None)], &[]);
        limited.ranges[0].limit = Some("2.0.0".to_owned());
        let ranges = Ranges::new(&limited);
        assert_eq!(status(&ranges, "1.9.9"), Status::Affected);
        assert_eq!(status(&ranges, "2.0.0"), Status::NotAffected);
    }

    #[test]
    fn zero_is_before_every_version() {
        let ranges = semver(&[("0", Some("1.0.0"), None)]);
        assert_eq!(status(&ranges, "0.0.0-alpha"), Status::Affected);
        let ranges = ranges_of(VersionScheme::Deb, &[("0", Some("1"), None)]);
        assert_eq!(status(&ranges, "0~~"), Status::Affected);
    }

    #[test]
    fn backported_branches_are_ranges_of_their_own() {
        let ranges = semver(&[
            ("1.0.0", Some("1.9.5"), None),
            ("2.0.0", Some("2.3.1"), None),
        ]);
        assert_eq!(status(&ranges, "1.9.5"), Status::Fixed);
        assert_eq!(status(&ranges, "2.3.0"), Status::Affected);
    }

    #[test]
    fn ranges_count_whatever_their_order_and_however_they_overlap() {
        let ranges = semver(&[
            ("2.0.0", Some("2.3.1"), None),
            ("1.0.0", Some("1.9.5"), None),
            ("1.5.0", Some("2.1.0"), None),
        ]);
        for affected in ["1.0.0", "1.9.5", "1.9.9", "2.0.9", "2.3.0"] {
            assert_eq!(status(&ranges, affected), Status::Affected, "{affected}");
        }
        assert_eq!(status(&ranges, "2.3.1"), Status::Fixed);
    }

    #[test]
    fn build_metadata_does_not_count() {
        let ranges = semver(&[("1.0.0", Some("1.4.3"), None)]);
        assert_eq!(status(&ranges, "1.4.3+build.9"), Status::Fixed);
    }

    #[test]
    fn what_cannot_be_read_is_unknown_and_says_so() {
        let judged = judge(&semver(&[("1.0.0", Some("1.4.3"), None)]), "nightly");
        assert_eq!(judged.status, Status::Unknown);
        assert!(judged.reason.contains("nightly"), "{}", judged.reason);
        let judged = judge(&semver(&[("soon", None, None)]), "1.0.0");
        assert_eq!(judged.status, Status::Unknown);
        assert!(judged.reason.contains("soon"), "{}", judged.reason);
    }

    #[test]
    fn a_scheme_that_is_not_known_decides_nothing_but_listed_versions() {
        let ranges = ranges(VersionScheme::Unknown, &[("0", None, None)], &["1"]);
        assert_eq!(status(&ranges, "1"), Status::Affected);
        assert_eq!(status(&ranges, "2"), Status::Unknown);
    }

    #[test]
    fn every_scheme_is_judged_in_its_own_order() {
        for (scheme, bounds, inside, past) in [
            (
                VersionScheme::Deb,
                ("1:2.0-1", "1:2.0-2"),
                "1:2.0-1+b1",
                "2:1.0-1",
            ),
            (
                VersionScheme::Rpm,
                ("0", "3.10-2.el7"),
                "3.10-2~rc1",
                "1:1-1",
            ),
            (
                VersionScheme::Maven,
                ("2.0-beta9", "2.15.0"),
                "2.14.1",
                "2.15.0.GA",
            ),
            (VersionScheme::Npm, ("0", "4.17.21"), "v4.17.20", "4.17.21"),
            (
                VersionScheme::Generic,
                ("1.20", "1.20.4"),
                "1.20.4-pre1",
                "1.20.4-R0.1",
            ),
        ] {
            let ranges = ranges_of(scheme, &[(bounds.0, Some(bounds.1), None)]);
            assert_eq!(
                status(&ranges, inside),
                Status::Affected,
                "{scheme}: {inside}"
            );
            assert_eq!(status(&ranges, past), Status::Fixed, "{scheme}: {past}");
        }
    }

    #[test]
    fn a_version_of_another_line_is_unknown() {
        let ranges = ranges_of(VersionScheme::Generic, &[("1.20", Some("1.20.4"), None)]);
        let judged = judge(&ranges, "git-Paper-496");
        assert_eq!(
            judged,
            judgement(
                Status::Unknown,
                "git-Paper-496 belongs to another release line than [1.20, 1.20.4)".to_owned()
            )
        );
    }

    #[test]
    fn a_range_that_ends_before_it_begins_decides_nothing() {
        let judged = judge(&semver(&[("2.0.0", Some("1.0.0"), None)]), "3.0.0");
        assert_eq!(judged.status, Status::Unknown);
        assert!(judged.reason.contains("2.0.0"), "{}", judged.reason);
    }

    #[test]
    fn two_spellings_of_a_listed_version_are_one() {
        let ranges = ranges(VersionScheme::Semver, &[], &["1.2.3"]);
        assert_eq!(status(&ranges, "v1.2.3"), Status::Affected);
        assert_eq!(status(&ranges, "1.2.4"), Status::NotAffected);
    }

    #[test]
    fn a_readable_range_decides_even_beside_one_that_is_not() {
        let ranges = semver(&[("soon", None, None), ("1.0.0", Some("2.0.0"), None)]);
        assert_eq!(status(&ranges, "1.5.0"), Status::Affected);
        assert_eq!(status(&ranges, "2.5.0"), Status::Unknown);
    }

    #[test]
    fn a_listed_version_is_affected_whether_it_can_be_read_or_not() {
        let ranges = ranges(VersionScheme::Generic, &[], &["git-Paper-411", "nightly"]);
        assert_eq!(status(&ranges, "git-Paper-411"), Status::Affected);
        assert_eq!(status(&ranges, "nightly"), Status::Affected);
        assert_eq!(status(&ranges, "git-Paper-412"), Status::NotAffected);
        assert_eq!(status(&ranges, "weekly"), Status::Unknown);
    }

    /// What an advisory about versions of a component says of one of them.
    fn of(component: &str, scheme: VersionScheme, bounds: Bounds<'_>, version: &str) -> Status {
        let mut affected = affected(scheme, &[bounds], &[]);
        affected.component = component.parse().unwrap();
        let judged = Ranges::new(&affected).judge(&Installed::new(component, version));
        judged.status
    }

    #[test]
    fn both_notations_of_java_are_one() {
        let java = |bounds, version| of("java:openjdk", VersionScheme::Generic, bounds, version);
        let bounds = ("8", Some("8.0.402"), None);
        assert_eq!(java(bounds, "1.8.0_392"), Status::Affected);
        assert_eq!(java(bounds, "8u392"), Status::Affected);
        assert_eq!(java(bounds, "1.8.0_402"), Status::Fixed);
        let old = ("1.8.0", Some("1.8.0_402"), None);
        assert_eq!(java(old, "8.0.392"), Status::Affected);
        assert_eq!(java(old, "1.8.0_402"), Status::Fixed);
        let next = ("17", Some("17.0.10"), None);
        assert_eq!(java(next, "1.8.0_392"), Status::NotAffected);
    }

    #[test]
    fn a_version_of_another_stream_is_unknown_unless_the_advisory_speaks_of_it() {
        let deb =
            |bounds, version| of("deb:debian-12:openssh", VersionScheme::Deb, bounds, version);
        let backport = "1:10.0p1-7~bpo12+1";
        assert_eq!(deb(("0", None, None), backport), Status::Unknown);
        let released = ("0", Some("1:9.2p1-2+deb12u3"), None);
        assert_eq!(deb(released, backport), Status::Unknown);
        let spoken_of = ("0", Some("1:10.0p1-7~bpo12+2"), None);
        assert_eq!(deb(spoken_of, backport), Status::Affected);
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
            let _ = judge(&semver(&[(&introduced, fixed.as_deref(), None)]), &found);
        }

        #[test]
        fn every_version_is_either_before_within_or_past_a_range_that_makes_sense(from in version(), to in version(), found in version()) {
            let judged = judge(&semver(&[(&from, Some(&to), None)]), &found);
            let read = |text: &str| semver::Version::parse(text).unwrap();
            let (from, to, found) = (read(&from), read(&to), read(&found));
            let expected = if from > to { Status::Unknown } else if from <= found && found < to { Status::Affected } else if found >= to { Status::Fixed } else { Status::NotAffected };
            prop_assert_eq!(judged.status, expected);
        }
    }
}
