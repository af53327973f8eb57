//! How corrections are applied.

use std::path::PathBuf;

use serde::Deserialize;

use crate::apply::OldTrees;

/// How corrections are applied.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct ApplyConfig {
    /// The program `spacecp-advisories`: a panel that embeds the library needs it where a correction
    /// restarts the panel itself, as something has to go on meanwhile. The program knows itself.
    pub program: Option<PathBuf>,
    /// Days for which the old tree of an application stays beside the component; until then it can
    /// be taken back.
    pub keep_old_trees_days: u32,
    /// Bytes that all old trees together may take up. The oldest go first, but never the one that a
    /// component can be taken back to.
    pub keep_old_trees_bytes: u64,
}

impl Default for ApplyConfig {
    fn default() -> Self {
        Self {
            program: None,
            keep_old_trees_days: 30,
            keep_old_trees_bytes: 10 << 30,
        }
    }
}

impl ApplyConfig {
    /// How long old trees stay.
    pub fn old_trees(&self) -> OldTrees {
        OldTrees {
            days: self.keep_old_trees_days,
            bytes: self.keep_old_trees_bytes,
        }
    }
}
