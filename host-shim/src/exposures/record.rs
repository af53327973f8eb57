//! The periods in the store. It owns the table of migration 9 and no other.

use jiff::Timestamp;
use sqlx::{Row, sqlite::SqliteRow};

use super::{Change, Finding, Period, Standing, changes};
use crate::store::{Store, StoreError};

/// Which periods are asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Query {
    /// Of this advisory only.
    pub advisory: Option<String>,
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
                let standing = finding.standing.map_or("", Standing::as_str);
                sqlx::query("INSERT INTO exposures (advisory, component, standing, version, since, because) VALUES (?, ?, ?, ?, ?, ?)")
                    .bind(&finding.advisory)
                    .bind(&finding.component)
                    .bind(standing)
                    .bind(&finding.version)
                    .bind(now.as_second())
                    .bind(&finding.reason)
                    .execute(&mut *transaction)
                    .await?;
            }
        }
    }
    transaction.commit().await?;
    Ok(changed.len())
}

/// The periods that are asked for, those that last first, then the newest; at most `limit` of them.
pub async fn periods(store: &Store, query: &Query, limit: u32) -> Result<Vec<Period>, StoreError> {
    let rows = sqlx::query(
        "SELECT * FROM exposures
         WHERE (?1 IS NULL OR advisory = ?1) AND (?2 IS NULL OR component = ?2)
           AND (?3 IS NULL OR until IS NULL OR until >= ?3) AND (?4 IS NULL OR since <= ?4)
         ORDER BY until IS NULL DESC, until DESC, since DESC, number DESC LIMIT ?5",
    )
    .bind(&query.advisory)
    .bind(&query.component)
    .bind(query.from.map(Timestamp::as_second))
    .bind(query.until.map(Timestamp::as_second))
    .bind(limit)
    .fetch_all(store.pool())
    .await?;
    rows.iter().map(period).collect()
}

fn period(row: &SqliteRow) -> Result<Period, StoreError> {
    let damaged = |what: &str| StoreError::Panel(format!("a period of exposure with {what}"));
    let time =
        |second: i64| Timestamp::from_second(second).map_err(|_| damaged("a time that is none"));
    let standing = match row.try_get("standing")? {
        "exposed" => Standing::Exposed,
        "undecided" => Standing::Undecided,
        other => return Err(damaged(&format!("the standing {other:?}"))),
    };
    Ok(Period {
        advisory: row.try_get("advisory")?,
        component: row.try_get("component")?,
        standing,
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
