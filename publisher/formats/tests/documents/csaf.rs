//! CSAF documents.

use serde_json::{Value, json};
use spacecp_contract::{Justification, Tlp};
use spacecp_formats::Format;

use super::{refused, returned, taken};

fn document() -> Value {
    let product = |id: &str, version: &str, category: &str, purl: &str| {
        json!({ "category": category, "name": version, "product": {
            "name": format!("parser {version}"), "product_id": id,
            "product_identification_helper": { "purl": purl },
        } })
    };
    json!({
        "document": {
            "category": "csaf_security_advisory",
            "csaf_version": "2.0",
            "title": "Parsing reads past the end",
            "distribution": { "tlp": { "label": "WHITE" }, "text": "For everybody" },
            "publisher": { "category": "vendor", "name": "Example", "namespace": "https://example.com" },
            "notes": [{ "category": "legal_disclaimer", "text": "As it is." }],
            "tracking": {
                "id": "EX-2024-0001",
                "initial_release_date": "2024-05-01T10:00:00Z",
                "current_release_date": "2024-05-02T10:00:00Z",
                "status": "final",
                "version": "2",
                "revision_history": [
                    { "date": "2024-05-01T10:00:00Z", "number": "1", "summary": "First" },
                    { "date": "2024-05-02T10:00:00Z", "number": "2", "summary": "Clearer" },
                ],
            },
        },
        "product_tree": { "branches": [{ "category": "vendor", "name": "Example", "branches": [
            { "category": "product_name", "name": "parser", "branches": [
                product("A", "vers:npm/>=1.0.0|<1.2.3", "product_version_range", "pkg:npm/%40scope/parser"),
                product("F", "1.2.3", "product_version", "pkg:npm/%40scope/parser@1.2.3"),
                product("N", "0.9.0", "product_version", "pkg:npm/%40scope/parser@0.9.0"),
            ] },
        ] }] },
        "vulnerabilities": [{
            "cve": "CVE-2024-1000",
            "cwe": { "id": "CWE-125", "name": "Out-of-bounds Read" },
            "notes": [{ "category": "description", "text": "A length is believed." }],
            "product_status": { "known_affected": ["A"], "fixed": ["F"], "known_not_affected": ["N"] },
            "flags": [{ "label": "vulnerable_code_not_present", "product_ids": ["N"] }],
            "scores": [{ "products": ["A"], "cvss_v3": {
                "version": "3.1", "vectorString": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N",
                "baseScore": 7.5, "baseSeverity": "HIGH" } }],
            "threats": [{ "category": "impact", "details": "Memory is read." }],
            "remediations": [
                { "category": "vendor_fix", "details": "Take 1.2.3.", "product_ids": ["A"] },
                { "category": "workaround", "details": "Close the port.", "product_ids": ["A"] },
            ],
        }],
    })
}

fn with(place: &str, value: Value) -> Value {
    let mut document = document();
    *document.pointer_mut(place).unwrap() = value;
    document
}

#[test]
fn what_has_a_field_here_goes_there() {
    let advisory = taken(Format::Csaf, &document()).advisory;
    assert_eq!(advisory.id.as_str(), "EX-2024-0001");
    assert!(advisory.aliases.contains(&"CVE-2024-1000".to_owned()));
    assert!(
        advisory.issue.contains("A length is believed."),
        "{}",
        advisory.issue
    );
    assert!(
        advisory.impacts.contains("Memory is read."),
        "{}",
        advisory.impacts
    );
    assert!(
        advisory.solution.contains("Take 1.2.3."),
        "{}",
        advisory.solution
    );
    assert_eq!(advisory.workarounds[0].text, "Close the port.");
    assert_eq!(advisory.cwe, [125]);
    assert_eq!(
        advisory.severity,
        ["CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N"]
    );
    let affected = &advisory.affected[0];
    assert_eq!(affected.component.as_str(), "npm:@scope/parser");
    assert_eq!(affected.ranges[0].introduced, "1.0.0");
    assert_eq!(affected.ranges[0].fixed.as_deref(), Some("1.2.3"));
}

#[test]
fn a_document_comes_back_as_it_was() {
    let document = document();
    assert_eq!(
        returned(Format::Csaf, &taken(Format::Csaf, &document)),
        document
    );
}

#[test]
fn a_whole_product_that_is_spared_says_why() {
    let mut document = with(
        "/product_tree/branches/0/branches/0/branches/2",
        json!({ "category": "product_version_range", "name": "vers:npm/*", "product": {
            "name": "other", "product_id": "N",
            "product_identification_helper": { "purl": "pkg:npm/other" } } }),
    );
    document["vulnerabilities"][0]["product_status"]["known_not_affected"] = json!(["N"]);
    let advisory = taken(Format::Csaf, &document).advisory;
    let not = &advisory.not_affected[0];
    assert_eq!(not.component.as_str(), "npm:other");
    assert_eq!(not.justification, Justification::VulnerableCodeNotPresent);
}

#[test]
fn a_label_is_the_least_and_what_is_not_public_does_not_enter_a_public_feed() {
    let words = refused(
        Format::Csaf,
        &with("/document/distribution/tlp/label", json!("AMBER")),
    );
    assert!(words.contains("AMBER"), "{words}");
    assert_eq!(taken(Format::Csaf, &document()).advisory.tlp, Tlp::Clear);
}

#[test]
fn what_cannot_be_known_is_refused_by_field() {
    for (place, value, field) in [
        (
            "/document/csaf_version",
            json!("2.2"),
            "document.csaf_version",
        ),
        (
            "/document/tracking/id",
            json!("x\u{202e}"),
            "document.tracking.id",
        ),
        (
            "/document/tracking/current_release_date",
            json!("soon"),
            "current_release_date",
        ),
        ("/document/distribution/tlp/label", json!("PURPLE"), "tlp"),
        (
            "/vulnerabilities/0/product_status",
            json!({ "known_affected": ["Z"] }),
            "",
        ),
    ] {
        let words = refused(Format::Csaf, &with(place, value.clone()));
        assert!(words.contains(field), "{place} {value}: {words}");
    }
}
