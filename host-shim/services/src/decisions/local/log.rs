//! Decisions about this machine in the store: making them, ending them, and reading those that matter now.

use jiff::Timestamp;
use sqlx::{Row, SqliteConnection, sqlite::SqliteRow};

use super::{LocalDecision, LocalKind, Stamp};
use crate::decisions::{DecisionError, End, MOST_STANDING, State};
use spacecp_store::{
    Store, StoreError,
    audit::{self, Event, What},
};

/// What is read of a decision.
const COLUMNS: &str = "SELECT d.*, e.how, e.by AS end_by, e.at AS end_at, e.reason AS end_reason \
    FROM local_decisions AS d LEFT JOIN local_decision_ends AS e ON e.decision = d.number";

/// Makes decisions, all or none. Those about the same that still stand end with them.
pub(super) async fn make(
    store: &Store,
    wanted: Vec<LocalDecision>,
    now: Timestamp,
) -> Result<Vec<LocalDecision>, DecisionError> {
    let mut transaction = store.pool().begin_with("BEGIN IMMEDIATE").await?;
    let mut made = Vec::with_capacity(wanted.len());
    for decision in wanted {
        replace(&mut transaction, &decision, now).await?;
        refuse_too_many(&mut transaction).await?;
        let number = insert(&mut transaction, &decision).await?;
        let decision = LocalDecision { number, ..decision };
        let what = match decision.kind {
            LocalKind::Unread => What::UnreadAcknowledged,
            LocalKind::Version => What::VersionSet,
        };
        let event = Event {
            until: Some(decision.until),
            reason: Some(decision.reason.clone()),
            ..event(&decision, what, &decision.by)
        };
        audit::append(&mut transaction, &event, now).await?;
        made.push(decision);
    }
    transaction.commit().await?;
    Ok(made)
}

/// Takes decisions back, all or none.
pub(super) async fn lift(
    store: &Store,
    decisions: Vec<LocalDecision>,
    by: &str,
    now: Timestamp,
) -> Result<Vec<LocalDecision>, StoreError> {
    let lifted = decisions.into_iter().map(|decision| {
        let by = by.to_owned();
        let end = Some(End {
            at: now,
            by,
            reason: None,
        });
        let state = State::Lifted;
        LocalDecision {
            state,
            end,
            ..decision
        }
    });
    let lifted: Vec<LocalDecision> = lifted.collect();
    settle(store, &lifted).await?;
    Ok(lifted)
}

/// Writes down the ends of decisions that have come to one. Another process may have been faster.
pub(super) async fn settle(store: &Store, over: &[LocalDecision]) -> Result<(), StoreError> {
    if over.is_empty() {
        return Ok(());
    }
    let mut transaction = store.pool().begin_with("BEGIN IMMEDIATE").await?;
    for decision in over {
        let Some(end) = &decision.end else { continue };
        let written = sqlx::query(
            "INSERT OR IGNORE INTO local_decision_ends (decision, how, by, at, reason) VALUES (?, ?, ?, ?, ?)",
        )
        .bind(decision.number.cast_signed())
        .bind(decision.state.as_str())
        .bind(&end.by)
        .bind(end.at.as_second())
        .bind(end.reason.as_deref())
        .execute(&mut *transaction)
        .await?;
        if written.rows_affected() == 0 {
            continue;
        }
        let what = match (decision.state, decision.kind) {
            (State::Expired, _) => What::DecisionExpired,
            (State::Reopened, _) => What::DecisionReopened,
            (_, LocalKind::Unread) => What::UnreadAcknowledgementWithdrawn,
            (_, LocalKind::Version) => What::VersionWithdrawn,
        };
        let event = Event {
            reason: end.reason.clone(),
            ..event(decision, what, &end.by)
        };
        audit::append(&mut transaction, &event, end.at).await?;
    }
    transaction.commit().await?;
    Ok(())
}

/// The decisions that nobody has ended.
pub(super) async fn standing(store: &Store) -> Result<Vec<LocalDecision>, StoreError> {
    let query = format!("{COLUMNS} WHERE e.decision IS NULL ORDER BY d.number LIMIT ?");
    read(store, query, u32::MAX).await
}

/// Those, and the newest about each matter that ended by itself. Says nothing of whether one that stands holds.
pub(super) async fn current(store: &Store) -> Result<Vec<LocalDecision>, StoreError> {
    let query = format!(
        "{COLUMNS} WHERE e.how IS NULL OR e.how IN ('expired', 'reopened') AND NOT EXISTS \
         (SELECT 1 FROM local_decisions AS n WHERE n.number > d.number AND n.kind = d.kind \
         AND n.subject = d.subject) ORDER BY e.how IS NOT NULL, d.number DESC LIMIT ?"
    );
    read(store, query, MOST_STANDING * 2).await
}

/// Every decision, newest first, at most `limit` of them.
pub(super) async fn all(store: &Store, limit: u32) -> Result<Vec<LocalDecision>, StoreError> {
    read(
        store,
        format!("{COLUMNS} ORDER BY d.number DESC LIMIT ?"),
        limit,
    )
    .await
}

async fn read(store: &Store, query: String, limit: u32) -> Result<Vec<LocalDecision>, StoreError> {
    let query = sqlx::query(sqlx::AssertSqlSafe(query)).bind(limit);
    let rows = query.fetch_all(store.pool()).await?;
    rows.iter().map(decision).collect()
}

/// Ends what stands about the same matter.
async fn replace(
    transaction: &mut SqliteConnection,
    by: &LocalDecision,
    now: Timestamp,
) -> Result<(), DecisionError> {
    sqlx::query(
        "INSERT INTO local_decision_ends (decision, how, by, at, reason) \
         SELECT number, 'replaced', ?, ?, NULL FROM local_decisions AS d WHERE kind = ? AND subject = ? \
         AND (kind = 'version' OR because = ?) \
         AND NOT EXISTS (SELECT 1 FROM local_decision_ends WHERE decision = d.number)",
    )
    .bind(&by.by)
    .bind(now.as_second())
    .bind(by.kind.as_str())
    .bind(&by.subject)
    .bind(&by.because)
    .execute(transaction)
    .await?;
    Ok(())
}

async fn refuse_too_many(transaction: &mut SqliteConnection) -> Result<(), DecisionError> {
    let row = sqlx::query(
        "SELECT count(*) FROM local_decisions AS d WHERE NOT EXISTS \
         (SELECT 1 FROM local_decision_ends WHERE decision = d.number)",
    )
    .fetch_one(transaction)
    .await?;
    let standing: i64 = row.try_get(0)?;
    if standing >= i64::from(MOST_STANDING) {
        return Err(DecisionError::TooMany);
    }
    Ok(())
}

async fn insert(
    transaction: &mut SqliteConnection,
    decision: &LocalDecision,
) -> Result<u64, DecisionError> {
    let inserted = sqlx::query(
        "INSERT INTO local_decisions (kind, subject, because, version, stamp, by, made, until, reason) \
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(decision.kind.as_str())
    .bind(&decision.subject)
    .bind(&decision.because)
    .bind(decision.version.as_deref())
    .bind(&decision.stamp.0)
    .bind(&decision.by)
    .bind(decision.made.as_second())
    .bind(decision.until.as_second())
    .bind(&decision.reason)
    .execute(transaction)
    .await?;
    Ok(inserted.last_insert_rowid().cast_unsigned())
}

fn event(decision: &LocalDecision, what: What, who: &str) -> Event {
    let subject = Some(decision.subject.clone());
    let (path, component) = match decision.kind {
        LocalKind::Unread => (subject, None),
        LocalKind::Version => (None, subject),
    };
    Event {
        path,
        component,
        to: decision.version.clone(),
        ..Event::new(what, who)
    }
}

fn decision(row: &SqliteRow) -> Result<LocalDecision, StoreError> {
    let damaged =
        |what: &str| StoreError::Panel(format!("a local decision has an unreadable {what}"));
    let time = |second: i64| Timestamp::from_second(second).map_err(|_| damaged("time"));
    let kind = match row.try_get("kind")? {
        "unread" => LocalKind::Unread,
        "version" => LocalKind::Version,
        _ => return Err(damaged("kind")),
    };
    let how: Option<&str> = row.try_get("how")?;
    let end = match row.try_get::<Option<i64>, _>("end_at")? {
        None => None,
        Some(at) => Some(End {
            at: time(at)?,
            by: row.try_get("end_by")?,
            reason: row.try_get("end_reason")?,
        }),
    };
    Ok(LocalDecision {
        number: row.try_get::<i64, _>("number")?.cast_unsigned(),
        kind,
        subject: row.try_get("subject")?,
        because: row.try_get("because")?,
        version: row.try_get("version")?,
        by: row.try_get("by")?,
        made: time(row.try_get("made")?)?,
        until: time(row.try_get("until")?)?,
        reason: row.try_get("reason")?,
        state: State::read(how).ok_or_else(|| damaged("end"))?,
        end,
        stamp: Stamp(row.try_get("stamp")?),
    })
}
