//! Several places for one feed: the first with news to believe is followed.

use std::sync::Arc;

use anyhow::Result;
use spacecp_advisories::{
    fetch::{Patience, Source},
    store::IncidentKind,
    sync::{Follower, Mirror, SyncError},
};

use crate::scene::{Scene, advisory, copy};

fn follower(scene: &Scene, places: &[String]) -> Result<Follower> {
    let mirrors = places.iter().map(|address| {
        Ok(Mirror {
            address: address.clone(),
            source: Arc::new(Source::new(address, Patience::default())?),
        })
    });
    let audience = "customers".parse()?;
    let pin = scene.vendor.pin()?;
    let mirrors: Result<Vec<Mirror>> = mirrors.collect();
    Ok(Follower::new(mirrors?, scene.store.clone(), pin, audience))
}

#[tokio::test]
async fn a_mirror_that_lags_behind_is_left_for_the_next_and_that_is_noted() -> Result<()> {
    let mut scene = Scene::new().await?;
    let lagging = scene.folder.path().join("lagging");
    copy(scene.vendor.feed_dir(), &lagging)?;
    scene.vendor.publish_advisory(advisory(2))?;
    scene.vendor.broadcast()?;
    scene.sync().await?;
    scene.vendor.broadcast()?;
    let places = [lagging.display().to_string(), scene.server.url()];
    let report = follower(&scene, &places)?.sync(scene.now).await?;
    assert_eq!(report.sequence, 3);
    let incident = scene.store.incidents(1).await?.remove(0);
    assert_eq!(incident.kind, IncidentKind::Refused);
    assert!(incident.words.contains("rollback"), "{}", incident.words);
    Ok(())
}

#[tokio::test]
async fn a_mirror_that_mixes_two_feeds_is_refused_and_the_next_is_followed() -> Result<()> {
    let (scene, other) = (Scene::new().await?, Scene::new().await?);
    let mixed = scene.folder.path().join("mixed");
    copy(scene.vendor.feed_dir(), &mixed)?;
    for name in ["index/1.index", "index/1.index.minisig"] {
        std::fs::copy(other.vendor.feed_dir().join(name), mixed.join(name))?;
    }
    let alone = follower(&scene, &[mixed.display().to_string()])?;
    let error = alone.sync(scene.now).await.unwrap_err();
    assert!(matches!(error, SyncError::Trust(_)), "{error}");
    assert!(scene.store.trusted().await?.head.is_none());
    let places = [mixed.display().to_string(), scene.server.url()];
    assert!(follower(&scene, &places)?.sync(scene.now).await?.changed);
    Ok(())
}

#[tokio::test]
async fn when_no_mirror_has_news_each_is_named_with_its_reason() -> Result<()> {
    let scene = Scene::followed().await?;
    let before = scene.trusted().await?;
    let places = [
        "http://127.0.0.1:9/".to_owned(),
        "/no/such/folder".to_owned(),
    ];
    let error = follower(&scene, &places)?
        .sync(scene.now)
        .await
        .unwrap_err();
    let words = error.to_string();
    assert!(places.iter().all(|place| words.contains(place)), "{words}");
    assert_eq!(scene.trusted().await?, before);
    assert!(scene.sync().await.is_ok());
    Ok(())
}
