//! What each mirror said of its head, to hear from that mirror whether it changed.
//!
//! It is worth nothing where it was not given out: a mirror that is asked with another one's words
//! could be made to say that nothing is new. So it belongs to an address, and to the head that it
//! was given for.

use spacecp_contract::Digest;

use sqlx::Row;

use super::{Store, StoreError};

impl Store {
    /// What the mirror at this address said of this head.
    pub async fn validator(
        &self,
        mirror: &str,
        head: Digest,
    ) -> Result<Option<String>, StoreError> {
        let row = sqlx::query("SELECT validator FROM validators WHERE mirror = ? AND head = ?")
            .bind(mirror)
            .bind(head.to_string())
            .fetch_optional(&self.feed_pool())
            .await?;
        Ok(row.map(|row| row.try_get(0)).transpose()?)
    }

    /// Remembers what the mirror at this address said of this head, and forgets what others said that
    /// are none of `mirrors`.
    pub async fn keep_validator(
        &self,
        mirror: &str,
        head: Digest,
        validator: &str,
        mirrors: &[&str],
    ) -> Result<(), StoreError> {
        let mirrors = serde_json::json!(mirrors).to_string();
        let mut transaction = self.feed_pool().begin_with("BEGIN IMMEDIATE").await?;
        sqlx::query("DELETE FROM validators WHERE mirror NOT IN (SELECT value FROM json_each(?))")
            .bind(mirrors)
            .execute(&mut *transaction)
            .await?;
        sqlx::query("INSERT OR REPLACE INTO validators (mirror, validator, head) VALUES (?, ?, ?)")
            .bind(mirror)
            .bind(validator)
            .bind(head.to_string())
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
        Ok(())
    }
}
