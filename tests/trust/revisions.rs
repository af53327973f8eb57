//! A document that changes again and again: the panel has what the index lists now, and nothing else.

use anyhow::Result;
use spacecp_contract::DocumentKind;

use crate::scene::{Scene, advisory};

/// The revisions of the advisory that the panel has.
async fn held(scene: &Scene) -> Result<Vec<u64>> {
    let documents = scene.store.documents_since(None, 10_000).await?.documents;
    let held = documents
        .iter()
        .filter(|document| document.id == advisory(1).id.as_str());
    Ok(held.map(|document| document.revision).collect())
}

#[tokio::test]
async fn every_revision_of_a_document_takes_the_place_of_the_one_before() -> Result<()> {
    let mut scene = Scene::followed().await?;
    for revision in 2..=4 {
        scene.vendor.publish_advisory(advisory(revision))?;
        scene.vendor.broadcast()?;
        assert!(scene.sync().await?.changed);
        assert_eq!(held(&scene).await?, [revision]);
    }
    Ok(())
}

#[tokio::test]
async fn a_panel_that_missed_revisions_asks_for_the_last_one_only() -> Result<()> {
    let mut scene = Scene::followed().await?;
    for revision in 2..=4 {
        scene.vendor.publish_advisory(advisory(revision))?;
        scene.vendor.broadcast()?;
    }
    assert!(scene.sync().await?.changed);
    assert_eq!(held(&scene).await?, [4]);
    let asked = scene.server.asked();
    let folder = format!("{}/{}/", DocumentKind::Advisory, advisory(1).id);
    let mut revisions: Vec<&str> = asked
        .iter()
        .filter_map(|asked| asked.path.split_once(&folder))
        .map(|(_, revision)| revision)
        .collect();
    revisions.sort_unstable();
    assert_eq!(revisions, ["4", "4.minisig"]);
    Ok(())
}
