//! The times of roots and heads: whether they have expired, are issued ahead, or live too long.
//!
//! Pure: the time is given. What was seen expired before is remembered elsewhere
//! ([`SeenExpired`](crate::workflow::SeenExpired)).

use jiff::{SignedDuration, Timestamp};
use spacecp_contract::{Digest, Head, Root, TimeBounds};

use crate::{TrustError, Verified};

/// Whether anything may be decided under this root at `now`.
pub fn check_root(root: &Verified<Root>, now: Timestamp) -> Result<(), TrustError> {
    if root.expires <= now {
        return Err(TrustError::RootExpired {
            version: root.version,
            expires: root.expires,
            digest: Digest::of(root.bytes()),
        });
    }
    if root.issued > later(now, root.time_bounds.ahead()) {
        return Err(TrustError::RootIssuedAhead {
            version: root.version,
            issued: root.issued,
            now,
        });
    }
    if root.expires > later(root.issued, TimeBounds::root_lifetime()) {
        return Err(TrustError::RootLifetime {
            version: root.version,
            issued: root.issued,
            expires: root.expires,
        });
    }
    Ok(())
}

/// Whether a head of this root is in time at `now`, and within the bounds that the root sets.
pub(crate) fn check_head(
    root: &Root,
    head: &Verified<Head>,
    now: Timestamp,
) -> Result<(), TrustError> {
    if head.expires <= now {
        return Err(TrustError::HeadExpired {
            sequence: head.sequence,
            epoch: root.sequence_epoch,
            expires: head.expires,
            digest: Digest::of(head.bytes()),
        });
    }
    if head.issued > later(now, root.time_bounds.ahead()) {
        return Err(TrustError::HeadIssuedAhead {
            sequence: head.sequence,
            issued: head.issued,
            now,
        });
    }
    let most = root.time_bounds.head_lifetime();
    if head.expires > later(head.issued, most) {
        return Err(TrustError::HeadLifetime {
            sequence: head.sequence,
            issued: head.issued,
            expires: head.expires,
            most_days: most.as_hours() / 24,
        });
    }
    Ok(())
}

/// Until when a head can be believed: until it or the root above it expires, and for no longer than that
/// root lets a head live, which may be less than when the head was accepted.
pub fn good_until(root: &Root, head: &Head) -> Timestamp {
    let allowed = later(head.issued, root.time_bounds.head_lifetime());
    head.expires.min(root.expires).min(allowed)
}

/// So much later, or the end of time.
fn later(time: Timestamp, duration: SignedDuration) -> Timestamp {
    time.checked_add(duration).unwrap_or(Timestamp::MAX)
}
