//! Reports to the vendor, as pages and commands ask for them.

use jiff::Timestamp;
use spacecp_contract::Report;

use super::{Shim, ShimError};
use crate::{
    notify,
    report::{self, Recipient, ReportingError, Typed},
};

impl Shim {
    /// The form of a report as it is offered, with what is installed here.
    pub async fn offered_report(&self) -> Typed {
        let inventory = self.inventory().await;
        Typed::offered(&inventory)
    }

    /// Encrypts a report to the vendor.
    #[tracing::instrument(name = "encrypt-report", skip_all)]
    pub fn seal_report(&self, report: &Report) -> Result<String, ShimError> {
        let recipient: Option<&Recipient> = self.config().report.recipient.as_ref();
        let recipient = recipient.ok_or(ReportingError::NoRecipient)?;
        let sealed = report::seal(report, recipient)?;
        // Nothing of what it says, and not who says it.
        tracing::info!(bytes = sealed.len(), "vulnerability report encrypted");
        Ok(sealed)
    }

    /// Mails a report that is encrypted.
    #[tracing::instrument(name = "mail-report", skip_all)]
    pub async fn mail_report(&self, sealed: &str, now: Timestamp) -> Result<(), ShimError> {
        let config = self.config();
        let (mail, to) = config
            .report
            .mail(&config.notify)
            .ok_or(ReportingError::NoMail)?;
        let sent = notify::mail_report(&config.notify, mail, to, sealed, now).await;
        tracing::info!(taken = sent.is_ok(), "vulnerability report e-mailed");
        Ok(sent.map_err(|error| ReportingError::Mail(error.into()))?)
    }
}
