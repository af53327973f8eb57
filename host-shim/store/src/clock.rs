//! What this panel remembers of the time: the latest by which it decided, what it saw expire, and the latest head that
//! it accepted.
//!
//! It lies in `store.sqlite`: it cannot be fetched again, and must outlive a `feed.sqlite` that is built anew.
//! It only grows, but for [`Store::reset_clock`] and [`Store::forget_clock`].

use jiff::Timestamp;
use serde::Serialize;
use spacecp_contract::{Digest, Head, Limits};
use sqlx::{Row, SqliteConnection};

use super::{
    Store, StoreError,
    feed::{signed, unsigned},
};
use spacecp_trust::workflow::{HeadNumber, SeenExpired, SeenHead};

/// What is remembered of the time.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct ClockMemory {
    /// The latest time by which anything was decided.
    pub latest: Timestamp,
    /// What the clock said when a root or a head was last seen expired.
    pub seen: Option<Timestamp>,
    /// What was seen expired.
    #[serde(skip)]
    pub expired: SeenExpired,
    /// The latest head that was ever accepted.
    #[serde(skip)]
    pub latest_head: Option<HeadNumber>,
}

impl ClockMemory {
    /// The latest time that the clock of this panel has ever shown, as far as is remembered.
    pub fn furthest(&self) -> Timestamp {
        self.latest.max(self.seen.unwrap_or(self.latest))
    }
}

impl Store {
    /// What is remembered of the time.
    pub async fn clock(&self) -> Result<ClockMemory, StoreError> {
        let mut connection = self.pool().acquire().await?;
        read(&mut connection).await
    }

    /// Remembers the time by which something is decided. Before it is: a crash in between must not leave the
    /// decision without it.
    pub(super) async fn decided_at(&self, now: Timestamp) -> Result<(), StoreError> {
        sqlx::query("UPDATE clock SET latest = max(latest, ?)")
            .bind(now.as_second())
            .execute(self.pool())
            .await?;
        Ok(())
    }

    /// Remembers the latest head that was accepted, which only grows. Before it is current: a crash in between must
    /// not leave it without this.
    pub(super) async fn accepts_head(&self, head: HeadNumber) -> Result<(), StoreError> {
        let mut transaction = self.pool().begin_with("BEGIN IMMEDIATE").await?;
        if read(&mut transaction).await?.latest_head >= Some(head) {
            return Ok(());
        }
        sqlx::query("UPDATE clock SET latest_epoch = ?, latest_sequence = ?")
            .bind(signed(head.epoch))
            .bind(signed(head.sequence))
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Remembers that a root was seen expired when the clock said `now`, so that it stays so when the clock
    /// goes back.
    pub async fn saw_root_expired(&self, root: Digest, now: Timestamp) -> Result<(), StoreError> {
        self.saw_expired(now, |seen| seen.root = Some(root)).await
    }

    /// The same of a head. Of several the latest is remembered.
    pub async fn saw_head_expired(&self, head: SeenHead, now: Timestamp) -> Result<(), StoreError> {
        let latest = |seen: &mut SeenExpired| seen.head = seen.head.max(Some(head));
        self.saw_expired(now, latest).await
    }

    /// Takes over what an earlier version remembered of the time in `feed.sqlite`, which no longer keeps any of it.
    /// Safe to repeat: it is removed there only once it is here.
    pub(super) async fn move_clock_from_feed(&self) -> Result<(), StoreError> {
        let row = sqlx::query(
            "SELECT latest_time, sequence_epoch, head_bytes, (SELECT count(*) FROM expired_heads) FROM feed_state",
        )
        .fetch_one(&self.feed_pool())
        .await?;
        let (latest, expired): (i64, i64) = (row.try_get(0)?, row.try_get(3)?);
        if latest == 0 && expired == 0 {
            return Ok(());
        }
        let latest = super::feed::time(latest)?;
        self.decided_at(latest).await?;
        if let Some(head) = row.try_get::<Option<Vec<u8>>, _>(2)? {
            let epoch = unsigned(row.try_get(1)?);
            self.move_expired_head(&head, epoch, latest).await?;
        }
        for statement in [
            "DELETE FROM expired_heads",
            "UPDATE feed_state SET latest_time = 0",
        ] {
            sqlx::query(statement).execute(&self.feed_pool()).await?;
        }
        Ok(())
    }

    /// Remembers that the trusted head was seen expired, if an earlier version has noted that.
    async fn move_expired_head(
        &self,
        bytes: &[u8],
        epoch: u64,
        latest: Timestamp,
    ) -> Result<(), StoreError> {
        let digest = Digest::of(bytes);
        let noted = sqlx::query("SELECT 1 FROM expired_heads WHERE digest = ?")
            .bind(digest.to_string())
            .fetch_optional(&self.feed_pool())
            .await?;
        // One that cannot be read is found damaged by whoever reads it.
        let head = spacecp_contract::decode::<Head>(bytes, &Limits::default());
        let (Some(_), Ok(head)) = (noted, head) else {
            return Ok(());
        };
        let seen = SeenHead {
            epoch,
            sequence: head.sequence,
            digest,
        };
        self.saw_head_expired(seen, latest).await
    }

    async fn saw_expired(
        &self,
        now: Timestamp,
        change: impl FnOnce(&mut SeenExpired),
    ) -> Result<(), StoreError> {
        let mut transaction = self.pool().begin_with("BEGIN IMMEDIATE").await?;
        let before = read(&mut transaction).await?;
        let mut after = before.expired.clone();
        change(&mut after);
        if after == before.expired {
            return Ok(());
        }
        let seen = before.seen.map_or(now, |seen| seen.max(now));
        sqlx::query(
            "UPDATE clock SET seen = ?, root = ?, head_epoch = ?, head_sequence = ?, head_digest = ?",
        )
        .bind(seen.as_second())
        .bind(after.root.map(|root| root.to_string()))
        .bind(after.head.map(|head| signed(head.epoch)))
        .bind(after.head.map(|head| signed(head.sequence)))
        .bind(after.head.map(|head| head.digest.to_string()))
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
        self.feed_changed().await
    }

    /// Forgets every time that lies ahead of `now`, and what was seen expired by then.
    pub async fn reset_clock(&self, now: Timestamp) -> Result<(), StoreError> {
        let now = now.as_second();
        sqlx::query(
            "UPDATE clock SET latest = min(latest, ?1), \
             root = iif(seen > ?1, NULL, root), head_epoch = iif(seen > ?1, NULL, head_epoch), \
             head_sequence = iif(seen > ?1, NULL, head_sequence), \
             head_digest = iif(seen > ?1, NULL, head_digest), seen = iif(seen > ?1, NULL, seen)",
        )
        .bind(now)
        .execute(self.pool())
        .await?;
        self.feed_changed().await
    }

    /// Forgets all that is remembered of the time, with the feed that it was about.
    pub async fn forget_clock(&self) -> Result<(), StoreError> {
        sqlx::query(
            "UPDATE clock SET latest = 0, seen = NULL, root = NULL, head_epoch = NULL, \
             head_sequence = NULL, head_digest = NULL, latest_epoch = NULL, latest_sequence = NULL",
        )
        .execute(self.pool())
        .await?;
        self.feed_changed().await
    }
}

async fn read(connection: &mut SqliteConnection) -> Result<ClockMemory, StoreError> {
    let row = sqlx::query("SELECT * FROM clock WHERE only = 1")
        .fetch_one(connection)
        .await?;
    let time = |second| {
        Timestamp::from_second(second).map_err(|error| StoreError::Panel(error.to_string()))
    };
    let digest = |column: &str| -> Result<Option<Digest>, StoreError> {
        let text: Option<String> = row.try_get(column)?;
        let read = |text: String| {
            let parsed = text.parse();
            parsed.map_err(|_| StoreError::Panel(format!("invalid digest {text:?}")))
        };
        text.map(read).transpose()
    };
    let epoch: Option<i64> = row.try_get("head_epoch")?;
    let sequence: Option<i64> = row.try_get("head_sequence")?;
    let head = match (epoch, sequence, digest("head_digest")?) {
        (Some(epoch), Some(sequence), Some(digest)) => Some(SeenHead {
            epoch: unsigned(epoch),
            sequence: unsigned(sequence),
            digest,
        }),
        _ => None,
    };
    let epoch: Option<i64> = row.try_get("latest_epoch")?;
    let sequence: Option<i64> = row.try_get("latest_sequence")?;
    let latest_head = epoch.zip(sequence).map(|(epoch, sequence)| HeadNumber {
        epoch: unsigned(epoch),
        sequence: unsigned(sequence),
    });
    Ok(ClockMemory {
        latest_head,
        latest: time(row.try_get("latest")?)?,
        seen: row
            .try_get::<Option<i64>, _>("seen")?
            .map(time)
            .transpose()?,
        expired: SeenExpired {
            root: digest("root")?,
            head,
        },
    })
}
