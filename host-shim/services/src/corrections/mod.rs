//! Plans, applies and takes back corrections for whoever asks, and tells what was applied.
//!
//! What is asked for here was asked for by a person or a program; what happens by itself is elsewhere.
//! May not: do the work, which `planning` and the crate that applies do.

mod changes_page;
mod planning;
mod reopened;

use std::sync::Arc;

use jiff::Timestamp;
use spacecp_contract::{Digest, DocumentId};

use crate::{
    ServiceError,
    apply::{Application, Difference, JointPlan, Outcome, Plan, Progress},
    state::State,
};
pub use changes_page::page as changes_page;
pub use reopened::RollbackPreview;

/// What a request to apply says.
#[derive(Debug, Clone)]
pub struct ApplyRequest {
    /// The correction.
    pub correction: DocumentId,
    /// The component on this panel.
    pub component: String,
    /// The digest of the plan that was shown; none to take the present plan as it is.
    pub plan: Option<Digest>,
    /// Whether what wants a word has been given it.
    pub overwrite: bool,
    /// Who asks.
    pub by: String,
}

/// What a request to apply several corrections says: all of them, or none.
#[derive(Debug, Clone)]
pub struct JointRequest {
    /// The corrections, each with its component on this panel.
    pub parts: Vec<(DocumentId, String)>,
    /// The digest of the plan that was shown; none to take the present plan as it is.
    pub plan: Option<Digest>,
    /// Whether what wants a word has been given it.
    pub overwrite: bool,
    /// Who asks.
    pub by: String,
}

/// The id of a correction, as somebody typed it.
pub fn correction_id(text: &str) -> Result<DocumentId, ServiceError> {
    DocumentId::new(text.to_owned()).map_err(|_| ServiceError::no_correction(text))
}

/// Plans, apply runs, rollbacks.
#[derive(Debug, Clone)]
pub struct Corrections {
    state: Arc<State>,
}

impl Corrections {
    pub(crate) fn new(state: Arc<State>) -> Self {
        Self { state }
    }

    /// Finishes or undoes what was cut off since the start, as by a command line that was killed. What
    /// somebody is working on is left alone.
    pub async fn reconcile(&self, now: Timestamp) -> Result<Vec<Application>, ServiceError> {
        Ok(self.state.applier().settle_all(now).await?)
    }

    /// Waits until nothing is being applied or taken back, by whomever it was asked for here.
    pub async fn at_rest(&self) {
        drop(self.state.at_rest().await);
    }

    /// What applying would do.
    pub async fn plan(
        &self,
        correction: &DocumentId,
        component: &str,
    ) -> Result<Plan, ServiceError> {
        self.state.plan(correction, component).await
    }

    /// Applies a correction.
    pub async fn apply(
        &self,
        request: ApplyRequest,
        progress: &dyn Progress,
    ) -> Result<Application, ServiceError> {
        let request = JointRequest {
            parts: vec![(request.correction, request.component)],
            plan: request.plan,
            overwrite: request.overwrite,
            by: request.by,
        };
        let mut applied = self.state.apply(request, progress).await?;
        Ok(applied.remove(0))
    }

    /// What applying several corrections as one plan would do, in the order in which they need each
    /// other.
    pub async fn plan_jointly(
        &self,
        parts: &[(DocumentId, String)],
    ) -> Result<JointPlan, ServiceError> {
        self.state.plan_jointly(parts).await
    }

    /// Applies several corrections: all of them, or none.
    pub async fn apply_jointly(
        &self,
        request: JointRequest,
        progress: &dyn Progress,
    ) -> Result<Vec<Application>, ServiceError> {
        self.state.apply(request, progress).await
    }

    /// What a correction would do to text files that were changed here, line by line. The new contents
    /// are fetched for it.
    pub async fn differences(
        &self,
        correction: &DocumentId,
        component: &str,
    ) -> Result<Vec<Difference>, ServiceError> {
        self.state.differences(correction, component).await
    }

    /// The plan of a correction with what it changes in text files, line by line; and whether that is
    /// under embargo, which `reader` is then noted to have read. The new contents are fetched for it.
    pub async fn changes(
        &self,
        correction: &DocumentId,
        component: &str,
        reader: &str,
    ) -> Result<(Plan, Vec<Difference>, bool), ServiceError> {
        let (plan, differences, secret) = self.state.changes(correction, component).await?;
        self.state
            .note_access(reader, &secret, Timestamp::now())
            .await?;
        Ok((plan, differences, !secret.is_empty()))
    }

    /// The components that a correction could be applied to, by name.
    pub async fn components_for(
        &self,
        correction: &DocumentId,
    ) -> Result<Vec<String>, ServiceError> {
        self.state.components_for(correction).await
    }

    /// Takes an application back. `overwrite` gives up files that were changed since.
    pub async fn roll_back(
        &self,
        application: &str,
        overwrite: bool,
        by: &str,
        progress: &dyn Progress,
    ) -> Result<Application, ServiceError> {
        let _at_work = self.state.at_work().await;
        let reason = format!("rolled back by {by}");
        let taken_back = self
            .state
            .applier()
            .acting_for(by)
            .roll_back(application, overwrite, &reason, Timestamp::now(), progress)
            .await;
        self.state.lookout().forget();
        self.state.events().announce();
        Ok(taken_back?)
    }

    /// The application of a component that can be taken back, if one can.
    pub async fn reversible(&self, component: &str) -> Result<Option<Application>, ServiceError> {
        Ok(self.state.applier().reversible(component).await?)
    }

    /// What was applied, newest first.
    pub async fn history(&self, limit: u32) -> Result<Vec<Application>, ServiceError> {
        Ok(self.state.applier().history(limit).await?)
    }

    /// What was applied by this application; none if there was none of this name.
    pub async fn correction_of(
        &self,
        application: &str,
    ) -> Result<Option<DocumentId>, ServiceError> {
        Ok(self.state.applier().correction_of(application).await?)
    }

    /// How many applications there were with each outcome.
    pub async fn outcomes(&self) -> Result<Vec<(Outcome, u64)>, ServiceError> {
        Ok(self.state.applier().outcomes().await?)
    }
}
