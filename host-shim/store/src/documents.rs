//! The documents that are listed, as they are handed out.
//!
//! Whatever leaves is what was signed: it has the digest that the signed index names, or is verified again. What
//! is not listed is not stored (see `listed`), and would be taken for damage.

use std::collections::{BTreeMap, BTreeSet};

use spacecp_contract::{Digest, DocumentId, DocumentKind, Limits};

use sqlx::{Row, sqlite::SqliteRow};

use super::{
    Store, StoreError,
    believed::{Believed, Side},
    feed::{damaged, root, signed, unsigned},
};
use spacecp_trust::{self as trust, AnyDocument, Unverified};

/// Bytes of documents handed out at a time.
const BATCH_BYTES: u64 = 8 << 20;

/// How often documents are read again because a sync came in between.
const MOST_READS: usize = 16;

/// Where a reader is in the stream of documents.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cursor {
    /// The store that it was given out by.
    pub epoch: u64,
    /// The last document that was read; 0 for none.
    pub position: u64,
}

/// The end of the stream of documents.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct End {
    /// Where a reader is who has read all of it.
    pub cursor: Cursor,
    /// Whether something that is stored was found damaged since the last sync.
    pub damaged: bool,
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

/// Who signed a document that is held.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Signer {
    /// Advisory or correction.
    pub kind: DocumentKind,
    /// The document.
    pub id: String,
    /// Its revision.
    pub revision: u64,
    /// The public keys whose signatures counted when it was accepted, in base64.
    pub keys: Vec<String>,
}

impl Store {
    /// The documents after a cursor, at most `limit` of them and 8 MiB of bytes.
    pub async fn documents_since(
        &self,
        after: Option<Cursor>,
        limit: u32,
    ) -> Result<Batch, StoreError> {
        for _ in 0..MOST_READS {
            let (version, batch) = self.read_documents(after, limit).await?;
            let believed = self.believed().await?;
            // Held against the index that they were read with: another may have become trusted meanwhile.
            if believed.version == version {
                self.refuse_tampered(&believed, &batch.documents).await?;
                return Ok(batch);
            }
        }
        Err(StoreError::Raced)
    }

    /// What is stored after a cursor as of one instant, with the version of the feed's state.
    async fn read_documents(
        &self,
        after: Option<Cursor>,
        limit: u32,
    ) -> Result<(u64, Batch), StoreError> {
        let mut snapshot = self.feed_pool().begin().await?;
        let row = sqlx::query("SELECT epoch, version FROM feed_state WHERE only = 1")
            .fetch_one(&mut *snapshot)
            .await?;
        let (epoch, version) = (unsigned(row.try_get(0)?), unsigned(row.try_get(1)?));
        let after = after
            .filter(|cursor| cursor.epoch == epoch)
            .map_or(0, |cursor| cursor.position);
        let limit = limit.clamp(1, 10_000);
        // What fits is decided by the lengths alone, before any document is in memory.
        let lengths = sqlx::query("SELECT position, length(bytes) FROM documents WHERE position > ? ORDER BY position LIMIT ?")
            .bind(signed(after))
            .bind(i64::from(limit) + 1)
            .fetch_all(&mut *snapshot)
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
            .fetch_all(&mut *snapshot)
            .await?;
        let documents: Vec<StoredDocument> = rows.iter().map(stored).collect::<Result<_, _>>()?;
        let next = Cursor {
            epoch,
            position: last,
        };
        let batch = Batch {
            documents,
            next,
            complete,
        };
        Ok((version, batch))
    }

    /// The end of the stream of documents.
    pub async fn end_of_documents(&self) -> Result<End, StoreError> {
        let row = sqlx::query("SELECT epoch, (SELECT coalesce(max(position), 0) FROM documents), damage IS NOT NULL FROM feed_state WHERE only = 1")
            .fetch_one(&self.feed_pool())
            .await?;
        let cursor = Cursor {
            epoch: unsigned(row.try_get(0)?),
            position: unsigned(row.try_get(1)?),
        };
        Ok(End {
            cursor,
            damaged: row.try_get(2)?,
        })
    }

    /// Refuses documents that are not those that are listed. The index is signed, so comparing digests with it
    /// is as good as verifying each signature; what the sealed index lists is verified.
    async fn refuse_tampered(
        &self,
        believed: &Believed,
        documents: &[StoredDocument],
    ) -> Result<(), StoreError> {
        for document in documents {
            let (kind, id) = (document.kind, document.id.as_str());
            let digest = Digest::of(&document.bytes);
            let is_listed = believed.lists(kind, id, document.revision, digest);
            if is_listed == Some(Side::Sealed) {
                self.document(kind, id).await?;
            }
            if is_listed.is_none() {
                let words = format!("the stored {kind} {id} differs from the listed one");
                self.mark_damaged(&words).await;
                return Err(StoreError::Damaged(words));
            }
        }
        Ok(())
    }

    /// The revision of each of these advisories that is held.
    pub async fn revisions(
        &self,
        advisories: &BTreeSet<DocumentId>,
    ) -> Result<BTreeMap<DocumentId, u64>, StoreError> {
        let ids: Vec<&str> = advisories.iter().map(DocumentId::as_str).collect();
        let rows = sqlx::query("SELECT id, revision FROM documents WHERE kind = ? AND id IN (SELECT value FROM json_each(?))")
            .bind(DocumentKind::Advisory.as_str())
            .bind(serde_json::json!(ids).to_string())
            .fetch_all(&self.feed_pool())
            .await?;
        let read = |row: &SqliteRow| {
            let id = DocumentId::new(row.try_get::<String, _>("id")?)
                .map_err(|_| StoreError::Damaged("a document has no id".to_owned()))?;
            Ok((id, unsigned(row.try_get("revision")?)))
        };
        rows.iter().map(read).collect()
    }

    /// Every advisory that is held, with its revision.
    pub async fn every_revision(&self) -> Result<Vec<(String, u64)>, StoreError> {
        let rows = sqlx::query("SELECT id, revision FROM documents WHERE kind = ?")
            .bind(DocumentKind::Advisory.as_str())
            .fetch_all(&self.feed_pool())
            .await?;
        let read = |row: &SqliteRow| Ok((row.try_get("id")?, unsigned(row.try_get("revision")?)));
        rows.iter().map(read).collect()
    }

    /// Whether the document with this digest is listed under this name. Asked of the file that is there now: another
    /// process may have replaced it since it was opened.
    pub async fn lists(
        &self,
        kind: DocumentKind,
        id: &str,
        digest: Digest,
    ) -> Result<bool, StoreError> {
        self.feed.follow().await?;
        let row = sqlx::query("SELECT 1 FROM listed WHERE kind = ? AND id = ? AND digest = ?")
            .bind(kind.as_str())
            .bind(id)
            .bind(digest.to_string())
            .fetch_optional(&self.feed_pool())
            .await?;
        Ok(row.is_some())
    }

    /// Who signed each document that is held.
    pub async fn signers(&self) -> Result<Vec<Signer>, StoreError> {
        let rows =
            sqlx::query("SELECT kind, id, revision, signers FROM documents ORDER BY kind, id")
                .fetch_all(&self.feed_pool())
                .await?;
        let read = |row: &SqliteRow| {
            let keys: String = row.try_get("signers")?;
            Ok(Signer {
                kind: kind(row)?,
                id: row.try_get("id")?,
                revision: unsigned(row.try_get("revision")?),
                keys: keys.lines().map(str::to_owned).collect(),
            })
        };
        rows.iter().map(read).collect()
    }

    /// A document to act on: verified again, under the root by which it was accepted.
    pub async fn document(
        &self,
        kind: DocumentKind,
        id: &str,
    ) -> Result<Option<AnyDocument>, StoreError> {
        let mut snapshot = self.feed_pool().begin().await?;
        let row = sqlx::query(
            "SELECT revision, bytes, signatures, root FROM documents WHERE kind = ? AND id = ?",
        )
        .bind(kind.as_str())
        .bind(id)
        .fetch_optional(&mut *snapshot)
        .await?;
        let Some(row) = row else { return Ok(None) };
        let root = root(&mut snapshot, unsigned(row.try_get("root")?)).await?;
        drop(snapshot);
        let (bytes, signatures): (Vec<u8>, String) =
            (row.try_get("bytes")?, row.try_get("signatures")?);
        let offered = Unverified {
            bytes: &bytes,
            signatures: signatures.as_bytes(),
        };
        let revision = unsigned(row.try_get("revision")?);
        match trust::reverify(&root, kind, id, revision, offered, &Limits::default()) {
            Ok(document) => Ok(Some(document)),
            Err(error) => {
                // It may be under embargo.
                let error = error.without_contents();
                self.mark_damaged(&error.to_string()).await;
                Err(damaged(error))
            }
        }
    }
}

pub(super) fn kind(row: &SqliteRow) -> Result<DocumentKind, StoreError> {
    match row.try_get::<&str, _>("kind")? {
        "advisory" => Ok(DocumentKind::Advisory),
        "correction" => Ok(DocumentKind::Correction),
        other => Err(StoreError::Damaged(format!(
            "unknown document kind {other:?}"
        ))),
    }
}

fn stored(row: &SqliteRow) -> Result<StoredDocument, StoreError> {
    Ok(StoredDocument {
        kind: kind(row)?,
        id: row.try_get("id")?,
        revision: unsigned(row.try_get("revision")?),
        bytes: row.try_get("bytes")?,
    })
}
