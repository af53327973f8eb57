//! Decisions in the store: making them, ending them, and reading those that matter now.

use std::collections::BTreeMap;

use jiff::Timestamp;
use spacecp_contract::{Advisory, DocumentId, DocumentKind};
use sqlx::{Row, SqliteConnection, sqlite::SqliteRow};

use super::{
    Decision, DecisionError, End, Kind, MOST_STANDING, PANEL, State, Wish,
    basis::{Basis, Known, judge},
    sense::{check_component, check_end, checked_reason},
};
use spacecp_apply::inventory::Inventory;
use spacecp_store::{
    Store, StoreError,
    audit::{self, Event, What},
};
use spacecp_trust::{self as trust, AnyDocument, Verified};

/// What is read of a decision.
const COLUMNS: &str = "SELECT d.*, e.how, e.by AS end_by, e.at AS end_at, e.reason AS end_reason \
    FROM decisions AS d LEFT JOIN decision_ends AS e ON e.decision = d.number";

/// Makes a decision at `now`. One about the same that still stands ends with it.
///
/// `longest` is for how many days a risk may be accepted.
#[tracing::instrument(name = "decide", skip_all, fields(advisory = %wish.advisory, by = wish.by))]
pub async fn make(
    store: &Store,
    inventory: &Inventory,
    wish: &Wish,
    longest: u32,
    now: Timestamp,
) -> Result<Decision, DecisionError> {
    let reason = checked_reason(wish)?;
    check_end(wish.kind(), wish.until, now, longest)?;
    let advisory = advisory(store, wish).await?;
    check_component(&advisory, inventory, wish)?;
    let basis = Basis::of(&advisory, wish.workaround.as_deref()).ok_or_else(|| {
        DecisionError::NoWorkaround {
            advisory: wish.advisory.clone(),
            workaround: wish.workaround.clone().unwrap_or_default(),
            known: advisory
                .workarounds
                .iter()
                .map(|one| one.id.clone())
                .collect(),
        }
    })?;
    let decision = Decision {
        number: 0,
        kind: wish.kind(),
        advisory: wish.advisory.clone(),
        revision: advisory.revision,
        workaround: wish.workaround.clone(),
        component: wish.component.clone(),
        by: wish.by.clone(),
        made: Timestamp::from_second(now.as_second()).unwrap_or(now),
        until: wish.until,
        reason,
        state: State::Standing,
        end: None,
        basis,
    };
    let mut transaction = store.pool().begin_with("BEGIN IMMEDIATE").await?;
    replace(&mut transaction, &decision, now).await?;
    refuse_too_many(&mut transaction).await?;
    let number = insert(&mut transaction, &decision).await?;
    let what = match decision.kind {
        Kind::Workaround => What::WorkaroundMarked,
        Kind::Acceptance => What::RiskAccepted,
    };
    let keys = advisory.signers().iter();
    let decision = Decision { number, ..decision };
    let event = Event {
        keys: keys.filter_map(|key| trust::key_id(key)).collect(),
        // Of an advisory under embargo the log has no more than its id.
        workaround: decision
            .workaround
            .clone()
            .filter(|_| !advisory.is_under_embargo()),
        until: decision.until,
        reason: decision.reason.clone(),
        ..event(&decision, what, &decision.by)
    };
    audit::append(&mut transaction, &event, now).await?;
    transaction.commit().await?;
    Ok(decision)
}

/// Takes a decision of this kind back.
#[tracing::instrument(name = "lift", skip_all, fields(decision = number, by))]
pub async fn lift(
    store: &Store,
    number: u64,
    kind: Kind,
    by: &str,
    now: Timestamp,
) -> Result<Decision, DecisionError> {
    let mut transaction = store.pool().begin_with("BEGIN IMMEDIATE").await?;
    let row = sqlx::query(sqlx::AssertSqlSafe(format!("{COLUMNS} WHERE d.number = ?")))
        .bind(number.cast_signed())
        .fetch_optional(&mut *transaction)
        .await?;
    let found = row.map(|row| decision(&row)).transpose()?;
    let found =
        found
            .filter(|found| found.kind == kind)
            .ok_or_else(|| DecisionError::NotFound {
                what: format!("{} with the number {number}", kind.as_str()),
            })?;
    if found.end.is_some() {
        let state = found.state;
        return Err(DecisionError::Ended { number, state });
    }
    let lifted = end(&mut transaction, found, State::Lifted, by, None, now).await?;
    transaction.commit().await?;
    Ok(lifted)
}

/// The decisions that matter now: those that nobody took back, the newest about each matter, with
/// whether they hold at `now`. What has come to its end by itself ends here, for good.
pub async fn current(store: &Store, now: Timestamp) -> Result<Vec<Decision>, StoreError> {
    settle(store, now).await?;
    // The newest about each matter, unless it was taken back.
    let rows = sqlx::query(sqlx::AssertSqlSafe(format!(
        "{COLUMNS} WHERE (e.how IS NULL OR e.how IN ('expired', 'reopened')) AND NOT EXISTS \
         (SELECT 1 FROM decisions AS n WHERE n.number > d.number AND n.kind = d.kind \
         AND n.advisory = d.advisory AND n.workaround IS d.workaround AND n.component IS d.component) \
         ORDER BY e.how IS NOT NULL, d.number DESC LIMIT ?"
    )))
    .bind(MOST_STANDING * 2)
    .fetch_all(store.pool())
    .await?;
    judged(store, &rows, now).await
}

/// Every decision, newest first, at most `limit` of them.
pub async fn all(store: &Store, limit: u32, now: Timestamp) -> Result<Vec<Decision>, StoreError> {
    settle(store, now).await?;
    let query = format!("{COLUMNS} ORDER BY d.number DESC LIMIT ?");
    let rows = sqlx::query(sqlx::AssertSqlSafe(query))
        .bind(limit)
        .fetch_all(store.pool())
        .await?;
    judged(store, &rows, now).await
}

/// Ends what has come to its end by itself: at its time, or because what it rests on has changed.
pub async fn settle(store: &Store, now: Timestamp) -> Result<(), StoreError> {
    let standing = standing(store).await?;
    let over = |decision: &Decision| matches!(decision.state, State::Expired | State::Reopened);
    let judged = judged(store, &standing, now).await?;
    let over: Vec<Decision> = judged.into_iter().filter(over).collect();
    if over.is_empty() {
        return Ok(());
    }
    let mut transaction = store.pool().begin_with("BEGIN IMMEDIATE").await?;
    for decision in over {
        let (state, reason) = (
            decision.state,
            decision.end.as_ref().and_then(|end| end.reason.clone()),
        );
        // Another process may have been faster.
        if !has_ended(&mut transaction, decision.number).await? {
            end(&mut transaction, decision, state, PANEL, reason, now).await?;
        }
    }
    transaction.commit().await?;
    Ok(())
}

async fn standing(store: &Store) -> Result<Vec<SqliteRow>, StoreError> {
    let query = format!("{COLUMNS} WHERE e.decision IS NULL ORDER BY d.number");
    let rows = sqlx::query(sqlx::AssertSqlSafe(query));
    Ok(rows.fetch_all(store.pool()).await?)
}

/// The decisions of these rows, those that nobody has ended with whether they hold at `now`.
async fn judged(
    store: &Store,
    rows: &[SqliteRow],
    now: Timestamp,
) -> Result<Vec<Decision>, StoreError> {
    let mut documents: BTreeMap<DocumentId, Result<Verified<Advisory>, String>> = BTreeMap::new();
    let mut decisions = Vec::with_capacity(rows.len());
    for row in rows {
        let mut decision = decision(row)?;
        if decision.end.is_none() {
            if !documents.contains_key(&decision.advisory) {
                let document = document(store, &decision.advisory).await;
                documents.insert(decision.advisory.clone(), document);
            }
            let known = match &documents[&decision.advisory] {
                Ok(advisory) => Known::Advisory(advisory.document()),
                Err(why) => Known::Nothing(why),
            };
            let (state, reason) = judge(&decision, &known, now);
            decision.state = state;
            decision.end = (state != State::Standing).then(|| End {
                at: now,
                by: PANEL.to_owned(),
                reason,
            });
        }
        decisions.push(decision);
    }
    Ok(decisions)
}

async fn document(store: &Store, id: &DocumentId) -> Result<Verified<Advisory>, String> {
    match store.document(DocumentKind::Advisory, id).await {
        Ok(Some(AnyDocument::Advisory(advisory))) => Ok(advisory),
        Ok(_) => Err("the advisory is not on this panel".to_owned()),
        Err(error) => Err(error.to_string()),
    }
}

async fn advisory(store: &Store, wish: &Wish) -> Result<Verified<Advisory>, DecisionError> {
    let id = &wish.advisory;
    let held = store.document(DocumentKind::Advisory, id).await?;
    let Some(AnyDocument::Advisory(advisory)) = held else {
        let advisory = id.clone();
        return Err(DecisionError::NoAdvisory { advisory });
    };
    if advisory.withdrawn.is_some() {
        let advisory = id.clone();
        return Err(DecisionError::Withdrawn { advisory });
    }
    match wish.shown {
        Some(shown) if shown != advisory.revision => Err(DecisionError::Drifted {
            advisory: id.clone(),
            shown,
            current: advisory.revision,
        }),
        _ => Ok(advisory),
    }
}

/// Ends what stands about the same matter.
async fn replace(
    transaction: &mut SqliteConnection,
    by: &Decision,
    now: Timestamp,
) -> Result<(), DecisionError> {
    sqlx::query(
        "INSERT INTO decision_ends (decision, how, by, at, reason) \
         SELECT number, 'replaced', ?, ?, NULL FROM decisions AS d WHERE kind = ? AND advisory = ? \
         AND workaround IS ? AND component IS ? \
         AND NOT EXISTS (SELECT 1 FROM decision_ends WHERE decision = d.number)",
    )
    .bind(&by.by)
    .bind(now.as_second())
    .bind(by.kind.as_str())
    .bind(by.advisory.as_str())
    .bind(by.workaround.as_deref())
    .bind(by.component.as_deref())
    .execute(transaction)
    .await?;
    Ok(())
}

async fn refuse_too_many(transaction: &mut SqliteConnection) -> Result<(), DecisionError> {
    let row = sqlx::query(
        "SELECT count(*) FROM decisions AS d WHERE NOT EXISTS \
         (SELECT 1 FROM decision_ends WHERE decision = d.number)",
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
    decision: &Decision,
) -> Result<u64, DecisionError> {
    let inserted = sqlx::query(
        "INSERT INTO decisions (kind, advisory, revision, workaround, component, by, made, until, reason, fingerprint) \
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(decision.kind.as_str())
    .bind(decision.advisory.as_str())
    .bind(decision.revision.cast_signed())
    .bind(decision.workaround.as_deref())
    .bind(decision.component.as_deref())
    .bind(&decision.by)
    .bind(decision.made.as_second())
    .bind(decision.until.map(Timestamp::as_second))
    .bind(decision.reason.as_deref())
    .bind(serde_json::to_string(&decision.basis).expect("digests and a truth value"))
    .execute(transaction)
    .await?;
    Ok(inserted.last_insert_rowid().cast_unsigned())
}

async fn has_ended(transaction: &mut SqliteConnection, number: u64) -> Result<bool, StoreError> {
    let row = sqlx::query("SELECT 1 FROM decision_ends WHERE decision = ?")
        .bind(number.cast_signed())
        .fetch_optional(transaction)
        .await?;
    Ok(row.is_some())
}

/// Ends a decision that stands, and records it.
async fn end(
    transaction: &mut SqliteConnection,
    decision: Decision,
    state: State,
    by: &str,
    reason: Option<String>,
    now: Timestamp,
) -> Result<Decision, StoreError> {
    sqlx::query("INSERT INTO decision_ends (decision, how, by, at, reason) VALUES (?, ?, ?, ?, ?)")
        .bind(decision.number.cast_signed())
        .bind(state.as_str())
        .bind(by)
        .bind(now.as_second())
        .bind(reason.as_deref())
        .execute(&mut *transaction)
        .await?;
    let what = match (state, decision.kind) {
        (State::Expired, _) => What::DecisionExpired,
        (State::Reopened, _) => What::DecisionReopened,
        (_, Kind::Workaround) => What::WorkaroundLifted,
        (_, Kind::Acceptance) => What::AcceptanceWithdrawn,
    };
    // What has changed of the advisory is for those who may read it: not for the log.
    audit::append(transaction, &event(&decision, what, by), now).await?;
    Ok(Decision {
        state,
        end: Some(End {
            at: now,
            by: by.to_owned(),
            reason,
        }),
        ..decision
    })
}

fn event(decision: &Decision, what: What, who: &str) -> Event {
    Event {
        advisories: vec![decision.advisory.clone()],
        revision: Some(decision.revision),
        component: decision.component.clone(),
        decision: Some(decision.number),
        ..Event::new(what, who)
    }
}

fn decision(row: &SqliteRow) -> Result<Decision, StoreError> {
    let damaged = |what: &str| StoreError::Panel(format!("a decision has an unreadable {what}"));
    let time = |second: i64| Timestamp::from_second(second).map_err(|_| damaged("time"));
    let kind = match row.try_get("kind")? {
        "workaround" => Kind::Workaround,
        "acceptance" => Kind::Acceptance,
        _ => return Err(damaged("kind")),
    };
    let how: Option<&str> = row.try_get("how")?;
    let state = State::read(how).ok_or_else(|| damaged("end"))?;
    let end = match row.try_get::<Option<i64>, _>("end_at")? {
        None => None,
        Some(at) => Some(End {
            at: time(at)?,
            by: row.try_get("end_by")?,
            reason: row.try_get("end_reason")?,
        }),
    };
    let until: Option<i64> = row.try_get("until")?;
    let basis: &str = row.try_get("fingerprint")?;
    Ok(Decision {
        number: row.try_get::<i64, _>("number")?.cast_unsigned(),
        kind,
        advisory: DocumentId::new(row.try_get::<String, _>("advisory")?)
            .map_err(|_| damaged("advisory"))?,
        revision: row.try_get::<i64, _>("revision")?.cast_unsigned(),
        workaround: row.try_get("workaround")?,
        component: row.try_get("component")?,
        by: row.try_get("by")?,
        made: time(row.try_get("made")?)?,
        until: until.map(time).transpose()?,
        reason: row.try_get("reason")?,
        state,
        end,
        basis: serde_json::from_str(basis).map_err(|_| damaged("fingerprint"))?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn two_thousand_decisions_may_stand_and_not_one_more() {
        let folder = tempfile::tempdir().expect("a folder");
        let store = Store::open(&folder.path().join("store.sqlite")).await;
        let store = store.expect("a store");
        let mut connection = store.pool().acquire().await.expect("a connection");
        let add = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?) \
            INSERT INTO decisions (kind, advisory, revision, workaround, by, made, fingerprint) \
            SELECT 'workaround', 'SPACECP-SA-2026-0001', 1, i, 'somebody', 0, '{}' FROM n";
        for (more, fits) in [(MOST_STANDING - 1, true), (1, false)] {
            let added = sqlx::query(add).bind(more).execute(&mut *connection).await;
            added.expect("rows");
            let refused = refuse_too_many(&mut connection).await;
            assert_eq!(refused.is_ok(), fits, "{refused:?}");
        }
        let ended =
            "INSERT INTO decision_ends (decision, how, by, at) VALUES (1, 'lifted', 'somebody', 0)";
        let ended = sqlx::query(ended).execute(&mut *connection).await;
        ended.expect("a row");
        let again = refuse_too_many(&mut connection).await;
        assert!(again.is_ok(), "what has ended makes room");
    }
}
