//! Holds memory, tables and instances of a plugin within their limits, and remembers which one it
//! wanted to break.

use wasmtime::ResourceLimiter;

use crate::PluginLimits;

/// What a plugin has taken, and may take.
#[derive(Debug)]
pub(super) struct Limiter {
    limits: PluginLimits,
    memory: usize,
    table_elements: usize,
    refused: Option<(&'static str, usize)>,
}

impl Limiter {
    pub(super) fn new(limits: PluginLimits) -> Self {
        Self {
            limits,
            memory: 0,
            table_elements: 0,
            refused: None,
        }
    }

    /// Bytes of memory that were taken; none are ever given back.
    pub(super) fn memory(&self) -> usize {
        self.memory
    }

    /// What was refused last, and its limit.
    pub(super) fn refused(&self) -> Option<(&'static str, usize)> {
        self.refused
    }
}

impl ResourceLimiter for Limiter {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let total = self.memory.saturating_add(desired.saturating_sub(current));
        if total > self.limits.memory || maximum.is_some_and(|maximum| desired > maximum) {
            self.refused = Some(("bytes of memory", self.limits.memory));
            return Ok(false);
        }
        self.memory = total;
        Ok(true)
    }

    fn table_growing(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let total = self
            .table_elements
            .saturating_add(desired.saturating_sub(current));
        if total > self.limits.table_elements || maximum.is_some_and(|maximum| desired > maximum) {
            self.refused = Some(("table elements", self.limits.table_elements));
            return Ok(false);
        }
        self.table_elements = total;
        Ok(true)
    }

    fn instances(&self) -> usize {
        self.limits.instances
    }

    fn tables(&self) -> usize {
        self.limits.instances
    }

    fn memories(&self) -> usize {
        self.limits.instances
    }
}
