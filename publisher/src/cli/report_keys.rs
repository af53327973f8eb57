//! The commands about the key that opens reports.

use anyhow::Result;
use serde_json::json;
use zeroize::Zeroizing;

use super::{Ending, cli_context::CliContext};
use crate::report::key::{self, ReportKey};

impl CliContext<'_> {
    pub(super) fn new_report_key(
        &self,
        name: &str,
        passphrase: Option<&Zeroizing<String>>,
    ) -> Result<Ending> {
        let recipient = key::create(&self.keys(), name, passphrase)?.to_string();
        let (secret, public) = key::paths(&self.keys(), name);
        let words = format!(
            "Created report key {} (secret). Its recipient for finders, {}:\n  {recipient}\nPublish the recipient in security.txt, and configure it in panels:\n  [report]\n  recipient = \"{recipient}\"",
            secret.display(),
            public.display()
        );
        self.say(
            &json!({ "name": name, "recipient": recipient, "file": public }),
            &words,
        )
    }

    /// The key of that name that opens reports; its passphrase is asked for if it has one.
    pub(super) fn report_key(&self, name: &str) -> Result<ReportKey> {
        let path = key::paths(&self.keys(), name).0;
        self.unlocked(&path, |ask| ReportKey::load(&path, ask))
    }
}
