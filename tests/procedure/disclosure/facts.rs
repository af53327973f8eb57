//! What everybody is told is what was meant, and stays so.

use anyhow::{Context, Result, ensure};
use jiff::SignedDuration;
use serde_json::{Value, json};
use spacecp_contract::{Advisory, DocumentKind, Role, Tlp, VersionRange};
use spacecp_publisher::keys::SecretKey;

use super::{
    kinds::{id, own},
    stage::{Stage, now},
};
use crate::ceremony::rotated;

fn range(introduced: &str) -> VersionRange {
    VersionRange {
        introduced: introduced.to_owned(),
        fixed: None,
        last_affected: None,
        limit: None,
    }
}

fn document(stage: &Stage, path: &str) -> Result<Value> {
    Ok(serde_json::from_str(&stage.read(path)?)?)
}

#[test]
fn a_range_with_a_limit_cuts_off_no_other_one() -> Result<()> {
    let mut advisory = own(1);
    advisory.affected[0].ranges = vec![
        VersionRange {
            limit: Some("2.0.0".to_owned()),
            ..range("1.0.0")
        },
        VersionRange {
            fixed: Some("4.0.0".to_owned()),
            ..range("3.0.0")
        },
    ];
    let stage = Stage::with([advisory])?;
    stage.publish()?;
    let record = document(&stage, "osv/x_SPACECP-SA-2026-1001.json")?;
    let ranges = record["affected"][0]["ranges"].as_array();
    let events = ranges.context("ranges")?.iter().map(|one| &one["events"]);
    let events: Vec<&Value> = events.collect();
    assert_eq!(
        events,
        [
            &json!([{ "introduced": "1.0.0" }, { "limit": "2.0.0" }]),
            &json!([{ "introduced": "3.0.0" }, { "fixed": "4.0.0" }]),
        ]
    );
    Ok(())
}

#[test]
fn what_was_told_stays_told_when_its_key_has_lost_the_role() -> Result<()> {
    let mut stage = Stage::with([own(1)])?;
    stage.vendor.publish_advisory(Advisory {
        revision: 2,
        modified: now() + SignedDuration::from_hours(1),
        ..own(1)
    })?;
    stage.vendor.broadcast()?;
    stage.publish()?;
    let path = ".well-known/csaf/white/2026/spacecp-sa-2026-1001.json";
    let before = document(&stage, path)?["document"]["tracking"].clone();
    let key = SecretKey::generate()?;
    let old = &stage.vendor.keys().advisory;
    rotated(&stage.vendor, Role::Advisory, old, &key)?;
    let kind = DocumentKind::Advisory;
    stage.vendor.signing().sign_again(kind, &[], &[&key])?;
    stage.vendor.broadcast()?;
    stage.publish()?;
    let after = document(&stage, path)?["document"]["tracking"].clone();
    for field in ["revision_history", "version", "initial_release_date"] {
        assert_eq!(before[field], after[field], "{field}");
    }
    let history = after["revision_history"].as_array();
    assert_eq!(history.map(Vec::len), Some(2), "{after}");
    Ok(())
}

#[test]
fn nothing_takes_the_place_of_what_fewer_may_know_of() -> Result<()> {
    let green = Advisory {
        tlp: Tlp::Green,
        ..own(2)
    };
    let stage = Stage::with([own(1), green])?;
    let feed = stage.vendor.feed_dir().display().to_string();
    let (older, newer) = (id(2), id(1));
    let output = stage.run(&[
        "supersede",
        older.as_str(),
        "--by",
        newer.as_str(),
        "--feed",
        &feed,
        "--reason",
        "It says more.",
    ])?;
    let said = String::from_utf8(output.stderr)?;
    ensure!(
        !output.status.success() && said.contains("is TLP:GREEN"),
        "{said}"
    );
    Ok(())
}
