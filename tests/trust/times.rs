//! Every time that decides about trust, on both sides of its boundary and exactly at it.

use anyhow::Result;
use jiff::{SignedDuration, Timestamp};
use spacecp_advisories::trust::{
    self, Before, TrustError, Unverified, Verified, good_until,
    workflow::{SeenExpired, SeenHead, Trusted},
};
use spacecp_contract::{Digest, Head, Root, TimeBounds};
use spacecp_publisher::{roots, sign::sign};
use spacecp_tests::{catalog, vendor::Keys};

use crate::scene::{hours, noon};

/// The least that a time differs by.
const TICK: SignedDuration = SignedDuration::from_nanos(1);

fn days(count: u32) -> SignedDuration {
    hours(24 * i64::from(count))
}

/// A vendor with one root, which signs heads of any times.
struct Signer {
    keys: Keys,
    root: Verified<Root>,
}

impl Signer {
    fn new(change: impl FnOnce(&mut Root)) -> Result<Self> {
        let keys = Keys::generate()?;
        let audience = catalog::AUDIENCE.parse()?;
        let holders = keys.holders();
        let mut root = roots::root(audience, 1, &holders, noon(), noon() + days(365));
        change(&mut root);
        let audience = root.audience.clone();
        let signed = sign(root, &[&keys.root])?;
        let root = trust::pinned_root(unverified(&signed), &audience)?;
        Ok(Self { keys, root })
    }

    fn bounded(bounds: TimeBounds) -> Result<Self> {
        Self::new(|root| root.time_bounds = bounds)
    }

    /// What a panel says at `now` to a head that is good from `issued` until `expires`.
    fn head(
        &self,
        [issued, expires]: [Timestamp; 2],
        now: Timestamp,
    ) -> Result<Result<Verified<Head>, TrustError>> {
        let head = Head {
            audience: self.root.audience.clone(),
            sequence: 7,
            issued,
            expires,
            index: Digest::of(b"an index"),
            index_length: 8,
            root_version: 1,
        };
        let signed = sign(head, &[&self.keys.feed])?;
        let before = Before {
            head: None,
            index: None,
            afresh: true,
        };
        Ok(trust::head(&self.root, before, unverified(&signed), now))
    }
}

fn unverified<T>(signed: &spacecp_publisher::sign::Signed<T>) -> Unverified<'_> {
    Unverified {
        bytes: &signed.bytes,
        signatures: signed.signatures.as_bytes(),
    }
}

#[test]
fn a_head_is_good_until_the_very_moment_at_which_it_expires() -> Result<()> {
    let signer = Signer::new(|_| {})?;
    let times = [noon(), noon() + days(7)];
    assert!(signer.head(times, times[1] - TICK)?.is_ok());
    for late in [times[1], times[1] + TICK] {
        let refused = signer.head(times, late)?;
        assert!(
            matches!(refused, Err(TrustError::HeadExpired { sequence: 7, .. })),
            "{refused:?}"
        );
    }
    Ok(())
}

#[test]
fn a_root_is_good_until_the_very_moment_at_which_it_expires() -> Result<()> {
    let signer = Signer::new(|_| {})?;
    let expires = signer.root.expires;
    assert_eq!(trust::check_root(&signer.root, expires - TICK), Ok(()));
    for late in [expires, expires + TICK] {
        let refused = trust::check_root(&signer.root, late);
        assert!(
            matches!(refused, Err(TrustError::RootExpired { version: 1, .. })),
            "{refused:?}"
        );
    }
    Ok(())
}

#[test]
fn what_is_trusted_is_fresh_until_head_or_root_expires_and_not_at_that_moment() -> Result<()> {
    for (head_days, root_days) in [(7, 365), (7, 3)] {
        let signer = Signer::new(|root| root.expires = noon() + days(root_days))?;
        let times = [noon(), noon() + days(head_days)];
        let trusted = Trusted {
            root: Some(signer.root.clone()),
            head: Some(signer.head(times, noon())??),
            ..Trusted::default()
        };
        let end = noon() + days(head_days.min(root_days));
        assert_eq!(trusted.good_until(), Some(end));
        assert!(trusted.fresh_head(end - TICK).is_some());
        assert!(trusted.fresh_head(end).is_none());
    }
    Ok(())
}

#[test]
fn a_head_may_live_for_as_long_as_its_root_says_and_not_a_moment_longer() -> Result<()> {
    let most = TimeBounds::MOST_HEAD_DAYS;
    for (said, allowed) in [
        (None, TimeBounds::HEAD_DAYS),
        (Some(7), 7),
        (Some(most), most),
        // Nor may a root say a century.
        (Some(most + 1), most),
        (Some(u32::MAX), most),
    ] {
        let signer = Signer::bounded(TimeBounds {
            head_days: said,
            ..TimeBounds::default()
        })?;
        let end = noon() + days(allowed);
        assert!(signer.head([noon(), end], noon())?.is_ok(), "{said:?}");
        let refused = signer.head([noon(), end + TICK], noon())?;
        assert!(
            matches!(&refused, Err(TrustError::HeadLifetime { most_days, .. }) if *most_days == i64::from(allowed)),
            "{said:?}: {refused:?}"
        );
    }
    Ok(())
}

#[test]
fn a_head_may_be_issued_as_far_ahead_as_its_root_says_and_not_a_moment_further() -> Result<()> {
    let most = TimeBounds::MOST_AHEAD_MINUTES;
    for (said, allowed) in [
        (None, TimeBounds::AHEAD_MINUTES),
        (Some(0), 0),
        (Some(30), 30),
        (Some(most), most),
        (Some(most + 1), most),
        (Some(u32::MAX), most),
    ] {
        let signer = Signer::bounded(TimeBounds {
            ahead_minutes: said,
            ..TimeBounds::default()
        })?;
        let furthest = noon() + SignedDuration::from_mins(i64::from(allowed));
        let head = |issued: Timestamp| signer.head([issued, issued + days(1)], noon());
        assert!(head(furthest)?.is_ok(), "{said:?}");
        let refused = head(furthest + TICK)?;
        assert!(
            matches!(
                refused,
                Err(TrustError::HeadIssuedAhead { sequence: 7, .. })
            ),
            "{said:?}: {refused:?}"
        );
    }
    Ok(())
}

#[test]
fn a_root_may_be_issued_as_far_ahead_as_it_says_and_not_a_moment_further() -> Result<()> {
    let ahead = TimeBounds::default().ahead();
    for (issued, is_good) in [(noon() + ahead, true), (noon() + ahead + TICK, false)] {
        let signer = Signer::new(|root| root.issued = issued)?;
        let checked = trust::check_root(&signer.root, noon());
        assert_eq!(checked.is_ok(), is_good, "{checked:?}");
        let is_named = matches!(checked, Err(TrustError::RootIssuedAhead { version: 1, .. }));
        assert_eq!(is_named, !is_good);
    }
    Ok(())
}

#[test]
fn no_root_lives_for_more_than_ten_years_whatever_it_says() -> Result<()> {
    let end = noon() + days(TimeBounds::MOST_ROOT_DAYS);
    for (expires, is_good) in [(end, true), (end + TICK, false), (Timestamp::MAX, false)] {
        let signer = Signer::new(|root| root.expires = expires)?;
        let checked = trust::check_root(&signer.root, noon());
        assert_eq!(checked.is_ok(), is_good, "{checked:?}");
        let is_named = matches!(checked, Err(TrustError::RootLifetime { version: 1, .. }));
        assert_eq!(is_named, !is_good);
    }
    Ok(())
}

#[test]
fn a_root_that_sets_closer_bounds_ends_heads_that_were_accepted_before() -> Result<()> {
    let signer = Signer::new(|_| {})?;
    let head = signer.head([noon(), noon() + days(60)], noon())??;
    let closer = Signer::bounded(TimeBounds {
        head_days: Some(7),
        ..TimeBounds::default()
    })?;
    assert_eq!(good_until(&signer.root, &head), noon() + days(60));
    assert_eq!(good_until(&closer.root, &head), noon() + days(7));
    let trusted = Trusted {
        root: Some(closer.root),
        head: Some(head),
        ..Trusted::default()
    };
    assert!(trusted.fresh_head(noon()).is_none());
    Ok(())
}

#[test]
fn bounds_that_are_not_said_leave_the_bytes_of_a_root_as_they_were() -> Result<()> {
    let said = |bounds| -> Result<bool> {
        let signer = Signer::bounded(bounds)?;
        let name = b"time_bounds";
        let mut windows = signer.root.bytes().windows(name.len());
        Ok(windows.any(|window| window == name))
    };
    assert!(!said(TimeBounds::default())?);
    assert!(said(TimeBounds {
        head_days: Some(7),
        ..TimeBounds::default()
    })?);
    Ok(())
}

#[test]
fn of_heads_seen_expired_only_a_later_one_or_another_of_the_same_sequence_is_believed() -> Result<()>
{
    let signer = Signer::new(|_| {})?;
    let head = signer.head([noon(), noon() + days(7)], noon())??;
    let own = Digest::of(head.bytes());
    let is_refused = |epoch, sequence, digest| {
        let seen = SeenExpired {
            head: Some(SeenHead {
                epoch,
                sequence,
                digest,
            }),
            ..SeenExpired::default()
        };
        seen.has_head(1, &head)
    };
    let other = Digest::of(b"another head");
    assert_eq!(head.sequence, 7);
    assert!(is_refused(1, 7, own) && is_refused(1, 8, other) && is_refused(2, 1, other));
    assert!(!is_refused(1, 7, other) && !is_refused(1, 6, own) && !is_refused(0, 8, own));
    assert!(!SeenExpired::default().has_head(1, &head));
    Ok(())
}
