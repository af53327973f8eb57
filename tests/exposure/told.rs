//! What a sync tells about the documents that it brought: a person enough to go on with, a script all of them.

use anyhow::Result;
use serde_json::Value;

use crate::{
    house::{COMPONENT, House},
    panel::advisory,
};

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
