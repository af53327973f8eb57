//! How corrections are applied.

use std::path::PathBuf;

use serde::Deserialize;
use utoipa::ToSchema;

use crate::apply::OldTrees;

/// How corrections are applied and how long old trees are kept.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct ApplyConfig {
    /// Path of the program `spacecp-advisories`, which finishes a correction that restarts the panel itself. Only a
    /// panel that embeds the library sets it; the program knows its own path.
    #[schema(value_type = Option<String>, format = "path")]
    pub program: Option<PathBuf>,
    /// Days for which the old tree of an apply run is kept. A rollback needs that tree.
    pub keep_old_trees_days: u32,
    /// Bytes that all old trees may take together. The oldest are removed first, but never the newest of a component.
    pub keep_old_trees_bytes: u64,
    /// Directory for locks, new trees and old trees, instead of one beside each component. It must be on the file
    /// system and mount of the components, belong to the panel's user and have mode 0700.
    #[schema(value_type = Option<String>, format = "path")]
    pub workspace: Option<PathBuf>,
}

impl Default for ApplyConfig {
    fn default() -> Self {
        Self {
            program: None,
            keep_old_trees_days: 30,
            keep_old_trees_bytes: 10 << 30,
            workspace: None,
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
