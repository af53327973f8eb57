//! `log`: words for the operator's log.

use crate::{
    bindings::spacecp::advisories::log::{Host, Level},
    call::HostState,
};

impl Host for HostState {
    async fn write(&mut self, level: Level, message: String) {
        let Some(line) = self.admit_line(&message) else {
            return;
        };
        let plugin = self.plugin.as_str();
        match level {
            Level::Debug => tracing::debug!(plugin, "{line}"),
            Level::Info => tracing::info!(plugin, "{line}"),
            Level::Warn => tracing::warn!(plugin, "{line}"),
            Level::Error => tracing::error!(plugin, "{line}"),
        }
    }
}
