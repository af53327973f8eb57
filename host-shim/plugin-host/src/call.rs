//! What one call of the plugin has used up, and what it wants to remember.

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};

use super::{Services, StateWrite, host::Used, limiter::Limiter};
use crate::{PluginLimits, printable::one_line};

/// The longest log line in bytes.
const LONGEST_LINE: usize = 4 << 10;

/// Bytes that the log adds to each line: time, level, and the plugin's name.
const LINE_OVERHEAD: usize = 128;

/// Everything that the host knows about an instance: what its imports are answered from.
pub(super) struct HostState {
    pub(super) services: Arc<dyn Services>,
    pub(super) limiter: Limiter,
    pub(super) limits: PluginLimits,
    pub(super) plugin: String,
    pub(super) call: Call,
}

/// What the present call has used up.
#[derive(Debug)]
pub(super) struct Call {
    pub(super) name: &'static str,
    began: Instant,
    /// Time spent in the host on the guest's behalf.
    host_time: Duration,
    log_lines: u32,
    log_bytes: usize,
    log_lines_dropped: u64,
    /// What it has written, to be made durable when it returns.
    pub(super) writes: BTreeMap<String, Option<Vec<u8>>>,
    /// What the state takes, once that has been asked for.
    pub(super) state_used: Option<Used>,
}

impl Call {
    pub(super) fn new(name: &'static str) -> Self {
        Self {
            name,
            began: Instant::now(),
            host_time: Duration::ZERO,
            log_lines: 0,
            log_bytes: 0,
            log_lines_dropped: 0,
            writes: BTreeMap::new(),
            state_used: None,
        }
    }

    /// The guest's own time so far.
    pub(super) fn guest_time(&self) -> Duration {
        self.began.elapsed().saturating_sub(self.host_time)
    }

    pub(super) fn log_lines_dropped(&self) -> u64 {
        self.log_lines_dropped
    }

    pub(super) fn take_writes(&mut self) -> Vec<StateWrite> {
        std::mem::take(&mut self.writes)
            .into_iter()
            .map(|(key, value)| StateWrite { key, value })
            .collect()
    }
}

impl HostState {
    /// Waits for an answer; the wait is the host's time, not the guest's.
    pub(super) async fn ask<T>(&mut self, answer: impl Future<Output = T> + Send) -> T {
        let began = Instant::now();
        let answer = answer.await;
        self.call.host_time += began.elapsed();
        answer
    }

    /// The line to log, or none when the call has logged enough.
    ///
    /// Counted is what is written: after escaping, and with what the log itself adds to each line.
    pub(super) fn admit_line(&mut self, message: &str) -> Option<String> {
        let left = self.limits.log_bytes.saturating_sub(self.call.log_bytes);
        let most = left.saturating_sub(LINE_OVERHEAD).min(LONGEST_LINE);
        if self.call.log_lines == self.limits.log_lines || most == 0 {
            self.call.log_lines_dropped += 1;
            return None;
        }
        let line = one_line(message, most);
        self.call.log_lines += 1;
        self.call.log_bytes += LINE_OVERHEAD + line.len();
        Some(line)
    }
}
