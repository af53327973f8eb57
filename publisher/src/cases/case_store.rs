//! The cases of a desk: one folder each, below `cases/`.
//!
//! ```text
//! cases/deadlines.toml               how many days a step may take; not needed
//! cases/CASE-2026-0007/case.toml     what happened when, and who did it
//! cases/CASE-2026-0007/report.md     what the finder wrote
//! cases/CASE-2026-0007/finder.age    who they are, encrypted; not there for an anonymous one
//! cases/CASE-2026-0007/attachments/  files that came with it
//! ```
//!
//! A case appears whole or not at all, and one writer works at a time. All files are for their owner alone.

use std::{
    fs::{self, File},
    io::{self, Read},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use jiff::{Timestamp, tz::TimeZone};
use spacecp_contract::{Digest, Finder, Report};

use super::{
    case::{Beginning, Case},
    deadlines::{Deadlines, DeadlinesError},
    file_format::{self, FileFormatError},
    finder::{self, FinderError},
    id::CaseId,
    report_text::{self, Summary},
    state_machine::{Entry, Event, TransitionError},
    transition::CaseTransition,
};
use crate::{
    durable,
    report::{
        envelope::EnvelopeError,
        key::{Recipient, ReportKey},
    },
};

/// What the folder of a case is called before it has its name.
const OPENING: &str = ".opening-";

/// Where the cases of a desk lie.
#[derive(Debug, Clone)]
pub struct CaseStore {
    folder: PathBuf,
}

/// Why a case cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum CaseStoreError {
    /// A file or folder.
    #[error("cannot use {}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: io::Error,
    },
    /// A file is longer than any that is written here.
    #[error("{} is longer than {limit} bytes", path.display())]
    Long {
        /// The file.
        path: PathBuf,
        /// The limit.
        limit: usize,
    },
    /// No such case.
    #[error("no case {id} in {}", folder.display())]
    Unknown {
        /// The case.
        id: CaseId,
        /// Where it was looked for.
        folder: PathBuf,
    },
    /// A file says what cannot be.
    #[error("{}: {source}", path.display())]
    Written {
        /// The file.
        path: PathBuf,
        /// What is wrong, with the line and the column.
        source: FileFormatError,
    },
    /// A folder holds the case of another.
    #[error("{} names the case {found}", path.display())]
    Moved {
        /// The file.
        path: PathBuf,
        /// The case that it says it is.
        found: CaseId,
    },
    /// The report has a case already.
    #[error("this report is already open as {id}")]
    Known {
        /// Its case.
        id: CaseId,
    },
    /// Not a step of the policy.
    #[error("{id}: {source}")]
    Course {
        /// The case.
        id: CaseId,
        /// What is wrong.
        source: TransitionError,
    },
    /// The finder of a case cannot be encrypted.
    #[error("cannot store the finder separately: {0}")]
    Seal(#[from] EnvelopeError),
    /// The finder of a case cannot be read.
    #[error("{}: {source}", path.display())]
    Finder {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: FinderError,
    },
    /// The deadlines.
    #[error(transparent)]
    Deadlines(#[from] DeadlinesError),
    /// A year has no more numbers, or the clock is off by millennia.
    #[error("no case id available for {0}")]
    Numbers(Timestamp),
}

/// Held while somebody writes to the cases of a desk.
#[derive(Debug)]
pub(crate) struct CaseStoreLock {
    _folder: File,
}

/// A case that cannot be read, beside those that can.
#[derive(Debug)]
pub struct Broken {
    /// Its folder.
    pub folder: PathBuf,
    /// What is wrong.
    pub error: CaseStoreError,
}

impl CaseStore {
    /// The cases of the desk in this folder.
    pub fn of(desk: &Path) -> Self {
        Self {
            folder: desk.join("cases"),
        }
    }

    /// Whether there is no case.
    pub fn is_empty(&self) -> Result<bool, CaseStoreError> {
        Ok(self.ids()?.is_empty())
    }

    /// Where a case lies.
    pub fn place(&self, id: &CaseId) -> PathBuf {
        self.folder.join(id.to_string())
    }

    /// The deadlines of this desk.
    pub fn deadlines(&self) -> Result<Deadlines, CaseStoreError> {
        Ok(Deadlines::load(&self.folder.join("deadlines.toml"))?)
    }

    /// Opens a case from a report; who reported goes apart, encrypted to `recipient`.
    pub fn open(
        &self,
        report: &Report,
        recipient: &Recipient,
        at: Timestamp,
        by: &str,
    ) -> Result<Case, CaseStoreError> {
        let _lock = self.lock()?;
        let digest = Digest::of(&report.without_finder().to_bytes());
        let (known, broken) = self.all()?;
        if let Some(case) = known.iter().find(|case| *case.report() == digest) {
            return Err(CaseStoreError::Known {
                id: case.id().clone(),
            });
        }
        // A case that cannot be read may be the very one.
        if let Some(broken) = broken.into_iter().next() {
            return Err(broken.error);
        }
        let beginning = Beginning {
            id: self.next_id(at)?,
            title: report.title.clone(),
            report: digest,
            reachable: !report.finder.contact.is_empty() || !report.finder.recipient.is_empty(),
        };
        let case = Case::open(beginning, to_the_second(at), by.to_owned());
        self.lay(&case, report, recipient)?;
        Ok(case)
    }

    /// Writes a new case beside its place, and moves it there.
    fn lay(
        &self,
        case: &Case,
        report: &Report,
        recipient: &Recipient,
    ) -> Result<(), CaseStoreError> {
        let finder = if report.finder.is_anonymous() {
            None
        } else {
            Some(finder::seal(&report.finder, recipient)?)
        };
        let place = self.place(case.id());
        let write = || -> io::Result<()> {
            let beside = tempfile::Builder::new()
                .prefix(OPENING)
                .permissions(fs::Permissions::from_mode(0o700))
                .tempdir_in(&self.folder)?;
            let put = |name: &str, bytes: &[u8]| {
                durable::create_private(&beside.path().join(name), bytes)
            };
            put("case.toml", file_format::text(case).as_bytes())?;
            put("report.md", report_text::text(report).as_bytes())?;
            if let Some(finder) = &finder {
                put("finder.age", finder.as_bytes())?;
            }
            if !report.attachments.is_empty() {
                let folder = beside.path().join("attachments");
                fs::create_dir(&folder)?;
                for file in &report.attachments {
                    durable::create_private(&folder.join(file.name.as_path()), &file.bytes)?;
                }
                File::open(&folder)?.sync_all()?;
            }
            File::open(beside.path())?.sync_all()?;
            fs::rename(beside.path(), &place)?;
            // What was moved is no longer to be cleaned up.
            let _ = beside.keep();
            File::open(&self.folder)?.sync_all()
        };
        write().map_err(|source| CaseStoreError::File {
            path: place.clone(),
            source,
        })
    }

    /// One case.
    pub fn case(&self, id: &CaseId) -> Result<Case, CaseStoreError> {
        self.read_case(id).map(|(case, _)| case)
    }

    /// All cases, the oldest first, and those that cannot be read.
    pub fn all(&self) -> Result<(Vec<Case>, Vec<Broken>), CaseStoreError> {
        let (mut cases, mut broken) = (Vec::new(), Vec::new());
        for id in self.ids()? {
            match self.case(&id) {
                Ok(case) => cases.push(case),
                Err(error) => broken.push(Broken {
                    folder: self.place(&id),
                    error,
                }),
            }
        }
        Ok((cases, broken))
    }

    /// All cases, the oldest first.
    ///
    /// # Errors
    ///
    /// [`CaseStoreError`] where one of them cannot be read: it may be the very one that is looked for.
    pub fn all_readable(&self) -> Result<Vec<Case>, CaseStoreError> {
        let (cases, broken) = self.all()?;
        match broken.into_iter().next() {
            Some(broken) => Err(broken.error),
            None => Ok(cases),
        }
    }

    /// Adds to a case what has happened; an error leaves everything as it was.
    pub fn record(
        &self,
        id: &CaseId,
        at: Timestamp,
        by: &str,
        event: Event,
    ) -> Result<Case, CaseStoreError> {
        let lock = self.lock()?;
        self.record_locked(&lock, id, at, by, event)
    }

    /// Records what a broadcast means for a case. A case that has recorded it already, or was removed since, stays
    /// as it is: a command may have been killed right after recording it.
    pub(crate) fn record_transition(
        &self,
        lock: &CaseStoreLock,
        transition: &CaseTransition,
    ) -> Result<(), CaseStoreError> {
        let case = match self.case(&transition.case) {
            Err(CaseStoreError::Unknown { .. }) => return Ok(()),
            case => case?,
        };
        if transition.is_recorded(case.status().state()) {
            return Ok(());
        }
        // Something else may have been recorded between the broadcast and its repair.
        let at = transition.at.max(case.status().last());
        self.record_locked(lock, case.id(), at, &transition.by, transition.event())
            .map(drop)
    }

    fn record_locked(
        &self,
        _lock: &CaseStoreLock,
        id: &CaseId,
        at: Timestamp,
        by: &str,
        event: Event,
    ) -> Result<Case, CaseStoreError> {
        let (mut case, text) = self.read_case(id)?;
        let entry = Entry {
            at: to_the_second(at),
            by: by.to_owned(),
            event,
        };
        case.record(entry.clone())
            .map_err(|source| CaseStoreError::Course {
                id: id.clone(),
                source,
            })?;
        let path = self.place(id).join("case.toml");
        let after = file_format::with(&text, &entry);
        // What was written by hand may end in a way that the entry would become a part of.
        let read = file_format::read(&after).map_err(|source| CaseStoreError::Written {
            path: path.clone(),
            source,
        })?;
        debug_assert_eq!(read, case);
        durable::replace_private(&path, after.as_bytes())
            .map_err(|source| CaseStoreError::File { path, source })?;
        Ok(case)
    }

    /// What the report of a case says in fields.
    pub fn summary(&self, id: &CaseId) -> Result<Summary, CaseStoreError> {
        let path = self.place(id).join("report.md");
        let text = self.text(id, &path, report_text::LONGEST)?;
        report_text::summary(&text).map_err(|source| CaseStoreError::Written { path, source })
    }

    /// The report of a case, as it was written down.
    pub fn report(&self, id: &CaseId) -> Result<String, CaseStoreError> {
        let path = self.place(id).join("report.md");
        self.text(id, &path, report_text::LONGEST)
    }

    /// Whether somebody said who they are.
    pub fn has_finder(&self, id: &CaseId) -> bool {
        self.place(id).join("finder.age").exists()
    }

    /// Who reported, if they said so.
    pub fn finder(&self, id: &CaseId, key: &ReportKey) -> Result<Finder, CaseStoreError> {
        let path = self.place(id).join("finder.age");
        if !self.has_finder(id) {
            return Ok(Finder::default());
        }
        let sealed = self.text(id, &path, 64 << 10)?;
        finder::open(sealed.as_bytes(), key)
            .map_err(|source| CaseStoreError::Finder { path, source })
    }

    fn read_case(&self, id: &CaseId) -> Result<(Case, String), CaseStoreError> {
        let path = self.place(id).join("case.toml");
        let text = self.text(id, &path, file_format::LONGEST)?;
        let case = file_format::read(&text).map_err(|source| CaseStoreError::Written {
            path: path.clone(),
            source,
        })?;
        if case.id() != id {
            return Err(CaseStoreError::Moved {
                path,
                found: case.id().clone(),
            });
        }
        Ok((case, text))
    }

    fn text(&self, id: &CaseId, path: &Path, limit: usize) -> Result<String, CaseStoreError> {
        if !self.place(id).is_dir() {
            return Err(CaseStoreError::Unknown {
                id: id.clone(),
                folder: self.folder.clone(),
            });
        }
        let failed = |source| CaseStoreError::File {
            path: path.to_owned(),
            source,
        };
        let mut text = String::new();
        let file = File::open(path).map_err(failed)?;
        file.take(limit as u64 + 1)
            .read_to_string(&mut text)
            .map_err(failed)?;
        if text.len() > limit {
            return Err(CaseStoreError::Long {
                path: path.to_owned(),
                limit,
            });
        }
        Ok(text)
    }

    fn ids(&self) -> Result<Vec<CaseId>, CaseStoreError> {
        let failed = |source| CaseStoreError::File {
            path: self.folder.clone(),
            source,
        };
        let entries = match fs::read_dir(&self.folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(failed(error)),
        };
        let mut ids = Vec::new();
        for entry in entries {
            let name = entry.map_err(failed)?.file_name();
            ids.extend(name.to_str().and_then(|name| name.parse::<CaseId>().ok()));
        }
        ids.sort();
        Ok(ids)
    }

    /// The number after the highest of this year.
    fn next_id(&self, at: Timestamp) -> Result<CaseId, CaseStoreError> {
        let numbers = || CaseStoreError::Numbers(at);
        let year = TimeZone::UTC.to_datetime(at).year();
        let year = u16::try_from(year).map_err(|_| numbers())?;
        let ids = self.ids()?;
        let of_year = ids.iter().filter(|id| id.year() == year);
        let highest = of_year.map(CaseId::number).max().unwrap_or(0);
        CaseId::new(year, highest + 1).ok_or_else(numbers)
    }

    /// Removes the folders of cases that killed commands were opening.
    pub(crate) fn sweep(&self) -> io::Result<()> {
        if !self.folder.exists() {
            return Ok(());
        }
        let folder = File::open(&self.folder)?;
        folder.lock()?;
        for entry in fs::read_dir(&self.folder)? {
            let entry = entry?;
            if entry.file_name().to_string_lossy().starts_with(OPENING) {
                fs::remove_dir_all(entry.path())?;
            }
        }
        Ok(())
    }

    /// One writer at a time.
    pub(crate) fn lock(&self) -> Result<CaseStoreLock, CaseStoreError> {
        let locked = durable::private_folder(&self.folder)
            .and_then(|()| File::open(&self.folder))
            .and_then(|folder| folder.lock().map(|()| CaseStoreLock { _folder: folder }));
        locked.map_err(|source| CaseStoreError::File {
            path: self.folder.clone(),
            source,
        })
    }
}

/// Entries are dated to the second: no clock of a person is better.
fn to_the_second(at: Timestamp) -> Timestamp {
    Timestamp::from_second(at.as_second()).unwrap_or(at)
}
