//! Tells when the trees of components were exchanged, and where those that were taken away are.
//!
//! May not: change anything, in the journal or on the disk.

use std::path::PathBuf;

use jiff::Timestamp;

use super::{Applier, ApplyError};
use spacecp_store::StoreError;

/// One exchange that lasts: of a correction that was applied, or rolled back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExchangedTree {
    /// The component.
    pub component: String,
    /// When its trees were last exchanged by this apply run.
    pub at: Timestamp,
    /// When the apply run began, if it was rolled back: what runs since before that runs the tree that is live again.
    pub unless_before: Option<Timestamp>,
    /// The version of the tree that was taken away.
    pub from: String,
    /// The directory that the tree was moved into, whether or not it is still there.
    pub moved_to: PathBuf,
}

/// Exchanges that are looked at: what runs is rarely older than the last few.
const NEWEST: u32 = 1_000;

impl Applier {
    /// The exchanges of all components, newest first.
    pub async fn exchanged_trees(&self) -> Result<Vec<ExchangedTree>, ApplyError> {
        type Row = (
            String,
            String,
            String,
            String,
            String,
            i64,
            Option<i64>,
            Option<i64>,
        );
        let rows: Vec<Row> = sqlx::query_as(
            "SELECT component, workspace, version_from, version_to, state, began, ended, exchanged FROM applications
             WHERE state IN ('committed', 'rolled-back') ORDER BY rowid DESC LIMIT ?",
        )
        .bind(NEWEST)
        .fetch_all(self.journal.store().pool())
        .await
        .map_err(StoreError::from)?;
        let told = |row: Row| {
            let (component, workspace, from, to, state, began, ended, exchanged) = row;
            let rolled_back = state == "rolled-back";
            let at = match exchanged {
                Some(nanoseconds) => Timestamp::from_nanosecond(nanoseconds.into()).ok(),
                // From before the time was written down.
                None => ended.and_then(|second| Timestamp::from_second(second).ok()),
            };
            Some(ExchangedTree {
                component,
                at: at?,
                unless_before: Timestamp::from_second(began).ok().filter(|_| rolled_back),
                from: if rolled_back { to } else { from },
                moved_to: PathBuf::from(workspace),
            })
        };
        Ok(rows.into_iter().filter_map(told).collect())
    }
}
