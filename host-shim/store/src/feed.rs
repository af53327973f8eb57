//! What the panel believes of its feed: roots, head, index, and that the documents have come.
//!
//! A sync becomes durable as one transaction. What is read back is verified again before anybody
//! acts on it, so a tampered or damaged store is found, not followed.

use std::sync::Arc;

use jiff::Timestamp;
use spacecp_contract::{Digest, DocumentId, Head, Limits, Root};
use sqlx::{Row, SqliteConnection, sqlite::SqliteRow};

use super::{Store, StoreError, believed::Believed, documents::kind, listed, private};
use spacecp_trust::{
    self as trust, AnyDocument, Unverified, Verified,
    workflow::{HeadNumber, Held, HeldDocument, Trusted, Update},
};

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
    /// Whether it, or the root above it, was seen expired, or its keys have lost their role; then it is, whatever
    /// the clock says now.
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
        self.feed.follow().await?;
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

    pub(super) async fn feed_version(&self) -> Result<u64, StoreError> {
        let row = sqlx::query("SELECT version FROM feed_state WHERE only = 1")
            .fetch_one(&self.feed_pool())
            .await?;
        Ok(unsigned(row.try_get(0)?))
    }

    /// All of it as of one instant: what is forgotten meanwhile is not missing.
    async fn read_trusted(&self) -> Result<(u64, Trusted), StoreError> {
        // First: who changes it says so in the feed's state afterwards.
        let clock = self.clock().await?;
        let mut snapshot = self.feed_pool().begin().await?;
        let row = sqlx::query("SELECT * FROM feed_state WHERE only = 1")
            .fetch_one(&mut *snapshot)
            .await?;
        let version = unsigned(row.try_get("version")?);
        let mut trusted = Trusted {
            root: newest_root(&mut snapshot).await?,
            latest_time: clock.latest,
            seen_expired: clock.expired,
            latest_head: clock.latest_head,
            private: private::documents(&mut snapshot).await?,
            reading: private::reading(&row)?,
            sequence_epoch: unsigned(row.try_get("sequence_epoch")?),
            ..Trusted::default()
        };
        let Some(head_bytes) = row.try_get::<Option<Vec<u8>>, _>("head_bytes")? else {
            listed::check(&mut snapshot, &trusted).await?;
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
        // Its times are a matter of the next sync, not of whether the store is intact.
        let head = trust::reverify_head(&by, offered).map_err(damaged)?;
        let before = trust::Before {
            head: None,
            index: None,
            afresh: true,
        };
        let offered = Unverified {
            bytes: &index_bytes,
            signatures: index_signatures.as_bytes(),
        };
        let index =
            trust::index(&by, &head, before, offered, &Limits::default()).map_err(damaged)?;
        trusted.head = Some(head);
        trusted.index = Some(index);
        listed::check(&mut snapshot, &trusted).await?;
        Ok((version, trusted))
    }

    /// What need not be fetched again.
    pub async fn held(&self) -> Result<Held, StoreError> {
        let mut connection = self.feed_pool().acquire().await?;
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
            .fetch_optional(&self.feed_pool())
            .await?;
        row.map(|row| Ok(Digest::of(row.try_get::<&[u8], _>(0)?)))
            .transpose()
    }

    /// Makes a root durable, whatever becomes of the rest.
    ///
    /// One that starts sequences and revisions afresh says that keys were stolen: what was listed before is
    /// discarded at once. Says whether anything was.
    pub async fn keep_root(&self, root: &Verified<Root>) -> Result<bool, StoreError> {
        if self.root_digest(root.version).await?.is_some() {
            return Ok(false);
        }
        let mut transaction = self.feed_pool().begin_with("BEGIN IMMEDIATE").await?;
        sqlx::query("INSERT OR IGNORE INTO roots (version, bytes, signatures) VALUES (?, ?, ?)")
            .bind(signed(root.version))
            .bind(root.bytes())
            .bind(root.signatures())
            .execute(&mut *transaction)
            .await?;
        sqlx::query("UPDATE feed_state SET version = version + 1")
            .execute(&mut *transaction)
            .await?;
        let (epoch, version) = (root.sequence_epoch, root.version);
        let discarded = listed::start_afresh(&mut transaction, epoch, version).await?;
        transaction.commit().await?;
        Ok(discarded)
    }

    /// Discards what was received under an earlier sequence epoch than the newest root has, where a version that did
    /// not do so when it kept that root has left it. Gives the root if anything was discarded.
    pub async fn discard_superseded(&self) -> Result<Option<Verified<Root>>, StoreError> {
        let trusted = self.trusted().await?;
        let newest = trusted.root.clone();
        let Some(root) = newest.filter(|root| root.sequence_epoch > trusted.sequence_epoch) else {
            return Ok(None);
        };
        let mut transaction = self.feed_pool().begin_with("BEGIN IMMEDIATE").await?;
        sqlx::query("UPDATE feed_state SET version = version + 1")
            .execute(&mut *transaction)
            .await?;
        let (epoch, version) = (root.sequence_epoch, root.version);
        let discarded = listed::start_afresh(&mut transaction, epoch, version).await?;
        transaction.commit().await?;
        Ok(discarded.then_some(root))
    }

    /// Puts verified documents by, until everything has come. Nobody is shown them before. What was verified
    /// under an older root than is known by now is left out.
    pub async fn keep_waiting(&self, documents: &[Waiting]) -> Result<(), StoreError> {
        let mut transaction = self.feed_pool().begin_with("BEGIN IMMEDIATE").await?;
        for Waiting {
            document,
            root,
            private,
        } in documents
        {
            sqlx::query("INSERT OR REPLACE INTO waiting (kind, id, revision, digest, bytes, signatures, signers, root, private) \
                 SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9 WHERE ?8 >= (SELECT coalesce(max(version), 0) FROM roots)")
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
        self.decided_at(now).await?;
        self.accepts_head(HeadNumber {
            epoch: update.sequence_epoch,
            sequence: update.head.sequence,
        })
        .await?;
        let mut transaction = self.feed_pool().begin_with("BEGIN IMMEDIATE").await?;
        let row = sqlx::query("SELECT sequence_epoch, head_bytes FROM feed_state WHERE only = 1")
            .fetch_one(&mut *transaction)
            .await?;
        if outrun(&row, update)? {
            return Ok(None);
        }
        refuse_an_older_root(&mut transaction, update).await?;
        listed::start_afresh(&mut transaction, update.sequence_epoch, update.root_version).await?;
        let accepted = listed::list(&mut transaction, update, now).await?;
        private::keep(&mut transaction, &update.private).await?;
        sqlx::query(
            "UPDATE feed_state SET version = version + 1, sequence_epoch = ?, head_bytes = ?, head_signatures = ?, \
             index_bytes = ?, index_signatures = ?, head_root = ?, \
             last_word = ?, problem = NULL",
        )
        .bind(signed(update.sequence_epoch))
        .bind(update.head.bytes())
        .bind(update.head.signatures())
        .bind(update.index.bytes())
        .bind(update.index.signatures())
        .bind(signed(update.root_version))
        .bind(now.as_second())
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
        Ok(Some(accepted))
    }

    /// Remembers that the feed had nothing new to say.
    pub async fn heard(&self, now: Timestamp) -> Result<(), StoreError> {
        self.decided_at(now).await?;
        let trusted = self.trusted().await?;
        if let Some(head) = &trusted.head {
            // A store that is new, or older than feed.sqlite, does not know of it yet.
            self.accepts_head(HeadNumber {
                epoch: trusted.sequence_epoch,
                sequence: head.sequence,
            })
            .await?;
        }
        sqlx::query("UPDATE feed_state SET version = version + 1, last_word = ?, problem = NULL")
            .bind(now.as_second())
            .execute(&self.feed_pool())
            .await?;
        Ok(())
    }

    /// Has every process read anew what is trusted.
    pub(super) async fn feed_changed(&self) -> Result<(), StoreError> {
        sqlx::query("UPDATE feed_state SET version = version + 1")
            .execute(&self.feed_pool())
            .await?;
        Ok(())
    }

    /// Remembers why an attempt failed; what is trusted stays as it is.
    pub async fn missed(&self, problem: &str) -> Result<(), StoreError> {
        sqlx::query("UPDATE feed_state SET problem = ?")
            .bind(problem)
            .execute(&self.feed_pool())
            .await?;
        Ok(())
    }

    /// How current the panel's knowledge is.
    pub async fn freshness(&self) -> Result<Freshness, StoreError> {
        let row = sqlx::query("SELECT last_word, problem FROM feed_state WHERE only = 1")
            .fetch_one(&self.feed_pool())
            .await?;
        let trusted = self.trusted().await?;
        let head = trusted.head.as_ref();
        Ok(Freshness {
            sequence: head.map(|head| head.sequence),
            spoken: head.map(|head| head.issued),
            expired: trusted.has_seen_expired()
                || trusted.has_gone_back()
                || head.is_some_and(|head| !trusted.has_its_keys(head)),
            last_word: row
                .try_get::<Option<i64>, _>("last_word")?
                .map(time)
                .transpose()?,
            valid_until: trusted.good_until(),
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
        .ok_or_else(|| StoreError::Damaged(format!("root {version} is missing")))?;
    let (bytes, signatures): (Vec<u8>, String) = (row.try_get(0)?, row.try_get(1)?);
    trust::reverify_root(Unverified {
        bytes: &bytes,
        signatures: signatures.as_bytes(),
    })
    .map_err(damaged)
}

/// A number that nobody has had before.
pub(super) fn random() -> Result<u64, StoreError> {
    let mut bytes = [0; 8];
    getrandom::fill(&mut bytes).map_err(|error| StoreError::Randomness(error.to_string()))?;
    Ok(u64::from_le_bytes(bytes))
}

/// Names this store; once, when it is new or was emptied.
pub(super) async fn name_feed(connection: &mut SqliteConnection) -> Result<(), StoreError> {
    // Where it has its name nothing is written: it may be on a full disk.
    let named = sqlx::query("SELECT 1 FROM feed_state WHERE only = 1");
    if named.fetch_optional(&mut *connection).await?.is_some() {
        return Ok(());
    }
    let epoch = random()?;
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

/// Refuses to accept by a root that another process knows the successor of.
async fn refuse_an_older_root(
    transaction: &mut SqliteConnection,
    update: &Update,
) -> Result<(), StoreError> {
    let row = sqlx::query("SELECT coalesce(max(version), 0) FROM roots")
        .fetch_one(transaction)
        .await?;
    if unsigned(row.try_get(0)?) > update.root_version {
        return Err(StoreError::Raced);
    }
    Ok(())
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
