//! Spends what a scan may spend: asked before anything is read or kept.

use std::{
    io::Read,
    time::{Duration, Instant},
};

use crate::{Limit, ScanLimits, Why};

/// Bytes that are asked for at a time, so that memory grows only with what is really there.
const CHUNK: usize = 64 << 10;

/// What a whole scan may spend and has not spent yet.
#[derive(Debug)]
pub(crate) struct Purse {
    limits: ScanLimits,
    /// Places that each job may name one by one.
    problems: u64,
    bytes: u64,
    entries: u64,
    components: u64,
    until: Instant,
}

impl Purse {
    /// For a scan of so many jobs.
    pub(crate) fn new(limits: ScanLimits, jobs: usize) -> Self {
        let now = Instant::now();
        let until = now.checked_add(Duration::from_secs(limits.seconds));
        Self {
            limits,
            problems: share(limits.problems, jobs),
            bytes: limits.bytes,
            entries: limits.entries,
            components: limits.components,
            // A time beyond all times is as good as a very long one.
            until: until.unwrap_or(now + Duration::from_hours(365 * 24)),
        }
    }

    /// What one of so many jobs that are still to come may spend: its part of what is left.
    pub(crate) fn share(&self, jobs: usize) -> Budget {
        let now = Instant::now();
        let left = self.until.saturating_duration_since(now);
        let part = left / u32::try_from(jobs.max(1)).unwrap_or(u32::MAX);
        let limits = ScanLimits {
            bytes: share(self.bytes, jobs),
            entries: share(self.entries, jobs),
            components: share(self.components, jobs),
            problems: self.problems,
            seconds: part.as_secs() + u64::from(part.subsec_nanos() > 0),
            ..self.limits
        };
        Budget {
            limits,
            bytes: limits.bytes,
            entries: limits.entries,
            components: limits.components,
            known: limits.components,
            held: 0,
            until: now + part,
        }
    }

    /// What a job may spend that begins once more: as before, and its part of what is left on top of that. What it
    /// has read it need not read again.
    pub(crate) fn share_on_top_of(&self, before: &Budget, jobs: usize) -> Budget {
        let mut budget = self.share(jobs);
        budget.entries += before.entries_spent();
        budget.limits.entries = budget.entries;
        budget.components += before.components_spent();
        budget.limits.components = budget.components;
        budget
    }

    /// Takes what a job has spent.
    pub(crate) fn spend(&mut self, budget: &Budget) {
        self.bytes = self.bytes.saturating_sub(budget.bytes_spent());
        self.entries = self.entries.saturating_sub(budget.entries_spent());
        self.components = self.components.saturating_sub(budget.components_spent());
    }

    /// Gives back entries and components of a job that has begun once more, and has spent them again.
    pub(crate) fn refund(&mut self, before: &Budget) {
        self.entries = self.entries.saturating_add(before.entries_spent());
        self.components = self.components.saturating_add(before.components_spent());
    }
}

fn share(of: u64, jobs: usize) -> u64 {
    of.div_ceil(jobs.max(1) as u64)
}

/// What one job may still spend.
#[derive(Debug)]
pub(crate) struct Budget {
    pub(crate) limits: ScanLimits,
    bytes: u64,
    entries: u64,
    components: u64,
    /// Components that were known before and may be listed when no new one may be.
    known: u64,
    held: u64,
    until: Instant,
}

impl Budget {
    fn bytes_spent(&self) -> u64 {
        self.limits.bytes - self.bytes
    }

    fn entries_spent(&self) -> u64 {
        self.limits.entries - self.entries
    }

    fn components_spent(&self) -> u64 {
        self.limits.components - self.components
    }

    /// Whether a job that this limit cut short with another budget comes further with this one.
    pub(crate) fn gets_further_than(&self, before: &Self, limit: Limit) -> bool {
        let more = match limit {
            Limit::Bytes => self.bytes > 0,
            Limit::Entries => self.limits.entries > before.limits.entries,
            Limit::Components => self.limits.components > before.limits.components,
            _ => true,
        };
        more && self.time().is_ok()
    }

    /// One more component is listed. One that was known before may be, where a new one may not.
    pub(crate) fn component(&mut self, is_known: bool) -> Result<(), Why> {
        if let Some(left) = self.components.checked_sub(1) {
            self.components = left;
        } else if is_known && self.known > 0 {
            self.known -= 1;
        } else {
            return Err(Why::limit(Limit::Components, self.limits.components));
        }
        Ok(())
    }

    /// One more file, folder or entry is looked at.
    pub(crate) fn entry(&mut self) -> Result<(), Why> {
        self.time()?;
        self.entries = self
            .entries
            .checked_sub(1)
            .ok_or_else(|| Why::limit(Limit::Entries, self.limits.entries))?;
        Ok(())
    }

    /// Refuses when the time is over.
    pub(crate) fn time(&self) -> Result<(), Why> {
        if Instant::now() >= self.until {
            return Err(Why::limit(Limit::Seconds, self.limits.seconds));
        }
        Ok(())
    }

    /// Reads to the end, but never more than `most` bytes, whatever was announced.
    pub(crate) fn read(
        &mut self,
        mut from: impl Read,
        limit: Limit,
        most: u64,
    ) -> Result<Vec<u8>, Why> {
        let mut bytes = Vec::new();
        let mut chunk = vec![0; CHUNK];
        loop {
            self.time()?;
            let read = match from.read(&mut chunk) {
                Ok(0) => return Ok(bytes),
                Ok(read) => read,
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(Why::io(&error)),
            };
            self.spend(read as u64)?;
            if (bytes.len() + read) as u64 > most {
                return Err(Why::limit(limit, most));
            }
            bytes.extend_from_slice(&chunk[..read]);
        }
    }

    /// Reads once, into a buffer that is there.
    pub(crate) fn read_some(
        &mut self,
        mut from: impl Read,
        buffer: &mut [u8],
    ) -> Result<usize, Why> {
        loop {
            self.time()?;
            match from.read(buffer) {
                Ok(read) => {
                    self.spend(read as u64)?;
                    return Ok(read);
                }
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) => return Err(Why::io(&error)),
            }
        }
    }

    fn spend(&mut self, bytes: u64) -> Result<(), Why> {
        let left = self.bytes.checked_sub(bytes);
        self.bytes = left.unwrap_or(0);
        left.map(drop)
            .ok_or_else(|| Why::limit(Limit::Bytes, self.limits.bytes))
    }

    /// Reads an archive inside another; what it takes counts until [`Budget::release`].
    pub(crate) fn hold(&mut self, from: impl Read) -> Result<Vec<u8>, Why> {
        let left = self.limits.nested_bytes.saturating_sub(self.held);
        let bytes = self.read(from, Limit::NestedBytes, left);
        let bytes = bytes.map_err(|why| match why {
            // Named as it is configured, not as it was left.
            Why::Limit {
                limit: Limit::NestedBytes,
                ..
            } => Why::limit(Limit::NestedBytes, self.limits.nested_bytes),
            other => other,
        })?;
        self.held += bytes.len() as u64;
        Ok(bytes)
    }

    /// Keeps what was read as long as the archives that are held; it counts until [`Budget::release`].
    pub(crate) fn keep(&mut self, bytes: Vec<u8>) -> Result<Vec<u8>, Why> {
        let held = self.held.saturating_add(bytes.len() as u64);
        if held > self.limits.nested_bytes {
            return Err(Why::limit(Limit::NestedBytes, self.limits.nested_bytes));
        }
        self.held = held;
        Ok(bytes)
    }

    /// Gives back what was held.
    pub(crate) fn release(&mut self, bytes: Vec<u8>) {
        self.held = self.held.saturating_sub(bytes.len() as u64);
    }
}
