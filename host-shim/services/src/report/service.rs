//! Reports to the vendor, as pages and commands ask for them.
//!
//! May not: send anything; who mails a report does so encrypted.

use std::sync::Arc;

use spacecp_contract::Report;

use super::{Recipient, ReportConfig, ReportingError, Typed, seal};
use crate::{ServiceError, state::State};

/// Vulnerability reports to the vendor.
#[derive(Debug, Clone)]
pub struct Reports {
    state: Arc<State>,
}

impl Reports {
    pub(crate) fn new(state: Arc<State>) -> Self {
        Self { state }
    }

    /// Where reports go, as configured.
    pub fn config(&self) -> &ReportConfig {
        &self.state.config().report
    }

    /// The form of a report as it is offered, with what is installed here.
    pub async fn offered(&self) -> Typed {
        Typed::offered(&*self.state.inventory().await)
    }

    /// Encrypts a report to the vendor.
    #[tracing::instrument(name = "encrypt-report", skip_all)]
    pub fn seal(&self, report: &Report) -> Result<String, ServiceError> {
        let recipient: Option<&Recipient> = self.config().recipient.as_ref();
        let recipient = recipient.ok_or(ReportingError::NoRecipient)?;
        let sealed = seal(report, recipient)?;
        // Nothing of what it says, and not who says it.
        tracing::info!(bytes = sealed.len(), "vulnerability report encrypted");
        Ok(sealed)
    }
}
