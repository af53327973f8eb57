//! The connections to `feed.sqlite`, and their replacement when the file is.
//!
//! The file can be fetched again, so a damaged one is renamed and an empty one takes its place, while other
//! processes may have it open: whoever finds that the file under its name is another one goes over to that.
//! May not: decide that the file is damaged.

use std::{
    fs::File,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use rustix::fs::{FlockOperation, fcntl_lock};
use sqlx::{Sqlite, SqlitePool, pool::PoolConnection};

use super::{
    Kind, PARTS, StoreError, connect, connect_later, damage, error::damage_seen, feed,
    one_at_a_time, with_suffix,
};

/// The connections, shared by every clone of a store.
#[derive(Debug, Clone)]
pub(super) struct FeedFile(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    path: PathBuf,
    opened: RwLock<Opened>,
    /// Held while the file or the connections are replaced. Has the file that was replaced last.
    replacing: tokio::sync::Mutex<Released>,
}

#[derive(Debug)]
struct Opened {
    pool: SqlitePool,
    /// Which file it is, whatever its name is now.
    file: Option<FileId>,
    /// How many errors had spoken of damage when all of it was last found whole.
    whole_at: Option<u64>,
}

/// How long and how often a connection that is being closed is waited for.
const WAIT: Duration = Duration::from_millis(5);
const MOST_WAITS: usize = 200;

/// Device and inode.
type FileId = (u64, u64);

/// A file that no connection of this process has open, locked so that those of other processes remove nothing when
/// they are closed. None where it could not be locked.
type Released = Option<File>;

impl FeedFile {
    /// Opens the file, and sets aside one that is damaged, or whatever else has the name of one of its files: then with
    /// what was wrong and where it is now.
    pub(super) async fn open(
        path: PathBuf,
    ) -> Result<(Self, Option<(StoreError, PathBuf)>), StoreError> {
        let opened = match no_file(&path) {
            Some(error) => Err(error),
            None => open(&path).await,
        };
        let (pool, replaced, aside) = match opened {
            Err(error) if error.is_unusable() => {
                let replaced = released(&path).await;
                let aside = damage::set_aside(&path)?;
                (open(&path).await?, replaced, Some((error, aside)))
            }
            pool => (pool?, None, None),
        };
        Ok((Self::of(path, pool, replaced), aside))
    }

    /// The file as it is, opened by whoever first reads from it; nothing is made or mended.
    pub(super) fn as_it_is(path: PathBuf) -> Self {
        let pool = connect_later(&path);
        Self::of(path, pool, None)
    }

    fn of(path: PathBuf, pool: SqlitePool, replaced: Released) -> Self {
        let opened = Opened {
            pool,
            file: file_id(&path),
            whole_at: None,
        };
        Self(Arc::new(Shared {
            path,
            opened: RwLock::new(opened),
            replacing: tokio::sync::Mutex::new(replaced),
        }))
    }

    pub(super) fn path(&self) -> &Path {
        &self.0.path
    }

    /// The connections to the file that is current.
    pub(super) fn pool(&self) -> SqlitePool {
        self.read(|opened| opened.pool.clone())
    }

    /// A connection that has nothing of the file in memory yet, where there can be one, and reads what the file itself
    /// has: as long as SQLite's log has a page, nobody sees what became of that page in the file.
    pub(super) async fn unread(&self) -> Result<PoolConnection<Sqlite>, StoreError> {
        let fresh = connect_later(self.path());
        match fresh.acquire().await {
            Ok(mut connection) => {
                // On a full disk, or beside a process that reads, the log stays, and what it has is what is read.
                let emptied = sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)");
                if let Err(error) = emptied.execute(&mut *connection).await {
                    tracing::debug!(%error, "write-ahead log of feed.sqlite not emptied");
                }
                Ok(connection)
            }
            Err(error) => match StoreError::from(error) {
                // Those that are there may answer from memory, as if all were well.
                error if error.is_damage() => Err(error),
                // On a full disk those that are there are all that there are.
                _ => Ok(self.pool().acquire().await?),
            },
        }
    }

    /// Whether all of it was found whole, and no error has spoken of damage since.
    pub(super) fn is_whole(&self) -> bool {
        self.read(|opened| opened.whole_at == Some(damage_seen()))
    }

    /// Notes that all of it was found whole when so many errors had spoken of damage.
    pub(super) fn found_whole(&self, seen: u64) {
        self.change(|opened| opened.whole_at = Some(seen));
    }

    /// Has whoever asks next look at all of it again.
    pub(super) fn suspect(&self) {
        self.change(|opened| opened.whole_at = None);
    }

    /// Goes over to the file that another process has put there, if one has.
    pub(super) async fn follow(&self) -> Result<(), StoreError> {
        if self.is_the_file() {
            return Ok(());
        }
        let _replacing = self.0.replacing.lock().await;
        if self.is_the_file() {
            return Ok(());
        }
        tracing::info!(file = %self.path().display(), "feed.sqlite was replaced; opened again");
        self.reopen().await
    }

    /// Sets the file aside and opens an empty one. None where another process was faster.
    pub(super) async fn replace(&self) -> Result<Option<PathBuf>, StoreError> {
        let mut replacing = self.0.replacing.lock().await;
        // SQLite must have let go of the file here before its log and its index are renamed.
        self.pool().close().await;
        let aside = self.move_aside(&mut replacing).await;
        self.reopen().await?;
        aside
    }

    async fn move_aside(&self, replaced: &mut Released) -> Result<Option<PathBuf>, StoreError> {
        let _opening = one_at_a_time(self.path()).await?;
        if !self.is_the_file() {
            return Ok(None);
        }
        *replaced = released(self.path()).await;
        damage::set_aside(self.path()).map(Some)
    }

    /// Opens whatever lies under the name now. To be called by whoever is replacing.
    async fn reopen(&self) -> Result<(), StoreError> {
        self.pool().close().await;
        let opened = self.open_again().await;
        let (pool, result) = match opened {
            Ok(pool) => (pool, Ok(())),
            // Whoever asks later is told what is wrong then, and not that the connections are closed.
            Err(error) => (connect_later(self.path()), Err(error)),
        };
        self.change(|opened| {
            *opened = Opened {
                pool,
                file: file_id(self.path()),
                whole_at: None,
            }
        });
        result
    }

    async fn open_again(&self) -> Result<SqlitePool, StoreError> {
        let _opening = one_at_a_time(self.path()).await?;
        if let Some(error) = no_file(self.path()) {
            let aside = damage::set_aside(self.path())?;
            tracing::error!(%error, aside = %aside.display(), "set aside");
        }
        open(self.path()).await
    }

    /// Whether the file under the name is the one that is open.
    fn is_the_file(&self) -> bool {
        let there = file_id(self.path());
        self.read(|opened| opened.file == there)
    }

    fn read<T>(&self, read: impl FnOnce(&Opened) -> T) -> T {
        // Nothing that holds it leaves it halfway.
        read(&self.0.opened.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn change(&self, change: impl FnOnce(&mut Opened)) {
        change(
            &mut self
                .0
                .opened
                .write()
                .unwrap_or_else(PoisonError::into_inner),
        );
    }
}

async fn open(path: &Path) -> Result<SqlitePool, StoreError> {
    let (pool, mut connection) = connect(path, Kind::Feed).await?;
    feed::name_feed(&mut connection).await?;
    Ok(pool)
}

/// Why nothing can be opened under the names of this file, where something else than a file has one of them.
fn no_file(path: &Path) -> Option<StoreError> {
    let mut parts = PARTS.iter().map(|part| with_suffix(path, part));
    let part = parts.find(|part| damage::is_no_file(part))?;
    Some(StoreError::Damaged(format!(
        "{} is not a regular file",
        part.display()
    )))
}

/// Waits until every connection to the file is closed in this process, and none is being closed in another; and
/// locks it. To be kept as long as this process has the file that takes its place.
///
/// SQLite's last connection removes log and index by their names: by then these may be those of the file that took
/// the place of this one. It does so after two looks: whether the file still has its name, and whether nobody else
/// has a lock (`sqlite3PagerClose`, `sqlite3WalClose`). The lock that is taken here is one that SQLite respects. One
/// process has its locks in common, so that within this one waiting is all that helps. Not for ever: whoever begins to
/// close a file that was renamed removes nothing.
async fn released(path: &Path) -> Released {
    let file = file_id(path).filter(|_| !damage::is_no_file(path))?;
    let is_open = || {
        let open = std::fs::read_dir("/proc/self/fd").into_iter().flatten();
        open.flatten()
            .any(|open| file_id(&open.path()) == Some(file))
    };
    for _ in 0..MOST_WAITS {
        // To close a file gives up the locks that other descriptors of this process have of it.
        if !is_open()
            && let Some(locked) = locked(path)
        {
            return Some(locked);
        }
        tokio::time::sleep(WAIT).await;
    }
    tracing::debug!(file = %path.display(), "still open in this process, or locked by another");
    None
}

/// The file with a lock that keeps every other process from having it alone, unless one has it alone now.
fn locked(path: &Path) -> Option<File> {
    let opened = File::open(path).ok()?;
    fcntl_lock(&opened, FlockOperation::NonBlockingLockShared).ok()?;
    Some(opened)
}

fn file_id(path: &Path) -> Option<FileId> {
    let metadata = std::fs::metadata(path).ok()?;
    Some((metadata.dev(), metadata.ino()))
}

#[cfg(test)]
mod tests {
    use std::{
        error::Error,
        io::{BufRead, BufReader, sink, stdin},
        process::{Child, Command, Stdio},
    };

    use sqlx::{ConnectOptions as _, Connection as _, sqlite::SqliteConnectOptions};

    use super::*;

    /// The file that a process is to have alone.
    const FILE: &str = "SPACECP_TEST_FILE";
    const HAS_IT: &str = "has it alone";
    const REFUSED: &str = "refused";

    /// What another process does to have a file alone, as SQLite does to remove the log that belongs to it. It keeps
    /// the lock until its input ends.
    #[test]
    #[ignore = "another test starts it as a process of its own"]
    #[expect(clippy::print_stdout, reason = "its parent reads it")]
    fn a_process_that_has_the_file_alone() -> Result<(), Box<dyn Error>> {
        let file = File::options()
            .read(true)
            .write(true)
            .open(std::env::var(FILE)?)?;
        let alone = fcntl_lock(&file, FlockOperation::NonBlockingLockExclusive);
        println!("\n{}", if alone.is_ok() { HAS_IT } else { REFUSED });
        std::io::copy(&mut stdin(), &mut sink())?;
        Ok(())
    }

    /// Starts that process. Gives what it says of its lock.
    fn lock_in_another_process(path: &Path) -> Result<(Child, String), Box<dyn Error>> {
        let test = "feed_file::tests::a_process_that_has_the_file_alone";
        let mut other = Command::new(std::env::current_exe()?)
            .args(["--exact", test, "--ignored", "--nocapture"])
            .env(FILE, path)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let said = BufReader::new(other.stdout.take().ok_or("no output")?);
        for line in said.lines() {
            let line = line?;
            if [HAS_IT, REFUSED].contains(&&*line) {
                return Ok((other, line));
            }
        }
        Err("it said nothing of the lock".into())
    }

    #[tokio::test]
    async fn a_file_is_not_renamed_while_another_process_closes_its_last_connection()
    -> Result<(), Box<dyn Error>> {
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("feed.sqlite");
        let (file, _) = FeedFile::open(path.clone()).await?;
        file.pool().close().await;
        let (mut other, said) = lock_in_another_process(&path)?;
        assert_eq!(said, HAS_IT);
        let replaced = tokio::spawn({
            let file = file.clone();
            async move { file.replace().await }
        });
        tokio::time::sleep(20 * WAIT).await;
        assert!(!replaced.is_finished());
        drop(other.stdin.take());
        other.wait()?;
        assert!(replaced.await??.is_some());
        Ok(())
    }

    #[tokio::test]
    async fn while_a_file_that_took_the_place_of_another_is_open_no_process_has_that_one_alone()
    -> Result<(), Box<dyn Error>> {
        let folder = tempfile::tempdir()?;
        let (replacing, _) = FeedFile::open(folder.path().join("feed.sqlite")).await?;
        let replaced = replacing.replace().await?.ok_or("not set aside")?;
        let damaged = folder.path().join("damaged.sqlite");
        std::fs::write(&damaged, "no database")?;
        let (opening, replaced_at_once) = FeedFile::open(damaged).await?;
        let (_, replaced_at_once) = replaced_at_once.ok_or("not set aside")?;
        for aside in [replaced, replaced_at_once] {
            let (mut other, said) = lock_in_another_process(&aside)?;
            assert_eq!(said, REFUSED, "{}", aside.display());
            drop(other.stdin.take());
            other.wait()?;
        }
        drop((replacing, opening));
        Ok(())
    }

    #[tokio::test]
    async fn a_file_is_not_renamed_while_a_connection_to_it_is_being_closed()
    -> Result<(), Box<dyn std::error::Error>> {
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("feed.sqlite");
        let (file, _) = FeedFile::open(path.clone()).await?;
        let other = SqliteConnectOptions::new()
            .filename(&path)
            .connect()
            .await?;
        let replaced = tokio::spawn({
            let file = file.clone();
            async move { file.replace().await }
        });
        tokio::time::sleep(20 * WAIT).await;
        assert!(!replaced.is_finished());
        other.close().await?;
        let aside = replaced.await??.ok_or("not set aside")?;
        assert!(aside.exists() && path.exists());
        Ok(())
    }
}
