//! What is current: the one relation of it, `listed`, and what hangs on it.
//!
//! A document is stored, given out, planned or applied only as long as it has its row there: the schema
//! removes it with the row. So whatever an index no longer lists is gone in the transaction in which that
//! index becomes trusted. May not: decide what is listed, which is the verifier's.

use std::collections::BTreeMap;

use jiff::Timestamp;
use spacecp_contract::{DocumentId, DocumentKind, IndexEntry};
use sqlx::{Row, SqliteConnection, sqlite::SqliteRow};

use super::{
    StoreError,
    documents::kind,
    feed::{signed, unsigned},
};
use spacecp_trust::workflow::{PrivateSide, Trusted, Update};

/// A listed document: its revision, the digest of its bytes, and whether the sealed index lists it.
type Entry = (u64, String, bool);

/// Everything that is listed.
type Listing = BTreeMap<(DocumentKind, String), Entry>;

/// Discards everything that was received under an earlier sequence epoch than `epoch`, which the root of
/// version `root` has. Whoever had the keys then may have listed it. Says whether anything was.
///
/// Until an index of the new epoch comes nothing is listed. What was verified under that root already goes on
/// waiting.
pub(super) async fn start_afresh(
    transaction: &mut SqliteConnection,
    epoch: u64,
    root: u64,
) -> Result<bool, StoreError> {
    let row = sqlx::query("SELECT sequence_epoch, head_bytes IS NOT NULL FROM feed_state")
        .fetch_one(&mut *transaction)
        .await?;
    if unsigned(row.try_get(0)?) >= epoch {
        return Ok(false);
    }
    for table in ["listed", "sealed_payloads", "validators"] {
        let statement = format!("DELETE FROM {table}");
        sqlx::query(sqlx::AssertSqlSafe(statement))
            .execute(&mut *transaction)
            .await?;
    }
    sqlx::query("DELETE FROM waiting WHERE root < ?")
        .bind(signed(root))
        .execute(&mut *transaction)
        .await?;
    sqlx::query(
        "UPDATE feed_state SET sequence_epoch = ?, head_bytes = NULL, head_signatures = NULL, \
         index_bytes = NULL, index_signatures = NULL, head_root = NULL, \
         private_recipient = NULL, private_entitled = NULL",
    )
    .bind(signed(epoch))
    .execute(&mut *transaction)
    .await?;
    have_readers_begin_again(transaction).await?;
    Ok(row.try_get(1)?)
}

/// Lists what an update lists and nothing else, and moves the documents that are new from where they waited.
/// Gives these.
///
/// A sealed index that could not be opened leaves the documents of the one that was opened last.
pub(super) async fn list(
    transaction: &mut SqliteConnection,
    update: &Update,
    now: Timestamp,
) -> Result<Vec<(DocumentId, u64)>, StoreError> {
    let before = read(transaction).await?;
    let new = listing(update, &before);
    let mut gone = false;
    for (name, entry) in &before {
        match new.get(name) {
            Some(kept) if kept == entry => {}
            later => {
                gone |= later.is_none();
                unlist(transaction, name).await?;
            }
        }
    }
    let mut accepted = Vec::new();
    for (name, entry) in &new {
        if before.get(name) == Some(entry) {
            continue;
        }
        accept(transaction, name, entry, update.root_version, now).await?;
        let id = DocumentId::new(name.1.clone());
        let id = id.map_err(|_| StoreError::Damaged("a document has no id".to_owned()))?;
        accepted.push((id, entry.0));
    }
    // Whatever else waits, no index lists it; who fetches it for a newer one fetches it again.
    sqlx::query("DELETE FROM waiting")
        .execute(&mut *transaction)
        .await?;
    if gone {
        have_readers_begin_again(transaction).await?;
    }
    Ok(accepted)
}

/// Refuses a store whose documents are not exactly those that are listed, or that lists others than the trusted
/// index.
pub(super) async fn check(
    connection: &mut SqliteConnection,
    trusted: &Trusted,
) -> Result<(), StoreError> {
    let row = sqlx::query(
        "SELECT (SELECT count(*) FROM listed WHERE private = 0), (SELECT count(*) FROM listed), \
         (SELECT count(*) FROM documents)",
    )
    .fetch_one(connection)
    .await?;
    let index = trusted.index.as_ref();
    let public = index.map_or(0, |index| index.documents.len() as u64);
    let counted = |column: usize| row.try_get(column).map(unsigned);
    let (listed, all, stored) = (counted(0)?, counted(1)?, counted(2)?);
    if listed != public || all != stored {
        return Err(StoreError::Damaged(format!(
            "{stored} documents are stored and {all} are listed, of which {listed} are public; the index lists {public}"
        )));
    }
    Ok(())
}

/// Names the stream of documents anew: whoever has read it forgets that and reads it from its beginning.
async fn have_readers_begin_again(transaction: &mut SqliteConnection) -> Result<(), StoreError> {
    sqlx::query("UPDATE feed_state SET epoch = ?")
        .bind(signed(super::feed::random()?))
        .execute(transaction)
        .await?;
    Ok(())
}

fn listing(update: &Update, before: &Listing) -> Listing {
    let public = update.index.documents.iter();
    let mut new: Listing = public.map(|entry| item(entry, false)).collect();
    match &update.private {
        PrivateSide::Read { documents, .. } => {
            new.extend(documents.iter().map(|entry| item(entry, true)));
        }
        PrivateSide::Unread | PrivateSide::Same | PrivateSide::NotEntitled { .. } => {
            for (name, entry) in before.iter().filter(|(_, (_, _, private))| *private) {
                new.entry(name.clone()).or_insert_with(|| entry.clone());
            }
        }
    }
    new
}

fn item(entry: &IndexEntry, private: bool) -> ((DocumentKind, String), Entry) {
    let name = (entry.kind, entry.id.to_string());
    (name, (entry.revision, entry.digest.to_string(), private))
}

async fn read(connection: &mut SqliteConnection) -> Result<Listing, StoreError> {
    let rows = sqlx::query("SELECT kind, id, revision, digest, private FROM listed")
        .fetch_all(connection)
        .await?;
    let read = |row: &SqliteRow| {
        let name = (kind(row)?, row.try_get("id")?);
        let revision = unsigned(row.try_get("revision")?);
        Ok((
            name,
            (revision, row.try_get("digest")?, row.try_get("private")?),
        ))
    };
    rows.iter().map(read).collect()
}

async fn unlist(
    transaction: &mut SqliteConnection,
    (kind, id): &(DocumentKind, String),
) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM listed WHERE kind = ? AND id = ?")
        .bind(kind.as_str())
        .bind(id)
        .execute(transaction)
        .await?;
    Ok(())
}

async fn accept(
    transaction: &mut SqliteConnection,
    (kind, id): &(DocumentKind, String),
    (revision, digest, private): &Entry,
    root: u64,
    now: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query("INSERT INTO listed (kind, id, revision, digest, private) VALUES (?, ?, ?, ?, ?)")
        .bind(kind.as_str())
        .bind(id)
        .bind(signed(*revision))
        .bind(digest)
        .bind(private)
        .execute(&mut *transaction)
        .await?;
    let moved = sqlx::query(
        "INSERT INTO documents (kind, id, revision, digest, bytes, signatures, signers, root, private, accepted) \
         SELECT kind, id, revision, digest, bytes, signatures, signers, root, private, ? FROM waiting \
         WHERE kind = ? AND id = ? AND revision = ? AND digest = ? AND root = ? AND private = ?",
    )
    .bind(now.as_second())
    .bind(kind.as_str())
    .bind(id)
    .bind(signed(*revision))
    .bind(digest)
    .bind(signed(root))
    .bind(private)
    .execute(transaction)
    .await?;
    // Another process has taken it.
    if moved.rows_affected() == 0 {
        return Err(StoreError::Raced);
    }
    Ok(())
}
