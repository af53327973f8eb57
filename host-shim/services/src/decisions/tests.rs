//! Decisions at their boundaries: when one ends, how long it may be, and how many there are.

use jiff::{SignedDuration, Timestamp};
use spacecp_contract::{Advisory, Affected, Tlp, VersionRange, VersionScheme, Workaround};

use super::{
    Decision, DecisionError, Kind, LONGEST_REASON, State, Wish,
    basis::{Basis, Known, judge},
    current, latest,
    sense::{check_end, checked_reason},
    until,
};
use spacecp_store::Store;

use crate::plugin::bindings::exports::spacecp::advisories::exposure::Status;

const NOW: Timestamp = Timestamp::constant(1_800_000_000, 0);
const INSTANT: SignedDuration = SignedDuration::from_nanos(1);
const SECOND: SignedDuration = SignedDuration::from_secs(1);

fn at(text: &str) -> Timestamp {
    text.parse().expect("a time")
}

fn wish(workaround: Option<&str>, reason: Option<&str>) -> Wish {
    Wish {
        workaround: workaround.map(str::to_owned),
        advisory: "SPACECP-SA-2026-0001".parse().expect("an id"),
        shown: None,
        component: None,
        by: "somebody".to_owned(),
        until: None,
        reason: reason.map(str::to_owned),
    }
}

fn advisory() -> Advisory {
    Advisory {
        id: "SPACECP-SA-2026-0001".parse().expect("an id"),
        revision: 2,
        audience: "customers".parse().expect("an audience"),
        published: NOW,
        modified: NOW,
        withdrawn: None,
        aliases: Vec::new(),
        title: String::new(),
        issue: String::new(),
        impacts: String::new(),
        solution: String::new(),
        workarounds: vec![Workaround {
            id: "close-port".to_owned(),
            text: "Close the port.".to_owned(),
        }],
        severity: vec!["CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H".to_owned()],
        cwe: Vec::new(),
        known_exploited: false,
        tlp: Tlp::Clear,
        embargo_until: None,
        affected: vec![Affected {
            component: "spacecp:houston".parse().expect("a name"),
            scheme: VersionScheme::Semver,
            ranges: vec![VersionRange {
                introduced: "1.0.0".to_owned(),
                fixed: Some("2.0.0".to_owned()),
                last_affected: None,
                limit: None,
            }],
            versions: vec!["0.9.0".to_owned()],
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

fn decision(workaround: Option<&str>, until: Option<Timestamp>) -> Decision {
    Decision {
        number: 1,
        kind: wish(workaround, None).kind(),
        advisory: "SPACECP-SA-2026-0001".parse().expect("an id"),
        revision: 1,
        workaround: workaround.map(str::to_owned),
        component: None,
        by: "somebody".to_owned(),
        made: NOW,
        until,
        reason: None,
        state: State::Standing,
        end: None,
        basis: Basis::of(&advisory(), workaround).expect("it has the workaround"),
    }
}

fn state(decision: &Decision, advisory: &Advisory, now: Timestamp) -> State {
    judge(decision, &Known::Advisory(advisory), now).0
}

#[test]
fn a_decision_holds_until_the_instant_before_its_end() {
    let decision = decision(None, Some(NOW));
    assert_eq!(
        state(&decision, &advisory(), NOW - INSTANT),
        State::Standing
    );
    assert_eq!(state(&decision, &advisory(), NOW), State::Expired);
    assert_eq!(state(&decision, &advisory(), NOW + INSTANT), State::Expired);
    let nothing = judge(&decision, &Known::Nothing("it is not here"), NOW);
    assert_eq!(nothing, (State::Expired, None));
}

#[test]
fn a_decision_about_what_is_not_here_is_unknown_and_says_why() {
    let judged = judge(
        &decision(None, None),
        &Known::Nothing("it is not here"),
        NOW,
    );
    assert_eq!(judged, (State::Unknown, Some("it is not here".to_owned())));
}

#[test]
fn an_acceptance_is_reopened_by_each_fact_that_it_rests_on_and_by_no_other() {
    type Change = fn(&mut Advisory);
    let facts: [Change; 8] = [
        |advisory| advisory.severity.clear(),
        |advisory| advisory.known_exploited = true,
        |advisory| advisory.affected[0].component = "spacecp:panel".parse().expect("a name"),
        |advisory| advisory.affected[0].scheme = VersionScheme::Npm,
        |advisory| advisory.affected[0].ranges[0].fixed = Some("3.0.0".to_owned()),
        |advisory| advisory.affected[0].ranges[0].limit = Some("1.9.0".to_owned()),
        |advisory| advisory.affected[0].ranges[0].introduced = "0".to_owned(),
        |advisory| advisory.affected[0].versions.clear(),
    ];
    let descriptions: [Change; 3] = [
        |advisory| advisory.title = "Another title".to_owned(),
        |advisory| advisory.workarounds.clear(),
        |advisory| advisory.revision = 9,
    ];
    let decision = decision(None, None);
    for (changes, expected) in [
        (facts.as_slice(), State::Reopened),
        (descriptions.as_slice(), State::Standing),
    ] {
        for change in changes {
            let mut now = advisory();
            change(&mut now);
            assert_eq!(state(&decision, &now, NOW), expected, "{now:?}");
        }
    }
}

#[test]
fn a_reopened_decision_says_what_is_no_longer_as_it_was() {
    let decision = decision(None, None);
    let mut now = advisory();
    now.known_exploited = true;
    now.severity.clear();
    let (_, said) = judge(&decision, &Known::Advisory(&now), NOW);
    let reason = "revision 2: now known to be exploited, the severity changed";
    assert_eq!(said.as_deref(), Some(reason));

    let exploited = Decision {
        basis: Basis::of(&now, None).expect("it needs no workaround"),
        ..decision
    };
    let (_, said) = judge(&exploited, &Known::Advisory(&advisory()), NOW);
    let reason = "revision 2: no longer listed as known to be exploited, the severity changed";
    assert_eq!(said.as_deref(), Some(reason));
}

#[test]
fn kinds_and_states_have_the_words_of_scripts() {
    let word = |value: serde_json::Value| value.as_str().map(str::to_owned);
    for kind in [Kind::Workaround, Kind::Acceptance] {
        let said = serde_json::to_value(kind).expect("a word");
        assert_eq!(word(said).as_deref(), Some(kind.as_str()));
    }
    for state in State::ENDS
        .into_iter()
        .chain([State::Standing, State::Unknown])
    {
        let said = serde_json::to_value(state).expect("a word");
        assert_eq!(word(said).as_deref(), Some(state.as_str()));
    }
}

#[test]
fn whoever_names_an_unknown_workaround_is_told_those_that_there_are() {
    let refused = |known: &[&str]| {
        let known = known.iter().map(|one| (*one).to_owned()).collect();
        let error = DecisionError::NoWorkaround {
            advisory: "SPACECP-SA-2026-0001".parse().expect("an id"),
            workaround: "open-port".to_owned(),
            known,
        };
        error.to_string()
    };
    assert!(refused(&["close-port", "stop"]).ends_with("; available: close-port, stop"));
    assert!(refused(&[]).ends_with("; it has none"));
}

#[test]
fn a_workaround_is_reopened_by_its_own_text_only() {
    let decision = decision(Some("close-port"), None);
    let mut other = advisory();
    other.severity.clear();
    other.known_exploited = true;
    other.affected.clear();
    assert_eq!(state(&decision, &other, NOW), State::Standing);
    other.workarounds[0].text = "Close another port.".to_owned();
    assert_eq!(state(&decision, &other, NOW), State::Reopened);
    other.workarounds.clear();
    assert_eq!(state(&decision, &other, NOW), State::Reopened);
}

#[test]
fn an_acceptance_ends_in_the_time_to_come_and_no_later_than_the_configured_day() {
    let end = |until| check_end(Kind::Acceptance, until, NOW, 30);
    assert!(matches!(end(None), Err(DecisionError::NoEnd)));
    for passed in [NOW - INSTANT, NOW] {
        let refused = end(Some(passed));
        assert!(matches!(refused, Err(DecisionError::Passed { until }) if until == passed));
    }
    assert!(end(Some(NOW + INSTANT)).is_ok());
    let last = at("2027-02-14T23:59:59Z");
    assert_eq!(latest(NOW, 30), last);
    assert!(end(Some(last)).is_ok());
    let refused = end(Some(last + INSTANT));
    assert!(matches!(
        refused,
        Err(DecisionError::TooFar { latest, days: 30, .. }) if latest == last
    ));
}

#[test]
fn a_workaround_may_be_in_place_without_an_end_and_for_as_long_as_one_likes() {
    let end = |until| check_end(Kind::Workaround, until, NOW, 30);
    assert!(end(None).is_ok());
    assert!(end(Some(latest(NOW, 30) + SECOND)).is_ok());
    assert!(matches!(end(Some(NOW)), Err(DecisionError::Passed { .. })));
}

#[test]
fn an_acceptance_for_longer_than_time_goes_ends_with_it() {
    let last = latest(NOW, u32::MAX);
    assert!(last >= Timestamp::MAX - SECOND);
}

#[test]
fn a_reason_has_up_to_1000_characters_whatever_their_bytes() {
    let reason = |text: &str| checked_reason(&wish(None, Some(text)));
    let longest = "ä".repeat(LONGEST_REASON);
    let blank = format!("  {longest}\n");
    assert_eq!(reason(&blank).expect("it fits"), Some(longest.clone()));
    let refused = reason(&(longest + "a"));
    assert!(matches!(refused, Err(DecisionError::Reason)));
}

#[test]
fn a_reason_has_line_breaks_and_no_other_control_characters() {
    let reason = |text: &str| checked_reason(&wish(None, Some(text)));
    let lines = reason("one\r\ntwo\nthree").expect("it may be shown");
    assert_eq!(lines.as_deref(), Some("one\ntwo\nthree"));
    for text in ["one\ttwo", "one\u{1b}[2J", "one\rtwo"] {
        assert!(
            matches!(reason(text), Err(DecisionError::Reason)),
            "{text:?}"
        );
    }
}

#[test]
fn an_acceptance_wants_a_reason_and_a_workaround_does_not() {
    for reason in [None, Some(""), Some(" \n ")] {
        let acceptance = checked_reason(&wish(None, reason));
        assert!(matches!(acceptance, Err(DecisionError::NoReason)));
        let workaround = checked_reason(&wish(Some("close-port"), reason));
        assert_eq!(workaround.expect("it needs none"), None);
    }
}

#[test]
fn a_day_means_its_last_second_and_a_time_means_itself() {
    let read = |text| until(text).ok();
    assert_eq!(read("2026-12-31"), Some(at("2026-12-31T23:59:59Z")));
    assert_eq!(
        read("2026-12-31T10:00:00+02:00"),
        Some(at("2026-12-31T08:00:00Z"))
    );
    for text in ["", "2026-02-30", "tomorrow!!", "2026-12-31T10:00"] {
        assert_eq!(read(text), None, "{text}");
    }
}

#[test]
fn a_decision_covers_its_component_or_every_one_while_it_stands() {
    const ADVISORY: &str = "SPACECP-SA-2026-0001";
    let mut decision = decision(None, None);
    let affected = Status::Affected;
    assert!(decision.covers(ADVISORY, "houston", affected));
    assert!(!decision.covers("SPACECP-SA-2026-0002", "houston", affected));
    decision.component = Some("houston".to_owned());
    assert!(decision.covers(ADVISORY, "houston", affected));
    assert!(!decision.covers(ADVISORY, "panel", affected));
    for state in State::ENDS.into_iter().chain([State::Unknown]) {
        decision.state = state;
        assert!(!decision.covers(ADVISORY, "houston", affected), "{state:?}");
    }
}

#[test]
fn what_nobody_knows_is_covered_by_a_decision_about_that_component_alone() {
    const ADVISORY: &str = "SPACECP-SA-2026-0001";
    let mut decision = decision(None, None);
    assert!(!decision.covers(ADVISORY, "houston", Status::Unknown));
    decision.component = Some("houston".to_owned());
    assert!(decision.covers(ADVISORY, "houston", Status::Unknown));
    for status in [Status::Fixed, Status::NotAffected] {
        assert!(!decision.covers(ADVISORY, "houston", status), "{status:?}");
    }
}

#[tokio::test]
async fn all_that_may_stand_is_listed_and_as_much_that_ended_by_itself() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = Store::open(&folder.path().join("store.sqlite")).await;
    let store = store.expect("a store");
    let add = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 4001) \
        INSERT INTO decisions (kind, advisory, revision, workaround, by, made, fingerprint) \
        SELECT 'workaround', printf('SPACECP-SA-2026-%05d', i), 1, 'close-port', 'somebody', 0, '{}' FROM n";
    let end = "INSERT INTO decision_ends (decision, how, by, at) \
        SELECT number, 'expired', 'this panel', 0 FROM decisions WHERE number > 2000";
    for statement in [add, end] {
        let done = sqlx::query(statement).execute(store.pool()).await;
        done.expect("rows");
    }
    let listed = current(&store, NOW).await.expect("the store answers");
    let ended = listed.iter().filter(|one| one.state == State::Expired);
    assert_eq!((listed.len(), ended.count()), (4_000, 2_000));
}
