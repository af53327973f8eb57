//! The journal of applications: what is under way, and what became of it.
//!
//! A state is written, and has reached the disk, before the step that it announces begins.

use std::path::Path;

use jiff::Timestamp;
use spacecp_contract::DocumentId;
use sqlx::{Sqlite, query::Query, sqlite::SqliteArguments};

use super::{
    ApplyError, Operation, Outcome,
    disk::Disk,
    journal_copy::JournalCopy,
    record::{Acting, record},
};
use entry::{entry, insert};
use spacecp_store::{Store, StoreError};

mod entry;
mod state;

pub(super) use entry::Entry;
pub(super) use state::State;

#[derive(Debug, Clone)]
pub(super) struct Journal {
    copy: JournalCopy,
    store: Store,
    /// Who brings applications to their end, for the audit log.
    acting: Acting,
    disk: Disk,
}

impl Journal {
    pub(super) fn new(store: Store) -> Self {
        Self {
            copy: JournalCopy::of(&store),
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

    /// Whether this is the copy of a journal that is damaged: it may be behind.
    pub(super) fn stands_in(&self) -> bool {
        self.copy.stands_in()
    }

    /// Makes good what an earlier process could not copy.
    pub(super) async fn copy(&self) {
        self.copy.take().await;
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
        self.write(State::Planned.word(), plan, written).await?;
        self.copy.take().await;
        Ok(())
    }

    pub(super) async fn state(&self, id: &str, state: State) -> Result<(), ApplyError> {
        tracing::info!(
            application = id,
            state = state.word(),
            "apply run changed state"
        );
        let statement = sqlx::query("UPDATE applications SET state = ? WHERE id = ?")
            .bind(state.word())
            .bind(id);
        self.execute(state.word(), id, statement).await?;
        if state.decides() {
            self.copy.take().await;
        }
        Ok(())
    }

    /// Notes that the trees are about to be exchanged, and what time it is there.
    pub(super) async fn swapping(&self, id: &str, exchanged: i64) -> Result<(), ApplyError> {
        let word = State::Swapping.word();
        tracing::info!(application = id, state = word, "apply run changed state");
        let statement =
            sqlx::query("UPDATE applications SET state = ?, exchanged = ? WHERE id = ?")
                .bind(word)
                .bind(exchanged)
                .bind(id);
        self.execute(word, id, statement).await?;
        self.copy.take().await;
        Ok(())
    }

    /// Notes that an application is about to be rolled back, whether the component is to run in the end,
    /// and what time it was there before anybody looked what would be lost.
    pub(super) async fn rolling_back(
        &self,
        id: &str,
        owes_start: bool,
        exchanged: i64,
    ) -> Result<(), ApplyError> {
        let word = State::RollingBack.word();
        tracing::info!(
            application = id,
            state = word,
            owes_start,
            "apply run changed state"
        );
        let statement = sqlx::query(
            "UPDATE applications SET state = ?, owes_start = ?, exchanged = ? WHERE id = ?",
        )
        .bind(word)
        .bind(owes_start)
        .bind(exchanged)
        .bind(id);
        self.execute(word, id, statement).await?;
        self.copy.take().await;
        Ok(())
    }

    /// Notes that a component is about to be stopped, and whether it is to run in the end.
    pub(super) async fn stopping(&self, id: &str, owes_start: bool) -> Result<(), ApplyError> {
        let word = State::Stopping.word();
        tracing::info!(
            application = id,
            state = word,
            owes_start,
            "apply run changed state"
        );
        let statement =
            sqlx::query("UPDATE applications SET state = ?, owes_start = ? WHERE id = ?")
                .bind(word)
                .bind(owes_start)
                .bind(id);
        self.execute(word, id, statement).await?;
        self.copy.take().await;
        Ok(())
    }

    /// Notes that everything of a plan is live for good, at once.
    pub(super) async fn commit(&self, plan: &str, now: Timestamp) -> Result<(), ApplyError> {
        tracing::info!(plan, "plan committed");
        let written = self.commit_now(plan, now);
        self.write(State::Committed.word(), plan, written).await?;
        self.copy.take().await;
        Ok(())
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
        self.execute("new-tree", id, statement).await?;
        self.copy.take().await;
        Ok(())
    }

    pub(super) async fn end(
        &self,
        id: &str,
        state: State,
        reason: Option<&str>,
        now: Timestamp,
    ) -> Result<(), ApplyError> {
        // The reason speaks of components and versions: the journal has it, and no log.
        tracing::info!(application = id, state = state.word(), "apply run ended");
        let written = self.end_now(id, state, reason, now);
        self.write(state.word(), id, written).await?;
        self.copy.take().await;
        Ok(())
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

    /// Applications, newest first.
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
