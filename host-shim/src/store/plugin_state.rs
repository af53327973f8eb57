//! What the plugin wants to remember, and which release of it ran last.

use sqlx::Row;

use super::{
    Store, StoreError,
    feed::{signed, unsigned},
};
use crate::plugin::StateWrite;

impl Store {
    /// The release of a plugin that ran here last.
    pub async fn plugin_release(&self, plugin: &str) -> Result<Option<u64>, StoreError> {
        let row = sqlx::query("SELECT release FROM plugin_releases WHERE plugin = ?")
            .bind(plugin)
            .fetch_optional(self.pool())
            .await?;
        row.map(|row| Ok(unsigned(row.try_get(0)?))).transpose()
    }

    /// Remembers that this release ran here.
    pub async fn plugin_ran(&self, plugin: &str, release: u64) -> Result<(), StoreError> {
        sqlx::query("INSERT INTO plugin_releases (plugin, release) VALUES (?, ?) ON CONFLICT (plugin) DO UPDATE SET release = max(release, excluded.release)")
            .bind(plugin)
            .bind(signed(release))
            .execute(self.pool())
            .await?;
        Ok(())
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

    /// Makes all writes durable, or none.
    pub async fn state_commit(&self, writes: &[StateWrite]) -> Result<(), StoreError> {
        let mut transaction = self.pool().begin_with("BEGIN IMMEDIATE").await?;
        for write in writes {
            let query = match &write.value {
                Some(value) => sqlx::query("INSERT INTO plugin_state (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value")
                    .bind(&write.key)
                    .bind(value),
                None => sqlx::query("DELETE FROM plugin_state WHERE key = ?").bind(&write.key),
            };
            query.execute(&mut *transaction).await?;
        }
        transaction.commit().await?;
        Ok(())
    }
}
