//! Corrections on their way to components: found, planned, carried out.
//!
//! May not: need the plugin, or decide whether something is applied.

use std::collections::BTreeSet;

use jiff::Timestamp;
use spacecp_contract::{Correction, DocumentId, DocumentKind};

use super::JointRequest;
use crate::{
    ServiceError,
    apply::{Application, Difference, JointPlan, Order, Part, Plan, Progress},
    fetch::Source,
    inventory::{Component, Inventory},
    state::State,
    trust::{AnyDocument, Verified},
};

impl State {
    pub(crate) async fn plan(
        &self,
        correction: &DocumentId,
        component: &str,
    ) -> Result<Plan, ServiceError> {
        let correction = self.correction(correction).await?;
        let inventory = self.inventory().await;
        let component = find(&inventory, component)?;
        Ok(self
            .applier()
            .plan(&correction, component, &inventory)
            .await?)
    }

    /// What would become of text files that were changed here; the new contents are fetched.
    pub(crate) async fn differences(
        &self,
        correction: &DocumentId,
        component: &str,
    ) -> Result<Vec<Difference>, ServiceError> {
        let correction = self.correction(correction).await?;
        let inventory = self.inventory().await;
        let part = Part {
            correction: &correction,
            component: find(&inventory, component)?,
        };
        let payloads = self.payloads(&[&correction]).await?;
        Ok(self.applier().differences(part, &payloads).await?)
    }

    /// What a correction changes in a component, line by line, with the plan; and which advisories under
    /// embargo that is about. The new contents are fetched.
    pub(crate) async fn changes(
        &self,
        correction: &DocumentId,
        component: &str,
    ) -> Result<(Plan, Vec<Difference>, BTreeSet<DocumentId>), ServiceError> {
        let correction = self.correction(correction).await?;
        let inventory = self.inventory().await;
        let component = find(&inventory, component)?;
        let plan = self
            .applier()
            .plan(&correction, component, &inventory)
            .await?;
        let part = Part {
            correction: &correction,
            component,
        };
        let payloads = self.payloads(&[&correction]).await?;
        let changes = self.applier().changes(part, &payloads).await?;
        let secret = self.under_embargo(&correction).await?;
        Ok((plan, changes, secret))
    }

    pub(crate) async fn plan_jointly(
        &self,
        parts: &[(DocumentId, String)],
    ) -> Result<JointPlan, ServiceError> {
        let corrections = self.corrections(parts).await?;
        let inventory = self.inventory().await;
        let parts = joined(parts, &corrections, &inventory)?;
        Ok(self.applier().plan_jointly(&parts, &inventory).await?)
    }

    pub(crate) async fn apply(
        &self,
        request: JointRequest,
        progress: &dyn Progress,
    ) -> Result<Vec<Application>, ServiceError> {
        let _at_work = self.at_work().await;
        let corrections = self.corrections(&request.parts).await?;
        let payloads: Vec<&Verified<Correction>> = corrections.iter().collect();
        let payloads = self.payloads(&payloads).await?;
        let inventory = self.inventory().await;
        let now = Timestamp::now();
        let order = Order {
            parts: joined(&request.parts, &corrections, &inventory)?,
            inventory: &inventory,
            shown: request.plan,
            overwrite: request.overwrite,
            by: &request.by,
            id: application_id(now)?,
            now,
        };
        let applied = self.applier().apply(order, &payloads, progress).await;
        self.lookout().forget();
        self.events().announce();
        let applied = applied?;
        // What was applied is applied, whatever becomes of this.
        if let Err(error) = self.clear_payloads().await {
            tracing::warn!(%error, "cannot remove an unused payload");
        }
        Ok(applied)
    }

    /// The payloads of these corrections that are here, or else from the feed.
    async fn payloads(
        &self,
        corrections: &[&Verified<Correction>],
    ) -> Result<Source, ServiceError> {
        let mirrors = self.follower()?.mirrors().iter();
        let mirrors = mirrors.map(|mirror| mirror.source.clone()).collect();
        let payloads = self.payloads_of(corrections).await?;
        Ok(Source::Kept(payloads.or_from(mirrors)))
    }

    async fn corrections(
        &self,
        parts: &[(DocumentId, String)],
    ) -> Result<Vec<Verified<Correction>>, ServiceError> {
        let mut corrections = Vec::with_capacity(parts.len());
        for (correction, _) in parts {
            corrections.push(self.correction(correction).await?);
        }
        Ok(corrections)
    }

    pub(crate) async fn components_for(
        &self,
        correction: &DocumentId,
    ) -> Result<Vec<String>, ServiceError> {
        let correction = self.correction(correction).await?;
        let inventory = self.inventory().await;
        let fitting = inventory
            .components
            .iter()
            .filter(|component| component.advisory_name == correction.component);
        Ok(fitting.map(|component| component.name.clone()).collect())
    }

    async fn correction(&self, id: &DocumentId) -> Result<Verified<Correction>, ServiceError> {
        match self.store().document(DocumentKind::Correction, id).await? {
            Some(AnyDocument::Correction(correction)) => Ok(correction),
            _ => Err(ServiceError::no_correction(id)),
        }
    }
}

/// Each correction with the component that it is for.
fn joined<'a>(
    parts: &[(DocumentId, String)],
    corrections: &'a [Verified<Correction>],
    inventory: &'a Inventory,
) -> Result<Vec<Part<'a>>, ServiceError> {
    let joined = corrections.iter().zip(parts);
    let joined = joined.map(|(correction, (_, component))| {
        Ok(Part {
            correction,
            component: find(inventory, component)?,
        })
    });
    joined.collect()
}

fn find<'a>(inventory: &'a Inventory, name: &str) -> Result<&'a Component, ServiceError> {
    inventory.component(name).ok_or_else(|| {
        let name = name.to_owned();
        match inventory.installed_as(&name) {
            Some(_) => ServiceError::NotCorrectable { name },
            None => ServiceError::NotFound {
                what: "component",
                name,
            },
        }
    })
}

/// A name for an application: when it began, and a little that tells two of one second apart.
fn application_id(now: Timestamp) -> Result<String, ServiceError> {
    let mut tail = [0; 3];
    getrandom::fill(&mut tail).map_err(|error| ServiceError::File {
        path: "/dev/urandom".into(),
        source: std::io::Error::other(error.to_string()),
    })?;
    Ok(format!(
        "{}-{}",
        now.strftime("%Y%m%dT%H%M%S"),
        hex::encode(tail)
    ))
}
