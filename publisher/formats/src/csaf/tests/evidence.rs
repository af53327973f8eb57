//! Not affected needs evidence about the component itself.

use proptest::prelude::*;
use serde_json::{Value, json};
use spacecp_contract::{Advisory, Others};

use super::{csaf, others_of, product, take, taken};
use crate::Terms;

/// A document whose only statement is that this product is not affected.
fn spared(tree: Value) -> Value {
    let mut document = csaf();
    document["document"]["category"] = json!("csaf_vex");
    document["product_tree"] = tree;
    document["vulnerabilities"][0]["product_status"] = json!({ "known_not_affected": ["P"] });
    document["vulnerabilities"][0]["flags"] =
        json!([{ "label": "vulnerable_code_not_present", "product_ids": ["P"] }]);
    document
}

fn imported(document: &Value) -> (Advisory, String) {
    let taken = take(document, &Terms::public()).unwrap();
    let remarks = taken.remarks.iter().map(|remark| remark.reason.as_str());
    (taken.advisory, remarks.collect::<Vec<_>>().join("\n"))
}

/// That nothing is known of the component, and why is named.
fn is_unknown(document: &Value, component: &str) {
    let (advisory, remarks) = imported(document);
    assert!(
        advisory.not_affected.is_empty(),
        "{:?}",
        advisory.not_affected
    );
    assert_eq!(others_of(&advisory, component), Some(Others::Unstated));
    assert!(remarks.contains(component), "{remarks}");
}

fn alone(purl: &str) -> Value {
    json!({ "full_product_names": [product("P", purl)] })
}

#[test]
fn a_whole_component_is_spared() {
    for purl in ["pkg:npm/a", "pkg:npm/a@1.0.0", "pkg:maven/g/a?type=jar"] {
        let (advisory, _) = imported(&spared(alone(purl)));
        assert_eq!(advisory.not_affected.len(), 1, "{purl}");
    }
}

#[test]
fn a_component_within_an_appliance_spares_that_combination_alone() {
    let within = |cpe: Option<&str>| {
        let mut on = json!({ "name": "X", "product_id": "X" });
        if let Some(cpe) = cpe {
            on["product_identification_helper"] = json!({ "cpe": cpe });
        }
        spared(json!({
            "full_product_names": [product("A", "pkg:rpm/redhat/curl"), on],
            "relationships": [{
                "category": "default_component_of", "product_reference": "A",
                "relates_to_product_reference": "X",
                "full_product_name": { "name": "A of X", "product_id": "P" },
            }],
        }))
    };
    let (advisory, _) = imported(&within(Some("cpe:/o:redhat:enterprise_linux:9::baseos")));
    assert_eq!(
        advisory.not_affected[0].component.as_str(),
        "rpm:rhel-9:curl"
    );
    let mut npm = within(None);
    npm["product_tree"]["full_product_names"][0] = product("A", "pkg:npm/a");
    is_unknown(&npm, "npm:a");
    npm["product_tree"]["full_product_names"][1]["product_identification_helper"] =
        json!({ "cpe": "cpe:/o:redhat:enterprise_linux:9" });
    is_unknown(&npm, "npm:a");
}

#[test]
fn a_version_beside_a_range_of_all_spares_itself_alone() {
    let range = json!({ "branches": [{ "category": "product_version_range", "name": "vers:npm/*",
        "product": product("P", "pkg:npm/a@1.0.0") }] });
    let (advisory, _) = imported(&spared(range));
    let only = advisory.not_affected[0].only.as_deref().unwrap();
    assert_eq!((only.versions.len(), only.ranges.len()), (1, 0));
}

#[test]
fn another_range_in_the_place_of_a_version_spares_none() {
    let range = json!({ "branches": [{ "category": "product_version_range", "name": "vers:npm/<2.0.0",
        "product": product("P", "pkg:npm/a@%3C1.0.0") }] });
    is_unknown(&spared(range), "npm:a");
}

#[test]
fn no_version_spares_none() {
    let none = json!({ "branches": [{ "category": "product_version_range", "name": "vers:none/*",
        "product": product("P", "pkg:npm/a") }] });
    is_unknown(&spared(none), "npm:a");
}

#[test]
fn what_is_both_not_affected_and_under_investigation_is_unknown_and_named() {
    let mut document = spared(alone("pkg:npm/a"));
    document["vulnerabilities"][0]["product_status"]["under_investigation"] = json!(["P"]);
    let (advisory, remarks) = imported(&document);
    assert!(advisory.not_affected.is_empty());
    let others = others_of(&advisory, "npm:a");
    assert_eq!(others, Some(Others::UnderInvestigation));
    assert!(
        remarks.contains("not affected and under investigation"),
        "{remarks}"
    );
}

#[test]
fn a_version_under_investigation_is_named_to_panels_beside_what_is_spared() {
    let mut document = spared(json!({
        "full_product_names": [product("P", "pkg:npm/a"), product("Q", "pkg:npm/a@1.2.0")],
    }));
    document["vulnerabilities"][0]["product_status"]["under_investigation"] = json!(["Q"]);
    let (advisory, _) = imported(&document);
    assert_eq!(advisory.not_affected.len(), 1);
    let unlisted = advisory.affected[0].unlisted.as_deref().unwrap();
    assert_eq!(unlisted.investigated[0].introduced, "1.2.0");
    assert_eq!(
        unlisted.investigated[0].last_affected.as_deref(),
        Some("1.2.0")
    );
}

#[test]
fn ranges_of_a_part_leave_what_is_outside_of_them_open() {
    let others = |purl: &str| {
        let advisory = taken(|document| {
            let place = "/product_tree/branches/0/branches/0/branches/0/product";
            *document.pointer_mut(place).unwrap() = product("range", purl);
        });
        others_of(&advisory.unwrap(), "maven:org.example:logger")
    };
    assert_eq!(others("pkg:maven/org.example/logger"), None);
    let part = "pkg:maven/org.example/logger?classifier=linux";
    assert_eq!(others(part), Some(Others::Unstated));
}

#[test]
fn what_a_cpe_beside_the_package_url_narrows_spares_no_component() {
    let beside = |purl: &str, cpe: &str| {
        let mut tree = alone(purl);
        tree["full_product_names"][0]["product_identification_helper"]["cpe"] = json!(cpe);
        spared(tree)
    };
    let edition = "cpe:2.3:a:example:a:*:*:*:*:enterprise:*:*:*";
    is_unknown(&beside("pkg:npm/a", edition), "npm:a");
    for (purl, cpe) in [
        ("pkg:npm/a", "cpe:2.3:a:example:a:*:*:*:*:*:node.js:*:*"),
        ("pkg:pypi/a", "cpe:2.3:a:example:a:*:*:*:*:*:python:*:*"),
        (
            "pkg:rpm/redhat/a?distro=rhel-9",
            "cpe:/a:redhat:enterprise_linux:9::appstream",
        ),
    ] {
        let (advisory, _) = imported(&beside(purl, cpe));
        assert_eq!(advisory.not_affected.len(), 1, "{purl} {cpe}");
    }
}

#[test]
fn a_build_of_a_patch_level_corrects_no_other_build() {
    let fixed = |outer: &str| {
        let mut document = csaf();
        document["product_tree"] = json!({ "branches": [{ "category": outer, "name": "SP1",
            "branches": [{ "category": "architecture", "name": "x86_64",
                "product": product("P", "pkg:npm/a@1.2.0") }] }] });
        document["vulnerabilities"][0]["product_status"] = json!({ "fixed": ["P"] });
        let (advisory, _) = imported(&document);
        let unlisted = advisory.affected[0].unlisted.clone();
        unlisted.is_some_and(|unlisted| unlisted.fixed.contains(&"1.2.0".to_owned()))
            || advisory.affected[0]
                .ranges
                .iter()
                .any(|range| range.fixed.as_deref() == Some("1.2.0"))
    };
    assert!(fixed("product_family"));
    assert!(!fixed("patch_level"));
}

#[test]
fn only_the_list_of_a_security_advisory_is_complete() {
    let others = |category: &str| {
        let advisory = taken(|document| document["document"]["category"] = json!(category));
        others_of(&advisory.unwrap(), "maven:org.example:logger")
    };
    assert_eq!(others("csaf_security_advisory"), None);
    for category in [
        "csaf_vex",
        "csaf_base",
        "csaf_informational_advisory",
        "csaf_security_incident_response",
        "csaf_of_later",
    ] {
        assert_eq!(others(category), Some(Others::Unstated), "{category}");
    }
}

#[test]
fn a_component_that_one_of_two_vulnerabilities_spares_is_unknown() {
    let mut document = spared(alone("pkg:npm/a"));
    let mut silent = document["vulnerabilities"][0].clone();
    silent["cve"] = json!("CVE-2026-0002");
    silent["product_status"] = json!({});
    document["vulnerabilities"]
        .as_array_mut()
        .unwrap()
        .push(silent);
    is_unknown(&document, "npm:a");
}

#[test]
fn a_package_url_that_cannot_be_read_beside_one_that_can_is_named() {
    let mut tree = alone("pkg:npm/a");
    let helper = &mut tree["full_product_names"][0]["product_identification_helper"];
    *helper = json!({ "purls": ["pkg:npm/a", "no package url"] });
    let (advisory, remarks) = imported(&spared(tree));
    assert_eq!(advisory.not_affected.len(), 1);
    assert!(remarks.contains("no package url"), "{remarks}");
}

proptest! {
    #[test]
    fn nothing_that_narrows_a_product_spares_its_component(
        key in "[a-z]{3,9}", value in "[a-z0-9]{1,9}", place in 0..4u8, branch in "[a-z_]{3,12}",
    ) {
        let purl = match place {
            0 => format!("pkg:npm/a?{key}={value}"),
            1 => format!("pkg:npm/a@1.0.0?{key}={value}"),
            2 => format!("pkg:npm/a#{value}"),
            _ => "pkg:npm/a".to_owned(),
        };
        let whole = ["vendor", "product_family", "product_name", "product_version"];
        prop_assume!(!whole.contains(&branch.as_str()) && branch != "product_version_range");
        let category = if place == 3 { branch.as_str() } else { "product_name" };
        prop_assume!(category != "architecture");
        let tree = json!({ "branches": [{ "category": category, "name": value,
            "branches": [{ "category": "product_name", "name": "a", "product": product("P", &purl) }] }] });
        let (advisory, _) = imported(&spared(tree));
        prop_assert!(advisory.not_affected.is_empty(), "{}", purl);
    }
}
