//! Why the store cannot be used, and which errors of SQLite mean what.
//!
//! Every error of a connection becomes a [`StoreError`] here, so that damage and a full disk are told apart from
//! everything else in one place. May not: act on an error.

use std::{
    path::{Path, PathBuf},
    sync::atomic::{AtomicU64, Ordering},
};

use spacecp_fs::{OwnPlaceError, is_full};

use sqlx::migrate::MigrateError;

use super::lost::{JOURNAL_COPY, Loss};

/// How many errors of this process have said that a database is damaged. Whoever has verified a database
/// remembers the number, and verifies it again once there are more.
static DAMAGE_SEEN: AtomicU64 = AtomicU64::new(0);

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
    #[error("cannot migrate the store {}: {source}", path.display())]
    Migrate {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: MigrateError,
    },
    /// What is in it is not what this program put there.
    #[error(
        "the stored feed data is damaged or was tampered with: {0}. The next sync moves it aside and downloads everything again"
    )]
    Damaged(String),
    /// What only this panel knows is not what this program put there.
    #[error(
        "the panel's own records are damaged or were tampered with: {0}. Restore store.sqlite from a backup"
    )]
    Panel(String),
    /// `store.sqlite` is damaged, so that it cannot be opened.
    #[error(
        "{} is damaged: {source}. Restore it from a backup; \"recover\" and \"rollback\" use a copy of the journal until then. Without a backup, run \"spacecp-advisories recover --new-store\" to move it aside and create a store from that copy", path.display()
    )]
    PanelDamaged {
        /// The file.
        path: PathBuf,
        /// What SQLite says.
        source: Box<StoreError>,
    },
    /// There was a `store.sqlite`, and it is gone or another one; or something else than a file has its name.
    #[error(
        "{} {loss}. It holds decisions, tokens, the policy and the audit log, so no empty store replaces it. Restore it from a backup; until then \"recover\", \"rollback\" and \"history\" use the copy of the journal ({JOURNAL_COPY}). Without a backup, run \"spacecp-advisories recover --new-store\" to move aside what is there and create a store from that copy", path.display()
    )]
    PanelLost {
        /// The file.
        path: PathBuf,
        /// How.
        loss: Loss,
    },
    /// A store that can be read was to be replaced.
    #[error("{} is not damaged; nothing was replaced", .0.display())]
    NotLost(PathBuf),
    /// SQLite found a page of one of the two databases damaged.
    #[error(
        "a database of this panel is damaged: {0}. Run \"doctor\" to see which: \"sync\" replaces feed.sqlite; restore store.sqlite from a backup"
    )]
    Corrupt(sqlx::Error),
    /// The disk or the quota of the state directory is full.
    #[error(
        "cannot write to the panel's state directory: its disk or quota is full ({0}). Free some space, then repeat"
    )]
    Full(sqlx::Error),
    /// The databases were opened for reading only.
    #[error(
        "cannot write to the panel's state directory: its disk is full or mounted read-only ({0}). Free some space or mount it for writing, then repeat"
    )]
    ReadOnly(sqlx::Error),
    /// Another sync took what this one had brought.
    #[error("another sync of this panel ran at the same time; retry")]
    Raced,
    /// The system gave no randomness.
    #[error("cannot name a new store: the system's random number generator failed: {0}")]
    Randomness(String),
    /// A statement failed.
    #[error("database error: {0}")]
    Query(sqlx::Error),
}

/// What an error of SQLite says of the file, by its primary result code and some extended ones
/// (<https://www.sqlite.org/rescode.html>).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Meaning {
    /// `SQLITE_CORRUPT`, `SQLITE_NOTADB`, `SQLITE_IOERR_CORRUPTFS`, `SQLITE_IOERR_DATA`, `SQLITE_IOERR_SHORT_READ`
    /// (a file ends before what SQLite knows to be in it).
    Damaged,
    /// `SQLITE_FULL`, `SQLITE_IOERR_SHMSIZE` (the index of the log could not be made longer), or the system's ENOSPC
    /// and EDQUOT.
    Full,
    /// `SQLITE_READONLY`.
    ReadOnly,
    /// The file cannot be reached now: it is locked, the system refuses, there is no memory.
    Unreachable,
    /// Anything else: a statement that does not fit the tables, a row that is missing, a value of another type.
    Other,
}

/// The code of SQLite, if it is an error of SQLite's.
fn code(error: &sqlx::Error) -> Option<i32> {
    error.as_database_error()?.code()?.parse().ok()
}

fn meaning(error: &sqlx::Error) -> Meaning {
    match error {
        sqlx::Error::Database(_) => code(error).map_or(Meaning::Other, meaning_of_code),
        sqlx::Error::Io(error) if is_full(error) => Meaning::Full,
        sqlx::Error::Io(_)
        | sqlx::Error::PoolTimedOut
        | sqlx::Error::PoolClosed
        | sqlx::Error::WorkerCrashed => Meaning::Unreachable,
        _ => Meaning::Other,
    }
}

fn meaning_of_code(code: i32) -> Meaning {
    const IOERR_SHORT_READ: i32 = 0x0a | (2 << 8);
    const IOERR_SHMSIZE: i32 = 0x0a | (19 << 8);
    const IOERR_DATA: i32 = 0x0a | (32 << 8);
    const IOERR_CORRUPTFS: i32 = 0x0a | (33 << 8);
    match (code, code & 0xff) {
        (IOERR_DATA | IOERR_CORRUPTFS | IOERR_SHORT_READ, _) | (_, 11 | 26) => Meaning::Damaged,
        (IOERR_SHMSIZE, _) | (_, 13) => Meaning::Full,
        (_, 8) => Meaning::ReadOnly,
        // PERM, ABORT, BUSY, LOCKED, NOMEM, INTERRUPT, IOERR, CANTOPEN, PROTOCOL, NOLFS, AUTH.
        (_, 3..=7 | 9 | 10 | 14 | 15 | 22 | 23) => Meaning::Unreachable,
        _ => Meaning::Other,
    }
}

/// How many errors have said so far that a database is damaged.
pub(super) fn damage_seen() -> u64 {
    DAMAGE_SEEN.load(Ordering::Relaxed)
}

impl From<sqlx::Error> for StoreError {
    fn from(source: sqlx::Error) -> Self {
        match meaning(&source) {
            Meaning::Damaged => {
                DAMAGE_SEEN.fetch_add(1, Ordering::Relaxed);
                Self::Corrupt(source)
            }
            Meaning::Full => Self::Full(source),
            Meaning::ReadOnly => Self::ReadOnly(source),
            Meaning::Unreachable | Meaning::Other => Self::Query(source),
        }
    }
}

impl StoreError {
    /// Why the file at `path` could not be opened.
    pub(super) fn opening(path: &Path, source: sqlx::Error) -> Self {
        match meaning(&source) {
            Meaning::Full => Self::Full(source),
            _ => Self::Open {
                path: path.to_owned(),
                source,
            },
        }
    }

    /// The same of a file that cannot be opened because its disk is full: SQLite says only that it cannot.
    pub(super) fn for_want_of_space(self) -> Self {
        match self {
            Self::Open { source, .. }
            | Self::Migrate {
                source: MigrateError::Execute(source) | MigrateError::ExecuteMigration(source, _),
                ..
            } => Self::Full(source),
            error => error,
        }
    }

    /// Why the tables of the file at `path` could not be brought up to date.
    pub(super) fn migrating(path: &Path, source: MigrateError) -> Self {
        match source {
            MigrateError::Execute(source) | MigrateError::ExecuteMigration(source, _)
                if meaning(&source) == Meaning::Full =>
            {
                Self::Full(source)
            }
            source => Self::Migrate {
                path: path.to_owned(),
                source,
            },
        }
    }

    /// Whether it says for certain that a database is damaged, and not that it cannot be reached now.
    pub fn is_damage(&self) -> bool {
        match self {
            Self::Damaged(_) | Self::Panel(_) | Self::Corrupt(_) | Self::PanelDamaged { .. } => {
                true
            }
            _ => self.meaning() == Some(Meaning::Damaged),
        }
    }

    /// Whether `store.sqlite` is damaged or lost, so that the copy of the journal stands in for it.
    pub fn wants_the_copy(&self) -> bool {
        self.is_damage() || matches!(self, Self::PanelLost { .. })
    }

    /// Whether the system does not give the file, or what is in it. One that is locked, or for which there is no
    /// memory, will be given later.
    pub(super) fn is_unreadable(&self) -> bool {
        const NO_MEMORY: i32 = 0x0a | (12 << 8);
        if self.is_full() {
            return false;
        }
        match self.sqlite_error() {
            Some(sqlx::Error::Io(_)) => true,
            // PERM, IOERR, CANTOPEN, AUTH.
            Some(source) => code(source)
                .is_some_and(|code| code != NO_MEMORY && matches!(code & 0xff, 3 | 10 | 14 | 23)),
            None => matches!(self, Self::Place(OwnPlaceError::File { .. })),
        }
    }

    /// Whether a file that was read to find out is damaged: anything but a reason why it cannot be reached now
    /// or belongs to a newer program. For what can be fetched again.
    pub(super) fn is_unusable(&self) -> bool {
        match self {
            Self::Migrate {
                source: MigrateError::VersionMissing(_) | MigrateError::VersionTooNew(..),
                ..
            }
            | Self::Place(_)
            | Self::Raced
            | Self::Randomness(_) => false,
            error if error.is_damage() => true,
            error => error.meaning() == Some(Meaning::Other),
        }
    }

    /// Whether something could not be written for want of space, or because the file system takes no writes.
    pub fn is_full(&self) -> bool {
        match self {
            Self::Full(_) | Self::ReadOnly(_) => true,
            Self::Place(OwnPlaceError::File { source, .. }) => is_full(source),
            _ => matches!(self.meaning(), Some(Meaning::Full | Meaning::ReadOnly)),
        }
    }

    /// Whether the file could not be reached, for a reason that SQLite does not tell.
    pub fn is_unreachable(&self) -> bool {
        matches!(self, Self::Place(OwnPlaceError::File { .. }))
            || self.meaning() == Some(Meaning::Unreachable)
    }

    fn meaning(&self) -> Option<Meaning> {
        match self {
            Self::Migrate { .. } => Some(self.sqlite_error().map_or(Meaning::Other, meaning)),
            _ => self.sqlite_error().map(meaning),
        }
    }

    /// What SQLite or the system said.
    fn sqlite_error(&self) -> Option<&sqlx::Error> {
        match self {
            Self::Open { source, .. }
            | Self::Query(source)
            | Self::Corrupt(source)
            | Self::Full(source)
            | Self::ReadOnly(source)
            | Self::Migrate {
                source: MigrateError::Execute(source) | MigrateError::ExecuteMigration(source, _),
                ..
            } => Some(source),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn damage_is_told_from_a_full_disk_a_lock_and_everything_else() {
        for code in [11, 0x010b, 0x030b, 26, 0x210a, 0x020a] {
            assert_eq!(meaning_of_code(code), Meaning::Damaged, "{code}");
        }
        // SQLITE_FULL, SQLITE_IOERR_SHMSIZE.
        for code in [13, 0x130a] {
            assert_eq!(meaning_of_code(code), Meaning::Full, "{code}");
        }
        // SQLITE_IOERR_READ, SQLITE_BUSY_SNAPSHOT, SQLITE_CANTOPEN: the file may be as it should be.
        for code in [0x010a, 0x0205, 14] {
            assert_eq!(meaning_of_code(code), Meaning::Unreachable, "{code}");
        }
    }

    #[test]
    fn a_quota_that_is_used_up_is_a_full_disk() {
        for number in [rustix::io::Errno::NOSPC, rustix::io::Errno::DQUOT] {
            let error = std::io::Error::from_raw_os_error(number.raw_os_error());
            let error = StoreError::from(sqlx::Error::Io(error));
            assert!(matches!(error, StoreError::Full(_)), "{error:?}");
        }
    }
}
