//! What this panel knows, durable: one SQLite file.
//!
//! State changes are transactions; a crash leaves the old state or the new one. Rooms that keep
//! something here own their tables (one migration each) and nobody else's.

mod feed;
mod plugin_state;

use std::path::{Path, PathBuf};

use sqlx::{
    SqlitePool,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};

pub use feed::{Accepted, Batch, Cursor, Freshness, StoredDocument, Trusted};

static MIGRATIONS: sqlx::migrate::Migrator = sqlx::migrate!("./migrations");

/// The panel's durable memory.
#[derive(Debug, Clone)]
pub struct Store {
    pool: SqlitePool,
    path: PathBuf,
}

/// Why the store cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// It cannot be opened, or is not a store.
    #[error("cannot open the store {}: {source}; if it is damaged, move it away, and the next sync fills a new one", path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: sqlx::Error,
    },
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
        "the store is damaged or was tampered with: {0}; move it away, and the next sync fills a new one"
    )]
    Damaged(String),
    /// The system gave no randomness.
    #[error("the system has no randomness to name a new store with: {0}")]
    Randomness(String),
    /// A statement failed.
    #[error("the store does not answer: {0}")]
    Query(#[from] sqlx::Error),
}

impl Store {
    /// Opens the store at `path` and creates it where there is none.
    pub async fn open(path: &Path) -> Result<Self, StoreError> {
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .foreign_keys(true)
            .journal_mode(SqliteJournalMode::Wal)
            // A journal row must have reached the disk before the step that it announces begins.
            .synchronous(SqliteSynchronous::Full)
            .busy_timeout(std::time::Duration::from_secs(30));
        let failed = |source| StoreError::Open {
            path: path.to_owned(),
            source,
        };
        let pool = SqlitePoolOptions::new()
            .max_connections(4)
            .connect_with(options)
            .await
            .map_err(failed)?;
        MIGRATIONS
            .run(&pool)
            .await
            .map_err(|source| StoreError::Migrate {
                path: path.to_owned(),
                source,
            })?;
        let store = Self {
            pool,
            path: path.to_owned(),
        };
        let mut epoch = [0; 8];
        getrandom::fill(&mut epoch).map_err(|error| StoreError::Randomness(error.to_string()))?;
        store.ensure_feed_state(u64::from_le_bytes(epoch)).await?;
        Ok(store)
    }

    /// The connections, for the rooms that own tables.
    pub(crate) fn pool(&self) -> &SqlitePool {
        &self.pool
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }
}
