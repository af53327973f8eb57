//! Every scheme orders versions as its own specification says, and every order is total.
#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot go on says so and ends"
)]

use std::cmp::Ordering::{self, Equal, Greater, Less};

use proptest::prelude::*;
use spacecp_contract::{
    VersionRange, VersionScheme,
    VersionScheme::{Alpine, Composer, Deb, Gem, Generic, Maven, Npm, Nuget, Pypi, Rpm, Semver},
    version::{Range, RangeError, Relation, Version, VersionFault, compare},
};

/// Holds an ascending chain of versions, each line a set of equal ones, against a scheme.
fn ascending(scheme: VersionScheme, chain: &[&[&str]]) {
    for (place, equals) in chain.iter().enumerate() {
        for (other_place, others) in chain.iter().enumerate() {
            for (one, other) in pairs(equals, others) {
                let expected = place.cmp(&other_place);
                let found = compare(scheme, one, other);
                assert_eq!(found, Some(expected), "{scheme}: {one} and {other}");
            }
        }
    }
}

fn pairs<'a>(ones: &'a [&str], others: &'a [&str]) -> impl Iterator<Item = (&'a str, &'a str)> {
    ones.iter()
        .flat_map(|one| others.iter().map(|other| (*one, *other)))
}

fn fault(scheme: VersionScheme, text: &str) -> VersionFault {
    let read = Version::read(scheme, text);
    read.map(|version| panic!("{version} was read"))
        .unwrap_err()
        .fault
}

#[test]
fn semver_is_ordered_as_section_11_says() {
    ascending(
        Semver,
        &[
            &["1.0.0-alpha"],
            &["1.0.0-alpha.1"],
            &["1.0.0-alpha.beta"],
            &["1.0.0-beta"],
            &["1.0.0-beta.2"],
            &["1.0.0-beta.11"],
            &["1.0.0-rc.1"],
            &["1.0.0", "1.0.0+20130313144700", "v1.0.0", "1.0", "1"],
            &["2.0.0", "2.0.0+exp.sha.5114f85"],
            &["2.1.0"],
            &["2.1.1"],
        ],
    );
}

#[test]
fn semver_orders_what_go_writes_for_commits_and_for_modules_without_a_go_mod() {
    ascending(
        Semver,
        &[
            &["0.0.0-20221012134737-56aed061732a"],
            &["0.0.0-20230101000000-000000000000"],
            &["v1.2.3", "1.2.3"],
            &["v1.2.4-0.20191109021931-daa7c04131f5"],
            &["v1.2.4"],
            &["v2.0.0-rc1+incompatible"],
            &["v2.0.0+incompatible", "2.0.0"],
        ],
    );
}

#[test]
fn semver_counts_further_numbers_instead_of_calling_two_versions_one() {
    ascending(
        Semver,
        &[
            &["1.1.3-rc.1"],
            &["1.1.3", "1.1.3.0"],
            &["1.1.3.4-rc.1"],
            &["1.1.3.4"],
            &["1.1.3.5"],
            &["1.1.4"],
        ],
    );
}

#[test]
fn semver_has_numbers_of_any_length() {
    ascending(
        Semver,
        &[
            &["18446744073709551615.0.0"],
            &["18446744073709551616.0.0", "018446744073709551616.0.0"],
            &["99999999999999999999999999.0.0"],
        ],
    );
}

#[test]
fn a_number_has_its_place_whether_a_byte_a_word_or_neither_holds_it() {
    let ascending = [
        "0",
        "1",
        "239",
        "240",
        "255",
        "256",
        "65535",
        "65536",
        "4294967296",
        "9999999999999999999",
        "10000000000000000000",
        "18446744073709551615",
        "18446744073709551616",
        "18446744073709551617",
        "340282366920938463463374607431768211456",
    ];
    for scheme in [Semver, Rpm, Deb, Maven, Pypi, Nuget, Gem, Composer, Generic] {
        let zeros = format!("1.{}", "0".repeat(30));
        for (place, one) in ascending.iter().enumerate() {
            for (other_place, other) in ascending.iter().enumerate() {
                let found = compare(scheme, &format!("1.{one}"), &format!("{zeros}{other}"));
                let expected = Some(place.cmp(&other_place));
                assert_eq!(found, expected, "{scheme}: {one} and {other}");
            }
        }
    }
}

#[test]
fn semver_refuses_what_is_no_version() {
    assert_eq!(fault(Semver, ""), VersionFault::Empty);
    assert_eq!(
        fault(Semver, "nightly"),
        VersionFault::Character('n', "a number")
    );
    assert_eq!(fault(Semver, "1..2"), VersionFault::Missing("a number"));
    assert_eq!(
        fault(Semver, "1.2.3-"),
        VersionFault::Missing("an identifier between dots")
    );
    assert_eq!(
        fault(Semver, "1.2.3-a_b"),
        VersionFault::Character('_', "a pre-release")
    );
    assert_eq!(fault(Semver, &"1".repeat(257)), VersionFault::TooLong);
    assert_eq!(
        fault(Semver, "1.0.0\u{7}"),
        VersionFault::Character('\u{7}', "a version")
    );
}

#[test]
fn npm_reads_as_loosely_as_npm_does() {
    ascending(
        Npm,
        &[
            &["1.2.3-4"],
            &["1.2.3-beta", "1.2.3beta", "v1.2.3-beta", "= v1.2.3-beta"],
            &[
                "1.2.3", "=1.2.3", "v1.2.3", "01.02.03", " 1.2.3 ", "1.2.3+x",
            ],
            &["1.2.4"],
        ],
    );
}

#[test]
fn npm_refuses_what_npm_refuses() {
    assert_eq!(fault(Npm, "1.2"), VersionFault::Missing("a number"));
    assert_eq!(
        fault(Npm, "1.2.3.4"),
        VersionFault::Missing("an identifier between dots")
    );
    assert_eq!(
        fault(Npm, "1.9007199254740992.0"),
        VersionFault::TooLarge("a number")
    );
    assert!(Version::read(Npm, "1.9007199254740991.0").is_ok());
}

#[test]
fn deb_is_ordered_as_debian_policy_says() {
    // The chain of Policy 5.6.12 for the tilde, then letters, then all else.
    ascending(
        Deb,
        &[&["~~"], &["~~a"], &["~"], &["1~"], &["1"], &["1a"], &["1+"]],
    );
    ascending(
        Deb,
        &[
            &["1.0~beta1~svn1245-1"],
            &["1.0~beta1-1"],
            &["1.0", "0:1.0", "1.0-0", "1.0-00", "01.0", "1.00"],
            &["1.0-1~deb7u1"],
            &["1.0-1"],
            &["1.0-1+deb7u1"],
            &["1.0-a"],
            &["1.9"],
            &["1.10"],
            &["1:0.1"],
        ],
    );
}

#[test]
fn deb_splits_at_the_first_colon_and_the_last_hyphen() {
    ascending(
        Deb,
        &[&["1:2-3-4"], &["1:2-3-5"], &["1:2-4-1"], &["1:2:1-1"]],
    );
}

#[test]
fn deb_refuses_what_dpkg_refuses() {
    assert_eq!(
        fault(Deb, ":1"),
        VersionFault::Missing("the epoch before the colon")
    );
    assert_eq!(fault(Deb, "a:1"), VersionFault::Character('a', "an epoch"));
    assert_eq!(
        fault(Deb, "2147483648:1"),
        VersionFault::TooLarge("the epoch")
    );
    assert_eq!(
        fault(Deb, "1-"),
        VersionFault::Missing("the revision after the hyphen")
    );
    assert_eq!(
        fault(Deb, "1:"),
        VersionFault::Missing("the upstream version")
    );
    assert_eq!(
        fault(Deb, "1.0_2"),
        VersionFault::Character('_', "an upstream version")
    );
    // The colon ends the epoch, wherever it is.
    assert_eq!(
        fault(Deb, "1.0-1:2"),
        VersionFault::Character('.', "an epoch")
    );
}

#[test]
fn rpm_is_ordered_as_rpm_version_says() {
    // The examples of rpm-version(7).
    ascending(
        Rpm,
        &[
            &["1.0~rc1"],
            &["1.0~rc1^git1"],
            &["1.0"],
            &["1.0^git1~pre"],
            &["1.0^git1"],
            &["1.0^git2"],
            &["1.0.a"],
            &["1.0.1"],
            &["1.1", "1.01", "1_1", "1+1", "1.1."],
            &["1.10"],
            &["2"],
        ],
    );
}

#[test]
fn rpm_takes_letters_before_numbers_and_runs_apart() {
    ascending(
        Rpm,
        &[
            &["1.0"],
            &["1.0a", "1.0.a"],
            &["1.0a1", "1.0.a.1"],
            &["1.0aa"],
        ],
    );
    ascending(Rpm, &[&["xyz.4"], &["8"]]);
    ascending(Rpm, &[&["6.0"], &["6.0.rc1", "6.0rc1"]]);
}

#[test]
fn rpm_compares_epoch_before_version_before_release() {
    ascending(
        Rpm,
        &[
            &["9", "0:9"],
            &["9-"],
            &["9-1.el7"],
            &["9-1.1.el7"],
            &["9-2.el7"],
            &["1:1-1", "01:1-1"],
            &["4:1-1"],
            &["13:1-1"],
        ],
    );
}

#[test]
fn rpm_sees_an_epoch_only_where_digits_come_before_the_colon() {
    assert_eq!(compare(Rpm, "1.m+e2:1", "4.m+e1:1"), Some(Less));
    assert_eq!(compare(Rpm, "b:1", "a1:1"), Some(Greater));
}

#[test]
fn maven_splits_and_trims_as_its_comparable_version_does() {
    for (one, other) in [
        ("1-1.foo-bar1baz-.1", "1-1.foo-bar-1-baz-0.1"),
        ("1.0.0", "1"),
        ("1.ga", "1"),
        ("1.final", "1"),
        ("1.release", "1"),
        ("1.0", "1"),
        ("1.", "1"),
        ("1-", "1"),
        ("1.0.0-foo.0.0", "1-foo"),
        ("1.0.0-0.0.0", "1"),
        ("1-release", "1-0"),
        ("1-1", "1-ga-1"),
        ("1cr", "1RC"),
        ("1A1", "1-alpha-1"),
        ("1b2", "1-beta-2"),
        ("1m3", "1-Milestone-3"),
    ] {
        assert_eq!(compare(Maven, one, other), Some(Equal), "{one} and {other}");
    }
}

#[test]
fn maven_is_ordered_as_its_comparable_version_orders() {
    ascending(
        Maven,
        &[
            &["1-alpha", "1.alpha", "1.0-alpha", "1.0.alpha"],
            &["1-alpha-1", "1a1"],
            &["1-alpha-2"],
            &["1-beta"],
            &["1-milestone"],
            &["1-rc", "1-cr"],
            &["1-rc-1", "1.0.0.RC1"],
            &["1-snapshot"],
            &["1-0-rc"],
            &["1.0.alpha.1"],
            &["1", "1.0", "1-final", "1.ga"],
            &["1-sp", "1.0.SP"],
            &["1-a"],
            &["1-foo", "1.foo"],
            &["1-foo2"],
            &["1-foo10"],
            &["1-0-2"],
            &["1-1"],
            &["1-1.1"],
            &["1.1"],
            &["1.10"],
            &["2"],
        ],
    );
}

#[test]
fn maven_counts_a_letter_as_a_qualifier_only_right_before_a_number() {
    assert_eq!(compare(Maven, "1a1", "1-alpha-1"), Some(Equal));
    assert_eq!(compare(Maven, "1a", "1-alpha"), Some(Greater));
    assert_eq!(compare(Maven, "1.0.a", "1.0"), Some(Greater));
}

#[test]
fn generic_orders_what_a_game_server_has() {
    ascending(
        Generic,
        &[
            &["1.20-pre1", "1.20 Pre-Release 1"],
            &["1.20-rc1"],
            &["1.20", "v1.20", "1.20.0", "1.20+build.7", "1.20-final"],
            &["1.20.4-SNAPSHOT"],
            &["1.20.4"],
            &["1.20.4-R0.1-SNAPSHOT"],
            &["1.20.4-R0.1"],
            &["1.20.4-435"],
            &["1.20.4-496"],
            &["1.20.4.1"],
            &["1.21"],
            &["1.100"],
        ],
    );
    ascending(
        Generic,
        &[
            &["git-Paper-9"],
            &["git-Paper-496 (MC: 1.20.4)"],
            &["git-Paper-1000"],
        ],
    );
    ascending(Generic, &[&["23w13b"], &["23w14a"], &["24w01a"]]);
    ascending(
        Generic,
        &[
            &["2.0-dev"],
            &["2.0-alpha"],
            &["2.0b1"],
            &["2.0-m2"],
            &["2.0"],
            &["2.0-hotfix"],
        ],
    );
}

#[test]
fn maven_counts_every_letter_as_a_qualifier_only_right_before_a_number() {
    ascending(
        Maven,
        &[
            &["1-a1", "1-alpha-1"],
            &["1-b1", "1-beta-1"],
            &["1-m1", "1-milestone-1"],
            &["1"],
            &["1-a"],
            &["1-b"],
            &["1-m"],
        ],
    );
}

#[test]
fn generic_takes_whatever_separates_the_words_of_a_line_for_the_same() {
    ascending(
        Generic,
        &[&["git-Paper-496", "git.Paper-496", "git_paper 496"]],
    );
}

#[test]
fn versions_are_compared_by_operators_and_shown_with_their_scheme() {
    let read = |text| Version::read(Semver, text).unwrap();
    assert!(read("1.9.0") < read("1.10.0"));
    assert!(read("1.0.0-rc.1") < read("1.0.0"));
    assert!(read("2.0.0") >= read("2.0"));
    assert_eq!(format!("{:?}", read("1.0.0")), "Version(semver \"1.0.0\")");
}

#[test]
fn a_number_is_missed_wherever_it_is_not() {
    for text in ["..1", ".1.1", "1..1", "1.1.", ".", "1.."] {
        for scheme in [Semver, Npm] {
            let refused = Version::read(scheme, text).unwrap_err();
            assert_eq!(
                refused.fault,
                VersionFault::Missing("a number"),
                "{scheme}: {text}"
            );
        }
    }
}

#[test]
fn generic_knows_the_words_of_its_fourth_rule_in_their_order() {
    ascending(
        Generic,
        &[
            &["2.0-dev"],
            &["2.0-alpha", "2.0.alpha", "2.0alpha"],
            &["2.0-alpha-1", "2.0-a1", "2.0a1"],
            &["2.0-beta"],
            &["2.0-beta-1", "2.0-b1", "2.0b1"],
            &["2.0-milestone"],
            &["2.0-milestone-1", "2.0-m1", "2.0m1"],
            &["2.0-pre", "2.0-preview"],
            &["2.0-rc", "2.0-cr"],
            &["2.0-snapshot"],
            &["2.0", "2.0-final", "2.0-ga", "2.0-release", "2.0-stable"],
            &["2.0-a"],
            &["2.0-b"],
            &["2.0-m"],
            &["2.0-nightly"],
            &["2.0-1"],
            &["2.0.1"],
        ],
    );
}

#[test]
fn a_zero_between_numbers_counts_and_one_at_an_end_does_not() {
    for scheme in [Maven, Generic] {
        ascending(
            scheme,
            &[
                &["1", "1.0", "1.0.0"],
                &["1-1", "1.0-1", "1.0.0-1"],
                &["1-1.0.1", "1.0-1.0.1"],
                &["1-1.1"],
                &["1.0.1", "1.0.1.0"],
                &["1.1", "1.1.0"],
                &["1.10"],
            ],
        );
    }
}

#[test]
fn generic_has_no_order_between_lines_of_development() {
    for (one, other) in [
        ("git-Paper-496", "1.20.4"),
        ("git-Paper-496", "git-Spigot-500"),
        ("23w14a", "1.20.4"),
    ] {
        assert_eq!(compare(Generic, one, other), None, "{one} and {other}");
        assert_eq!(compare(Generic, other, one), None, "{other} and {one}");
    }
    assert_eq!(fault(Generic, "nightly"), VersionFault::Missing("a number"));
}

#[test]
fn a_scheme_that_is_not_known_reads_nothing() {
    let error = Version::read(VersionScheme::Unknown, "1.0").unwrap_err();
    assert_eq!(
        error.to_string(),
        "\"1.0\" is not a valid unknown version: unknown version scheme"
    );
    assert!(Range::read(VersionScheme::Unknown, &range("0", None, None, None)).is_err());
}

#[test]
fn versions_of_two_schemes_have_no_order_between_them() {
    let (one, other) = (
        Version::read(Semver, "1.0.0").unwrap(),
        Version::read(Npm, "1.0.0").unwrap(),
    );
    assert_eq!(one.compare(&other), None);
}

fn range(
    introduced: &str,
    fixed: Option<&str>,
    last: Option<&str>,
    limit: Option<&str>,
) -> VersionRange {
    VersionRange {
        introduced: introduced.to_owned(),
        fixed: fixed.map(str::to_owned),
        last_affected: last.map(str::to_owned),
        limit: limit.map(str::to_owned),
    }
}

fn contains(range: &VersionRange, version: &str) -> Option<bool> {
    let range = Range::read(Semver, range).unwrap();
    range.contains(&Version::read(Semver, version).unwrap())
}

#[test]
fn a_fixed_version_is_outside_and_a_last_affected_one_inside() {
    assert_eq!(
        contains(&range("1.0", Some("2.0"), None, None), "2.0"),
        Some(false)
    );
    assert_eq!(
        contains(&range("1.0", None, Some("2.0"), None), "2.0"),
        Some(true)
    );
    assert_eq!(
        contains(&range("1.0", None, Some("2.0"), None), "2.0.1"),
        Some(false)
    );
}

#[test]
fn a_limit_ends_a_range_and_fixes_nothing() {
    let limited = range("1.0", None, None, Some("2.0"));
    assert_eq!(contains(&limited, "1.9"), Some(true));
    assert_eq!(contains(&limited, "2.0"), Some(false));
    let read = Range::read(Semver, &limited).unwrap();
    let relation = read.relation(&Version::read(Semver, "2.1").unwrap());
    assert_eq!(relation, Some(Relation::Outside));
    assert_eq!(read.to_string(), "[1.0, 2.0)");
    assert_eq!(
        contains(&range("1.0", None, None, Some("*")), "99.0"),
        Some(true)
    );
}

#[test]
fn a_pre_release_of_the_fixed_version_is_inside_in_every_scheme_that_has_them() {
    for (scheme, fixed, before) in [
        (Semver, "1.4.3", "1.4.3-rc.1"),
        (Npm, "1.4.3", "1.4.3rc1"),
        (Deb, "1.4.3-1", "1.4.3~rc1-1"),
        (Rpm, "1.4.3-1", "1.4.3~rc1-1"),
        (Maven, "1.4.3", "1.4.3-SNAPSHOT"),
        (Generic, "1.4.3", "1.4.3-pre2"),
    ] {
        let range = Range::read(scheme, &range("0", Some(fixed), None, None)).unwrap();
        let version = Version::read(scheme, before).unwrap();
        assert_eq!(range.contains(&version), Some(true), "{scheme}");
    }
}

#[test]
fn a_range_says_why_it_cannot_be_read() {
    let error = Range::read(Semver, &range("2.0.0", Some("1.0.0"), None, None)).unwrap_err();
    assert_eq!(
        error.to_string(),
        "it ends at 1.0.0, before its start 2.0.0"
    );
    let error = Range::read(Semver, &range("1.0", Some("2.0"), Some("2.0"), None)).unwrap_err();
    assert_eq!(error, RangeError::TwoEnds);
    let error = Range::read(Generic, &range("1.20", Some("git-Paper-5"), None, None)).unwrap_err();
    assert!(matches!(error, RangeError::Unrelated { .. }), "{error}");
    let error = Range::read(Semver, &range("soon", None, None, None)).unwrap_err();
    assert_eq!(
        error.to_string(),
        "\"soon\" is not a valid semver version: unexpected 's' in a number"
    );
}

#[test]
fn ranges_overlap_from_the_first_version_that_may_be_in_both() {
    let read = |range: &VersionRange| Range::read(Semver, range).unwrap();
    let fixed = |from, to| read(&range(from, Some(to), None, None));
    let last = |from, to| read(&range(from, None, Some(to), None));
    let limit = |from, to| read(&range(from, None, None, Some(to)));
    let open = |from| read(&range(from, None, None, None));
    for (one, other, overlap) in [
        (fixed("1.0", "2.0"), fixed("2.0", "3.0"), false),
        (fixed("1.0", "2.0"), fixed("1.9", "3.0"), true),
        (limit("1.0", "2.0"), fixed("2.0", "3.0"), false),
        (limit("1.0", "2.0"), fixed("1.9", "3.0"), true),
        (last("1.0", "2.0"), fixed("2.0", "3.0"), true),
        (last("1.0", "2.0"), fixed("2.0.1", "3.0"), false),
        (open("1.0"), fixed("0.5", "1.0"), false),
        (open("1.0"), last("0.5", "1.0"), true),
        (open("1.0"), open("9.0"), true),
        (fixed("0", "1.0"), fixed("0", "0.1"), true),
        (fixed("0", "1.0"), open("1.0"), false),
        (fixed("1.0", "1.0"), open("0"), false),
        (limit("1.0", "1.0"), open("0"), false),
        (last("1.0", "1.0"), open("0"), true),
        (fixed("1.0", "4.0"), fixed("2.0", "3.0"), true),
        (fixed("1.0", "2.0"), fixed("3.0", "4.0"), false),
    ] {
        assert_eq!(one.overlaps(&other), overlap, "{one} and {other}");
        assert_eq!(other.overlaps(&one), overlap, "{other} and {one}");
    }
}

#[test]
fn only_a_range_that_ends_where_it_begins_is_empty() {
    let is_empty = |range: VersionRange| Range::read(Semver, &range).unwrap().is_empty();
    assert!(is_empty(range("1.0", Some("1.0"), None, None)));
    assert!(is_empty(range("1.0", Some("1.0.0"), None, None)));
    assert!(is_empty(range("1.0", None, None, Some("1.0"))));
    assert!(!is_empty(range("1.0", Some("1.0.1"), None, None)));
    assert!(!is_empty(range("1.0", None, Some("1.0"), None)));
    assert!(!is_empty(range("0", Some("0.0.0"), None, None)));
    assert!(!is_empty(range("1.0", None, None, None)));
}

#[test]
fn a_version_stands_where_its_range_says_on_both_sides_of_each_end() {
    use Relation::{Inside, Outside, Past};
    let read = |range: &VersionRange| Range::read(Semver, range).unwrap();
    let fixed = read(&range("1.0.0", Some("2.0.0"), None, None));
    let last = read(&range("1.0.0", None, Some("2.0.0"), None));
    let limit = read(&range("1.0.0", None, None, Some("2.0.0")));
    let open = read(&range("1.0.0", None, None, None));
    for (version, relations) in [
        ("1.0.0-rc.1", [Outside; 4]),
        ("1.0.0", [Inside; 4]),
        ("2.0.0-rc.1", [Inside; 4]),
        ("2.0.0", [Past, Inside, Outside, Inside]),
        ("2.0.1", [Past, Outside, Outside, Inside]),
    ] {
        let version = Version::read(Semver, version).unwrap();
        for (range, relation) in [&fixed, &last, &limit, &open].into_iter().zip(relations) {
            assert_eq!(
                range.relation(&version),
                Some(relation),
                "{version} and {range}"
            );
            assert_eq!(range.contains(&version), Some(relation == Inside));
        }
    }
}

#[test]
fn a_version_has_256_bytes_at_most() {
    for scheme in [Semver, Npm, Deb, Rpm, Maven, Generic] {
        let of = |length: usize| format!("1.0.0-{}", "a".repeat(length - "1.0.0-".len()));
        assert!(Version::read(scheme, &of(256)).is_ok(), "{scheme}");
        assert_eq!(fault(scheme, &of(257)), VersionFault::TooLong, "{scheme}");
    }
}

#[test]
fn a_range_says_nothing_of_a_version_of_another_line() {
    let range = Range::read(Generic, &range("0", Some("1.20.4"), None, None)).unwrap();
    let paper = Version::read(Generic, "git-Paper-496").unwrap();
    assert_eq!(range.contains(&paper), None);
}

/// Texts in which the seams of each scheme come often.
fn text(scheme: VersionScheme) -> BoxedStrategy<String> {
    match scheme {
        Semver | Npm => {
            "[0-2]{1,2}\\.[0-2]\\.[0-2](-[0-1ab]{1,2}(\\.[0-1ab-]{1,2}){0,2})?(\\+[a-b1])?".boxed()
        }
        Deb => "([0-2]:)?[0-1a-bZ.+~]{1,6}(-[0-1a.+~]{1,4})?".boxed(),
        Rpm => "([0-2]:)?[0-1a-bZ.~^_α]{1,6}(-[0-1a.~^]{0,4})?".boxed(),
        Alpine => "[0-1](\\.[0-1]{1,2}){0,2}[ab]?(_(alpha|rc|p|git)[0-1]?){0,2}(~[0a]{1,2})?(-r[0-1])?".boxed(),
        Composer => "v?[0-1](\\.[0-1]){0,3}([-._]?(alpha|b|rc|patch|stable)([.-]?[0-1]){0,2})?([-.]?dev)?|2010(-0[1-2]){1,2}(b1)?".boxed(),
        Pypi => "(1!)?[0-1](\\.[0-1]){0,2}([.-]?(a|beta|rc)[0-1]?)?(\\.post[0-1]|-[0-1])?(\\.?dev[0-1]?)?(\\+[0a](\\.[0a])?)?".boxed(),
        Nuget => "[0-1](\\.[0-1]){0,3}(-[0-1aB]{1,2}(\\.[0-1ab-]{1,2}){0,2})?(\\+[a-b1])?".boxed(),
        Gem => "[0-1](\\.[0-1ab]{1,2}){0,4}(-[0-1ab]{1,2})?".boxed(),
        Maven => "([0-1.-]|alpha|a|b|rc|snapshot|ga|final|sp|foo){1,7}".boxed(),
        Generic | VersionScheme::Unknown => {
            "(git-Paper-|v)?[0-1]([0-1. +-]|alpha|a|pre|rc|snapshot|R|release){0,6}".boxed()
        }
    }
}

fn three() -> impl Strategy<Value = (Version, Version, Version)> {
    let scheme = prop::sample::select(&VersionScheme::ALL[..]);
    scheme.prop_flat_map(|scheme| {
        let version = move || {
            text(scheme).prop_filter_map("not a version", move |text| {
                Version::read(scheme, &text).ok()
            })
        };
        (version(), version(), version())
    })
}

/// Numbers of every length, and not mostly of the greatest.
fn number() -> impl Strategy<Value = u128> {
    (any::<u128>(), 0..128_u32).prop_map(|(number, shift)| number >> shift)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_000))]

    #[test]
    fn every_order_is_total_within_its_line((a, b, c) in three()) {
        prop_assert_eq!(a.compare(&a), Some(Equal));
        let (ab, bc, ac) = (a.compare(&b), b.compare(&c), a.compare(&c));
        prop_assert_eq!(b.compare(&a), ab.map(Ordering::reverse));
        if a.scheme() != Generic {
            prop_assert!(ab.is_some(), "{a} and {b} have no order");
        }
        if let (Some(ab), Some(bc)) = (ab, bc) {
            if ab == bc || bc == Equal {
                prop_assert_eq!(ac, Some(ab), "{} {} {}", a, b, c);
            }
            if ab == Equal {
                prop_assert_eq!(ac, Some(bc), "{} {} {}", a, b, c);
            }
        }
        prop_assert_eq!(a == b, ab == Some(Equal));
    }

    #[test]
    fn three_numbers_are_read_as_they_are_with_something_before_or_behind_them(
        numbers in prop::array::uniform3(number()), zeros in 0..25_usize,
    ) {
        let [major, minor, patch] = numbers.map(|number| number >> 64);
        let zeros = "0".repeat(zeros);
        let plain = format!("{major}.{zeros}{minor}.{patch}");
        for other in [format!("v{plain}"), format!("{plain}+build")] {
            let same = compare(Semver, &plain, &other);
            prop_assert_eq!(same, Some(Equal), "{} and {}", plain, other);
            let [plain, other] = [&plain, &other].map(|text| Version::read(Npm, text));
            prop_assert_eq!(plain.is_ok(), other.is_ok());
            if let (Ok(plain), Ok(other)) = (plain, other) {
                prop_assert_eq!(plain, other);
            }
        }
    }

    #[test]
    fn no_text_makes_reading_panic(text in "\\PC{0,20}") {
        for scheme in VersionScheme::ALL {
            let _ = Version::read(scheme, &text);
        }
    }

    #[test]
    fn a_number_counts_as_the_number_it_is(one in number(), other in number()) {
        for scheme in [Semver, Deb, Rpm, Maven, Composer, Pypi, Nuget, Gem, Generic] {
            let form = "1.0.";
            let found = compare(scheme, &format!("{form}{one}"), &format!("{form}0{other}"));
            prop_assert_eq!(found, Some(one.cmp(&other)), "{}", scheme);
        }
        // npm has no larger ones.
        let (one, other) = (one >> 75, other >> 75);
        let found = compare(Npm, &format!("1.{one}.0"), &format!("1.0{other}.0"));
        prop_assert_eq!(found, Some(one.cmp(&other)));
    }
}
