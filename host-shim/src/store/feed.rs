//! What the panel believes of its feed: roots, head, index, and that the documents have come.
//!
//! A sync becomes durable as one transaction. What is read back is verified again before anybody
//! acts on it, so a tampered or damaged store is found, not followed.

use std::{collections::BTreeSet, sync::Arc};

use jiff::Timestamp;
use spacecp_contract::{Digest, DocumentId, Head, Limits, Root};
use sqlx::{Row, SqliteConnection, sqlite::SqliteRow};

use super::{Store, StoreError, believed::Believed, documents::kind, private};
use crate::trust::{
    self, AnyDocument, Unverified, Verified,
    workflow::{Held, HeldDocument, PrivateSide, Trusted, Update},
};

/// Heads that were seen expired and are remembered, until another head is accepted.
const MOST_EXPIRED: i64 = 256;

/// How current the panel's knowledge is.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub struct Freshness {
    /// The feed's sequence.
    pub sequence: Option<u64>,
    /// When the feed last had something good to say, if it was no more than that nothing is new.
    pub last_word: Option<Timestamp>,
    /// When the vendor signed what is current here. Whoever repeats it cannot make it younger.
    pub spoken: Option<Timestamp>,
    /// Until when that is good: neither it nor the root above it has expired by then.
    pub valid_until: Option<Timestamp>,
    /// Whether it was seen expired; then it is, whatever the clock says now.
    pub expired: bool,
    /// Why the last attempt failed.
    pub problem: Option<String>,
}

/// A document that was verified, and waits until everything has come.
#[derive(Debug, Clone)]
pub struct Waiting {
    /// The document.
    pub document: AnyDocument,
    /// The version of the root by which it was verified.
    pub root: u64,
    /// Whether it came sealed.
    pub private: bool,
}

impl Freshness {
    /// Whether what the vendor said last was good once and is so no more.
    pub fn is_stale(&self, now: Timestamp) -> bool {
        self.expired || self.valid_until.is_some_and(|until| until <= now)
    }
}

impl Store {
    /// What is trusted, verified again unless this process has done so already.
    pub async fn trusted(&self) -> Result<Arc<Trusted>, StoreError> {
        Ok(self.believed().await?.trusted.clone())
    }

    /// The same, as it is kept.
    pub(super) async fn believed(&self) -> Result<Arc<Believed>, StoreError> {
        let version = self.feed_version().await?;
        let lock = || {
            self.believed
                .lock()
                .unwrap_or_else(std::sync::PoisonError::into_inner)
        };
        if let Some(believed) = lock().as_ref().filter(|kept| kept.version == version) {
            return Ok(believed.clone());
        }
        let read = self.read_trusted().await;
        if let Err(StoreError::Damaged(words)) = &read {
            self.mark_damaged(words).await;
        }
        let (version, trusted) = read?;
        let believed = Arc::new(Believed::new(version, trusted));
        *lock() = Some(believed.clone());
        Ok(believed)
    }

    async fn feed_version(&self) -> Result<u64, StoreError> {
        let row = sqlx::query("SELECT version FROM feed_state WHERE only = 1")
            .fetch_one(&self.feed)
            .await?;
        Ok(unsigned(row.try_get(0)?))
    }

    /// All of it as of one instant: what is forgotten meanwhile is not missing.
    async fn read_trusted(&self) -> Result<(u64, Trusted), StoreError> {
        let mut snapshot = self.feed.begin().await?;
        let row = sqlx::query("SELECT * FROM feed_state WHERE only = 1")
            .fetch_one(&mut *snapshot)
            .await?;
        let version = unsigned(row.try_get("version")?);
        let mut trusted = Trusted {
            root: newest_root(&mut snapshot).await?,
            latest_time: time(row.try_get("latest_time")?)?,
            expired: expired_heads(&mut snapshot).await?,
            private: private::documents(&mut snapshot).await?,
            reading: private::reading(&row)?,
            ..Trusted::default()
        };
        let Some(head_bytes) = row.try_get::<Option<Vec<u8>>, _>("head_bytes")? else {
            return Ok((version, trusted));
        };
        let by = root(&mut snapshot, unsigned(row.try_get("head_root")?)).await?;
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
        trusted.head = Some(head);
        trusted.index = Some(index);
        Ok((version, trusted))
    }

    /// What need not be fetched again.
    pub async fn held(&self) -> Result<Held, StoreError> {
        let mut connection = self.feed.acquire().await?;
        let mut held = read_held(&mut connection, "waiting").await?;
        // What was accepted counts before what waits, unless what waits is newer.
        for (name, accepted) in read_held(&mut connection, "documents").await? {
            let newer = held
                .get(&name)
                .is_some_and(|waiting| waiting.revision > accepted.revision);
            if !newer {
                held.insert(name, accepted);
            }
        }
        Ok(held)
    }

    /// The digest of a root that is kept.
    pub async fn root_digest(&self, version: u64) -> Result<Option<Digest>, StoreError> {
        let row = sqlx::query("SELECT bytes FROM roots WHERE version = ?")
            .bind(signed(version))
            .fetch_optional(&self.feed)
            .await?;
        row.map(|row| Ok(Digest::of(row.try_get::<&[u8], _>(0)?)))
            .transpose()
    }

    /// Makes a root durable, whatever becomes of the rest.
    pub async fn keep_root(&self, root: &Verified<Root>) -> Result<(), StoreError> {
        if self.root_digest(root.version).await?.is_some() {
            return Ok(());
        }
        let mut transaction = self.feed.begin_with("BEGIN IMMEDIATE").await?;
        sqlx::query("INSERT OR IGNORE INTO roots (version, bytes, signatures) VALUES (?, ?, ?)")
            .bind(signed(root.version))
            .bind(root.bytes())
            .bind(root.signatures())
            .execute(&mut *transaction)
            .await?;
        sqlx::query("UPDATE feed_state SET version = version + 1")
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Puts verified documents by, until everything has come. Nobody is shown them before.
    pub async fn keep_waiting(&self, documents: &[Waiting]) -> Result<(), StoreError> {
        let mut transaction = self.feed.begin_with("BEGIN IMMEDIATE").await?;
        for Waiting {
            document,
            root,
            private,
        } in documents
        {
            sqlx::query("INSERT OR REPLACE INTO waiting (kind, id, revision, digest, bytes, signatures, signers, root, private) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)")
                .bind(document.kind().as_str())
                .bind(document.id())
                .bind(signed(document.revision()))
                .bind(document.digest().to_string())
                .bind(document.bytes())
                .bind(document.signatures())
                .bind(document.signers().join("\n"))
                .bind(signed(*root))
                .bind(private)
                .execute(&mut *transaction)
                .await?;
        }
        transaction.commit().await?;
        Ok(())
    }

    /// Makes a sync durable, all of it or nothing: head, index, and the documents that waited.
    ///
    /// Gives the documents that are new; none at all if another process was faster with something
    /// newer, which is not put back.
    pub async fn accept(
        &self,
        update: &Update,
        now: Timestamp,
    ) -> Result<Option<Vec<(DocumentId, u64)>>, StoreError> {
        let mut transaction = self.feed.begin_with("BEGIN IMMEDIATE").await?;
        let row = sqlx::query("SELECT sequence_epoch, head_bytes FROM feed_state WHERE only = 1")
            .fetch_one(&mut *transaction)
            .await?;
        if outrun(&row, update)? {
            return Ok(None);
        }
        let accepted = take_in_waiting(&mut transaction, update, now).await?;
        private::keep(&mut transaction, &update.private).await?;
        sqlx::query(
            "UPDATE feed_state SET version = version + 1, sequence_epoch = ?, head_bytes = ?, head_signatures = ?, \
             index_bytes = ?, index_signatures = ?, head_root = ?, \
             latest_time = max(latest_time, ?), last_word = ?, problem = NULL",
        )
        .bind(signed(update.sequence_epoch))
        .bind(update.head.bytes())
        .bind(update.head.signatures())
        .bind(update.index.bytes())
        .bind(update.index.signatures())
        .bind(signed(update.root_version))
        .bind(now.as_second())
        .bind(now.as_second())
        .execute(&mut *transaction)
        .await?;
        // What is accepted once more makes nothing young again.
        let before: Option<Vec<u8>> = row.try_get("head_bytes")?;
        if before.as_deref() != Some(update.head.bytes()) {
            sqlx::query("DELETE FROM expired_heads")
                .execute(&mut *transaction)
                .await?;
        }
        transaction.commit().await?;
        Ok(Some(accepted))
    }

    /// Remembers that the feed had nothing new to say.
    pub async fn heard(&self, now: Timestamp) -> Result<(), StoreError> {
        sqlx::query("UPDATE feed_state SET version = version + 1, last_word = ?, latest_time = max(latest_time, ?), problem = NULL")
            .bind(now.as_second())
            .bind(now.as_second())
            .execute(&self.feed)
            .await?;
        Ok(())
    }

    /// Remembers that a head was seen expired, so that it stays so when the clock goes back.
    pub async fn saw_expired(&self, head: Digest) -> Result<(), StoreError> {
        let mut transaction = self.feed.begin_with("BEGIN IMMEDIATE").await?;
        let seen = sqlx::query("INSERT OR IGNORE INTO expired_heads (digest) VALUES (?)")
            .bind(head.to_string())
            .execute(&mut *transaction)
            .await?;
        if seen.rows_affected() == 0 {
            return Ok(());
        }
        sqlx::query(
            "DELETE FROM expired_heads WHERE number <= (SELECT max(number) FROM expired_heads) - ?",
        )
        .bind(MOST_EXPIRED)
        .execute(&mut *transaction)
        .await?;
        sqlx::query("UPDATE feed_state SET version = version + 1")
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Remembers why an attempt failed; what is trusted stays as it is.
    pub async fn missed(&self, problem: &str) -> Result<(), StoreError> {
        sqlx::query("UPDATE feed_state SET problem = ?")
            .bind(problem)
            .execute(&self.feed)
            .await?;
        Ok(())
    }

    /// How current the panel's knowledge is.
    pub async fn freshness(&self) -> Result<Freshness, StoreError> {
        let row = sqlx::query("SELECT last_word, problem FROM feed_state WHERE only = 1")
            .fetch_one(&self.feed)
            .await?;
        let trusted = self.trusted().await?;
        let (head, root) = (trusted.head.as_ref(), trusted.root.as_ref());
        let good = |head: &Verified<Head>| {
            root.map_or(head.expires, |root| root.expires.min(head.expires))
        };
        Ok(Freshness {
            sequence: head.map(|head| head.sequence),
            spoken: head.map(|head| head.issued),
            expired: head.is_some_and(|head| trusted.has_seen_expired(head)),
            last_word: row
                .try_get::<Option<i64>, _>("last_word")?
                .map(time)
                .transpose()?,
            valid_until: head.map(good),
            problem: row.try_get("problem")?,
        })
    }
}

async fn newest_root(
    connection: &mut SqliteConnection,
) -> Result<Option<Verified<Root>>, StoreError> {
    let row = sqlx::query("SELECT version FROM roots ORDER BY version DESC LIMIT 1")
        .fetch_optional(&mut *connection)
        .await?;
    match row {
        Some(row) => Ok(Some(root(connection, unsigned(row.try_get(0)?)).await?)),
        None => Ok(None),
    }
}

pub(super) async fn root(
    connection: &mut SqliteConnection,
    version: u64,
) -> Result<Verified<Root>, StoreError> {
    let row = sqlx::query("SELECT bytes, signatures FROM roots WHERE version = ?")
        .bind(signed(version))
        .fetch_optional(connection)
        .await?
        .ok_or_else(|| StoreError::Damaged(format!("root {version} is gone")))?;
    let (bytes, signatures): (Vec<u8>, String) = (row.try_get(0)?, row.try_get(1)?);
    trust::reverify_root(Unverified {
        bytes: &bytes,
        signatures: signatures.as_bytes(),
    })
    .map_err(damaged)
}

async fn expired_heads(connection: &mut SqliteConnection) -> Result<BTreeSet<Digest>, StoreError> {
    let rows = sqlx::query("SELECT digest FROM expired_heads")
        .fetch_all(connection)
        .await?;
    let read = |row: &SqliteRow| {
        let digest: String = row.try_get(0)?;
        let parsed = digest.parse();
        parsed.map_err(|_| StoreError::Damaged(format!("{digest:?} is no digest of a head")))
    };
    rows.iter().map(read).collect()
}

/// Names a store that is new, or was emptied; once.
/// Names this store; made once, when it is new.
pub(super) async fn name_feed(connection: &mut SqliteConnection) -> Result<(), StoreError> {
    let mut epoch = [0; 8];
    getrandom::fill(&mut epoch).map_err(|error| StoreError::Randomness(error.to_string()))?;
    let epoch = u64::from_le_bytes(epoch);
    // The version begins anywhere, so that nobody takes a store that was built anew for the
    // one that they have read.
    sqlx::query("INSERT OR IGNORE INTO feed_state (only, epoch, version) VALUES (1, ?, ?)")
        .bind(signed(epoch))
        .bind(signed(epoch >> 2))
        .execute(connection)
        .await?;
    Ok(())
}

async fn read_held(
    connection: &mut SqliteConnection,
    table: &'static str,
) -> Result<Held, StoreError> {
    let query = format!("SELECT kind, id, revision, digest, root, private FROM {table}");
    let rows = sqlx::query(sqlx::AssertSqlSafe(query))
        .fetch_all(connection)
        .await?;
    let mut held = Held::new();
    for row in &rows {
        let id: String = row.try_get("id")?;
        let digest: String = row.try_get("digest")?;
        // What cannot be read is fetched again.
        let (Ok(id), Ok(digest)) = (id.parse(), digest.parse()) else {
            continue;
        };
        let root = unsigned(row.try_get("root")?);
        let document = HeldDocument {
            revision: unsigned(row.try_get("revision")?),
            digest,
            waiting_under: (table == "waiting").then_some(root),
            private: row.try_get("private")?,
        };
        held.insert((kind(row)?, id), document);
    }
    Ok(held)
}

/// Moves the documents that an index names, and that are not there yet, to where they are seen.
async fn take_in_waiting(
    transaction: &mut SqliteConnection,
    update: &Update,
    now: Timestamp,
) -> Result<Vec<(DocumentId, u64)>, StoreError> {
    let held = read_held(transaction, "documents").await?;
    let mut accepted = Vec::new();
    let public = update.index.documents.iter().map(|entry| (entry, false));
    let private = match &update.private {
        PrivateSide::Read { documents, .. } => &documents[..],
        _ => &[],
    };
    for (entry, private) in public.chain(private.iter().map(|entry| (entry, true))) {
        let there = held.get(&(entry.kind, entry.id.clone()));
        if there.is_some_and(|there| {
            there.revision == entry.revision
                && there.digest == entry.digest
                && there.private == private
        }) {
            continue;
        }
        // The position grows with every acceptance, so the old revision's row goes.
        sqlx::query("DELETE FROM documents WHERE kind = ? AND id = ?")
            .bind(entry.kind.as_str())
            .bind(entry.id.as_str())
            .execute(&mut *transaction)
            .await?;
        let moved = sqlx::query(
            "INSERT INTO documents (kind, id, revision, digest, bytes, signatures, signers, root, private, accepted) \
             SELECT kind, id, revision, digest, bytes, signatures, signers, root, private, ? FROM waiting \
             WHERE kind = ? AND id = ? AND revision = ? AND digest = ? AND root = ? AND private = ?",
        )
        .bind(now.as_second())
        .bind(entry.kind.as_str())
        .bind(entry.id.as_str())
        .bind(signed(entry.revision))
        .bind(entry.digest.to_string())
        .bind(signed(update.root_version))
        .bind(private)
        .execute(&mut *transaction)
        .await?;
        if moved.rows_affected() == 0 {
            return Err(StoreError::Raced);
        }
        accepted.push((entry.id.clone(), entry.revision));
    }
    // What waits for a newer head than this one, brought by another process, goes on waiting.
    sqlx::query(
        "DELETE FROM waiting WHERE EXISTS (SELECT 1 FROM documents AS here WHERE here.kind = waiting.kind \
         AND here.id = waiting.id AND (here.digest = waiting.digest OR here.revision > waiting.revision))",
    )
    .execute(&mut *transaction)
    .await?;
    Ok(accepted)
}

/// Whether another process has accepted something at least as new meanwhile.
fn outrun(row: &SqliteRow, update: &Update) -> Result<bool, StoreError> {
    let epoch = unsigned(row.try_get("sequence_epoch")?);
    if epoch != update.sequence_epoch {
        return Ok(epoch > update.sequence_epoch);
    }
    let Some(bytes) = row.try_get::<Option<Vec<u8>>, _>("head_bytes")? else {
        return Ok(false);
    };
    let there: Head = spacecp_contract::decode(&bytes, &Limits::default())
        .map_err(|error| StoreError::Damaged(error.to_string()))?;
    Ok(there.sequence > update.head.sequence)
}

pub(super) fn damaged(error: trust::TrustError) -> StoreError {
    StoreError::Damaged(error.to_string())
}

pub(super) fn time(second: i64) -> Result<Timestamp, StoreError> {
    Timestamp::from_second(second).map_err(|error| StoreError::Damaged(error.to_string()))
}

/// SQLite's integers are signed: the same 64 bits, read as what they are.
pub(super) fn signed(number: u64) -> i64 {
    number.cast_signed()
}

pub(super) fn unsigned(number: i64) -> u64 {
    number.cast_unsigned()
}
