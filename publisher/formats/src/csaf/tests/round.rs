//! Whatever documents say, they are refused or come back.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::{again, csaf, take};
use crate::{Refusal, Terms, json::canonical};

/// Whatever stands in a field that no schema closes.
fn anything() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        "\\PC{0,8}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map("\\PC{0,4}", inner, 0..4)
                .prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}

fn any_status() -> impl Strategy<Value = Value> {
    let ids = || {
        let ids =
            prop::sample::select(vec!["range", "fix", "spared", "open", "foreign", "nowhere"]);
        prop::collection::vec(ids, 0..4)
    };
    (ids(), ids(), ids(), ids()).prop_map(|(affected, fixed, not, open)| {
        json!({
            "known_affected": affected,
            "fixed": fixed,
            "known_not_affected": not,
            "under_investigation": open,
        })
    })
}

proptest! {
    #[test]
    fn whatever_the_statuses_the_document_is_refused_or_comes_back(
        statuses in prop::collection::vec(any_status(), 1..4),
        more in anything(),
        title in "\\PC{1,40}",
    ) {
        let mut document = csaf();
        document["document"]["title"] = json!(title);
        document["x_more"] = more;
        let flaw = document["vulnerabilities"][0].clone();
        let flaws = statuses.into_iter().map(|status| {
            let mut flaw = flaw.clone();
            flaw["product_status"] = status;
            flaw
        });
        document["vulnerabilities"] = flaws.collect();
        match take(&document, &Terms::public()) {
            Ok(taken) => prop_assert_eq!(canonical(&again(&taken.advisory)), canonical(&document)),
            Err(Refusal::Components { .. }) => {}
            Err(other) => prop_assert!(false, "{}", other),
        }
    }

    #[test]
    fn a_part_that_is_something_else_is_refused_or_comes_back(
        place in prop::sample::select(vec![
            "/document", "/document/distribution", "/document/tracking/id", "/document/notes",
            "/document/tracking/revision_history", "/product_tree", "/product_tree/branches/0",
            "/vulnerabilities", "/vulnerabilities/0", "/vulnerabilities/0/flags",
            "/vulnerabilities/0/product_status", "/vulnerabilities/0/scores/0",
            "/vulnerabilities/0/cwe", "/vulnerabilities/0/threats/0/details",
        ]),
        other in anything(),
    ) {
        let mut document = csaf();
        *document.pointer_mut(place).unwrap() = other;
        if let Ok(taken) = take(&document, &Terms::public()) {
            prop_assert_eq!(canonical(&again(&taken.advisory)), canonical(&document));
        }
    }
}
