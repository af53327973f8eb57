//! What a plugin was told last of the two things that its verdicts rest on.
//!
//! The inventory may change while a plugin thinks; a report may only be remembered for what the plugin has seen.

use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::store::{Batch, Cursor};

/// What one plugin was told.
#[derive(Debug, Default)]
pub(crate) struct PluginInputs(Mutex<LastInputs>);

/// What it was told last, and how often that has changed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct LastInputs {
    changes: u64,
    /// The fingerprint of the inventory.
    pub(crate) inventory: Option<String>,
    /// The end of the documents; none while it has not been given all of them.
    pub(crate) documents: Option<Cursor>,
}

impl PluginInputs {
    /// It was told of this inventory.
    pub(crate) fn inventory(&self, fingerprint: &str) {
        let mut last = self.lock();
        if last.inventory.as_deref() != Some(fingerprint) {
            last.inventory = Some(fingerprint.to_owned());
            last.changes += 1;
        }
    }

    /// It was given these documents.
    pub(crate) fn documents(&self, batch: &Batch) {
        let documents = batch.complete.then_some(batch.next);
        let mut last = self.lock();
        if last.documents != documents {
            last.documents = documents;
            last.changes += 1;
        }
    }

    /// What it was told last. Equal to an earlier answer only where it was told nothing else in between.
    pub(crate) fn last(&self) -> LastInputs {
        self.lock().clone()
    }

    fn lock(&self) -> MutexGuard<'_, LastInputs> {
        // Nothing that holds it leaves it halfway.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
