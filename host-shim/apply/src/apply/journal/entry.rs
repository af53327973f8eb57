//! One application as a row of the journal.

use std::path::PathBuf;

use jiff::Timestamp;
use spacecp_contract::{Digest, DocumentId};
use sqlx::{Row, Sqlite, Transaction, sqlite::SqliteRow};

use super::State;
use crate::apply::{Application, ApplyError};
use spacecp_store::StoreError;

/// One application as the journal has it.
#[derive(Debug, Clone)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a column of its own, and no two of them exclude each other"
)]
pub(in crate::apply) struct Entry {
    pub(in crate::apply) application: Application,
    pub(in crate::apply) state: State,
    pub(in crate::apply) folder: PathBuf,
    pub(in crate::apply) workspace: PathBuf,
    /// The inode of the new tree, once there is one: it says which tree is live.
    pub(in crate::apply) new_tree: Option<u64>,
    pub(in crate::apply) keep: Vec<String>,
    /// Every path that the correction names, with the digest that it has afterwards.
    pub(in crate::apply) changes: Vec<(String, Option<Digest>)>,
    /// The plan that it belongs to: what belongs to one succeeds or fails together.
    pub(in crate::apply) plan: String,
    /// Whether the component is stopped and started around the exchange.
    pub(in crate::apply) restarts: bool,
    /// Whether the panel is stopped with it, so that another process has to go on.
    pub(in crate::apply) panel: bool,
    /// Whether the old version may not cope with what the new one writes, as the vendor says.
    pub(in crate::apply) one_way: bool,
    /// The health check that the correction names.
    pub(in crate::apply) health: Option<String>,
    /// Whether the component ran before, and must run in the end.
    pub(in crate::apply) owes_start: bool,
    /// What the old tree takes up in bytes, once somebody has looked.
    pub(in crate::apply) old_bytes: Option<u64>,
    /// The time of the component's file system before its trees were last exchanged, in nanoseconds.
    pub(in crate::apply) exchanged: Option<i64>,
}

pub(super) async fn insert(
    entry: &Entry,
    transaction: &mut Transaction<'_, Sqlite>,
) -> Result<(), ApplyError> {
    let application = &entry.application;
    sqlx::query(
        "INSERT INTO applications (id, correction, revision, component, folder, workspace, version_from, version_to, state, began, by, keep, changes, plan, restarts, panel, one_way, health) \
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(&application.id)
    .bind(application.correction.as_str())
    .bind(application.revision.cast_signed())
    .bind(&application.component)
    .bind(entry.folder.to_string_lossy().as_ref())
    .bind(entry.workspace.to_string_lossy().as_ref())
    .bind(&application.from)
    .bind(&application.to)
    .bind(entry.state.word())
    .bind(application.began.as_second())
    .bind(&application.by)
    .bind(serde_json::to_string(&entry.keep).expect("a list of texts"))
    .bind(serde_json::to_string(&entry.changes).expect("a list of texts"))
    .bind(&entry.plan)
    .bind(entry.restarts)
    .bind(entry.panel)
    .bind(entry.one_way)
    .bind(&entry.health)
    .execute(&mut **transaction)
    .await?;
    Ok(())
}

pub(super) fn entry(row: &SqliteRow) -> Result<Entry, ApplyError> {
    let damaged = |what: &str| {
        ApplyError::Store(StoreError::Panel(format!(
            "the journal has an unreadable {what}"
        )))
    };
    let text = |column: &str| row.try_get::<String, _>(column);
    let time = |second: i64| Timestamp::from_second(second).map_err(|_| damaged("time"));
    let state = State::from_word(&text("state")?).ok_or_else(|| damaged("state"))?;
    let ended: Option<i64> = row.try_get("ended")?;
    Ok(Entry {
        application: Application {
            id: text("id")?,
            correction: DocumentId::new(text("correction")?).map_err(|_| damaged("correction"))?,
            revision: row.try_get::<i64, _>("revision")?.cast_unsigned(),
            component: text("component")?,
            from: text("version_from")?,
            to: text("version_to")?,
            began: time(row.try_get("began")?)?,
            ended: ended.map(time).transpose()?,
            by: text("by")?,
            outcome: state.outcome(),
            reason: row.try_get("reason")?,
            reversible: false,
        },
        state,
        folder: text("folder")?.into(),
        workspace: text("workspace")?.into(),
        new_tree: row
            .try_get::<Option<i64>, _>("new_tree")?
            .map(i64::cast_unsigned),
        keep: serde_json::from_str(&text("keep")?).map_err(|_| damaged("list of kept paths"))?,
        changes: serde_json::from_str(&text("changes")?).map_err(|_| damaged("list of changes"))?,
        plan: text("plan")?,
        restarts: row.try_get("restarts")?,
        panel: row.try_get("panel")?,
        one_way: row.try_get("one_way")?,
        health: row.try_get("health")?,
        owes_start: row.try_get("owes_start")?,
        old_bytes: row
            .try_get::<Option<i64>, _>("old_bytes")?
            .map(i64::cast_unsigned),
        exchanged: row.try_get("exchanged")?,
    })
}
