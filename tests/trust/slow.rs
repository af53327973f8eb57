//! A mirror that gives every file just within its own limit, thousands of them: the whole of a sync has a
//! least pace, the next mirror is asked, and what came is kept.

use std::{sync::Arc, time::Duration};

use anyhow::{Result, bail};
use spacecp_advisories::{
    fetch::{Patience, Source},
    store::IncidentKind,
    sync::{Follower, Mirror, SyncError, SyncReport},
};
use spacecp_contract::DocumentId;
use spacecp_tests::feed_server::FeedServer;

use crate::scene::{Scene, advisory};

/// Advisories, more than can be on their way at once.
const MANY: usize = 32;

/// What an answer of a slow mirror waits for.
const PAUSE: Duration = Duration::from_millis(100);

/// A mirror that has so long for a sync.
fn mirror(server: &FeedServer, sync: Duration) -> Result<Mirror> {
    let patience = Patience {
        sync,
        slowest: u64::MAX,
        ..Patience::default()
    };
    let address = server.url();
    Ok(Mirror {
        source: Arc::new(Source::new(&address, patience)?),
        address,
    })
}

fn follower(scene: &Scene, mirrors: Vec<Mirror>) -> Result<Follower> {
    let pin = scene.vendor.pin()?;
    Ok(Follower::new(
        mirrors,
        scene.store.clone(),
        pin,
        "customers".parse()?,
    ))
}

/// A feed of many advisories that nobody has followed yet.
async fn many() -> Result<Scene> {
    let mut scene = Scene::new().await?;
    for number in 0..MANY {
        let mut one = advisory(1);
        one.id = DocumentId::new(format!("SPACECP-SA-2026-{:04}", 1_000 + number))?;
        scene.vendor.publish_advisory(one)?;
    }
    scene.vendor.broadcast()?;
    Ok(scene)
}

fn is_too_slow(synced: &Result<SyncReport, SyncError>) -> bool {
    matches!(synced, Err(SyncError::TooSlow { .. }))
}

#[tokio::test]
async fn a_mirror_that_holds_a_sync_up_is_left_for_the_next_and_that_is_noted() -> Result<()> {
    let scene = many().await?;
    let slow = FeedServer::start(scene.vendor.feed_dir().to_owned()).await?;
    slow.slow_down(PAUSE);
    let mirrors = vec![
        mirror(&slow, PAUSE * 7)?,
        mirror(&scene.server, Patience::default().sync)?,
    ];
    let report = follower(&scene, mirrors)?.sync(scene.now).await?;
    assert_eq!((report.changed, report.accepted.len()), (true, MANY + 1));
    let incident = scene.store.incidents(1).await?.remove(0);
    assert_eq!(incident.kind, IncidentKind::Unreachable);
    assert!(
        incident.words.contains("slow retrieval"),
        "{}",
        incident.words
    );
    assert!(
        incident.words.starts_with(&slow.url()),
        "{}",
        incident.words
    );
    Ok(())
}

#[tokio::test]
async fn what_a_slow_mirror_gave_is_kept_until_all_of_it_has_come() -> Result<()> {
    let scene = many().await?;
    let before = scene.trusted().await?;
    scene.server.slow_down(PAUSE);
    let alone = follower(&scene, vec![mirror(&scene.server, PAUSE * 10)?])?;
    let mut broken = 0;
    let report = loop {
        scene.server.asked();
        match alone.sync(scene.now).await {
            Ok(report) => break report,
            error if is_too_slow(&error) && broken < 50 => broken += 1,
            error => bail!("{error:?} after {broken}"),
        }
        assert_eq!(scene.trusted().await?, before, "nothing is current before");
    };
    assert!(broken > 0, "it came within one sync");
    assert_eq!(report.accepted.len(), MANY + 1);
    let asked = scene.server.asked();
    let documents = asked
        .iter()
        .filter(|asked| asked.path.starts_with("advisory/") && !asked.path.ends_with(".minisig"));
    assert!(
        documents.count() <= MANY,
        "all of it was asked for again: {asked:?}"
    );
    Ok(())
}

#[tokio::test]
async fn a_mirror_that_never_answers_costs_no_more_than_a_sync_may_take() -> Result<()> {
    let scene = Scene::followed().await?;
    let before = scene.trusted().await?;
    let silent = FeedServer::start(scene.vendor.feed_dir().to_owned()).await?;
    silent.always("head", spacecp_tests::feed_server::Fault::Silent);
    let alone = follower(&scene, vec![mirror(&silent, PAUSE)?])?;
    let error = alone.sync(scene.now).await;
    assert!(is_too_slow(&error), "{error:?}");
    assert_eq!(scene.trusted().await?, before);
    assert!(scene.sync().await.is_ok());
    Ok(())
}

#[tokio::test]
async fn a_folder_takes_as_long_as_it_takes() -> Result<()> {
    let scene = many().await?;
    let patience = Patience {
        sync: Duration::ZERO,
        ..Patience::default()
    };
    let address = scene.vendor.feed_dir().display().to_string();
    let folder = Mirror {
        source: Arc::new(Source::new(&address, patience)?),
        address,
    };
    assert!(
        follower(&scene, vec![folder])?
            .sync(scene.now)
            .await?
            .changed
    );
    Ok(())
}
