//! What is told: to a person all of it, marked where it is under embargo; to a program no more than ids.
//!
//! Every command that may speak of advisories or corrections prints by this. `--under-embargo` gives a program
//! all of it, and then the audit log has who asked, before anything is printed.

use std::{collections::BTreeSet, sync::Arc};

use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;
use spacecp_contract::DocumentId;

use super::{CommandError, Output, apply::whoami};
use crate::{
    plugin::bindings::exports::spacecp::advisories::{exposure::Verdict, pages::Severity},
    services::{AdvisoryIndex, Panel, REDACTED, ServiceError, note_all},
    store::Store,
};

/// What may be told, and to whom.
pub(super) struct Telling<'a> {
    index: Arc<AdvisoryIndex>,
    store: Store,
    out: &'a Output,
}

impl<'a> Telling<'a> {
    /// By what is at hand now. Where nobody can say what that is, programs are told of nothing.
    pub(super) async fn of(panel: &Panel, out: &'a Output) -> Self {
        let index = panel.feed.advisory_index().await;
        Self {
            index: index.unwrap_or_else(|error| nothing(&error)),
            store: panel.store().clone(),
            out,
        }
    }

    /// The same, for what works without plugin and feed.
    pub(super) async fn by(store: &Store, out: &'a Output) -> Self {
        let index = AdvisoryIndex::read(store).await.map(Arc::new);
        Self {
            index: index.unwrap_or_else(|error| nothing(&error.into())),
            store: store.clone(),
            out,
        }
    }

    /// Prints a value as JSON, as far as it may be told.
    pub(super) async fn value(&self, value: &impl Serialize) -> Result<(), CommandError> {
        let whole = json(value)?;
        let told = self.told(whole.clone()).await?;
        // The order of the fields is lost on the way.
        if told == whole {
            return Ok(self.out.value(value)?);
        }
        Ok(self.out.value(&told)?)
    }

    /// The value as it may be told; noted where that is all of it.
    pub(super) async fn told(&self, value: Value) -> Result<Value, CommandError> {
        if !self.out.under_embargo {
            return Ok(self.index.redact(value));
        }
        self.note(&self.index.secrets_in(&value)).await?;
        Ok(value)
    }

    /// Prints a line of the audit log, to the letter if all of it may be told.
    pub(super) fn line(&self, line: &str) -> Result<(), CommandError> {
        let whole: Value = serde_json::from_str(line).map_err(std::io::Error::other)?;
        let told = self.index.redact(whole.clone());
        if self.out.under_embargo || told == whole {
            return Ok(self.out.exact_line(line)?);
        }
        Ok(self.out.line(&told.to_string())?)
    }

    /// Notes that whoever asks reads all that is under embargo here: for what does not say what it is about.
    pub(super) async fn note_everything(&self) -> Result<(), CommandError> {
        let all = self.index.embargoed().cloned().collect();
        self.note(&all).await
    }

    /// Notes that whoever asks reads of these.
    async fn note(&self, documents: &BTreeSet<DocumentId>) -> Result<(), CommandError> {
        let (store, now) = (&self.store, Timestamp::now());
        let noted = note_all(store, &self.index, &whoami(), documents, now).await;
        Ok(noted.map_err(ServiceError::from)?)
    }

    /// Notes that a person is shown this in full, and marks it before it is printed.
    pub(super) async fn opened(&self, value: &impl Serialize) -> Result<(), CommandError> {
        self.note(&self.index.secrets_in(&json(value)?)).await?;
        self.mark(value)
    }

    /// Says before something is printed for a person that it is under embargo, if it is.
    pub(super) fn mark(&self, value: &impl Serialize) -> Result<(), CommandError> {
        if self.is_secret(value)? {
            self.out.embargo_mark()?;
        }
        Ok(())
    }

    /// Whether anything in it is under embargo.
    pub(super) fn is_secret(&self, value: &impl Serialize) -> Result<bool, CommandError> {
        Ok(!self.index.secrets_in(&json(value)?).is_empty())
    }

    /// Verdicts for a form of its own, as they may be told: what is the same then is told once.
    pub(super) async fn verdicts(&self, all: &[Verdict]) -> Result<Vec<Verdict>, CommandError> {
        if self.out.under_embargo {
            self.told(json(&all)?).await?;
            return Ok(all.to_vec());
        }
        let mut told: Vec<Verdict> = Vec::new();
        for verdict in all.iter().map(|verdict| self.verdict(verdict)) {
            if !told.contains(&verdict) {
                told.push(verdict);
            }
        }
        told.sort_by_cached_key(|verdict| self.place(verdict));
        Ok(told)
    }

    /// The worst severity among the exposures that may be spoken of.
    pub(super) fn worst<'v>(
        &self,
        exposed: impl Iterator<Item = &'v Verdict>,
        worst_first: &[Severity],
    ) -> Option<Severity> {
        let spoken = exposed.filter(|one| self.is_public(one));
        let places = spoken.filter_map(|one| {
            let mut severities = worst_first.iter();
            severities.position(|severity| *severity == one.severity)
        });
        places.min().map(|place| worst_first[place])
    }

    /// Where a program is told of a verdict: first what may be spoken of, in the order in which it came; then the rest
    /// by what is told of it, as the worst come first otherwise.
    pub(super) fn place(&self, verdict: &Verdict) -> Option<(String, String)> {
        let told = || (verdict.advisory.id.clone(), format!("{:?}", verdict.status));
        (!self.is_public(verdict)).then(told)
    }

    /// Whether programs may be told more of a verdict than ids.
    pub(super) fn is_public(&self, verdict: &Verdict) -> bool {
        !verdict.embargo && self.index.is_public(&verdict.advisory.id)
    }

    fn verdict(&self, verdict: &Verdict) -> Verdict {
        if self.is_public(verdict) {
            return verdict.clone();
        }
        Verdict {
            title: REDACTED.to_owned(),
            component: REDACTED.to_owned(),
            version: None,
            reason: REDACTED.to_owned(),
            severity: Severity::Unrated,
            score: None,
            known_exploited: false,
            embargo: true,
            ..verdict.clone()
        }
    }
}

fn nothing(error: &ServiceError) -> Arc<AdvisoryIndex> {
    tracing::warn!(%error, "cannot read the list of embargoed advisories; everything is redacted in JSON output");
    Arc::default()
}

fn json(value: &impl Serialize) -> Result<Value, CommandError> {
    Ok(serde_json::to_value(value).map_err(std::io::Error::other)?)
}
