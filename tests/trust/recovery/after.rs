//! What a panel holds after the vendor has taken the keys from a thief.

use std::fs;

use anyhow::{Context, Result};
use spacecp_advisories::{
    store::{IncidentKind, Waiting},
    sync::SyncError,
    trust::{self, AnyDocument, TrustError, Unverified},
};
use spacecp_contract::{
    Document, DocumentKind, FeedPath, Head, Index, Limits, Role, TrustedComment, decode,
};
use spacecp_publisher::sign::sign_bytes;
use spacecp_tests::hand_signed::Side;
use sqlx::{SqlitePool, sqlite::SqliteConnectOptions};

use super::scene::{Panel, Scene, correction, digest, public, sealed, title};
use crate::scene::noon;

const PUBLIC: &str = "SPACECP-SA-2026-0001";
const SEALED: &str = "SPACECP-SA-2026-0002";
const FORGED: [&str; 4] = [
    "SPACECP-SA-2026-6661",
    "SPACECP-SC-2026-6661",
    "SPACECP-SA-2026-6662",
    "SPACECP-SC-2026-6662",
];

/// A panel that has taken a thief's advisory and correction on either side.
async fn robbed() -> Result<Scene> {
    let scene = Scene::followed().await?;
    let folder = scene.folder.path();
    let mut thief = scene.vendor.clone();
    let [advisory, fix, secret, secret_fix] = FORGED;
    thief.list(public(advisory, 1).into(), Side::Public);
    thief.list(correction(folder, fix, advisory)?.into(), Side::Public);
    thief.list(sealed(secret, 1).into(), Side::Sealed);
    thief.list(correction(folder, secret_fix, secret)?.into(), Side::Sealed);
    thief.publish()?;
    scene.panel.sync().await?;
    assert_eq!(scene.panel.ids().await?.len(), 6, "the keys are good");
    assert_eq!(scene.panel.corrections().await?.len(), 2);
    assert!(scene.panel.rows("sealed_payloads").await? > 0);
    Ok(scene)
}

/// Nothing of the thief's is anywhere in what was received.
async fn is_clean(scene: &Scene) -> Result<()> {
    for forged in FORGED {
        let tables = scene.panel.tables_with(forged).await?;
        assert_eq!(tables, Vec::<String>::new(), "{forged}");
        for kind in [DocumentKind::Advisory, DocumentKind::Correction] {
            assert!(!scene.panel.acts_on(kind, forged).await?, "{forged}");
        }
    }
    assert_eq!(scene.panel.corrections().await?, Vec::<String>::new());
    assert_eq!(scene.panel.rows("sealed_payloads").await?, 0);
    assert_eq!(scene.panel.rows("waiting").await?, 0);
    Ok(())
}

#[tokio::test]
async fn what_only_the_thief_listed_on_either_side_is_gone_from_every_table() -> Result<()> {
    let mut scene = robbed().await?;
    scene.vendor.recover()?;
    scene.vendor.publish()?;
    scene.panel.sync().await?;
    assert_eq!(scene.panel.ids().await?, [PUBLIC, SEALED]);
    is_clean(&scene).await
}

#[tokio::test]
async fn the_broadcasts_after_a_recovery_are_taken() -> Result<()> {
    let mut scene = robbed().await?;
    scene.vendor.recover()?;
    for revision in 2..5 {
        scene
            .vendor
            .list(public(PUBLIC, revision).into(), Side::Public);
        scene
            .vendor
            .list(sealed(SEALED, revision).into(), Side::Sealed);
        scene.vendor.publish()?;
        assert!(scene.panel.sync().await?.changed);
        let given = scene.panel.given_out().await?;
        assert!(
            given.iter().all(|(_, held, _)| *held == revision),
            "{given:?}"
        );
    }
    Ok(())
}

#[tokio::test]
async fn from_the_root_that_starts_afresh_on_nothing_is_given_out_until_the_vendor_broadcasts()
-> Result<()> {
    let mut scene = robbed().await?;
    scene.vendor.recover()?;
    // The thief's head lies there still, and the panel learns of the root.
    learn_of_the_root(&scene).await?;
    let refused = scene.panel.sync().await;
    assert!(
        matches!(
            refused,
            Err(SyncError::Trust(TrustError::Signatures {
                role: Role::Feed,
                ..
            }))
        ),
        "{refused:?}"
    );
    assert_eq!(scene.panel.ids().await?, Vec::<String>::new());
    is_clean(&scene).await?;
    let incident = scene.panel.store.incidents(5).await?;
    assert!(
        incident.iter().any(|one| one.kind == IncidentKind::Reset),
        "it is said that everything was discarded: {incident:?}"
    );
    scene.vendor.publish()?;
    scene.panel.sync().await?;
    assert_eq!(scene.panel.ids().await?, [PUBLIC, SEALED]);
    Ok(())
}

#[tokio::test]
async fn revisions_and_sequences_that_the_thief_used_up_begin_again() -> Result<()> {
    let mut scene = Scene::followed().await?;
    let mut thief = scene.vendor.clone();
    thief.sequence = u64::MAX - 1;
    thief.list(public(PUBLIC, u64::MAX).into(), Side::Public);
    thief.list(sealed(SEALED, u64::MAX).into(), Side::Sealed);
    thief.publish()?;
    assert_eq!(scene.panel.sync().await?.sequence, u64::MAX);
    scene.vendor.recover()?;
    scene.vendor.publish()?;
    assert_eq!(scene.panel.sync().await?.sequence, 1);
    let given = scene.panel.given_out().await?;
    assert!(
        given.iter().all(|(_, revision, _)| *revision == 1),
        "{given:?}"
    );
    assert_eq!(given.len(), 2);
    Ok(())
}

#[tokio::test]
async fn a_document_that_the_thief_dropped_or_changed_in_silence_is_the_vendors_again() -> Result<()>
{
    let mut scene = robbed().await?;
    let honest = public(FORGED[0], 1);
    let mut other = honest.clone();
    other.title = "What the vendor says".to_owned();
    scene.vendor.recover()?;
    scene.vendor.list(other.clone().into(), Side::Public);
    scene.vendor.publish()?;
    scene.panel.sync().await?;
    let batch = scene.panel.store.documents_since(None, 10).await?;
    let held = batch.documents.iter().find(|one| one.id == FORGED[0]);
    let held = held.context("the vendor lists it")?;
    assert_eq!(title(&held.bytes)?, other.title, "the same id and revision");
    assert_ne!(digest(&honest), digest(&other));
    Ok(())
}

#[tokio::test]
async fn a_panel_that_cannot_read_the_sealed_side_after_a_recovery_holds_nothing_of_it()
-> Result<()> {
    for has_identity in [true, false] {
        let mut scene = robbed().await?;
        scene.vendor.recover()?;
        scene.vendor.recipients.clear();
        if !has_identity {
            fs::write(scene.panel.state.join("identity.txt"), "nothing\n")?;
        }
        scene.vendor.publish()?;
        scene.panel.sync().await?;
        assert_eq!(scene.panel.ids().await?, [PUBLIC]);
        is_clean(&scene).await?;
        assert!(scene.panel.store.trusted().await?.private.is_empty());
    }
    Ok(())
}

#[tokio::test]
async fn a_recovery_may_give_up_the_sealed_side() -> Result<()> {
    let mut scene = robbed().await?;
    scene.vendor.recover()?;
    scene.vendor.has_sealed_side = false;
    scene.vendor.publish()?;
    scene.panel.sync().await?;
    assert_eq!(scene.panel.ids().await?, [PUBLIC]);
    is_clean(&scene).await
}

#[tokio::test]
async fn an_index_that_loses_its_sealed_side_is_refused() -> Result<()> {
    let mut scene = Scene::followed().await?;
    let mut thief = scene.vendor.clone();
    thief.has_sealed_side = false;
    thief.publish()?;
    let refused = scene.panel.sync().await;
    let expected = TrustError::SealedSideDropped {
        trusted: 1,
        found: 2,
    };
    assert!(
        matches!(&refused, Err(SyncError::Trust(error)) if *error == expected),
        "{refused:?}"
    );
    assert_eq!(scene.panel.ids().await?, [PUBLIC, SEALED]);
    scene.vendor.sequence = 2;
    scene.vendor.publish()?;
    assert!(scene.panel.sync().await?.changed);
    Ok(())
}

#[tokio::test]
async fn readers_of_the_stream_of_documents_are_told_to_begin_again() -> Result<()> {
    let mut scene = robbed().await?;
    let read = scene.panel.store.end_of_documents().await?.cursor;
    scene.vendor.recover()?;
    scene.vendor.publish()?;
    scene.panel.sync().await?;
    let batch = scene.panel.store.documents_since(Some(read), 10).await?;
    assert_ne!(batch.next.epoch, read.epoch);
    assert_eq!(batch.documents.len(), 2, "from the beginning");
    Ok(())
}

#[tokio::test]
async fn what_another_process_still_fetches_by_the_old_root_is_not_put_by() -> Result<()> {
    let mut scene = robbed().await?;
    let store = &scene.panel.store;
    let trusted = store.trusted().await?;
    let (root, index) = (
        trusted.root.clone().context("there is one")?,
        trusted.index.clone().context("there is one")?,
    );
    let entry = index.entry(DocumentKind::Advisory, FORGED[0]);
    let entry = entry.context("the thief listed it")?;
    let path = FeedPath::document(entry.kind, &entry.id, entry.revision);
    let read = |path: &FeedPath| fs::read(scene.vendor.path(path));
    let (bytes, signatures) = (read(&path)?, read(&path.signatures())?);
    let offered = Unverified {
        bytes: &bytes,
        signatures: &signatures,
    };
    let document = trust::document(&root, entry, offered, &Limits::default())?;
    assert!(matches!(document, AnyDocument::Advisory(_)));
    scene.vendor.recover()?;
    scene.vendor.publish()?;
    scene.panel.sync().await?;
    let late = Waiting {
        document,
        root: root.version,
        private: false,
    };
    scene.panel.store.keep_waiting(&[late]).await?;
    is_clean(&scene).await
}

/// Signs again, by the feed key of now, what lies in the feed.
fn sign_again<T: Document>(scene: &Scene, path: &FeedPath) -> Result<()> {
    let bytes = fs::read(scene.vendor.path(path))?;
    let document: T = decode(&bytes, &Limits::default())?;
    let comment = TrustedComment::of(&document);
    let signatures = sign_bytes(&bytes, &comment, &[scene.vendor.key(Role::Feed)])?;
    Ok(fs::write(
        scene.vendor.path(&path.signatures()),
        signatures,
    )?)
}

#[tokio::test]
async fn an_index_that_is_held_is_verified_by_the_root_of_now() -> Result<()> {
    let mut scene = Scene::followed().await?;
    scene.vendor.rotate(Role::Feed)?;
    // The same head by the new key, and the index that it names by the old one alone.
    sign_again::<Head>(&scene, &FeedPath::head())?;
    learn_of_the_root(&scene).await?;
    let refused = scene.panel.sync().await;
    assert!(
        matches!(&refused, Err(SyncError::Trust(TrustError::Signatures { what, .. })) if what == "index"),
        "{refused:?}"
    );
    sign_again::<Index>(&scene, &FeedPath::index(1))?;
    scene.panel.sync().await?;
    assert!(!scene.panel.store.freshness().await?.is_stale(noon()));
    Ok(())
}

/// Has the panel learn of the newest root, and of nothing else.
async fn learn_of_the_root(scene: &Scene) -> Result<()> {
    let at = scene.vendor.path(&FeedPath::head());
    let head = fs::read(&at)?;
    fs::write(&at, b"no head at all")?;
    scene.panel.sync().await.expect_err("it is no head");
    Ok(fs::write(&at, head)?)
}

#[tokio::test]
async fn what_was_decided_by_a_key_that_has_lost_its_role_is_stale_until_the_next_head()
-> Result<()> {
    let mut scene = Scene::followed().await?;
    scene.vendor.rotate(Role::Feed)?;
    learn_of_the_root(&scene).await?;
    let refused = scene.panel.sync().await;
    assert!(
        matches!(
            refused,
            Err(SyncError::Trust(TrustError::Signatures {
                role: Role::Feed,
                ..
            }))
        ),
        "the head that is held is not news by its bytes: {refused:?}"
    );
    assert!(scene.panel.store.freshness().await?.is_stale(noon()));
    assert_eq!(
        scene.panel.ids().await?,
        [PUBLIC, SEALED],
        "it stays visible"
    );
    scene.vendor.publish()?;
    scene.panel.sync().await?;
    assert!(!scene.panel.store.freshness().await?.is_stale(noon()));
    Ok(())
}

#[tokio::test]
async fn what_an_earlier_version_left_under_a_root_that_starts_afresh_goes_with_the_next_sync()
-> Result<()> {
    let mut scene = robbed().await?;
    scene.vendor.recover()?;
    // An earlier version kept the root and what was listed before it.
    let path = FeedPath::root(2);
    let options = SqliteConnectOptions::new().filename(scene.panel.store.feed_path());
    let pool = SqlitePool::connect_with(options).await?;
    sqlx::query("INSERT INTO roots (version, bytes, signatures) VALUES (2, ?, ?)")
        .bind(fs::read(scene.vendor.path(&path))?)
        .bind(fs::read_to_string(scene.vendor.path(&path.signatures()))?)
        .execute(&pool)
        .await?;
    sqlx::query("UPDATE feed_state SET version = version + 1")
        .execute(&pool)
        .await?;
    pool.close().await;
    assert_eq!(scene.panel.ids().await?.len(), 6, "it is listed still");
    fs::write(scene.vendor.path(&FeedPath::head()), b"no head at all")?;
    scene.panel.sync().await.expect_err("it is no head");
    assert_eq!(scene.panel.ids().await?, Vec::<String>::new());
    is_clean(&scene).await?;
    scene.vendor.publish()?;
    scene.panel.sync().await?;
    assert_eq!(scene.panel.ids().await?, [PUBLIC, SEALED]);
    Ok(())
}

#[tokio::test]
async fn a_release_that_runs_before_the_feed_is_received_anew_does_not_count_beside_later_ones()
-> Result<()> {
    let mut scene = Scene::followed().await?;
    scene.vendor.recover()?;
    scene.vendor.publish()?;
    scene.panel.sync().await?;
    scene.panel.store.plugin_ran("advisories", 2).await?;
    scene.panel.store.close().await;
    fs::remove_file(scene.panel.store.feed_path())?;
    let panel = Panel::of(&scene.vendor, scene.panel.state.clone()).await?;
    panel.store.plugin_ran("advisories", u64::MAX).await?;
    panel.sync().await?;
    assert_eq!(panel.store.plugin_release("advisories").await?, Some(2));
    Ok(())
}

#[tokio::test]
async fn releases_of_the_plugin_that_the_thief_used_up_begin_again() -> Result<()> {
    let mut scene = Scene::followed().await?;
    let store = scene.panel.store.clone();
    store.plugin_ran("advisories", u64::MAX).await?;
    scene.vendor.rotate(Role::Plugin)?;
    scene.vendor.publish()?;
    scene.panel.sync().await?;
    assert_eq!(store.plugin_release("advisories").await?, Some(u64::MAX));
    scene.vendor.recover()?;
    scene.vendor.publish()?;
    scene.panel.sync().await?;
    assert_eq!(store.plugin_release("advisories").await?, None);
    store.plugin_ran("advisories", 2).await?;
    assert_eq!(store.plugin_release("advisories").await?, Some(2));
    Ok(())
}
