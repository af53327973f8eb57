//! Which notifications a comparison of two states makes, and when they are repeated. May not: send anything.

use super::*;

const REMIND: SignedDuration = SignedDuration::from_hours(24);

fn id() -> DocumentId {
    DocumentId::new("SPACECP-SA-2026-0001").expect("an id")
}

fn about(revision: u64) -> About {
    About {
        revision,
        title: "A flaw".to_owned(),
        severity: Severity::High,
        known_exploited: false,
        embargo: false,
        withdrawn: false,
        workaround: false,
    }
}

/// A component that is affected by the advisory at this revision.
fn affected(revision: u64) -> Present {
    let exposure = Exposure {
        version: None,
        affected: true,
        correction: None,
        decided: false,
    };
    Present {
        listed: true,
        exposures: Some([((id(), "daemon".to_owned()), exposure)].into()),
        advisories: [(id(), about(revision))].into(),
        ..Present::default()
    }
}

fn kinds(notices: &[Notice]) -> Vec<Kind> {
    notices.iter().map(|notice| notice.kind).collect()
}

/// What was told of a component that is affected by the advisory at this revision.
fn told_of(revision: u64) -> Told {
    let (notices, told) = compare(
        &affected(revision),
        &Told::new(),
        REMIND,
        Timestamp::UNIX_EPOCH,
    );
    assert_eq!(kinds(&notices), [Kind::NewExposure]);
    told
}

#[test]
fn what_the_feed_no_longer_lists_is_forgotten_and_told_anew_if_it_is_listed_again() {
    let gone = Present {
        listed: true,
        exposures: Some(BTreeMap::new()),
        ..Present::default()
    };
    let (notices, told) = compare(&gone, &told_of(9), REMIND, Timestamp::UNIX_EPOCH);
    assert_eq!(kinds(&notices), []);
    let (notices, _) = compare(&affected(1), &told, REMIND, Timestamp::UNIX_EPOCH);
    assert_eq!(kinds(&notices), [Kind::NewExposure]);
}

#[test]
fn what_is_not_here_while_no_index_is_trusted_is_not_told_anew() {
    let nothing = Present::default();
    let (_, told) = compare(&nothing, &told_of(1), REMIND, Timestamp::UNIX_EPOCH);
    let (notices, _) = compare(&affected(1), &told, REMIND, Timestamp::UNIX_EPOCH);
    assert_eq!(kinds(&notices), []);
}

#[test]
fn an_earlier_revision_in_the_place_of_a_later_one_is_told() {
    let (notices, _) = compare(&affected(1), &told_of(9), REMIND, Timestamp::UNIX_EPOCH);
    assert_eq!(kinds(&notices), [Kind::AdvisoryUpdated]);
}
