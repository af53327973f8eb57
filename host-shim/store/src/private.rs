//! What came sealed: which documents are held under embargo, whether this panel could read the private side,
//! and the keys to the payloads there.

use std::collections::BTreeMap;

use spacecp_contract::{Digest, ObjectKey, SealedObject, SealedPayload};

use sqlx::{Row, SqliteConnection, sqlite::SqliteRow};

use super::{
    Store, StoreError,
    documents::kind,
    feed::{signed, unsigned},
};
use spacecp_trust::workflow::{PrivateDocuments, PrivateSide, Reading};

/// The sealed files of payloads, by the payload's digest.
pub type SealedPayloads = BTreeMap<Digest, SealedObject>;

impl Store {
    /// The sealed files of payloads under embargo, with their keys.
    pub async fn sealed_payloads(&self) -> Result<SealedPayloads, StoreError> {
        let rows = sqlx::query("SELECT digest, sealed, length, key FROM sealed_payloads")
            .fetch_all(&self.feed_pool())
            .await?;
        let read = |row: &SqliteRow| {
            let key: &[u8] = row.try_get("key")?;
            let key = key
                .try_into()
                .map_err(|_| StoreError::Damaged("a key has the wrong length".to_owned()))?;
            let object = SealedObject {
                digest: digest(row, "sealed")?,
                length: unsigned(row.try_get("length")?),
                key: ObjectKey::from_bytes(key),
            };
            Ok((digest(row, "digest")?, object))
        };
        rows.iter().map(read).collect()
    }
}

/// The documents that are held under embargo.
pub(super) async fn documents(
    connection: &mut SqliteConnection,
) -> Result<PrivateDocuments, StoreError> {
    let rows = sqlx::query("SELECT kind, id, revision, digest FROM listed WHERE private = 1")
        .fetch_all(connection)
        .await?;
    let read = |row: &SqliteRow| {
        let id: String = row.try_get("id")?;
        let id = id
            .parse()
            .map_err(|_| StoreError::Damaged("a document has no id".to_owned()))?;
        let revision = unsigned(row.try_get("revision")?);
        Ok(((kind(row)?, id), (revision, digest(row, "digest")?)))
    };
    rows.iter().map(read).collect()
}

/// What became of the private side, as the row of the feed's state has it.
pub(super) fn reading(state: &SqliteRow) -> Result<Option<Reading>, StoreError> {
    let recipient: Option<String> = state.try_get("private_recipient")?;
    let entitled: Option<bool> = state.try_get("private_entitled")?;
    Ok(recipient.map(|recipient| Reading {
        recipient,
        entitled: entitled.unwrap_or(false),
    }))
}

/// Keeps what became of the private side, within the transaction that makes a sync current.
pub(super) async fn keep(
    transaction: &mut SqliteConnection,
    side: &PrivateSide,
) -> Result<(), StoreError> {
    let (recipient, entitled) = match side {
        PrivateSide::Same => return Ok(()),
        PrivateSide::Unread => (None, None),
        PrivateSide::NotEntitled { recipient } => (Some(recipient), Some(false)),
        PrivateSide::Read {
            recipient,
            payloads,
            ..
        } => {
            keep_payloads(transaction, payloads).await?;
            (Some(recipient), Some(true))
        }
    };
    sqlx::query("UPDATE feed_state SET private_recipient = ?, private_entitled = ?")
        .bind(recipient)
        .bind(entitled)
        .execute(transaction)
        .await?;
    Ok(())
}

async fn keep_payloads(
    transaction: &mut SqliteConnection,
    payloads: &[SealedPayload],
) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM sealed_payloads")
        .execute(&mut *transaction)
        .await?;
    for SealedPayload { blob, object } in payloads {
        sqlx::query(
            "INSERT INTO sealed_payloads (digest, sealed, length, key) VALUES (?, ?, ?, ?)",
        )
        .bind(blob.digest.to_string())
        .bind(object.digest.to_string())
        .bind(signed(object.length))
        .bind(&object.key.as_bytes()[..])
        .execute(&mut *transaction)
        .await?;
    }
    Ok(())
}

fn digest(row: &SqliteRow, column: &str) -> Result<Digest, StoreError> {
    let text: String = row.try_get(column)?;
    let parsed = text.parse();
    parsed.map_err(|_| StoreError::Damaged("a stored digest is invalid".to_owned()))
}
