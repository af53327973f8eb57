//! The policy's steps: every path that a case can take is one of the policy's, and nothing on it is lost.

use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use spacecp_contract::{Digest, DocumentId, InScope, OrdinaryBug};
use spacecp_publisher::cases::{
    case::{Beginning, Case},
    deadlines::Deadlines,
    state_machine::{Answer, Entry, Event, Rejection, State, TransitionError},
};

fn noon() -> Timestamp {
    "2026-11-24T12:00:00Z".parse().expect("a time")
}

fn day(number: i64) -> Timestamp {
    noon() + SignedDuration::from_hours(24 * number)
}

fn id(text: &str) -> DocumentId {
    DocumentId::new(text).expect("an id")
}

fn case(reachable: bool) -> Case {
    let beginning = Beginning {
        id: "CASE-2026-0001".parse().expect("an id"),
        title: "Backups follow links".into(),
        report: Digest::of(b"a report"),
        reachable,
    };
    Case::open(beginning, noon(), "ada".into())
}

fn entry(at: Timestamp, event: Event) -> Entry {
    let by = "ada".into();
    Entry { at, by, event }
}

fn rejected() -> Event {
    Event::Rejected {
        reason: Rejection::Ordinary(OrdinaryBug::BruteForce),
        text: String::new(),
    }
}

fn corrected() -> Event {
    Event::Corrected(Answer::Correction(id("SPACECP-SC-2026-0001")))
}

fn copy() -> Event {
    Event::Reviewed {
        copy: "R-1".into(),
        advisory: Digest::of(b"an advisory"),
    }
}

fn answered(objections: Option<&str>) -> Event {
    Event::Answered {
        objections: objections.map(str::to_owned),
    }
}

fn broadcast(reason: Option<&str>) -> Event {
    Event::Broadcast {
        without_review: reason.map(str::to_owned),
    }
}

/// The case after these events, a day apart.
fn after(events: &[Event]) -> Case {
    let mut case = case(true);
    for (number, event) in (1..).zip(events) {
        let entry = entry(day(number), event.clone());
        case.record(entry).expect("a path of the policy");
    }
    case
}

fn to_review() -> Vec<Event> {
    let verified = Event::Verified {
        scope: Some(InScope::BrokenSandbox),
    };
    vec![
        Event::Acknowledged,
        verified,
        Event::Started,
        corrected(),
        copy(),
    ]
}

#[test]
fn the_policys_own_path_leads_from_the_report_to_its_disclosure() {
    let mut events = to_review();
    events.extend([answered(None), broadcast(None), Event::Disclosed]);
    let case = after(&events);
    assert_eq!(case.status().state(), State::Disclosed);
    assert_eq!(case.entries().len(), events.len() + 1);
}

#[test]
fn a_step_that_does_not_follow_is_refused_with_what_it_follows_on() {
    let mut case = case(true);
    let refused = case
        .record(entry(day(1), Event::Started))
        .expect_err("it was not verified");
    assert_eq!(
        refused.to_string(),
        "\"started\" is not allowed in state \"reported\", only in \"verified\", \"corrected\", \"in review\""
    );
    assert_eq!(case.entries().len(), 1, "nothing was added");
    let again = case
        .record(entry(day(1), Event::Reported))
        .expect_err("it was reported");
    assert!(again.to_string().contains("only once"), "{again}");
}

#[test]
fn nothing_is_broadcast_that_the_finder_has_not_approved_of_unless_somebody_says_why() {
    for (more, why) in [
        (vec![], "they have not answered the latest copy"),
        (
            vec![answered(Some("too vague"))],
            "they object to the latest copy",
        ),
        (
            vec![answered(None), copy()],
            "they have not answered the latest copy",
        ),
        (
            vec![answered(None), Event::Started, corrected()],
            "they received no copy of it",
        ),
    ] {
        let events = [to_review(), more].concat();
        let mut case = after(&events);
        let refused = case.record(entry(day(20), broadcast(None)));
        assert_eq!(refused, Err(TransitionError::Unreviewed { why }));
        let said = entry(day(20), broadcast(Some("exploited already")));
        assert_eq!(case.record(said), Ok(()));
    }
}

#[test]
fn a_clock_that_goes_backwards_changes_nothing_and_cannot_tell_what_is_overdue() {
    let mut case = after(&[Event::Acknowledged]);
    let before = case.clone();
    let refused = case.record(entry(noon(), rejected()));
    assert!(
        matches!(refused, Err(TransitionError::Clock { .. })),
        "{refused:?}"
    );
    assert_eq!(case, before);
    let blind = Deadlines::default().overdue(&case, noon());
    assert!(
        matches!(blind, Err(TransitionError::Clock { .. })),
        "{blind:?}"
    );
}

#[test]
fn one_case_is_about_one_advisory() {
    let drafted = |text| Event::Drafted { advisory: id(text) };
    let mut case = after(&[drafted("SPACECP-SA-2026-0001")]);
    let same = case.record(entry(day(2), drafted("SPACECP-SA-2026-0001")));
    assert_eq!(same, Ok(()));
    let other = case.record(entry(day(3), drafted("SPACECP-SA-2026-0002")));
    assert!(
        matches!(other, Err(TransitionError::Advisory { .. })),
        "{other:?}"
    );
}

/// What is overdue, as commands.
fn overdue(case: &Case, now: Timestamp) -> Vec<&'static str> {
    let found = Deadlines::default()
        .overdue(case, now)
        .expect("it is later");
    found.iter().map(|one| one.command).collect()
}

#[test]
fn a_report_that_nobody_answered_is_overdue_after_three_days_and_not_before() {
    assert_eq!(overdue(&case(true), day(3)), [""; 0]);
    let late = day(3) + SignedDuration::from_secs(1);
    assert_eq!(overdue(&case(true), late), ["acknowledge"]);
    let found = Deadlines::default()
        .overdue(&case(true), day(5))
        .expect("it is later");
    assert_eq!((found[0].due, found[0].days), (day(3), 2));
}

#[test]
fn every_open_case_becomes_overdue_and_a_closed_one_never_does() {
    let told = Event::Told {
        text: "done".into(),
    };
    let full = [
        to_review(),
        vec![
            answered(None),
            broadcast(None),
            Event::Disclosed,
            told.clone(),
        ],
    ]
    .concat();
    for length in 0..=full.len() {
        let case = after(&full[..length]);
        let is_late = !overdue(&case, day(400)).is_empty();
        let is_done =
            case.status().state() == State::Disclosed && case.status().untold_since().is_none();
        assert_eq!(is_late, !is_done, "{:?}", case.status());
    }
    let rejected = after(&[Event::Acknowledged, rejected(), told]);
    assert_eq!(overdue(&rejected, day(400)), [""; 0]);
}

#[test]
fn the_finder_is_to_be_told_of_each_step_if_there_is_a_way_to() {
    let case = after(&[Event::Acknowledged]);
    assert_eq!(overdue(&case, day(5)), ["told"]);
    let mut anonymous = self::case(false);
    anonymous
        .record(entry(day(1), Event::Acknowledged))
        .expect("it follows");
    assert_eq!(overdue(&anonymous, day(5)), [""; 0]);
}

fn any_event() -> impl Strategy<Value = Event> {
    let text = || "[a-zA-Z0-9 .\"\\\\#\n'=\\[\\]é]{1,40}";
    prop_oneof![
        Just(Event::Reported),
        Just(Event::Acknowledged),
        prop::option::of(prop::sample::select(InScope::ALL))
            .prop_map(|scope| Event::Verified { scope }),
        (
            prop::sample::select(Rejection::all().collect::<Vec<_>>()),
            text()
        )
            .prop_map(|(reason, text)| Event::Rejected { reason, text }),
        Just(Event::Started),
        Just(corrected()),
        text().prop_map(|text| Event::Corrected(Answer::Workaround(text))),
        text().prop_map(|copy| Event::Reviewed {
            copy,
            advisory: Digest::of(b"x")
        }),
        prop::option::of(text()).prop_map(|objections| Event::Answered { objections }),
        prop::option::of(text()).prop_map(|without_review| Event::Broadcast { without_review }),
        Just(Event::Disclosed),
        text().prop_map(|text| Event::Told { text }),
        (any::<bool>(), text()).prop_map(|(agreed, text)| Event::Credit { agreed, text }),
        Just(Event::Drafted {
            advisory: id("SPACECP-SA-2026-0001")
        }),
    ]
}

/// The policy, written a second time as a person reads it: which state may follow on which.
fn is_of_the_policy(from: State, to: State) -> bool {
    use State::{
        Acknowledged, Broadcast, Corrected, Disclosed, InReview, InWork, Rejected, Reported,
        Verified,
    };
    from == to
        || matches!(
            (from, to),
            (Reported, Acknowledged)
                | (Acknowledged, Verified | Rejected)
                | (Verified | Corrected | InReview, InWork)
                | (InWork, Corrected)
                | (Corrected, InReview)
                | (Corrected | InReview, Broadcast)
                | (Broadcast, Disclosed)
        )
}

proptest! {
    #[test]
    fn every_path_is_a_path_of_the_policy_and_no_entry_is_lost(
        steps in prop::collection::vec((any_event(), -2i64..50), 0..60),
        reachable in any::<bool>(),
    ) {
        let mut case = case(reachable);
        let mut kept = case.entries().to_vec();
        let mut now = noon();
        for (event, hours) in steps {
            let before = case.clone();
            let at = now + SignedDuration::from_hours(hours);
            let entry = entry(at, event);
            if case.record(entry.clone()).is_ok() {
                kept.push(entry);
                now = at;
                let (from, to) = (before.status().state(), case.status().state());
                prop_assert!(is_of_the_policy(from, to), "{} to {}", from, to);
            } else {
                prop_assert_eq!(&case, &before);
            }
            prop_assert_eq!(case.entries(), kept.as_slice());
        }
        let later = Deadlines::default().overdue(&case, now + SignedDuration::from_hours(24 * 1000));
        let later = later.expect("the clock is ahead");
        prop_assert!(!later.is_empty() || case.status().state().is_closed());
        let is_credited = kept.iter().rev().find_map(|entry| match entry.event {
            Event::Credit { agreed, .. } => Some(agreed),
            _ => None,
        });
        prop_assert_eq!(case.status().may_be_credited(), is_credited == Some(true));
    }
}
