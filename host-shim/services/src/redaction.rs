//! What programs are told of what is under embargo: the ids, and that it is.
//!
//! One place decides for everything that leaves in a form made for passing on. A value is looked through for
//! objects that name an advisory or a correction; of those that may not be spoken of stays what is listed here,
//! and whatever else they have, now or one day, does not. Texts become "under embargo", the rest nothing.
//!
//! May not: hide anything from people. They are shown it, marked.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde_json::{Map, Value, json};
use spacecp_contract::DocumentId;

use crate::AdvisoryIndex;

/// What stands where something is not said.
pub const REDACTED: &str = "under embargo";

/// Keys under which advisories and corrections are named.
const ADVISORIES: [&str; 2] = ["advisory", "advisories"];
const CORRECTIONS: [&str; 2] = ["correction", "corrections"];

/// Words and numbers that say nothing of a flaw: who did what, how it stands, and what it is called here.
const KEPT: [&str; 21] = [
    "application",
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

/// Lists of what belongs to the same advisory or correction.
const WITHIN: [&str; 2] = ["audit", "decisions"];

impl AdvisoryIndex {
    /// The same, as programs may be told it.
    pub fn redact(&self, value: Value) -> Value {
        match value {
            Value::Array(values) => values.into_iter().map(|one| self.redact(one)).collect(),
            Value::Object(object) if self.is_told(&object) => {
                let told = object.into_iter();
                told.map(|(key, one)| (key, self.redact(one))).collect()
            }
            Value::Object(object) => redact(object),
            plain => plain,
        }
    }

    /// The advisories and corrections at hand that are under embargo and named in it.
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

    /// Whether everything that an object is about may be spoken of. One that is about an advisory may name
    /// its correction, which is no more than an id.
    fn is_told(&self, object: &Map<String, Value>) -> bool {
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

/// What may be told of an object that is about something under embargo.
fn redact(object: Map<String, Value>) -> Value {
    let told = object.into_iter().map(|(key, value)| {
        let value = stays(&key, value);
        (key, value)
    });
    let mut told: BTreeMap<String, Value> = told.collect();
    told.insert("embargo".to_owned(), json!(true));
    json!(told)
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

    /// An advisory and its correction that everybody may know, and one of each that nobody may.
    fn advisory_index() -> AdvisoryIndex {
        AdvisoryIndex::having([("OPEN-1", "FIX-1", true), ("SECRET-2", "FIX-2", false)])
    }

    #[test]
    fn what_is_public_is_told_as_it_is() {
        let value = json!([{ "advisory": "OPEN-1", "title": "words", "score": 98 }, { "free": 1 }]);
        assert_eq!(advisory_index().redact(value.clone()), value);
        assert!(advisory_index().secrets_in(&value).is_empty());
    }

    #[test]
    fn of_what_is_under_embargo_ids_and_standing_stay_and_nothing_that_is_not_listed() {
        let value = json!({ "plans": [{
            "correction": "FIX-2", "revision": 3, "component": "houston", "from": "1.0.0",
            "began": "2026-11-01T00:00:00Z", "ended": "fixed in 1.0.1", "files": [{ "path": "a" }],
            "download": 7, "one-day": { "more": "words" }, "outcome": "applied",
        }]});
        let told = advisory_index().redact(value.clone());
        let expected = json!({ "plans": [{
            "correction": "FIX-2", "revision": 3, "component": REDACTED, "from": REDACTED,
            "began": "2026-11-01T00:00:00Z", "ended": REDACTED, "files": null,
            "download": null, "one-day": null, "outcome": "applied", "embargo": true,
        }]});
        assert_eq!(told, expected);
        let secrets = advisory_index().secrets_in(&value);
        assert_eq!(secrets, BTreeSet::from([id("FIX-2").unwrap()]));
    }

    #[test]
    fn what_is_not_at_hand_and_what_the_plugin_calls_secret_are_not_spoken_of_either() {
        for value in [
            json!({ "advisories": ["OPEN-1", "NOBODY-3"], "reason": "words" }),
            json!({ "advisory": { "id": "OPEN-1", "revision": 1 }, "embargo": true, "reason": "words" }),
            json!({ "advisories": ["OPEN-1"], "correction": "FIX-2", "reason": "words" }),
            json!({ "correction": "not an id \n", "reason": "words" }),
        ] {
            let told = advisory_index().redact(value.clone());
            assert_eq!(told["reason"], REDACTED, "{value}");
        }
    }

    #[test]
    fn what_belongs_to_it_is_neutral_whatever_it_names_itself() {
        let value = json!({ "correction": "FIX-2", "audit": [{ "number": 4, "to": "1.0.1" }] });
        let told = advisory_index().redact(value);
        assert_eq!(
            told["audit"],
            json!([{ "number": 4, "to": REDACTED, "embargo": true }])
        );
    }
}
