//! What other people's documents say of single versions, from the file to the verdict.
//!
//! Each document of `documents/` stands for a kind that is easily misread. A document may leave a version unknown; it
//! may never make one "not affected" that it does not speak of.

use proptest::prelude::*;
use serde_json::{Value, json};
use spacecp_advisories_plugin::{
    bindings::exports::spacecp::advisories::exposure::Status::{
        self, Affected, Fixed, NotAffected, Unknown,
    },
    exposure::{Index, Installed, Judgement},
};
use spacecp_contract::{Advisory, NoticeKind, encode};
use spacecp_formats::{
    Converted, Format, Limits, Mapped, ProductMap, Refusal, Terms, csaf, json, osv, restore,
    to_advisory,
};

macro_rules! document {
    ($name:literal) => {
        include_bytes!(concat!("documents/", $name, ".json")).as_slice()
    };
}

fn read(format: Format, bytes: &[u8]) -> Result<Converted, Refusal> {
    to_advisory(
        format,
        &json::read(bytes, &Limits::default())?,
        &Terms::public(),
    )
}

/// The advisory that a document becomes, by way of the bytes that are signed; and it comes back as it was.
fn taken(format: Format, bytes: &[u8]) -> Converted {
    let taken = read(format, bytes).unwrap();
    let signed = encode(&taken.advisory);
    let limits = spacecp_contract::Limits::default();
    let again: Advisory = spacecp_contract::decode(&signed, &limits).unwrap();
    assert_eq!(again, taken.advisory);
    let original = json::read(bytes, &Limits::default()).unwrap();
    assert_eq!(restore(format, &again).unwrap(), Ok(original));
    taken
}

fn judge(advisory: &Advisory, component: &str, version: &str) -> Option<Judgement> {
    let mut index = Index::default();
    index.put(advisory);
    let statement = index.statement(&advisory.id, component)?;
    Some(statement.judge(Some(&Installed::new(component, version))))
}

fn status(advisory: &Advisory, component: &str, version: &str) -> Option<Status> {
    judge(advisory, component, version).map(|judgement| judgement.status)
}

/// Holds versions of one component against what a document says of them.
fn says(bytes: &[u8], component: &str, expected: &[(&str, Status)]) -> Converted {
    let taken = taken(Format::Csaf, bytes);
    for (version, status) in expected {
        let judged = judge(&taken.advisory, component, version).unwrap();
        assert_eq!(judged.status, *status, "{version}: {}", judged.reason);
    }
    taken
}

#[test]
fn an_operator_in_the_name_of_a_version_is_a_range() {
    let le = document!("csaf-version-is-le");
    says(
        le,
        "maven:g.h:m1",
        &[("2.0", Affected), ("2.14.1", Affected), ("2.15.0", Unknown)],
    );
    let prior = document!("csaf-version-is-prior-to");
    says(
        prior,
        "maven:g.h:m2",
        &[("2.14.1", Affected), ("2.15.0", Fixed)],
    );
    let rpm = document!("csaf-rpm-version-is-lt");
    let versions = [("7.76.1-20.el9", Affected), ("7.76.1-26.el9", Fixed)];
    says(rpm, "rpm:almalinux-9:r4", &versions);
}

#[test]
fn the_first_and_the_last_affected_version_are_a_range() {
    let span = document!("csaf-first-and-last-affected");
    let versions = [
        ("0.9.0", Unknown),
        ("1.0.0", Affected),
        ("1.2.0", Affected),
        ("1.5.0", Affected),
        ("1.5.5", Unknown),
        ("1.6.0", Fixed),
        ("1.7.0", Fixed),
    ];
    says(span, "npm:n7", &versions);
}

#[test]
fn a_version_that_is_affected_says_nothing_of_others() {
    let alone = document!("csaf-known-affected-alone");
    let versions = [("1.2.2", Unknown), ("1.2.3", Affected), ("1.2.4", Fixed)];
    says(alone, "npm:n8", &versions);
}

#[test]
fn what_is_older_than_a_corrected_version_is_affected_as_a_security_advisory_says() {
    let fixed = document!("csaf-fixed-only");
    says(
        fixed,
        "npm:n9",
        &[("1.2.3", Affected), ("1.2.4", Fixed), ("2.0.0", Fixed)],
    );
    let vex = with(fixed, |document| {
        document["document"]["category"] = json!("csaf_vex");
    });
    says(&vex, "npm:n9", &[("1.2.3", Unknown), ("1.2.4", Fixed)]);
}

#[test]
fn between_two_corrected_versions_nobody_knows() {
    let two = with(document!("csaf-known-affected-alone"), |document| {
        document["vulnerabilities"][0]["product_status"] = json!({ "fixed": ["P0", "P1"] });
    });
    let versions = [
        ("1.2.2", Affected),
        ("1.2.3", Fixed),
        ("1.2.4-rc.1", Unknown),
        ("1.2.4", Fixed),
        ("1.2.5", Fixed),
    ];
    says(&two, "npm:n8", &versions);
}

#[test]
fn a_fix_before_what_is_affected_corrects_nothing_behind_it() {
    let turned = with(document!("csaf-known-affected-alone"), |document| {
        document["vulnerabilities"][0]["product_status"] =
            json!({ "known_affected": ["P1"], "fixed": ["P0"] });
    });
    let versions = [("1.2.3", Fixed), ("1.2.4", Affected), ("1.3.0", Unknown)];
    says(&turned, "npm:n8", &versions);
}

#[test]
fn what_is_under_investigation_is_unknown_and_says_so() {
    let open = document!("csaf-under-investigation");
    let taken = says(open, "npm:n44", &[("1.0.0", Unknown), ("2.0.0", Unknown)]);
    let judged = judge(&taken.advisory, "npm:n44", "1.0.0").unwrap();
    assert!(
        judged.reason.contains("still investigating"),
        "{}",
        judged.reason
    );
}

#[test]
fn a_recommended_version_alone_says_nothing() {
    let recommended = with(document!("csaf-fixed-only"), |document| {
        document["vulnerabilities"][0]["product_status"] = json!({ "recommended": ["P0"] });
    });
    says(
        &recommended,
        "npm:n9",
        &[("1.2.3", Unknown), ("1.2.4", Unknown)],
    );
}

#[test]
fn vers_is_read_in_full() {
    let above = [
        ("0.9.0", NotAffected),
        ("1.0.0", NotAffected),
        ("1.0.1", Affected),
        ("1.5.0", Fixed),
    ];
    says(document!("csaf-vers-all"), "npm:v2", &above);
    let all = [("0.0.1", Affected), ("99.0.0", Affected)];
    says(document!("csaf-vers-gt"), "npm:v4", &all);
    let without = [
        ("1.1.0", Affected),
        ("1.2.0", NotAffected),
        ("1.2.1", Affected),
        ("1.5.0", Fixed),
    ];
    says(document!("csaf-vers-ne"), "npm:v7", &without);
}

#[test]
fn a_range_that_cannot_be_read_costs_its_product_alone_by_name() {
    let odd = with(document!("csaf-vers-ne"), |document| {
        let branches = &mut document["product_tree"]["branches"][0]["branches"];
        let mut other = branches[0].clone();
        other["branches"][0]["name"] = json!("vers:npm/>=soon");
        other["branches"][0]["product"]["product_id"] = json!("P1");
        other["branches"][0]["product"]["product_identification_helper"]["purl"] =
            json!("pkg:npm/v8");
        branches.as_array_mut().unwrap().push(other);
        document["vulnerabilities"][0]["product_status"]["known_affected"] = json!(["P0", "P1"]);
    });
    let taken = says(&odd, "npm:v7", &[("1.1.0", Affected)]);
    says(&odd, "npm:v8", &[("1.1.0", Unknown)]);
    let named = |remark: &spacecp_formats::Remark| {
        remark.field == "vulnerabilities[0].product_status.known_affected[1]"
            && remark.reason.contains("soon")
    };
    assert!(taken.remarks.iter().any(named), "{:?}", taken.remarks);
}

#[test]
fn any_tracking_id_enters_and_is_kept() {
    for (bytes, original) in [
        (document!("csaf-id-begins-with-digit"), "9AKK108468A4093"),
        (document!("csaf-id-with-space"), "ACME 2026/01"),
    ] {
        let advisory = taken(Format::Csaf, bytes).advisory;
        assert!(advisory.aliases.iter().any(|alias| alias == original));
        assert_eq!(advisory.source.as_ref().unwrap().id, original);
        assert_eq!(status(&advisory, "npm:n48", "1.0.0"), Some(Affected));
    }
}

#[test]
fn dates_out_of_order_are_taken_with_a_remark() {
    let osv = taken(Format::Osv, document!("osv-modified-before-published"));
    assert_eq!(osv.advisory.published, osv.advisory.modified);
    assert_eq!(osv.remarks[0].field, "published");
    let turned = with(document!("csaf-fixed-only"), |document| {
        let date = json!("2026-01-01T12:00:00Z");
        document["document"]["tracking"]["initial_release_date"] = date;
    });
    let csaf = taken(Format::Csaf, &turned);
    assert_eq!(csaf.advisory.published, csaf.advisory.modified);
    assert_eq!(
        csaf.remarks[0].field,
        "document.tracking.initial_release_date"
    );
}

#[test]
fn our_own_export_of_a_withdrawn_advisory_is_read_as_withdrawn() {
    let mut advisory = taken(Format::Csaf, document!("csaf-withdrawn-export")).advisory;
    assert_eq!(status(&advisory, "npm:foo", "1.0.0"), Some(Affected));
    advisory.source = None;
    let since = "2026-03-01T00:00:00Z".parse().unwrap();
    advisory.modified = since;
    advisory.withdrawn = Some(since);
    advisory.timeline.push(spacecp_contract::TimelineEntry {
        at: since,
        event: spacecp_formats::timeline::withdrawal("It was no flaw. Nothing is wrong."),
    });
    let issuer = csaf::Issuer {
        name: "A".into(),
        namespace: "https://a.example".into(),
    };
    let exported = csaf::document(&advisory, &issuer, &csaf::Circumstances::default()).unwrap();
    let again = taken(Format::Csaf, exported.to_string().as_bytes()).advisory;
    assert_eq!((&again.id, again.withdrawn), (&advisory.id, Some(since)));
    assert_eq!(
        spacecp_formats::timeline::reason_of_withdrawal(&again),
        Some("It was no flaw. Nothing is wrong.")
    );
    let exported = osv::document(&advisory);
    let again = taken(Format::Osv, exported.to_string().as_bytes()).advisory;
    assert_eq!(again.withdrawn, Some(since));
}

#[test]
fn a_product_of_products_is_what_it_is_made_of_in_the_end() {
    let nested = with(document!("csaf-fixed-only"), |document| {
        let name = |id: &str| json!({ "name": id, "product_id": id });
        document["product_tree"]["full_product_names"] = json!([name("A"), name("S")]);
        document["product_tree"]["relationships"] = json!([
            { "category": "installed_on", "full_product_name": name("SAP"), "product_reference": "AP", "relates_to_product_reference": "S" },
            { "category": "installed_on", "full_product_name": name("AP"), "product_reference": "P0", "relates_to_product_reference": "A" },
        ]);
        document["vulnerabilities"][0]["product_status"] = json!({ "known_affected": ["SAP"] });
    });
    says(
        &nested,
        "npm:n9",
        &[("1.2.4", Affected), ("1.2.3", Unknown)],
    );
    let circle = with(&nested, |document| {
        document["product_tree"]["relationships"][1]["product_reference"] = json!("SAP");
    });
    let refused = read(Format::Csaf, &circle).unwrap_err();
    assert!(
        refused.to_string().contains("refers to itself"),
        "{refused}"
    );
}

#[test]
fn a_product_that_is_there_twice_alike_is_there_once_and_otherwise_unknown() {
    let twice = |purl: &str| {
        with(document!("csaf-known-affected-alone"), |document| {
            let branches = &mut document["product_tree"]["branches"][0]["branches"][0]["branches"];
            let mut again = branches[0].clone();
            again["product"]["product_identification_helper"]["purl"] = json!(purl);
            branches.as_array_mut().unwrap().push(again);
        })
    };
    says(&twice("pkg:npm/n8"), "npm:n8", &[("1.2.3", Affected)]);
    let taken = says(&twice("pkg:npm/other"), "npm:n8", &[("1.2.4", Fixed)]);
    let named = taken
        .remarks
        .iter()
        .any(|remark| remark.reason.contains("different products"));
    assert!(named, "{:?}", taken.remarks);
}

#[test]
fn a_product_without_a_package_url_is_what_the_desk_says() {
    let bare = with(document!("csaf-known-affected-alone"), |document| {
        let branches = &mut document["product_tree"]["branches"][0]["branches"][0]["branches"];
        for branch in branches.as_array_mut().unwrap() {
            branch["product"]["product_identification_helper"] =
                json!({ "cpe": "cpe:2.3:a:acme:n:1.0.0:*:*:*:*:*:*:*" });
        }
    });
    let document = json::read(&bare, &Limits::default()).unwrap();
    let refused = to_advisory(Format::Csaf, &document, &Terms::public()).unwrap_err();
    let Refusal::Unmapped { products } = refused else {
        panic!("{refused}");
    };
    let names: Vec<_> = products
        .iter()
        .map(|one| (one.cpe.as_deref(), one.name.as_str()))
        .collect();
    assert_eq!(names, [(Some("cpe:a:acme:n"), "ACME/n")]);
    for name in ["cpe:a:acme:n", "ACME/n", "n"] {
        let mut terms = Terms::public();
        let mapped = Mapped {
            component: "npm:n8".parse().unwrap(),
            scheme: None,
        };
        terms.products.put(name, mapped);
        let advisory = to_advisory(Format::Csaf, &document, &terms)
            .unwrap()
            .advisory;
        assert_eq!(
            status(&advisory, "npm:n8", "1.2.3"),
            Some(Affected),
            "{name}"
        );
        assert_eq!(status(&advisory, "npm:n8", "1.2.4"), Some(Fixed), "{name}");
    }
    assert_eq!(ProductMap::default(), Terms::public().products);
}

#[test]
fn what_a_vendor_says_of_one_version_holds_for_that_version() {
    let spared = with(document!("csaf-known-affected-alone"), |document| {
        let flaw = &mut document["vulnerabilities"][0];
        flaw["product_status"] = json!({ "known_affected": ["P0"], "known_not_affected": ["P1"] });
        flaw["flags"] = json!([{ "label": "vulnerable_code_not_present", "product_ids": ["P1"] }]);
    });
    let versions = [
        ("1.2.3", Affected),
        ("1.2.4", NotAffected),
        ("1.2.5", Unknown),
    ];
    says(&spared, "npm:n8", &versions);
    let unsaid = with(&spared, |document| {
        document["vulnerabilities"][0]["flags"] = json!([]);
    });
    says(&unsaid, "npm:n8", &[("1.2.4", Unknown)]);
    let words = with(&unsaid, |document| {
        document["vulnerabilities"][0]["threats"] = json!([{ "category": "impact", "details": "The code is not there.", "product_ids": ["P1"] }]);
    });
    says(&words, "npm:n8", &[("1.2.4", NotAffected)]);
    let rated = with(&words, |document| {
        document["vulnerabilities"][0]["threats"][0]["details"] = json!("Important");
    });
    says(&rated, "npm:n8", &[("1.2.4", Unknown)]);
}

#[test]
fn a_list_of_which_something_cannot_be_read_decides_nothing_of_what_it_does_not_name() {
    let readable =
        json!({ "type": "ECOSYSTEM", "events": [{ "introduced": "0" }, { "fixed": "2.0.0" }] });
    let unknown = json!({ "type": "WEIRD", "events": [{ "introduced": "2.5.0" }] });
    let commits =
        json!({ "type": "GIT", "repo": "https://example.com", "events": [{ "introduced": "0" }] });
    for (ranges, versions, found) in [
        (json!([readable, unknown]), json!([]), Unknown),
        (json!([readable, commits]), json!([]), Fixed),
        (json!([readable]), json!(["3.x"]), Unknown),
        (json!([]), json!(["1.0.0", "1.1"]), Unknown),
    ] {
        let record = json!({
            "id": "GHSA-part", "modified": "2026-01-01T00:00:00Z", "summary": "s",
            "affected": [{ "package": { "ecosystem": "npm", "name": "n8n" }, "ranges": ranges, "versions": versions }],
        });
        let taken = taken(Format::Osv, record.to_string().as_bytes());
        assert_eq!(
            status(&taken.advisory, "npm:n8n", "2.8.0"),
            Some(found),
            "{record}"
        );
    }
}

#[test]
fn one_unreadable_event_leaves_its_range_unknown_and_names_it() {
    let record = json!({
        "id": "GHSA-odd", "modified": "2026-01-01T00:00:00Z", "summary": "s",
        "affected": [
            { "package": { "ecosystem": "npm", "name": "n8n" }, "ranges": [{ "type": "ECOSYSTEM",
              "events": [{ "introduced": "0" }, { "fixed": ">= 1.123.64" }] }] },
            { "package": { "ecosystem": "npm", "name": "n8n" }, "ranges": [{ "type": "ECOSYSTEM",
              "events": [{ "introduced": "2.0.0" }, { "fixed": "2.29.8" }] }] },
        ],
    });
    let taken = taken(Format::Osv, record.to_string().as_bytes());
    let of = |version| status(&taken.advisory, "npm:n8n", version);
    assert_eq!(
        (of("2.10.0"), of("1.0.0"), of("3.0.0")),
        (Some(Affected), Some(Unknown), Some(Unknown))
    );
    assert!(
        taken.remarks[0].reason.contains(">= 1.123.64"),
        "{:?}",
        taken.remarks
    );
}

#[test]
fn what_is_informational_for_all_packages_is_a_notice() {
    let record = |specific: [Value; 2]| {
        let affected = specific.map(|specific| {
            json!({ "package": { "ecosystem": "crates.io", "name": "x" }, "database_specific": specific,
                "ranges": [{ "type": "SEMVER", "events": [{ "introduced": "0" }] }] })
        });
        json!({ "id": "RUSTSEC-2026-1", "modified": "2026-01-01T00:00:00Z", "summary": "s", "affected": affected })
    };
    let unmaintained = json!({ "informational": "unmaintained" });
    let flaw = json!({ "informational": null });
    let notice = |one: &Value, other: &Value| {
        let record = record([one.clone(), other.clone()]);
        taken(Format::Osv, record.to_string().as_bytes())
            .advisory
            .notice
    };
    assert_eq!(
        notice(&unmaintained, &unmaintained),
        Some(NoticeKind::Unmaintained)
    );
    assert_eq!(notice(&unmaintained, &flaw), None);
    assert_eq!(notice(&flaw, &flaw), None);
}

/// The document with something changed.
fn with(bytes: &[u8], change: impl FnOnce(&mut Value)) -> Vec<u8> {
    let mut document = serde_json::from_slice(bytes).unwrap();
    change(&mut document);
    document.to_string().into_bytes()
}

const NUMBERS: u8 = 7;

fn number(number: u8) -> String {
    format!("{number}.0.0")
}

/// A product by the name of its version, and the versions that it speaks of.
fn product() -> impl Strategy<Value = (String, String, Vec<u8>)> {
    let one = 0..NUMBERS;
    prop_oneof![
        one.clone()
            .prop_map(|one| ("product_version", number(one), vec![one])),
        one.clone().prop_map(|one| (
            "product_version",
            format!("<= {}", number(one)),
            (0..=one).collect()
        )),
        one.clone().prop_map(|one| (
            "product_version",
            format!("prior to {}", number(one)),
            (0..=one).collect()
        )),
        one.clone().prop_map(|one| (
            "product_version",
            format!("{} and later", number(one)),
            (one..NUMBERS).collect()
        )),
        Just(("product_version", "the old ones".to_owned(), Vec::new())),
        Just((
            "product_version_range",
            "vers:npm/>=soon".to_owned(),
            Vec::new()
        )),
        (one, 1..4_u8).prop_map(|(from, many)| {
            let to = from + many;
            let range = format!("vers:npm/>={}|<{}", number(from), number(to));
            ("product_version_range", range, (0..NUMBERS).collect())
        }),
    ]
    .prop_map(|(category, name, spoken)| (category.to_owned(), name, spoken))
}

const LISTS: [&str; 8] = [
    "known_affected",
    "first_affected",
    "last_affected",
    "fixed",
    "first_fixed",
    "known_not_affected",
    "under_investigation",
    "recommended",
];

proptest! {
    #[test]
    fn no_document_makes_a_version_not_affected_that_it_does_not_speak_of(
        products in prop::collection::vec((product(), 0..LISTS.len()), 1..5),
        category in prop::sample::select(vec!["csaf_base", "csaf_vex", "csaf_security_advisory"]),
        flagged in any::<bool>(),
    ) {
        let mut branches = Vec::new();
        let (mut status, mut ids) = (json!({}), Vec::new());
        for (place, ((category, name, _), list)) in products.iter().enumerate() {
            let id = format!("P{place}");
            branches.push(json!({ "category": category, "name": name, "product": {
                "name": name, "product_id": id,
                "product_identification_helper": { "purl": "pkg:npm/n" } } }));
            let list = &mut status[LISTS[*list]];
            if list.is_null() { *list = json!([]); }
            list.as_array_mut().unwrap().push(json!(id));
            ids.push(id);
        }
        let bytes = with(document!("csaf-fixed-only"), |document| {
            document["document"]["category"] = json!(category);
            document["product_tree"]["branches"][0]["branches"][0]["branches"] = json!(branches);
            let flaw = &mut document["vulnerabilities"][0];
            flaw["product_status"] = status;
            if flagged {
                flaw["flags"] = json!([{ "label": "component_not_present", "product_ids": ids }]);
            }
        });
        let Ok(taken) = read(Format::Csaf, &bytes) else { return Ok(()) };
        for version in 0..NUMBERS {
            let judged = judge(&taken.advisory, "npm:n", &number(version));
            if judged.is_none_or(|judged| judged.status != NotAffected) {
                continue;
            }
            let speaks = |list: &str| products.iter().any(|((_, _, spoken), of)| {
                LISTS[*of] == list && spoken.contains(&version)
            });
            let bounded = category == "csaf_security_advisory" && products.iter().all(|((kind, _, spoken), of)| {
                LISTS[*of] != "known_affected" || kind == "product_version_range" && !spoken.is_empty()
            });
            prop_assert!(
                speaks("known_not_affected") && flagged || bounded && speaks("known_affected"),
                "{} of {:?}", version, products
            );
        }
    }
}
