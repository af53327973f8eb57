//! The periods in the store. It owns the tables of migration 9 and no others.

use std::collections::BTreeSet;

use jiff::Timestamp;
use sqlx::{Row, sqlite::SqliteRow};

use super::{Change, Finding, Period, Verdict, changes};
use spacecp_store::{Store, StoreError};

/// Ended periods that are kept. The oldest go: a plugin that changes its mind all the time fills no disk.
const MOST_ENDED: i64 = 100_000;

/// Which periods are asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Query {
    /// Of these advisories only; of all where there is none.
    pub advisories: BTreeSet<String>,
    /// Of this component only.
    pub component: Option<String>,
    /// Those of which something lies at or after this.
    pub from: Option<Timestamp>,
    /// Those of which something lies at or before this.
    pub until: Option<Timestamp>,
}

/// Writes down what has begun and what has ended, in one transaction; says how much that was.
pub async fn note(store: &Store, found: &[Finding], now: Timestamp) -> Result<usize, StoreError> {
    let mut transaction = store.pool().begin_with("BEGIN IMMEDIATE").await?;
    sqlx::query("INSERT OR IGNORE INTO exposure_record (only, began) VALUES (1, ?)")
        .bind(now.as_second())
        .execute(&mut *transaction)
        .await?;
    let rows = sqlx::query("SELECT * FROM exposures WHERE until IS NULL")
        .fetch_all(&mut *transaction)
        .await?;
    let lasting: Vec<Period> = rows.iter().map(period).collect::<Result<_, _>>()?;
    let changed = changes(&lasting, found);
    for change in &changed {
        match change {
            Change::Ends {
                advisory,
                component,
                because,
            } => {
                // A clock that went back ends nothing before it began.
                sqlx::query("UPDATE exposures SET until = max(since, ?), ended = ? WHERE advisory = ? AND component = ? AND until IS NULL")
                    .bind(now.as_second())
                    .bind(because)
                    .bind(advisory)
                    .bind(component)
                    .execute(&mut *transaction)
                    .await?;
            }
            Change::Begins(finding) => {
                let verdict = finding.verdict.map_or("", Verdict::as_str);
                sqlx::query("INSERT INTO exposures (advisory, component, verdict, version, since, because) VALUES (?, ?, ?, ?, ?, ?)")
                    .bind(&finding.advisory)
                    .bind(&finding.component)
                    .bind(verdict)
                    .bind(&finding.version)
                    .bind(now.as_second())
                    .bind(&finding.reason)
                    .execute(&mut *transaction)
                    .await?;
            }
        }
    }
    sqlx::query("DELETE FROM exposures WHERE until IS NOT NULL AND number <= (SELECT max(number) FROM exposures) - ?")
        .bind(MOST_ENDED)
        .execute(&mut *transaction)
        .await?;
    transaction.commit().await?;
    Ok(changed.len())
}

/// Since when the record is kept; none before the first entry.
pub async fn began(store: &Store) -> Result<Option<Timestamp>, StoreError> {
    let row = sqlx::query("SELECT began FROM exposure_record")
        .fetch_optional(store.pool())
        .await?;
    row.map(|row| time(row.try_get("began")?)).transpose()
}

/// The periods that are asked for, those that last first, then the newest; at most `limit` of them.
pub async fn periods(store: &Store, query: &Query, limit: u32) -> Result<Vec<Period>, StoreError> {
    let names = (!query.advisories.is_empty())
        .then(|| serde_json::to_string(&query.advisories).expect("names are texts"));
    let rows = sqlx::query(
        "SELECT * FROM exposures
         WHERE (?1 IS NULL OR advisory IN (SELECT value FROM json_each(?1))) AND (?2 IS NULL OR component = ?2)
           AND (?3 IS NULL OR until IS NULL OR until >= ?3) AND (?4 IS NULL OR since <= ?4)
         ORDER BY until IS NULL DESC, until DESC, since DESC, number DESC LIMIT ?5",
    )
    .bind(names)
    .bind(&query.component)
    .bind(query.from.map(Timestamp::as_second))
    .bind(query.until.map(Timestamp::as_second))
    .bind(limit)
    .fetch_all(store.pool())
    .await?;
    rows.iter().map(period).collect()
}

/// Since when the oldest exposure that lasts was known; none where nothing is exposed.
pub async fn oldest(store: &Store) -> Result<Option<Timestamp>, StoreError> {
    let since: Option<i64> = sqlx::query_scalar(
        "SELECT min(since) FROM exposures WHERE until IS NULL AND verdict = 'affected'",
    )
    .fetch_one(store.pool())
    .await?;
    since.map(time).transpose()
}

fn period(row: &SqliteRow) -> Result<Period, StoreError> {
    let time = |second: i64| Timestamp::from_second(second).map_err(|_| damaged("an invalid time"));
    let verdict = match row.try_get("verdict")? {
        "affected" => Verdict::Affected,
        "unknown" => Verdict::Unknown,
        other => return Err(damaged(&format!("unknown verdict {other:?}"))),
    };
    Ok(Period {
        advisory: row.try_get("advisory")?,
        component: row.try_get("component")?,
        verdict,
        version: row.try_get("version")?,
        since: time(row.try_get("since")?)?,
        because: row.try_get("because")?,
        until: row
            .try_get::<Option<i64>, _>("until")?
            .map(time)
            .transpose()?,
        ended: row.try_get("ended")?,
    })
}

fn time(second: i64) -> Result<Timestamp, StoreError> {
    Timestamp::from_second(second).map_err(|_| damaged("an invalid time"))
}

fn damaged(what: &str) -> StoreError {
    StoreError::Panel(format!("a period of exposure with {what}"))
}
