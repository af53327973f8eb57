//! What becomes of a `feed.sqlite` that is damaged: it is set aside, never deleted, and built anew.

use std::{
    fs,
    path::{Path, PathBuf},
};

use jiff::Timestamp;
use sqlx::migrate::MigrateError;

use super::{IncidentKind, Store, StoreError};

/// SQLite's own files: the database, its write-ahead log, and the log's index.
pub(crate) const PARTS: [&str; 3] = ["", "-wal", "-shm"];

/// Whether an error says that the file itself is damaged, and not that it cannot be reached now.
pub(crate) fn is_damage(error: &StoreError) -> bool {
    let source = match error {
        StoreError::Damaged(_) => return true,
        StoreError::Open { source, .. }
        | StoreError::Query(source)
        | StoreError::Migrate {
            source: MigrateError::Execute(source) | MigrateError::ExecuteMigration(source, _),
            ..
        } => source,
        _ => return false,
    };
    let sqlx::Error::Database(source) = source else {
        return false;
    };
    // SQLITE_CORRUPT and SQLITE_NOTADB, whatever their extended code is.
    let code: Option<i32> = source.code().and_then(|code| code.parse().ok());
    code.is_some_and(|code| matches!(code & 0xff, 11 | 26))
}

/// Renames a damaged file, and what belongs to it, to a name that says so.
pub(super) fn set_aside(path: &Path) -> Result<PathBuf, StoreError> {
    let aside = free_name(path);
    for part in PARTS {
        let (from, to) = (with_suffix(path, part), with_suffix(&aside, part));
        match fs::rename(&from, &to) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(StoreError::Open {
                    path: from,
                    source: sqlx::Error::Io(error),
                });
            }
            _ => {}
        }
    }
    Ok(aside)
}

/// Copies a file that is still in use, and what belongs to it, as far as they can be read.
fn copy_aside(path: &Path) -> PathBuf {
    let aside = free_name(path);
    for part in PARTS {
        // It is for whoever wants to know what happened; the panel goes on without it.
        if let Err(error) = fs::copy(with_suffix(path, part), with_suffix(&aside, part)) {
            tracing::debug!(%error, "a part of the damaged store was not kept");
        }
    }
    aside
}

fn free_name(path: &Path) -> PathBuf {
    let now = Timestamp::now().strftime("%Y%m%dT%H%M%SZ").to_string();
    let names = (0_u32..).map(|number| match number {
        0 => with_suffix(path, &format!(".damaged-{now}")),
        number => with_suffix(path, &format!(".damaged-{now}-{number}")),
    });
    let mut free = names.skip_while(|name| name.exists());
    free.next()
        .unwrap_or_else(|| path.with_extension("damaged"))
}

/// The name of a part.
pub(crate) fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

impl Store {
    /// Remembers that something stored of the feed was found damaged, so that the next sync builds
    /// all of it anew.
    pub(super) async fn mark_damaged(&self, words: &str) {
        tracing::error!(damage = words, "what is stored of the feed is damaged");
        let marked = sqlx::query("UPDATE feed_state SET damage = ?")
            .bind(words)
            .execute(&self.feed)
            .await;
        if let Err(error) = marked {
            tracing::warn!(%error, "and that could not be noted down");
        }
    }

    /// What was found damaged since the last sync.
    pub async fn damage(&self) -> Result<Option<String>, StoreError> {
        use sqlx::Row;
        let row = sqlx::query("SELECT damage FROM feed_state WHERE only = 1")
            .fetch_one(&self.feed)
            .await?;
        Ok(row.try_get(0)?)
    }

    /// Reads all of both files and says what is damaged.
    pub async fn look_for_damage(&self) -> Result<Vec<String>, StoreError> {
        use sqlx::Row;
        let mut found: Vec<String> = self.damage().await?.into_iter().collect();
        for (name, pool) in [("store.sqlite", &self.panel), ("feed.sqlite", &self.feed)] {
            let rows = sqlx::query("PRAGMA quick_check(10)")
                .fetch_all(pool)
                .await?;
            for row in rows {
                let words: String = row.try_get(0)?;
                if words != "ok" {
                    found.push(format!("{name}: {words}"));
                }
            }
        }
        Ok(found)
    }

    /// Sets what is stored of the feed aside and begins with nothing. The next sync fetches all of it.
    pub async fn rebuild(&self, reason: &str) -> Result<PathBuf, StoreError> {
        let aside = copy_aside(&self.feed_path());
        if let Err(error) = self.forget_feed().await {
            tracing::error!(%error, "the damaged store cannot even be emptied");
            self.feed.close().await;
            let aside = set_aside(&self.feed_path())?;
            self.note_damage(reason, &aside).await?;
            return Err(StoreError::SetAside(aside));
        }
        self.note_damage(reason, &aside).await?;
        Ok(aside)
    }

    /// Forgets everything that was learnt from the feed, and nothing else.
    pub async fn forget_feed(&self) -> Result<(), StoreError> {
        let mut transaction = self.feed.begin_with("BEGIN IMMEDIATE").await?;
        for table in [
            "waiting",
            "documents",
            "sealed_payloads",
            "roots",
            "validators",
            "expired_heads",
            "feed_state",
        ] {
            sqlx::query(sqlx::AssertSqlSafe(format!("DELETE FROM {table}")))
                .execute(&mut *transaction)
                .await?;
        }
        // In the same transaction: whoever reads meanwhile finds one of the two stores, never none.
        super::feed::name_feed(&mut transaction).await?;
        transaction.commit().await?;
        *self
            .believed
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner) = None;
        Ok(())
    }

    pub(super) async fn note_damage(&self, reason: &str, aside: &Path) -> Result<(), StoreError> {
        let words = format!(
            "{reason}. The damaged file is kept as {}; everything is fetched again, beginning with the pinned root.",
            aside.display()
        );
        self.note(IncidentKind::Damaged, &words, Timestamp::now())
            .await
    }
}
