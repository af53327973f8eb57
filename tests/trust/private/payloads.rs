//! What a correction under embargo brings: sealed on its way, and opened to the place where it belongs.

use std::{fs, sync::Arc};

use anyhow::{Context, Result};
use spacecp_advisories::{
    fetch::{Access, FetchError, Kept, PayloadName, Source},
    sync::Mirror,
    trust::OpenError,
};
use spacecp_contract::{Blob, Digest, FeedPath, ObjectKey, SealedObject, capsule};
use spacecp_publisher::bundle::bundle;
use spacecp_tests::feed_server::Fault;

use super::{
    entitled::behind_its_header,
    stage::{Panel, Stage, disclosed, secret},
};
use crate::scene::noon;

/// A panel that knows of a correction under embargo, and one payload of it.
async fn corrected() -> Result<(Stage, Panel, Blob)> {
    let mut stage = Stage::new().await?;
    let panel = stage.entitled("panel").await?;
    let correction = stage.correct()?;
    stage.vendor.publish_advisory(secret(1))?;
    stage.vendor.broadcast()?;
    panel.sync().await?;
    let blobs = correction.files.iter().filter_map(|file| file.after);
    let longest = blobs.max_by_key(|after| after.blob.length);
    Ok((stage, panel, longest.context("it brings something")?.blob))
}

async fn kept(stage: &Stage, panel: &Panel) -> Result<Kept> {
    let mut access = Access::default();
    access.retries.first = std::time::Duration::from_millis(1);
    let source = Source::new(&stage.server.url(), access)?;
    let kept = Kept::new(
        panel.state.join("payloads"),
        vec![Arc::new(source)],
        u64::MAX,
    );
    Ok(kept.opening(panel.store.sealed_payloads().await?))
}

#[tokio::test]
async fn a_sealed_payload_is_opened_to_the_place_of_its_digest() -> Result<()> {
    let (stage, panel, blob) = corrected().await?;
    let kept = kept(&stage, &panel).await?;
    let place = kept.bring(&blob).await?;
    assert_eq!(place, kept.place(&blob));
    let bytes = fs::read(&place)?;
    assert_eq!(Digest::of(&bytes), blob.digest);
    let folder = place.parent().context("it lies in a folder")?;
    assert_eq!(fs::read_dir(folder)?.count(), 1, "nothing else is left");
    stage.server.asked();
    kept.bring(&blob).await?;
    assert!(stage.server.asked().is_empty(), "it is here");
    Ok(())
}

#[tokio::test]
async fn the_length_of_a_sealed_payload_is_one_that_many_have() -> Result<()> {
    let (stage, panel, _) = corrected().await?;
    let sealed = panel.store.sealed_payloads().await?;
    assert!(!sealed.is_empty());
    for object in sealed.values() {
        let path = FeedPath::sealed(&object.digest);
        let contents = behind_its_header(&fs::read(stage.path(&path))?)?;
        // A nonce, and a tag for each piece.
        let plain = contents - 16 - contents.div_ceil((64 << 10) + 16) * 16;
        assert_eq!(capsule::padded(plain as u64), plain as u64);
    }
    Ok(())
}

#[tokio::test]
async fn a_sealed_payload_that_breaks_off_is_gone_on_with_where_it_was() -> Result<()> {
    let (stage, panel, blob) = corrected().await?;
    let sealed = panel.store.sealed_payloads().await?;
    let object = sealed.get(&blob.digest).context("it is sealed")?;
    let path = FeedPath::sealed(&object.digest);
    let half = usize::try_from(object.length / 2)?;
    stage.server.fault(path.as_str(), &[Fault::Breaks(half)]);
    stage.server.asked();
    let place = kept(&stage, &panel).await?.bring(&blob).await?;
    assert_eq!(Digest::of(&fs::read(place)?), blob.digest);
    let asked = stage.server.asked();
    let answers: Vec<_> = asked.iter().map(|one| (one.status, one.body)).collect();
    let whole = usize::try_from(object.length)?;
    assert_eq!(answers, [(200, whole), (206, whole - half)]);
    Ok(())
}

#[tokio::test]
async fn a_payload_that_was_disclosed_meanwhile_comes_in_clear_after_the_next_sync() -> Result<()> {
    let (mut stage, panel, blob) = corrected().await?;
    let before = kept(&stage, &panel).await?;
    let object = panel.store.sealed_payloads().await?;
    let object = object.get(&blob.digest).context("it is sealed")?;
    let sealed = stage.path(&FeedPath::sealed(&object.digest));
    let mut public = disclosed(2);
    public.corrections = secret(1).corrections;
    stage.vendor.publish_advisory(public)?;
    stage.vendor.broadcast()?;
    if sealed.exists() {
        fs::remove_file(sealed)?;
    }
    let gone = before.bring(&blob).await;
    assert!(gone.is_err(), "this panel has not heard of it");
    panel.sync().await?;
    kept(&stage, &panel).await?.bring(&blob).await?;
    Ok(())
}

#[tokio::test]
async fn a_payload_that_is_another_when_it_is_opened_is_refused() -> Result<()> {
    let (stage, panel, blob) = corrected().await?;
    let sealed = panel.store.sealed_payloads().await?;
    let honest = *sealed.get(&blob.digest).context("it is sealed")?;
    let mut objects = sealed.iter();
    let other = objects.find(|(digest, _)| **digest != blob.digest);
    let (_, object) = other.context("there is another")?;
    let usual = kept(&stage, &panel).await?;
    let with = |sealed: SealedObject| usual.clone().opening([(blob.digest, sealed)].into());
    let swapped = with(*object).bring(&blob).await;
    assert!(
        matches!(&swapped, Err(FetchError::Unopened { payload, source: OpenError::Contents(_) })
            if *payload == PayloadName::Sealed(object.digest)),
        "{swapped:?}"
    );
    let wrong = SealedObject {
        key: ObjectKey::from_bytes([1; 16]),
        ..honest
    };
    let locked = with(wrong).bring(&blob).await;
    assert!(
        matches!(&locked, Err(FetchError::Unopened { payload, source: OpenError::Key })
            if *payload == PayloadName::Sealed(honest.digest)),
        "{locked:?}"
    );
    usual.bring(&blob).await?;
    Ok(())
}

#[tokio::test]
async fn a_sealed_payload_takes_up_no_more_room_than_a_plain_one() -> Result<()> {
    let (stage, panel, blob) = corrected().await?;
    let within = async |most: u64| -> Result<_> {
        let source = Source::new(&stage.server.url(), Access::default())?;
        let kept = Kept::new(panel.state.join("payloads"), vec![Arc::new(source)], most);
        let kept = kept.opening(panel.store.sealed_payloads().await?);
        Ok(kept.bring(&blob).await)
    };
    let refused = within(blob.length - 1).await?;
    assert!(
        matches!(&refused, Err(FetchError::NoRoom { length, .. })
            if *length == capsule::padded(blob.length)),
        "{refused:?}"
    );
    within(blob.length).await??;
    Ok(())
}

#[tokio::test]
async fn a_bundle_carries_the_sealed_side_and_asks_nobody() -> Result<()> {
    let mut stage = Stage::new().await?;
    let (reader, stranger) = (
        stage.entitled("reader").await?,
        stage.panel("stranger").await?,
    );
    let correction = stage.correct()?;
    stage.vendor.publish_advisory(secret(1))?;
    stage.vendor.broadcast()?;
    stage.vendor.broadcast()?;
    let file = stage.folder.path().join("feed.tar");
    let done = bundle(stage.vendor.feed(), &file)?;
    let payloads = correction.files.iter().filter(|file| file.after.is_some());
    // A bucket, an index, two documents; and nothing of the broadcast before.
    assert_eq!(done.sealed, 4 + payloads.count());
    let source = Source::bundle(&file)?;
    for panel in [&reader, &stranger] {
        let mirror = Mirror {
            address: "a USB stick".to_owned(),
            source: Arc::new(source.clone()),
        };
        panel.follower()?.sync_from(&[mirror], noon()).await?;
    }
    assert_eq!(reader.knows().await?, Some(1));
    assert_eq!(stranger.knows().await?, None);
    let kept = Kept::new(
        reader.state.join("payloads"),
        vec![Arc::new(source)],
        u64::MAX,
    );
    let kept = kept.opening(reader.store.sealed_payloads().await?);
    for after in correction.files.iter().filter_map(|file| file.after) {
        kept.bring(&after.blob).await?;
    }
    assert!(stage.server.asked().is_empty());
    Ok(())
}
