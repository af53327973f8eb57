//! What automatic application did not apply, as notifications ask for it.
//!
//! Of the newest complete run only ids and the reasons of this panel's own preflight are used; which
//! advisories a correction answers, and whether they are under embargo, the verified documents say.

use spacecp_apply::inventory::Installed;
use spacecp_contract::{DocumentId, DocumentKind};
use spacecp_services::{
    ServiceError,
    automation::{Fate, Line, Run},
};
use spacecp_trust::AnyDocument;

use crate::{
    Application, Kind, NotApplied, Notifications, NotifyError, known_documents::KnownDocuments,
};

/// Runs that are looked at for one that is complete.
const RECENT: u32 = 5;

/// The word of a refusal by preflight.
const PREFLIGHT: &str = "preflight";

impl Notifications {
    /// The corrections that the newest complete run did not apply; none where there is no such run.
    pub(crate) async fn not_applied(
        &self,
        known: &mut KnownDocuments<'_>,
    ) -> Result<Option<Vec<NotApplied>>, NotifyError> {
        let runs = self.ledger.runs(RECENT).await.map_err(ServiceError::from)?;
        let complete = |run: &Run| run.ended.is_some() && run.problem.is_none();
        let Some(run) = runs.into_iter().find(complete) else {
            return Ok(None);
        };
        let mut not_applied = Vec::new();
        for line in run.lines.iter().filter(|line| line.fate != Fate::Applied) {
            not_applied.extend(self.one_not_applied(line, known).await?);
        }
        Ok(Some(not_applied))
    }

    async fn one_not_applied(
        &self,
        line: &Line,
        known: &mut KnownDocuments<'_>,
    ) -> Result<Option<NotApplied>, NotifyError> {
        let Ok(id) = DocumentId::new(line.correction.clone()) else {
            return Ok(None);
        };
        let store = &self.store;
        let correction = match store.document(DocumentKind::Correction, &id).await? {
            Some(AnyDocument::Correction(there)) if there.revision == line.revision => there,
            _ => return Ok(None),
        };
        let is_blocked = line.refusal.as_deref() == Some(PREFLIGHT);
        let blocked = if is_blocked {
            let mut advisories = correction.advisories.clone();
            let secret = self.feed.embargoed_behind(&correction).await?;
            advisories.extend(
                secret
                    .into_iter()
                    .filter(|id| !correction.advisories.contains(id)),
            );
            for advisory in &advisories {
                known.look_up(advisory).await?;
            }
            let inventory = self.exposure.inventory().await;
            let installed = inventory.installed_as(&line.component);
            let version = installed.and_then(Installed::version);
            Some(Application {
                id: String::new(),
                kind: Kind::HeldBack,
                correction: id.clone(),
                advisories,
                component: line.component.clone(),
                change: [
                    version.unwrap_or_default().to_owned(),
                    correction.to.clone(),
                ],
                reason: Some(line.reason.clone()),
            })
        } else {
            None
        };
        Ok(Some(NotApplied {
            correction: id,
            revision: line.revision,
            component: line.component.clone(),
            blocked,
        }))
    }
}
