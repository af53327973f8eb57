//! The plugin, and the limits that hold it.

use std::{path::PathBuf, time::Duration};

use serde::Deserialize;
use utoipa::ToSchema;

/// The plugin that computes verdicts, plans and pages.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct PluginConfig {
    /// File of the plugin's signed manifest, with its signatures beside it in `….minisig`.
    #[schema(value_type = String, format = "path")]
    pub manifest: PathBuf,
    /// File of the plugin, a WebAssembly component.
    #[schema(value_type = String, format = "path")]
    pub component: PathBuf,
}

/// Limits of the plugin's sandbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct PluginLimits {
    /// Bytes of linear memory, all memories together.
    pub memory: usize,
    /// Entries of all tables together.
    pub table_elements: usize,
    /// Core instances, memories and tables that the component may have.
    pub instances: usize,
    /// Milliseconds that the plugin itself may compute in one call.
    pub guest_time_ms: u64,
    /// Milliseconds that one call may take, host calls included.
    pub wall_clock_ms: u64,
    /// Bytes of stack.
    pub stack: usize,
    /// Bytes that one call may pass to the host in arguments of host calls.
    pub hostcall_fuel: usize,
    /// Entries of the resource table.
    pub resources: usize,
    /// Bytes of stored state: keys, values, 128 bytes for each entry, and removals until the call returns.
    pub state: u64,
    /// Bytes of a page as it is sent, escaping and markup included.
    pub page: usize,
    /// Log lines that one call may write.
    pub log_lines: u32,
    /// Bytes that one call may write to the log.
    pub log_bytes: usize,
    /// Bytes of the component's file.
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
            page: 16 << 20,
            log_lines: 200,
            log_bytes: 32 << 10,
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
