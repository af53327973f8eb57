//! A feed in one file: the same checks as over a network, and nothing in it but a feed.

use std::{fs, path::PathBuf, sync::Arc};

use anyhow::Result;
use rustix::fs::{CWD, FileType, Mode, mknodat};
use spacecp_advisories::{
    fetch::{FetchError, Source},
    sync::{Mirror, SyncError, SyncReport},
    trust::TrustError,
};
use spacecp_publisher::bundle::bundle;

use crate::scene::{Scene, advisory, copy, hours};

fn made(scene: &Scene) -> Result<PathBuf> {
    let file = scene.folder.path().join("feed.tar");
    bundle(scene.vendor.feed(), &file)?;
    Ok(file)
}

async fn import(scene: &Scene, file: &std::path::Path) -> Result<SyncReport, SyncError> {
    let mirror = Mirror {
        address: "a USB stick".to_owned(),
        source: Arc::new(Source::bundle(file)?),
    };
    let follower = scene
        .follower_of(&scene.server.url())
        .expect("the pinned root is good");
    follower.sync_from(&[mirror], scene.now).await
}

#[tokio::test]
async fn a_bundle_brings_what_the_feed_would_and_asks_nobody() -> Result<()> {
    let (carried, followed) = (Scene::new().await?, Scene::followed().await?);
    let report = import(&carried, &made(&carried)?).await?;
    assert!(report.changed && report.accepted.len() == 1);
    assert!(carried.server.asked().is_empty());
    assert_eq!(
        carried
            .store
            .documents_since(None, 10)
            .await?
            .documents
            .len(),
        followed
            .store
            .documents_since(None, 10)
            .await?
            .documents
            .len()
    );
    assert!(
        !carried.sync().await?.changed,
        "the feed has nothing to add"
    );
    Ok(())
}

#[test]
fn a_pipe_in_place_of_a_bundle_is_refused_without_waiting_for_a_writer() -> Result<()> {
    let folder = spacecp_tests::scratch::folder()?;
    let pipe = folder.path().join("feed.tar");
    mknodat(CWD, &pipe, FileType::Fifo, Mode::RUSR, 0)?;
    for place in [pipe.as_path(), folder.path()] {
        let refused = Source::bundle(place).map(drop);
        assert!(
            matches!(&refused, Err(FetchError::File { path, .. }) if path == place),
            "{refused:?}"
        );
    }
    Ok(())
}

#[tokio::test]
async fn the_same_feed_makes_the_same_bundle() -> Result<()> {
    let scene = Scene::new().await?;
    let one = fs::read(made(&scene)?)?;
    assert_eq!(one, fs::read(made(&scene)?)?);
    Ok(())
}

#[tokio::test]
async fn a_bundle_from_the_past_is_refused() -> Result<()> {
    let mut scene = Scene::new().await?;
    let old = made(&scene)?;
    scene.vendor.publish_advisory(advisory(2))?;
    scene.vendor.broadcast()?;
    scene.sync().await?;
    let before = scene.trusted().await?;
    let error = import(&scene, &old).await.unwrap_err();
    assert!(
        matches!(error, SyncError::Trust(TrustError::Sequence { .. })),
        "{error}"
    );
    scene.now += hours(24 * 8);
    let fresh = Scene {
        now: scene.now,
        ..Scene::new().await?
    };
    let error = import(&fresh, &made(&fresh)?).await.unwrap_err();
    assert!(
        matches!(error, SyncError::Trust(TrustError::HeadExpired { .. })),
        "{error}"
    );
    assert_eq!(scene.trusted().await?, before);
    Ok(())
}

#[tokio::test]
async fn after_a_bundle_from_the_future_the_feed_has_to_catch_up() -> Result<()> {
    let mut scene = Scene::followed().await?;
    let lagging = scene.folder.path().join("lagging");
    copy(scene.vendor.feed_dir(), &lagging)?;
    let tomorrow = scene.now + hours(24);
    scene.vendor.at(tomorrow).publish_advisory(advisory(2))?;
    scene.vendor.broadcast()?;
    // A stick that was filled where clocks are ahead: every check is the feed's own.
    let report = import(&scene, &made(&scene)?).await?;
    assert_eq!((report.changed, report.sequence), (true, 2));
    let before = scene.trusted().await?;
    let error = scene.sync_with(&lagging.display().to_string()).await;
    let error = error.expect_err("the mirror lags behind").to_string();
    assert!(error.contains("rollback"), "{error}");
    assert_eq!(scene.trusted().await?, before);
    assert!(
        !scene.sync().await?.changed,
        "the feed itself has nothing to add"
    );
    Ok(())
}

#[tokio::test]
async fn a_bundle_for_another_vendors_panels_is_refused() -> Result<()> {
    let (here, elsewhere) = (Scene::followed().await?, Scene::new().await?);
    let mut other = elsewhere;
    other.vendor.broadcast()?;
    let before = here.trusted().await?;
    let error = import(&here, &made(&other)?).await.unwrap_err();
    assert!(
        matches!(error, SyncError::Trust(TrustError::Signatures { .. })),
        "{error}"
    );
    assert_eq!(here.trusted().await?, before);
    Ok(())
}

#[tokio::test]
async fn a_bundle_cut_off_anywhere_is_refused_and_shows_nothing() -> Result<()> {
    let scene = Scene::new().await?;
    let whole = fs::read(made(&scene)?)?;
    let file = scene.folder.path().join("cut.tar");
    // The last 1024 bytes are the archive's own empty end.
    for length in (0..whole.len() - 1024).step_by(700) {
        fs::write(&file, &whole[..length])?;
        assert!(import(&scene, &file).await.is_err(), "of {length} bytes");
        assert!(scene.believed().await?.head.is_none());
    }
    fs::write(&file, &whole)?;
    assert!(import(&scene, &file).await?.changed);
    Ok(())
}

/// An archive with one member of this name and type behind an honest feed.
fn with_member(scene: &Scene, name: &[u8], kind: tar::EntryType) -> Result<PathBuf> {
    let honest = fs::read(made(scene)?)?;
    let mut header = tar::Header::new_ustar();
    let field = &mut header.as_old_mut().name;
    let length = name.len().min(field.len());
    field[..length].copy_from_slice(&name[..length]);
    header.set_entry_type(kind);
    header.set_size(0);
    header.set_mode(0o644);
    if kind.is_symlink() || kind.is_hard_link() {
        header.set_link_name("/etc/passwd")?;
    }
    header.set_cksum();
    let mut bytes = header.as_bytes().to_vec();
    bytes.extend_from_slice(&honest);
    let file = scene.folder.path().join("spoiled.tar");
    fs::write(&file, bytes)?;
    Ok(file)
}

#[tokio::test]
async fn a_member_that_no_feed_has_makes_the_bundle_refused_by_name() -> Result<()> {
    use tar::EntryType as Kind;
    let scene = Scene::new().await?;
    let long = "A".repeat(99);
    let members: [(&[u8], Kind); 15] = [
        (b"../head", Kind::Regular),
        (b"/etc/passwd", Kind::Regular),
        (b"root/../head", Kind::Regular),
        (b"%2e%2e/head", Kind::Regular),
        (b"HEAD", Kind::Regular),
        (b"CON", Kind::Regular),
        (b"he\xe2\x80\xaead", Kind::Regular),
        (b"he\xffad", Kind::Regular),
        (long.as_bytes(), Kind::Regular),
        (b"head", Kind::Regular),
        (b"root/9.root", Kind::Symlink),
        (b"root/9.root", Kind::Link),
        (b"root/9.root", Kind::Char),
        (b"root/9.root", Kind::Fifo),
        (b"././@LongLink", Kind::GNULongName),
    ];
    for (name, kind) in members {
        let file = with_member(&scene, name, kind)?;
        let refused = import(&scene, &file).await.unwrap_err();
        assert!(
            matches!(&refused, SyncError::Fetch(FetchError::Member { .. })),
            "{name:?} {kind:?}: {refused}"
        );
        assert!(scene.believed().await?.head.is_none());
    }
    Ok(())
}
