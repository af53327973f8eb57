//! A document once more: what the panel believes, at the revision that it has, and nothing else.

use std::path::Path;

use anyhow::{Result, bail};
use jiff::Timestamp;
use spacecp_advisories::{
    plugin::bindings::exports::spacecp::advisories::pages::{Block, Page, Place, Request},
    render,
    store::Store,
};
use spacecp_hostile_guest::Behaviour;
use spacecp_tests::artifacts;

use crate::{
    house::{ADVISORY, COMPONENT, House},
    panel::advisory,
};

/// Asks for the page of an advisory.
pub(crate) fn page_of(name: &str) -> Request {
    Request {
        place: Place::Advisory(name.to_owned()),
        listing: render::whole(),
        now: Timestamp::now().as_second(),
        may_act: false,
    }
}

/// What a hostile plugin is given that asks for these documents.
async fn given(house: &House, wanted: &[String]) -> Result<Vec<String>> {
    let store = Store::open(&house.state().join("store.sqlite")).await?;
    let write = ("fetch".to_owned(), Some(wanted.join("\n").into_bytes()));
    store.state_commit(&[write]).await?;
    let app = house.app().await?;
    let page = app
        .panel
        .exposure
        .page(&page_of(&Behaviour::Fetches.name()))
        .await?;
    match page.blocks.as_slice() {
        [Block::Code(code)] => Ok(code.text.lines().map(str::to_owned).collect()),
        other => bail!("not what the hostile plugin draws: {other:?}"),
    }
}

fn text(page: &Page) -> String {
    format!("{:?}", page.blocks)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plugin_is_given_what_is_believed_and_nothing_else() -> Result<()> {
    let house = House::with_plugin(Path::new(artifacts::HOSTILE)).await?;
    let wanted = [
        format!("advisory 1 {ADVISORY}"),
        // Another revision, another kind, another name, and names that are none.
        format!("advisory 2 {ADVISORY}"),
        format!("advisory 0 {ADVISORY}"),
        format!("advisory {} {ADVISORY}", u64::MAX),
        format!("correction 1 {ADVISORY}"),
        "advisory 1 SPACECP-SA-2026-0002".to_owned(),
        "advisory 1 ../../store.sqlite".to_owned(),
        "advisory 1 ' OR 1 = 1 --".to_owned(),
        format!("advisory 1 {}", "x".repeat(100_000)),
    ];
    let given = given(&house, &wanted).await?;
    assert_eq!(given.len(), wanted.len(), "{given:?}");
    assert!(given[0].ends_with(" bytes"), "{given:?}");
    assert!(
        given[1..].iter().all(|answer| answer == "not held"),
        "{given:?}"
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_document_that_was_changed_in_the_store_is_given_to_nobody() -> Result<()> {
    let house = House::with_plugin(Path::new(artifacts::HOSTILE)).await?;
    house.tamper_with_documents().await?;
    let given = given(&house, &[format!("advisory 1 {ADVISORY}")]).await?;
    assert!(
        given.len() == 1 && !given[0].ends_with("bytes") && given[0] != "not held",
        "{given:?}"
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_of_an_advisory_has_the_texts_of_its_present_revision() -> Result<()> {
    let mut house = House::that_was_asked().await?;
    let app = house.app().await?;
    let mut told = advisory(ADVISORY, COMPONENT, &[("0", Some("1.0.1"), None)]);
    let page = app.panel.exposure.page(&page_of(ADVISORY)).await?;
    assert!(text(&page).contains("flawed"), "{page:?}");
    told.revision = 2;
    told.issue = "It was worse than that.".to_owned();
    house.vendor.publish_advisory(told)?;
    house.vendor.broadcast()?;
    app.panel.feed.sync().await?;
    let page = app.panel.exposure.page(&page_of(ADVISORY)).await?;
    assert!(text(&page).contains("It was worse than that."), "{page:?}");
    Ok(())
}
