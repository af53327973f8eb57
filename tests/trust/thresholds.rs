//! How many must sign: raised, lowered, reached and missed. And a kind of signature that is too old.

use std::{fs, process::Command};

use anyhow::{Context, Result, ensure};
use spacecp_contract::{DocumentKind, FeedPath, Role};
use spacecp_publisher::keys::{self, SecretKey};

use crate::{
    rotation::{self, holders, put_root, root, version},
    scene::{Scene, advisory, hours, noon},
};

/// A scene whose second root gives the root role to three keys, of which one must sign.
async fn one_of_three() -> Result<(Scene, Vec<SecretKey>)> {
    let scene = Scene::followed().await?;
    let three = rotation::keys(3)?;
    let by = [&scene.vendor.keys().root, &three[0]];
    put(&scene, 2, &three, 1, &by)?;
    follows(&scene, 2).await?;
    Ok((scene, three))
}

async fn follows(scene: &Scene, root: u64) -> Result<()> {
    scene.sync().await?;
    assert_eq!(version(scene).await?, Some(root));
    Ok(())
}

async fn stays_at(scene: &Scene, root: u64) -> Result<()> {
    let refused = scene.sync().await.expect_err("it was followed").to_string();
    assert!(refused.contains("is not sufficiently signed"), "{refused}");
    assert_eq!(version(scene).await?, Some(root));
    Ok(())
}

/// Puts a root at its place, with a new head, for without one panels do not look for it.
fn put(
    scene: &Scene,
    at: u64,
    keys: &[SecretKey],
    threshold: u32,
    by: &[&SecretKey],
) -> Result<()> {
    let place = scene.vendor.feed_dir().join(FeedPath::root(at).as_str());
    if place.exists() {
        fs::remove_file(place)?;
        scene.vendor.believe_folder()?;
    }
    let signer = &scene.vendor.keys().feed;
    let publisher = scene.vendor.publisher();
    publisher.broadcast(noon(), noon() + hours(24), &[signer])?;
    let next = root(at, &holders(&scene.vendor, Role::Root, keys, threshold));
    put_root(&scene.vendor, at, next, by)
}

#[tokio::test]
async fn a_threshold_is_raised_from_one_to_two_of_three_and_lowered_again() -> Result<()> {
    let (scene, three) = one_of_three().await?;
    put(&scene, 3, &three, 2, &[&three[0], &three[1]])?;
    follows(&scene, 3).await?;
    put(&scene, 4, &three, 1, &[&three[2], &three[1]])?;
    follows(&scene, 4).await?;
    put(&scene, 5, &three, 1, &[&three[2]])?;
    follows(&scene, 5).await
}

#[tokio::test]
async fn a_raised_threshold_that_the_new_root_does_not_reach_is_refused() -> Result<()> {
    let (scene, three) = one_of_three().await?;
    put(&scene, 3, &three, 2, &[&three[0]])?;
    stays_at(&scene, 2).await?;
    put(&scene, 3, &three, 2, &[&three[0], &three[2]])?;
    follows(&scene, 3).await
}

#[tokio::test]
async fn a_lowered_threshold_that_the_old_root_does_not_reach_is_refused() -> Result<()> {
    let (scene, three) = one_of_three().await?;
    put(&scene, 3, &three, 2, &[&three[0], &three[1]])?;
    follows(&scene, 3).await?;
    put(&scene, 4, &three, 1, &[&three[0]])?;
    stays_at(&scene, 3).await?;
    put(&scene, 4, &three, 1, &[&three[0], &three[2]])?;
    follows(&scene, 4).await
}

#[tokio::test]
async fn a_threshold_is_raised_from_one_to_both_of_two() -> Result<()> {
    let scene = Scene::followed().await?;
    let two = rotation::keys(2)?;
    let own = &scene.vendor.keys().root;
    put(&scene, 2, &two, 1, &[own, &two[0]])?;
    follows(&scene, 2).await?;
    put(&scene, 3, &two, 2, &[&two[0], &two[1]])?;
    follows(&scene, 3).await?;
    put(&scene, 4, &two, 2, &[&two[1]])?;
    stays_at(&scene, 3).await
}

#[tokio::test]
async fn signatures_that_nobody_asked_for_do_no_harm() -> Result<()> {
    let (scene, three) = one_of_three().await?;
    let strangers = rotation::keys(2)?;
    let all: Vec<&SecretKey> = strangers.iter().chain(&three).collect();
    put(&scene, 3, &three, 2, &all)?;
    follows(&scene, 3).await
}

#[tokio::test]
async fn two_signatures_by_one_key_are_one() -> Result<()> {
    let (scene, three) = one_of_three().await?;
    put(&scene, 3, &three, 2, &[&three[0], &three[0], &three[0]])?;
    stays_at(&scene, 2).await
}

#[tokio::test]
#[cfg_attr(
    not(has_minisign),
    ignore = "needs the program minisign (Debian: minisign)"
)]
async fn a_legacy_signature_by_the_right_key_is_refused() -> Result<()> {
    let scene = Scene::followed().await?;
    let folder = scene.folder.path();
    let minisign = |arguments: &[&str]| {
        let made = Command::new("minisign")
            .args(arguments)
            .current_dir(folder)
            .output()
            .context("cannot run minisign (Debian: minisign)")?;
        ensure!(
            made.status.success(),
            "{}",
            String::from_utf8_lossy(&made.stderr)
        );
        Ok(())
    };
    keys::create(folder, "feed", None)?;
    let key = SecretKey::load(&folder.join("feed.key"), || None)?;
    let only = std::slice::from_ref(&key);
    let next = root(2, &holders(&scene.vendor, Role::Feed, only, 1));
    put_root(&scene.vendor, 2, next, &[&scene.vendor.keys().root])?;
    scene
        .vendor
        .publisher()
        .broadcast(noon(), noon() + hours(24), &[&key])?;
    let head = scene.vendor.feed_dir().join(FeedPath::head().as_str());
    let head = head.display().to_string();
    let sign = [
        "-S",
        "-W",
        "-s",
        "feed.key",
        "-m",
        &head,
        "-t",
        "spacecp role=feed name=head revision=2",
    ];
    minisign(&[&sign[..], &["-l"]].concat())?;
    let before = scene.trusted().await?;
    let refused = scene.sync().await.expect_err("it was accepted").to_string();
    assert!(
        refused.contains("head is not sufficiently signed"),
        "{refused}"
    );
    let after = scene.trusted().await?;
    assert_eq!(
        before
            .split_once("Some(Verified { document: Head")
            .map(|parts| parts.1),
        after
            .split_once("Some(Verified { document: Head")
            .map(|parts| parts.1),
        "the root is new, and nothing else"
    );
    minisign(&sign)?;
    assert!(scene.sync().await?.changed);
    let text = fs::read_to_string(format!("{head}.minisig"))?;
    assert_eq!(text.lines().count(), 4, "the program's own file was taken");
    Ok(())
}

#[tokio::test]
async fn of_a_signature_file_that_was_padded_only_what_counted_is_kept() -> Result<()> {
    let scene = Scene::new().await?;
    let folder = scene.vendor.feed_dir();
    let id = advisory(1).id;
    let document = FeedPath::document(DocumentKind::Advisory, &id, 1);
    let root = FeedPath::root(2);
    let next = rotation::root(2, &scene.vendor.keys().holders());
    put_root(&scene.vendor, 2, next, &[&scene.vendor.keys().root])?;
    let stranger = fs::read_to_string(folder.join(FeedPath::root(1).signatures().as_str()))?;
    for path in [FeedPath::head(), FeedPath::index(1), document, root] {
        let place = folder.join(path.signatures().as_str());
        let honest = fs::read_to_string(&place)?;
        let (_, signed) = honest.split_once('\n').context("it has lines")?;
        let beside = "x".repeat(20_000);
        let others = stranger.repeat(10) + &honest.repeat(20);
        fs::write(
            place,
            format!("untrusted comment: {beside}\n{signed}{others}"),
        )?;
    }
    scene.sync().await?;
    let trusted = scene.believed().await?;
    let (head, index) = (
        trusted.head.context("a head")?,
        trusted.index.context("an index")?,
    );
    let root = trusted.root.context("a root")?;
    assert_eq!(root.version, 2);
    let document = scene.store.document(DocumentKind::Advisory, &id).await?;
    let document = document.context("it is held")?;
    for kept in [
        head.signatures(),
        index.signatures(),
        root.signatures(),
        document.signatures(),
    ] {
        assert_eq!(kept.lines().count(), 4, "{kept}");
        assert!(kept.len() < 500, "{} bytes", kept.len());
    }
    Ok(())
}
