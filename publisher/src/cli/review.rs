//! The command that writes a copy of an advisory for its finder.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};
use serde_json::json;
use spacecp_contract::{Digest, encode};

use super::{Ending, cli_context::CliContext};
use crate::{
    cases::{
        id::CaseId,
        review,
        state_machine::{Entry, Event},
    },
    drafts, durable,
    report::{
        envelope::{seal, seal_with},
        key::Recipient,
    },
};

impl CliContext<'_> {
    pub(super) fn review(&self, id: &CaseId, out: &Path, key: &str, by: &str) -> Result<Ending> {
        let cases = self.cases();
        let case = cases.case(id)?;
        let Some(advisory) = case.status().advisory() else {
            bail!("case {id} has no advisory yet; create one with \"advisory new ID --case {id}\"");
        };
        let advisory = drafts::load(&self.draft_path(advisory))?;
        let mark = review::mark()?;
        let event = Event::Reviewed {
            copy: mark.clone(),
            advisory: Digest::of(&encode(&advisory)),
        };
        // Refused before a copy exists that no case knows.
        case.status().after(&Entry {
            at: self.now,
            by: by.to_owned(),
            event: event.clone(),
        })?;
        let copy = review::compose(id, &advisory, &mark);
        let recipient = self.finders_recipient(id, key)?;
        fs::create_dir_all(out).with_context(|| format!("cannot create {}", out.display()))?;
        durable::sweep(out)
            .with_context(|| format!("cannot remove leftovers in {}", out.display()))?;
        let place = |suffix: &str| out.join(format!("{id}.{mark}.{suffix}"));
        let mut written: Vec<PathBuf> = Vec::new();
        let mut put = |suffix: &str, text: &str| -> Result<()> {
            let path = place(suffix);
            durable::replace_private(&path, text.as_bytes())
                .with_context(|| format!("cannot write {}", path.display()))?;
            written.push(path);
            Ok(())
        };
        let passphrase = if let Some(recipient) = &recipient {
            put("html.age", &seal(copy.html.as_bytes(), recipient)?)?;
            put("txt.age", &seal(copy.text.as_bytes(), recipient)?)?;
            None
        } else {
            let passphrase = review::passphrase()?;
            put("html.age", &seal_with(copy.html.as_bytes(), &passphrase)?)?;
            put("txt.age", &seal_with(copy.text.as_bytes(), &passphrase)?)?;
            put("passphrase", &format!("{}\n", *passphrase))?;
            Some(place("passphrase"))
        };
        cases.record(id, self.now, by, event)?;
        let mut words = format!("Wrote copy {mark} of {}:", advisory.id);
        for path in &written {
            words.push_str(&format!("\n  {}", path.display()));
        }
        if let Some(passphrase) = &passphrase {
            words.push_str(&format!(
                "\nThe finder gave no recipient: send the passphrase in {} over another channel than the copy.",
                passphrase.display()
            ));
        }
        let value = json!({
            "case": id.to_string(), "copy": mark, "advisory": advisory.id,
            "files": written, "passphrase": passphrase,
        });
        self.say(&value, &words)
    }

    /// The finder's own recipient; nothing if they gave none that is one.
    fn finders_recipient(&self, id: &CaseId, key: &str) -> Result<Option<Recipient>> {
        let cases = self.cases();
        // Without a finder no key is needed, and no passphrase asked for.
        if !cases.has_finder(id) {
            return Ok(None);
        }
        let finder = cases.finder(id, &self.report_key(key)?)?;
        Ok(finder.recipient.parse().ok())
    }
}
