//! Versions that panels could not read are not published.

use jiff::Timestamp;
use spacecp_contract::{Advisory, Correction, VersionScheme};
use spacecp_publisher::check;
use spacecp_tests::catalog;

fn flaw() -> Advisory {
    let mut advisory = catalog::advisories(Timestamp::now()).remove(1);
    advisory.affected.truncate(1);
    advisory.affected[0].ranges.truncate(1);
    advisory
}

/// The faults of its versions, as `field: problem`.
fn faults(advisory: &Advisory, corrections: &[Correction]) -> Vec<String> {
    let faults = check::advisory(advisory, corrections, Timestamp::now());
    let of_versions = |field: &str| field.starts_with("affected") || field == "corrections";
    let faults = faults.iter().filter(|fault| of_versions(&fault.field));
    faults.map(ToString::to_string).collect()
}

fn with_range(scheme: VersionScheme, introduced: &str, fixed: &str) -> Advisory {
    let mut flaw = flaw();
    flaw.affected[0].scheme = scheme;
    let range = &mut flaw.affected[0].ranges[0];
    introduced.clone_into(&mut range.introduced);
    range.fixed = Some(fixed.to_owned());
    flaw
}

#[test]
fn what_reads_in_its_scheme_is_published() {
    for (scheme, introduced, fixed) in [
        (VersionScheme::Semver, "1.0.0", "1.2.0"),
        (VersionScheme::Npm, "1.0.0", "1.2.0"),
        (VersionScheme::Deb, "1:2.0~rc1-1", "1:2.0-1"),
        (VersionScheme::Rpm, "0", "2.0-1.el9"),
        (VersionScheme::Maven, "2.0-beta9", "2.15.0"),
        (VersionScheme::Generic, "git-Paper-4", "git-Paper-11"),
        (VersionScheme::Alpine, "0", "1.2.3_p1-r2"),
        (VersionScheme::Composer, "1.0-beta2", "v1.0"),
        (VersionScheme::Pypi, "1.0rc1", "1.0.post1"),
        (VersionScheme::Nuget, "1.0", "1.0.0.1"),
        (VersionScheme::Gem, "1.0.rc1", "1.0"),
    ] {
        assert_eq!(
            faults(&with_range(scheme, introduced, fixed), &[]),
            [""; 0],
            "{scheme}"
        );
    }
}

#[test]
fn what_does_not_read_in_its_scheme_is_not_published() {
    for (scheme, fixed) in [
        (VersionScheme::Semver, "soon"),
        (VersionScheme::Npm, "1.2"),
        (VersionScheme::Deb, "2.0_1"),
        (VersionScheme::Rpm, "2.0 beta"),
        (VersionScheme::Maven, ""),
        (VersionScheme::Generic, "nightly"),
        (VersionScheme::Alpine, "1.0-beta"),
        (VersionScheme::Composer, "dev-main"),
        (VersionScheme::Pypi, "1.0-final"),
        (VersionScheme::Nuget, "1.2.3.4.5"),
        (VersionScheme::Gem, "latest"),
        (VersionScheme::Unknown, "2.0"),
    ] {
        let faults = faults(&with_range(scheme, "0", fixed), &[]);
        assert_eq!(faults.len(), 1, "{scheme}: {faults:?}");
        assert!(
            faults[0].starts_with("affected[0].ranges[0].fixed: ") && faults[0].contains(fixed),
            "{faults:?}"
        );
    }
}

#[test]
fn a_range_that_ends_before_it_begins_in_its_scheme_is_not_published() {
    let faults = faults(&with_range(VersionScheme::Deb, "2.0-1", "2.0~rc1-1"), &[]);
    assert_eq!(
        faults,
        ["affected[0].ranges[0]: it ends at 2.0~rc1-1, before its start 2.0-1"]
    );
}

#[test]
fn two_ranges_that_overlap_in_their_scheme_are_not_published() {
    let mut flaw = with_range(VersionScheme::Maven, "2.0-rc1", "2.1");
    let mut other = flaw.affected[0].ranges[0].clone();
    other.introduced = "2.0".to_owned();
    other.fixed = Some("2.3".to_owned());
    flaw.affected[0].ranges.push(other);
    assert_eq!(
        faults(&flaw, &[]),
        ["affected[0].ranges[1]: overlaps affected[0].ranges[0]"]
    );
}

#[test]
fn a_listed_version_that_does_not_read_is_not_published() {
    let mut flaw = with_range(VersionScheme::Deb, "0", "1");
    flaw.affected[0].versions = vec!["1.0-1".to_owned(), "1.0-".to_owned()];
    let faults = faults(&flaw, &[]);
    assert_eq!(faults.len(), 1);
    assert!(
        faults[0].starts_with("affected[0].versions[1]: "),
        "{faults:?}"
    );
}
