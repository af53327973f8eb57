//! What this panel knows, durable: two SQLite files.
//!
//! `store.sqlite` has what only this panel knows: applications, what the plugin remembers, what
//! administrators decided. `feed.sqlite` beside it has what was heard from the feed: all of it can
//! be fetched again, so a damaged one is set aside and built anew, and nothing else suffers.
//!
//! State changes are transactions; a crash leaves the old state or the new one. Crates that keep
//! something here own their tables (one migration each) and nobody else's. What was done and decided is in
//! the [`audit`] log.
//!
//! May not: fetch or verify anything; act on what is stored.
#![forbid(unsafe_code)]

pub mod audit;
pub mod ballast;
mod believed;
mod clock;
mod damage;
mod documents;
mod error;
mod feed;
mod feed_file;
mod incidents;
mod listed;
mod lost;
mod plugin_state;
mod private;
mod received;
mod validators;

use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
};

use spacecp_fs::private_files;

use sqlx::{
    Sqlite, SqlitePool,
    migrate::Migrator,
    pool::PoolConnection,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};

pub use clock::ClockMemory;
pub use damage::{PARTS, with_suffix};
pub use documents::{Batch, Cursor, End, Signer, StoredDocument};
pub use error::StoreError;
pub use feed::{Freshness, Waiting};
use feed_file::FeedFile;
pub use incidents::{Incident, IncidentKind};
pub use lost::{JOURNAL_COPY, Loss, Lost, Replaced};
pub use private::SealedPayloads;
pub use received::Received;

static PANEL: Migrator = sqlx::migrate!("./migrations/panel");
static FEED: Migrator = sqlx::migrate!("./migrations/feed");

/// Which of the two databases a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// What only this panel knows.
    Panel {
        /// Whether an empty file may become one.
        may_begin: bool,
    },
    /// What was heard from the feed.
    Feed,
}

impl Kind {
    fn migrations(self) -> &'static Migrator {
        match self {
            Self::Panel { .. } => &PANEL,
            Self::Feed => &FEED,
        }
    }
}

/// The panel's durable memory.
#[derive(Debug, Clone)]
pub struct Store {
    panel: SqlitePool,
    feed: FeedFile,
    path: PathBuf,
    /// What was last read and verified of the feed, with the version that it had.
    believed: Arc<Mutex<Option<Arc<believed::Believed>>>>,
}

impl Store {
    /// Opens the store at `path`, with `feed.sqlite` beside it, and creates what is not there.
    ///
    /// A `feed.sqlite` that is damaged is set aside; the store at `path` never is, and one that was there and is lost
    /// is refused ([`StoreError::PanelLost`]). Both are for this user alone:
    /// one that stands open is closed, and refused where it is another user's. On a disk that is full or mounted
    /// read-only both are opened for reading.
    pub async fn open(path: &Path) -> Result<Self, StoreError> {
        // SQLite does not wait while a new file gets its journal mode and its tables: whoever comes
        // second would be refused.
        let _opening = one_at_a_time(path).await?;
        let beside = path.with_file_name("feed.sqlite");
        let (panel, (feed, aside)) = if lost::is_hollow(path) {
            // Later, so that a feed.sqlite shows that there was a store.
            (connect_panel(path).await?, FeedFile::open(beside).await?)
        } else {
            // Either is a file of its own, and whoever asks one question waits for little else.
            let (panel, feed) = tokio::join!(connect_panel(path), FeedFile::open(beside));
            (panel?, feed?)
        };
        let store = Self::of(path, panel, feed);
        if let Some((error, aside)) = aside {
            store.note_damage(&error.to_string(), &aside).await;
        }
        // On a full disk, or where feed.sqlite is damaged, the next process that opens it tries again.
        if let Err(error) = store.move_clock_from_feed().await {
            tracing::warn!(%error, "clock memory not moved from feed.sqlite to store.sqlite");
        }
        Ok(store)
    }

    /// Opens what only this panel knows; `feed.sqlite` is neither made nor mended, and read only by whoever asks
    /// for something in it. For what has to work whatever became of the feed, as recovery and rollback.
    pub async fn open_without_feed(path: &Path) -> Result<Self, StoreError> {
        let _opening = one_at_a_time(path).await?;
        let feed = FeedFile::as_it_is(path.with_file_name("feed.sqlite"));
        Ok(Self::of(path, connect_panel(path).await?, feed))
    }

    /// The same for a file that can be made again, whatever lies beside it: the copy of the journal, and a store that
    /// is to replace a lost one. What cannot be used is set aside.
    pub async fn open_copy(path: &Path) -> Result<Self, StoreError> {
        let kind = Kind::Panel { may_begin: true };
        let opened = match lost::loss(path, false) {
            Some(loss) => Err(lost::error(path, loss)),
            None => Self::open_as(path, kind).await,
        };
        match opened {
            Err(error) if error.wants_the_copy() => {
                let aside = damage::set_aside(path)?;
                tracing::warn!(%error, aside = %aside.display(), "unusable copy moved aside; creating it again");
                Self::open_as(path, kind).await
            }
            opened => opened,
        }
    }

    /// The same for a copy that is to stand in for the store: it is never begun.
    pub async fn open_to_stand_in(path: &Path) -> Result<Self, StoreError> {
        if let Some(loss) = lost::loss(path, true) {
            return Err(lost::error(path, loss));
        }
        Self::open_as(path, Kind::Panel { may_begin: false }).await
    }

    async fn open_as(path: &Path, kind: Kind) -> Result<Self, StoreError> {
        let _opening = one_at_a_time(path).await?;
        let feed = FeedFile::as_it_is(path.with_file_name("feed.sqlite"));
        Ok(Self::of(path, connect(path, kind).await?.0, feed))
    }

    fn of(path: &Path, panel: SqlitePool, feed: FeedFile) -> Self {
        Self {
            panel,
            feed,
            path: path.to_owned(),
            believed: Arc::default(),
        }
    }

    /// The connections to `store.sqlite`, for the crates that own tables in it.
    pub fn pool(&self) -> &SqlitePool {
        &self.panel
    }

    /// The connections to what was heard from the feed. They are others once the file was replaced, so nobody
    /// keeps them.
    fn feed_pool(&self) -> SqlitePool {
        self.feed.pool()
    }

    /// Lets go of the files; nothing can be read afterwards.
    pub async fn close(&self) {
        self.panel.close().await;
        self.feed_pool().close().await;
    }

    /// The file of what only this panel knows.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The file of what was heard from the feed.
    pub fn feed_path(&self) -> PathBuf {
        self.feed.path().to_owned()
    }
}

/// The connections to what only this panel knows. Where there was a store, none is begun.
async fn connect_panel(path: &Path) -> Result<SqlitePool, StoreError> {
    let was_there = lost::was_there(path);
    if let Some(loss) = lost::loss(path, was_there) {
        return Err(lost::error(path, loss));
    }
    let may_begin = !was_there;
    match connect(path, Kind::Panel { may_begin }).await {
        Ok((pool, _)) => Ok(pool),
        Err(error) if error.is_damage() => Err(StoreError::PanelDamaged {
            path: path.to_owned(),
            source: Box::new(error),
        }),
        Err(error) if was_there => Err(lost::unless_full(path, error)),
        Err(error) => Err(error),
    }
}

/// Holds back other processes that open the same store, until it is dropped.
async fn one_at_a_time(path: &Path) -> Result<std::fs::File, StoreError> {
    let folder = match path.parent() {
        Some(folder) if folder != Path::new("") => folder.to_owned(),
        _ => PathBuf::from("."),
    };
    let failed = |error| StoreError::opening(path, sqlx::Error::Io(error));
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
    kind: Kind,
) -> Result<(SqlitePool, PoolConnection<Sqlite>), StoreError> {
    match connect_for_writing(path, kind).await {
        Err(error) if may_be_read(path, &error) => {
            tracing::warn!(file = %path.display(), %error, "feed.sqlite is read-only; opened for reading");
            let read_only = SqliteConnectOptions::new()
                .filename(path)
                .read_only(true)
                .immutable(true);
            connect_with(path, read_only, kind).await
        }
        Err(error) if error.is_unreadable() && ballast::is_full(path) => {
            Err(error.for_want_of_space())
        }
        connected => connected,
    }
}

async fn connect_for_writing(
    path: &Path,
    kind: Kind,
) -> Result<(SqlitePool, PoolConnection<Sqlite>), StoreError> {
    // SQLite's log and its index take their mode from the file that they belong to.
    private_files::file(path)?;
    for part in PARTS {
        private_files::close(&with_suffix(path, part))?;
    }
    // It is there by now: no connection that is opened later may put an empty file into its place.
    connect_with(path, options(path), kind).await
}

/// Whether a file that could not be opened for writing can be read as it is.
///
/// SQLite's write-ahead log needs a file of its own for an index even to be read, and on a full disk that file
/// cannot be made. Where there is no log the database has everything and can be read without either.
fn may_be_read(path: &Path, error: &StoreError) -> bool {
    let length = |path: &Path| std::fs::metadata(path).map_or(0, |file| file.len());
    let no_writes = error.is_full() || (error.is_unreachable() && ballast::is_full(path));
    no_writes && length(path) > 0 && length(&with_suffix(path, "-wal")) == 0
}

async fn connect_with(
    path: &Path,
    options: SqliteConnectOptions,
    kind: Kind,
) -> Result<(SqlitePool, PoolConnection<Sqlite>), StoreError> {
    let failed = |source| StoreError::opening(path, source);
    let pool = pool_options().connect_with(options).await.map_err(failed)?;
    let mut connection = pool.acquire().await.map_err(failed)?;
    if let Kind::Panel { may_begin } = kind {
        lost::refuse_other(&mut connection, path, may_begin).await?;
    }
    // The way of theirs for a connection at hand: that of "run" keeps whoever waits for it from moving to
    // another thread.
    kind.migrations()
        .run_direct(None, &mut *connection, false)
        .await
        .map_err(|source| StoreError::migrating(path, source))?;
    Ok((pool, connection))
}

/// The connections to a file as it is, made by whoever first asks for one.
fn connect_later(path: &Path) -> SqlitePool {
    pool_options().connect_lazy_with(options(path))
}

fn pool_options() -> SqlitePoolOptions {
    SqlitePoolOptions::new()
        .max_connections(4)
        // A file in this process does not hang up.
        .test_before_acquire(false)
}

fn options(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .foreign_keys(true)
        .journal_mode(SqliteJournalMode::Wal)
        // A journal row must have reached the disk before the step that it announces begins.
        .synchronous(SqliteSynchronous::Full)
        .busy_timeout(std::time::Duration::from_secs(30))
}
