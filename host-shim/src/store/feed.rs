//! What the panel believes of its feed: roots, head, index, documents.
//!
//! A sync becomes durable as one transaction. What is read back is verified again before anybody
//! acts on it, so a tampered or damaged store is found, not followed.

use jiff::Timestamp;
use spacecp_contract::{DocumentKind, Head, Index, Limits, Root};
use sqlx::{Row, SqliteConnection, sqlite::SqliteRow};

use super::{Store, StoreError};
use crate::trust::{self, AnyDocument, Unverified, Verified};

/// Bytes of documents handed out at a time.
const BATCH_BYTES: u64 = 8 << 20;

/// What is trusted, as the next sync needs it.
#[derive(Debug, Clone, Default)]
pub struct Trusted {
    /// The newest root; none before the first sync.
    pub root: Option<Verified<Root>>,
    /// The sequence epoch by which head and index were accepted.
    pub sequence_epoch: u64,
    /// The head.
    pub head: Option<Verified<Head>>,
    /// What to say to hear whether the head changed.
    pub head_validator: Option<String>,
    /// The index.
    pub index: Option<Verified<Index>>,
    /// The latest time by which anything was decided; the clock may not go behind it.
    pub latest_time: Timestamp,
}

/// What a sync has verified, to be made durable at once.
#[derive(Debug)]
pub struct Accepted {
    /// Roots that are new, oldest first.
    pub roots: Vec<Verified<Root>>,
    /// The head.
    pub head: Verified<Head>,
    /// What to say to hear whether it changed.
    pub head_validator: Option<String>,
    /// The index.
    pub index: Verified<Index>,
    /// The version of the newest root.
    pub root_version: u64,
    /// The newest root's sequence epoch.
    pub sequence_epoch: u64,
    /// Documents that are new, or are of a newer revision.
    pub documents: Vec<AnyDocument>,
    /// When.
    pub now: Timestamp,
}

/// Where a reader is in the stream of documents.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cursor {
    /// The store that it was given out by.
    pub epoch: u64,
    /// The last document that was read; 0 for none.
    pub position: u64,
}

/// A part of the stream of documents.
#[derive(Debug, Clone)]
pub struct Batch {
    /// Oldest first.
    pub documents: Vec<StoredDocument>,
    /// Where to go on from.
    pub next: Cursor,
    /// Whether nothing more is there.
    pub complete: bool,
}

/// A document as it was accepted.
#[derive(Debug, Clone)]
pub struct StoredDocument {
    /// Advisory or correction.
    pub kind: DocumentKind,
    /// Its id.
    pub id: String,
    /// Its revision.
    pub revision: u64,
    /// The bytes that were signed.
    pub bytes: Vec<u8>,
}

/// How current the panel's knowledge is.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub struct Freshness {
    /// The feed's sequence.
    pub sequence: Option<u64>,
    /// When the feed last had something good to say.
    pub last_word: Option<Timestamp>,
    /// Until when that is good.
    pub valid_until: Option<Timestamp>,
    /// Why the last attempt failed.
    pub problem: Option<String>,
}

impl Store {
    /// Names this store; made once, when it is new.
    pub(super) async fn ensure_feed_state(&self, epoch: u64) -> Result<(), StoreError> {
        sqlx::query("INSERT OR IGNORE INTO feed_state (only, epoch) VALUES (1, ?)")
            .bind(signed(epoch))
            .execute(self.pool())
            .await?;
        Ok(())
    }

    /// What is trusted.
    pub async fn trusted(&self) -> Result<Trusted, StoreError> {
        let row = sqlx::query("SELECT * FROM feed_state WHERE only = 1")
            .fetch_one(self.pool())
            .await?;
        let root = self.newest_root().await?;
        let latest_time = time(row.try_get("latest_time")?)?;
        let mut trusted = Trusted {
            root,
            latest_time,
            ..Trusted::default()
        };
        let Some(head_bytes) = row.try_get::<Option<Vec<u8>>, _>("head_bytes")? else {
            return Ok(trusted);
        };
        let by = self.root(unsigned(row.try_get("head_root")?)).await?;
        let head_signatures: String = row.try_get("head_signatures")?;
        let index_bytes: Vec<u8> = row.try_get("index_bytes")?;
        let index_signatures: String = row.try_get("index_signatures")?;
        let offered = Unverified {
            bytes: &head_bytes,
            signatures: head_signatures.as_bytes(),
        };
        let before = trust::Before {
            head: None,
            index: None,
            afresh: true,
        };
        // Its expiry is a matter of the next sync, not of whether the store is intact.
        let head = trust::head(&by, before, offered, Timestamp::MIN).map_err(damaged)?;
        let offered = Unverified {
            bytes: &index_bytes,
            signatures: index_signatures.as_bytes(),
        };
        let index =
            trust::index(&by, &head, before, offered, &Limits::default()).map_err(damaged)?;
        trusted.sequence_epoch = unsigned(row.try_get("sequence_epoch")?);
        trusted.head_validator = row.try_get("head_validator")?;
        trusted.head = Some(head);
        trusted.index = Some(index);
        Ok(trusted)
    }

    /// Makes a sync durable, all of it or nothing.
    ///
    /// Another process may have been faster: what it accepted is not put back.
    pub async fn accept(&self, accepted: &Accepted) -> Result<bool, StoreError> {
        let mut transaction = self.pool().begin_with("BEGIN IMMEDIATE").await?;
        let row = sqlx::query("SELECT sequence_epoch, head_bytes FROM feed_state WHERE only = 1")
            .fetch_one(&mut *transaction)
            .await?;
        if outrun(&row, accepted)? {
            return Ok(false);
        }
        insert_roots(&mut transaction, &accepted.roots).await?;
        for document in &accepted.documents {
            // The position grows with every acceptance, so the old revision's row goes.
            sqlx::query("DELETE FROM documents WHERE kind = ? AND id = ?")
                .bind(document.kind().as_str())
                .bind(document.id())
                .execute(&mut *transaction)
                .await?;
            sqlx::query("INSERT INTO documents (kind, id, revision, bytes, signatures, root, accepted) VALUES (?, ?, ?, ?, ?, ?, ?)")
                .bind(document.kind().as_str())
                .bind(document.id())
                .bind(signed(document.revision()))
                .bind(document.bytes())
                .bind(document.signatures())
                .bind(signed(accepted.root_version))
                .bind(accepted.now.as_second())
                .execute(&mut *transaction)
                .await?;
        }
        sqlx::query(
            "UPDATE feed_state SET sequence_epoch = ?, head_bytes = ?, head_signatures = ?, head_validator = ?, \
             index_bytes = ?, index_signatures = ?, head_root = ?, latest_time = max(latest_time, ?), last_word = ?, problem = NULL",
        )
        .bind(signed(accepted.sequence_epoch))
        .bind(accepted.head.bytes())
        .bind(accepted.head.signatures())
        .bind(accepted.head_validator.as_deref())
        .bind(accepted.index.bytes())
        .bind(accepted.index.signatures())
        .bind(signed(accepted.root_version))
        .bind(accepted.now.as_second())
        .bind(accepted.now.as_second())
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
        Ok(true)
    }

    /// Makes a chain of roots durable, without anything else.
    pub async fn keep_roots(&self, roots: &[Verified<Root>]) -> Result<(), StoreError> {
        let mut transaction = self.pool().begin_with("BEGIN IMMEDIATE").await?;
        insert_roots(&mut transaction, roots).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Remembers that the feed had nothing new to say.
    pub async fn heard(&self, now: Timestamp) -> Result<(), StoreError> {
        sqlx::query("UPDATE feed_state SET last_word = ?, latest_time = max(latest_time, ?), problem = NULL")
            .bind(now.as_second())
            .bind(now.as_second())
            .execute(self.pool())
            .await?;
        Ok(())
    }

    /// Remembers why an attempt failed; what is trusted stays as it is.
    pub async fn missed(&self, problem: &str) -> Result<(), StoreError> {
        sqlx::query("UPDATE feed_state SET problem = ?")
            .bind(problem)
            .execute(self.pool())
            .await?;
        Ok(())
    }

    /// How current the panel's knowledge is.
    pub async fn freshness(&self) -> Result<Freshness, StoreError> {
        let row = sqlx::query("SELECT last_word, problem FROM feed_state WHERE only = 1")
            .fetch_one(self.pool())
            .await?;
        let head = self.trusted().await?.head;
        Ok(Freshness {
            sequence: head.as_ref().map(|head| head.sequence),
            last_word: row
                .try_get::<Option<i64>, _>("last_word")?
                .map(time)
                .transpose()?,
            valid_until: head.as_ref().map(|head| head.expires),
            problem: row.try_get("problem")?,
        })
    }

    /// The documents after a cursor, at most `limit` of them and 8 MiB of bytes.
    pub async fn documents_since(
        &self,
        after: Option<Cursor>,
        limit: u32,
    ) -> Result<Batch, StoreError> {
        let epoch: i64 = sqlx::query("SELECT epoch FROM feed_state WHERE only = 1")
            .fetch_one(self.pool())
            .await?
            .try_get(0)?;
        let epoch = unsigned(epoch);
        let after = after
            .filter(|cursor| cursor.epoch == epoch)
            .map_or(0, |cursor| cursor.position);
        let limit = limit.clamp(1, 10_000);
        // What fits is decided by the lengths alone, before any document is in memory.
        let lengths = sqlx::query("SELECT position, length(bytes) FROM documents WHERE position > ? ORDER BY position LIMIT ?")
            .bind(signed(after))
            .bind(i64::from(limit) + 1)
            .fetch_all(self.pool())
            .await?;
        let (mut last, mut room) = (after, BATCH_BYTES);
        let mut complete = true;
        for (count, row) in lengths.iter().enumerate() {
            let length = unsigned(row.try_get(1)?);
            if count > 0 && (count == limit as usize || length > room) {
                complete = false;
                break;
            }
            room = room.saturating_sub(length);
            last = unsigned(row.try_get(0)?);
        }
        let rows = sqlx::query("SELECT kind, id, revision, bytes FROM documents WHERE position > ? AND position <= ? ORDER BY position")
            .bind(signed(after))
            .bind(signed(last))
            .fetch_all(self.pool())
            .await?;
        Ok(Batch {
            documents: rows.iter().map(stored).collect::<Result<_, _>>()?,
            next: Cursor {
                epoch,
                position: last,
            },
            complete,
        })
    }

    /// A document to act on: verified again, under the root by which it was accepted.
    pub async fn document(
        &self,
        kind: DocumentKind,
        id: &str,
    ) -> Result<Option<AnyDocument>, StoreError> {
        let row = sqlx::query(
            "SELECT revision, bytes, signatures, root FROM documents WHERE kind = ? AND id = ?",
        )
        .bind(kind.as_str())
        .bind(id)
        .fetch_optional(self.pool())
        .await?;
        let Some(row) = row else { return Ok(None) };
        let root = self.root(unsigned(row.try_get("root")?)).await?;
        let (bytes, signatures): (Vec<u8>, String) =
            (row.try_get("bytes")?, row.try_get("signatures")?);
        let offered = Unverified {
            bytes: &bytes,
            signatures: signatures.as_bytes(),
        };
        let revision = unsigned(row.try_get("revision")?);
        trust::reverify(&root, kind, id, revision, offered, &Limits::default())
            .map(Some)
            .map_err(damaged)
    }

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

    /// Whether a document of this revision is there.
    pub(crate) async fn has(
        &self,
        kind: DocumentKind,
        id: &str,
        revision: u64,
    ) -> Result<bool, StoreError> {
        let row = sqlx::query("SELECT 1 FROM documents WHERE kind = ? AND id = ? AND revision = ?")
            .bind(kind.as_str())
            .bind(id)
            .bind(signed(revision))
            .fetch_optional(self.pool())
            .await?;
        Ok(row.is_some())
    }

    async fn newest_root(&self) -> Result<Option<Verified<Root>>, StoreError> {
        let row = sqlx::query("SELECT version FROM roots ORDER BY version DESC LIMIT 1")
            .fetch_optional(self.pool())
            .await?;
        match row {
            Some(row) => Ok(Some(self.root(unsigned(row.try_get(0)?)).await?)),
            None => Ok(None),
        }
    }

    async fn root(&self, version: u64) -> Result<Verified<Root>, StoreError> {
        let row = sqlx::query("SELECT bytes, signatures FROM roots WHERE version = ?")
            .bind(signed(version))
            .fetch_optional(self.pool())
            .await?
            .ok_or_else(|| StoreError::Damaged(format!("root {version} is gone")))?;
        let (bytes, signatures): (Vec<u8>, String) = (row.try_get(0)?, row.try_get(1)?);
        trust::reverify_root(Unverified {
            bytes: &bytes,
            signatures: signatures.as_bytes(),
        })
        .map_err(damaged)
    }
}

async fn insert_roots(
    transaction: &mut SqliteConnection,
    roots: &[Verified<Root>],
) -> Result<(), StoreError> {
    for root in roots {
        sqlx::query("INSERT OR IGNORE INTO roots (version, bytes, signatures) VALUES (?, ?, ?)")
            .bind(signed(root.version))
            .bind(root.bytes())
            .bind(root.signatures())
            .execute(&mut *transaction)
            .await?;
    }
    Ok(())
}

/// Whether another process has accepted something at least as new meanwhile.
fn outrun(row: &SqliteRow, accepted: &Accepted) -> Result<bool, StoreError> {
    let epoch = unsigned(row.try_get("sequence_epoch")?);
    if epoch != accepted.sequence_epoch {
        return Ok(epoch > accepted.sequence_epoch);
    }
    let Some(bytes) = row.try_get::<Option<Vec<u8>>, _>("head_bytes")? else {
        return Ok(false);
    };
    let there: Head = spacecp_contract::decode(&bytes, &Limits::default())
        .map_err(|error| StoreError::Damaged(error.to_string()))?;
    Ok(there.sequence > accepted.head.sequence)
}

fn stored(row: &SqliteRow) -> Result<StoredDocument, StoreError> {
    let kind = match row.try_get::<String, _>("kind")?.as_str() {
        "advisory" => DocumentKind::Advisory,
        "correction" => DocumentKind::Correction,
        other => {
            return Err(StoreError::Damaged(format!(
                "it holds a document of the kind {other:?}"
            )));
        }
    };
    Ok(StoredDocument {
        kind,
        id: row.try_get("id")?,
        revision: unsigned(row.try_get("revision")?),
        bytes: row.try_get("bytes")?,
    })
}

fn damaged(error: trust::TrustError) -> StoreError {
    StoreError::Damaged(error.to_string())
}

fn time(second: i64) -> Result<Timestamp, StoreError> {
    Timestamp::from_second(second).map_err(|error| StoreError::Damaged(error.to_string()))
}

/// SQLite's integers are signed: the same 64 bits, read as what they are.
fn signed(number: u64) -> i64 {
    number.cast_signed()
}

fn unsigned(number: i64) -> u64 {
    number.cast_unsigned()
}
