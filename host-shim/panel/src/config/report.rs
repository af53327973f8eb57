//! Whom reports of vulnerabilities go to.

use lettre::message::Mailbox;
use serde::Deserialize;
use utoipa::ToSchema;

use super::{EmailConfig, NotifyConfig, Target};
use crate::report::Recipient;

/// Where vulnerability reports written on this panel go.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct ReportConfig {
    /// Age recipient (`age1…`) of the vendor, which reports are encrypted to. Without it the page has no form.
    #[schema(value_type = Option<String>, default = json!(null))]
    pub recipient: Option<Recipient>,
    /// Mail address that encrypted reports are sent to. Requires `recipient` and a channel of kind `email`.
    pub mail: Option<String>,
    /// Name of the `email` channel that sends reports; the first one by default.
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
            return named
                .then(|| fault("report.by", "mail is required: the address to send to"))?;
        };
        if self.recipient.is_none() {
            return fault(
                "report.mail",
                "recipient is required: reports are sent encrypted only. Set it to the vendor's recipient",
            );
        }
        if mail.parse::<Mailbox>().is_err() {
            return fault("report.mail", "must be an e-mail address");
        }
        if self.mail(notify).is_none() {
            return fault(
                "report.mail",
                "sending reports requires a [[notify.channel]] of kind \"email\"; name it in report.by",
            );
        }
        None
    }
}
