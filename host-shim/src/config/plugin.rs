//! The plugin, and the limits that hold it.

use std::{path::PathBuf, time::Duration};

use serde::Deserialize;

/// The plugin to load.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct PluginConfig {
    /// Its signed manifest; the signatures lie beside it in `….minisig`.
    pub manifest: PathBuf,
    /// The component.
    pub component: PathBuf,
}

/// The limits that hold a plugin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct PluginLimits {
    /// Bytes of linear memory, all memories together.
    pub memory: usize,
    /// Entries of all tables together.
    pub table_elements: usize,
    /// Core instances, memories and tables that a component may consist of.
    pub instances: usize,
    /// Milliseconds of the guest's own time for one call.
    pub guest_time_ms: u64,
    /// Milliseconds for one call, host calls included.
    pub wall_clock_ms: u64,
    /// Bytes of stack.
    pub stack: usize,
    /// Bytes that one call may hand to the host in arguments of host calls.
    pub hostcall_fuel: usize,
    /// Entries of the resource table.
    pub resources: usize,
    /// Bytes of durable state.
    pub state: u64,
    /// Bytes of text on a page.
    pub page: usize,
    /// Log lines of one call.
    pub log_lines: u32,
    /// Bytes of a component.
    pub component: u64,
    /// Failures in a row after which the plugin is disabled.
    pub failures: u32,
}

impl Default for PluginLimits {
    fn default() -> Self {
        Self {
            memory: 256 << 20,
            table_elements: 100_000,
            instances: 16,
            guest_time_ms: 2_000,
            wall_clock_ms: 10_000,
            stack: 1 << 20,
            hostcall_fuel: 128 << 20,
            resources: 1_000,
            state: 64 << 20,
            page: 4 << 20,
            log_lines: 200,
            component: 32 << 20,
            failures: 3,
        }
    }
}

impl PluginLimits {
    /// The guest's own time.
    pub fn guest_time(&self) -> Duration {
        Duration::from_millis(self.guest_time_ms)
    }

    /// The time of a whole call.
    pub fn wall_clock(&self) -> Duration {
        Duration::from_millis(self.wall_clock_ms)
    }
}
