//! A `store.sqlite` that was there and is gone, empty, another database, or cannot be opened: that is told from a panel
//! that begins, so that no empty store takes its place.
//!
//! May not: make or change a store, but for [`replace`], which somebody asks for.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use jiff::Timestamp;
use spacecp_fs::private_files;
use sqlx::SqliteConnection;

use super::{
    PARTS, Store, StoreError,
    audit::{self, Event, What},
    ballast, damage, one_at_a_time, with_suffix,
};

/// The file of the journal's copy, beside that of the store.
pub const JOURNAL_COPY: &str = "journal.sqlite";

/// What the new store is called until it is complete.
const NEW: &str = ".new";

/// How a store was lost.
#[derive(Debug, thiserror::Error)]
pub enum Loss {
    /// There is no file.
    #[error("is missing")]
    Missing,
    /// The file holds nothing.
    #[error("is empty")]
    Empty,
    /// Something else than a file has the name of one of its files.
    #[error("cannot be used: {} is not a regular file", .0.display())]
    NotAFile(PathBuf),
    /// It is another database.
    #[error("is not a store of this program")]
    Foreign,
    /// It cannot be opened or read.
    #[error("cannot be read: {0}")]
    Unreadable(Box<StoreError>),
}

pub(super) fn error(path: &Path, loss: Loss) -> StoreError {
    StoreError::PanelLost {
        path: path.to_owned(),
        loss,
    }
}

/// The same error, as a loss where the file cannot be read and it is not for want of space.
pub(super) fn unless_full(path: &Path, error: StoreError) -> StoreError {
    if !error.is_unreadable() {
        return error;
    }
    if ballast::is_full(path) {
        return error.for_want_of_space();
    }
    self::error(path, Loss::Unreadable(Box::new(error)))
}

/// Whether nothing is there, or a file without contents.
pub(super) fn is_hollow(path: &Path) -> bool {
    fs::metadata(path).map_or_else(
        |error| error.kind() == io::ErrorKind::NotFound,
        |there| there.is_file() && there.len() == 0,
    )
}

/// Whether the state directory shows that there was a store at this path: the copy of its journal, which is made of a
/// store that was complete; where the file is gone, also `feed.sqlite`, which is begun after it. Beside an empty file
/// that shows nothing: a process that is killed while a panel begins may leave both.
pub(super) fn was_there(path: &Path) -> bool {
    let [copy, feed] = [JOURNAL_COPY, "feed.sqlite"].map(|name| path.with_file_name(name));
    let is_left = |sign: &Path| sign != path && !is_hollow(sign);
    is_left(&copy) || (!path.exists() && is_left(&feed))
}

/// What can be seen of a loss without opening the file, so that SQLite does not drop a log that is left.
pub(super) fn loss(path: &Path, was_there: bool) -> Option<Loss> {
    let parts = PARTS.map(|part| with_suffix(path, part));
    if let Some(part) = parts.into_iter().find(|part| damage::is_no_file(part)) {
        return Some(Loss::NotAFile(part));
    }
    if !was_there || !is_hollow(path) {
        return None;
    }
    Some(if path.exists() {
        Loss::Empty
    } else {
        Loss::Missing
    })
}

/// Refuses a database of somebody else, and one without tables where none may begin.
pub(super) async fn refuse_other(
    connection: &mut SqliteConnection,
    path: &Path,
    may_begin: bool,
) -> Result<(), StoreError> {
    let tables: Vec<String> = sqlx::query_scalar(
        "SELECT name FROM sqlite_master WHERE type = 'table' \
         AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' AND name <> '_sqlx_migrations'",
    )
    .fetch_all(connection)
    .await
    .map_err(|source| StoreError::opening(path, source))?;
    if tables.iter().any(|table| table == "applications") {
        return Ok(());
    }
    match tables.is_empty() {
        true if may_begin => Ok(()),
        true => Err(error(path, Loss::Empty)),
        false => Err(error(path, Loss::Foreign)),
    }
}

impl Store {
    /// Replaces a store that is lost or damaged by what the copy of its journal has: apply runs, and the audit log as
    /// far as it was copied, which goes on with an entry that says so. Without a copy it begins with that entry.
    /// What was there is set aside. Says where.
    ///
    /// Refused while the store can be opened, and where a copy is there that cannot be used.
    pub async fn replace(path: &Path, by: &str, now: Timestamp) -> Result<PathBuf, StoreError> {
        let why = match Self::open_without_feed(path).await {
            Ok(store) => match store.look_for_own_damage().await {
                Ok(()) => return Err(StoreError::NotLost(path.to_owned())),
                Err(error) => error,
            },
            Err(error) => error,
        };
        if !why.wants_the_copy() {
            return Err(why);
        }
        let new = with_suffix(path, NEW);
        for part in PARTS {
            drop(fs::remove_file(with_suffix(&new, part)));
        }
        let copy = path.with_file_name(JOURNAL_COPY);
        private_files::file(&new)?;
        if !is_hollow(&copy) {
            let copy = Self::open_to_stand_in(&copy).await?;
            copy.look_for_own_damage().await?;
            sqlx::query("VACUUM INTO ?")
                .bind(new.to_string_lossy().as_ref())
                .execute(copy.pool())
                .await?;
            copy.close().await;
        }
        let begun = Self::open_copy(&new).await?;
        let event = Event {
            reason: Some(format!(
                "{why}. Entries of this log that were added after the last copy are lost, as are decisions, tokens, the policy and the clock's memory"
            )),
            ..Event::new(What::StoreReplaced, by)
        };
        audit::record(&begun, &event, now).await?;
        begun.close().await;
        let failed = |source| StoreError::Open {
            path: path.to_owned(),
            source: sqlx::Error::Io(source),
        };
        fs::File::open(&new)
            .and_then(|file| file.sync_all())
            .map_err(failed)?;
        let _opening = one_at_a_time(path).await?;
        let aside = damage::set_aside(path)?;
        fs::rename(&new, path).map_err(failed)?;
        let folder = path.parent().unwrap_or(Path::new("."));
        fs::File::open(folder)
            .and_then(|folder| folder.sync_all())
            .map_err(failed)?;
        tracing::warn!(aside = %aside.display(), "store.sqlite was replaced by the copy of the journal");
        Ok(aside)
    }
}
