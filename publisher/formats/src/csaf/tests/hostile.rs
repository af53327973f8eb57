//! Documents that are small and would make much work, or say two things at once.

use serde_json::json;

use super::{csaf, product, take, taken};
use crate::{Refusal, Terms};

#[test]
fn an_id_of_two_products_is_neither_of_them() {
    let mut document = csaf();
    document["product_tree"]["full_product_names"] = json!([product("range", "pkg:cargo/x")]);
    let taken = take(&document, &Terms::public()).unwrap();
    let named = |remark: &crate::Remark| remark.reason.contains("different products");
    assert!(taken.remarks.iter().any(named), "{:?}", taken.remarks);
    let spoken_of = |affected: &spacecp_contract::Affected| &*affected.component == "cargo:x";
    assert!(!taken.advisory.affected.iter().any(spoken_of));
}

#[test]
fn ids_that_name_one_long_range_again_and_again_end_the_reading() {
    let refused = taken(|document| {
        let range = (0..9_000).map(|number| format!(">={number}.0|<{number}.1|"));
        let range = format!("vers:maven/{}99999", range.collect::<String>());
        let place = "/product_tree/branches/0/branches/0/branches/0/name";
        *document.pointer_mut(place).unwrap() = json!(range);
        let ids = vec!["range"; 50_000];
        document["vulnerabilities"][0]["product_status"]["known_affected"] = json!(ids);
    });
    assert!(matches!(refused, Err(Refusal::Steps { .. })), "{refused:?}");
}

#[test]
fn one_long_text_that_is_said_of_many_names_ends_the_reading() {
    let refused = taken(|document| {
        let thanks = json!({ "names": vec!["Ada"; 50_000], "summary": "x".repeat(1 << 20) });
        document["document"]["acknowledgments"] = json!([thanks]);
    });
    assert!(matches!(refused, Err(Refusal::Steps { .. })), "{refused:?}");
}

#[test]
fn flags_that_name_one_large_group_again_and_again_end_the_reading() {
    let refused = taken(|document| {
        document["product_tree"]["product_groups"] =
            json!([{ "group_id": "g", "product_ids": vec!["range"; 50_000] }]);
        document["vulnerabilities"][0]["flags"] =
            json!([{ "label": "component_not_present", "group_ids": vec!["g"; 10_000] }]);
    });
    assert!(matches!(refused, Err(Refusal::Steps { .. })), "{refused:?}");
}
