//! The journal of applications: what is under way, and what became of it.
//!
//! A state is written, and has reached the disk, before the step that it announces begins.

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use spacecp_contract::{Digest, DocumentId};
use sqlx::{
    Row, Sqlite,
    query::Query,
    sqlite::{SqliteArguments, SqliteRow},
};

use super::{Application, ApplyError, Operation, Outcome, disk::Disk};
use crate::store::{Store, StoreError};

/// Where an application is. The words are those of the journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    Planned,
    Staged,
    Verified,
    Swapping,
    Swapped,
    Committed,
    Failed,
    /// The check after the exchange failed, and the old tree is being put back.
    Undoing,
    RollingBack,
    RolledBack,
}

impl State {
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Planned => "planned",
            Self::Staged => "staged",
            Self::Verified => "verified",
            Self::Swapping => "swapping",
            Self::Swapped => "swapped",
            Self::Committed => "committed",
            Self::Failed => "failed",
            Self::Undoing => "undoing",
            Self::RollingBack => "rolling-back",
            Self::RolledBack => "rolled-back",
        }
    }

    fn from_word(word: &str) -> Option<Self> {
        [
            Self::Planned,
            Self::Staged,
            Self::Verified,
            Self::Swapping,
            Self::Swapped,
            Self::Committed,
            Self::Failed,
            Self::Undoing,
            Self::RollingBack,
            Self::RolledBack,
        ]
        .into_iter()
        .find(|state| state.word() == word)
    }

    /// Whether nothing more is to be done.
    pub(super) fn is_final(self) -> bool {
        matches!(self, Self::Committed | Self::Failed | Self::RolledBack)
    }

    fn outcome(self) -> Outcome {
        match self {
            Self::Committed => Outcome::Applied,
            Self::Failed => Outcome::Failed,
            Self::RolledBack => Outcome::RolledBack,
            _ => Outcome::InProgress,
        }
    }
}

/// One application as the journal has it.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub(super) application: Application,
    pub(super) state: State,
    pub(super) folder: PathBuf,
    pub(super) workspace: PathBuf,
    /// The inode of the new tree, once there is one: it says which tree is live.
    pub(super) new_tree: Option<u64>,
    pub(super) keep: Vec<String>,
    /// Every path that the correction names, with the digest that it has afterwards.
    pub(super) changes: Vec<(String, Option<Digest>)>,
}

#[derive(Debug, Clone)]
pub(super) struct Journal {
    store: Store,
    disk: Disk,
}

impl Journal {
    pub(super) fn new(store: Store) -> Self {
        let disk = Disk::default();
        Self { store, disk }
    }

    /// The same on a disk where faults happen.
    pub(super) fn on(self, disk: Disk) -> Self {
        Self { disk, ..self }
    }

    /// Carries out one statement that leads to the state of this name.
    async fn write(
        &self,
        word: &'static str,
        id: &str,
        statement: Query<'_, Sqlite, SqliteArguments>,
    ) -> Result<(), ApplyError> {
        let written = self.disk.act_slowly(
            Operation::Journal(word),
            Path::new(id),
            statement.execute(self.store.pool()),
            sqlx::Error::Io,
        );
        written.await?;
        Ok(())
    }

    pub(super) async fn begin(&self, entry: &Entry) -> Result<(), ApplyError> {
        let application = &entry.application;
        let statement = sqlx::query(
            "INSERT INTO applications (id, correction, revision, component, folder, workspace, version_from, version_to, state, began, by, keep, changes) \
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
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
        .bind(serde_json::to_string(&entry.changes).expect("a list of texts"));
        self.write(entry.state.word(), &application.id, statement)
            .await
    }

    pub(super) async fn state(&self, id: &str, state: State) -> Result<(), ApplyError> {
        tracing::info!(
            application = id,
            state = state.word(),
            "the application goes on"
        );
        let statement = sqlx::query("UPDATE applications SET state = ? WHERE id = ?")
            .bind(state.word())
            .bind(id);
        self.write(state.word(), id, statement).await
    }

    /// Notes which tree is the new one.
    pub(super) async fn new_tree(&self, id: &str, inode: u64) -> Result<(), ApplyError> {
        let statement = sqlx::query("UPDATE applications SET new_tree = ? WHERE id = ?")
            .bind(inode.cast_signed())
            .bind(id);
        self.write("new-tree", id, statement).await
    }

    pub(super) async fn end(
        &self,
        id: &str,
        state: State,
        reason: Option<&str>,
        now: Timestamp,
    ) -> Result<(), ApplyError> {
        tracing::info!(
            application = id,
            state = state.word(),
            reason,
            "the application has ended"
        );
        let statement =
            sqlx::query("UPDATE applications SET state = ?, reason = ?, ended = ? WHERE id = ?")
                .bind(state.word())
                .bind(reason.map(str::to_owned))
                .bind(now.as_second())
                .bind(id);
        self.write(state.word(), id, statement).await
    }

    pub(super) async fn entry(&self, id: &str) -> Result<Option<Entry>, ApplyError> {
        let row = sqlx::query("SELECT * FROM applications WHERE id = ?")
            .bind(id)
            .fetch_optional(self.store.pool())
            .await?;
        row.map(|row| entry(&row)).transpose()
    }

    /// Applications that have not ended.
    pub(super) async fn unfinished(&self) -> Result<Vec<Entry>, ApplyError> {
        let rows = sqlx::query("SELECT * FROM applications WHERE state NOT IN ('committed', 'failed', 'rolled-back') ORDER BY began, id")
            .fetch_all(self.store.pool())
            .await?;
        rows.iter().map(entry).collect()
    }

    /// Applications, newest first.
    pub(super) async fn newest(&self, limit: u32) -> Result<Vec<Entry>, ApplyError> {
        let rows =
            sqlx::query("SELECT * FROM applications ORDER BY began DESC, rowid DESC LIMIT ?")
                .bind(limit)
                .fetch_all(self.store.pool())
                .await?;
        rows.iter().map(entry).collect()
    }

    /// Applications of a component, newest first.
    pub(super) async fn of_component(&self, component: &str) -> Result<Vec<Entry>, ApplyError> {
        let rows = sqlx::query(
            "SELECT * FROM applications WHERE component = ? ORDER BY began DESC, rowid DESC",
        )
        .bind(component)
        .fetch_all(self.store.pool())
        .await?;
        rows.iter().map(entry).collect()
    }
}

fn entry(row: &SqliteRow) -> Result<Entry, ApplyError> {
    let damaged = |what: &str| {
        ApplyError::Store(StoreError::Damaged(format!(
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
    })
}
