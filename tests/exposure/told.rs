//! What is told to a person, and what to a script: a person enough to go on with, a script all of it.

use anyhow::Result;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use spacecp_contract::{Advisory, Tlp};

use crate::{
    house::{ADVISORY, COMPONENT, House},
    panel::advisory,
};

const OURS: &str = "SPACECP-SA-2026-0002";
const THEIRS: &str = "SPACECP-SA-2026-0003";

/// A panel whose vendor has published so many advisories since it last asked.
async fn behind_by(advisories: usize) -> Result<House> {
    let mut house = House::that_was_asked().await?;
    for number in 0..advisories {
        let id = format!("SPACECP-SA-2026-{:04}", 1_000 + number);
        let advisory = advisory(&id, COMPONENT, &[("0", Some("0.9.0"), None)]);
        house.vendor.publish_advisory(advisory)?;
    }
    house.vendor.broadcast()?;
    Ok(house)
}

/// The documents that a sync names to a person, and its line about others.
async fn named(advisories: usize) -> Result<(usize, Option<String>)> {
    let (code, told) = behind_by(advisories).await?.told(&["sync"])?;
    assert_eq!(code, Some(0), "{told}");
    let received = format!("{advisories} documents received");
    assert!(told.contains(&received), "{told}");
    let named = told.lines().filter(|line| line.ends_with(" revision 1"));
    let more = told.lines().find(|line| line.contains(" more"));
    Ok((named.count(), more.map(str::to_owned)))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sync_names_fifty_documents_to_a_person_and_how_many_more_there_are() -> Result<()> {
    assert_eq!(named(50).await?, (50, None));
    assert_eq!(named(52).await?, (50, Some("  and 2 more".to_owned())));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_script_is_told_of_every_document_that_a_sync_brought() -> Result<()> {
    let (code, told) = behind_by(52).await?.told(&["sync", "--json"])?;
    assert_eq!(code, Some(0), "{told}");
    let told: Value = serde_json::from_str(&told)?;
    assert_eq!(told["accepted"].as_array().unwrap().len(), 52, "{told}");
    Ok(())
}

/// Two advisories about one flaw.
fn one_flaw_twice() -> [Advisory; 2] {
    [(OURS, "3.0.0"), (THEIRS, "2.0.0")].map(|(id, fixed)| {
        let mut advisory = advisory(id, COMPONENT, &[("0", Some(fixed), None)]);
        advisory.aliases = vec!["CVE-2026-7".to_owned()];
        advisory
    })
}

/// A panel whose vendor has published these as well.
async fn told_of(advisories: [Advisory; 2]) -> Result<House> {
    let mut house = Box::pin(House::that_was_asked()).await?;
    house.vendor.enrol("house", &house.state())?;
    for advisory in advisories {
        house.vendor.publish_advisory(advisory)?;
    }
    house.vendor.broadcast()?;
    Box::pin(house.app()).await?.panel.feed.sync().await?;
    Ok(house)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_script_is_told_of_every_advisory_about_a_flaw_and_which_of_them_speaks_for_it()
-> Result<()> {
    let house = told_of(one_flaw_twice()).await?;
    let told: Value = serde_json::from_str(&house.check()?.1)?;
    let verdicts = told["verdicts"].as_array().unwrap().iter();
    let verdicts: Vec<Value> = verdicts
        .map(|one| json!([one["advisory"]["id"], one["status"], one["same_flaw_as"]]))
        .collect();
    assert_eq!(
        verdicts,
        [
            json!([ADVISORY, "affected", null]),
            json!([OURS, "affected", null]),
            json!([THEIRS, "affected", OURS]),
        ]
    );
    let (_, page) = house.told(&["check"])?;
    let named = |id: &str| page.matches(id).count();
    assert_eq!((named(OURS), named(THEIRS)), (1, 1), "{page}");
    assert!(
        page.contains(&format!("same vulnerability as {THEIRS}")),
        "{page}"
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_flaw_under_embargo_a_script_is_told_no_more_because_two_advisories_speak_of_it()
-> Result<()> {
    let secret = one_flaw_twice().map(|advisory| Advisory {
        title: "A secret door".to_owned(),
        tlp: Tlp::AmberStrict,
        embargo_until: Some(Timestamp::now() + SignedDuration::from_hours(24)),
        ..advisory
    });
    let house = told_of(secret).await?;
    let (_, told) = house.check()?;
    assert!(told.contains(OURS) && told.contains(THEIRS), "{told}");
    for secret in ["A secret door", "3.0.0", "2.0.0"] {
        assert!(!told.contains(secret), "{told}");
    }
    let told: Value = serde_json::from_str(&told)?;
    for one in told["verdicts"].as_array().unwrap() {
        assert_eq!(one["same_flaw_as"], Value::Null, "{told}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_place_of_what_is_under_embargo_among_verdicts_says_nothing_of_how_bad_it_is()
-> Result<()> {
    const WORSE: &str = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H";
    const BETTER: &str = "CVSS:3.1/AV:L/AC:H/PR:H/UI:R/S:U/C:L/I:N/A:N";
    let secret = [(OURS, BETTER), (THEIRS, WORSE)].map(|(id, vector)| Advisory {
        tlp: Tlp::AmberStrict,
        embargo_until: Some(Timestamp::now() + SignedDuration::from_hours(24)),
        severity: vec![vector.to_owned()],
        ..advisory(id, COMPONENT, &[("0", Some("3.0.0"), None)])
    });
    let house = told_of(secret).await?;
    let told: Value = serde_json::from_str(&house.check()?.1)?;
    let verdicts = told["verdicts"].as_array().unwrap().iter();
    let ids: Vec<&Value> = verdicts.map(|one| &one["advisory"]["id"]).collect();
    assert_eq!(ids, [ADVISORY, OURS, THEIRS], "{told}");
    let (_, sarif) = house.told(&["check", "--format", "sarif"])?;
    let sarif: Value = serde_json::from_str(&sarif)?;
    let results = sarif["runs"][0]["results"].as_array().unwrap().iter();
    let ids: Vec<&Value> = results.map(|one| &one["ruleId"]).collect();
    assert_eq!(ids, [ADVISORY, OURS, THEIRS], "{sarif}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_worst_severity_is_that_of_every_advisory_about_a_flaw() -> Result<()> {
    let [mut ours, mut theirs] = one_flaw_twice();
    ours.severity = vec!["CVSS:3.1/AV:L/AC:H/PR:H/UI:R/S:U/C:L/I:N/A:N".to_owned()];
    // Attacks that are known make it speak for the other.
    ours.known_exploited = true;
    theirs.severity = vec!["CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H".to_owned()];
    let house = told_of([ours, theirs]).await?;
    let told: Value = serde_json::from_str(&house.check()?.1)?;
    assert_eq!(told["summary"]["worst"], "critical", "{told}");
    Ok(())
}
