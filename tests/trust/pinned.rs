//! Where trust begins: a root that was handed over, or its fingerprint; never the first that comes.

use anyhow::Result;
use spacecp_advisories::{
    sync::{Follower, SyncError},
    trust::{TrustError, workflow::Pin},
};
use spacecp_contract::{Digest, FeedPath};
use spacecp_publisher::{keys::SecretKey, roots, sign::sign};

use crate::scene::{Scene, hours, noon};

fn pinned_to(scene: &Scene, digest: Digest) -> Result<Follower> {
    let mirrors = scene.follower_of(&scene.server.url())?.mirrors().to_vec();
    let pin = Pin::Fingerprint { version: 1, digest };
    Ok(Follower::new(
        mirrors,
        scene.store.clone(),
        pin,
        "customers".parse()?,
    ))
}

fn fingerprint(scene: &Scene) -> Result<Digest> {
    Ok(Digest::of(&std::fs::read(scene.vendor.root_path())?))
}

#[tokio::test]
async fn a_fingerprint_is_enough_to_begin_with() -> Result<()> {
    let scene = Scene::new().await?;
    let follower = pinned_to(&scene, fingerprint(&scene)?)?;
    assert!(
        follower.root().await?.is_none(),
        "nothing is trusted before the first sync"
    );
    assert!(follower.sync(scene.now).await?.changed);
    assert_eq!(
        scene.server.asked()[0].path,
        FeedPath::root(1).to_string(),
        "the root comes first"
    );
    assert!(!follower.sync(scene.now).await?.changed);
    assert_eq!(scene.server.asked().len(), 1, "and is asked for once");
    Ok(())
}

#[tokio::test]
async fn another_first_root_than_the_pinned_one_is_refused_and_nothing_is_kept() -> Result<()> {
    let scene = Scene::new().await?;
    let honest = fingerprint(&scene)?;
    // A whole feed by somebody else, signed by their own keys.
    let stranger = SecretKey::generate()?;
    let holders = scene
        .vendor
        .keys()
        .holders()
        .with(spacecp_contract::Role::Root, stranger.public().clone());
    let root = roots::root(
        "customers".parse()?,
        1,
        &holders,
        noon(),
        noon() + hours(24),
    );
    let root = sign(root, &[&stranger])?;
    let at = scene.vendor.feed_dir().join(FeedPath::root(1).as_str());
    let (bytes, signatures) = (
        std::fs::read(&at)?,
        std::fs::read(at.with_extension("root.minisig"))?,
    );
    std::fs::write(&at, &root.bytes)?;
    std::fs::write(at.with_extension("root.minisig"), &root.signatures)?;
    let follower = pinned_to(&scene, honest)?;
    let error = follower.sync(scene.now).await.unwrap_err();
    assert!(
        matches!(error, SyncError::Trust(TrustError::Fingerprint { .. })),
        "{error}"
    );
    assert!(scene.believed().await?.root.is_none());
    std::fs::write(&at, bytes)?;
    std::fs::write(at.with_extension("root.minisig"), signatures)?;
    assert!(
        follower.sync(scene.now).await?.changed,
        "the honest one is believed"
    );
    Ok(())
}

#[tokio::test]
async fn a_root_with_the_right_fingerprint_must_be_signed_by_its_own_keys_all_the_same()
-> Result<()> {
    let scene = Scene::new().await?;
    let at = scene.vendor.feed_dir().join("root/1.root.minisig");
    let root = std::fs::read(scene.vendor.root_path())?;
    let comment = spacecp_contract::TrustedComment::for_parts(
        spacecp_contract::DocumentKind::Root,
        "root",
        1,
    );
    std::fs::write(
        at,
        spacecp_publisher::sign::sign_bytes(&root, &comment, &[&SecretKey::generate()?])?,
    )?;
    let error = pinned_to(&scene, fingerprint(&scene)?)?
        .sync(scene.now)
        .await
        .unwrap_err();
    assert!(
        matches!(error, SyncError::Trust(TrustError::Signatures { .. })),
        "{error}"
    );
    Ok(())
}

#[tokio::test]
async fn a_pin_that_was_exchanged_is_not_mixed_with_what_was_trusted_before() -> Result<()> {
    let scene = Scene::followed().await?;
    let before = scene.trusted().await?;
    let error = pinned_to(&scene, Digest::of(b"another root"))?
        .sync(scene.now)
        .await
        .unwrap_err();
    assert!(
        matches!(error, SyncError::PinChanged { version: 1, .. }),
        "{error}"
    );
    assert!(
        error.to_string().contains("trust reset"),
        "it says what to do: {error}"
    );
    assert_eq!(scene.trusted().await?, before);
    scene.store.forget_feed().await?;
    assert!(
        scene.sync().await?.changed,
        "after a reset trust begins with the pin"
    );
    Ok(())
}
