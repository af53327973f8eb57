//! The log in the store: adding to it, and reading it from its beginning.

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use spacecp_contract::{Correction, Digest, DocumentId};
use sqlx::{ConnectOptions as _, Row as _, SqliteConnection, sqlite::SqliteConnectOptions};

use super::{
    Entry, Event, Fault, Head, Recorded,
    chain::{Chain, Row, link, previous},
};
use crate::{JOURNAL_COPY, Store, StoreError};
use spacecp_trust::{self as trust, Verified};

/// Bytes of one entry; none that was recorded comes near.
const LONGEST_ENTRY: i64 = 64 << 10;

/// Entries that are in memory at once.
const HANDFUL: i64 = 100;

/// Why the log cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum AuditError {
    /// The file itself is damaged.
    #[error(
        "cannot read the audit log: {} cannot be used: {reason}. Restore the file from a backup", path.display()
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// The store.
    #[error(transparent)]
    Store(StoreError),
}

/// What was found in a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Walked {
    /// The newest entry up to which everything holds.
    pub head: Option<Head>,
    /// The first thing that is wrong, if anything is.
    pub fault: Option<Fault>,
}

/// Adds an entry at the end of the log, as of `now`.
///
/// `connection` should be within a transaction that began as `IMMEDIATE`, together with the change
/// that it records: then neither is there without the other, and nobody else adds one meanwhile.
pub async fn append(
    connection: &mut SqliteConnection,
    event: &Event,
    now: Timestamp,
) -> Result<Head, StoreError> {
    let newest =
        sqlx::query("SELECT number, CAST(hash AS BLOB) FROM audit ORDER BY number DESC LIMIT 1")
            .fetch_optional(&mut *connection)
            .await?;
    let (number, before): (i64, Option<Vec<u8>>) = match newest {
        Some(row) => (row.try_get(0)?, Some(row.try_get(1)?)),
        None => (0, None),
    };
    let number = number.saturating_add(1);
    let entry = Entry {
        number: number.cast_unsigned(),
        at: Timestamp::from_second(now.as_second()).unwrap_or(now),
        event: event.bounded(),
    };
    let text = serde_json::to_string(&entry).expect("an entry holds texts, numbers and lists only");
    // What is there is taken as it is: a log that was tampered with must not keep anything from
    // being recorded, and whoever reads it finds out.
    let hash = link(previous(before.as_deref()), text.as_bytes());
    sqlx::query("INSERT INTO audit (number, entry, hash) VALUES (?, ?, ?)")
        .bind(number)
        .bind(&text)
        .bind(&hash.as_bytes()[..])
        .execute(&mut *connection)
        .await?;
    tracing::info!(
        number,
        %hash,
        who = entry.event.who,
        what = entry.event.what.as_str(),
        "audit entry recorded"
    );
    let number = entry.number;
    Ok(Head { number, hash })
}

/// Adds an entry in a transaction of its own: for what is not kept in this store.
pub async fn record(store: &Store, event: &Event, now: Timestamp) -> Result<Head, StoreError> {
    let mut transaction = store.pool().begin_with("BEGIN IMMEDIATE").await?;
    let head = append(&mut transaction, event, now).await?;
    transaction.commit().await?;
    Ok(head)
}

/// Reads the log from its beginning and hands on each entry that the chain vouches for, up to the
/// first that it does not. With `expect`, the log must have this entry.
pub async fn walk(
    store: &Store,
    expect: Option<Head>,
    mut each: impl FnMut(Recorded),
) -> Result<Walked, AuditError> {
    let failed = |error: sqlx::Error| AuditError::of(store.path(), error.into());
    // One transaction, so that nothing is added while it is read.
    let mut reading = store.pool().begin().await.map_err(failed)?;
    let mut chain = Chain::default();
    let mut after: Option<i64> = None;
    loop {
        let rows = handful(&mut reading, after).await.map_err(failed)?;
        for row in &rows {
            match chain.take(row) {
                Err(fault) => return Ok(broken(&chain, fault)),
                Ok(recorded) => {
                    if let Some(fault) = rewritten(&recorded, expect) {
                        return Ok(broken(&chain, fault));
                    }
                    each(recorded);
                }
            }
        }
        match rows.last() {
            Some(last) => after = Some(last.number),
            None => break,
        }
    }
    let remembered = remembered(&mut reading).await.map_err(failed)?;
    let recorded = remembered.max(expect.map_or(0, |head| head.number));
    Ok(match chain.ended(recorded) {
        Err(fault) => broken(&chain, fault),
        Ok(()) => Walked {
            head: chain.head(),
            fault: None,
        },
    })
}

/// The newest entry of the log that the copy of the journal has; none without a copy. It is behind the log, or its
/// newest: a log that lacks it, or has another in its place, was put back to an earlier day or begun anew.
pub async fn head_of_copy(store: &Store) -> Result<Option<Head>, StoreError> {
    let copy = store.path().with_file_name(JOURNAL_COPY);
    if copy == store.path() || !copy.is_file() {
        return Ok(None);
    }
    let options = SqliteConnectOptions::new().filename(copy).read_only(true);
    let mut connection = options.connect().await?;
    let newest =
        sqlx::query("SELECT number, CAST(hash AS BLOB) FROM audit ORDER BY number DESC LIMIT 1")
            .fetch_optional(&mut connection)
            .await?;
    let Some(row) = newest else {
        return Ok(None);
    };
    let (number, hash): (i64, Vec<u8>) = (row.try_get(0)?, row.try_get(1)?);
    let hash = <[u8; 32]>::try_from(hash).ok().map(Digest::from_bytes);
    Ok(hash.map(|hash| Head {
        number: number.cast_unsigned(),
        hash,
    }))
}

fn broken(chain: &Chain, fault: Fault) -> Walked {
    tracing::error!(%fault, "audit log verification failed");
    Walked {
        head: chain.head(),
        fault: Some(fault),
    }
}

fn rewritten(recorded: &Recorded, expect: Option<Head>) -> Option<Fault> {
    let number = recorded.entry.number;
    let expected = expect.filter(|head| head.number == number)?;
    (expected.hash != recorded.hash).then_some(Fault::Rewritten { number })
}

async fn handful(
    reading: &mut SqliteConnection,
    after: Option<i64>,
) -> Result<Vec<Row>, sqlx::Error> {
    // What is longer than an entry can be is never read.
    let rows = sqlx::query(
        "SELECT number, CASE WHEN length(CAST(entry AS BLOB)) <= ?1 THEN CAST(entry AS BLOB) END, \
         CASE WHEN length(CAST(hash AS BLOB)) = 32 THEN CAST(hash AS BLOB) ELSE x'' END \
         FROM audit WHERE ?2 IS NULL OR number > ?2 ORDER BY number LIMIT ?3",
    )
    .bind(LONGEST_ENTRY)
    .bind(after)
    .bind(HANDFUL)
    .fetch_all(reading)
    .await?;
    let read = |row: &sqlx::sqlite::SqliteRow| {
        Ok(Row {
            number: row.try_get(0)?,
            entry: row.try_get(1)?,
            hash: row.try_get(2)?,
        })
    };
    rows.iter().map(read).collect()
}

/// How many entries SQLite remembers to have numbered.
async fn remembered(reading: &mut SqliteConnection) -> Result<u64, sqlx::Error> {
    let row = sqlx::query("SELECT seq FROM sqlite_sequence WHERE name = 'audit'")
        .fetch_optional(reading)
        .await?;
    let numbered: Option<i64> = row.map(|row| row.try_get(0)).transpose()?;
    Ok(numbered.unwrap_or(0).max(0).cast_unsigned())
}

impl AuditError {
    /// Why the log cannot be read that is in the store at `path`.
    pub fn of(path: &Path, error: StoreError) -> Self {
        if error.wants_the_copy() {
            return Self::Damaged {
                path: path.to_owned(),
                reason: error.to_string(),
            };
        }
        Self::Store(error)
    }
}

/// Who signed what an application applies, and what it answers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Signed {
    /// The advisories that the correction answers.
    pub advisories: Vec<DocumentId>,
    /// The ids of the keys whose signatures counted.
    pub keys: Vec<String>,
}

/// Notes who signed a correction that is about to be applied: when the application ends, perhaps by
/// another process after a crash, the document may have been replaced or forgotten.
pub async fn note_signed(
    store: &Store,
    application: &str,
    correction: &Verified<Correction>,
) -> Result<(), StoreError> {
    let keys: Vec<String> = correction
        .signers()
        .iter()
        .take(super::MOST_NAMED)
        .filter_map(|key| trust::key_id(key))
        .collect();
    let advisories: Vec<&DocumentId> = correction
        .advisories
        .iter()
        .take(super::MOST_NAMED)
        .collect();
    sqlx::query(
        "INSERT OR REPLACE INTO audit_signed (application, advisories, keys) VALUES (?, ?, ?)",
    )
    .bind(application)
    .bind(serde_json::to_string(&advisories).expect("a list of texts"))
    .bind(serde_json::to_string(&keys).expect("a list of texts"))
    .execute(store.pool())
    .await?;
    Ok(())
}

/// What was noted of an application when it began; nothing for one that began before there was an
/// audit log.
pub async fn signed(
    connection: &mut SqliteConnection,
    application: &str,
) -> Result<Signed, StoreError> {
    let row = sqlx::query("SELECT advisories, keys FROM audit_signed WHERE application = ?")
        .bind(application)
        .fetch_optional(connection)
        .await?;
    let Some(row) = row else {
        return Ok(Signed::default());
    };
    let (advisories, keys): (String, String) = (row.try_get(0)?, row.try_get(1)?);
    // What cannot be read is left out: it must not keep an application from its end.
    Ok(Signed {
        advisories: serde_json::from_str(&advisories).unwrap_or_default(),
        keys: serde_json::from_str(&keys).unwrap_or_default(),
    })
}
