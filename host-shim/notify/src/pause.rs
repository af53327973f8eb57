//! For how long a channel that failed is left alone. Pure.

use std::time::Duration;

/// After the first failure; it doubles with each that follows.
const FIRST: Duration = Duration::from_mins(1);

/// What no back-off exceeds.
const LONGEST: Duration = Duration::from_hours(1);

/// For how long a receiver may ask to be left alone.
const LONGEST_ASKED: Duration = Duration::from_hours(6);

/// The pause after so many failures in a row: the back-off, of which up to half is left to chance so
/// that panels that failed together do not come back together; or what the receiver asked for, if
/// that is longer. `share` is random, `u32::MAX` for all of it.
pub(super) fn after(failures: u32, asked_for: Option<Duration>, share: u32) -> Duration {
    let whole = FIRST
        .saturating_mul(2_u32.saturating_pow(failures.saturating_sub(1)))
        .min(LONGEST);
    let half = whole / 2;
    let pause = half + half.mul_f64(f64::from(share) / f64::from(u32::MAX));
    asked_for.map_or(pause, |asked_for| pause.max(asked_for.min(LONGEST_ASKED)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_an_hour_and_chance_takes_half_of_them_at_most() {
        let longest = [1, 2, 3, 60].map(|failures| after(failures, None, u32::MAX).as_secs());
        assert_eq!(longest, [60, 120, 240, 3_600]);
        let shortest = [1, 2, 3, 60].map(|failures| after(failures, None, 0).as_secs());
        assert_eq!(shortest, [30, 60, 120, 1_800]);
    }

    #[test]
    fn a_receiver_is_left_alone_for_as_long_as_it_asks_but_not_for_ever() {
        let asked = |seconds| after(1, Some(Duration::from_secs(seconds)), 0).as_secs();
        assert_eq!(asked(600), 600);
        assert_eq!(asked(1), 30, "not sooner than it would be tried anyway");
        assert_eq!(asked(u64::MAX), 6 * 3_600);
    }
}
