//! Tells what was applied, and whether it can be taken back.
//!
//! May not: change anything, in the journal or on the disk.

use std::os::unix::fs::MetadataExt;

use spacecp_contract::DocumentId;

use super::{
    Application, Applier, ApplyError, Outcome,
    journal::{Entry, State},
};

impl Applier {
    /// What was applied, newest first.
    pub async fn history(&self, limit: u32) -> Result<Vec<Application>, ApplyError> {
        let entries = self.journal.newest(limit).await?;
        Ok(entries.into_iter().map(described).collect())
    }

    /// What was applied by this application; none if there was none of this name.
    pub async fn correction_of(&self, application: &str) -> Result<Option<DocumentId>, ApplyError> {
        self.journal.correction_of(application).await
    }

    /// How many applications there were with each outcome.
    pub async fn outcomes(&self) -> Result<Vec<(Outcome, u64)>, ApplyError> {
        self.journal.outcomes().await
    }

    /// The application of a component that can be taken back, if one can.
    pub async fn reversible(&self, component: &str) -> Result<Option<Application>, ApplyError> {
        let entries = self.journal.of_component(component).await?;
        Ok(entries
            .into_iter()
            .map(described)
            .find(|application| application.reversible))
    }

    /// The last application of a component, if the component was stopped for it.
    pub async fn stopped_last(&self, component: &str) -> Result<Option<Application>, ApplyError> {
        let newest = self
            .journal
            .of_component(component)
            .await?
            .into_iter()
            .next();
        Ok(newest.filter(|entry| entry.owes_start).map(described))
    }

    pub(super) async fn one(&self, id: &str) -> Result<Application, ApplyError> {
        Ok(described(self.known(id).await?))
    }
}

/// The application, with whether it can be taken back now.
pub(super) fn described(entry: Entry) -> Application {
    let reversible = entry.state == State::Committed
        && entry.workspace.join("tree").is_dir()
        && std::fs::symlink_metadata(&entry.folder)
            .is_ok_and(|live| entry.new_tree == Some(live.ino()));
    Application {
        reversible,
        ..entry.application
    }
}
