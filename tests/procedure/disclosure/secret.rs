//! What is not for everybody is not in the web root, and nothing there tells that it exists.

use anyhow::Result;
use jiff::SignedDuration;
use spacecp_contract::{Advisory, Tlp};

use super::{
    kinds::own,
    stage::{Stage, files, now},
};

/// Words that stand in the secret advisories alone.
const WORDS: [&str; 4] = [
    "ZEPPELIN",
    "SPACECP-SA-2026-1666",
    "SPACECP-SA-2026-1667",
    "zeppelin",
];

fn secret(tlp: Tlp, number: u32) -> Advisory {
    let until = (tlp != Tlp::Green).then(|| now() + SignedDuration::from_hours(24 * 14));
    Advisory {
        tlp,
        embargo_until: until,
        title: "ZEPPELIN".to_owned(),
        issue: "ZEPPELIN".to_owned(),
        ..own(number)
    }
}

/// Public ones beside one of each stricter label; the public one names a secret one.
fn stage() -> Result<Stage> {
    let mut stage = Stage::open()?;
    let recipient = age::x25519::Identity::generate().to_public().to_string();
    stage.vendor.panels().enrol("node", &recipient, now())?;
    for advisory in [
        own(1),
        Advisory {
            supersedes: vec!["SPACECP-SA-2026-1667".parse()?],
            ..own(2)
        },
        secret(Tlp::AmberStrict, 666),
        secret(Tlp::Green, 667),
    ] {
        stage.vendor.publish_advisory(advisory)?;
    }
    stage.vendor.broadcast()?;
    Ok(stage)
}

#[test]
fn not_a_byte_of_what_is_not_for_everybody_is_in_the_web_root() -> Result<()> {
    let stage = stage()?;
    let said = stage.disclose()?;
    assert_eq!(said["advisories"], 2);
    for (name, bytes) in files(&stage.webroot())? {
        let text = String::from_utf8_lossy(&bytes);
        for word in WORDS {
            assert!(
                !name.contains(word) && !text.contains(word),
                "{name} has {word}"
            );
        }
    }
    Ok(())
}

#[test]
fn the_web_root_is_the_same_whether_there_is_something_secret_or_not() -> Result<()> {
    let with = stage()?;
    with.disclose()?;
    let without = Stage::with([own(1), own(2)])?;
    without.disclose()?;
    // Keys and times differ, and the signed bytes with them; what there is does not, but for the signed
    // document that names what is secret.
    let names = |stage: &Stage| -> Result<Vec<String>> {
        let files = files(&stage.webroot())?.into_iter().map(|(name, _)| name);
        Ok(files.filter(|name| !name.contains("1002.signed")).collect())
    };
    assert_eq!(names(&with)?, names(&without)?);
    for path in [
        "advisories/index.html",
        "osv/modified_id.csv",
        ".well-known/csaf/white/changes.csv",
    ] {
        assert_eq!(with.read(path)?, without.read(path)?, "{path}");
    }
    Ok(())
}

#[test]
fn the_next_revision_that_is_for_everybody_is_told_and_its_private_past_is_not() -> Result<()> {
    let mut stage = Stage::open()?;
    let recipient = age::x25519::Identity::generate().to_public().to_string();
    stage.vendor.panels().enrol("node", &recipient, now())?;
    stage
        .vendor
        .publish_advisory(secret(Tlp::AmberStrict, 666))?;
    stage.vendor.broadcast()?;
    let said = stage.disclose()?;
    assert_eq!(said["advisories"], 0);
    let later = now() + SignedDuration::from_hours(24);
    stage.vendor.publish_advisory(Advisory {
        revision: 2,
        modified: later,
        ..own(666)
    })?;
    // Signed, and not broadcast yet.
    assert_eq!(stage.disclose()?["advisories"], 0);
    stage.vendor.broadcast()?;
    assert_eq!(stage.disclose()?["advisories"], 1);
    let document = stage.read(".well-known/csaf/white/2026/spacecp-sa-2026-1666.json")?;
    let document: serde_json::Value = serde_json::from_str(&document)?;
    let history = &document["document"]["tracking"]["revision_history"];
    assert_eq!(history.as_array().map(Vec::len), Some(1), "{history}");
    assert_eq!(
        document["document"]["tracking"]["initial_release_date"],
        later.to_string()
    );
    for (name, bytes) in files(&stage.webroot())? {
        assert!(
            !String::from_utf8_lossy(&bytes).contains("ZEPPELIN"),
            "{name}"
        );
    }
    Ok(())
}
