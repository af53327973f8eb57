//! Which exposures a rollback reopens: it says so before anything is taken back.
//!
//! Read from the record of exposures and from the correction itself, never from the plugin: a rollback has to work
//! without it.

use std::collections::BTreeSet;

use serde::Serialize;
use spacecp_contract::{DocumentId, DocumentKind};

use super::Corrections;
use crate::{
    ServiceError,
    apply::Application,
    exposures::{self, Query, Verdict},
    trust::AnyDocument,
};

/// Periods of exposure of one component that are looked at.
const MOST: u32 = 1_000;

/// What rolling an apply run back would do to this panel's exposure.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct RollbackPreview {
    /// The apply run.
    pub apply_run: String,
    /// The correction that was applied.
    pub correction: String,
    /// The component.
    pub component: String,
    /// The version that is installed.
    pub from: String,
    /// The version that returns.
    pub to: String,
    /// The advisories that this version is affected by, as far as this panel knows.
    pub reopens: Vec<String>,
    /// Why that may not be all of them; none where it is.
    pub incomplete: Option<String>,
}

impl RollbackPreview {
    /// What it reopens, in one or two sentences.
    pub fn words(&self) -> String {
        let reopens = if self.reopens.is_empty() {
            format!(
                "No advisory is known that {} {} is affected by.",
                self.component, self.to
            )
        } else {
            format!(
                "{} {} is affected by {}: these exposures are reopened.",
                self.component,
                self.to,
                self.reopens.join(", ")
            )
        };
        match &self.incomplete {
            Some(why) => format!("{reopens} There may be others: {why}."),
            None => reopens,
        }
    }
}

impl Corrections {
    /// What a rollback of an apply run, or of the newest one of a component, would do. None where there is nothing of
    /// this name that can be rolled back.
    pub async fn preview_rollback(
        &self,
        which: &str,
    ) -> Result<Option<RollbackPreview>, ServiceError> {
        let application = if let Some(application) = self.reversible(which).await? {
            Some(application)
        } else {
            let history = self.history(u32::MAX).await?;
            history.into_iter().find(|one| one.id == which)
        };
        let Some(application) = application else {
            return Ok(None);
        };
        let (mut reopens, mut incomplete) = match self.answered_by(&application.correction).await {
            Ok(Some(answered)) => (answered, None),
            Ok(None) => (
                BTreeSet::new(),
                Some(format!(
                    "{} is no longer in the feed",
                    application.correction
                )),
            ),
            Err(error) => (BTreeSet::new(), Some(error.to_string())),
        };
        // A damaged record of exposures keeps nobody from rolling back.
        match self.ended_since(&application).await {
            Ok((ended, is_whole)) => {
                reopens.extend(ended);
                if !is_whole {
                    incomplete = Some(format!("only {MOST} ended exposures were looked at"));
                }
            }
            Err(error) => incomplete = Some(error.to_string()),
        }
        Ok(Some(RollbackPreview {
            apply_run: application.id,
            correction: application.correction.to_string(),
            component: application.component,
            from: application.to,
            to: application.from,
            reopens: reopens.into_iter().collect(),
            incomplete,
        }))
    }

    /// The advisories that a correction answers.
    async fn answered_by(
        &self,
        correction: &DocumentId,
    ) -> Result<Option<BTreeSet<String>>, ServiceError> {
        let store = self.state.store();
        let document = store
            .document(DocumentKind::Correction, correction.as_str())
            .await?;
        let Some(AnyDocument::Correction(correction)) = document else {
            return Ok(None);
        };
        let advisories = correction.document().advisories.iter();
        Ok(Some(advisories.map(ToString::to_string).collect()))
    }

    /// The exposures of a component, and of what is inside it, that ended when it was corrected or later; and whether
    /// that is all of them.
    async fn ended_since(
        &self,
        application: &Application,
    ) -> Result<(BTreeSet<String>, bool), ServiceError> {
        let query = Query {
            from: Some(application.began),
            ..Query::default()
        };
        let periods = exposures::periods(self.state.store(), &query, MOST).await?;
        let is_whole = periods.len() < MOST as usize;
        let inside = format!("{}/", application.component);
        let was_exposed = periods.into_iter().filter(|period| {
            let is_of_it =
                period.component == application.component || period.component.starts_with(&inside);
            is_of_it && period.verdict == Verdict::Affected && period.since <= application.began
        });
        let advisories = was_exposed.map(|period| period.advisory).collect();
        Ok((advisories, is_whole))
    }
}
