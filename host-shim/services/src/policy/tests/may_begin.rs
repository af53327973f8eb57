//! One action against everything that the shim knows: each reason to refuse it, and each instant from which
//! on it may begin.

use jiff::{SignedDuration, Timestamp};
use spacecp_contract::{
    Advisory, Affected, Correction, Digest, Restart, Severity, Tlp, VersionRange, VersionScheme,
};

use super::{INSTANT, NOW, open};
use crate::policy::{
    Asked, Cause, Ceiling, Facts, MinimumSeverity, Policy, Refusal, Restarts, Treatment,
    Treatments, Window, Windows, cause_of, check,
};
use spacecp_apply::{
    config::VersionConfig,
    inventory::{Component, Inventory},
};

const COMPONENT: &str = "houston";
const HOUR: SignedDuration = SignedDuration::from_hours(1);

fn range(introduced: &str, fixed: &str) -> VersionRange {
    VersionRange {
        introduced: introduced.to_owned(),
        fixed: Some(fixed.to_owned()),
        last_affected: None,
        limit: None,
    }
}

fn advisory() -> Advisory {
    Advisory {
        id: "SPACECP-SA-2026-0001".parse().expect("an id"),
        revision: 1,
        audience: "customers".parse().expect("an audience"),
        published: NOW,
        modified: NOW,
        withdrawn: None,
        aliases: Vec::new(),
        title: String::new(),
        issue: String::new(),
        impacts: String::new(),
        solution: String::new(),
        workarounds: Vec::new(),
        severity: vec!["CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H".to_owned()],
        cwe: Vec::new(),
        known_exploited: false,
        tlp: Tlp::Clear,
        embargo_until: None,
        affected: vec![Affected {
            component: "spacecp:houston".parse().expect("a name"),
            scheme: VersionScheme::Semver,
            ranges: vec![range("1.0.0", "2.0.0")],
            versions: Vec::new(),
            unlisted: None,
        }],
        not_affected: Vec::new(),
        corrections: Vec::new(),
        credits: Vec::new(),
        references: Vec::new(),
        supersedes: Vec::new(),
        timeline: Vec::new(),
        notice: None,
        source: None,
    }
}

fn correction() -> Correction {
    Correction {
        id: "SPACECP-SC-2026-0001".parse().expect("an id"),
        revision: 3,
        audience: "customers".parse().expect("an audience"),
        published: NOW,
        advisories: Vec::new(),
        component: "spacecp:houston".parse().expect("a name"),
        scheme: VersionScheme::Semver,
        from: range("1.0.0", "2.0.0"),
        to: "2.0.0".to_owned(),
        requires: Vec::new(),
        files: Vec::new(),
        restart: Restart::Component,
        health: None,
        reversible: true,
    }
}

fn inventory(version: &str) -> Inventory {
    Inventory {
        components: vec![Component {
            name: COMPONENT.to_owned(),
            advisory_name: "spacecp:houston".parse().expect("a name"),
            scheme: VersionScheme::Semver,
            folder: "/nowhere".into(),
            keep: Vec::new(),
            version: Ok(version.to_owned()),
            found_at: String::new(),
            source: VersionConfig {
                file: "VERSION".parse().expect("a path"),
                pattern: None,
                pointer: None,
            },
        }],
        found: Vec::new(),
        unread: Vec::new(),
        acknowledged: Vec::new(),
        set_versions: std::collections::BTreeMap::new(),
        coverage: String::new(),
        running: std::sync::Arc::default(),
        fingerprint: Digest::of(&[]),
    }
}

fn cause() -> Cause {
    Cause {
        advisory: "SPACECP-SA-2026-0001".to_owned(),
        severity: Severity::Critical,
        known_exploited: false,
        received: NOW,
        published: NOW,
    }
}

/// Everything that a check looks at; as it is made, the action may be carried out.
struct Case {
    now: Timestamp,
    asked: Asked,
    fresh_until: Option<Timestamp>,
    correction: Option<Correction>,
    version: &'static str,
    causes: Vec<Cause>,
    advisory: Advisory,
    policy: Policy,
    quarantined: Option<String>,
    under_way: Option<String>,
}

impl Case {
    fn new() -> Self {
        Self {
            now: NOW,
            asked: Asked {
                correction: "SPACECP-SC-2026-0001".to_owned(),
                revision: 3,
                component: COMPONENT.to_owned(),
            },
            fresh_until: Some(NOW + HOUR * 1_000),
            correction: Some(correction()),
            version: "1.5.0",
            causes: vec![cause()],
            advisory: advisory(),
            policy: open(),
            quarantined: None,
            under_way: None,
        }
    }

    fn check(&self) -> Result<(), Refusal> {
        let inventory = inventory(self.version);
        let rules = Ceiling::default().bound(&self.policy, 0);
        let causes = self.causes.iter();
        let facts = Facts {
            now: self.now,
            rules: &rules,
            fresh_until: self.fresh_until,
            correction: self.correction.as_ref(),
            inventory: &inventory,
            causes: causes
                .map(|cause| (&self.advisory, cause.clone()))
                .collect(),
            quarantined: self.quarantined.clone(),
            under_way: self.under_way.clone(),
        };
        check(&self.asked, &facts)
    }
}

fn refused(change: impl FnOnce(&mut Case)) -> Option<&'static str> {
    let mut case = Case::new();
    change(&mut case);
    case.check().err().map(|refusal| refusal.word())
}

#[test]
fn an_action_that_nothing_speaks_against_is_carried_out() {
    assert_eq!(Case::new().check(), Ok(()));
}

#[test]
fn an_action_is_refused_for_the_one_thing_that_speaks_against_it() {
    let words: [Option<&str>; 12] = [
        refused(|case| case.policy.automatic = false),
        refused(|case| case.correction = None),
        refused(|case| case.asked.revision = 2),
        refused(|case| case.asked.revision = 4),
        refused(|case| case.asked.component = "other".to_owned()),
        refused(|case| {
            let correction = case.correction.as_mut().expect("it is there");
            correction.component = "spacecp:panel".parse().expect("a name");
        }),
        refused(|case| case.version = "2.0.0"),
        refused(|case| case.causes.clear()),
        refused(|case| {
            case.policy.excluded.insert(COMPONENT.to_owned());
        }),
        refused(|case| case.policy.restarts = Restarts::None),
        refused(|case| case.quarantined = Some("it failed".to_owned())),
        refused(|case| case.under_way = Some("another".to_owned())),
    ];
    let expected: Vec<Refusal> = expected();
    let expected: Vec<Option<&str>> = expected.iter().map(|one| Some(one.word())).collect();
    assert_eq!(words.as_slice(), expected);
}

/// One refusal of each kind, in the order of the test above.
fn expected() -> Vec<Refusal> {
    let (correction, component) = (String::new, String::new);
    vec![
        Refusal::Off,
        Refusal::UnknownCorrection {
            correction: correction(),
        },
        Refusal::NotCurrent {
            correction: correction(),
            asked: 2,
            current: 3,
        },
        Refusal::NotCurrent {
            correction: correction(),
            asked: 4,
            current: 3,
        },
        Refusal::UnknownComponent {
            component: component(),
        },
        Refusal::WrongComponent {
            correction: correction(),
            component: component(),
            meant: String::new(),
        },
        Refusal::Version {
            correction: correction(),
            component: component(),
            version: String::new(),
        },
        Refusal::NotExposed {
            correction: correction(),
            component: component(),
        },
        Refusal::Excluded {
            component: component(),
        },
        Refusal::Restart {
            correction: correction(),
            restart: Restart::Component,
        },
        Refusal::Quarantined {
            correction: correction(),
            revision: 3,
            component: component(),
            reason: String::new(),
        },
        Refusal::UnderWay {
            component: component(),
            application: String::new(),
        },
    ]
}

#[test]
fn nothing_is_decided_from_the_instant_on_at_which_the_vendors_word_is_old() {
    let of = |fresh_until| {
        let case = Case {
            fresh_until,
            ..Case::new()
        };
        case.check()
    };
    assert_eq!(of(Some(NOW + INSTANT)), Ok(()));
    for since in [Some(NOW), Some(NOW - INSTANT), None] {
        assert_eq!(of(since), Err(Refusal::Stale { since }));
    }
}

#[test]
fn a_correction_is_applied_from_the_first_version_to_the_one_before_the_fixed() {
    for (version, fits) in [
        ("0.9.9", false),
        ("1.0.0", true),
        ("1.9.9", true),
        ("2.0.0", false),
        ("no version", false),
    ] {
        let case = Case {
            version,
            ..Case::new()
        };
        let refused = matches!(case.check(), Err(Refusal::Version { .. }));
        assert_eq!(refused, !fits, "{version}");
    }
}

#[test]
fn an_advisory_counts_for_the_versions_that_it_affects() {
    let exposed = |change: fn(&mut Affected)| {
        let mut case = Case::new();
        change(&mut case.advisory.affected[0]);
        !matches!(case.check(), Err(Refusal::NotExposed { .. }))
    };
    assert!(exposed(
        |affected| affected.ranges = vec![range("1.5.0", "1.5.1")]
    ));
    assert!(!exposed(
        |affected| affected.ranges = vec![range("1.0.0", "1.5.0")]
    ));
    assert!(!exposed(
        |affected| affected.ranges = vec![range("1.5.1", "2.0.0")]
    ));
    // Snapshots of a week have no place among numbered versions.
    assert!(!exposed(|affected| {
        affected.scheme = VersionScheme::Generic;
        affected.ranges = vec![range("23w51a", "24w14a")];
    }));
    assert!(exposed(|affected| {
        affected.ranges.clear();
        affected.versions = vec!["1.4.0".to_owned(), "v1.5.0".to_owned()];
    }));
    assert!(!exposed(|affected| {
        affected.ranges.clear();
        affected.versions = vec!["1.4.0".to_owned()];
    }));
    assert!(!exposed(|affected| {
        affected.component = "spacecp:panel".parse().expect("a name");
    }));
}

#[test]
fn delay_minimum_age_and_wave_are_over_at_their_last_instant() {
    type Change = fn(&mut Case);
    let waits: [(&str, Change); 4] = [
        ("the delay since it was received", |case| {
            case.policy.delay_hours = 5;
            case.causes[0].received = NOW - HOUR * 3;
        }),
        ("the age since it was published", |case| {
            case.policy.minimum_age_hours = 5;
            case.causes[0].published = NOW - HOUR * 3;
        }),
        ("the longer of both: the delay", |case| {
            case.policy.delay_hours = 5;
            case.policy.minimum_age_hours = 4;
            case.causes[0].received = NOW - HOUR * 3;
            case.causes[0].published = NOW - HOUR * 3;
        }),
        ("the longer of both: the age", |case| {
            case.policy.delay_hours = 4;
            case.policy.minimum_age_hours = 5;
            case.causes[0].received = NOW - HOUR * 3;
            case.causes[0].published = NOW - HOUR * 3;
        }),
    ];
    let due = NOW + HOUR * 2;
    for (what, change) in waits {
        let mut case = Case::new();
        change(&mut case);
        for (now, over) in [(due - INSTANT, false), (due, true)] {
            case.now = now;
            let early = Refusal::Early {
                correction: "SPACECP-SC-2026-0001".to_owned(),
                due,
            };
            let expected = if over { Ok(()) } else { Err(early) };
            assert_eq!(case.check(), expected, "{what}");
        }
    }
}

#[test]
fn what_is_known_to_be_exploited_waits_for_nothing_that_the_policy_lets_it_skip() {
    let of = |known_exploited, change: fn(&mut Policy)| {
        let mut case = Case::new();
        case.causes[0].known_exploited = known_exploited;
        case.policy.delay_hours = 5;
        change(&mut case.policy);
        case.check().err().map(|refusal| refusal.word())
    };
    let early = Refusal::Early {
        correction: String::new(),
        due: NOW,
    };
    let early = Some(early.word());
    assert_eq!(of(true, |_| {}), None);
    assert_eq!(of(false, |_| {}), early);
    assert_eq!(
        of(true, |policy| policy.known_exploited_skips_delay = false),
        early
    );
    assert_eq!(
        of(true, |policy| policy.known_exploited_at_once = false),
        early
    );
}

#[test]
fn what_is_known_to_be_exploited_waits_for_no_window_if_the_policy_says_so() {
    let of = |known_exploited, change: fn(&mut Policy)| {
        let mut case = Case::new();
        case.causes[0].known_exploited = known_exploited;
        // The instant that is now is at 08:00 in UTC.
        let later = Window::new(&[], "09:00", 60, "UTC").expect("a window");
        case.policy.windows = Windows(vec![later]);
        change(&mut case.policy);
        case.check()
    };
    let closed = Err(Refusal::Closed {
        next: Some(NOW + HOUR),
    });
    assert_eq!(of(true, |_| {}), Ok(()));
    assert_eq!(of(false, |_| {}), closed);
    assert_eq!(
        of(true, |policy| policy.known_exploited_skips_windows = false),
        closed
    );
    assert_eq!(
        of(true, |policy| policy.known_exploited_at_once = false),
        closed
    );
}

#[test]
fn what_is_known_to_be_exploited_is_corrected_where_the_policy_asks_and_not_where_it_says_never() {
    let of = |known_exploited, treatment| {
        let mut case = Case::new();
        case.causes[0].known_exploited = known_exploited;
        case.policy.severity = Treatments {
            critical: treatment,
            ..Treatments::default()
        };
        case.check()
    };
    let refused = |treatment| {
        Err(Refusal::Severity {
            advisory: "SPACECP-SA-2026-0001".to_owned(),
            severity: Severity::Critical,
            treatment,
        })
    };
    assert_eq!(of(true, Treatment::Ask), Ok(()));
    assert_eq!(of(false, Treatment::Ask), refused(Treatment::Ask));
    assert_eq!(of(true, Treatment::Never), refused(Treatment::Never));
    assert_eq!(of(false, Treatment::Never), refused(Treatment::Never));
}

#[test]
fn of_several_flaws_one_that_may_be_corrected_now_is_enough() {
    let mut case = Case::new();
    case.policy.minimum_severity = MinimumSeverity::Critical;
    case.causes.insert(
        0,
        Cause {
            severity: Severity::Low,
            ..cause()
        },
    );
    assert_eq!(case.check(), Ok(()));
}

#[test]
fn of_several_flaws_that_wait_the_one_that_ends_first_is_named() {
    let mut case = Case::new();
    case.policy.delay_hours = 5;
    for hours in [2, 3, 1] {
        case.causes.push(Cause {
            received: NOW - HOUR * hours,
            ..cause()
        });
    }
    let first = Refusal::Early {
        correction: "SPACECP-SC-2026-0001".to_owned(),
        due: NOW + HOUR * 2,
    };
    assert_eq!(case.check(), Err(first));
}

#[test]
fn of_several_flaws_that_are_left_to_somebody_the_gravest_is_named_and_the_first_of_equals() {
    let mut case = Case::new();
    case.policy.severity = Treatments {
        low: Treatment::Ask,
        medium: Treatment::Ask,
        high: Treatment::Ask,
        critical: Treatment::Ask,
    };
    let of = |advisory: &str, severity| Cause {
        advisory: advisory.to_owned(),
        severity,
        ..cause()
    };
    case.causes = vec![
        of("LOW", Severity::Low),
        of("FIRST", Severity::High),
        of("SECOND", Severity::High),
        of("MEDIUM", Severity::Medium),
    ];
    let gravest = Refusal::Severity {
        advisory: "FIRST".to_owned(),
        severity: Severity::High,
        treatment: Treatment::Ask,
    };
    assert_eq!(case.check(), Err(gravest));
}

#[test]
fn the_later_of_advisory_and_correction_counts_for_both_times() {
    let (early, late) = (NOW - HOUR, NOW);
    for (first, second) in [(early, late), (late, early), (late, late)] {
        let (mut advisory, mut correction) = (advisory(), correction());
        advisory.modified = first;
        correction.published = second;
        let cause = cause_of((&advisory, first), (&correction, second));
        assert_eq!((cause.received, cause.published), (late, late));
        assert_eq!(cause.severity, Severity::Critical);
    }
}
