//! Whether this panel reads what is under embargo.
//!
//! Not to be among those who may is no fault of anybody's: it is said, and nothing is made of it.

use jiff::Timestamp;
use serde::Serialize;

use spacecp_render::page_builder::{code, fact, plain};

use super::Trust;
use crate::{
    ServiceError,
    audit::{self, Event, What},
    identity,
    plugin::bindings::exports::spacecp::advisories::pages::Fact,
};

/// What can be said of the private side.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PrivateReport {
    /// Whom the vendor encrypts to, for this panel (`age1…`); none where there is no identity to use.
    pub recipient: Option<String>,
    /// Why there is none.
    pub problem: Option<String>,
    /// How it stands.
    pub standing: PrivateStanding,
    /// Documents that are held under embargo.
    pub documents: usize,
}

/// Whether this panel reads what is under embargo.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum PrivateStanding {
    /// The feed has no private side, or was not heard yet.
    None,
    /// It has, and nobody looked with the identity that is here now.
    NotLooked,
    /// There is an envelope for this panel in the last broadcast, and it was opened.
    Entitled,
    /// There is none.
    NotEntitled,
}

impl PrivateStanding {
    /// For people.
    pub fn words(self) -> &'static str {
        match self {
            Self::None => "the feed has no sealed side",
            Self::NotLooked => "not synced yet with the current identity",
            Self::Entitled => "enrolled: the last broadcast was decrypted",
            Self::NotEntitled => {
                "not enrolled: the last broadcast is not encrypted to this panel. To receive embargoed advisories, send the recipient to the vendor"
            }
        }
    }
}

impl Trust {
    /// Whether this panel reads what is under embargo. Needs no plugin.
    pub async fn private_report(&self) -> Result<PrivateReport, ServiceError> {
        let trusted = self.state.store().trusted().await?;
        let (recipient, problem) =
            match identity::load_or_make(&self.state.config().state, Timestamp::now()) {
                Ok(identity) => (Some(identity.recipient()), None),
                Err(error) => (None, Some(error.to_string())),
            };
        let sealed = trusted
            .index
            .as_ref()
            .and_then(|index| index.sealed.as_ref());
        let looked = trusted.reading.as_ref();
        let looked = looked.filter(|reading| Some(&reading.recipient) == recipient.as_ref());
        let standing = match (sealed, looked) {
            (None, _) => PrivateStanding::None,
            (Some(_), None) => PrivateStanding::NotLooked,
            (Some(_), Some(reading)) if reading.entitled => PrivateStanding::Entitled,
            (Some(_), Some(_)) => PrivateStanding::NotEntitled,
        };
        Ok(PrivateReport {
            recipient,
            problem,
            standing,
            documents: trusted.private.len(),
        })
    }

    /// Makes another identity, and gives its recipient. `by` is kept.
    pub async fn renew_identity(&self, by: &str, now: Timestamp) -> Result<String, ServiceError> {
        let store = self.state.store();
        // First, so that none is ever renewed unrecorded.
        let event = Event::new(What::IdentityRenewed, by);
        audit::record(store, &event, now).await?;
        let identity = identity::renew(&self.state.config().state, now)?;
        tracing::warn!(
            by,
            "identity replaced; the vendor must enrol the new recipient"
        );
        Ok(identity.recipient())
    }
}

/// The report for the page about trust.
pub(crate) fn facts(report: &PrivateReport) -> Vec<Fact> {
    let mut facts = vec![fact(
        "Under embargo",
        vec![plain(report.standing.words().to_owned())],
    )];
    match (&report.recipient, &report.problem) {
        (Some(recipient), _) => facts.push(fact(
            "Recipient (confidential, for the vendor)",
            vec![code(recipient.clone())],
        )),
        (None, Some(problem)) => facts.push(fact("Identity", vec![plain(problem.clone())])),
        (None, None) => {}
    }
    facts
}
