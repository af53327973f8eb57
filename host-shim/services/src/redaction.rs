//! The redacted view: what leaves the panel in a form for programs.
//!
//! [`Redacted`] is the only view of documents, verdicts and records that the commands and the API serialise. Every
//! object in it that names an advisory or a correction under embargo keeps its id and the fields listed here; texts
//! become "under embargo", everything else null. A field that is added later is redacted until it is listed. The full
//! view is asked for with [`Access::Full`], which records the reader in the access log first.
//!
//! May not: hide anything from people, who are shown the full page, marked; decide what is under embargo, which the
//! signed documents do ([`AdvisoryIndex`]).

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use jiff::Timestamp;
use serde::{Serialize, Serializer};
use serde_json::{Map, Value, json};
use spacecp_contract::{Advisory, DocumentId};

use crate::{
    AdvisoryIndex, ServiceError, note_all,
    plugin::bindings::exports::spacecp::advisories::{exposure::Verdict, pages::Severity},
    store::Store,
};

/// Stands for a redacted text.
const REDACTED: &str = "under embargo";

/// Keys under which advisories and corrections are named.
const ADVISORIES: [&str; 3] = ["advisory", "advisories", "reopens"];
const CORRECTIONS: [&str; 2] = ["correction", "corrections"];

/// Texts and numbers that disclose nothing about a vulnerability: who did what, states, ids of this panel.
const KEPT: [&str; 22] = [
    "application",
    "apply-run",
    "by",
    "decision",
    "digest",
    "fate",
    "hash",
    "id",
    "kind",
    "number",
    "outcome",
    "overwrite",
    "plan",
    "previous",
    "reversible",
    "revision",
    "state",
    "status",
    "verdict",
    "what",
    "who",
    "work",
];

/// Instants.
const TIMES: [&str; 8] = [
    "at", "began", "due", "ended", "made", "since", "until", "window",
];

/// Lists of records that belong to the same advisory or correction.
const WITHIN: [&str; 2] = ["audit", "decisions"];

/// A value as programs may read it: whole where it names nothing under embargo, otherwise redacted.
///
/// Only this module makes one, so that whatever prints or sends `Redacted` values only cannot disclose a document by
/// mistake.
#[derive(Debug)]
pub struct Redacted<T>(View<T>);

#[derive(Debug)]
enum View<T> {
    Whole(T),
    Redacted(Value),
}

impl<T: Serialize> Redacted<T> {
    /// For values that name no advisory and no correction. One that does name some is redacted: no document is known
    /// to be public here.
    pub fn without_documents(value: T) -> Result<Self, serde_json::Error> {
        AdvisoryIndex::default().redacted(value)
    }

    /// A list whose items are views already, and which names nothing else but ids.
    pub(crate) const fn of_redacted(list: T) -> Self {
        Self(View::Whole(list))
    }

    /// An object about one advisory; its id and revision alone if that is under embargo.
    pub fn of_advisory(advisory: &Advisory, value: T) -> Self {
        if advisory.is_under_embargo() {
            let (id, revision) = (&advisory.id, advisory.revision);
            let only = json!({ "id": id, "revision": revision, "embargo": true });
            return Self(View::Redacted(only));
        }
        Self(View::Whole(value))
    }
}

impl<T> Redacted<T> {
    /// Whether nothing was left out.
    pub const fn is_whole(&self) -> bool {
        matches!(self.0, View::Whole(_))
    }
}

impl<T: Serialize> Serialize for Redacted<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.0 {
            View::Whole(value) => value.serialize(serializer),
            View::Redacted(value) => value.serialize(serializer),
        }
    }
}

/// How much of a value its reader gets.
#[derive(Debug, Clone, Copy)]
pub enum Access<'a> {
    /// Ids of what is under embargo.
    Redacted,
    /// Everything; the access log has an entry for each advisory under embargo.
    Full {
        /// Who reads it.
        reader: &'a str,
    },
}

impl Access<'_> {
    /// Whether it is everything.
    pub const fn is_full(self) -> bool {
        matches!(self, Self::Full { .. })
    }
}

/// Makes redacted views, and full ones with an entry in the access log.
#[derive(Debug, Clone)]
pub struct Redactor {
    index: Arc<AdvisoryIndex>,
    store: Store,
}

impl Redactor {
    /// By an index of the documents. Where it cannot be read, everything is redacted.
    pub(crate) fn new(index: Result<Arc<AdvisoryIndex>, ServiceError>, store: Store) -> Self {
        let index = index.unwrap_or_else(|error| redact_everything(&error));
        Self { index, store }
    }

    /// By the documents of a store, where neither plugin nor feed is needed.
    pub async fn of_store(store: &Store) -> Self {
        let index = AdvisoryIndex::read(store).await.map(Arc::new);
        Self::new(index.map_err(ServiceError::from), store.clone())
    }

    /// The documents that it knows.
    pub fn index(&self) -> &AdvisoryIndex {
        &self.index
    }

    /// A value as far as the reader may have it; full access is recorded for each advisory under embargo that the value
    /// names, or whose correction it names, before the value is returned.
    pub async fn view<T: Serialize>(
        &self,
        access: Access<'_>,
        value: T,
    ) -> Result<Redacted<T>, ServiceError> {
        match access {
            Access::Redacted => self.redacted(value),
            Access::Full { reader } => self.full(reader, value).await,
        }
    }

    /// The same for an object about one advisory: redacted, it has id and revision only.
    pub async fn view_advisory<T: Serialize>(
        &self,
        access: Access<'_>,
        advisory: &Advisory,
        value: T,
    ) -> Result<Redacted<T>, ServiceError> {
        let Access::Full { reader } = access else {
            return Ok(Redacted::of_advisory(advisory, value));
        };
        let one = BTreeSet::from([advisory.id.clone()]);
        self.record(reader, &one).await?;
        Ok(Redacted(View::Whole(value)))
    }

    /// The redacted view.
    pub fn redacted<T: Serialize>(&self, value: T) -> Result<Redacted<T>, ServiceError> {
        let redacted = self.index.redacted(value);
        redacted.map_err(ServiceError::Unserialisable)
    }

    /// The full view, recorded in the access log.
    async fn full<T: Serialize>(
        &self,
        reader: &str,
        value: T,
    ) -> Result<Redacted<T>, ServiceError> {
        self.record_access(reader, &value).await?;
        Ok(Redacted(View::Whole(value)))
    }

    /// Records that `reader` is shown this value in full.
    pub async fn record_access(
        &self,
        reader: &str,
        value: &impl Serialize,
    ) -> Result<(), ServiceError> {
        let value = serde_json::to_value(value).map_err(ServiceError::Unserialisable)?;
        self.record(reader, &self.index.secrets_in(&value)).await
    }

    /// Records that `reader` is shown everything under embargo, for output that does not name what it is about.
    pub async fn record_access_to_all(&self, reader: &str) -> Result<(), ServiceError> {
        self.record(reader, &self.index.embargoed().cloned().collect())
            .await
    }

    async fn record(
        &self,
        reader: &str,
        documents: &BTreeSet<DocumentId>,
    ) -> Result<(), ServiceError> {
        let now = Timestamp::now();
        Ok(note_all(&self.store, &self.index, reader, documents, now).await?)
    }

    /// Whether a value names anything under embargo.
    pub fn is_embargoed(&self, value: &impl Serialize) -> Result<bool, ServiceError> {
        let value = serde_json::to_value(value).map_err(ServiceError::Unserialisable)?;
        Ok(!self.index.secrets_in(&value).is_empty())
    }

    /// Whether programs may read more of a verdict than ids.
    pub fn is_public(&self, verdict: &Verdict) -> bool {
        !verdict.embargo && self.index.is_public(&verdict.advisory.id)
    }

    /// A verdict without what it says of an advisory under embargo, for formats other than our JSON.
    pub fn verdict(&self, verdict: &Verdict) -> Verdict {
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

fn redact_everything(error: &ServiceError) -> Arc<AdvisoryIndex> {
    tracing::warn!(%error, "cannot read the list of embargoed advisories; everything is redacted in JSON output");
    Arc::default()
}

impl AdvisoryIndex {
    /// The redacted view of a value. One that stays whole keeps the order of its fields.
    pub fn redacted<T: Serialize>(&self, value: T) -> Result<Redacted<T>, serde_json::Error> {
        let whole = serde_json::to_value(&value)?;
        let redacted = self.redact(whole.clone());
        Ok(Redacted(if redacted == whole {
            View::Whole(value)
        } else {
            View::Redacted(redacted)
        }))
    }

    fn redact(&self, value: Value) -> Value {
        match value {
            Value::Array(values) => values.into_iter().map(|one| self.redact(one)).collect(),
            Value::Object(object) if self.is_public_object(&object) => {
                let fields = object.into_iter();
                fields.map(|(key, one)| (key, self.redact(one))).collect()
            }
            Value::Object(object) => redact(object),
            plain => plain,
        }
    }

    /// The known advisories and corrections under embargo that a value names.
    pub fn secrets_in(&self, value: &Value) -> BTreeSet<DocumentId> {
        let mut found = BTreeSet::new();
        self.gather(value, &mut found);
        found
    }

    fn gather(&self, value: &Value, found: &mut BTreeSet<DocumentId>) {
        match value {
            Value::Array(values) => values.iter().for_each(|one| self.gather(one, found)),
            Value::Object(object) => {
                let secret =
                    |id: &DocumentId| self.is_embargoed(id) || self.is_correction_embargoed(id);
                let named = named(object, &ADVISORIES).chain(named(object, &CORRECTIONS));
                found.extend(named.filter_map(id).filter(secret));
                object.values().for_each(|one| self.gather(one, found));
            }
            _ => {}
        }
    }

    /// Whether everything that an object is about is public. An object about an advisory may name that advisory's
    /// correction, which is an id only.
    fn is_public_object(&self, object: &Map<String, Value>) -> bool {
        let mut advisories = named(object, &ADVISORIES).peekable();
        let mut corrections = named(object, &CORRECTIONS).peekable();
        let is_about_any = advisories.peek().is_some() || corrections.peek().is_some();
        if is_about_any && object.get("embargo") == Some(&Value::Bool(true)) {
            return false;
        }
        let spoken = |id: Option<DocumentId>| id.is_some_and(|id| self.is_correction_public(&id));
        let is_about_one = object.contains_key("advisory");
        advisories.all(|advisory| self.is_public(advisory))
            && (is_about_one || corrections.map(id).all(spoken))
    }
}

/// The fields that stay of an object about something under embargo.
fn redact(object: Map<String, Value>) -> Value {
    let fields = object.into_iter().map(|(key, value)| {
        let value = stays(&key, value);
        (key, value)
    });
    let mut fields: BTreeMap<String, Value> = fields.collect();
    fields.insert("embargo".to_owned(), json!(true));
    json!(fields)
}

fn stays(key: &str, value: Value) -> Value {
    let is_id = ADVISORIES.contains(&key) || CORRECTIONS.contains(&key);
    match value {
        Value::String(text) => {
            let is_time = TIMES.contains(&key) && text.parse::<Timestamp>().is_ok();
            if is_id || is_time || KEPT.contains(&key) {
                json!(text)
            } else {
                json!(REDACTED)
            }
        }
        Value::Bool(_) | Value::Number(_) if KEPT.contains(&key) => value,
        Value::Array(values) if WITHIN.contains(&key) => {
            let objects = values.into_iter().filter_map(|one| match one {
                Value::Object(object) => Some(redact(object)),
                _ => None,
            });
            objects.collect()
        }
        // Ids, with no more than their revisions beside them.
        Value::Array(values) if is_id => values.into_iter().filter(Value::is_string).collect(),
        Value::Object(document) if is_id => {
            let known = document.into_iter();
            let known = known.filter(|(key, _)| matches!(key.as_str(), "id" | "revision"));
            Value::Object(known.collect())
        }
        _ => Value::Null,
    }
}

/// The ids under these keys, however they are written: one, several, or with a revision.
fn named<'a>(object: &'a Map<String, Value>, keys: &'a [&'a str]) -> impl Iterator<Item = &'a str> {
    let values = keys.iter().filter_map(|key| object.get(*key));
    values.flat_map(|value| match value {
        Value::String(text) => vec![text.as_str()],
        Value::Array(values) => values.iter().filter_map(Value::as_str).collect(),
        Value::Object(document) => document
            .get("id")
            .and_then(Value::as_str)
            .into_iter()
            .collect(),
        _ => Vec::new(),
    })
}

fn id(text: &str) -> Option<DocumentId> {
    DocumentId::new(text.to_owned()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A public advisory with its correction, and an embargoed one with its own.
    fn advisory_index() -> AdvisoryIndex {
        AdvisoryIndex::having([("OPEN-1", "FIX-1", true), ("SECRET-2", "FIX-2", false)])
    }

    #[test]
    fn what_is_public_is_left_as_it_is() {
        let value = json!([{ "advisory": "OPEN-1", "title": "words", "score": 98 }, { "free": 1 }]);
        assert_eq!(advisory_index().redact(value.clone()), value);
        assert!(advisory_index().secrets_in(&value).is_empty());
    }

    #[test]
    fn a_rollback_that_reopens_what_is_under_embargo_names_no_version_and_no_component() {
        let value = json!({
            "apply-run": "run-1", "component": "houston", "from": "1.0.1", "to": "1.0.0",
            "reopens": ["OPEN-1", "SECRET-2"], "incomplete": "words",
        });
        let expected = json!({
            "apply-run": "run-1", "component": REDACTED, "from": REDACTED, "to": REDACTED,
            "reopens": ["OPEN-1", "SECRET-2"], "incomplete": REDACTED, "embargo": true,
        });
        assert_eq!(advisory_index().redact(value), expected);
    }

    #[test]
    fn of_what_is_under_embargo_ids_and_listed_fields_stay_and_nothing_else() {
        let value = json!({ "plans": [{
            "correction": "FIX-2", "revision": 3, "component": "houston", "from": "1.0.0",
            "began": "2026-11-01T00:00:00Z", "ended": "fixed in 1.0.1", "files": [{ "path": "a" }],
            "download": 7, "one-day": { "more": "words" }, "outcome": "applied",
        }]});
        let redacted = advisory_index().redact(value.clone());
        let expected = json!({ "plans": [{
            "correction": "FIX-2", "revision": 3, "component": REDACTED, "from": REDACTED,
            "began": "2026-11-01T00:00:00Z", "ended": REDACTED, "files": null,
            "download": null, "one-day": null, "outcome": "applied", "embargo": true,
        }]});
        assert_eq!(redacted, expected);
        let secrets = advisory_index().secrets_in(&value);
        assert_eq!(secrets, BTreeSet::from([id("FIX-2").unwrap()]));
    }

    #[test]
    fn unknown_documents_and_what_the_plugin_marks_as_embargoed_are_redacted() {
        for value in [
            json!({ "advisories": ["OPEN-1", "NOBODY-3"], "reason": "words" }),
            json!({ "advisory": { "id": "OPEN-1", "revision": 1 }, "embargo": true, "reason": "words" }),
            json!({ "advisories": ["OPEN-1"], "correction": "FIX-2", "reason": "words" }),
            json!({ "correction": "not an id \n", "reason": "words" }),
        ] {
            let redacted = advisory_index().redact(value.clone());
            assert_eq!(redacted["reason"], REDACTED, "{value}");
        }
    }

    #[test]
    fn records_of_an_embargoed_correction_are_redacted_whatever_they_name() {
        let value = json!({ "correction": "FIX-2", "audit": [{ "number": 4, "to": "1.0.1" }] });
        let redacted = advisory_index().redact(value);
        assert_eq!(
            redacted["audit"],
            json!([{ "number": 4, "to": REDACTED, "embargo": true }])
        );
    }
}
