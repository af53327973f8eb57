//! The rules at their boundaries: every number, time and switch on both sides.

mod bounds;
mod in_force;
mod may_begin;

use jiff::{SignedDuration, Timestamp};

use super::{Ceiling, Policy};

const NOW: Timestamp = Timestamp::constant(1_800_000_000, 0);
const INSTANT: SignedDuration = SignedDuration::from_nanos(1);

/// A policy that lets everything be applied at once.
fn open() -> Policy {
    Policy {
        automatic: true,
        minimum_severity: super::MinimumSeverity::Low,
        restarts: super::Restarts::Panel,
        known_exploited_at_once: true,
        known_exploited_skips_delay: true,
        known_exploited_skips_windows: true,
        ..Ceiling::default().initial()
    }
}
