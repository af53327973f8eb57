//! What becomes of records, and that they come back.

use proptest::prelude::*;
use serde_json::{Value, json};
use spacecp_contract::{Advisory, Audience, Limits, Others, VersionScheme, decode, encode};

use crate::{Converted, Format, Refusal, Terms, json::canonical, restore, to_advisory};

/// A record with every field that decides something, and some that decide nothing.
fn record() -> Value {
    json!({
        "schema_version": "1.7.3",
        "id": "GHSA-jfh8-c2jp-5v3q",
        "modified": "2026-02-03T04:05:06.789Z",
        "published": "2026-01-02T00:00:00Z",
        "aliases": ["CVE-2026-0001"],
        "related": ["CVE-2026-0002"],
        "upstream": ["CVE-2026-0003"],
        "summary": "Lookups run code",
        "details": "## Issue\n\nWhat is logged is looked up.",
        "severity": [{ "type": "CVSS_V3", "score": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H" }],
        "affected": [
            {
                "package": { "ecosystem": "Maven", "name": "org.example:logger", "purl": "pkg:maven/org.example/logger" },
                "ranges": [{ "type": "ECOSYSTEM", "events": [
                    { "introduced": "2.0" }, { "fixed": "2.3.1" },
                    { "introduced": "2.4" }, { "fixed": "2.12.2" },
                ] }],
                "versions": ["2.0", "2.4.1"],
                "database_specific": { "source": "https://example.com/1" },
                "ecosystem_specific": { "functions": ["lookup"] },
            },
            { "package": { "ecosystem": "Hex", "name": "logger" }, "versions": ["1.0"] },
        ],
        "references": [{ "type": "FIX", "url": "https://example.com/fix" }],
        "credits": [{ "name": "Ada", "type": "FINDER", "contact": ["mailto:ada@example.com"] }],
        "database_specific": { "cwe_ids": ["CWE-20", "CWE-502"], "github_reviewed": true },
    })
}

fn take(document: &Value) -> Result<Converted, Refusal> {
    to_advisory(Format::Osv, document, &Terms::public())
}

fn taken(change: impl FnOnce(&mut Value)) -> Result<Advisory, Refusal> {
    let mut record = record();
    change(&mut record);
    take(&record).map(|taken| taken.advisory)
}

/// The document that comes back after the advisory went the way of a signed one.
fn again(advisory: &Advisory) -> Value {
    let read: Advisory = decode(&encode(advisory), &Limits::default()).unwrap();
    restore(Format::Osv, &read).unwrap().unwrap()
}

#[test]
fn every_field_that_an_advisory_has_is_filled_from_the_record() {
    let advisory = taken(|_| {}).unwrap();
    assert_eq!(advisory.id.as_str(), "GHSA-JFH8-C2JP-5V3Q");
    assert_eq!(advisory.source.as_ref().unwrap().id, "GHSA-jfh8-c2jp-5v3q");
    // Its own id, where it is spelt otherwise, is a name that others may know it by.
    assert_eq!(advisory.aliases, ["CVE-2026-0001", "GHSA-jfh8-c2jp-5v3q"]);
    assert_eq!(advisory.audience.as_str(), Audience::PUBLIC);
    assert_eq!(advisory.title, "Lookups run code");
    assert_eq!(advisory.issue, "## Issue\n\nWhat is logged is looked up.");
    assert_eq!(advisory.modified.to_string(), "2026-02-03T04:05:06.789Z");
    assert_eq!(advisory.cwe, [20, 502]);
    assert_eq!(advisory.credits[0].role, "finder");
    assert_eq!(advisory.references[0].title, "Fix");
    assert_eq!(advisory.severity.len(), 1);
    let [affected] = advisory.affected.as_slice() else {
        panic!("{:?}", advisory.affected);
    };
    assert_eq!(affected.component.as_str(), "maven:org.example:logger");
    assert_eq!(affected.scheme, VersionScheme::Maven);
    assert_eq!(affected.ranges.len(), 2);
    assert_eq!(affected.versions, ["2.0", "2.4.1"]);
    assert_eq!(
        advisory.solution,
        "- `maven:org.example:logger` is corrected in `2.3.1`, `2.12.2`."
    );
}

#[test]
fn a_record_comes_back_as_it_was() {
    let advisory = taken(|_| {}).unwrap();
    assert_eq!(again(&advisory), record());
}

#[test]
fn an_advisory_that_was_changed_since_is_not_given_back_as_the_record() {
    let mut advisory = taken(|_| {}).unwrap();
    advisory.title = "Nothing to see".into();
    let refused = restore(Format::Osv, &advisory).unwrap();
    assert!(refused.is_err(), "{refused:?}");
}

#[test]
fn a_package_that_no_panel_has_is_kept_and_named() {
    let remarks = take(&record()).unwrap().remarks;
    let [remark] = remarks.as_slice() else {
        panic!("{remarks:?}");
    };
    assert_eq!(remark.field, "affected[1].package");
    assert!(remark.reason.contains("Hex"), "{remark:?}");
}

#[test]
fn a_record_of_nothing_that_a_panel_has_is_refused() {
    for affected in [
        json!([]),
        json!([{ "package": { "ecosystem": "Hex", "name": "x" }, "versions": ["1.0.0"] }]),
        json!([{ "versions": ["1.0.0"] }]),
        json!([{ "package": { "ecosystem": "crates.io", "name": "../x" }, "versions": ["1.0.0"] }]),
    ] {
        let refused = taken(|record| record["affected"] = affected.clone());
        assert!(
            matches!(refused, Err(Refusal::Components { .. })),
            "{affected}: {refused:?}"
        );
    }
}

/// What becomes of a record about these packages: each an ecosystem, its events and what is specific to it.
fn taken_of(packages: &[(&str, Value, Value)]) -> Converted {
    let affected = packages.iter().map(|(ecosystem, events, specific)| {
        json!({
            "package": { "ecosystem": ecosystem, "name": "systemd" },
            "ranges": [{ "type": "ECOSYSTEM", "events": events }],
            "ecosystem_specific": specific,
        })
    });
    let mut record = record();
    record["affected"] = affected.collect();
    let converted = take(&record).unwrap();
    assert_eq!(again(&converted.advisory), record);
    converted
}

#[test]
fn a_flaw_of_another_system_alone_is_none_of_a_panel_and_says_so() {
    let windows = json!({ "affects": { "os": ["windows"], "arch": [], "functions": ["a::b"] } });
    let events = json!([{ "introduced": "0" }, { "fixed": "1.2.0" }]);
    let converted = taken_of(&[("crates.io", events, windows)]);
    let advisory = converted.advisory;
    assert_eq!(advisory.affected, []);
    assert_eq!(advisory.not_affected[0].component.as_str(), "cargo:systemd");
    assert!(advisory.impacts.contains("windows") && advisory.impacts.contains("a::b"));
    assert!(advisory.solution.contains("1.2.0"), "{}", advisory.solution);
    assert!(
        converted
            .remarks
            .iter()
            .any(|remark| remark.reason.contains("windows"))
    );
}

#[test]
fn what_is_corrected_for_subscribers_ends_what_is_open_for_all() {
    let open = json!([{ "introduced": "0" }]);
    let fixed = json!([{ "introduced": "0" }, { "fixed": "245.4-4ubuntu3.24+esm1" }]);
    let converted = taken_of(&[
        ("Ubuntu:20.04:LTS", open.clone(), json!({})),
        ("Ubuntu:Pro:20.04:LTS", fixed.clone(), json!({})),
    ]);
    let [affected] = converted.advisory.affected.as_slice() else {
        panic!("{:?}", converted.advisory.affected);
    };
    assert_eq!(affected.component.as_str(), "deb:ubuntu-20.04:systemd");
    assert_eq!(
        affected.ranges[0].fixed.as_deref(),
        Some("245.4-4ubuntu3.24+esm1")
    );
    // Where they have none either, it stays open; and of another release it says nothing.
    let converted = taken_of(&[
        ("Ubuntu:20.04:LTS", open.clone(), json!({})),
        ("Ubuntu:Pro:18.04:LTS", fixed, json!({})),
    ]);
    let open_ones = converted.advisory.affected.iter();
    let open_ones = open_ones.filter(|one| one.ranges[0].fixed.is_none());
    assert_eq!(open_ones.count(), 1);
}

#[test]
fn versions_that_decide_and_cannot_be_read_are_unknown_and_named() {
    for ranges in [
        json!([{ "type": "GIT", "repo": "https://example.com", "events": [{ "introduced": "0" }] }]),
        json!([{ "type": "SEMVER", "events": [{ "introduced": "soon" }] }]),
        json!([{ "type": "SEMVER", "events": [{ "fixed": "1.0.0" }] }]),
        json!([{ "type": "SEMVER", "events": [] }]),
        json!([{ "type": "SEMVER", "events": [{ "introduced": "0" }, { "begun": "2.0.0" }] }]),
        json!([{ "type": "SEMVER", "events": [{ "introduced": "0" }, { "fixed": 2 }] }]),
        json!([{ "type": "SEMVER", "events": [{ "introduced": "0" }, "fixed"] }]),
    ] {
        let mut record = record();
        record["affected"] =
            json!([{ "package": { "ecosystem": "crates.io", "name": "x" }, "ranges": ranges }]);
        let taken = take(&record).unwrap();
        let [affected] = taken.advisory.affected.as_slice() else {
            panic!("{:?}", taken.advisory.affected);
        };
        assert!(affected.ranges.is_empty() && affected.versions.is_empty());
        let unlisted = affected.unlisted.as_deref();
        let others = unlisted.map(|unlisted| unlisted.others);
        assert_eq!(others, Some(Others::Unreadable), "{ranges}");
        assert!(taken.remarks[0].field.starts_with("affected[0]"));
        assert_eq!(again(&taken.advisory), record);
    }
}

#[test]
fn a_time_that_is_none_is_refused_where_it_is_the_only_one() {
    let refused = taken(|record| record["modified"] = json!("2026-02-30T00:00:00Z"));
    assert!(
        matches!(&refused, Err(Refusal::Time { field, .. }) if field == "modified"),
        "{refused:?}"
    );
}

#[test]
fn odd_or_missing_optional_parts_cost_a_remark_and_come_back() {
    for (field, odd) in [
        ("published", json!("yesterday")),
        ("modified", json!(null)),
        ("modified", json!("2026-02-03")),
        ("withdrawn", json!("")),
        ("severity", json!([{ "type": "CVSS_V3" }])),
        ("credits", json!([{ "type": "FINDER" }])),
        ("references", json!([{ "type": "WEB" }, 5])),
        ("aliases", json!([5, "CVE-2026-0001"])),
    ] {
        let mut record = record();
        record[field] = odd.clone();
        let taken = take(&record).unwrap();
        assert_eq!(taken.advisory.withdrawn, None, "{field} {odd}");
        assert_eq!(taken.advisory.affected.len(), 1, "{field} {odd}");
        let mut remarks = taken.remarks.iter();
        assert!(
            remarks.any(|remark| remark.field.starts_with(field)),
            "{field} {odd}"
        );
        assert_eq!(again(&taken.advisory), record);
    }
}

#[test]
fn the_binary_packages_of_a_source_package_are_affected_as_well() {
    let binaries = json!({ "binaries": [{ "libsystemd0": "1.2.0", "systemd": "1.2.0" }] });
    let events = json!([{ "introduced": "0" }, { "fixed": "1.2.0" }]);
    let suse = "SUSE:Linux Enterprise Server 15 SP5";
    let advisory = taken_of(&[(suse, events, binaries)]).advisory;
    let names = advisory.affected.iter().map(|one| one.component.as_str());
    let names: Vec<&str> = names.collect();
    assert_eq!(
        names,
        ["rpm:sles-15.5:systemd", "rpm:sles-15.5:libsystemd0"]
    );
    assert_eq!(advisory.affected[0].ranges, advisory.affected[1].ranges);
}

#[test]
fn versions_beside_commits_alone_are_no_complete_list() {
    let others = |kinds: &[&str]| {
        let events = json!([{ "introduced": "0" }, { "fixed": "1.0" }]);
        let ranges = kinds
            .iter()
            .map(|kind| json!({ "type": kind, "events": events }));
        let ranges: Vec<Value> = ranges.collect();
        let advisory = taken(|record| record["affected"][0]["ranges"] = json!(ranges));
        let affected = advisory.unwrap().affected.remove(0);
        affected.unlisted.map(|unlisted| unlisted.others)
    };
    assert_eq!(others(&["GIT"]), Some(Others::Unreadable));
    assert_eq!(others(&["GIT", "ECOSYSTEM"]), None);
    assert_eq!(others(&["ECOSYSTEM", ""]), Some(Others::Unreadable));
    assert_eq!(others(&["ECOSYSTEM", "DATE"]), Some(Others::Unreadable));
}

#[test]
fn what_osv_has_no_field_for_spares_nothing() {
    let mut record = record();
    record["database_specific"] = json!({ "spacecp": { "not_affected": [
        { "component": "npm:a", "justification": "component_not_present" },
    ] } });
    record["affected"][0]["database_specific"] = json!({ "spacecp": { "unlisted": {
        "others": "not-affected", "excluded": ["1.0.0"], "fixed": ["1.0.1"],
        "investigated": [{ "introduced": "3.0.0", "last_affected": "3.0.0" }],
    } } });
    let advisory = take(&record).unwrap().advisory;
    assert!(advisory.not_affected.is_empty());
    let unlisted = advisory.affected[0].unlisted.as_deref().unwrap();
    assert_eq!((unlisted.excluded.len(), unlisted.fixed.len()), (0, 0));
    assert_eq!(unlisted.investigated[0].introduced, "3.0.0");
}

#[test]
fn severities_that_do_not_compute_are_kept_and_rate_nothing() {
    let absurd = [
        "CVSS:3.1/AV:N",
        "CVSS:3.1/AV:X/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H",
        "AV:N/AC:L/Au:N/C:P/I:P/A:P",
        "high",
        "",
    ];
    let mut record = record();
    let severities = absurd.map(|score| json!({ "type": "CVSS_V3", "score": score }));
    record["severity"] = json!(severities);
    let taken = take(&record).unwrap();
    assert!(taken.advisory.severity.is_empty());
    let named = taken.remarks.iter();
    let named = named.filter(|remark| remark.field.starts_with("severity["));
    assert_eq!(named.count(), absurd.len());
    assert_eq!(again(&taken.advisory), record);
}

#[test]
fn another_version_of_the_schema_is_refused() {
    let refused = taken(|record| record["schema_version"] = json!("2.0.0"));
    assert!(
        matches!(refused, Err(Refusal::Version { .. })),
        "{refused:?}"
    );
}

#[test]
fn what_is_withdrawn_need_not_say_of_what() {
    let advisory = taken(|record| {
        record["withdrawn"] = json!("2026-02-03T00:00:00Z");
        record["affected"] = json!([]);
    });
    let advisory = advisory.unwrap();
    assert!(advisory.withdrawn.is_some() && advisory.affected.is_empty());
}

#[test]
fn markup_and_names_of_prototypes_are_texts_like_any_other() {
    let advisory = taken(|record| {
        record["summary"] = json!("<script>alert(1)</script>");
        record["__proto__"] = json!({ "withdrawn": "2026-02-03T00:00:00Z" });
    });
    let advisory = advisory.unwrap();
    assert_eq!(advisory.title, "<script>alert(1)</script>");
    assert_eq!(advisory.withdrawn, None);
    assert!(again(&advisory).get("__proto__").is_some());
}

#[test]
fn more_than_an_advisory_can_keep_is_refused() {
    let refused = taken(|record| record["database_specific"] = json!("x".repeat(600 << 10)));
    assert!(matches!(refused, Err(Refusal::TooMuch { rest }) if rest > 600 << 10));
}

fn any_version() -> impl Strategy<Value = String> {
    (0..4u8, 0..4u8, 0..4u8).prop_map(|(major, minor, patch)| format!("{major}.{minor}.{patch}"))
}

fn any_events() -> impl Strategy<Value = Value> {
    let kinds = prop::sample::select(vec!["introduced", "fixed", "last_affected", "limit"]);
    let event = (kinds, any_version()).prop_map(|(kind, version)| json!({ kind: version }));
    prop::collection::vec(event, 0..5).prop_map(|mut events| {
        events.insert(0, json!({ "introduced": "0" }));
        json!(events)
    })
}

/// Whatever stands in a field that no schema closes.
fn anything() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        any::<f64>()
            .prop_filter("JSON has none", |number| number.is_finite())
            .prop_map(Value::from),
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

fn any_affected() -> impl Strategy<Value = Value> {
    let packages = vec![
        ("crates.io", "time"),
        ("npm", "@babel/core"),
        ("Maven", "org.x:y"),
        ("Debian:12", "curl"),
        ("Ubuntu:22.04:LTS", "curl"),
        ("AlmaLinux:9", "curl"),
        ("Hex", "phoenix"),
    ];
    let ranges = prop::collection::vec(
        (
            prop::sample::select(vec!["SEMVER", "ECOSYSTEM", "GIT"]),
            any_events(),
        )
            .prop_map(|(kind, events)| json!({ "type": kind, "events": events })),
        0..3,
    );
    let versions = prop::collection::vec(any_version(), 1..4);
    (prop::sample::select(packages), ranges, versions, anything()).prop_map(
        |((ecosystem, name), ranges, versions, more)| {
            json!({
                "package": { "ecosystem": ecosystem, "name": name },
                "ranges": ranges,
                "versions": versions,
                "ecosystem_specific": more,
            })
        },
    )
}

/// Records that are taken over: at least one of their packages is one that panels have.
fn any_record() -> impl Strategy<Value = Value> {
    let texts = ("\\PC{0,20}", "(\\PC|\n){0,60}");
    let optional = (
        prop::option::of(prop::collection::vec("[A-Z]{3}-[0-9]{1,4}", 0..3)),
        prop::option::of(Just("2026-03-01T00:00:00.5Z")),
        prop::option::of(anything()),
        prop::option::of(anything()),
    );
    let affected = prop::collection::vec(any_affected(), 0..4);
    (texts, optional, affected, "[A-Z]{2,5}-[0-9a-z]{1,4}").prop_map(
        |((summary, details), (aliases, withdrawn, specific, unheard), mut affected, id)| {
            affected.push(json!({
                "package": { "ecosystem": "crates.io", "name": "x" },
                "versions": ["1.0.0"],
            }));
            let mut record = json!({
                "id": id,
                "modified": "2026-02-03T04:05:06+02:00",
                "summary": summary,
                "details": details,
                "affected": affected,
            });
            let mut put = |name: &str, value: Option<Value>| {
                if let Some(value) = value {
                    record[name] = value;
                }
            };
            put("aliases", aliases.map(Value::from));
            put("withdrawn", withdrawn.map(Value::from));
            put("database_specific", specific);
            put("unheard_of", unheard);
            record
        },
    )
}

proptest! {
    #[test]
    fn whatever_a_record_says_it_comes_back_as_the_same_facts(record in any_record()) {
        let advisory = take(&record).unwrap().advisory;
        prop_assert_eq!(canonical(&again(&advisory)), canonical(&record));
    }

    #[test]
    fn a_part_that_is_something_else_is_refused_or_comes_back(
        place in prop::sample::select(vec![
            "/id", "/modified", "/aliases", "/summary", "/severity", "/severity/0/score", "/affected",
            "/affected/0/package", "/affected/0/package/name", "/affected/0/ranges",
            "/affected/0/ranges/0/events", "/affected/0/versions", "/references/0", "/credits",
            "/database_specific",
        ]),
        other in anything(),
    ) {
        let mut record = record();
        *record.pointer_mut(place).unwrap() = other;
        if let Ok(taken) = take(&record) {
            prop_assert_eq!(canonical(&again(&taken.advisory)), canonical(&record));
        }
    }
}
