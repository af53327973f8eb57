//! The Atom feed, as another program reads it.

use anyhow::{Context, Result};
use jiff::SignedDuration;
use spacecp_contract::Advisory;
use spacecp_tests::corpus;

use super::{
    kinds::{self, own},
    stage::{Stage, now},
};

fn read(stage: &Stage) -> Result<atom_syndication::Feed> {
    Ok(stage.read("advisories.atom")?.parse()?)
}

#[test]
fn a_reader_of_atom_finds_every_advisory_and_where_it_is() -> Result<()> {
    let kinds = kinds::all()?;
    let stage = Stage::with(kinds.iter().map(|kind| kind.advisory.clone()))?;
    stage.publish()?;
    let feed = read(&stage)?;
    assert_eq!(feed.entries().len(), kinds.len());
    assert_eq!(feed.authors()[0].name, "SpaceCP");
    let own = feed.links().iter().find(|link| link.rel() == "self");
    assert_eq!(own.context("its own address")?.href(), feed.id());
    for entry in feed.entries() {
        assert!(entry.updated() <= feed.updated());
        let href = entry.links()[0].href();
        let path = href
            .strip_prefix("https://security.spacecp.example/")
            .context("ours")?;
        assert!(stage.webroot().join(path).exists(), "{href}");
    }
    let ids: std::collections::BTreeSet<_> = feed.entries().iter().map(|one| &one.id).collect();
    assert_eq!(ids.len(), kinds.len());
    Ok(())
}

#[test]
fn an_entry_keeps_its_id_and_its_date_moves_with_each_revision() -> Result<()> {
    let mut stage = Stage::with([own(1)])?;
    stage.publish()?;
    let before = read(&stage)?.entries()[0].clone();
    let later = now() + SignedDuration::from_hours(5);
    stage.vendor.publish_advisory(Advisory {
        revision: 2,
        modified: later,
        title: "Another title".to_owned(),
        ..own(1)
    })?;
    stage.vendor.broadcast()?;
    stage.publish()?;
    let after = read(&stage)?.entries()[0].clone();
    assert_eq!(after.id(), before.id());
    assert_eq!(
        after.id(),
        "tag:spacecp.example,2026-11-23:SPACECP-SA-2026-1001"
    );
    assert_eq!(after.published(), before.published());
    assert!(after.updated() > before.updated());
    assert_eq!(after.title().as_str(), "Another title");
    Ok(())
}

#[test]
fn hostile_texts_are_text_in_the_feed() -> Result<()> {
    let hostile = corpus::advisories(now());
    let stage = Stage::with(hostile.clone())?;
    stage.publish()?;
    let feed = read(&stage)?;
    assert_eq!(feed.entries().len(), hostile.len());
    for advisory in &hostile {
        let entry = feed
            .entries()
            .iter()
            .find(|entry| entry.id().ends_with(advisory.id.as_str()));
        let entry = entry.context("every one is there")?;
        assert_eq!(entry.title().as_str(), advisory.title);
        let content = entry
            .content()
            .and_then(|content| content.value())
            .unwrap_or_default();
        for tag in [
            "<script", "<img", "<svg", "<iframe", "<object", "<form", "<meta", "<base", "<link",
        ] {
            assert!(!content.to_lowercase().contains(tag), "{content}");
        }
    }
    Ok(())
}
