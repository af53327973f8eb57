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

/// What a store has and the copy of its journal has not, so that a new store begins without it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lost {
    /// Accepted risks, workarounds in place, acknowledged paths, versions that were set.
    Decisions,
    /// Tokens, and which one-time codes were used.
    Tokens,
    /// The policy for automatic application, and what became of its runs.
    Policy,
    /// Corrections that are not applied automatically any more.
    Quarantine,
    /// Corrections that wait for a maintenance window.
    ScheduledCorrections,
    /// Notifications and their deliveries.
    Notifications,
    /// Since when a component was exposed, and until when.
    ExposureHistory,
    /// Who read embargoed advisories.
    AccessLog,
    /// The times that were seen, and what was expired then.
    RememberedTimes,
    /// The state of the plugin, and which release of it ran last.
    PluginState,
    /// What was refused, found damaged or forgotten.
    Incidents,
    /// Entries of the audit log that were added after the last copy.
    NewestAuditEntries,
    /// All of the audit log, as there was no copy.
    AuditLog,
    /// The journal of apply runs, as there was no copy: none can be rolled back or recovered.
    ApplyRuns,
}

impl Lost {
    /// What is lost whether or not there is a copy.
    pub const ALWAYS: [Self; 11] = [
        Self::Decisions,
        Self::Tokens,
        Self::Policy,
        Self::Quarantine,
        Self::ScheduledCorrections,
        Self::Notifications,
        Self::ExposureHistory,
        Self::AccessLog,
        Self::RememberedTimes,
        Self::PluginState,
        Self::Incidents,
    ];

    fn of(is_copied: bool) -> Vec<Self> {
        let logs: &[Self] = if is_copied {
            &[Self::NewestAuditEntries]
        } else {
            &[Self::AuditLog, Self::ApplyRuns]
        };
        [&Self::ALWAYS, logs].concat()
    }

    /// What people call it.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::Decisions => "decisions",
            Self::Tokens => "tokens",
            Self::Policy => "the policy and the history of automatic application",
            Self::Quarantine => "quarantined corrections",
            Self::ScheduledCorrections => "scheduled corrections",
            Self::Notifications => "notifications",
            Self::ExposureHistory => "the history of exposures",
            Self::AccessLog => "the access log",
            Self::RememberedTimes => "the remembered times",
            Self::PluginState => "the state of the plugin",
            Self::Incidents => "incidents",
            Self::NewestAuditEntries => {
                "entries of the audit log that were added after the last copy"
            }
            Self::AuditLog => "the audit log",
            Self::ApplyRuns => "the journal of apply runs",
        }
    }

    /// The tables of the store that hold it.
    #[must_use]
    pub fn tables(self) -> &'static [&'static str] {
        match self {
            Self::Decisions => &[
                "decisions",
                "decision_ends",
                "local_decisions",
                "local_decision_ends",
            ],
            Self::Tokens => &["tokens", "used_codes"],
            Self::Policy => &["automation", "automation_runs", "automation_lines"],
            Self::Quarantine => &["quarantine", "quarantine_releases"],
            Self::ScheduledCorrections => &["appointments"],
            Self::Notifications => &[
                "notices",
                "notices_told",
                "notices_read",
                "notice_deliveries",
                "notice_channels",
                "notice_dismissals",
            ],
            Self::ExposureHistory => &["exposures", "exposure_record"],
            Self::AccessLog => &["embargo_readers"],
            Self::RememberedTimes => &["clock"],
            Self::PluginState => &["plugin_state", "plugin_releases"],
            Self::Incidents => &["incidents"],
            Self::NewestAuditEntries | Self::AuditLog => &["audit"],
            Self::ApplyRuns => &["applications", "audit_signed"],
        }
    }
}

/// A store that was replaced.
#[derive(Debug)]
pub struct Replaced {
    /// Where what was there is kept.
    pub aside: PathBuf,
    /// What the new store begins without.
    pub lost: Vec<Lost>,
}

impl Store {
    /// Replaces a store that is lost or damaged by what the copy of its journal has: apply runs, and the audit log as
    /// far as it was copied, which goes on with an entry that says so. Without a copy it begins with that entry.
    /// What was there is set aside. Says where, and what is lost.
    ///
    /// Refused while the store can be opened, and where a copy is there that cannot be used.
    pub async fn replace(path: &Path, by: &str, now: Timestamp) -> Result<Replaced, StoreError> {
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
        let is_copied = !is_hollow(&copy);
        if is_copied {
            let copy = Self::open_to_stand_in(&copy).await?;
            copy.look_for_own_damage().await?;
            sqlx::query("VACUUM INTO ?")
                .bind(new.to_string_lossy().as_ref())
                .execute(copy.pool())
                .await?;
            copy.close().await;
        }
        let begun = Self::open_copy(&new).await?;
        let lost = Lost::of(is_copied);
        let words: Vec<&str> = lost.iter().map(|lost| lost.words()).collect();
        let event = Event {
            reason: Some(format!("{why}. Lost: {}", words.join(", "))),
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
        Ok(Replaced { aside, lost })
    }
}
