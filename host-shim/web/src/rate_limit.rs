//! How many requests somebody may send in a minute.
//!
//! A bucket that leaks (GCRA, as ATM networks have it), by a crate made for that; what is counted
//! is forgotten as soon as its bucket is empty again.

use std::{hash::Hash, net::IpAddr, num::NonZeroU32, time::Duration};

use governor::{
    Quota, RateLimiter,
    clock::{Clock, MonotonicClock},
    state::keyed::HashMapStateStore,
};

use crate::ServeConfig;

/// Keys that are remembered before empty buckets are thrown away.
const MANY: usize = 1_000;

/// Keys that are remembered at most: more than these are an attack, and strangers wait then.
const MOST: usize = 100_000;

/// Requests a minute that one address may send with a token that opens nothing.
const GUESSES_PER_MINUTE: u32 = 30;

/// The requests that are counted.
#[derive(Debug)]
pub(crate) struct Paces {
    /// By address, whatever is asked for.
    pub(crate) addresses: Option<Pace<IpAddr>>,
    pub(crate) tokens: Option<Pace<u64>>,
    pub(crate) guesses: Option<Pace<IpAddr>>,
}

impl Paces {
    pub(crate) fn of(serve: &ServeConfig) -> Self {
        Self {
            addresses: Pace::of(serve.requests_per_minute),
            tokens: Pace::of(serve.api.requests_per_minute),
            guesses: Pace::of(GUESSES_PER_MINUTE),
        }
    }
}

/// Counts requests by whoever sends them.
#[derive(Debug)]
pub(super) struct Pace<K: Clone + Hash + Eq> {
    limiter: RateLimiter<K, HashMapStateStore<K>, MonotonicClock>,
    clock: MonotonicClock,
}

impl<K: Clone + Hash + Eq> Pace<K> {
    /// So many requests a minute, and as many at once; none for 0.
    pub(super) fn of(per_minute: u32) -> Option<Self> {
        let per_minute = NonZeroU32::new(per_minute)?;
        let clock = MonotonicClock;
        let quota = Quota::per_minute(per_minute);
        Some(Self {
            limiter: RateLimiter::new(quota, HashMapStateStore::default(), clock.clone()),
            clock,
        })
    }

    /// Counts a request, or says how long to wait before the next.
    pub(super) fn count(&self, who: &K) -> Result<(), Duration> {
        if self.limiter.len() > MANY {
            self.limiter.retain_recent();
        }
        if self.limiter.len() > MOST {
            return Err(Duration::from_mins(1));
        }
        let passed = self.limiter.check_key(who);
        passed.map_err(|not_until| not_until.wait_time_from(self.clock.now()))
    }
}

/// Whole seconds to wait, for the header `Retry-After`.
pub(super) fn seconds(wait: Duration) -> u64 {
    wait.as_secs() + u64::from(wait.subsec_nanos() > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_asked_too_often_waits_and_nobody_else_does() {
        let pace = Pace::of(3).unwrap();
        for _ in 0..3 {
            pace.count(&1).unwrap();
        }
        let wait = pace.count(&1).unwrap_err();
        assert!(wait <= Duration::from_secs(20), "{wait:?}");
        assert!((1..=20).contains(&seconds(wait)), "{wait:?}");
        pace.count(&2).unwrap();
    }

    #[test]
    fn without_a_number_nobody_waits() {
        assert!(Pace::<u8>::of(0).is_none());
    }
}
