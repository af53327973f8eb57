//! A clock that jumps ahead or goes back: nothing that was seen expired comes back, and there is a way out.

use std::fs;

use anyhow::{Context, Result};
use jiff::Timestamp;
use spacecp_advisories::{
    store::Store,
    sync::{SyncError, SyncReport},
    trust::TrustError,
};
use spacecp_contract::{Digest, FeedPath, TimeBounds};
use sqlx::{SqlitePool, sqlite::SqliteConnectOptions};

use crate::{
    rotation::{put_root, root},
    scene::{Scene, advisory, copy, hours, noon},
};

fn refused(synced: Result<SyncReport, SyncError>) -> Result<TrustError> {
    match synced {
        Err(SyncError::Trust(refused)) => Ok(refused),
        other => anyhow::bail!("{other:?}"),
    }
}

/// A panel whose clock was a year ahead once, and is right again.
async fn jumped() -> Result<Scene> {
    let mut scene = Scene::followed().await?;
    scene.now = noon() + hours(24 * 400);
    let error = refused(scene.sync().await)?;
    assert!(matches!(error, TrustError::RootExpired { .. }), "{error}");
    scene.now = noon() + hours(1);
    Ok(scene)
}

/// Has the vendor issue the next root, good for a year from `issued` on.
fn renew(scene: &Scene, version: u64, issued: Timestamp) -> Result<()> {
    let vendor = &scene.vendor;
    let mut next = root(version, &vendor.keys().holders());
    (next.issued, next.expires) = (issued, issued + hours(24 * 365));
    put_root(vendor, version, next, &[&vendor.keys().root])
}

#[tokio::test]
async fn a_root_that_was_seen_expired_verifies_its_successor_and_nothing_else() -> Result<()> {
    let mut scene = jumped().await?;
    let before = scene.trusted().await?;
    scene.vendor.publish_advisory(advisory(2))?;
    scene.vendor.broadcast()?;
    let error = refused(scene.sync().await)?;
    assert_eq!(error, TrustError::RootSeenExpired { version: 1 });
    assert_eq!(scene.trusted().await?, before, "what was known stays");
    let latest = scene.believed().await?.latest_time;
    assert_eq!(latest, noon(), "nothing was decided by that clock");
    assert!(scene.store.freshness().await?.is_stale(scene.now));
    renew(&scene, 2, noon())?;
    let report = scene.sync().await?;
    assert_eq!((report.changed, report.sequence), (true, 2));
    assert!(!scene.store.freshness().await?.is_stale(scene.now));
    Ok(())
}

#[tokio::test]
async fn a_pinned_root_that_was_seen_expired_before_the_first_sync_stays_so() -> Result<()> {
    let mut scene = Scene::new().await?;
    scene.now = noon() + hours(24 * 400);
    scene.sync().await.expect_err("it expired");
    scene.now = noon();
    let error = refused(scene.sync().await)?;
    assert_eq!(error, TrustError::RootSeenExpired { version: 1 });
    Ok(())
}

#[tokio::test]
async fn a_root_expires_at_its_very_moment_and_is_remembered_from_then_on() -> Result<()> {
    let expires = noon() + hours(24 * 365);
    let mut scene = Scene::followed().await?;
    let soon = expires - hours(1);
    scene.vendor.at(soon).broadcast()?;
    scene.now = expires - hours(1);
    scene.sync().await?;
    scene.now = expires - jiff::SignedDuration::from_secs(1);
    assert!(!scene.sync().await?.changed);
    assert_eq!(scene.store.clock().await?.expired.root, None);
    scene.now = expires;
    let error = refused(scene.sync().await)?;
    assert!(matches!(error, TrustError::RootExpired { .. }), "{error}");
    let memory = scene.store.clock().await?;
    assert!(memory.expired.root.is_some());
    assert_eq!(memory.seen, Some(expires));
    scene.now = soon;
    let error = refused(scene.sync().await)?;
    assert_eq!(error, TrustError::RootSeenExpired { version: 1 });
    Ok(())
}

#[tokio::test]
async fn a_head_that_is_older_than_one_seen_expired_is_not_believed_either() -> Result<()> {
    let mut scene = Scene::followed().await?;
    scene.vendor.publish_advisory(advisory(2))?;
    scene.vendor.broadcast()?;
    let older = scene.folder.path().join("older");
    copy(scene.vendor.feed_dir(), &older)?;
    scene.vendor.broadcast()?;
    scene.now = noon() + hours(24 * 8);
    let error = refused(scene.sync().await)?;
    assert!(
        matches!(error, TrustError::HeadExpired { sequence: 3, .. }),
        "{error}"
    );
    // With the clock it was good, and nobody has seen its bytes expired.
    scene.now = noon();
    let error = refused(scene.sync_with(&older.display().to_string()).await)?;
    assert_eq!(error, TrustError::HeadSeenExpired { sequence: 2 });
    let error = refused(scene.sync().await)?;
    assert_eq!(error, TrustError::HeadSeenExpired { sequence: 3 });
    scene.vendor.broadcast()?;
    assert_eq!(scene.sync().await?.sequence, 4);
    Ok(())
}

#[tokio::test]
async fn what_was_seen_expired_outlives_the_process_and_what_is_stored_of_the_feed() -> Result<()> {
    let mut scene = jumped().await?;
    let latest = scene.store.clock().await?.latest;
    assert_eq!(latest, noon());
    scene.close_feed().await;
    for part in ["feed.sqlite", "feed.sqlite-wal", "feed.sqlite-shm"] {
        let path = scene.store.path().with_file_name(part);
        if path.exists() {
            fs::remove_file(path)?;
        }
    }
    scene.store = Store::open(scene.store.path()).await?;
    let trusted = scene.believed().await?;
    assert!(trusted.head.is_none());
    assert_eq!(trusted.latest_time, latest);
    let error = refused(scene.sync().await)?;
    assert_eq!(error, TrustError::RootSeenExpired { version: 1 });
    Ok(())
}

#[tokio::test]
async fn after_a_false_jump_the_clock_memory_can_be_reset_and_the_feed_is_followed_again()
-> Result<()> {
    let scene = jumped().await?;
    let memory = scene.store.clock().await?;
    assert_eq!(memory.furthest(), noon() + hours(24 * 400));
    scene.store.reset_clock(scene.now).await?;
    let memory = scene.store.clock().await?;
    assert_eq!((memory.latest, memory.seen), (noon(), None));
    assert!(!scene.sync().await?.changed);
    Ok(())
}

#[tokio::test]
async fn resetting_the_clock_memory_forgets_nothing_that_the_clock_has_reached() -> Result<()> {
    let mut scene = Scene::followed().await?;
    let seen = noon() + hours(24 * 8);
    scene.now = seen;
    scene.sync().await.expect_err("it expired yesterday");
    scene.store.reset_clock(seen).await?;
    assert_eq!(scene.store.clock().await?.seen, Some(seen));
    scene.now = noon();
    let error = refused(scene.sync().await)?;
    assert_eq!(error, TrustError::HeadSeenExpired { sequence: 1 });
    Ok(())
}

#[tokio::test]
async fn a_new_root_from_the_future_is_kept_and_nothing_else_moves_until_the_next() -> Result<()> {
    let mut scene = Scene::followed().await?;
    let before = scene.believed().await?;
    scene.vendor.broadcast()?;
    renew(&scene, 2, noon() + hours(24 * 30))?;
    let error = refused(scene.sync().await)?;
    assert!(
        matches!(error, TrustError::RootIssuedAhead { version: 2, .. }),
        "{error}"
    );
    let after = scene.believed().await?;
    assert_eq!((after.head, after.index), (before.head, before.index));
    assert_eq!(after.root.context("a root")?.version, 2);
    renew(&scene, 3, noon())?;
    assert_eq!(scene.sync().await?.sequence, 2);
    Ok(())
}

#[tokio::test]
async fn a_root_that_sets_closer_bounds_ends_a_head_that_is_held() -> Result<()> {
    let mut scene = Scene::new().await?;
    let long = noon() + hours(24 * 60);
    scene.vendor.broadcast_until(long)?;
    scene.sync().await?;
    assert_eq!(scene.store.freshness().await?.valid_until, Some(long));
    let vendor = &scene.vendor;
    let mut closer = root(2, &vendor.keys().holders());
    closer.time_bounds = TimeBounds {
        head_days: Some(7),
        ..TimeBounds::default()
    };
    put_root(vendor, 2, closer, &[&vendor.keys().root])?;
    scene.vendor.broadcast()?;
    // The root comes, and somebody holds back the rest.
    let index = scene.vendor.feed_dir().join(FeedPath::index(3).as_str());
    fs::remove_file(index)?;
    scene.sync().await.expect_err("there is no index");
    let closer = noon() + hours(24 * 7);
    assert_eq!(scene.store.freshness().await?.valid_until, Some(closer));
    Ok(())
}

#[tokio::test]
async fn what_an_earlier_version_remembered_in_the_file_of_the_feed_is_taken_over() -> Result<()> {
    let scene = Scene::followed().await?;
    let trusted = scene.store.trusted().await?;
    let head = trusted.head.as_ref().context("it was heard")?;
    let (digest, later) = (Digest::of(head.bytes()), noon() + hours(5));
    let options = SqliteConnectOptions::new().filename(scene.store.feed_path());
    let pool = SqlitePool::connect_with(options).await?;
    sqlx::query("INSERT INTO expired_heads (digest) VALUES (?)")
        .bind(digest.to_string())
        .execute(&pool)
        .await?;
    sqlx::query("UPDATE feed_state SET latest_time = ?")
        .bind(later.as_second())
        .execute(&pool)
        .await?;
    pool.close().await;
    for _ in 0..2 {
        let store = Store::open(scene.store.path()).await?;
        let clock = store.clock().await?;
        assert_eq!(clock.latest, later);
        let seen = clock.expired.head.context("it was seen expired")?;
        assert_eq!((seen.sequence, seen.digest), (head.sequence, digest));
        assert!(store.freshness().await?.expired);
    }
    scene.store.forget_clock().await?;
    let store = Store::open(scene.store.path()).await?;
    let clock = store.clock().await?;
    assert_eq!(clock.latest, Timestamp::default(), "it stays forgotten");
    Ok(())
}
