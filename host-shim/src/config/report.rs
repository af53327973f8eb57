//! Whom reports of vulnerabilities go to.

use lettre::message::Mailbox;
use serde::Deserialize;

use super::{EmailConfig, NotifyConfig, Target};
use crate::report::Recipient;

/// Whom reports of vulnerabilities go to, and how.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct ReportConfig {
    /// Whom they are encrypted to, as the vendor publishes it: `age1…`.
    pub recipient: Option<Recipient>,
    /// The address that they are mailed to, once they are encrypted.
    pub mail: Option<String>,
    /// The channel of the kind `email` by which they are mailed; the first one if it is not said.
    pub by: Option<String>,
}

impl ReportConfig {
    /// How a report is mailed, and to whom; nothing where it is not.
    pub fn mail<'a>(&self, notify: &'a NotifyConfig) -> Option<(&'a EmailConfig, Mailbox)> {
        let to: Mailbox = self.mail.as_ref()?.parse().ok()?;
        let mut channels = notify.channels.iter().filter(|channel| {
            let named = self.by.as_ref().is_none_or(|name| *name == channel.name);
            named && matches!(channel.target, Target::Email(_))
        });
        match &channels.next()?.target {
            Target::Email(mail) => Some((mail, to)),
            _ => None,
        }
    }

    /// The first thing that does not fit: where, and what to do.
    pub(super) fn fault(&self, notify: &NotifyConfig) -> Option<(String, String)> {
        let fault = |what: &str, problem: &str| Some((what.to_owned(), problem.to_owned()));
        let Some(mail) = &self.mail else {
            let named = self.by.is_some();
            return named.then(|| fault("report.by", "it needs mail, the address to send to"))?;
        };
        if self.recipient.is_none() {
            return fault(
                "report.mail",
                "no report leaves this panel in clear: set recipient to the vendor's",
            );
        }
        if mail.parse::<Mailbox>().is_err() {
            return fault("report.mail", "it is an address of mail");
        }
        if self.mail(notify).is_none() {
            return fault(
                "report.mail",
                "it needs a [[notify.channel]] of the kind \"email\" to be sent by; report.by names it",
            );
        }
        None
    }
}
