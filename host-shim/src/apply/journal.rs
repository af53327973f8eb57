//! The journal of applications: what is under way, and what became of it.
//!
//! A state is written, and has reached the disk, before the step that it announces begins.

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use spacecp_contract::{Digest, DocumentId};
use sqlx::{
    Row, Sqlite, Transaction,
    query::Query,
    sqlite::{SqliteArguments, SqliteRow},
};

use super::{
    Application, ApplyError, Operation, Outcome,
    disk::Disk,
    record::{Acting, record},
};
use crate::store::{Store, StoreError};

/// Where an application is. The words are those of the journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    Planned,
    Staged,
    Verified,
    Stopping,
    Stopped,
    Swapping,
    Swapped,
    Starting,
    Started,
    Healthy,
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
            Self::Stopping => "stopping",
            Self::Stopped => "stopped",
            Self::Swapping => "swapping",
            Self::Swapped => "swapped",
            Self::Starting => "starting",
            Self::Started => "started",
            Self::Healthy => "healthy",
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
            Self::Stopping,
            Self::Stopped,
            Self::Swapping,
            Self::Swapped,
            Self::Starting,
            Self::Started,
            Self::Healthy,
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
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a column of its own, and no two of them exclude each other"
)]
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
    /// The plan that it belongs to: what belongs to one succeeds or fails together.
    pub(super) plan: String,
    /// Whether the component is stopped and started around the exchange.
    pub(super) restarts: bool,
    /// Whether the panel is stopped with it, so that another process has to go on.
    pub(super) panel: bool,
    /// Whether the old version may not cope with what the new one writes, as the vendor says.
    pub(super) one_way: bool,
    /// The health check that the correction names.
    pub(super) health: Option<String>,
    /// Whether the component ran before, and must run in the end.
    pub(super) owes_start: bool,
    /// What the old tree takes up in bytes, once somebody has looked.
    pub(super) old_bytes: Option<u64>,
}

#[derive(Debug, Clone)]
pub(super) struct Journal {
    store: Store,
    /// Who brings applications to their end, for the audit log.
    acting: Acting,
    disk: Disk,
}

impl Journal {
    pub(super) fn new(store: Store) -> Self {
        Self {
            store,
            acting: Acting::default(),
            disk: Disk::default(),
        }
    }

    /// The same for somebody else than whoever began an application.
    pub(super) fn acting(&self, acting: Acting) -> Self {
        Self {
            acting,
            ..self.clone()
        }
    }

    /// The same on a disk where faults happen.
    pub(super) fn on(self, disk: Disk) -> Self {
        Self { disk, ..self }
    }

    /// Writes to the journal as one action, that is named by the state to which it leads.
    pub(super) async fn write(
        &self,
        word: &'static str,
        id: &str,
        written: impl Future<Output = Result<(), ApplyError>>,
    ) -> Result<(), ApplyError> {
        let failed = |error| sqlx::Error::Io(error).into();
        let operation = Operation::Journal(word);
        self.disk
            .act_slowly(operation, Path::new(id), written, failed)
            .await
    }

    /// The same for a single statement.
    async fn execute(
        &self,
        word: &'static str,
        id: &str,
        statement: Query<'_, Sqlite, SqliteArguments>,
    ) -> Result<(), ApplyError> {
        let written = async {
            statement.execute(self.store.pool()).await?;
            Ok(())
        };
        self.write(word, id, written).await
    }

    pub(super) fn store(&self) -> &Store {
        &self.store
    }

    /// Notes everything that belongs to one plan, at once.
    pub(super) async fn begin(&self, entries: &[&Entry]) -> Result<(), ApplyError> {
        let plan = entries.first().map_or("", |entry| entry.plan.as_str());
        let written = async {
            let mut transaction = self.store.pool().begin().await?;
            for entry in entries {
                insert(entry, &mut transaction).await?;
            }
            transaction.commit().await?;
            Ok(())
        };
        self.write(State::Planned.word(), plan, written).await
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
        self.execute(state.word(), id, statement).await
    }

    /// Notes that a component is about to be stopped, and whether it is to run in the end.
    pub(super) async fn stopping(
        &self,
        id: &str,
        state: State,
        owes_start: bool,
    ) -> Result<(), ApplyError> {
        tracing::info!(
            application = id,
            state = state.word(),
            owes_start,
            "the application goes on"
        );
        let statement =
            sqlx::query("UPDATE applications SET state = ?, owes_start = ? WHERE id = ?")
                .bind(state.word())
                .bind(owes_start)
                .bind(id);
        self.execute(state.word(), id, statement).await
    }

    /// Notes that everything of a plan is live for good, at once.
    pub(super) async fn commit(&self, plan: &str, now: Timestamp) -> Result<(), ApplyError> {
        tracing::info!(plan, "the plan has been carried out");
        let written = self.commit_now(plan, now);
        self.write(State::Committed.word(), plan, written).await
    }

    async fn commit_now(&self, plan: &str, now: Timestamp) -> Result<(), ApplyError> {
        // Neither is there without the other: the end, and its entry in the audit log.
        let mut transaction = self.store.pool().begin_with("BEGIN IMMEDIATE").await?;
        let rows = sqlx::query("UPDATE applications SET state = 'committed', ended = ? WHERE plan = ? AND state = 'healthy' RETURNING *")
            .bind(now.as_second())
            .bind(plan)
            .fetch_all(&mut *transaction)
            .await?;
        for row in rows {
            let ended = entry(&row)?.application;
            record(
                &mut transaction,
                &ended,
                State::Committed,
                &self.acting,
                now,
            )
            .await?;
        }
        transaction.commit().await?;
        Ok(())
    }

    /// Notes which tree is the new one.
    pub(super) async fn new_tree(&self, id: &str, inode: u64) -> Result<(), ApplyError> {
        let statement = sqlx::query("UPDATE applications SET new_tree = ? WHERE id = ?")
            .bind(inode.cast_signed())
            .bind(id);
        self.execute("new-tree", id, statement).await
    }

    pub(super) async fn end(
        &self,
        id: &str,
        state: State,
        reason: Option<&str>,
        now: Timestamp,
    ) -> Result<(), ApplyError> {
        // The reason speaks of components and versions: the journal has it, and no log.
        tracing::info!(
            application = id,
            state = state.word(),
            "the application has ended"
        );
        let written = self.end_now(id, state, reason, now);
        self.write(state.word(), id, written).await
    }

    async fn end_now(
        &self,
        id: &str,
        state: State,
        reason: Option<&str>,
        now: Timestamp,
    ) -> Result<(), ApplyError> {
        // Neither is there without the other: the end, and its entry in the audit log.
        let mut transaction = self.store.pool().begin_with("BEGIN IMMEDIATE").await?;
        let row = sqlx::query(
            "UPDATE applications SET state = ?, reason = ?, ended = ?, old_bytes = NULL WHERE id = ? RETURNING *",
        )
        .bind(state.word())
        .bind(reason)
        .bind(now.as_second())
        .bind(id)
        .fetch_optional(&mut *transaction)
        .await?;
        if let Some(row) = row {
            let ended = entry(&row)?.application;
            record(&mut transaction, &ended, state, &self.acting, now).await?;
        }
        transaction.commit().await?;
        Ok(())
    }

    pub(super) async fn entry(&self, id: &str) -> Result<Option<Entry>, ApplyError> {
        let row = sqlx::query("SELECT * FROM applications WHERE id = ?")
            .bind(id)
            .fetch_optional(self.store.pool())
            .await?;
        row.map(|row| entry(&row)).transpose()
    }

    /// Applications that have not ended, the latest first: what came last is undone first.
    pub(super) async fn unfinished(&self) -> Result<Vec<Entry>, ApplyError> {
        let rows = sqlx::query("SELECT * FROM applications WHERE state NOT IN ('committed', 'failed', 'rolled-back') ORDER BY rowid DESC")
            .fetch_all(self.store.pool())
            .await?;
        rows.iter().map(entry).collect()
    }

    /// Applications that were carried out, whether or not they were taken back, newest first.
    pub(super) async fn carried_out(&self) -> Result<Vec<Entry>, ApplyError> {
        let rows = sqlx::query("SELECT * FROM applications WHERE state IN ('committed', 'rolled-back') ORDER BY rowid DESC")
            .fetch_all(self.store.pool())
            .await?;
        rows.iter().map(entry).collect()
    }

    /// Notes what an old tree takes up.
    pub(super) async fn old_bytes(&self, id: &str, bytes: u64) -> Result<(), ApplyError> {
        let statement = sqlx::query("UPDATE applications SET old_bytes = ? WHERE id = ?")
            .bind(bytes.cast_signed())
            .bind(id);
        self.execute("old-bytes", id, statement).await
    }

    /// Applications, newest first.
    /// How many applications came to each outcome.
    pub(super) async fn outcomes(&self) -> Result<Vec<(Outcome, u64)>, ApplyError> {
        let rows: Vec<(String, i64)> =
            sqlx::query_as("SELECT state, count(*) FROM applications GROUP BY state")
                .fetch_all(self.store.pool())
                .await
                .map_err(StoreError::from)?;
        let of = |outcome: Outcome| {
            let fit = rows.iter().filter(|(word, _)| {
                State::from_word(word).map_or(Outcome::InProgress, State::outcome) == outcome
            });
            (outcome, fit.map(|(_, count)| count.cast_unsigned()).sum())
        };
        Ok(Outcome::ALL.map(of).into())
    }

    pub(super) async fn newest(&self, limit: u32) -> Result<Vec<Entry>, ApplyError> {
        let rows =
            sqlx::query("SELECT * FROM applications ORDER BY began DESC, rowid DESC LIMIT ?")
                .bind(limit)
                .fetch_all(self.store.pool())
                .await?;
        rows.iter().map(entry).collect()
    }

    /// The correction of an application.
    pub(super) async fn correction_of(&self, id: &str) -> Result<Option<DocumentId>, ApplyError> {
        let row = sqlx::query("SELECT * FROM applications WHERE id = ?")
            .bind(id)
            .fetch_optional(self.store.pool())
            .await?;
        let entry = row.as_ref().map(entry).transpose()?;
        Ok(entry.map(|entry| entry.application.correction))
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

async fn insert(
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
        plan: text("plan")?,
        restarts: row.try_get("restarts")?,
        panel: row.try_get("panel")?,
        one_way: row.try_get("one_way")?,
        health: row.try_get("health")?,
        owes_start: row.try_get("owes_start")?,
        old_bytes: row
            .try_get::<Option<i64>, _>("old_bytes")?
            .map(i64::cast_unsigned),
    })
}
