//! When this panel accepted the documents that it has.

use std::collections::BTreeMap;

use jiff::Timestamp;
use spacecp_contract::DocumentKind;
use sqlx::Row;

use super::{Store, StoreError, documents::kind};

/// When documents were accepted, by kind and id.
pub type Received = BTreeMap<(DocumentKind, String), Timestamp>;

impl Store {
    /// When the current revision of each document was accepted. A store that was built anew has
    /// accepted all of them anew.
    pub async fn received(&self) -> Result<Received, StoreError> {
        let rows = sqlx::query("SELECT kind, id, accepted FROM documents")
            .fetch_all(&self.feed_pool())
            .await?;
        let mut received = Received::new();
        for row in &rows {
            let second: i64 = row.try_get("accepted")?;
            let time = Timestamp::from_second(second)
                .map_err(|error| StoreError::Damaged(error.to_string()))?;
            received.insert((kind(row)?, row.try_get("id")?), time);
        }
        Ok(received)
    }
}
