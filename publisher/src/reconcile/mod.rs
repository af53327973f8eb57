//! Compares a published folder with the desk's record of it, and finishes or undoes what a killed command left
//! behind, before the next one begins.
//!
//! A root that was signed is put where it was meant to be. A broadcast that did not get as far as its head is
//! undone: no panel heard of it, and its sequence is never used for anything else. One that did is finished:
//! cases record it.

mod compare;
mod planted;

use spacecp_contract::{DocumentKind, FeedPath, IndexEntry};

pub(crate) use compare::{Depth, damaged, name_of};

use crate::{
    cases::{case_store::CaseStoreLock, id::CaseId, policy::PolicyError},
    feed::{Feed, FeedError},
    record::{Edition, Record, RecordedRoot},
};
use compare::Comparison;

/// What was finished or undone.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reconciled {
    /// The record was made from the folder, which the desk's older memory vouches for.
    pub adopted: bool,
    /// Roots that are published now.
    pub roots: Vec<u64>,
    /// The sequence of a broadcast that was taken back.
    pub taken_back: Option<u64>,
    /// Cases that record now what an interrupted broadcast has published.
    pub cases: Vec<CaseId>,
    /// Why other cases cannot record it yet.
    pub refused_cases: Vec<String>,
}

/// What cases have recorded of published editions.
#[derive(Debug, Default)]
pub(crate) struct RecordedInCases {
    recorded: Vec<CaseId>,
    /// Why the others could not, in words.
    pub(crate) refused: Vec<String>,
}

impl Reconciled {
    /// What happened, for a person; nothing where nothing did.
    pub fn notices(&self) -> Vec<String> {
        let mut notices = Vec::new();
        if self.adopted {
            notices.push("publication record created from the directory".to_owned());
        }
        for version in &self.roots {
            notices.push(format!(
                "published root {version}, which an interrupted command had signed"
            ));
        }
        if let Some(sequence) = self.taken_back {
            notices.push(format!("rolled back the broadcast of sequence {sequence}, which was interrupted before publication"));
        }
        for case in &self.cases {
            notices.push(format!(
                "{case} was published by an interrupted command and is now recorded as such"
            ));
        }
        notices.extend(self.refused_cases.iter().cloned());
        notices
    }
}

impl Feed {
    /// Compares the folder with the record, and leaves nothing half done. Gives the record; none without a
    /// desk. The caller holds the lock.
    pub(crate) fn reconciled(
        &self,
        depth: Depth,
    ) -> Result<Option<(Record, Reconciled)>, FeedError> {
        let (Some(comparison), Some(path)) = (self.compared(depth)?, self.record_path()) else {
            return Ok(None);
        };
        let Comparison {
            mut record,
            unwritten,
            interrupted,
            adopted,
        } = comparison;
        let before = Record::read(path)?;
        for root in &unwritten {
            self.put_root(root)?;
        }
        if let Some(interrupted) = &interrupted {
            self.take_back(interrupted, record.current.as_ref())?;
        }
        record.roots_are_published();
        // A broadcast may have ended between its head and the memory of what is sealed.
        if let (Some(sealing), Some(sealed)) = (
            self.sealing(),
            record.current.as_ref().and_then(|one| one.sealed),
        ) {
            sealing.is_current(sealed)?;
        }
        let cases = self.record_in_cases(&mut record, None)?;
        if before.as_ref() != Some(&record) {
            record.write(path)?;
        }
        let reconciled = Reconciled {
            adopted,
            roots: unwritten.iter().map(|root| root.version).collect(),
            taken_back: interrupted.map(|one| one.sequence),
            cases: cases.recorded,
            refused_cases: cases.refused,
        };
        Ok(Some((record, reconciled)))
    }

    /// Has cases record what was published. What a case refuses stays in the record, to be repeated: it must not
    /// keep a head from being renewed.
    pub(crate) fn record_in_cases(
        &self,
        record: &mut Record,
        held: Option<&CaseStoreLock>,
    ) -> Result<RecordedInCases, FeedError> {
        let mut done = RecordedInCases::default();
        let Some(store) = self
            .case_store()
            .filter(|_| !record.unrecorded_cases().is_empty())
        else {
            return Ok(done);
        };
        let own;
        let lock = if let Some(held) = held {
            held
        } else {
            own = store.lock().map_err(PolicyError::from)?;
            &own
        };
        let mut refused = Vec::new();
        for transition in record.unrecorded_cases() {
            let case = transition.case.clone();
            match store.record_transition(lock, transition) {
                Ok(()) => done.recorded.push(case),
                Err(error) => {
                    done.refused.push(format!(
                        "cannot record in {case} that its advisory was published: {error}"
                    ));
                    refused.push(transition.clone());
                }
            }
        }
        done.recorded.dedup();
        record.set_unrecorded_cases(refused);
        Ok(done)
    }

    /// Removes files of killed commands that never got their name, and nothing else.
    ///
    /// # Errors
    ///
    /// [`FeedError::Directory`] where one cannot be removed.
    pub fn sweep(&self) -> Result<(), FeedError> {
        let _lock = self.lock()?;
        self.sweep_locked()
    }

    /// Cleans up after killed commands, as everything that signs does first: roots that were signed are
    /// published, and a broadcast that no panel could see is taken back.
    ///
    /// # Errors
    ///
    /// [`FeedError::Record`] where the folder is not what this desk published last.
    pub fn tidy(&self) -> Result<Reconciled, FeedError> {
        let _lock = self.lock()?;
        self.sweep_locked()?;
        let reconciled = self.reconciled(Depth::Heads)?;
        if let Some(sealing) = self.sealing() {
            sealing.sweep()?;
        }
        Ok(reconciled.map_or_else(Reconciled::default, |(_, reconciled)| reconciled))
    }

    fn sweep_locked(&self) -> Result<(), FeedError> {
        for directory in self.directories() {
            directory.sweep()?;
        }
        Ok(())
    }

    pub(crate) fn put_root(&self, root: &RecordedRoot) -> Result<(), FeedError> {
        let path = FeedPath::root(root.version);
        self.write(&path.signatures(), root.signatures.as_bytes())?;
        self.write(&path, &root.bytes())
    }

    /// Puts what a broadcast had moved out of the desk back into it, and removes its index.
    pub(crate) fn take_back(
        &self,
        interrupted: &Edition,
        current: Option<&Edition>,
    ) -> Result<(), FeedError> {
        let is_current =
            |entry: &&IndexEntry| current.is_some_and(|current| current.public.contains(entry));
        let unseen: Vec<IndexEntry> = interrupted
            .public
            .iter()
            .filter(|entry| !is_current(entry))
            .cloned()
            .collect();
        // First: which payloads they bring is read from those that the desk has again.
        self.withhold_documents(&unseen)?;
        let mut needed = Vec::new();
        let corrections = current.into_iter().flat_map(|current| &current.public);
        for entry in corrections.filter(|entry| entry.kind == DocumentKind::Correction) {
            needed.extend(self.payloads(entry)?);
        }
        let mut unneeded = Vec::new();
        for entry in &unseen {
            let path = FeedPath::document(entry.kind, &entry.id, entry.revision);
            if self.is_waiting(&path)? {
                unneeded.extend(self.payloads(entry)?);
            }
        }
        unneeded.retain(|blob| !needed.contains(blob));
        self.withhold_payloads(unneeded)?;
        if current.is_none_or(|current| current.sequence != interrupted.sequence) {
            self.remove_index(interrupted.sequence)?;
        }
        Ok(())
    }

    /// Removes an index that no head named, and what leads to it.
    fn remove_index(&self, sequence: u64) -> Result<(), FeedError> {
        let prefix = format!("{sequence}.from-");
        for name in self.public_names::<String>("index")? {
            let delta = Some(name).filter(|name| name.starts_with(&prefix));
            if let Some(path) = delta.and_then(|name| FeedPath::parse(&format!("index/{name}"))) {
                self.public().remove(&path)?;
            }
        }
        let index = FeedPath::index(sequence);
        for path in [index.signatures(), index] {
            self.public().remove(&path)?;
        }
        Ok(())
    }
}
