//! Spends what a scan may spend: asked before anything is read or kept.

use std::{
    io::Read,
    time::{Duration, Instant},
};

use crate::{Limit, ScanLimits, Why};

/// Bytes that are asked for at a time, so that memory grows only with what is really there.
const CHUNK: usize = 64 << 10;

/// What is left.
#[derive(Debug)]
pub(crate) struct Budget {
    pub(crate) limits: ScanLimits,
    bytes: u64,
    entries: u64,
    held: u64,
    until: Instant,
}

impl Budget {
    pub(crate) fn new(limits: ScanLimits) -> Self {
        let now = Instant::now();
        let until = now.checked_add(Duration::from_secs(limits.seconds));
        Self {
            limits,
            bytes: limits.bytes,
            entries: limits.entries,
            held: 0,
            // A time beyond all times is as good as a very long one.
            until: until.unwrap_or(now + Duration::from_hours(365 * 24)),
        }
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

    fn spend(&mut self, bytes: u64) -> Result<(), Why> {
        self.bytes = self
            .bytes
            .checked_sub(bytes)
            .ok_or_else(|| Why::limit(Limit::Bytes, self.limits.bytes))?;
        Ok(())
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
