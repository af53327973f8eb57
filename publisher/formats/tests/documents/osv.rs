//! OSV records.

use proptest::prelude::*;
use serde_json::{Value, json};
use spacecp_contract::{Others, Tlp, VersionScheme};
use spacecp_formats::Format;

use super::{refused, returned, taken};

fn record() -> Value {
    json!({
        "schema_version": "1.6.0",
        "id": "GHSA-aaaa-bbbb-cccc",
        "modified": "2024-05-02T10:00:00Z",
        "published": "2024-05-01T10:00:00Z",
        "aliases": ["CVE-2024-1000"],
        "related": ["CVE-2024-1001"],
        "summary": "Parsing reads past the end",
        "details": "A **length** is believed.",
        "severity": [{ "type": "CVSS_V3", "score": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N" }],
        "affected": [{
            "package": { "ecosystem": "npm", "name": "@scope/parser", "purl": "pkg:npm/%40scope/parser" },
            "ranges": [{ "type": "SEMVER", "events": [
                { "introduced": "0" }, { "fixed": "1.2.3" },
                { "introduced": "2.0.0" }, { "last_affected": "2.1.0" },
            ] }],
            "versions": ["0.9.0"],
            "database_specific": { "source": "somewhere" },
        }],
        "references": [{ "type": "FIX", "url": "https://example.com/fix" }],
        "credits": [{ "name": "A finder", "type": "FINDER", "contact": ["https://example.com"] }],
        "database_specific": { "cwe_ids": ["CWE-125"], "severity": "HIGH" },
    })
}

/// The record with something else in one place.
fn with(place: &str, value: Value) -> Value {
    let mut record = record();
    *record.pointer_mut(place).unwrap() = value;
    record
}

#[test]
fn what_has_a_field_here_goes_there() {
    let advisory = taken(Format::Osv, &record()).advisory;
    // Ids here are upper-case; others still find it by the name that it has there.
    assert_eq!(advisory.id.as_str(), "GHSA-AAAA-BBBB-CCCC");
    assert_eq!(advisory.aliases, ["CVE-2024-1000", "GHSA-aaaa-bbbb-cccc"]);
    assert_eq!(advisory.title, "Parsing reads past the end");
    assert_eq!(advisory.issue, "A **length** is believed.");
    assert_eq!(advisory.cwe, [125]);
    assert_eq!(advisory.severity.len(), 1);
    assert_eq!(advisory.tlp, Tlp::Clear);
    assert_eq!(advisory.published.to_string(), "2024-05-01T10:00:00Z");
    assert_eq!(advisory.credits[0].name, "A finder");
    assert_eq!(advisory.references[0].url, "https://example.com/fix");
    let [affected] = advisory.affected.as_slice() else {
        panic!("{:?}", advisory.affected);
    };
    assert_eq!(affected.component.as_str(), "npm:@scope/parser");
    assert_eq!(affected.scheme, VersionScheme::Npm);
    let ranges = affected.ranges.iter().map(|range| {
        (
            range.introduced.as_str(),
            range.fixed.as_deref(),
            range.last_affected.as_deref(),
        )
    });
    let ranges: Vec<_> = ranges.collect();
    assert_eq!(
        ranges,
        [("0", Some("1.2.3"), None), ("2.0.0", None, Some("2.1.0"))]
    );
    assert_eq!(affected.versions, ["0.9.0"]);
}

#[test]
fn what_has_no_field_here_comes_back_all_the_same() {
    let record = record();
    assert_eq!(returned(Format::Osv, &taken(Format::Osv, &record)), record);
}

#[test]
fn a_withdrawn_record_is_a_withdrawn_advisory() {
    let mut record = record();
    record["withdrawn"] = json!("2024-06-01T00:00:00Z");
    let taken = taken(Format::Osv, &record);
    assert!(taken.advisory.withdrawn.is_some());
    assert_eq!(returned(Format::Osv, &taken), record);
}

#[test]
fn an_advisory_says_in_words_where_no_correction_is_known() {
    let record = with(
        "/affected/0/ranges/0/events",
        json!([{ "introduced": "0" }]),
    );
    let advisory = taken(Format::Osv, &record).advisory;
    assert!(!advisory.solution.is_empty());
    assert!(advisory.affected[0].ranges[0].fixed.is_none());
}

#[test]
fn releases_of_systems_are_part_of_a_component_s_name() {
    for (ecosystem, name, component) in [
        ("Debian:12", "openssl", "deb:debian-12:openssl"),
        ("Ubuntu:22.04:LTS", "openssl", "deb:ubuntu-22.04:openssl"),
        ("AlmaLinux:9", "openssl", "rpm:almalinux-9:openssl"),
        ("crates.io", "time", "cargo:time"),
        ("Maven", "org.apache:log4j", "maven:org.apache:log4j"),
    ] {
        let mut record = with(
            "/affected/0/package",
            json!({ "ecosystem": ecosystem, "name": name }),
        );
        record["affected"][0]["ranges"][0]["type"] = json!("ECOSYSTEM");
        let taken = taken(Format::Osv, &record);
        assert_eq!(taken.advisory.affected[0].component.as_str(), component);
        assert_eq!(returned(Format::Osv, &taken), record);
    }
}

#[test]
fn a_package_that_no_panel_has_is_kept_and_named_beside_one_that_it_may_have() {
    let mut record = record();
    let other = json!({ "package": { "ecosystem": "Hex", "name": "plug" }, "versions": ["1.0.0"] });
    record["affected"].as_array_mut().unwrap().push(other);
    let taken = taken(Format::Osv, &record);
    assert_eq!(taken.advisory.affected.len(), 1);
    assert_eq!(taken.remarks[0].field, "affected[1].package");
    assert!(
        taken.remarks[0].reason.contains("Hex"),
        "{:?}",
        taken.remarks
    );
    assert_eq!(returned(Format::Osv, &taken), record);
}

#[test]
fn what_decides_nothing_that_can_be_known_is_refused_by_field() {
    for (place, value, field, reason) in [
        ("/schema_version", json!("2.0.0"), "schema_version", "2.0.0"),
        ("/id", json!("A\u{202e}B"), "id", "202e"),
        ("/id", json!(7), "id", "string"),
        ("/modified", json!("yesterday"), "modified", "yesterday"),
        (
            "/modified",
            json!("2024-13-45T00:00:00Z"),
            "modified",
            "2024-13-45",
        ),
        ("/affected", json!([]), "affected", "no affected version"),
        (
            "/affected/0/package",
            json!({ "ecosystem": "Hex", "name": "plug" }),
            "affected",
            "Hex",
        ),
        (
            "/affected/0/package/name",
            json!("a b\n"),
            "affected",
            "unsupported package",
        ),
    ] {
        let words = refused(Format::Osv, &with(place, value.clone()));
        assert!(
            words.contains(field) && words.contains(reason),
            "{place} {value}: {words}"
        );
    }
}

#[test]
fn versions_that_decide_and_cannot_be_read_are_unknown_and_named() {
    for (place, value, field, reason) in [
        (
            "/affected/0/ranges/0/events",
            json!([{ "introduced": "one" }]),
            "affected[0].ranges[0].events",
            "one",
        ),
        (
            "/affected/0/ranges/0/events",
            json!([{ "fixed": "1.0.0" }]),
            "affected[0].ranges[0].events",
            "introduced",
        ),
        (
            "/affected/0/ranges/0/events",
            json!([{ "introduced": "0", "fixed": "1.0.0" }]),
            "affected[0].ranges[0].events",
            "",
        ),
        (
            "/affected/0",
            json!({ "package": { "ecosystem": "npm", "name": "a" },
            "ranges": [{ "type": "GIT", "repo": "https://example.com/a.git",
                "events": [{ "introduced": "0" }] }] }),
            "affected[0]",
            "not given as versions",
        ),
    ] {
        let record = with(place, value.clone());
        let taken = taken(Format::Osv, &record);
        let named = taken
            .remarks
            .iter()
            .find(|remark| remark.field.contains(field) && remark.reason.contains(reason));
        assert!(named.is_some(), "{place} {value}: {:?}", taken.remarks);
        let unlisted = taken.advisory.affected[0].unlisted.as_deref();
        let others = unlisted.map(|unlisted| unlisted.others);
        assert_eq!(others, Some(Others::Unreadable), "{place} {value}");
        assert_eq!(returned(Format::Osv, &taken), record);
    }
}

#[test]
fn a_vector_that_does_not_compute_is_kept_and_rates_nothing() {
    let record = with(
        "/severity/0/score",
        json!("CVSS:3.1/AV:X/AC:99999999999999999999"),
    );
    let taken = taken(Format::Osv, &record);
    assert!(taken.advisory.severity.is_empty());
    assert_eq!(taken.remarks[0].field, "severity[0]");
    assert_eq!(returned(Format::Osv, &taken), record);
}

/// Records of all shapes that OSV allows for what is read here, and more that is only kept.
fn records() -> impl Strategy<Value = Value> {
    let word = "[a-z][a-z0-9]{0,8}";
    let text = "\\PC{0,40}";
    let version = (0..40_u32, 0..40_u32, 0..40_u32, prop::option::of("rc[0-9]"));
    let version = version.prop_map(|(major, minor, patch, pre)| {
        let pre = pre.map_or(String::new(), |pre| format!("-{pre}"));
        format!("{major}.{minor}.{patch}{pre}")
    });
    let end = prop_oneof![Just("fixed"), Just("last_affected")];
    let interval = (version.clone(), version.clone(), end).prop_map(|(begin, length, end)| {
        let major: u32 = begin.split('.').next().unwrap().parse().unwrap();
        let length: u32 = length.split('.').next().unwrap().parse().unwrap();
        let last = major + length + 1;
        json!([{ "introduced": begin }, { end: format!("{last}.0.0") }])
    });
    let package = (
        prop_oneof![Just("npm"), Just("crates.io"), Just("Hex")],
        word,
        interval,
        prop::collection::vec(version, 0..3),
        prop::option::of(text),
    );
    let package = package.prop_map(|(ecosystem, name, events, versions, note)| {
        let mut package = json!({
            "package": { "ecosystem": ecosystem, "name": name },
            "ranges": [{ "type": "SEMVER", "events": events }],
            "versions": versions,
        });
        if let Some(note) = note {
            package["ecosystem_specific"] = json!({ "note": note, "numbers": [1, -2, 0.5, null] });
        }
        package
    });
    let own = json!({ "package": { "ecosystem": "npm", "name": "own" }, "versions": ["1.0.0"] });
    (
        ("[A-Z]{2,6}-[0-9]{4}-[0-9]{1,5}", text, text),
        prop::collection::vec(package, 0..4),
        prop::collection::vec("CVE-20[0-9]{2}-[0-9]{4}", 0..3),
        prop::collection::vec(("[A-Z]{3,8}", "https://example\\.com/[a-z]{1,8}"), 0..3),
        prop::collection::vec((text, prop::option::of("[A-Z]{3,8}")), 0..3),
        0..2_000_000_000_i64,
    )
        .prop_map(
            move |((id, summary, details), mut packages, aliases, references, credits, at)| {
                packages.push(own.clone());
                let time = jiff::Timestamp::from_second(at).unwrap();
                let references: Vec<Value> = references
                    .into_iter()
                    .map(|(kind, url)| json!({ "type": kind, "url": url }))
                    .collect();
                let credits: Vec<Value> = credits
                    .into_iter()
                    .map(|(name, kind)| match kind {
                        Some(kind) => json!({ "name": name, "type": kind }),
                        None => json!({ "name": name }),
                    })
                    .collect();
                json!({
                    "id": id, "modified": time, "summary": summary, "details": details,
                    "affected": packages, "aliases": aliases, "references": references,
                    "credits": credits,
                })
            },
        )
}

proptest! {
    #[test]
    fn every_record_comes_back_as_it_was(record in records()) {
        let taken = taken(Format::Osv, &record);
        prop_assert_eq!(returned(Format::Osv, &taken), record);
    }
}
