//! What becomes of CSAF documents, and that they come back.

mod evidence;
mod hostile;
mod lenient;
mod round;
mod written;

use serde_json::{Value, json};
use spacecp_contract::{
    Advisory, Audience, Justification, Limits, Others, Tlp, VersionRange, VersionScheme, decode,
    encode,
};

use crate::{Converted, Format, Refusal, Terms, restore, to_advisory};

fn product(id: &str, purl: &str) -> Value {
    json!({ "name": id, "product_id": id, "product_identification_helper": { "purl": purl } })
}

fn version(category: &str, name: &str, product: Value) -> Value {
    json!({ "category": category, "name": name, "product": product })
}

/// A document with every part that decides something, and some that decide nothing.
fn csaf() -> Value {
    json!({
        "document": {
            "category": "csaf_security_advisory",
            "csaf_version": "2.0",
            "distribution": { "tlp": { "label": "WHITE" } },
            "lang": "en",
            "notes": [{ "category": "summary", "title": "Overview", "text": "Lookups run code." }],
            "publisher": { "category": "vendor", "name": "Example", "namespace": "https://example.com" },
            "references": [{ "category": "self", "summary": "This", "url": "https://example.com/1" }],
            "title": "Example: lookups run code",
            "tracking": {
                "id": "EX-2026:0001",
                "status": "final",
                "version": "2",
                "initial_release_date": "2026-01-02T00:00:00Z",
                "current_release_date": "2026-02-03T04:05:06Z",
                "aliases": ["EX-1"],
                "generator": { "engine": { "name": "a pen" } },
                "revision_history": [
                    { "date": "2026-01-02T00:00:00Z", "number": "1", "summary": "Published" },
                    { "date": "2026-02-03T04:05:06Z", "number": "2", "summary": "A fix" },
                ],
            },
        },
        "product_tree": { "branches": [{ "category": "vendor", "name": "Example", "branches": [
            { "category": "product_name", "name": "logger", "branches": [
                version("product_version_range", "vers:maven/>=2.0|<2.3.1", product("range", "pkg:maven/org.example/logger")),
                version("product_version", "2.3.1", product("fix", "pkg:maven/org.example/logger@2.3.1")),
            ] },
            { "category": "product_name", "name": "spared", "product": product("spared", "pkg:npm/%40example/spared") },
            { "category": "product_name", "name": "open", "product": product("open", "pkg:cargo/open") },
            { "category": "product_name", "name": "foreign", "product": product("foreign", "pkg:hex/foreign") },
        ] }] },
        "vulnerabilities": [{
            "cve": "CVE-2026-0001",
            "cwe": { "id": "CWE-502", "name": "Deserialization of Untrusted Data" },
            "acknowledgments": [{ "names": ["Ada"], "organization": "Engines", "summary": "found it" }],
            "flags": [{ "label": "vulnerable_code_not_in_execute_path", "product_ids": ["spared"] }],
            "notes": [{ "category": "description", "text": "What is logged is looked up." }],
            "product_status": {
                "known_affected": ["range"],
                "fixed": ["fix"],
                "known_not_affected": ["spared"],
                "under_investigation": ["open"],
            },
            "remediations": [
                { "category": "vendor_fix", "details": "Update to 2.3.1.", "product_ids": ["range"], "url": "https://example.com/fix" },
                { "category": "workaround", "details": "Switch lookups off.", "product_ids": ["range"] },
            ],
            "scores": [{ "products": ["range"], "cvss_v3": {
                "version": "3.1", "baseScore": 10.0, "baseSeverity": "CRITICAL",
                "vectorString": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H",
            } }],
            "threats": [
                { "category": "impact", "details": "Code of strangers runs." },
                { "category": "exploit_status", "details": "Publicly Disclosed:Yes; Exploited:Yes" },
            ],
        }],
    })
}

fn take(document: &Value, terms: &Terms) -> Result<Converted, Refusal> {
    to_advisory(Format::Csaf, document, terms)
}

fn taken(change: impl FnOnce(&mut Value)) -> Result<Advisory, Refusal> {
    let mut document = csaf();
    change(&mut document);
    take(&document, &Terms::public()).map(|taken| taken.advisory)
}

fn again(advisory: &Advisory) -> Value {
    let read: Advisory = decode(&encode(advisory), &Limits::default()).unwrap();
    restore(Format::Csaf, &read).unwrap().unwrap()
}

fn others_of(advisory: &Advisory, component: &str) -> Option<Others> {
    let mut affected = advisory.affected.iter();
    let found = affected.find(|affected| affected.component.as_str() == component);
    found?.unlisted.as_deref().map(|unlisted| unlisted.others)
}

#[test]
fn every_field_that_an_advisory_has_is_filled_from_the_document() {
    let advisory = taken(|_| {}).unwrap();
    assert_eq!(advisory.id.as_str(), "EX-2026-0001");
    assert_eq!(advisory.aliases, ["CVE-2026-0001", "EX-1", "EX-2026:0001"]);
    assert_eq!(advisory.tlp, Tlp::Clear);
    assert_eq!(advisory.title, "Example: lookups run code");
    assert_eq!(
        advisory.issue,
        "**Overview**\n\nLookups run code.\n\nWhat is logged is looked up."
    );
    assert!(advisory.impacts.starts_with("Code of strangers runs."));
    assert!(advisory.known_exploited);
    assert_eq!(
        advisory.solution,
        "Update to 2.3.1.\n\n<https://example.com/fix>"
    );
    assert_eq!(advisory.workarounds[0].text, "Switch lookups off.");
    assert_eq!(advisory.cwe, [502]);
    assert_eq!(advisory.severity.len(), 1);
    assert_eq!(advisory.credits[0].name, "Ada, Engines");
    assert_eq!(advisory.timeline.len(), 2);
    let logger = &advisory.affected[0];
    assert_eq!(logger.component.as_str(), "maven:org.example:logger");
    assert_eq!(logger.scheme, VersionScheme::Maven);
    let range = VersionRange {
        introduced: "2.0".into(),
        fixed: Some("2.3.1".into()),
        last_affected: None,
        limit: None,
    };
    assert_eq!(logger.ranges, [range]);
    let [spared] = advisory.not_affected.as_slice() else {
        panic!("{:?}", advisory.not_affected);
    };
    assert_eq!(spared.component.as_str(), "npm:@example/spared");
    assert_eq!(
        spared.justification,
        Justification::VulnerableCodeNotInExecutePath
    );
}

#[test]
fn a_document_comes_back_as_it_was() {
    assert_eq!(again(&taken(|_| {}).unwrap()), csaf());
}

#[test]
fn what_is_being_looked_into_is_unknown_to_panels_too() {
    let advisory = taken(|_| {}).unwrap();
    let others = others_of(&advisory, "cargo:open");
    assert_eq!(others, Some(Others::UnderInvestigation));
}

#[test]
fn what_is_called_affected_and_fixed_at_once_is_unknown_and_named() {
    for affected in [
        "pkg:maven/org.example/logger",
        "pkg:maven/org.example/logger@2.3.1",
    ] {
        let mut document = csaf();
        document["product_tree"]["full_product_names"] = json!([product("all", affected)]);
        document["vulnerabilities"][0]["product_status"]["known_affected"] = json!(["all"]);
        let taken = take(&document, &Terms::public()).unwrap();
        let others = others_of(&taken.advisory, "maven:org.example:logger");
        assert_eq!(others, Some(Others::Contradictory), "{affected}");
        let named = |remark: &crate::Remark| remark.reason.contains("affected and fixed");
        assert!(taken.remarks.iter().any(named), "{:?}", taken.remarks);
    }
}

#[test]
fn a_product_that_no_panel_has_is_kept_and_named() {
    let mut document = csaf();
    document["vulnerabilities"][0]["product_status"]["known_affected"] =
        json!(["range", "foreign", "nowhere"]);
    let taken = take(&document, &Terms::public()).unwrap();
    let fields: Vec<&str> = taken
        .remarks
        .iter()
        .map(|remark| remark.field.as_str())
        .collect();
    assert_eq!(
        fields,
        [
            "vulnerabilities[0].product_status.known_affected[1]",
            "vulnerabilities[0].product_status.known_affected[2]"
        ]
    );
}

#[test]
fn a_component_is_spared_only_if_a_flag_says_why_and_all_vulnerabilities_spare_it() {
    let without = taken(|document| document["vulnerabilities"][0]["flags"] = json!([]));
    assert!(without.unwrap().not_affected.is_empty());
    let other = taken(|document| {
        let more = json!({ "product_status": { "known_affected": ["range"] } });
        document["vulnerabilities"]
            .as_array_mut()
            .unwrap()
            .push(more);
    });
    assert!(other.unwrap().not_affected.is_empty());
}

#[test]
fn a_range_that_decides_and_cannot_be_read_is_unknown_and_named() {
    for range in ["vers:maven/<2.0|>=2.0", "some builds", "vers:pypi/<2.3.1"] {
        let mut document = csaf();
        let place = "/product_tree/branches/0/branches/0/branches/0/name";
        *document.pointer_mut(place).unwrap() = json!(range);
        let taken = take(&document, &Terms::public()).unwrap();
        let others = others_of(&taken.advisory, "maven:org.example:logger");
        assert_eq!(others, Some(Others::Unreadable), "{range}");
        let named = |remark: &crate::Remark| remark.field.ends_with("known_affected[0]");
        assert!(taken.remarks.iter().any(named), "{:?}", taken.remarks);
    }
}

#[test]
fn the_three_categories_about_vulnerabilities_are_taken_over() {
    for category in ["csaf_base", "csaf_vex", "csaf_security_advisory"] {
        let advisory = taken(|document| document["document"]["category"] = json!(category));
        assert!(advisory.is_ok(), "{category}: {advisory:?}");
    }
    for category in [
        "csaf_informational_advisory",
        "csaf_security_incident_response",
    ] {
        let refused = taken(|document| {
            document["document"]["category"] = json!(category);
            document["vulnerabilities"] = json!([]);
        });
        assert!(
            matches!(refused, Err(Refusal::Components { .. })),
            "{category}"
        );
    }
}

#[test]
fn another_version_of_csaf_is_refused_before_its_fields_are_looked_at() {
    for version in ["2.2", "1.2", ""] {
        let other = json!({ "document": { "csaf_version": version } });
        let refused = take(&other, &Terms::public());
        assert!(
            matches!(&refused, Err(Refusal::Version { found, .. }) if found == version),
            "{refused:?}"
        );
    }
}

#[test]
fn a_draft_is_not_passed_on() {
    let refused = taken(|document| document["document"]["tracking"]["status"] = json!("draft"));
    assert!(
        matches!(refused, Err(Refusal::Sharing { .. })),
        "{refused:?}"
    );
}

#[test]
fn what_is_not_for_everybody_does_not_become_public() {
    for label in ["GREEN", "AMBER", "RED"] {
        let refused = taken(|document| {
            document["document"]["distribution"]["tlp"]["label"] = json!(label);
        });
        assert!(
            matches!(&refused, Err(Refusal::Sharing { field, .. }) if *field == "document.distribution.tlp.label"),
            "{label}: {refused:?}"
        );
    }
    let mut document = csaf();
    document["document"]["distribution"]["tlp"]["label"] = json!("AMBER");
    let terms = Terms {
        audience: Audience::new("customers").unwrap(),
        ..Terms::public()
    };
    let advisory = take(&document, &terms).unwrap().advisory;
    assert_eq!(
        (advisory.tlp, advisory.audience),
        (Tlp::Amber, terms.audience)
    );
}

#[test]
fn a_label_is_made_stricter_and_never_looser() {
    let terms = |tlp| Terms {
        audience: Audience::new("customers").unwrap(),
        tlp,
        ..Terms::public()
    };
    let mut document = csaf();
    let stricter = take(&document, &terms(Tlp::Red)).unwrap().advisory;
    assert_eq!(stricter.tlp, Tlp::Red);
    document["document"]["distribution"]["tlp"]["label"] = json!("RED");
    let kept = take(&document, &terms(Tlp::Green)).unwrap().advisory;
    assert_eq!(kept.tlp, Tlp::Red);
    document["document"]["distribution"]["tlp"]["label"] = json!("PURPLE");
    let refused = take(&document, &terms(Tlp::Clear));
    assert!(
        matches!(refused, Err(Refusal::Sharing { .. })),
        "{refused:?}"
    );
}

#[test]
fn what_a_document_calls_fixed_was_affected_if_it_is_a_security_advisory() {
    let fixed_only = |category: &str| {
        let advisory = taken(|document| {
            document["document"]["category"] = json!(category);
            document["vulnerabilities"][0]["product_status"] = json!({ "fixed": ["fix"] });
        });
        advisory.unwrap().affected[0].clone()
    };
    let advisory = fixed_only("csaf_security_advisory");
    assert_eq!(advisory.ranges[0].fixed.as_deref(), Some("2.3.1"));
    for category in ["csaf_vex", "csaf_base"] {
        let stated = fixed_only(category);
        assert_eq!(stated.ranges, []);
        assert_eq!(stated.unlisted.unwrap().fixed, ["2.3.1"]);
    }
}

#[test]
fn without_remedies_the_solution_is_what_the_versions_tell() {
    let advisory = taken(|document| document["vulnerabilities"][0]["remediations"] = json!([]));
    let solution = advisory.unwrap().solution;
    assert!(
        solution.contains("`maven:org.example:logger` is corrected in `2.3.1`.")
            && solution.contains("EX-2026:0001 names no corrected version of `cargo:open`."),
        "{solution}"
    );
}
