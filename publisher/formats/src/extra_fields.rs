//! The part of an external document that our fields do not say, and the document that both make together.
//!
//! It is a JSON Patch (RFC 6902) with nothing but `add`, `remove` and `replace` in it: nothing that
//! copies, and so nothing that grows.

use json_patch::{Patch, PatchOperation};
use serde_json::{Value, json};
use spacecp_contract::{Digest, LONGEST_REST, Source};

use super::{Limits, json};

/// Why an external document cannot be restored.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RestoreError {
    /// What was kept cannot be read.
    #[error("cannot read the extra fields of {id:?}: {reason}")]
    Unreadable {
        /// The id of the source.
        id: String,
        /// What is wrong.
        reason: String,
    },
    /// What comes out is not what was taken in.
    #[error("cannot export {id:?} as the original document: the advisory was changed since")]
    Changed {
        /// The id of the source.
        id: String,
    },
}

/// The digest of a document's facts.
pub fn digest(document: &Value) -> Digest {
    Digest::of(&json::canonical(document))
}

/// What turns `said`, the document as our fields have it, into the one that came; empty if that is
/// the same.
pub fn difference(said: &Value, came: &Value) -> String {
    let steps = json_patch::diff(said, came);
    if steps.is_empty() {
        return String::new();
    }
    let steps = json!(steps).to_string();
    // Where little was said, the whole is shorter than all its differences.
    let whole = json!([{ "op": "replace", "path": "", "value": came }]).to_string();
    if whole.len() < steps.len() {
        whole
    } else {
        steps
    }
}

/// The document that came, from what our fields say of it and what was kept beside.
///
/// # Errors
///
/// [`RestoreError`] where what comes out has not the digest that the source says.
pub fn restore(mut said: Value, source: &Source) -> Result<Value, RestoreError> {
    let unreadable = |reason: String| RestoreError::Unreadable {
        id: source.id.clone(),
        reason,
    };
    if !source.rest.is_empty() {
        let limits = Limits {
            document: LONGEST_REST,
            ..Limits::default()
        };
        let steps = json::read(source.rest.as_bytes(), &limits);
        let steps = steps.map_err(|error| unreadable(error.to_string()))?;
        let steps: Patch =
            serde_json::from_value(steps).map_err(|error| unreadable(error.to_string()))?;
        let plain = |step: &PatchOperation| {
            matches!(
                step,
                PatchOperation::Add(_) | PatchOperation::Remove(_) | PatchOperation::Replace(_)
            )
        };
        if !steps.iter().all(plain) {
            return Err(unreadable(
                "operations other than add, remove and replace".to_owned(),
            ));
        }
        // What does not fit what is there now was made for something else.
        json_patch::patch(&mut said, &steps).map_err(|_| RestoreError::Changed {
            id: source.id.clone(),
        })?;
    }
    if digest(&said) != source.digest {
        return Err(RestoreError::Changed {
            id: source.id.clone(),
        });
    }
    Ok(said)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use spacecp_contract::SourceFormat;

    use super::*;

    fn source(rest: String, came: &Value) -> Source {
        Source {
            format: SourceFormat::Osv,
            id: "X-1".to_owned(),
            digest: digest(came),
            rest,
        }
    }

    #[test]
    fn nothing_is_kept_of_what_is_said_already() {
        let said = json!({ "id": "X-1", "aliases": ["CVE-2026-1"] });
        assert_eq!(difference(&said, &said), "");
    }

    #[test]
    fn a_rest_that_copies_is_refused() {
        let said = json!({ "a": [1] });
        let bomb = json!([{ "op": "copy", "from": "", "path": "/a/-" }]).to_string();
        let refused = restore(said.clone(), &source(bomb, &said));
        assert!(
            matches!(&refused, Err(RestoreError::Unreadable { reason, .. }) if reason.contains("other than add")),
            "{refused:?}"
        );
    }

    #[test]
    fn what_was_changed_since_is_not_given_back_as_if_it_were_the_source() {
        let (said, came) = (json!({ "a": 1 }), json!({ "a": 1, "b": 2 }));
        let source = source(difference(&said, &came), &came);
        assert_eq!(restore(said, &source), Ok(came));
        let changed = restore(json!({ "a": 3 }), &source);
        assert_eq!(changed, Err(RestoreError::Changed { id: "X-1".into() }));
    }

    fn any_json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            "[a-c/~]{0,3}".prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 40, 5, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
                prop::collection::btree_map("[a-c/~]{0,2}", inner, 0..5)
                    .prop_map(|fields| Value::Object(fields.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn whatever_was_said_and_came_the_two_make_what_came(said in any_json(), came in any_json()) {
            let source = source(difference(&said, &came), &came);
            prop_assert_eq!(restore(said, &source), Ok(came));
        }
    }
}
