//! Tells what was applied, and whether it can be taken back.
//!
//! May not: change anything, in the journal or on the disk.

use spacecp_contract::DocumentId;

use super::{
    Application, Applier, ApplyError, Outcome,
    disk::Disk,
    journal::{Entry, State},
    recovery::place,
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
    // What cannot be reached safely cannot be rolled back either.
    let reversible =
        entry.state == State::Committed && matches!(irreversible_for(&entry), Ok(None));
    Application {
        reversible,
        ..entry.application
    }
}

/// Why an application cannot be rolled back, for whoever asks for it.
pub(super) fn why_irreversible(entry: &Entry) -> String {
    if entry.state != State::Committed {
        return format!("its state is {}", entry.state.word());
    }
    match irreversible_for(entry) {
        Ok(why) => {
            why.unwrap_or_else(|| "its state changed meanwhile. Repeat the command".to_owned())
        }
        Err(error) => format!(
            "its workspace {} cannot be read: {error}",
            entry.workspace.display()
        ),
    }
}

/// Why the new tree of an application is not live with the old one at hand, if it is not.
fn irreversible_for(entry: &Entry) -> Result<Option<String>, ApplyError> {
    let workspace = entry.workspace.display();
    let Some(place) = place(&Disk::default(), entry)? else {
        return Ok(Some(format!("its workspace {workspace} is missing")));
    };
    if !place.has_other()? {
        return Ok(Some(format!(
            "its old tree is no longer kept in its workspace {workspace}"
        )));
    }
    let live = place.around.look(&place.name)?;
    if live.is_some_and(|live| entry.new_tree == Some(live.inode)) {
        return Ok(None);
    }
    let folder = entry.folder.display();
    Ok(Some(format!(
        "{folder} is missing, or has been replaced since"
    )))
}
