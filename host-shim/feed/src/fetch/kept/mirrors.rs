//! The mirrors of one run, and how each has done so far.
//!
//! A mirror that stays just within the limit of each file, file after file, would hold an apply run for hours. So it
//! has one time limit for all of them, which grows only with verified bytes, and is not asked again once that is over.
//!
//! May not: fetch anything.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use super::super::{FetchError, Source, payload::PayloadTime};

/// Mirrors in the order in which they are configured.
#[derive(Debug)]
pub(super) struct Mirrors(Vec<Mirror>);

/// One mirror.
#[derive(Debug)]
pub(super) struct Mirror {
    source: Arc<Source>,
    record: Mutex<Record>,
}

/// What a mirror has done in this run.
#[derive(Debug, Default)]
struct Record {
    /// Time that was spent waiting for it.
    spent: Duration,
    /// Bytes of the payloads that it delivered.
    verified: u64,
    failures: u32,
    /// The last failure, in words.
    last: Option<String>,
    is_too_slow: bool,
}

impl Mirrors {
    pub(super) fn new(sources: Vec<Arc<Source>>) -> Self {
        let mirrors = sources.into_iter().map(|source| Mirror {
            source,
            record: Mutex::default(),
        });
        Self(mirrors.collect())
    }

    /// As configured, but those that failed least come first.
    pub(super) fn in_order(&self) -> Vec<&Mirror> {
        let mut mirrors: Vec<_> = self.0.iter().collect();
        mirrors.sort_by_key(|mirror| mirror.now().failures);
        mirrors
    }
}

impl Mirror {
    pub(super) fn source(&self) -> &Arc<Source> {
        &self.source
    }

    /// The time that is left for a payload of so many bytes; an error if there is none.
    pub(super) fn time_for(&self, length: u64) -> Result<PayloadTime, FetchError> {
        let record = self.now();
        let Some(patience) = self.source.patience() else {
            return Ok(PayloadTime::unlimited());
        };
        let allowed = patience.for_payloads(record.verified.saturating_add(length));
        let left = allowed.saturating_sub(record.spent);
        if record.is_too_slow || (left.is_zero() && !record.spent.is_zero()) {
            return Err(FetchError::LeftOut {
                verified: record.verified,
                spent: record.spent,
                last: record.last.clone().unwrap_or_default(),
            });
        }
        Ok(PayloadTime::of(left))
    }

    /// Takes note of what became of a payload of so many bytes, and of the time that it took.
    pub(super) fn record(&self, length: u64, spent: Duration, brought: &Result<(), FetchError>) {
        let mut record = self.now();
        record.spent = record.spent.saturating_add(spent);
        match brought {
            Ok(()) => record.verified = record.verified.saturating_add(length),
            Err(error) => {
                record.failures = record.failures.saturating_add(1);
                record.is_too_slow |= matches!(error, FetchError::TooSlow { .. });
                record.last = Some(error.to_string());
            }
        }
    }

    fn now(&self) -> MutexGuard<'_, Record> {
        self.record.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
