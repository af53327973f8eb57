//! What the plugin wants to remember, and which release of it ran last.

use sqlx::{Row, SqliteConnection};

use super::{
    Store, StoreError,
    feed::{signed, unsigned},
};

/// A release that ran here, and the sequence epoch of the root of that time. Compared as the numbers that they are:
/// to SQLite the upper half of them is negative.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Release {
    epoch: u64,
    release: u64,
}

impl Store {
    /// The release of a plugin that ran here last; none if that was before a root started afresh, for whoever
    /// had the plugin's key may have used the numbers up.
    pub async fn plugin_release(&self, plugin: &str) -> Result<Option<u64>, StoreError> {
        let epoch = self.sequence_epoch().await?;
        let mut connection = self.pool().acquire().await?;
        let last = last_release(&mut connection, plugin).await?;
        Ok(last
            .filter(|last| last.epoch >= epoch)
            .map(|last| last.release))
    }

    /// Remembers that this release ran here. One that ran under an earlier root than the last one says nothing.
    pub async fn plugin_ran(&self, plugin: &str, release: u64) -> Result<(), StoreError> {
        let epoch = self.sequence_epoch().await?;
        let mut transaction = self.pool().begin_with("BEGIN IMMEDIATE").await?;
        let last = last_release(&mut transaction, plugin).await?;
        let ran = Release { epoch, release };
        if last.is_some_and(|last| last >= ran) {
            return Ok(());
        }
        sqlx::query(
            "INSERT OR REPLACE INTO plugin_releases (plugin, release, epoch) VALUES (?, ?, ?)",
        )
        .bind(plugin)
        .bind(signed(ran.release))
        .bind(signed(ran.epoch))
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
        Ok(())
    }

    /// The sequence epoch of the newest root.
    async fn sequence_epoch(&self) -> Result<u64, StoreError> {
        let row = sqlx::query("SELECT sequence_epoch FROM feed_state WHERE only = 1")
            .fetch_one(&self.feed_pool())
            .await?;
        Ok(unsigned(row.try_get(0)?))
    }

    /// The value under a key.
    pub async fn state_get(&self, key: &str) -> Result<Option<Vec<u8>>, StoreError> {
        let row = sqlx::query("SELECT value FROM plugin_state WHERE key = ?")
            .bind(key)
            .fetch_optional(self.pool())
            .await?;
        Ok(row.map(|row| row.try_get(0)).transpose()?)
    }

    /// The size of every value in bytes, by key.
    pub async fn state_sizes(&self) -> Result<Vec<(String, u64)>, StoreError> {
        let rows = sqlx::query("SELECT key, length(value) FROM plugin_state")
            .fetch_all(self.pool())
            .await?;
        rows.iter()
            .map(|row| Ok((row.try_get(0)?, row.try_get::<i64, _>(1)?.cast_unsigned())))
            .collect()
    }

    /// Makes all writes durable, or none: keys and their new values; without a value the key goes.
    pub async fn state_commit(
        &self,
        writes: &[(String, Option<Vec<u8>>)],
    ) -> Result<(), StoreError> {
        let mut transaction = self.pool().begin_with("BEGIN IMMEDIATE").await?;
        for (key, value) in writes {
            let query = match value {
                Some(value) => sqlx::query("INSERT INTO plugin_state (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value")
                    .bind(key)
                    .bind(value),
                None => sqlx::query("DELETE FROM plugin_state WHERE key = ?").bind(key),
            };
            query.execute(&mut *transaction).await?;
        }
        transaction.commit().await?;
        Ok(())
    }
}

async fn last_release(
    connection: &mut SqliteConnection,
    plugin: &str,
) -> Result<Option<Release>, StoreError> {
    let row = sqlx::query("SELECT epoch, release FROM plugin_releases WHERE plugin = ?")
        .bind(plugin)
        .fetch_optional(connection)
        .await?;
    let read = |row: sqlx::sqlite::SqliteRow| {
        Ok(Release {
            epoch: unsigned(row.try_get(0)?),
            release: unsigned(row.try_get(1)?),
        })
    };
    row.map(read).transpose()
}
