//! Several places for one feed: the first with news to believe is followed.

use std::sync::Arc;

use anyhow::{Context, Result};
use spacecp_advisories::{
    fetch::{Patience, Source},
    store::IncidentKind,
    sync::{Follower, Mirror, SyncError},
};

use spacecp_contract::Digest;
use spacecp_tests::feed_server::{Fault, FeedServer, entity_tag};

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
    assert!(scene.believed().await?.head.is_none());
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

/// A folder with the feed of a scene as it is now.
fn as_it_is(scene: &Scene, name: &str) -> Result<std::path::PathBuf> {
    let folder = scene.folder.path().join(name);
    copy(scene.vendor.feed_dir(), &folder)?;
    Ok(folder)
}

/// The entity tag that the head has now.
fn tag_of_the_head(scene: &Scene) -> Result<String> {
    let head = std::fs::read(scene.vendor.feed_dir().join("head"))?;
    Ok(entity_tag(&head))
}

/// Status of every answer since the last time, all of them for the head.
fn answers_for_the_head(server: &FeedServer) -> Vec<u16> {
    let asked = server.asked();
    assert!(asked.iter().all(|one| one.path == "head"), "{asked:?}");
    asked.iter().map(|one| one.status).collect()
}

#[tokio::test]
async fn a_tag_that_stands_for_any_or_for_several_keeps_no_later_news_back() -> Result<()> {
    for shape in ["*", "\"a\", {news}", "W/\"a\",{news}", "{news}\"", "{long}"] {
        let mut scene = Scene::new().await?;
        let before = as_it_is(&scene, "before")?;
        scene.vendor.publish_advisory(advisory(2))?;
        scene.vendor.broadcast()?;
        let after = as_it_is(&scene, "after")?;
        // Between panel and server sits somebody who knows already what the next head will be called.
        let long = format!("\"{}\"", "x".repeat(300));
        let news = tag_of_the_head(&scene)?;
        let tag = shape.replace("{news}", &news).replace("{long}", &long);
        copy(&before, scene.vendor.feed_dir())?;
        scene.server.call("head", &tag);
        assert_eq!(scene.sync().await?.sequence, 1);
        let kept = scene.believed().await?.head.context("a head")?;
        let digest = Digest::of(kept.bytes());
        let said = scene.store.validator(&scene.server.url(), digest).await?;
        assert_eq!(said, None, "{tag} is not remembered");
        scene.server.behave();
        copy(&after, scene.vendor.feed_dir())?;
        let report = scene.sync().await?;
        assert_eq!((report.changed, report.sequence), (true, 2), "{tag}");
    }
    Ok(())
}

#[tokio::test]
async fn what_one_mirror_says_of_a_head_is_never_said_to_another() -> Result<()> {
    let mut scene = Scene::new().await?;
    let hostile = FeedServer::start(as_it_is(&scene, "hostile")?).await?;
    scene.vendor.publish_advisory(advisory(2))?;
    scene.vendor.broadcast()?;
    // One tag, and well formed: that of the news which this mirror holds back.
    hostile.call("head", &tag_of_the_head(&scene)?);
    assert_eq!(scene.sync_with(&hostile.url()).await?.sequence, 1);
    let report = scene.sync().await?;
    assert_eq!((report.changed, report.sequence), (true, 2));
    Ok(())
}

#[tokio::test]
async fn each_mirror_is_asked_with_its_own_words_and_those_of_former_mirrors_are_forgotten()
-> Result<()> {
    let scene = Scene::new().await?;
    let other = FeedServer::start(as_it_is(&scene, "other")?).await?;
    let places = [scene.server.url(), other.url()];
    let both = follower(&scene, &places)?;
    both.sync(scene.now).await?;
    scene.server.asked();
    both.sync(scene.now).await?;
    assert_eq!(answers_for_the_head(&scene.server), [304]);
    let asked = other.asked();
    assert_eq!(asked[0].status, 200, "it has said nothing yet: {asked:?}");
    for _ in 0..2 {
        both.sync(scene.now).await?;
        assert_eq!(answers_for_the_head(&scene.server), [304]);
        assert_eq!(answers_for_the_head(&other), [304]);
    }
    let head = scene.believed().await?.head.context("a head")?;
    let head = Digest::of(head.bytes());
    let said = async |place: usize| scene.store.validator(&places[place], head).await;
    assert!(said(0).await?.is_some() && said(1).await?.is_some());
    let third = FeedServer::start(as_it_is(&scene, "third")?).await?;
    scene.sync_with(&third.url()).await?;
    assert!(said(0).await?.is_none() && said(1).await?.is_none());
    scene.store.forget_feed().await?;
    assert_eq!(scene.store.validator(&third.url(), head).await?, None);
    Ok(())
}

#[tokio::test]
async fn a_mirror_that_stands_still_at_what_the_panel_has_keeps_no_news_back() -> Result<()> {
    let mut scene = Scene::new().await?;
    let still = FeedServer::start(as_it_is(&scene, "still")?).await?;
    let both = follower(&scene, &[still.url(), scene.server.url()])?;
    assert_eq!(both.sync(scene.now).await?.sequence, 1);
    scene.vendor.publish_advisory(advisory(2))?;
    scene.vendor.broadcast()?;
    let report = both.sync(scene.now).await?;
    assert_eq!((report.changed, report.sequence), (true, 2));
    assert_eq!(scene.store.incidents(10).await?, []);
    Ok(())
}

#[tokio::test]
async fn where_one_mirror_has_nothing_new_what_ails_the_others_is_no_incident() -> Result<()> {
    let scene = Scene::new().await?;
    let ailing = FeedServer::start(as_it_is(&scene, "ailing")?).await?;
    ailing.always("head", Fault::Busy(404, 0));
    let both = follower(&scene, &[scene.server.url(), ailing.url()])?;
    both.sync(scene.now).await?;
    let report = both.sync(scene.now).await?;
    assert!(!report.changed);
    assert_eq!(answers_for_the_head(&ailing), [404], "it was asked");
    assert_eq!(scene.store.incidents(10).await?, []);
    assert_eq!(scene.store.freshness().await?.problem, None);
    Ok(())
}

#[tokio::test]
async fn there_is_no_fresh_word_since_the_vendor_signed_the_last_whoever_repeats_it() -> Result<()>
{
    let mut scene = Scene::followed().await?;
    let signed = scene.now;
    scene.now += crate::scene::hours(24);
    assert!(!scene.sync().await?.changed);
    let freshness = scene.store.freshness().await?;
    assert_eq!(freshness.spoken, Some(signed));
    assert_eq!(freshness.last_word, Some(scene.now));
    Ok(())
}
