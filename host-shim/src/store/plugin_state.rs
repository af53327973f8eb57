//! What the plugin wants to remember.

use sqlx::Row;

use super::{Store, StoreError};
use crate::plugin::StateWrite;

impl Store {
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
