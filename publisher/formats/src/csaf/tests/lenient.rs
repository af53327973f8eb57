//! What a document may lack or have wrong without being refused.

use serde_json::{Value, json};
use spacecp_contract::{Advisory, NoticeKind, Tlp};

use super::{
    super::{Circumstances, document},
    again, csaf, take, taken,
    written::issuer,
};
use crate::Terms;

fn imported(change: impl FnOnce(&mut Value)) -> (Advisory, usize) {
    let mut document = csaf();
    change(&mut document);
    let taken = take(&document, &Terms::public()).unwrap();
    assert_eq!(again(&taken.advisory), document);
    (taken.advisory, taken.remarks.len())
}

#[test]
fn an_odd_or_missing_optional_item_costs_itself_and_comes_back() {
    let (_, before) = imported(|_| {});
    let changes: [(&str, Value); 7] = [
        ("/vulnerabilities/0/cve", json!(5)),
        ("/vulnerabilities/0/scores/0", json!({ "cvss_v3": {} })),
        (
            "/vulnerabilities/0/remediations/0",
            json!({ "details": "no category" }),
        ),
        ("/vulnerabilities/0/acknowledgments", json!("Ada")),
        ("/document/references/0", json!({ "summary": "no address" })),
        ("/document/tracking/initial_release_date", json!(null)),
        (
            "/document/tracking/current_release_date",
            json!("2026-02-03"),
        ),
    ];
    for (place, odd) in changes {
        let (advisory, remarks) =
            imported(|document| *document.pointer_mut(place).unwrap() = odd.clone());
        assert_eq!(advisory.affected.len(), 2, "{place}");
        assert!(remarks > before, "{place}");
    }
    let (advisory, _) = imported(|document| {
        document["document"]["references"] = json!([{ "url": "https://example.com/2" }]);
    });
    assert_eq!(advisory.references[0].title, "https://example.com/2");
}

#[test]
fn one_product_without_the_list_around_it_is_the_list_of_one() {
    let affected = |products: Value| {
        let place = "/vulnerabilities/0/product_status/known_affected";
        imported(|document| *document.pointer_mut(place).unwrap() = products).0
    };
    let one = affected(json!(["range"])).affected;
    assert_eq!(affected(json!("range")).affected, one);
}

#[test]
fn labels_of_both_versions_of_tlp_are_read_in_any_case() {
    for label in ["CLEAR", "White", "TLP:CLEAR"] {
        let advisory = taken(|document| {
            document["document"]["distribution"]["tlp"]["label"] = json!(label);
        });
        assert_eq!(advisory.unwrap().tlp, Tlp::Clear, "{label}");
    }
}

#[test]
fn a_document_of_csaf_2_1_is_read_with_its_own_fields() {
    let (advisory, _) = imported(|document| {
        document["document"]["csaf_version"] = json!("2.1");
        document["document"]["distribution"]["tlp"]["label"] = json!("CLEAR");
        document["product_tree"]["full_product_names"] = json!([{
            "name": "two", "product_id": "two",
            "product_identification_helper": { "purls": ["pkg:npm/two@1.0.0", "pkg:npm/two@1.0.0?a=b"] },
        }]);
        let flaw = &mut document["vulnerabilities"][0];
        flaw["product_status"]["known_affected"] = json!(["two"]);
        flaw["cwes"] = json!([{ "id": "CWE-79", "name": "x" }]);
        let vector = "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N";
        flaw["metrics"] =
            json!([{ "content": { "cvss_v4": { "vectorString": vector } }, "products": [] }]);
    });
    assert!(
        advisory
            .affected
            .iter()
            .any(|one| one.component.as_str() == "npm:two")
    );
    assert_eq!(advisory.cwe, [502, 79]);
    assert!(
        advisory
            .severity
            .iter()
            .any(|vector| vector.starts_with("CVSS:4.0"))
    );
}

#[test]
fn a_notice_is_written_as_an_informational_advisory_and_read_back() {
    let mut advisory = taken(|_| {}).unwrap();
    advisory.source = None;
    advisory.notice = Some(NoticeKind::Unsound);
    advisory.affected.truncate(1);
    let written = document(&advisory, &issuer(), &Circumstances::default()).unwrap();
    assert_eq!(
        written["document"]["category"],
        "csaf_informational_advisory"
    );
    assert_eq!(written.get("vulnerabilities"), None);
    let read = take(&written, &Terms::public()).unwrap().advisory;
    assert_eq!(
        (read.notice, &read.affected),
        (advisory.notice, &advisory.affected)
    );
}

#[test]
fn a_long_description_is_kept_once_and_comes_back() {
    let mut advisory = taken(|_| {}).unwrap();
    advisory.source = None;
    advisory.issue = "long ".repeat(180_000);
    let written = document(&advisory, &issuer(), &Circumstances::default()).unwrap();
    let read = take(&written, &Terms::public()).unwrap().advisory;
    assert_eq!(read.issue, advisory.issue.trim());
    assert_eq!(again(&read), written);
}
