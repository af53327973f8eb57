//! Every file of a feed, and every way in which a server can fail to give it.

use std::time::Duration;

use anyhow::Result;
use spacecp_advisories::{
    fetch::{Access, Source},
    sync::Follower,
};
use spacecp_contract::{DocumentKind, FeedPath};
use spacecp_publisher::keys::SecretKey;
use spacecp_tests::feed_server::Fault;

use crate::{
    rotation::{put_root, root, version},
    scene::{Scene, advisory},
};

/// A panel that is not patient, so that the tests need not be.
pub(crate) fn impatient(scene: &Scene) -> Result<Follower> {
    let mut access = Access::default();
    access.patience.idle = Duration::from_millis(300);
    access.patience.document = Duration::from_millis(700);
    access.retries.first = Duration::from_millis(1);
    let address = scene.server.url();
    scene.follower_from(&address, Source::new(&address, access)?)
}

/// A feed with news: another root, another advisory.
async fn with_news() -> Result<Scene> {
    let mut scene = Scene::followed().await?;
    scene.vendor.publish_advisory(advisory(2))?;
    scene.vendor.broadcast()?;
    let next = root(2, &scene.vendor.keys().holders());
    put_root(&scene.vendor, 2, next, &[&scene.vendor.keys().root])?;
    Ok(scene)
}

fn document() -> FeedPath {
    FeedPath::document(DocumentKind::Advisory, &advisory(2).id, 2)
}

/// The server has this fault with each of these files: each time the panel says which file and what
/// was wrong, keeps head, index and documents, and takes the news when the server has come to itself.
async fn each_is_refused(files: &[FeedPath], fault: Fault, words: &str) -> Result<()> {
    for file in files {
        let scene = with_news().await?;
        let follower = impatient(&scene)?;
        let before = scene.believed().await?;
        scene.server.always(file.as_str(), fault);
        let error = follower.sync(scene.now).await;
        let error = error.expect_err("it was accepted").to_string();
        assert!(
            error.contains(words),
            "{file}: {words:?} is not in: {error}"
        );
        assert!(error.contains(file.as_str()), "{file} is not in: {error}");
        let after = scene.believed().await?;
        assert_eq!((after.head, after.index), (before.head, before.index));
        let held = scene.store.documents_since(None, 10).await?;
        assert_eq!(held.documents[0].revision, 1, "{file}");
        scene.server.behave();
        assert!(follower.sync(scene.now).await?.changed, "{file}");
        assert_eq!(version(&scene).await?, Some(2));
    }
    Ok(())
}

/// Everything that a panel asks for, but for the root after the last.
fn files() -> Vec<FeedPath> {
    let plain = [
        FeedPath::head(),
        FeedPath::index(2),
        document(),
        FeedPath::root(2),
    ];
    let signatures = plain.each_ref().map(FeedPath::signatures);
    plain.into_iter().chain(signatures).collect()
}

#[tokio::test]
async fn a_file_that_is_not_there_is_named() -> Result<()> {
    // Of roots only the signatures: a root that is not there is the end of the chain.
    let files: Vec<FeedPath> = files()
        .into_iter()
        .filter(|file| *file != FeedPath::root(2))
        .collect();
    each_is_refused(
        &files,
        Fault::Busy(404, 0),
        "the feed lacks the required file",
    )
    .await
}

#[tokio::test]
async fn a_file_that_the_server_fails_to_give_is_named() -> Result<()> {
    each_is_refused(&files(), Fault::Busy(500, 0), "answered 500").await
}

#[tokio::test]
async fn a_file_that_never_comes_is_given_up() -> Result<()> {
    each_is_refused(&files(), Fault::Silent, "within ").await
}

#[tokio::test]
async fn a_file_that_trickles_is_given_up() -> Result<()> {
    each_is_refused(&files(), Fault::Trickles, "within ").await
}

#[tokio::test]
async fn a_file_whose_connection_breaks_every_time_is_named() -> Result<()> {
    each_is_refused(&files(), Fault::Breaks(3), "cannot fetch").await
}

#[tokio::test]
async fn without_a_next_root_the_last_one_stays() -> Result<()> {
    let mut scene = Scene::followed().await?;
    scene.vendor.broadcast()?;
    scene
        .server
        .always(FeedPath::root(2).as_str(), Fault::Busy(404, 0));
    assert!(impatient(&scene)?.sync(scene.now).await?.changed);
    assert_eq!(version(&scene).await?, Some(1));
    Ok(())
}

#[tokio::test]
async fn a_root_that_goes_back_is_refused() -> Result<()> {
    let mut scene = Scene::followed().await?;
    scene.vendor.broadcast()?;
    let first = root(1, &scene.vendor.keys().holders());
    let stranger = SecretKey::generate()?;
    put_root(
        &scene.vendor,
        2,
        first,
        &[&scene.vendor.keys().root, &stranger],
    )?;
    let error = scene.sync().await.expect_err("it went back").to_string();
    assert!(error.contains("does not directly follow"), "{error}");
    assert_eq!(version(&scene).await?, Some(1));
    let next = root(2, &scene.vendor.keys().holders());
    put_root(&scene.vendor, 2, next, &[&scene.vendor.keys().root])?;
    assert!(scene.sync().await?.changed, "the next honest sync succeeds");
    Ok(())
}
