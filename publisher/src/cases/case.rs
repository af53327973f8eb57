//! A case: what is known about it, and everything that happened to it.

use jiff::Timestamp;
use spacecp_contract::Digest;

use super::{
    id::CaseId,
    state_machine::{Entry, Event, TransitionError},
    status::CaseStatus,
};

/// A case. Entries are only ever added, and each has been a step of the policy when it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Case {
    id: CaseId,
    title: String,
    report: Digest,
    reachable: bool,
    entries: Vec<Entry>,
    status: CaseStatus,
}

/// What a case begins with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Beginning {
    /// Its id.
    pub id: CaseId,
    /// The report's title.
    pub title: String,
    /// The digest of the report without its finder, so that nobody can try names against it.
    pub report: Digest,
    /// Whether the finder said how to reach them.
    pub reachable: bool,
}

impl Case {
    /// A case with its first entry.
    pub fn open(beginning: Beginning, at: Timestamp, by: String) -> Self {
        let event = Event::Reported;
        let entry = Entry { at, by, event };
        Self::with(beginning, entry).expect("a case that begins with its report is one")
    }

    pub(super) fn with(beginning: Beginning, first: Entry) -> Result<Self, TransitionError> {
        Ok(Self {
            status: CaseStatus::first(&first)?,
            id: beginning.id,
            title: beginning.title,
            report: beginning.report,
            reachable: beginning.reachable,
            entries: vec![first],
        })
    }

    /// Adds an entry if it is a step that may follow; an error leaves everything as it was.
    pub fn record(&mut self, entry: Entry) -> Result<(), TransitionError> {
        self.status = self.status.after(&entry)?;
        self.entries.push(entry);
        Ok(())
    }

    /// Its id.
    pub fn id(&self) -> &CaseId {
        &self.id
    }

    /// The report's title.
    pub fn title(&self) -> &str {
        &self.title
    }

    /// The digest of the report without its finder.
    pub fn report(&self) -> &Digest {
        &self.report
    }

    /// Whether the finder said how to reach them.
    pub fn is_reachable(&self) -> bool {
        self.reachable
    }

    /// Everything that happened, the oldest first; there is always a first entry.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// How far it is.
    pub fn status(&self) -> &CaseStatus {
        &self.status
    }
}
