//! Who of this panel's people opened what is under embargo, and when first.
//!
//! Whoever knew of a flaw before it was public can be asked afterwards: the record is made before the page
//! is handed out, and stays when the embargo is lifted. The audit log has each entry too, with no more of
//! the advisory than its id. Lists are not recorded: everybody who logs in sees them.
//!
//! May not: keep anybody from reading; remember what they did with it.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::Serialize;
use spacecp_contract::DocumentId;
use sqlx::Row as _;

use spacecp_render::page_builder::{heading, minute, plain, text};

use crate::{
    AdvisoryIndex, ServiceError,
    audit::{self, Event, What},
    plugin::bindings::exports::spacecp::advisories::pages::{Block, Table},
    state::State,
    store::{Store, StoreError},
};

/// Readers of one advisory that are told; the audit log has all of them.
const MOST_TOLD: i64 = 200;

/// Somebody who opened a revision of an advisory while it was under embargo.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct AccessLogEntry {
    /// Who.
    pub who: String,
    /// Which revision.
    pub revision: u64,
    /// When first.
    pub at: Timestamp,
}

impl State {
    /// Notes what somebody is about to read, as far as it is under embargo. Nothing is noted twice.
    pub(crate) async fn note_access(
        &self,
        who: &str,
        advisories: &BTreeSet<DocumentId>,
        now: Timestamp,
    ) -> Result<(), ServiceError> {
        let advisory_index = self.advisory_index().await?;
        let noted = note_all(self.store(), &advisory_index, who, advisories, now);
        Ok(noted.await?)
    }

    /// Who opened an advisory while it was under embargo, the first of them first.
    pub(crate) async fn access_log(
        &self,
        advisory: &DocumentId,
    ) -> Result<Vec<AccessLogEntry>, ServiceError> {
        Ok(readers(self.store(), advisory).await?)
    }
}

/// Notes what somebody is about to read: the advisories under embargo that these documents are, or answer.
pub async fn note_all(
    store: &Store,
    advisory_index: &AdvisoryIndex,
    who: &str,
    documents: &BTreeSet<DocumentId>,
    now: Timestamp,
) -> Result<(), StoreError> {
    let secret = advisory_index.behind(documents);
    // The feed may be damaged, and there is nothing to ask it for.
    if secret.is_empty() {
        return Ok(());
    }
    for (id, revision) in store.revisions(&secret).await? {
        note(store, who, &id, revision, now).await?;
    }
    Ok(())
}

/// Most pages were opened before, and then nothing is written.
async fn note(
    store: &Store,
    who: &str,
    advisory: &DocumentId,
    revision: u64,
    now: Timestamp,
) -> Result<(), StoreError> {
    let known = sqlx::query(
        "SELECT 1 FROM embargo_readers WHERE advisory = ? AND revision = ? AND reader = ?",
    )
    .bind(advisory.as_str())
    .bind(revision.cast_signed())
    .bind(who)
    .fetch_optional(store.pool())
    .await?;
    if known.is_some() {
        return Ok(());
    }
    let mut transaction = store.pool().begin_with("BEGIN IMMEDIATE").await?;
    let added = sqlx::query(
        "INSERT OR IGNORE INTO embargo_readers (advisory, revision, reader, at) VALUES (?, ?, ?, ?)",
    )
    .bind(advisory.as_str())
    .bind(revision.cast_signed())
    .bind(who)
    .bind(now.as_second())
    .execute(&mut *transaction)
    .await?;
    if added.rows_affected() > 0 {
        let event = Event {
            advisories: vec![advisory.clone()],
            revision: Some(revision),
            ..Event::new(What::ReadUnderEmbargo, who)
        };
        audit::append(&mut transaction, &event, now).await?;
    }
    transaction.commit().await?;
    Ok(())
}

async fn readers(store: &Store, advisory: &DocumentId) -> Result<Vec<AccessLogEntry>, StoreError> {
    let rows = sqlx::query("SELECT reader, revision, at FROM embargo_readers WHERE advisory = ? ORDER BY at, reader, revision LIMIT ?")
        .bind(advisory.as_str())
        .bind(MOST_TOLD)
        .fetch_all(store.pool())
        .await?;
    let reader = |row: &sqlx::sqlite::SqliteRow| -> Result<AccessLogEntry, StoreError> {
        let at: i64 = row.try_get("at")?;
        let revision: i64 = row.try_get("revision")?;
        Ok(AccessLogEntry {
            who: row.try_get("reader")?,
            revision: revision.cast_unsigned(),
            at: Timestamp::from_second(at).unwrap_or(Timestamp::UNIX_EPOCH),
        })
    };
    rows.iter().map(reader).collect()
}

/// The readers as a part of the page of an advisory; nothing where there are none.
pub(crate) fn blocks(readers: &[AccessLogEntry]) -> Vec<Block> {
    if readers.is_empty() {
        return Vec::new();
    }
    let row = |reader: &AccessLogEntry| {
        vec![
            text(vec![plain(reader.who.clone())]),
            text(vec![plain(reader.revision.to_string())]),
            text(vec![plain(minute(reader.at))]),
        ]
    };
    let table = Table {
        caption: "Access log during the embargo".to_owned(),
        columns: ["Who", "Revision", "First"].map(str::to_owned).to_vec(),
        rows: readers.iter().map(row).collect(),
        empty: String::new(),
    };
    vec![heading("Read under embargo"), Block::Table(table)]
}
