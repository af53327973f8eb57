//! What was refused, found damaged or forgotten: for the administrator who asks why.
//!
//! What happens again and again is one incident that is counted. Of each kind the newest are kept, and no
//! kind takes the place of another: a feed that is refused a thousand times must not wash away that the
//! store was damaged or that somebody had it forget.

use jiff::Timestamp;
use sqlx::Row;

use super::{Store, StoreError};

/// Characters of its words.
const LONGEST: usize = 2_000;

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum IncidentKind {
    /// The feed offered something that was refused.
    Refused,
    /// The feed did not answer as it should.
    Unreachable,
    /// What was stored of the feed was damaged, set aside and built anew.
    Damaged,
    /// An administrator had everything forgotten that was learnt from the feed.
    Reset,
}

impl IncidentKind {
    const ALL: [Self; 4] = [Self::Refused, Self::Unreachable, Self::Damaged, Self::Reset];

    /// The word that the store and scripts use.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Refused => "refused",
            Self::Unreachable => "unreachable",
            Self::Damaged => "damaged",
            Self::Reset => "reset",
        }
    }

    /// Incidents of the kind that are kept. Feeds bring about the first two, as many as they like.
    fn most(self) -> i64 {
        match self {
            Self::Refused => 100,
            Self::Unreachable => 50,
            Self::Damaged | Self::Reset => 25,
        }
    }
}

/// Something that happened, once or several times.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Incident {
    /// What happened.
    pub kind: IncidentKind,
    /// In words.
    pub words: String,
    /// When, at first.
    pub first: Timestamp,
    /// When, last.
    pub last: Timestamp,
    /// How often.
    pub times: u64,
}

impl Store {
    /// Notes something down, as the newest; what is there in the same words is counted, and moves.
    pub async fn note(
        &self,
        kind: IncidentKind,
        words: &str,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let words: String = words.chars().take(LONGEST).collect();
        let mut transaction = self.pool().begin_with("BEGIN IMMEDIATE").await?;
        let again = sqlx::query(
            "UPDATE incidents SET times = times + 1, last = ?, number = (SELECT max(number) + 1 FROM incidents) \
             WHERE number = (SELECT max(number) FROM incidents WHERE kind = ? AND words = ?)",
        )
        .bind(now.as_second())
        .bind(kind.as_str())
        .bind(&words)
        .execute(&mut *transaction)
        .await?;
        if again.rows_affected() == 0 {
            sqlx::query(
                "INSERT INTO incidents (kind, words, first, last, times) VALUES (?, ?, ?, ?, 1)",
            )
            .bind(kind.as_str())
            .bind(&words)
            .bind(now.as_second())
            .bind(now.as_second())
            .execute(&mut *transaction)
            .await?;
            sqlx::query(
                "DELETE FROM incidents WHERE kind = ? AND number NOT IN \
                 (SELECT number FROM incidents WHERE kind = ? ORDER BY number DESC LIMIT ?)",
            )
            .bind(kind.as_str())
            .bind(kind.as_str())
            .bind(kind.most())
            .execute(&mut *transaction)
            .await?;
        }
        transaction.commit().await?;
        Ok(())
    }

    /// The newest incidents, newest first.
    pub async fn incidents(&self, limit: u32) -> Result<Vec<Incident>, StoreError> {
        let rows = sqlx::query("SELECT * FROM incidents ORDER BY number DESC LIMIT ?")
            .bind(limit)
            .fetch_all(self.pool())
            .await?;
        let read = |row: &sqlx::sqlite::SqliteRow| {
            let word: String = row.try_get("kind")?;
            let kind = IncidentKind::ALL
                .into_iter()
                .find(|kind| kind.as_str() == word)
                .ok_or_else(|| StoreError::Panel(format!("an incident of the kind {word:?}")))?;
            let time = |second: i64| {
                Timestamp::from_second(second).map_err(|error| StoreError::Panel(error.to_string()))
            };
            Ok(Incident {
                kind,
                words: row.try_get("words")?,
                first: time(row.try_get("first")?)?,
                last: time(row.try_get("last")?)?,
                times: row.try_get::<i64, _>("times")?.cast_unsigned(),
            })
        };
        rows.iter().map(read).collect()
    }
}
