//! What is still to be said, to whom, and what became of it.
//!
//! What has been told is remembered in the very transaction that puts the notices of it here, so
//! that nothing is told twice and nothing is lost; what was delivered is noted after the receiver
//! took it, so that a crash in between has it delivered once more.

use std::{collections::BTreeSet, time::Duration};

use jiff::{SignedDuration, Timestamp};
use sqlx::{Row, SqliteConnection, sqlite::SqliteRow};

use super::{
    notice::{Notice, Numbered},
    notice_diff::{Fact, Told, Topic, compare},
    pause,
    present::Present,
};
use crate::config::NotifyConfig;
use spacecp_store::{Store, StoreError};

/// Days for which it is remembered what was delivered or given up.
const KEPT_DAYS: i64 = 30;

/// Everything that was told.
pub async fn told(store: &Store) -> Result<Told, StoreError> {
    read_told(&mut *store.pool().acquire().await?).await
}

async fn read_told(connection: &mut SqliteConnection) -> Result<Told, StoreError> {
    let rows = sqlx::query("SELECT subject, fact FROM notices_told")
        .fetch_all(connection)
        .await?;
    let damaged = |_| StoreError::Panel("unreadable record of deliveries".to_owned());
    let read = |row: &SqliteRow| {
        let topic: Topic = serde_json::from_str(row.try_get("subject")?).map_err(damaged)?;
        let fact: Fact = serde_json::from_str(row.try_get("fact")?).map_err(damaged)?;
        Ok((topic, fact))
    };
    rows.iter().map(read).collect()
}

/// Puts into the outbox what is new at present, for each channel that wants it. Says how many notices
/// somebody wants.
pub async fn put(
    store: &Store,
    present: &Present,
    config: &NotifyConfig,
    now: Timestamp,
) -> Result<u64, StoreError> {
    let remind = SignedDuration::from_hours(i64::from(config.no_correction_after_hours));
    let mut transaction = store.pool().begin_with("BEGIN IMMEDIATE").await?;
    let told = read_told(&mut transaction).await?;
    give_up_unlisted(&mut transaction, &told, present, now).await?;
    let (notices, next) = compare(present, &told, remind, now);
    let mut wanted = 0;
    for notice in &notices {
        wanted += u64::from(put_notice(&mut transaction, notice, config, now).await?);
    }
    remember(&mut transaction, &told, &next).await?;
    transaction.commit().await?;
    Ok(wanted)
}

/// Gives up what is still to be said of advisories that the feed no longer lists.
async fn give_up_unlisted(
    transaction: &mut SqliteConnection,
    told: &Told,
    present: &Present,
    now: Timestamp,
) -> Result<(), StoreError> {
    let mut gone = BTreeSet::new();
    for topic in told.keys() {
        if let Topic::Advisory(id) | Topic::Exposure(id, _) = topic
            && present.is_unlisted(id)
        {
            gone.insert(id);
        }
    }
    if gone.is_empty() {
        return Ok(());
    }
    let rows = sqlx::query("SELECT number, notice FROM notices WHERE EXISTS (SELECT 1 FROM notice_deliveries WHERE notice = number AND state = 'pending')")
        .fetch_all(&mut *transaction)
        .await?;
    for row in &rows {
        let notice = read_notice(row.try_get("notice")?)?;
        if notice.kind.is_of_the_feed() && notice.advisories().iter().any(|id| gone.contains(id)) {
            let number: i64 = row.try_get("number")?;
            sqlx::query("UPDATE notice_deliveries SET state = 'given-up', ended = ?, problem = 'the feed no longer lists the advisory' WHERE notice = ? AND state = 'pending'")
                .bind(now.as_second())
                .bind(number)
                .execute(&mut *transaction)
                .await?;
        }
    }
    Ok(())
}

/// Whether anybody wants it.
async fn put_notice(
    transaction: &mut SqliteConnection,
    notice: &Notice,
    config: &NotifyConfig,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let wanting: Vec<_> = config
        .channels
        .iter()
        .filter(|channel| channel.wants(notice))
        .collect();
    if wanting.is_empty() {
        return Ok(false);
    }
    let text = serde_json::to_string(notice).expect("texts, numbers and lists of them");
    let put = sqlx::query("INSERT INTO notices (at, notice) VALUES (?, ?)")
        .bind(now.as_second())
        .bind(text)
        .execute(&mut *transaction)
        .await?;
    for channel in wanting {
        let urgent = channel.timing.is_urgent(notice);
        sqlx::query(
            "INSERT INTO notice_deliveries (notice, channel, urgent, due) VALUES (?, ?, ?, ?)",
        )
        .bind(put.last_insert_rowid())
        .bind(&channel.name)
        .bind(urgent)
        .bind(channel.timing.due(urgent, now).as_second())
        .execute(&mut *transaction)
        .await?;
    }
    Ok(true)
}

/// Writes what has changed of what was told.
async fn remember(
    transaction: &mut SqliteConnection,
    before: &Told,
    after: &Told,
) -> Result<(), StoreError> {
    let written = |topic: &Topic| serde_json::to_string(topic).expect("names and numbers");
    for topic in before.keys().filter(|topic| !after.contains_key(topic)) {
        sqlx::query("DELETE FROM notices_told WHERE subject = ?")
            .bind(written(topic))
            .execute(&mut *transaction)
            .await?;
    }
    for (topic, fact) in after {
        if before.get(topic) == Some(fact) {
            continue;
        }
        sqlx::query("INSERT INTO notices_told (subject, fact) VALUES (?, ?) ON CONFLICT (subject) DO UPDATE SET fact = excluded.fact")
            .bind(written(topic))
            .bind(serde_json::to_string(fact).expect("names, numbers and times"))
            .execute(&mut *transaction)
            .await?;
    }
    Ok(())
}

/// Gives up what is meant for channels that are not there any more, and forgets what was delivered
/// or given up long ago.
pub async fn tidy(store: &Store, config: &NotifyConfig, now: Timestamp) -> Result<(), StoreError> {
    let names: Vec<&str> = config
        .channels
        .iter()
        .map(|one| one.name.as_str())
        .collect();
    let names = serde_json::to_string(&names).expect("a list of names");
    let mut transaction = store.pool().begin_with("BEGIN IMMEDIATE").await?;
    sqlx::query("UPDATE notice_deliveries SET state = 'given-up', ended = ?, problem = 'the channel is no longer configured' WHERE state = 'pending' AND channel NOT IN (SELECT value FROM json_each(?))")
        .bind(now.as_second())
        .bind(&names)
        .execute(&mut *transaction)
        .await?;
    sqlx::query(
        "DELETE FROM notice_channels WHERE channel NOT IN (SELECT value FROM json_each(?))",
    )
    .bind(&names)
    .execute(&mut *transaction)
    .await?;
    sqlx::query("DELETE FROM notices WHERE at < ? AND NOT EXISTS (SELECT 1 FROM notice_deliveries WHERE notice = number AND state = 'pending')")
        .bind(now.as_second() - KEPT_DAYS * 24 * 3_600)
        .execute(&mut *transaction)
        .await?;
    transaction.commit().await?;
    Ok(())
}

/// Until when a channel is left alone, if it is.
pub(crate) async fn not_before(
    store: &Store,
    channel: &str,
) -> Result<Option<Timestamp>, StoreError> {
    let row = sqlx::query("SELECT not_before FROM notice_channels WHERE channel = ?")
        .bind(channel)
        .fetch_optional(store.pool())
        .await?;
    let second: Option<i64> = row.map(|row| row.try_get(0)).transpose()?.flatten();
    second.map(time).transpose()
}

/// What is due for a channel, what failed least often first, at most so many.
pub(crate) async fn due(
    store: &Store,
    channel: &str,
    quiet: bool,
    most: u32,
    now: Timestamp,
) -> Result<Vec<Numbered>, StoreError> {
    let rows = sqlx::query("SELECT n.number, n.at, n.notice FROM notice_deliveries AS d JOIN notices AS n ON n.number = d.notice WHERE d.channel = ? AND d.state = 'pending' AND d.due <= ? AND (d.urgent OR NOT ?) ORDER BY d.attempts, n.number LIMIT ?")
        .bind(channel)
        .bind(now.as_second())
        .bind(quiet)
        .bind(most)
        .fetch_all(store.pool())
        .await?;
    let read = |row: &SqliteRow| {
        Ok(Numbered {
            number: row.try_get::<i64, _>(0)?.cast_unsigned(),
            at: time(row.try_get(1)?)?,
            notice: read_notice(row.try_get(2)?)?,
        })
    };
    rows.iter().map(read).collect()
}

fn read_notice(text: &str) -> Result<Notice, StoreError> {
    serde_json::from_str(text).map_err(|_| StoreError::Panel("unreadable notification".to_owned()))
}

/// Notes that a channel took these notices.
pub(crate) async fn delivered(
    store: &Store,
    channel: &str,
    numbers: &[u64],
    now: Timestamp,
) -> Result<(), StoreError> {
    let mut transaction = store.pool().begin_with("BEGIN IMMEDIATE").await?;
    sqlx::query("UPDATE notice_deliveries SET state = 'delivered', ended = ?, problem = NULL, attempts = attempts + 1 WHERE channel = ? AND notice IN (SELECT value FROM json_each(?))")
        .bind(now.as_second())
        .bind(channel)
        .bind(list(numbers))
        .execute(&mut *transaction)
        .await?;
    sqlx::query("INSERT INTO notice_channels (channel, last_delivery) VALUES (?, ?) ON CONFLICT (channel) DO UPDATE SET attempts = 0, not_before = NULL, last_delivery = excluded.last_delivery")
        .bind(channel)
        .bind(now.as_second())
        .execute(&mut *transaction)
        .await?;
    transaction.commit().await?;
    Ok(())
}

/// A delivery that failed.
#[derive(Debug, Clone)]
pub(crate) struct Missed<'a> {
    /// Why.
    pub problem: &'a str,
    /// For how long the receiver asked to be left alone.
    pub asked_for: Option<Duration>,
    /// Random, `u32::MAX` for the longest pause.
    pub share: u32,
    /// After how many hours a notice is given up.
    pub give_up_after: u32,
}

/// Notes that a channel did not take these notices: it is left alone for a while, and what has been
/// tried for too long is given up. Says how many of them were.
pub(crate) async fn failed(
    store: &Store,
    channel: &str,
    numbers: &[u64],
    missed: &Missed<'_>,
    now: Timestamp,
) -> Result<u64, StoreError> {
    let mut transaction = store.pool().begin_with("BEGIN IMMEDIATE").await?;
    let row = sqlx::query("INSERT INTO notice_channels (channel, attempts, last_failure, problem) VALUES (?, 1, ?, ?) ON CONFLICT (channel) DO UPDATE SET attempts = attempts + 1, last_failure = excluded.last_failure, problem = excluded.problem RETURNING attempts")
        .bind(channel)
        .bind(now.as_second())
        .bind(missed.problem)
        .fetch_one(&mut *transaction)
        .await?;
    let attempts = u32::try_from(row.try_get::<i64, _>(0)?).unwrap_or(u32::MAX);
    let pause = pause::after(attempts, missed.asked_for, missed.share).as_secs();
    let pause = i64::try_from(pause).unwrap_or(i64::MAX);
    sqlx::query("UPDATE notice_channels SET not_before = ? WHERE channel = ?")
        .bind(now.as_second().saturating_add(pause))
        .bind(channel)
        .execute(&mut *transaction)
        .await?;
    sqlx::query("UPDATE notice_deliveries SET attempts = attempts + 1, problem = ? WHERE channel = ? AND notice IN (SELECT value FROM json_each(?))")
        .bind(missed.problem)
        .bind(channel)
        .bind(list(numbers))
        .execute(&mut *transaction)
        .await?;
    let given_up = sqlx::query("UPDATE notice_deliveries SET state = 'given-up', ended = ? WHERE channel = ? AND state = 'pending' AND attempts > 0 AND due <= ?")
        .bind(now.as_second())
        .bind(channel)
        .bind(now.as_second() - i64::from(missed.give_up_after) * 3_600)
        .execute(&mut *transaction)
        .await?;
    transaction.commit().await?;
    Ok(given_up.rows_affected())
}

/// Has everything that failed or was given up tried again, at once. Says how many notices that are.
pub async fn again(
    store: &Store,
    config: &NotifyConfig,
    now: Timestamp,
) -> Result<u64, StoreError> {
    let names: Vec<&str> = config
        .channels
        .iter()
        .map(|one| one.name.as_str())
        .collect();
    let names = serde_json::to_string(&names).expect("a list of names");
    let mut transaction = store.pool().begin_with("BEGIN IMMEDIATE").await?;
    let again = sqlx::query("UPDATE notice_deliveries SET state = 'pending', due = ?, ended = NULL, attempts = 0 WHERE (state = 'given-up' OR state = 'pending' AND attempts > 0) AND channel IN (SELECT value FROM json_each(?))")
        .bind(now.as_second())
        .bind(names)
        .execute(&mut *transaction)
        .await?;
    sqlx::query("UPDATE notice_channels SET attempts = 0, not_before = NULL")
        .execute(&mut *transaction)
        .await?;
    transaction.commit().await?;
    Ok(again.rows_affected())
}

fn list(numbers: &[u64]) -> String {
    serde_json::to_string(numbers).expect("a list of numbers")
}

pub(super) fn time(second: i64) -> Result<Timestamp, StoreError> {
    Timestamp::from_second(second)
        .map_err(|_| StoreError::Panel("unreadable time of a notification".to_owned()))
}
