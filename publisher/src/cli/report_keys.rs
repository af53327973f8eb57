//! The commands about the key that opens reports.

use anyhow::Result;
use serde_json::json;
use zeroize::Zeroizing;

use super::{Ending, desk::Desk};
use crate::report::key::{self, ReportKey};

impl Desk<'_> {
    pub(super) fn new_report_key(
        &self,
        name: &str,
        passphrase: Option<&Zeroizing<String>>,
    ) -> Result<Ending> {
        let recipient = key::create(&self.keys(), name, passphrase)?.to_string();
        let (secret, public) = key::paths(&self.keys(), name);
        let words = format!(
            "The key {} is made (keep it). Finders encrypt to its recipient, {}:\n  {recipient}\nPublish it in security.txt, and give it to panels:\n  [report]\n  recipient = \"{recipient}\"",
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
