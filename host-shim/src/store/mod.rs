//! What this panel knows, durable: two SQLite files.
//!
//! `store.sqlite` has what only this panel knows: applications, what the plugin remembers, what
//! administrators decided. `feed.sqlite` beside it has what was heard from the feed: all of it can
//! be fetched again, so a damaged one is set aside and built anew, and nothing else suffers.
//!
//! State changes are transactions; a crash leaves the old state or the new one. Rooms that keep
//! something here own their tables (one migration each) and nobody else's.

mod believed;
mod damage;
mod documents;
mod feed;
mod incidents;
mod plugin_state;
mod private;
mod received;
mod validators;

use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
};

use crate::own_place::{self, OwnPlaceError};
use sqlx::{
    Sqlite, SqlitePool,
    pool::PoolConnection,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};

pub(crate) use damage::{PARTS, is_damage, with_suffix};
pub use documents::{Batch, Cursor, End, Signer, StoredDocument};
pub use feed::{Freshness, Waiting};
pub use incidents::{Incident, IncidentKind};
pub use private::SealedPayloads;
pub use received::Received;

static PANEL: sqlx::migrate::Migrator = sqlx::migrate!("./migrations/panel");
static FEED: sqlx::migrate::Migrator = sqlx::migrate!("./migrations/feed");

/// The panel's durable memory.
#[derive(Debug, Clone)]
pub struct Store {
    panel: SqlitePool,
    feed: SqlitePool,
    path: PathBuf,
    /// What was last read and verified of the feed, with the version that it had.
    believed: Arc<Mutex<Option<Arc<believed::Believed>>>>,
}

/// Why the store cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// It cannot be opened, or is not a store.
    #[error("cannot open the store {}: {source}", path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: sqlx::Error,
    },
    /// Others may read it.
    #[error(transparent)]
    Place(#[from] OwnPlaceError),
    /// It was written by a newer program, or its tables cannot be brought up to date.
    #[error("cannot bring the store {} up to date: {source}", path.display())]
    Migrate {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: sqlx::migrate::MigrateError,
    },
    /// What is in it is not what this program put there.
    #[error(
        "what is stored of the feed is damaged or was tampered with: {0}; the next sync sets it aside and fetches all of it again"
    )]
    Damaged(String),
    /// What only this panel knows is not what this program put there.
    #[error(
        "what this panel keeps of itself is damaged or was tampered with: {0}; restore store.sqlite from a backup"
    )]
    Panel(String),
    /// What was stored of the feed could not even be emptied.
    #[error(
        "what is stored of the feed is damaged beyond use, and was set aside as {}; begin again, and the next sync fetches all of it", .0.display()
    )]
    SetAside(PathBuf),
    /// Another sync took what this one had brought.
    #[error("another sync of this panel was at work at the same time; ask again")]
    Raced,
    /// The system gave no randomness.
    #[error("the system has no randomness to name a new store with: {0}")]
    Randomness(String),
    /// A statement failed.
    #[error("the store does not answer: {0}")]
    Query(#[from] sqlx::Error),
}

impl Store {
    /// Opens the store at `path`, with `feed.sqlite` beside it, and creates what is not there.
    ///
    /// A `feed.sqlite` that is damaged is set aside; the store at `path` never is. Both are for this user alone:
    /// one that stands open is closed, and refused where it is another user's.
    pub async fn open(path: &Path) -> Result<Self, StoreError> {
        // SQLite does not wait while a new file gets its journal mode and its tables: whoever comes
        // second would be refused.
        let _opening = one_at_a_time(path).await?;
        let beside = path.with_file_name("feed.sqlite");
        // Either is a file of its own, and whoever asks one question waits for little else.
        let (panel, feed) = tokio::join!(connect(path, &PANEL), connect(&beside, &FEED));
        let (panel, _) = panel?;
        let ((feed, mut connection), aside) = match feed {
            Err(error) if damage::is_damage(&error) => {
                let aside = damage::set_aside(&beside)?;
                (connect(&beside, &FEED).await?, Some((error, aside)))
            }
            feed => (feed?, None),
        };
        feed::name_feed(&mut connection).await?;
        drop(connection);
        let store = Self {
            panel,
            feed,
            path: path.to_owned(),
            believed: Arc::default(),
        };
        if let Some((error, aside)) = aside {
            store.note_damage(&error.to_string(), &aside).await?;
        }
        Ok(store)
    }

    /// The connections to what only this panel knows, for the rooms that own tables.
    pub(crate) fn pool(&self) -> &SqlitePool {
        &self.panel
    }

    /// The connections to what was heard from the feed.
    fn feed_pool(&self) -> &SqlitePool {
        &self.feed
    }

    /// Lets go of the files; nothing can be read afterwards.
    pub async fn close(&self) {
        self.panel.close().await;
        self.feed.close().await;
    }

    /// The file of what only this panel knows.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The file of what was heard from the feed.
    pub fn feed_path(&self) -> PathBuf {
        self.path.with_file_name("feed.sqlite")
    }
}

/// Holds back other processes that open the same store, until it is dropped.
async fn one_at_a_time(path: &Path) -> Result<std::fs::File, StoreError> {
    let folder = match path.parent() {
        Some(folder) if folder != Path::new("") => folder.to_owned(),
        _ => PathBuf::from("."),
    };
    let failed = |error| StoreError::Open {
        path: path.to_owned(),
        source: sqlx::Error::Io(error),
    };
    let folder = std::fs::File::open(folder).map_err(failed)?;
    // Nearly always nobody else is there, and then there is nothing to wait for.
    if folder.try_lock().is_ok() {
        return Ok(folder);
    }
    let locked = tokio::task::spawn_blocking(move || folder.lock().map(|()| folder));
    match locked.await {
        Ok(locked) => locked.map_err(failed),
        Err(panic) => std::panic::resume_unwind(panic.into_panic()),
    }
}

/// The connections to a file whose tables are up to date, and the first of them. One that was only just let go is
/// not at hand yet, and to ask for another would open another.
async fn connect(
    path: &Path,
    migrations: &'static sqlx::migrate::Migrator,
) -> Result<(SqlitePool, PoolConnection<Sqlite>), StoreError> {
    // SQLite's log and its index take their mode from the file that they belong to.
    own_place::file(path)?;
    for part in PARTS {
        own_place::close(&with_suffix(path, part))?;
    }
    let options = SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .foreign_keys(true)
        .journal_mode(SqliteJournalMode::Wal)
        // A journal row must have reached the disk before the step that it announces begins.
        .synchronous(SqliteSynchronous::Full)
        .busy_timeout(std::time::Duration::from_secs(30));
    let pool = SqlitePoolOptions::new()
        .max_connections(4)
        // A file in this process does not hang up.
        .test_before_acquire(false)
        .connect_with(options)
        .await
        .map_err(|source| StoreError::Open {
            path: path.to_owned(),
            source,
        })?;
    let mut connection = pool.acquire().await?;
    // The way of theirs for a connection at hand: that of "run" keeps whoever waits for it from moving to
    // another thread.
    migrations
        .run_direct(None, &mut *connection, false)
        .await
        .map_err(|source| StoreError::Migrate {
            path: path.to_owned(),
            source,
        })?;
    Ok((pool, connection))
}
