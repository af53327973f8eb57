//! Documents that mean harm: each is refused by name, or kept as the text that it is.

use serde_json::json;
use spacecp_formats::{Format, Limits, json as strict};

use super::{read, taken};

fn refusal(bytes: &[u8]) -> String {
    match read(Format::Osv, bytes) {
        Ok(taken) => panic!("{taken:?}"),
        Err(refusal) => refusal.to_string(),
    }
}

#[test]
fn what_is_nested_ten_thousand_deep_is_refused_where_the_limit_is() {
    let deep = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
    assert!(refusal(deep.as_bytes()).contains("64 deep"));
    let unclosed = "[".repeat(1_000_000);
    assert!(refusal(unclosed.as_bytes()).contains("64 deep"));
}

#[test]
fn a_million_events_are_too_many_values() {
    let events = "{\"introduced\":\"0\"},".repeat(180_000);
    let record =
        format!("{{\"id\":\"A-1\",\"affected\":[{{\"ranges\":[{{\"events\":[{events}0]}}]}}]}}");
    let words = refusal(record.as_bytes());
    assert!(words.contains("200000 values"), "{words}");
}

#[test]
fn what_is_longer_than_a_document_may_be_is_refused_unread() {
    let long = vec![b' '; Limits::default().document + 1];
    assert!(refusal(&long).contains("longer than 4194304 bytes"));
}

#[test]
fn a_name_twice_in_one_object_is_refused_and_named() {
    let words = refusal(br#"{"id":"A-1","modified":"x","id":"A-2"}"#);
    assert!(words.contains("duplicate key \"id\""), "{words}");
    let words = refusal(br#"{"id":"A-1","\u0069d":"A-2"}"#);
    assert!(words.contains("duplicate key \"id\""), "{words}");
}

#[test]
fn what_is_no_json_is_refused_with_its_place() {
    for bytes in [
        &b"{\"id\":\"\xff\xfe\"}"[..],
        b"{\"id\":\"\\ud800\"}",
        b"{\"id\":NaN}",
        b"{\"id\":1e999}",
        b"{} {}",
        b"",
        b"\xef\xbb\xbf\xef\xbb\xbf{}",
    ] {
        let words = refusal(bytes);
        assert!(
            words.contains("not JSON") && words.contains("line"),
            "{bytes:?}: {words}"
        );
    }
}

#[test]
fn names_that_mean_something_elsewhere_are_names() {
    let record = json!({
        "id": "A-1", "modified": "2024-01-01T00:00:00Z",
        "affected": [{ "package": { "ecosystem": "npm", "name": "a" }, "versions": ["1.0.0"] }],
        "__proto__": { "polluted": true }, "constructor": "x", "": { "~1/~0": [] },
    });
    let taken = taken(Format::Osv, &record);
    assert_eq!(super::returned(Format::Osv, &taken), record);
}

#[test]
fn markup_in_every_text_stays_text() {
    let script = "<script>alert(1)</script><img src=x onerror=alert(1)>";
    let record = json!({
        "id": "A-1", "modified": "2024-01-01T00:00:00Z", "summary": script, "details": script,
        "affected": [{ "package": { "ecosystem": "npm", "name": "a" }, "versions": ["1.0.0"] }],
        "credits": [{ "name": script, "type": script }],
        "references": [{ "type": script, "url": format!("javascript:{script}") }],
    });
    let taken = taken(Format::Osv, &record);
    assert_eq!(taken.advisory.title, script);
    assert_eq!(super::returned(Format::Osv, &taken), record);
}

#[test]
fn a_text_that_no_advisory_can_hold_is_refused_or_kept_whole() {
    let long = "x".repeat(3 << 20);
    let record = json!({
        "id": "A-1", "modified": "2024-01-01T00:00:00Z",
        "affected": [{ "package": { "ecosystem": "npm", "name": "a" }, "versions": ["1.0.0"] }],
        "database_specific": { "blob": long },
    });
    assert!(refusal(record.to_string().as_bytes()).contains("exceed the limit"));
}

#[test]
fn the_same_facts_have_one_digest_however_they_are_written() {
    let one = strict::read(br#"{"a":1,"b":[2.0,"\u0041"]}"#, &Limits::default()).unwrap();
    let other = strict::read(br#"{ "b" : [2.0, "A"], "a":1 }"#, &Limits::default()).unwrap();
    assert_eq!(one, other);
    let digest = spacecp_formats::extra_fields::digest;
    assert_eq!(digest(&one), digest(&other));
}
