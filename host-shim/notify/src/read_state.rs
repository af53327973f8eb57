//! What each person has read, and what they do not want to see any more.
//!
//! To dismiss is no decision: nothing becomes less urgent by it, and it holds for one reader alone.
//! What was dismissed comes back by itself when the facts change that an accepted risk rests on, too:
//! the severity, the affected versions, known attacks.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;
use spacecp_contract::{Advisory, DocumentId, DocumentKind};
use sqlx::{Row, sqlite::SqliteRow};

use super::outbox::time;
use spacecp_services::decisions::Basis;
use spacecp_store::{Store, StoreError};
use spacecp_trust::{AnyDocument, Verified};

/// Characters of a reader's name, and of a component's.
const LONGEST_NAME: usize = 200;

/// Things that one reader may have dismissed.
const MOST_DISMISSED: i64 = 5_000;

/// What an advisory is to one reader.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mark {
    /// They have never opened it.
    New,
    /// They have opened an older revision.
    Updated,
    /// They do not want to see it.
    Dismissed,
}

/// What a reader has read and dismissed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct ReadState {
    /// The newest revision of each advisory that was read.
    pub read: BTreeMap<DocumentId, u64>,
    /// What was dismissed, and whether it has come back.
    pub dismissed: Vec<Dismissal>,
}

impl ReadState {
    /// Whether this revision has not been read.
    pub fn is_unread(&self, advisory: &str, revision: u64) -> bool {
        let mut read = self.read.iter();
        !read.any(|(id, read)| id.as_str() == advisory && *read >= revision)
    }

    /// What this revision of an advisory is to the reader; nothing where they have read it.
    pub fn mark(&self, advisory: &DocumentId, revision: u64) -> Option<Mark> {
        let dismissed = |one: &Dismissal| {
            one.returned.is_none() && one.component.is_none() && one.advisory == *advisory
        };
        if self.dismissed.iter().any(dismissed) {
            return Some(Mark::Dismissed);
        }
        match self.read.get(advisory) {
            None => Some(Mark::New),
            // A higher one was read where a recovery from stolen keys had revisions begin again.
            Some(read) if *read != revision => Some(Mark::Updated),
            Some(_) => None,
        }
    }

    /// Whether an exposure was dismissed, and has not come back.
    pub fn is_dismissed(&self, advisory: &str, component: &str) -> bool {
        self.dismissed.iter().any(|one| {
            one.returned.is_none()
                && one.advisory.as_str() == advisory
                && one.component.as_deref().is_none_or(|own| own == component)
        })
    }
}

/// Something that a reader does not want to see any more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Dismissal {
    /// The advisory.
    pub advisory: DocumentId,
    /// The component; none for every component.
    pub component: Option<String>,
    /// The revision that was looked at.
    pub revision: u64,
    /// When.
    pub at: Timestamp,
    /// Whether it is to be seen again.
    pub returned: Option<Returned>,
}

/// Why something is to be seen again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Returned {
    /// Since when that is known.
    pub at: Timestamp,
    /// Why.
    pub why: String,
}

/// Why nothing was noted.
#[derive(Debug, thiserror::Error)]
pub enum ReadingError {
    /// The panel does not have it.
    #[error("no advisory {advisory} on this panel")]
    NoAdvisory {
        /// The advisory.
        advisory: DocumentId,
    },
    /// Another revision than the one that was looked at.
    #[error(
        "advisory {advisory} is now at revision {current}, not {shown}; reload it and try again"
    )]
    Drifted {
        /// The advisory.
        advisory: DocumentId,
        /// The revision that was shown.
        shown: u64,
        /// The present one.
        current: u64,
    },
    /// A name that nobody has.
    #[error("invalid name: it must have 1 to {LONGEST_NAME} characters")]
    Name,
    /// Nothing was dismissed.
    #[error("advisory {advisory} is not dismissed")]
    NotDismissed {
        /// The advisory.
        advisory: DocumentId,
    },
    /// Too much was dismissed.
    #[error("limit of {MOST_DISMISSED} dismissed notifications reached; restore some of them")]
    TooMany,
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<sqlx::Error> for ReadingError {
    fn from(error: sqlx::Error) -> Self {
        Self::Store(error.into())
    }
}

/// Notes that a reader has read a revision of an advisory.
pub async fn mark_read(
    store: &Store,
    reader: &str,
    id: &DocumentId,
    revision: u64,
    now: Timestamp,
) -> Result<(), ReadingError> {
    check_name(reader)?;
    let current = advisory(store, id).await?.revision;
    if revision > current {
        return Err(drifted(id, revision, current));
    }
    sqlx::query("INSERT INTO notices_read (reader, advisory, revision, at) VALUES (?, ?, ?, ?) ON CONFLICT (reader, advisory) DO UPDATE SET revision = excluded.revision, at = excluded.at WHERE excluded.revision > revision OR revision > ?")
        .bind(reader)
        .bind(id.as_str())
        .bind(revision.cast_signed())
        .bind(now.as_second())
        .bind(current.cast_signed())
        .execute(store.pool())
        .await?;
    Ok(())
}

/// Notes that a reader has read every advisory that the panel has, as it is now.
pub async fn mark_all_read(
    store: &Store,
    reader: &str,
    now: Timestamp,
) -> Result<(), ReadingError> {
    check_name(reader)?;
    let all = store.every_revision().await?;
    sqlx::query("INSERT INTO notices_read (reader, advisory, revision, at) SELECT ?, value ->> 0, value ->> 1, ? FROM json_each(?) WHERE true ON CONFLICT (reader, advisory) DO UPDATE SET revision = excluded.revision, at = excluded.at WHERE excluded.revision <> revision")
        .bind(reader)
        .bind(now.as_second())
        .bind(serde_json::json!(all).to_string())
        .execute(store.pool())
        .await?;
    Ok(())
}

/// Dismisses an advisory for a reader, for one component or for all.
pub async fn dismiss(
    store: &Store,
    reader: &str,
    id: &DocumentId,
    revision: u64,
    component: Option<&str>,
    now: Timestamp,
) -> Result<(), ReadingError> {
    check_name(reader)?;
    component.map_or(Ok(()), check_name)?;
    let advisory = advisory(store, id).await?;
    if revision != advisory.revision {
        return Err(drifted(id, revision, advisory.revision));
    }
    let basis = Basis::of(&advisory, None).expect("only a workaround may not be there");
    let mut transaction = store.pool().begin_with("BEGIN IMMEDIATE").await?;
    let row = sqlx::query("SELECT count(*) FROM notice_dismissals WHERE reader = ?")
        .bind(reader)
        .fetch_one(&mut *transaction)
        .await?;
    if row.try_get::<i64, _>(0)? >= MOST_DISMISSED {
        return Err(ReadingError::TooMany);
    }
    sqlx::query("INSERT OR REPLACE INTO notice_dismissals (reader, advisory, component, revision, at, fingerprint) VALUES (?, ?, ?, ?, ?, ?)")
        .bind(reader)
        .bind(id.as_str())
        .bind(component.unwrap_or_default())
        .bind(revision.cast_signed())
        .bind(now.as_second())
        .bind(serde_json::to_string(&basis).expect("digests and a truth value"))
        .execute(&mut *transaction)
        .await?;
    transaction.commit().await?;
    Ok(())
}

/// Has a reader see again what they dismissed.
pub async fn undismiss(
    store: &Store,
    reader: &str,
    id: &DocumentId,
    component: Option<&str>,
) -> Result<(), ReadingError> {
    let gone = sqlx::query(
        "DELETE FROM notice_dismissals WHERE reader = ? AND advisory = ? AND component = ?",
    )
    .bind(reader)
    .bind(id.as_str())
    .bind(component.unwrap_or_default())
    .execute(store.pool())
    .await?;
    if gone.rows_affected() == 0 {
        let advisory = id.clone();
        return Err(ReadingError::NotDismissed { advisory });
    }
    Ok(())
}

/// What a reader has read and dismissed. What comes back does so for good.
pub async fn read_state(
    store: &Store,
    reader: &str,
    now: Timestamp,
) -> Result<ReadState, ReadingError> {
    let rows = sqlx::query("SELECT advisory, revision FROM notices_read WHERE reader = ?")
        .bind(reader)
        .fetch_all(store.pool())
        .await?;
    let read = rows.iter().map(|row| {
        let revision: i64 = row.try_get("revision")?;
        Ok((id(row)?, revision.cast_unsigned()))
    });
    let read = read.collect::<Result<_, StoreError>>()?;
    let rows = sqlx::query(
        "SELECT * FROM notice_dismissals WHERE reader = ? ORDER BY at, advisory, component",
    )
    .bind(reader)
    .fetch_all(store.pool())
    .await?;
    let mut known: BTreeMap<DocumentId, Option<Verified<Advisory>>> = BTreeMap::new();
    let mut dismissed = Vec::with_capacity(rows.len());
    for row in &rows {
        let mut dismissal = dismissal(row)?;
        if dismissal.returned.is_none() {
            if !known.contains_key(&dismissal.advisory) {
                let found = advisory(store, &dismissal.advisory).await.ok();
                known.insert(dismissal.advisory.clone(), found);
            }
            let advisory = known[&dismissal.advisory].as_ref();
            dismissal.returned = returned(row, advisory, now)?;
            if advisory.is_some()
                && let Some(returned) = &dismissal.returned
            {
                note_returned(store, reader, &dismissal, returned).await?;
            }
        }
        dismissed.push(dismissal);
    }
    Ok(ReadState { read, dismissed })
}

/// Whether something comes back, and why.
fn returned(
    row: &SqliteRow,
    advisory: Option<&Verified<Advisory>>,
    now: Timestamp,
) -> Result<Option<Returned>, StoreError> {
    let damaged = |_| StoreError::Panel("unreadable dismissal".to_owned());
    let basis: Basis = serde_json::from_str(row.try_get("fingerprint")?).map_err(damaged)?;
    let why = match advisory {
        Some(advisory) => basis
            .changed(advisory.document(), None)
            .map(|changed| format!("revision {}: {changed}", advisory.revision)),
        // Nobody can say whether it is as it was, so it is seen.
        None => Some("the advisory is not on this panel".to_owned()),
    };
    Ok(why.map(|why| Returned { at: now, why }))
}

async fn note_returned(
    store: &Store,
    reader: &str,
    dismissal: &Dismissal,
    returned: &Returned,
) -> Result<(), StoreError> {
    sqlx::query("UPDATE notice_dismissals SET returned = ?, why = ? WHERE reader = ? AND advisory = ? AND component = ? AND revision = ?")
        .bind(returned.at.as_second())
        .bind(&returned.why)
        .bind(reader)
        .bind(dismissal.advisory.as_str())
        .bind(dismissal.component.as_deref().unwrap_or_default())
        .bind(dismissal.revision.cast_signed())
        .execute(store.pool())
        .await?;
    Ok(())
}

fn dismissal(row: &SqliteRow) -> Result<Dismissal, StoreError> {
    let component: String = row.try_get("component")?;
    let since: Option<i64> = row.try_get("returned")?;
    let why: Option<String> = row.try_get("why")?;
    let returned = match since {
        Some(at) => Some(Returned {
            at: time(at)?,
            why: why.unwrap_or_default(),
        }),
        None => None,
    };
    Ok(Dismissal {
        advisory: id(row)?,
        component: (!component.is_empty()).then_some(component),
        revision: row.try_get::<i64, _>("revision")?.cast_unsigned(),
        at: time(row.try_get("at")?)?,
        returned,
    })
}

fn id(row: &SqliteRow) -> Result<DocumentId, StoreError> {
    let damaged = |_| StoreError::Panel("an advisory that was read has no id".to_owned());
    DocumentId::new(row.try_get::<String, _>("advisory")?).map_err(damaged)
}

async fn advisory(store: &Store, id: &DocumentId) -> Result<Verified<Advisory>, ReadingError> {
    match store.document(DocumentKind::Advisory, id).await? {
        Some(AnyDocument::Advisory(advisory)) => Ok(advisory),
        _ => Err(ReadingError::NoAdvisory {
            advisory: id.clone(),
        }),
    }
}

fn drifted(id: &DocumentId, shown: u64, current: u64) -> ReadingError {
    ReadingError::Drifted {
        advisory: id.clone(),
        shown,
        current,
    }
}

fn check_name(name: &str) -> Result<(), ReadingError> {
    if name.is_empty() || name.chars().count() > LONGEST_NAME {
        return Err(ReadingError::Name);
    }
    Ok(())
}
