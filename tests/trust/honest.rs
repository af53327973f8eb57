//! What an honest feed costs, and what is kept of it.

use std::fs;

use anyhow::Result;
use spacecp_advisories::{store::Store, sync::SyncError};
use spacecp_contract::{DocumentKind, FeedPath};

use crate::scene::{Scene, advisory, hours};

#[tokio::test]
async fn the_first_sync_asks_for_what_it_needs_in_order_and_keeps_every_byte() -> Result<()> {
    let scene = Scene::new().await?;
    let report = scene.sync().await?;
    assert!(report.changed && report.sequence == 1 && report.accepted.len() == 1);
    let id = advisory(1).id;
    let document = FeedPath::document(DocumentKind::Advisory, &id, 1);
    let paths: Vec<String> = scene
        .server
        .asked()
        .into_iter()
        .map(|asked| asked.path)
        .collect();
    let expected = [
        FeedPath::head(),
        FeedPath::head().signatures(),
        FeedPath::root(2),
        FeedPath::index(1),
        FeedPath::index(1).signatures(),
        document.clone(),
        document.signatures(),
    ];
    assert_eq!(paths, expected.map(|path| path.to_string()));
    let served = fs::read(scene.vendor.feed_dir().join(document.as_str()))?;
    let stored = scene.store.documents_since(None, 10).await?;
    assert_eq!(
        stored.documents[0].bytes, served,
        "stored bytes are the bytes served"
    );
    Ok(())
}

#[tokio::test]
async fn an_unchanged_feed_costs_one_conditional_request_and_changes_nothing() -> Result<()> {
    let scene = Scene::followed().await?;
    let before = scene.trusted().await?;
    assert!(!scene.sync().await?.changed);
    let asked = scene.server.asked();
    assert_eq!(asked.len(), 1, "{asked:?}");
    assert_eq!(
        (asked[0].path.as_str(), asked[0].status, asked[0].body),
        ("head", 304, 0)
    );
    assert_eq!(scene.trusted().await?, before);
    Ok(())
}

#[tokio::test]
async fn only_what_is_new_is_asked_for() -> Result<()> {
    let mut scene = Scene::followed().await?;
    let mut other = advisory(1);
    other.id = "SPACECP-SA-2026-0099".parse()?;
    scene.vendor.publish_advisory(other)?;
    scene.vendor.broadcast()?;
    let report = scene.sync().await?;
    assert_eq!(report.accepted.len(), 1);
    let asked = scene.server.asked();
    assert!(
        !asked
            .iter()
            .any(|asked| asked.path.contains(advisory(1).id.as_str())),
        "{asked:?}"
    );
    Ok(())
}

#[tokio::test]
async fn a_folder_is_followed_like_a_server() -> Result<()> {
    let scene = Scene::new().await?;
    let folder = scene.vendor.feed_dir().display().to_string();
    assert!(scene.sync_with(&folder).await?.changed);
    assert!(!scene.sync_with(&folder).await?.changed);
    Ok(())
}

#[tokio::test]
async fn a_stale_feed_is_believed_again_as_soon_as_there_is_a_fresh_word() -> Result<()> {
    let mut scene = Scene::followed().await?;
    let before = scene.trusted().await?;
    scene.now += hours(24 * 8);
    let error = scene.sync().await.unwrap_err();
    assert!(error.to_string().contains("expired"), "{error}");
    assert_eq!(
        scene.trusted().await?,
        before,
        "what was known stays visible"
    );
    let now = scene.now;
    scene.vendor.at(now).broadcast()?;
    assert!(scene.sync().await?.changed);
    Ok(())
}

#[tokio::test]
async fn a_clock_that_goes_back_brings_nothing_expired_to_life() -> Result<()> {
    let mut scene = Scene::followed().await?;
    let (now, old) = (scene.now + hours(24 * 3), scene.now);
    scene.now = now;
    scene.vendor.at(now).broadcast()?;
    scene.sync().await?;
    scene.vendor.at(now).broadcast_until(now + hours(1))?;
    scene.now = now + hours(2);
    assert!(scene.sync().await.is_err(), "it expired an hour ago");
    scene.now = old;
    // The latest time by which anything was decided is remembered, so the head of three days ago
    // cannot be replayed as if it were that day still.
    assert_eq!(scene.believed().await?.latest_time, now);
    // And the head of an hour was seen expired, so that it is, by any clock.
    let before = scene.trusted().await?;
    let error = scene.sync().await.expect_err("it has not come to life");
    assert!(error.to_string().contains("expired"), "{error}");
    assert_eq!(scene.trusted().await?, before);
    scene.vendor.at(now + hours(2)).broadcast()?;
    assert!(scene.sync().await?.changed, "the vendor's next word counts");
    Ok(())
}

#[tokio::test]
async fn a_head_that_was_seen_expired_stays_so_until_the_vendors_next_however_the_clock_goes()
-> Result<()> {
    let mut scene = Scene::followed().await?;
    let now = scene.now;
    assert!(!scene.store.freshness().await?.is_stale(now));
    scene.now = now + hours(24 * 8);
    scene.sync().await.expect_err("it expired yesterday");
    scene.now = now;
    let error = scene.sync().await.expect_err("it has not come to life");
    assert!(error.to_string().contains("expired"), "{error}");
    let trusted = scene.believed().await?;
    assert!(trusted.head.is_some(), "what was known stays visible");
    assert!(trusted.fresh_head(now).is_none());
    assert!(scene.store.freshness().await?.is_stale(now));
    // Another process, and a later start of this one, know it too.
    let other = Store::open(scene.store.path()).await?;
    assert!(other.freshness().await?.is_stale(now));
    scene.vendor.broadcast()?;
    assert!(scene.sync().await?.changed);
    assert!(!scene.store.freshness().await?.is_stale(now));
    Ok(())
}

#[tokio::test]
async fn what_is_known_is_good_for_no_longer_than_the_root_above_it() -> Result<()> {
    let mut scene = Scene::followed().await?;
    let late = scene.now + hours(24 * 364);
    scene.now = late;
    scene
        .vendor
        .at(late)
        .broadcast_until(late + hours(24 * 7))?;
    scene.sync().await?;
    let trusted = scene.believed().await?;
    let root = trusted.root.map(|root| root.expires);
    let freshness = scene.store.freshness().await?;
    assert_eq!(freshness.valid_until, root);
    assert!(freshness.is_stale(late + hours(48)));
    Ok(())
}

#[tokio::test]
async fn two_panels_on_one_store_at_once_leave_it_whole() -> Result<()> {
    let scene = Scene::new().await?;
    let other = Store::open(scene.store.path()).await?;
    let url = scene.server.url();
    let (one, two) = (scene.follower_of(&url)?, scene.follower_of(&url)?);
    let (one, two) = tokio::join!(one.sync(scene.now), two.sync(scene.now));
    assert!(one.is_ok() && two.is_ok(), "{one:?} {two:?}");
    assert_eq!(other.documents_since(None, 10).await?.documents.len(), 1);
    Ok(())
}

#[tokio::test]
async fn a_store_file_that_is_no_store_is_refused_by_name_and_left_alone() -> Result<()> {
    let folder = spacecp_tests::scratch::folder()?;
    let path = folder.path().join("store.sqlite");
    fs::write(
        &path,
        "not a database at all, but long enough to be looked at twice ".repeat(200),
    )?;
    let before = fs::read(&path)?;
    let error = Store::open(&path).await.unwrap_err().to_string();
    assert!(error.contains("store.sqlite"), "{error}");
    assert_eq!(fs::read(&path)?, before);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_that_changes_while_it_is_read_is_followed_to_the_end() -> Result<()> {
    let mut scene = Scene::followed().await?;
    let address = scene.vendor.feed_dir().display().to_string();
    let reader = scene.follower_of(&address)?;
    let now = scene.now;
    let writer = tokio::task::spawn_blocking(move || {
        for _ in 0..25 {
            scene.vendor.broadcast().expect("the vendor broadcasts");
        }
        scene
    });
    let (mut last, mut good) = (1, 0);
    while !writer.is_finished() {
        // A head that is exchanged between its bytes and its signatures may be refused; nothing that
        // is accepted goes back, or has an index of another head.
        match reader.sync(now).await {
            Ok(report) => {
                assert!(report.sequence >= last, "{report:?}");
                (last, good) = (report.sequence, good + 1);
            }
            Err(SyncError::Trust { .. } | SyncError::Fetch { .. } | SyncError::Missing { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
    let scene = writer.await?;
    assert!(good > 0, "no sync ever met a whole feed");
    assert_eq!(reader.sync(scene.now).await?.sequence, 26);
    Ok(())
}
