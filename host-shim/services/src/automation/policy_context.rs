//! What the shim knows by itself when it holds the plugin's plan against the rules: the verified
//! documents, what is installed, what is in quarantine and what is under way.

use std::{collections::BTreeMap, sync::Arc};

use jiff::Timestamp;
use spacecp_contract::{Advisory, Correction, DocumentKind};

use super::{Line, Quarantine};
use crate::{
    ServiceError,
    apply::{Application, Outcome},
    inventory::Inventory,
    policy::{Asked, Cause, Facts, InForce, Refusal, cause_of, check},
    state::State,
    store::Received,
    trust::AnyDocument,
};

/// Applications that are looked through for what is under way and what was taken back.
const HISTORY: u32 = 1_000;

/// Everything that decides beside the rules, as of one instant.
pub(crate) struct PolicyContext {
    now: Timestamp,
    fresh_until: Option<Timestamp>,
    advisories: Vec<Advisory>,
    corrections: BTreeMap<String, Correction>,
    received: Received,
    inventory: Arc<Inventory>,
    quarantined: Vec<Quarantine>,
    history: Vec<Application>,
}

impl State {
    /// What is known at `now`. Every document is verified again.
    pub(crate) async fn policy_context(
        &self,
        now: Timestamp,
    ) -> Result<PolicyContext, ServiceError> {
        let trusted = self.store().trusted().await?;
        let (mut advisories, mut corrections) = (Vec::new(), BTreeMap::new());
        for (kind, id) in trusted.listed() {
            match self.store().document(kind, id).await? {
                Some(AnyDocument::Advisory(advisory)) => {
                    advisories.push(advisory.document().clone());
                }
                Some(AnyDocument::Correction(correction)) => {
                    let correction = correction.document().clone();
                    corrections.insert(correction.id.to_string(), correction);
                }
                None => {}
            }
        }
        let history = self.applier().history(HISTORY).await?;
        let has_its_keys = trusted
            .head
            .as_ref()
            .is_some_and(|head| trusted.has_its_keys(head));
        Ok(PolicyContext {
            // A clock that went back does not make old words fresh.
            fresh_until: trusted
                .good_until()
                .filter(|until| trusted.latest_time < *until)
                .filter(|_| {
                    has_its_keys && !trusted.has_seen_expired() && !trusted.has_gone_back()
                }),
            now,
            advisories,
            corrections,
            received: self.store().received().await?,
            inventory: self.inventory().await,
            quarantined: self.ledger().quarantined(&history).await?,
            history,
        })
    }

    /// What is in quarantine.
    pub(crate) async fn quarantined(&self) -> Result<Vec<Quarantine>, ServiceError> {
        let history = self.applier().history(HISTORY).await?;
        Ok(self.ledger().quarantined(&history).await?)
    }
}

impl PolicyContext {
    /// Whether an action may be carried out.
    pub(crate) fn check(&self, asked: &Asked, rules: &InForce) -> Result<(), Refusal> {
        let correction = self.corrections.get(&asked.correction);
        let kept = self
            .quarantined
            .iter()
            .find(|kept| kept.holds(&asked.correction, asked.revision, &asked.component));
        let under_way = self.history.iter().find(|application| {
            application.outcome == Outcome::InProgress && application.component == asked.component
        });
        let facts = Facts {
            now: self.now,
            rules,
            fresh_until: self.fresh_until,
            correction,
            inventory: &self.inventory,
            causes: correction.map_or_else(Vec::new, |correction| self.causes(correction)),
            quarantined: kept.map(|kept| kept.reason.clone()),
            under_way: under_way.map(|application| application.id.clone()),
        };
        check(asked, &facts)
    }

    /// Whether any of these lines is about an advisory under embargo, whatever the plugin says of it.
    pub(crate) fn is_under_embargo(&self, lines: &[Line]) -> bool {
        let names = |line: &Line, advisory: &Advisory| {
            line.advisories.iter().any(|id| *id == *advisory.id)
                || advisory
                    .corrections
                    .iter()
                    .any(|correction| *correction.as_str() == line.correction)
        };
        let secret = self
            .advisories
            .iter()
            .filter(|advisory| advisory.is_under_embargo());
        secret
            .into_iter()
            .any(|advisory| lines.iter().any(|line| names(line, advisory)))
    }

    /// The advisories in force that name this correction. What the correction says it answers is not
    /// enough: the advisory has to say so as well.
    fn causes(&self, correction: &Correction) -> Vec<(&Advisory, Cause)> {
        let named = self.advisories.iter().filter(|advisory| {
            self.is_in_force(advisory) && advisory.corrections.contains(&correction.id)
        });
        let causes = named.filter_map(|advisory| {
            let received = |kind, id: &str| self.received.get(&(kind, id.to_owned())).copied();
            let cause = cause_of(
                (advisory, received(DocumentKind::Advisory, &advisory.id)?),
                (
                    correction,
                    received(DocumentKind::Correction, &correction.id)?,
                ),
            );
            Some((advisory, cause))
        });
        causes.collect()
    }

    /// Whether an advisory still holds. Of those that supersede each other in a circle all do.
    fn is_in_force(&self, advisory: &Advisory) -> bool {
        let newer = |other: &Advisory| {
            other.withdrawn.is_none()
                && other.id != advisory.id
                && other.supersedes.contains(&advisory.id)
                && !advisory.supersedes.contains(&other.id)
        };
        advisory.withdrawn.is_none() && !self.advisories.iter().any(newer)
    }
}
