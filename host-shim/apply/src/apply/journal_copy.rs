//! A copy of the journal in a database of its own, for recovery and rollback when `store.sqlite` is damaged or lost.
//! The audit log goes with it, so that it goes on where it ended.
//!
//! It has the tables of `store.sqlite`, so that it can stand in for it. It is behind by what happened since the last
//! state that was copied: those are the states that decide which tree belongs where. Each copy makes good what an
//! earlier one could not write. May not: keep an application
//! from going on, whatever becomes of the copy.

use std::{path::PathBuf, sync::Arc};

use spacecp_store::{JOURNAL_COPY as COPY, Store, StoreError};
use sqlx::SqliteConnection;
use tokio::sync::OnceCell;

/// The copy; none where the journal is the copy itself.
#[derive(Debug, Clone)]
pub(super) struct JournalCopy(Option<Arc<Open>>);

#[derive(Debug)]
struct Open {
    original: PathBuf,
    copy: PathBuf,
    store: OnceCell<Store>,
}

impl JournalCopy {
    pub(super) fn of(store: &Store) -> Self {
        let original = store.path();
        let copy = original.with_file_name(COPY);
        Self((copy != original).then(|| {
            Arc::new(Open {
                original: original.to_owned(),
                copy,
                store: OnceCell::new(),
            })
        }))
    }

    /// Whether the journal is itself the copy, so that it may be behind.
    pub(super) fn stands_in(&self) -> bool {
        self.0.is_none()
    }

    /// Copies everything in which the copy differs from the journal.
    pub(super) async fn take(&self) {
        let Some(open) = &self.0 else { return };
        if let Err(error) = open.take().await {
            tracing::warn!(%error, copy = %open.copy.display(), "cannot copy the journal");
        }
    }
}

impl Open {
    async fn take(&self) -> Result<(), StoreError> {
        let store = self
            .store
            .get_or_try_init(|| Store::open_copy(&self.copy))
            .await?;
        let mut connection = store.pool().acquire().await?;
        sqlx::query("ATTACH DATABASE ? AS original")
            .bind(self.original.to_string_lossy().as_ref())
            .execute(&mut *connection)
            .await?;
        let mut copied: Result<(), sqlx::Error> = Ok(());
        for (table, key) in [("applications", "id"), ("audit_signed", "application")] {
            let done = copy_table(&mut connection, table, key).await;
            copied = copied.and(done);
        }
        copied = copied.and(copy_log(&mut connection).await);
        let detached = sqlx::query("DETACH DATABASE original");
        if let Err(error) = detached.persistent(false).execute(&mut *connection).await {
            // It would be attached twice otherwise.
            drop(connection.close().await);
            return Err(error.into());
        }
        Ok(copied?)
    }
}

/// Has a table of the copy be as that of the original. Rows stay where they are, because their order is that in which
/// applications began. A journal that was begun anew has nothing to say about what an earlier one had.
async fn copy_table(
    connection: &mut SqliteConnection,
    table: &str,
    key: &str,
) -> Result<(), sqlx::Error> {
    let columns: Vec<String> = sqlx::query_scalar("SELECT name FROM pragma_table_info(?)")
        .bind(table)
        .fetch_all(&mut *connection)
        .await?;
    let listed = |form: &dyn Fn(&String) -> String| {
        let forms: Vec<String> = columns.iter().map(form).collect();
        forms.join(", ")
    };
    let all = listed(&|column| format!("\"{column}\""));
    let new = listed(&|column| format!("\"{column}\" = excluded.\"{column}\""));
    let gone = format!(
        "DELETE FROM main.{table} WHERE {key} NOT IN (SELECT {key} FROM original.{table}) \
         AND EXISTS (SELECT 1 FROM original.{table})"
    );
    let other = format!(
        "INSERT INTO main.{table} ({all}) SELECT {all} FROM original.{table} WHERE {key} IN \
         (SELECT {key} FROM (SELECT {all} FROM original.{table} EXCEPT SELECT {all} FROM main.{table})) \
         ORDER BY rowid ON CONFLICT ({key}) DO UPDATE SET {new}"
    );
    for statement in [gone, other] {
        let query = sqlx::query(sqlx::AssertSqlSafe(statement)).persistent(false);
        query.execute(&mut *connection).await?;
    }
    Ok(())
}

/// Adds what was added to the audit log. A log that was written anew, as by a backup that was put back, is not mixed
/// with the one that the copy has.
async fn copy_log(connection: &mut SqliteConnection) -> Result<(), sqlx::Error> {
    let added = "INSERT INTO main.audit (number, entry, hash) \
         SELECT number, entry, hash FROM original.audit \
         WHERE number > (SELECT coalesce(max(number), 0) FROM main.audit) \
         AND (NOT EXISTS (SELECT 1 FROM main.audit) OR EXISTS (SELECT 1 FROM original.audit JOIN \
         (SELECT number AS last, hash AS its FROM main.audit ORDER BY number DESC LIMIT 1) \
         ON number = last AND hash = its)) ORDER BY number";
    let added = sqlx::query(added).persistent(false);
    added.execute(connection).await.map(drop)
}
