//! What becomes of a `feed.sqlite` that is damaged: it is set aside, never deleted, and built anew.

use std::{
    fs,
    path::{Path, PathBuf},
};

use futures_util::TryStreamExt;
use jiff::Timestamp;
use spacecp_contract::Digest;
use sqlx::{Row, SqliteConnection};

use super::{IncidentKind, Store, StoreError, error::damage_seen, lost};

/// SQLite's own files: the database, its write-ahead log, and the log's index.
pub const PARTS: [&str; 3] = ["", "-wal", "-shm"];

/// What the name of a file that was set aside goes on with, before the time.
const DAMAGED: &str = ".damaged-";

/// Bytes of the time in such a name.
const STAMP: usize = "20261130T120000Z".len();

/// How often the feed is looked at while another process changes it.
const MOST_LOOKS: usize = 4;

/// Files that were set aside and are kept.
const MOST_ASIDE: usize = 3;

/// Whether something that is no regular file has this name, or a link that leads to none: SQLite would read nothing
/// from it, wait for it, or lose what is written there. Nothing is opened.
pub(super) fn is_no_file(path: &Path) -> bool {
    match fs::metadata(path) {
        Ok(there) => !there.is_file(),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            fs::symlink_metadata(path).is_ok()
        }
        Err(error) => error.raw_os_error() == Some(rustix::io::Errno::LOOP.raw_os_error()),
    }
}

/// Renames a damaged file, and what belongs to it, to a name that says so. Of those that were renamed before, the
/// newest are kept.
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
    forget_oldest(path);
    Ok(aside)
}

/// Removes what was set aside long ago. What cannot be removed is tried again the next time.
fn forget_oldest(path: &Path) {
    let folder = path.parent().unwrap_or(Path::new("."));
    let begin = with_suffix(path, DAMAGED);
    let Some(begin) = begin.file_name().and_then(|name| name.to_str()) else {
        return;
    };
    let listing = fs::read_dir(folder).into_iter().flatten().flatten();
    let names = listing.filter_map(|entry| entry.file_name().into_string().ok());
    let mut aside: Vec<String> = names
        .filter(|name| name.starts_with(begin))
        .filter(|name| !PARTS[1..].iter().any(|part| name.ends_with(part)))
        .collect();
    // The time is in the name; a longer one is of the same second and later.
    aside.sort_by_key(|name| {
        (
            name[..name.len().min(begin.len() + STAMP)].to_owned(),
            name.len(),
            name.clone(),
        )
    });
    let oldest = aside.len().saturating_sub(MOST_ASIDE);
    for name in &aside[..oldest] {
        for part in PARTS {
            drop(fs::remove_file(with_suffix(&folder.join(name), part)));
        }
    }
}

fn free_name(path: &Path) -> PathBuf {
    let now = Timestamp::now().strftime("%Y%m%dT%H%M%SZ").to_string();
    let names = (0_u32..).map(|number| match number {
        0 => with_suffix(path, &format!("{DAMAGED}{now}")),
        number => with_suffix(path, &format!("{DAMAGED}{now}-{number}")),
    });
    let mut free = names.skip_while(|name| {
        // A log that was set aside without its file must not get another file.
        PARTS
            .iter()
            .any(|part| fs::symlink_metadata(with_suffix(name, part)).is_ok())
    });
    free.next()
        .unwrap_or_else(|| path.with_extension("damaged"))
}

/// The name of a part.
pub fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

impl Store {
    /// Remembers that something stored of the feed was found damaged, so that the next sync builds
    /// all of it anew.
    pub(super) async fn mark_damaged(&self, words: &str) {
        tracing::error!(damage = words, "stored feed data is damaged");
        self.feed.suspect();
        let marked = sqlx::query("UPDATE feed_state SET damage = ?")
            .bind(words)
            .execute(&self.feed_pool())
            .await;
        if let Err(error) = marked {
            tracing::warn!(%error, "cannot record the damage");
        }
    }

    /// What was found damaged since the last sync.
    pub async fn damage(&self) -> Result<Option<String>, StoreError> {
        let row = sqlx::query("SELECT damage FROM feed_state WHERE only = 1")
            .fetch_one(&self.feed_pool())
            .await?;
        Ok(row.try_get(0)?)
    }

    /// Reads all of both files and says what is damaged.
    pub async fn look_for_damage(&self) -> Result<Vec<String>, StoreError> {
        let mut found = Vec::new();
        if let Err(error) = self.whole_feed().await {
            // The next sync must not rely on what was found whole before.
            self.suspect_feed();
            found.push(format!("feed.sqlite: {error}"));
        }
        if let Err(error) = self.look_for_own_damage().await {
            found.push(format!("store.sqlite: {error}"));
        }
        Ok(found)
    }

    /// Reads all of what only this panel knows, and refuses it if it is damaged.
    pub async fn look_for_own_damage(&self) -> Result<(), StoreError> {
        let checked = async { quick_check(&mut *self.panel.acquire().await?).await };
        match checked.await {
            Ok(None) => Ok(()),
            Ok(Some(found)) => Err(StoreError::Panel(found)),
            Err(error) => Err(lost::unless_full(self.path(), error)),
        }
    }

    /// Sets the stored feed aside if it is damaged, and begins with nothing; says where it is kept then.
    ///
    /// All of it is read for that by the first who asks in this process, and again whenever an error has spoken
    /// of damage since. A file that cannot be reached now, as on a full disk, is not taken for a damaged one.
    pub async fn heal_feed(&self) -> Result<Option<PathBuf>, StoreError> {
        self.feed.follow().await?;
        for _ in 0..MOST_LOOKS {
            let (version, seen) = (self.feed_version().await.ok(), damage_seen());
            let damage = match self.sound_feed().await {
                Ok(()) => {
                    self.feed.found_whole(seen);
                    return Ok(None);
                }
                Err(error) => unusable(error)?,
            };
            // Where another process syncs or resets meanwhile, its change may look like damage.
            if version.is_none() || self.feed_version().await.ok() == version {
                return self.rebuild(&damage).await;
            }
        }
        Ok(None)
    }

    /// Refuses a stored feed that is damaged; all of it is read where that is not known to be needless.
    async fn sound_feed(&self) -> Result<(), StoreError> {
        if !self.feed.is_whole() {
            return self.whole_feed().await;
        }
        match self.damage().await? {
            Some(words) => Err(StoreError::Damaged(words)),
            None => self.trusted().await.map(drop),
        }
    }

    /// Has the next who heals the stored feed read all of it.
    pub fn suspect_feed(&self) {
        self.feed.suspect();
    }

    /// Reads everything that is stored of the feed and refuses what is damaged.
    async fn whole_feed(&self) -> Result<(), StoreError> {
        if let Some(words) = self.damage().await? {
            return Err(StoreError::Damaged(words));
        }
        let mut unread = self.feed.unread().await?;
        if let Some(found) = quick_check(&mut unread).await? {
            return Err(StoreError::Damaged(found));
        }
        whole_documents(&mut unread).await?;
        drop(unread);
        let trusted = self.trusted().await?;
        let held = self.held().await?;
        let missing = trusted
            .listed()
            .find(|(kind, id)| !held.contains_key(&(*kind, (*id).clone())));
        if let Some((kind, id)) = missing {
            let words = format!("the {kind} {id} is listed in the index but not stored");
            return Err(StoreError::Damaged(words));
        }
        self.received().await?;
        self.signers().await?;
        self.sealed_payloads().await?;
        Ok(())
    }

    /// Sets what is stored of the feed aside and begins with nothing. The next sync fetches all of it. None
    /// where another process was faster.
    async fn rebuild(&self, reason: &str) -> Result<Option<PathBuf>, StoreError> {
        let aside = self.feed.replace().await?;
        self.forget_believed();
        if let Some(aside) = &aside {
            self.note_damage(reason, aside).await;
        }
        Ok(aside)
    }

    /// Forgets everything that was learnt from the feed, and nothing else. What is too damaged to be emptied is
    /// set aside.
    pub async fn forget_feed(&self) -> Result<(), StoreError> {
        self.feed.follow().await?;
        match self.empty_feed().await {
            Err(error) if error.is_unusable() => {
                self.rebuild(&error.to_string()).await?;
                Ok(())
            }
            emptied => emptied,
        }
    }

    async fn empty_feed(&self) -> Result<(), StoreError> {
        let mut transaction = self.feed_pool().begin_with("BEGIN IMMEDIATE").await?;
        for table in [
            "waiting",
            "documents",
            "listed",
            "sealed_payloads",
            "roots",
            "validators",
            "feed_state",
        ] {
            sqlx::query(sqlx::AssertSqlSafe(format!("DELETE FROM {table}")))
                .execute(&mut *transaction)
                .await?;
        }
        // In the same transaction: whoever reads meanwhile finds one of the two stores, never none.
        super::feed::name_feed(&mut transaction).await?;
        transaction.commit().await?;
        self.forget_believed();
        Ok(())
    }

    fn forget_believed(&self) {
        *self
            .believed
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner) = None;
    }

    /// That it cannot be noted is no reason to go without the feed.
    pub(super) async fn note_damage(&self, reason: &str, aside: &Path) {
        let words = format!(
            "{reason}. The damaged file is kept as {}; everything is downloaded again, starting from the pinned root.",
            aside.display()
        );
        tracing::error!(aside = %aside.display(), damage = reason, "damaged feed.sqlite set aside");
        let noted = self.note(IncidentKind::Damaged, &words, Timestamp::now());
        if let Err(error) = noted.await {
            tracing::warn!(%error, "cannot record the damage of feed.sqlite as an incident");
        }
    }
}

/// The words for an error that says that the file is damaged; any other error is passed on.
fn unusable(error: StoreError) -> Result<String, StoreError> {
    match error {
        StoreError::Damaged(words) => Ok(words),
        error if error.is_unusable() => Ok(error.to_string()),
        error => Err(error),
    }
}

/// Has SQLite look at every page of a database. Gives what it finds wrong.
async fn quick_check(connection: &mut SqliteConnection) -> Result<Option<String>, StoreError> {
    let rows: Vec<String> = sqlx::query_scalar("PRAGMA quick_check(10)")
        .fetch_all(connection)
        .await?;
    Ok(match &rows[..] {
        [only] if only == "ok" => None,
        found => Some(found.join("; ")),
    })
}

/// Compares every document with the digest that was noted when it came.
async fn whole_documents(connection: &mut SqliteConnection) -> Result<(), StoreError> {
    let mut rows = sqlx::query(
        "SELECT id, digest, bytes FROM documents UNION ALL SELECT id, digest, bytes FROM waiting",
    )
    .fetch(connection);
    while let Some(row) = rows.try_next().await? {
        let (id, digest): (&str, &str) = (row.try_get(0)?, row.try_get(1)?);
        if Digest::of(row.try_get::<&[u8], _>(2)?).to_string() != digest {
            let words = format!("the stored document {id} differs from the one received");
            return Err(StoreError::Damaged(words));
        }
    }
    Ok(())
}
