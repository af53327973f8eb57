//! The disclosure policy's gate: nothing is published that a case forbids.

use jiff::Timestamp;
use spacecp_contract::{Advisory, DocumentId, DocumentKind, FeedPath};

use super::PublishService;
use crate::{
    cases::{
        case::Case,
        case_store::CaseStoreLock,
        policy::{self, PolicyError},
        transition::CaseTransition,
    },
    feed::FeedError,
};

/// The cases of a desk, as nobody else changes them while this is held.
#[derive(Debug, Default)]
pub(super) struct HeldCases {
    cases: Vec<Case>,
    pub(super) lock: Option<CaseStoreLock>,
}

impl PublishService<'_> {
    /// All cases of the desk, held until what is published is recorded in them.
    pub(super) fn hold_cases(&self) -> Result<HeldCases, FeedError> {
        let store = self.feed.case_store();
        // A desk without cases does not get a folder for them by this.
        let Some(store) = store.filter(|store| !store.is_empty().is_ok_and(|empty| empty)) else {
            return Ok(HeldCases::default());
        };
        let lock = Some(store.lock().map_err(PolicyError::from)?);
        let cases = store.all_readable().map_err(PolicyError::from)?;
        Ok(HeldCases { cases, lock })
    }

    /// All cases of the desk, for a plan.
    pub(super) fn cases(&self) -> Result<HeldCases, FeedError> {
        let store = self.feed.case_store();
        let cases = store.map(|store| store.all_readable());
        let cases = cases.transpose().map_err(PolicyError::from)?;
        Ok(HeldCases {
            cases: cases.unwrap_or_default(),
            lock: None,
        })
    }

    /// The transitions that cases make if these documents are published now.
    ///
    /// # Errors
    ///
    /// [`PolicyError`] where a case forbids it.
    pub(super) fn transitions(
        &self,
        held: &HeldCases,
        news: &[(DocumentId, u64)],
        now: Timestamp,
    ) -> Result<Vec<CaseTransition>, FeedError> {
        let mut transitions = Vec::new();
        let about = |id: &DocumentId| {
            let mut cases = held.cases.iter();
            cases.any(|case| case.status().advisory() == Some(id))
        };
        for (id, revision) in news.iter().filter(|(id, _)| about(id)) {
            let path = FeedPath::document(DocumentKind::Advisory, id, *revision);
            if let Some(advisory) = self.feed.read::<Advisory>(&path)? {
                let approval = &self.consent.approval;
                transitions.extend(policy::transitions(&advisory, &held.cases, approval, now)?);
            }
        }
        Ok(transitions)
    }
}
