//! Plans, applies and takes back corrections for whoever asks, and tells what was applied.
//!
//! What is asked for here was asked for by a person or a program; what happens by itself is elsewhere.
//! May not: do the work, which [`Rooms`](super::Rooms) has done.

use jiff::Timestamp;
use spacecp_contract::{Digest, DocumentId};

use super::{Shim, ShimError};
use crate::apply::{Application, Difference, JointPlan, Outcome, Plan, Progress};

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

impl Shim {
    /// What applying would do.
    pub async fn plan(&self, correction: &DocumentId, component: &str) -> Result<Plan, ShimError> {
        self.rooms.plan(correction, component).await
    }

    /// Applies a correction.
    pub async fn apply(
        &self,
        request: ApplyRequest,
        progress: &dyn Progress,
    ) -> Result<Application, ShimError> {
        let request = JointRequest {
            parts: vec![(request.correction, request.component)],
            plan: request.plan,
            overwrite: request.overwrite,
            by: request.by,
        };
        let mut applied = self.rooms.apply(request, progress).await?;
        Ok(applied.remove(0))
    }

    /// What applying several corrections as one plan would do, in the order in which they need each
    /// other.
    pub async fn plan_jointly(
        &self,
        parts: &[(DocumentId, String)],
    ) -> Result<JointPlan, ShimError> {
        self.rooms.plan_jointly(parts).await
    }

    /// Applies several corrections: all of them, or none.
    pub async fn apply_jointly(
        &self,
        request: JointRequest,
        progress: &dyn Progress,
    ) -> Result<Vec<Application>, ShimError> {
        self.rooms.apply(request, progress).await
    }

    /// What a correction would do to text files that were changed here, line by line. The new contents
    /// are fetched for it.
    pub async fn differences(
        &self,
        correction: &DocumentId,
        component: &str,
    ) -> Result<Vec<Difference>, ShimError> {
        self.rooms.differences(correction, component).await
    }

    /// The plan of a correction with what it changes in text files, line by line; and whether that is
    /// under embargo, which `reader` is then noted to have read. The new contents are fetched for it.
    pub async fn changes(
        &self,
        correction: &DocumentId,
        component: &str,
        reader: &str,
    ) -> Result<(Plan, Vec<Difference>, bool), ShimError> {
        let (plan, differences, secret) = self.rooms.changes(correction, component).await?;
        self.note_embargo_readers(reader, &secret, Timestamp::now())
            .await?;
        Ok((plan, differences, !secret.is_empty()))
    }

    /// The components that a correction could be applied to, by name.
    pub async fn components_for(&self, correction: &DocumentId) -> Result<Vec<String>, ShimError> {
        self.rooms.components_for(correction).await
    }

    /// Takes an application back. `overwrite` gives up files that were changed since.
    pub async fn roll_back(
        &self,
        application: &str,
        overwrite: bool,
        by: &str,
        progress: &dyn Progress,
    ) -> Result<Application, ShimError> {
        let _at_work = self.rooms.at_work().await;
        let reason = format!("rolled back by {by}");
        let taken_back = self
            .rooms
            .applier()
            .acting_for(by)
            .roll_back(application, overwrite, &reason, Timestamp::now(), progress)
            .await;
        self.rooms.lookout().forget();
        self.rooms.stirred().notify_one();
        Ok(taken_back?)
    }

    /// The application of a component that can be taken back, if one can.
    pub async fn reversible(&self, component: &str) -> Result<Option<Application>, ShimError> {
        Ok(self.rooms.applier().reversible(component).await?)
    }

    /// What was applied, newest first.
    pub async fn history(&self, limit: u32) -> Result<Vec<Application>, ShimError> {
        Ok(self.rooms.applier().history(limit).await?)
    }

    /// What was applied by this application; none if there was none of this name.
    pub async fn correction_of(&self, application: &str) -> Result<Option<DocumentId>, ShimError> {
        Ok(self.rooms.applier().correction_of(application).await?)
    }

    /// How many applications there were with each outcome.
    pub async fn outcomes(&self) -> Result<Vec<(Outcome, u64)>, ShimError> {
        Ok(self.rooms.applier().outcomes().await?)
    }
}
