//! Prints what may name documents under embargo: redacted for programs, in full and marked for people.
//!
//! `--under-embargo` gives programs the full view, which is recorded in the access log first. What may be disclosed is
//! decided by `services::Redactor`; nothing here serialises a value by itself.

use serde::Serialize;
use serde_json::Value;

use super::{CommandError, Ending, Output, user::whoami};
use crate::{
    plugin::bindings::exports::spacecp::advisories::{
        exposure::Verdict,
        pages::{Page, Severity},
    },
    render::json,
    services::{Access, Panel, Redactor},
    store::Store,
};

/// The output of a command, and what may be disclosed in it.
pub(super) struct RedactedOutput<'a> {
    pub(super) redactor: Redactor,
    reader: String,
    out: &'a Output,
}

impl<'a> RedactedOutput<'a> {
    /// By the documents of a panel.
    pub(super) async fn of(panel: &Panel, out: &'a Output) -> Self {
        Self::new(panel.redactor().await, out)
    }

    /// The same for commands that work without plugin and feed.
    pub(super) async fn of_store(store: &Store, out: &'a Output) -> Self {
        Self::new(Redactor::of_store(store).await, out)
    }

    fn new(redactor: Redactor, out: &'a Output) -> Self {
        Self {
            redactor,
            reader: whoami(),
            out,
        }
    }

    /// What programs get.
    pub(super) fn access(&self) -> Access<'_> {
        if self.out.under_embargo {
            Access::Full {
                reader: &self.reader,
            }
        } else {
            Access::Redacted
        }
    }

    /// Prints a value as JSON.
    pub(super) async fn value(&self, value: &impl Serialize) -> Result<(), CommandError> {
        let view = self.redactor.view(self.access(), value).await?;
        Ok(self.out.redacted(&view)?)
    }

    /// Prints a line of the audit log, unchanged if it is public.
    pub(super) fn line(&self, line: &str) -> Result<(), CommandError> {
        let whole: Value = serde_json::from_str(line).map_err(std::io::Error::other)?;
        if self.out.under_embargo {
            return Ok(self.out.exact_line(line)?);
        }
        let view = self.redactor.redacted(&whole)?;
        if view.is_whole() {
            return Ok(self.out.exact_line(line)?);
        }
        let redacted = serde_json::to_string(&view).map_err(std::io::Error::other)?;
        Ok(self.out.line(&redacted)?)
    }

    /// Records that everything under embargo is read, for output that does not name what it is about.
    pub(super) async fn record_access_to_all(&self) -> Result<(), CommandError> {
        Ok(self.redactor.record_access_to_all(&self.reader).await?)
    }

    /// Records that a person is shown this in full, and marks it.
    pub(super) async fn opened(&self, value: &impl Serialize) -> Result<(), CommandError> {
        self.redactor.record_access(&self.reader, value).await?;
        self.mark(value)
    }

    /// Prints the embargo mark before a value for a person that names something under embargo.
    pub(super) fn mark(&self, value: &impl Serialize) -> Result<(), CommandError> {
        if self.is_embargoed(value)? {
            self.out.embargo_mark()?;
        }
        Ok(())
    }

    /// Whether a value names anything under embargo.
    pub(super) fn is_embargoed(&self, value: &impl Serialize) -> Result<bool, CommandError> {
        Ok(self.redactor.is_embargoed(value)?)
    }

    /// Verdicts for another format than ours, redacted and without duplicates unless the full view was asked for.
    pub(super) async fn verdicts(&self, all: &[Verdict]) -> Result<Vec<Verdict>, CommandError> {
        if self.out.under_embargo {
            self.redactor.record_access(&self.reader, &all).await?;
            return Ok(all.to_vec());
        }
        let mut redacted: Vec<Verdict> = Vec::new();
        for verdict in all.iter().map(|verdict| self.redactor.verdict(verdict)) {
            if !redacted.contains(&verdict) {
                redacted.push(verdict);
            }
        }
        redacted.sort_by_cached_key(|verdict| self.sort_key(verdict));
        Ok(redacted)
    }

    /// The worst severity among the affected components, without advisories under embargo.
    pub(super) fn worst<'v>(
        &self,
        affected: impl Iterator<Item = &'v Verdict>,
        worst_first: &[Severity],
    ) -> Option<Severity> {
        let public = affected.filter(|one| self.is_public(one));
        let places = public.filter_map(|one| {
            let mut severities = worst_first.iter();
            severities.position(|severity| *severity == one.severity)
        });
        places.min().map(|place| worst_first[place])
    }

    /// Keeps the order of public verdicts and puts redacted ones after them, by id: their place would disclose their
    /// severity.
    pub(super) fn sort_key(&self, verdict: &Verdict) -> Option<(String, String)> {
        let redacted = || (verdict.advisory.id.clone(), format!("{:?}", verdict.status));
        (!self.is_public(verdict)).then(redacted)
    }

    /// Whether programs may read more of a verdict than ids.
    pub(super) fn is_public(&self, verdict: &Verdict) -> bool {
        self.redactor.is_public(verdict)
    }
}

/// Prints a page for a person, or as JSON. A page with anything under embargo is refused as JSON unless the full view
/// was asked for.
pub(super) fn print_page(page: &Page, out: &Output) -> Result<Ending, CommandError> {
    if out.json {
        if page.embargo && !out.under_embargo {
            return Err(CommandError::Refused(
                "the page contains embargoed advisories and is not available as JSON. Pass --under-embargo to include them; the access is recorded in the audit log"
                    .to_owned(),
            ));
        }
        out.value(&json::page(page))?;
    } else {
        out.page(page)?;
    }
    Ok(Ending::Well)
}
