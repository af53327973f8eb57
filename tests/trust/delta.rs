//! What changed, instead of the whole index: a short cut that nobody has to believe.
//!
//! A panel that is offered a wrong one ends where an honest feed would have led it, for the price of a
//! request, and says what was wrong.

use std::{fs, path::PathBuf};

use anyhow::{Context, Result};
use spacecp_advisories::{
    store::IncidentKind,
    sync::SyncReport,
    trust::workflow::{Answer, Held, Trusted, Workflow},
};
use spacecp_contract::{
    DELTAS, Digest, DocumentId, DocumentKind, FeedPath, Index, IndexDelta, IndexEntry, Limits,
    Role, WORTH_A_DELTA, decode,
};
use spacecp_publisher::sign::sign;
use spacecp_tests::{catalog, feed_server::Fault};

use crate::{
    answers::impatient,
    rotation::{holders, keys, put_root, root},
    scene::{Scene, advisory, hours},
};

/// So many that their index is worth a delta.
const MANY: u64 = 240;

fn id(number: u64) -> DocumentId {
    let id = DocumentId::new(format!("SPACECP-SA-2026-{number:04}"));
    id.expect("it is one")
}

/// A panel that has many advisories, of a feed at sequence 1.
async fn with_many() -> Result<Scene> {
    let mut scene = Scene::new().await?;
    for number in 1000..1000 + MANY {
        let mut other = advisory(1);
        other.id = id(number);
        scene.vendor.publish_advisory(other)?;
    }
    // The feed of one advisory is at sequence 1 already.
    scene.vendor.broadcast()?;
    scene.sync().await?;
    scene.server.asked();
    Ok(scene)
}

/// One more advisory, at sequence 3.
fn one_more(scene: &mut Scene) -> Result<()> {
    let mut other = advisory(1);
    other.id = id(9000);
    scene.vendor.publish_advisory(other)?;
    scene.vendor.broadcast()?;
    Ok(())
}

fn place(scene: &Scene, path: &FeedPath) -> PathBuf {
    scene.vendor.feed_dir().join(path.as_str())
}

fn delta() -> FeedPath {
    FeedPath::delta(3, 2)
}

/// What the vendor says changed.
fn offered(scene: &Scene) -> Result<Vec<u8>> {
    Ok(fs::read(place(scene, &delta()))?)
}

/// The index that the panel trusts is the vendor's, to the byte.
async fn has_the_vendors_index(scene: &Scene, sequence: u64) -> Result<()> {
    let trusted = scene.believed().await?.index.context("an index")?;
    let vendors = fs::read(place(scene, &FeedPath::index(sequence)))?;
    assert_eq!(trusted.bytes(), vendors);
    Ok(())
}

fn asked_for(scene: &Scene) -> Vec<String> {
    let asked = scene.server.asked();
    asked.into_iter().map(|asked| asked.path).collect()
}

/// The panel has all the news all the same, and the index came whole.
async fn led_on_by_the_whole_index(scene: &Scene, report: &SyncReport) -> Result<()> {
    assert_eq!((report.sequence, report.accepted.len()), (3, 1));
    has_the_vendors_index(scene, 3).await?;
    let asked = asked_for(scene);
    let whole = FeedPath::index(3).to_string();
    assert!(asked.contains(&whole), "{asked:?}");
    Ok(())
}

/// The panel passes over this, says why, and has the news all the same.
async fn is_passed_over(scene: &Scene, words: &str) -> Result<()> {
    let report = scene.sync().await?;
    led_on_by_the_whole_index(scene, &report).await?;
    let incidents = scene.store.incidents(10).await?;
    let [incident] = incidents.as_slice() else {
        anyhow::bail!("{words:?}: one refusal is noted down: {incidents:?}")
    };
    assert_eq!(incident.kind, IncidentKind::Refused);
    let begins = format!("{} skipped: ", delta());
    assert!(
        incident.words.starts_with(&begins) && incident.words.contains(words),
        "{words:?} is not in: {}",
        incident.words
    );
    assert_eq!(scene.store.freshness().await?.problem, None);
    assert!(!scene.sync().await?.changed, "and then there is no news");
    Ok(())
}

/// The same with these bytes in place of what the vendor says changed.
async fn are_passed_over(spoil: impl FnOnce(&Scene) -> Result<Vec<u8>>, words: &str) -> Result<()> {
    let mut scene = with_many().await?;
    one_more(&mut scene)?;
    fs::write(place(&scene, &delta()), spoil(&scene)?)?;
    is_passed_over(&scene, words).await
}

#[tokio::test]
async fn one_new_advisory_costs_what_changed_and_not_the_index() -> Result<()> {
    let mut scene = with_many().await?;
    one_more(&mut scene)?;
    let report = scene.sync().await?;
    assert_eq!((report.sequence, report.accepted.len()), (3, 1));
    has_the_vendors_index(&scene, 3).await?;
    let asked = scene.server.asked();
    let document = FeedPath::document(DocumentKind::Advisory, &id(9000), 1);
    let expected = [
        FeedPath::head(),
        FeedPath::head().signatures(),
        FeedPath::root(2),
        delta(),
        delta().signatures(),
        document.clone(),
        document.signatures(),
    ];
    let paths: Vec<&str> = asked.iter().map(|asked| asked.path.as_str()).collect();
    assert_eq!(paths, expected.each_ref().map(FeedPath::as_str));
    let whole = fs::metadata(place(&scene, &FeedPath::index(3)))?.len();
    let came = asked.iter().map(|asked| asked.body as u64).sum::<u64>();
    assert!(
        whole >= WORTH_A_DELTA && came < whole / 2,
        "{came} of {whole}"
    );
    assert_eq!(scene.store.incidents(10).await?, []);
    Ok(())
}

#[tokio::test]
async fn a_small_index_is_fetched_whole() -> Result<()> {
    let mut scene = Scene::followed().await?;
    scene.vendor.publish_advisory(advisory(2))?;
    scene.vendor.broadcast()?;
    scene.sync().await?;
    let asked = asked_for(&scene);
    assert!(
        !asked.iter().any(|path| path.contains(".from-")),
        "{asked:?}"
    );
    assert!(!place(&scene, &FeedPath::delta(2, 1)).exists());
    Ok(())
}

#[tokio::test]
async fn a_panel_that_was_away_for_long_gets_what_changed_since_and_one_for_longer_the_whole()
-> Result<()> {
    for (missed, by_delta) in [(DELTAS, true), (DELTAS + 1, false)] {
        let mut scene = with_many().await?;
        for _ in 1..missed {
            scene.vendor.broadcast()?;
        }
        one_more(&mut scene)?;
        let to = 2 + missed;
        let report = scene.sync().await?;
        assert_eq!((report.sequence, report.accepted.len()), (to, 1));
        has_the_vendors_index(&scene, to).await?;
        let asked = asked_for(&scene);
        let asks = |path: &FeedPath| asked.iter().any(|asked| asked == path.as_str());
        assert_eq!(asks(&FeedPath::delta(to, 2)), by_delta, "{asked:?}");
        assert_eq!(asks(&FeedPath::index(to)), !by_delta, "{asked:?}");
    }
    Ok(())
}

#[tokio::test]
async fn a_feed_keeps_what_leads_to_its_last_two_sequences_only() -> Result<()> {
    let mut scene = with_many().await?;
    for _ in 0..4 {
        scene.vendor.broadcast()?;
    }
    let mut lead_to: Vec<u64> = fs::read_dir(scene.vendor.feed_dir().join("index"))?
        .filter_map(|entry| {
            let name = entry.ok()?.file_name().into_string().ok()?;
            name.split_once(".from-")?.0.parse().ok()
        })
        .collect();
    lead_to.sort_unstable();
    lead_to.dedup();
    assert_eq!(lead_to, [5, 6]);
    Ok(())
}

#[tokio::test]
async fn a_feed_without_deltas_is_followed_without_a_word() -> Result<()> {
    let mut scene = with_many().await?;
    one_more(&mut scene)?;
    fs::remove_file(place(&scene, &delta()))?;
    let report = scene.sync().await?;
    led_on_by_the_whole_index(&scene, &report).await?;
    assert_eq!(scene.store.incidents(10).await?, []);
    Ok(())
}

#[tokio::test]
async fn a_delta_that_does_not_come_is_done_without() -> Result<()> {
    for fault in [
        Fault::Busy(500, 0),
        Fault::Busy(403, 0),
        Fault::Breaks(10),
        Fault::Silent,
        Fault::Trickles,
    ] {
        let mut scene = with_many().await?;
        one_more(&mut scene)?;
        scene.server.always(delta().as_str(), fault);
        let report = impatient(&scene)?.sync(scene.now).await?;
        led_on_by_the_whole_index(&scene, &report).await?;
    }
    Ok(())
}

#[tokio::test]
async fn a_delta_longer_than_half_an_index_is_not_read() -> Result<()> {
    let mut scene = with_many().await?;
    one_more(&mut scene)?;
    let whole = fs::read(place(&scene, &FeedPath::index(3)))?;
    fs::write(place(&scene, &delta()), vec![0_u8; whole.len() / 2 + 1])?;
    let report = scene.sync().await?;
    let read = scene.server.asked();
    assert_eq!((report.sequence, report.accepted.len()), (3, 1));
    has_the_vendors_index(&scene, 3).await?;
    assert!(
        read.iter()
            .any(|asked| asked.path == FeedPath::index(3).as_str()),
        "{read:?}"
    );
    Ok(())
}

#[tokio::test]
async fn bytes_that_are_no_delta() -> Result<()> {
    are_passed_over(|_| Ok(Vec::new()), "cannot parse it").await?;
    are_passed_over(|_| Ok(vec![0xc1; 100]), "cannot parse it").await?;
    // An array that announces four billion values.
    are_passed_over(
        |_| Ok(vec![0xdd, 0xff, 0xff, 0xff, 0xff]),
        "cannot parse it",
    )
    .await?;
    let cut = |scene: &Scene| {
        let bytes = offered(scene)?;
        Ok(bytes[..bytes.len() / 2].to_vec())
    };
    are_passed_over(cut, "cannot parse it").await
}

#[tokio::test]
async fn a_delta_from_another_index() -> Result<()> {
    let mut scene = with_many().await?;
    one_more(&mut scene)?;
    // The first index had one advisory only, so that would be no short cut.
    assert!(!place(&scene, &FeedPath::delta(3, 1)).exists());
    scene.vendor.broadcast()?;
    let to_the_fourth = fs::read(place(&scene, &FeedPath::delta(4, 3)))?;
    are_passed_over(
        move |_| Ok(to_the_fourth),
        "it does not start at the trusted index 2",
    )
    .await
}

/// What the vendor says changed, and with it what somebody else would like.
fn forged(scene: &Scene, entry: impl FnOnce(IndexEntry) -> IndexEntry) -> Result<Vec<u8>> {
    let limits = Limits::default();
    let read = |sequence| -> Result<Index> {
        let bytes = fs::read(place(scene, &FeedPath::index(sequence)))?;
        Ok(decode(&bytes, &limits)?)
    };
    let (old, mut new) = (read(2)?, read(3)?);
    let changed = entry(new.documents[7].clone());
    let at = new
        .documents
        .iter()
        .position(|other| other.id >= changed.id);
    let at = at.unwrap_or(new.documents.len());
    if new
        .documents
        .get(at)
        .is_some_and(|other| other.id == changed.id)
    {
        new.documents[at] = changed;
    } else {
        new.documents.insert(at, changed);
    }
    let delta = IndexDelta::between(&old, &new).context("it is a short cut")?;
    Ok(delta.to_bytes())
}

#[tokio::test]
async fn a_delta_that_adds_what_nobody_signed() -> Result<()> {
    let added = |scene: &Scene| {
        forged(scene, |entry| IndexEntry {
            id: id(9999),
            ..entry
        })
    };
    are_passed_over(added, "it produces an invalid index").await
}

#[tokio::test]
async fn a_delta_that_exchanges_a_document_for_another() -> Result<()> {
    let exchanged = |scene: &Scene| {
        forged(scene, |entry| IndexEntry {
            digest: Digest::of(b"another"),
            ..entry
        })
    };
    are_passed_over(exchanged, "it produces an invalid index").await
}

#[tokio::test]
async fn a_delta_that_holds_the_news_back() -> Result<()> {
    let nothing_new = |scene: &Scene| {
        let bytes = fs::read(place(scene, &FeedPath::index(2)))?;
        let old: Index = decode(&bytes, &Limits::default())?;
        let same = Index {
            sequence: 3,
            ..old.clone()
        };
        let delta = IndexDelta::between(&old, &same).context("it is a short cut")?;
        Ok(delta.to_bytes())
    };
    are_passed_over(nothing_new, "it produces an invalid index").await
}

/// What a panel asks for after it was offered this delta.
fn asks_next(scene: &Scene, trusted: &Trusted, delta_bytes: &[u8]) -> Result<FeedPath> {
    let mut run = Workflow::new(
        scene.vendor.pin()?,
        catalog::AUDIENCE.parse()?,
        trusted.clone(),
        Held::new(),
        Limits::default(),
        scene.now,
    );
    loop {
        let request = run.next_request().context("it has not ended")?;
        if request.path != delta() {
            let at = place(scene, &request.path);
            if request.path == FeedPath::index(3) || request.path.as_str().starts_with("advisory") {
                return Ok(request.path);
            }
            let beside = place(scene, &request.path.signatures());
            let answer = fs::read(at).map_or(Answer::Missing, |bytes| Answer::File {
                bytes,
                signatures: fs::read(beside).ok(),
                validator: None,
            });
            run.answer(&request.path, answer)?;
            continue;
        }
        let answer = Answer::File {
            bytes: delta_bytes.to_vec(),
            signatures: fs::read(place(scene, &delta().signatures())).ok(),
            validator: None,
        };
        run.answer(&request.path, answer)?;
    }
}

#[tokio::test]
async fn a_delta_with_any_bit_flipped_leads_to_the_whole_index() -> Result<()> {
    let mut scene = with_many().await?;
    one_more(&mut scene)?;
    let (honest, trusted) = (offered(&scene)?, scene.believed().await?);
    let document = asks_next(&scene, &trusted, &honest)?;
    assert_ne!(document, FeedPath::index(3), "the honest one is believed");
    let mut harmless = Vec::new();
    for at in 0..honest.len() * 8 {
        let mut bytes = honest.clone();
        bytes[at / 8] ^= 1 << (at % 8);
        if asks_next(&scene, &trusted, &bytes)? != FeedPath::index(3) {
            harmless.push(at);
        }
    }
    // An older schema may say the same: the index that comes of it was verified like any other.
    assert!(harmless.len() <= 1, "bits {harmless:?}");
    Ok(())
}

#[tokio::test]
async fn a_delta_without_the_signatures_of_the_later_index() -> Result<()> {
    let mut scene = with_many().await?;
    one_more(&mut scene)?;
    fs::remove_file(place(&scene, &delta().signatures()))?;
    is_passed_over(&scene, "the signatures of the new index are missing").await?;
    let mut scene = with_many().await?;
    one_more(&mut scene)?;
    let others = fs::read(place(&scene, &FeedPath::index(2).signatures()))?;
    fs::write(place(&scene, &delta().signatures()), others)?;
    is_passed_over(&scene, "it produces an invalid index").await
}

#[tokio::test]
async fn a_feed_that_starts_afresh_is_not_followed_by_what_changed() -> Result<()> {
    let mut scene = with_many().await?;
    let new = keys(1)?;
    let mut next = root(2, &holders(&scene.vendor, Role::Feed, &new, 1));
    next.sequence_epoch = 1;
    put_root(&scene.vendor, 2, next, &[&scene.vendor.keys().root])?;
    let now = scene.now;
    let publisher = scene.vendor.at(now).publisher();
    publisher.broadcast(now, now + hours(24), &[&new[0]])?;
    scene.sync().await?;
    let asked = asked_for(&scene);
    assert!(
        !asked.iter().any(|path| path.contains(".from-")),
        "{asked:?}"
    );
    has_the_vendors_index(&scene, 3).await
}

#[tokio::test]
async fn an_index_that_the_vendor_itself_made_wrong_is_refused_by_delta_and_whole() -> Result<()> {
    let mut scene = with_many().await?;
    one_more(&mut scene)?;
    let path = FeedPath::index(3);
    let bytes = fs::read(place(&scene, &path))?;
    let mut index: Index = decode(&bytes, &Limits::default())?;
    index.documents.retain(|entry| entry.id != id(1007));
    let index = sign(index, &[&scene.vendor.keys().feed])?;
    fs::write(place(&scene, &path), &index.bytes)?;
    fs::write(place(&scene, &path.signatures()), &index.signatures)?;
    fs::write(place(&scene, &delta()), offered(&scene)?)?;
    fs::write(place(&scene, &delta().signatures()), &index.signatures)?;
    let before = scene.trusted().await?;
    let error = scene.sync().await.expect_err("it was accepted");
    assert!(error.is_refusal(), "{error}");
    assert_eq!(scene.trusted().await?, before);
    Ok(())
}
