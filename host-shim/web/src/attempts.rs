//! How often somebody may try to log in.
//!
//! Three things are counted: a name at an address, so that one guesser soon has to wait; an address,
//! so that one guesser cannot go on with other names; and a name, so that many guessers at once are
//! slow, too. The last wait is short, and nobody has it who has logged in from the same place before:
//! whoever only knows a name must not be able to lock its owner out.

use std::{
    collections::HashMap,
    hash::Hash,
    net::IpAddr,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use tokio::sync::{Semaphore, SemaphorePermit};

use super::{Clocks, client::Client, password};

/// How long, the first time; twice as long each further time.
const FIRST_WAIT: Duration = Duration::from_secs(2);

/// After so long without another attempt all is forgotten.
const FORGOTTEN: Duration = Duration::from_hours(24);

/// For so long a place from where somebody has logged in is theirs.
const KNOWN: Duration = Duration::from_hours(24 * 30);

/// Counts that are kept; more than this is an attack, and the oldest go.
const MOST_REMEMBERED: usize = 10_000;

/// Passwords that are hashed at once: each takes some 20 MiB, and strangers choose how many come.
const MOST_HASHED: usize = 4;

/// Logins that are under way at once; further ones are refused, so that they do not keep other requests waiting.
const MOST_UNDER_WAY: usize = 64;

/// Characters of a name that are told apart.
const LONGEST_NAME: usize = 100;

/// What is counted.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Counted {
    Pair(String, IpAddr),
    Address(IpAddr),
    Name(String),
}

impl Counted {
    /// Failures before there is a wait, and the longest wait.
    fn patience(&self) -> (u32, Duration) {
        match self {
            Self::Pair(..) => (5, Duration::from_mins(15)),
            Self::Address(_) => (30, Duration::from_mins(15)),
            Self::Name(_) => (50, Duration::from_secs(30)),
        }
    }
}

/// Attempts that have not succeeded.
#[derive(Debug)]
pub(super) struct Attempts {
    failures: Mutex<HashMap<Counted, Failures>>,
    /// From where each name has logged in, and when it last did.
    known: Mutex<HashMap<(String, IpAddr), Instant>>,
    hashing: Semaphore,
    under_way: Semaphore,
    clocks: Arc<dyn Clocks>,
}

#[derive(Debug, Clone, Copy)]
struct Failures {
    count: u32,
    last: Instant,
}

/// One attempt that has begun.
#[derive(Debug)]
pub(super) struct Attempt([Counted; 3]);

impl Attempts {
    pub(super) fn new(clocks: Arc<dyn Clocks>) -> Self {
        Self {
            failures: Mutex::default(),
            known: Mutex::default(),
            hashing: Semaphore::new(MOST_HASHED),
            under_way: Semaphore::new(MOST_UNDER_WAY),
            clocks,
        }
    }

    /// Counts a login as under way until what is returned is dropped; none when there are too many.
    pub(super) fn enter(&self) -> Option<SemaphorePermit<'_>> {
        self.under_way.try_acquire().ok()
    }

    /// Begins an attempt, or says how long this user at this address has to wait still.
    ///
    /// It counts as failed from its beginning, so that many at once are as many as one after the
    /// other.
    pub(super) fn begin(&self, name: &str, address: IpAddr) -> Result<Attempt, Duration> {
        let name: String = name.chars().take(LONGEST_NAME).collect();
        let address = Client(address).network();
        let counted = [
            Counted::Pair(name.clone(), address),
            Counted::Address(address),
            Counted::Name(name),
        ];
        let now = self.clocks.instant();
        let mut all = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|_, failures| now.duration_since(failures.last) < FORGOTTEN);
        let known = self.is_known(&counted[0], now);
        let waits = counted
            .iter()
            .filter(|one| !(known && matches!(one, Counted::Name(_))))
            .filter_map(|one| all.get(one)?.wait(one, now));
        if let Some(longest) = waits.max() {
            return Err(longest);
        }
        for one in &counted {
            if all.len() >= MOST_REMEMBERED && !all.contains_key(one) {
                forget_oldest(&mut all);
            }
            let failures = all.entry(one.clone()).or_insert(Failures {
                count: 0,
                last: now,
            });
            failures.count = failures.count.saturating_add(1);
            failures.last = now;
        }
        Ok(Attempt(counted))
    }

    /// The attempt was no failure. Its address keeps those that it had before: somebody who may log in
    /// must not be able to wipe out their guesses at other names.
    pub(super) fn succeeded(&self, attempt: Attempt) {
        self.remember(&attempt.0[0]);
        let mut all = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        for one in attempt.0 {
            match &one {
                Counted::Address(_) => {
                    if let Some(failures) = all.get_mut(&one) {
                        failures.count = failures.count.saturating_sub(1);
                    }
                }
                Counted::Pair(..) | Counted::Name(_) => {
                    all.remove(&one);
                }
            }
        }
    }

    /// Whether this name has logged in from there of late.
    fn is_known(&self, pair: &Counted, now: Instant) -> bool {
        let Counted::Pair(name, address) = pair else {
            return false;
        };
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let last = known.get(&(name.clone(), *address));
        last.is_some_and(|last| now.duration_since(*last) < KNOWN)
    }

    fn remember(&self, pair: &Counted) {
        let Counted::Pair(name, address) = pair else {
            return;
        };
        let now = self.clocks.instant();
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.retain(|_, last| now.duration_since(*last) < KNOWN);
        let oldest = known.iter().min_by_key(|(_, last)| **last);
        if known.len() >= MOST_REMEMBERED
            && let Some((oldest, _)) = oldest
        {
            let oldest = oldest.clone();
            known.remove(&oldest);
        }
        known.insert((name.clone(), *address), now);
    }

    /// Whether the password is right, when its turn has come.
    pub(super) async fn verify(&self, password: String, hash: Option<String>) -> bool {
        let Ok(_turn) = self.hashing.acquire().await else {
            return false;
        };
        let work = move || password::verify(&password, hash.as_deref());
        tokio::task::spawn_blocking(work).await.unwrap_or(false)
    }
}

impl Failures {
    fn wait(&self, counted: &Counted, now: Instant) -> Option<Duration> {
        let (free, longest) = counted.patience();
        let over = self.count.checked_sub(free)?;
        let wait = FIRST_WAIT.saturating_mul(1 << over.min(20)).min(longest);
        wait.checked_sub(now.duration_since(self.last))
            .filter(|left| !left.is_zero())
    }
}

fn forget_oldest(all: &mut HashMap<Counted, Failures>) {
    let oldest = all.iter().min_by_key(|(_, failures)| failures.last);
    if let Some(oldest) = oldest.map(|(one, _)| one.clone()) {
        all.remove(&oldest);
    }
}
