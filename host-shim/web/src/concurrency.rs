//! How many requests are answered at once: for one address, and in total.
//!
//! An address that asks for more is refused, and those of its requests that wait count. In total requests wait for
//! their turn, and are refused when it does not come in time; meanwhile their connections may be closed for others.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use crate::ServeConfig;
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::timeout,
};

/// How long a request waits for its turn.
const TURN_WITHIN: Duration = Duration::from_secs(10);

/// Counts the requests that have come, and those that are being answered.
#[derive(Debug)]
pub(super) struct Concurrency {
    per_address: usize,
    by_address: Arc<Mutex<HashMap<IpAddr, usize>>>,
    turns: Arc<Semaphore>,
}

impl Concurrency {
    pub(super) fn of(serve: &ServeConfig) -> Self {
        Self {
            per_address: serve.max_concurrent_requests_per_address,
            by_address: Arc::default(),
            turns: Arc::new(Semaphore::new(serve.max_concurrent_requests)),
        }
    }

    /// Counts a request from a network until what is returned is dropped; none when there are too many already.
    pub(super) fn count(&self, network: IpAddr) -> Option<Counted> {
        let mut counts = lock(&self.by_address);
        let count = counts.entry(network).or_default();
        if *count >= self.per_address {
            return None;
        }
        *count += 1;
        Some(Counted {
            network,
            by_address: self.by_address.clone(),
        })
    }

    /// Waits until fewer requests are being answered than may be; none when that takes too long.
    pub(super) async fn turn(&self) -> Option<OwnedSemaphorePermit> {
        self.turn_within(TURN_WITHIN).await
    }

    async fn turn_within(&self, within: Duration) -> Option<OwnedSemaphorePermit> {
        let turn = self.turns.clone().acquire_owned();
        timeout(within, turn).await.ok()?.ok()
    }
}

/// A request that is counted for its network.
#[derive(Debug)]
pub(super) struct Counted {
    network: IpAddr,
    by_address: Arc<Mutex<HashMap<IpAddr, usize>>>,
}

impl Drop for Counted {
    fn drop(&mut self) {
        let mut counts = lock(&self.by_address);
        if let Some(count) = counts.get_mut(&self.network) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&self.network);
            }
        }
    }
}

fn lock(
    counts: &Mutex<HashMap<IpAddr, usize>>,
) -> std::sync::MutexGuard<'_, HashMap<IpAddr, usize>> {
    // A panic elsewhere leaves counts that are right.
    counts.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(per_address: usize, total: usize) -> Concurrency {
        Concurrency::of(&ServeConfig {
            max_concurrent_requests_per_address: per_address,
            max_concurrent_requests: total,
            ..ServeConfig::default()
        })
    }

    #[test]
    fn an_address_is_refused_beyond_its_bound_and_no_other_is() {
        let (one, other) = (IpAddr::from([192, 0, 2, 1]), IpAddr::from([192, 0, 2, 2]));
        let concurrency = of(2, 10);
        let first = concurrency.count(one);
        let second = concurrency.count(one);
        assert!(first.is_some() && second.is_some());
        assert!(concurrency.count(one).is_none());
        assert!(concurrency.count(other).is_some());
        drop(first);
        assert!(concurrency.count(one).is_some(), "one was answered");
    }

    #[test]
    fn an_address_is_forgotten_when_its_requests_are_answered() {
        let concurrency = of(2, 10);
        drop(concurrency.count(IpAddr::from([192, 0, 2, 1])));
        assert!(lock(&concurrency.by_address).is_empty());
    }

    #[tokio::test]
    async fn a_request_waits_for_its_turn_and_not_for_ever() {
        let concurrency = of(2, 1);
        let turn = concurrency.turn().await;
        assert!(turn.is_some());
        let in_vain = concurrency.turn_within(Duration::from_millis(10)).await;
        assert!(in_vain.is_none(), "nobody was answered");
        drop(turn);
        assert!(concurrency.turn().await.is_some());
    }
}
