//! What OSV's semantics make of advisories, through the built plugin.

use spacecp_advisories::plugin::bindings::exports::spacecp::advisories::exposure::{
    ExposureReport, NoticeKind as Kind, Status,
};
use spacecp_contract::{Advisory, NoticeKind, VersionScheme};

use crate::panel::{Panel, Running, advisory, correction, id, run};

const LODASH: &str = "npm:lodash";
const OURS: &str = "SPACECP-SA-2026-0001";
const THEIRS: &str = "GHSA-0000-0001";

fn installed(version: &str) -> Panel {
    Panel::with(&[("lodash", LODASH, Some(version))])
}

async fn report(panel: Panel) -> ExposureReport {
    let running: Running = run(panel);
    running.plugin.refresh().await.unwrap();
    running.plugin.report().await.unwrap()
}

fn named(mut advisory: Advisory, aliases: &[&str]) -> Advisory {
    advisory.aliases = aliases.iter().map(|alias| (*alias).to_owned()).collect();
    advisory
}

async fn verdict(scheme: VersionScheme, range: (&str, &str), version: &str) -> (Status, String) {
    let mut flaw = advisory(OURS, LODASH, &[(range.0, Some(range.1), None)]);
    flaw.affected[0].scheme = scheme;
    let report = report(installed(version).told(&flaw)).await;
    let verdict = report.verdicts.into_iter().next().unwrap();
    (verdict.status, verdict.reason)
}

#[tokio::test]
async fn every_scheme_is_compared_in_its_own_order() {
    use VersionScheme::{Deb, Generic, Maven, Npm, Rpm, Semver};
    for (scheme, range, version, expected) in [
        (Semver, ("0", "1.10.0"), "1.9.0", Status::Affected),
        (Npm, ("0", "4.17.21"), "=v4.17.21", Status::Fixed),
        (
            Deb,
            ("0", "3.0.11-1~deb12u2"),
            "3.0.11-1~deb12u1",
            Status::Affected,
        ),
        (Deb, ("0", "3.0.11-1"), "1:1.0-1", Status::Fixed),
        (Rpm, ("0", "1.0-2.el9"), "1.0-2~beta.el9", Status::Affected),
        (
            Maven,
            ("2.0-beta9", "2.15.0"),
            "2.0-beta8",
            Status::NotAffected,
        ),
        (
            Maven,
            ("2.0-beta9", "2.15.0"),
            "2.15.0-rc1",
            Status::Affected,
        ),
        (Generic, ("1.7", "1.18.1"), "1.18.1-pre1", Status::Affected),
        (Generic, ("1.7", "1.18.1"), "git-Paper-81", Status::Unknown),
    ] {
        let (status, reason) = verdict(scheme, range, version).await;
        assert_eq!(status, expected, "{scheme} {version}: {reason}");
        assert!(reason.contains(version), "{reason}");
    }
}

#[tokio::test]
async fn a_scheme_that_this_plugin_does_not_know_decides_nothing() {
    let (status, reason) = verdict(VersionScheme::Unknown, ("0", "2.0"), "1.0").await;
    assert_eq!(status, Status::Unknown);
    assert!(reason.contains("unknown version scheme"), "{reason}");
}

#[tokio::test]
async fn a_limit_ends_a_range_and_fixes_nothing() {
    let mut flaw = advisory(OURS, LODASH, &[("1.0.0", None, None)]);
    flaw.affected[0].ranges[0].limit = Some("2.0.0".to_owned());
    for (version, expected) in [("1.9.0", Status::Affected), ("2.0.0", Status::NotAffected)] {
        let verdicts = report(installed(version).told(&flaw)).await.verdicts;
        assert_eq!(verdicts[0].status, expected, "{version}");
    }
}

#[tokio::test]
async fn one_flaw_under_two_advisories_is_one_verdict_that_names_both() {
    let ours = named(
        advisory(OURS, LODASH, &[("0", Some("2.0.0"), None)]),
        &["CVE-2026-1", THEIRS],
    );
    let theirs = named(
        advisory(THEIRS, LODASH, &[("0", Some("2.0.0"), None)]),
        &["CVE-2026-1"],
    );
    let report = report(installed("1.0.0").told(&ours).told(&theirs)).await;
    assert_eq!(report.verdicts.len(), 1);
    let reason = &report.verdicts[0].reason;
    assert!(reason.contains("1.0.0 is in [0, 2.0.0)"), "{reason}");
    assert!(reason.contains("same vulnerability as"), "{reason}");
    let [repeated] = &report.repeated[..] else {
        panic!("{:?}", report.repeated);
    };
    assert_eq!(repeated.same_flaw_as, report.verdicts[0].advisory.id);
    assert_ne!(repeated.verdict.advisory.id, repeated.same_flaw_as);
    assert_eq!(repeated.verdict.status, Status::Affected);
}

#[tokio::test]
async fn of_two_words_about_one_flaw_the_graver_stands() {
    let all_clear = named(
        advisory(OURS, LODASH, &[("0", Some("1.0.0"), None)]),
        &["CVE-2026-1"],
    );
    let affected = named(
        advisory(THEIRS, LODASH, &[("0", Some("2.0.0"), None)]),
        &["CVE-2026-1"],
    );
    let report = report(installed("1.0.0").told(&all_clear).told(&affected)).await;
    assert_eq!(report.verdicts.len(), 1);
    assert_eq!(report.verdicts[0].status, Status::Affected);
    assert_eq!(report.verdicts[0].advisory.id, THEIRS);
    let repeated = &report.repeated[0].verdict;
    assert_eq!(
        (repeated.advisory.id.as_str(), repeated.status),
        (OURS, Status::Fixed),
        "each keeps its own word"
    );
}

#[tokio::test]
async fn a_flaw_does_not_disappear_behind_another_that_shares_an_advisory() {
    let both = named(
        advisory(OURS, LODASH, &[("0", Some("1.0.0"), None)]),
        &["CVE-2026-1", "CVE-2026-2"],
    );
    let one = named(
        advisory(THEIRS, LODASH, &[("0", Some("2.0.0"), None)]),
        &["CVE-2026-1"],
    );
    let report = report(installed("1.0.0").told(&both).told(&one)).await;
    // The advisory of two flaws says something of the second that nobody else does.
    assert_eq!(report.verdicts.len(), 2);
}

#[tokio::test]
async fn a_correction_for_either_of_two_advisories_is_shown_for_the_flaw() {
    let ours = named(
        advisory(OURS, LODASH, &[("0", Some("2.0.0"), None)]),
        &["CVE-2026-1"],
    );
    let mut theirs = named(
        advisory(
            "SPACECP-SA-2026-0009",
            LODASH,
            &[("0", Some("2.0.0"), None)],
        ),
        &["CVE-2026-1"],
    );
    theirs.corrections = vec![id("SPACECP-CO-2026-0001")];
    let fix = correction("SPACECP-CO-2026-0001", LODASH, "2.0.0", &[]);
    let panel = installed("1.0.0").told(&ours).told(&theirs).given(&fix);
    let report = report(panel).await;
    assert_eq!(report.verdicts.len(), 1);
    assert!(report.verdicts[0].correction.is_some());
    // Also where the advisory that speaks for both has none.
    let mut graver = ours.clone();
    graver.known_exploited = true;
    let panel = installed("1.0.0").told(&graver).told(&theirs).given(&fix);
    let report = self::report(panel).await;
    assert_eq!(report.verdicts[0].advisory.id, OURS);
    assert!(report.verdicts[0].correction.is_some());
}

#[tokio::test]
async fn a_correction_that_surely_ends_the_exposure_comes_before_one_of_which_nobody_can_say_so() {
    let choices = [
        [
            ("SPACECP-CO-2026-0001", "git-paper-9"),
            ("SPACECP-CO-2026-0002", "2.0.0"),
        ],
        [
            ("SPACECP-CO-2026-0001", "2.0.0"),
            ("SPACECP-CO-2026-0002", "git-paper-9"),
        ],
    ];
    for fixes in choices {
        let mut flaw = advisory(OURS, LODASH, &[("0", Some("2.0.0"), None)]);
        flaw.affected[0].scheme = VersionScheme::Generic;
        flaw.corrections = fixes.iter().rev().map(|(fix, _)| id(fix)).collect();
        let mut panel = installed("1.0.0").told(&flaw);
        for (fix, to) in fixes {
            let mut fix = correction(fix, LODASH, to, &[]);
            fix.scheme = VersionScheme::Generic;
            fix.from.fixed = None;
            panel = panel.given(&fix);
        }
        let report = report(panel).await;
        let chosen = report.verdicts[0].correction.as_ref().unwrap();
        let (surely, _) = fixes.iter().find(|(_, to)| *to == "2.0.0").unwrap();
        assert_eq!(chosen.id, *surely);
    }
}

#[tokio::test]
async fn the_same_flaw_in_two_components_is_two_exposures() {
    let flaw = named(
        advisory(OURS, LODASH, &[("0", None, None)]),
        &["CVE-2026-1"],
    );
    let panel = Panel::with(&[
        ("one/lodash", LODASH, Some("1.0.0")),
        ("two/lodash", LODASH, Some("1.0.0")),
    ]);
    let report = report(panel.told(&flaw)).await;
    assert_eq!((report.verdicts.len(), report.summary.exposed), (2, 2));
}

#[tokio::test]
async fn a_notice_is_told_apart_and_counts_nowhere() {
    let mut notice = advisory(THEIRS, LODASH, &[("0", None, None)]);
    notice.notice = Some(NoticeKind::Unmaintained);
    let flaw = advisory(OURS, LODASH, &[("0", Some("2.0.0"), None)]);
    let told = report(installed("1.0.0").told(&notice)).await;
    assert!(told.verdicts.is_empty() && told.repeated.is_empty());
    let [noticed] = told.notices.as_slice() else {
        panic!("{:?}", told.notices);
    };
    assert_eq!(noticed.kind, Kind::Unmaintained);
    assert_eq!(noticed.verdict.status, Status::Affected);
    let summary = told.summary;
    assert_eq!((summary.exposed, summary.undecided), (0, 0));
    assert_eq!((summary.notices, summary.worst), (1, None));
    let both = report(installed("1.0.0").told(&notice).told(&flaw)).await;
    assert_eq!((both.summary.exposed, both.summary.notices), (1, 1));
    assert_eq!((both.verdicts.len(), both.notices.len()), (1, 1));
}
