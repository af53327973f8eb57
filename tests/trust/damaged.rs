//! A store that is damaged, lost, full, read-only, or another's: found, set aside, built anew.

use std::{
    fs,
    os::unix::{fs::symlink, net::UnixListener},
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use spacecp_advisories::store::{IncidentKind, Loss, PARTS, Store, StoreError, with_suffix};
use spacecp_contract::DocumentKind;

use crate::scene::{Scene, advisory};

/// Flips a letter of the advisory's title wherever the database keeps it.
async fn tamper(scene: &Scene) -> Result<()> {
    scene
        .statement("UPDATE documents SET bytes = replace(bytes, 'console runs', 'cOnsole runs')")
        .await
}

fn set_aside(scene: &Scene) -> Result<Vec<PathBuf>> {
    let listing = fs::read_dir(scene.folder.path())?;
    let names = listing.map(|entry| Ok(entry?.path()));
    let names: Result<Vec<PathBuf>> = names.collect();
    Ok(names?
        .into_iter()
        .filter(|path| path.display().to_string().contains("feed.sqlite.damaged-"))
        .collect())
}

#[tokio::test]
async fn a_tampered_document_reaches_nobody_and_the_next_sync_builds_the_store_anew() -> Result<()>
{
    let scene = Scene::followed().await?;
    scene.store.plugin_ran("advisories", 7).await?;
    let before = scene.trusted().await?;
    tamper(&scene).await?;
    let handed_out = scene.store.documents_since(None, 10).await;
    assert!(
        matches!(handed_out, Err(StoreError::Damaged(_))),
        "{handed_out:?}"
    );
    let acted_on = scene
        .store
        .document(DocumentKind::Advisory, &advisory(1).id)
        .await;
    assert!(matches!(acted_on, Err(StoreError::Damaged(_))));
    assert!(scene.sync().await?.changed, "everything is fetched again");
    assert_eq!(scene.trusted().await?, before);
    assert_eq!(
        scene.store.plugin_release("advisories").await?,
        Some(7),
        "what only this panel knows stays"
    );
    assert!(!set_aside(&scene)?.is_empty(), "the damaged file is kept");
    let incident = scene.store.incidents(1).await?.remove(0);
    assert_eq!(incident.kind, IncidentKind::Damaged);
    Ok(())
}

#[tokio::test]
async fn a_tampered_head_is_never_believed() -> Result<()> {
    for column in ["head_bytes", "index_bytes"] {
        let scene = Scene::followed().await?;
        let before = scene.trusted().await?;
        let statement = format!(
            "UPDATE feed_state SET {column} = CAST(replace({column}, 'customers', 'Customers') AS BLOB), version = version + 1"
        );
        scene.statement(&statement).await?;
        let read = scene.believed().await;
        assert!(matches!(read, Err(StoreError::Damaged(_))), "{read:?}");
        scene.sync().await?;
        assert_eq!(scene.trusted().await?, before);
    }
    Ok(())
}

#[tokio::test]
async fn a_root_that_was_slipped_into_the_store_is_not_believed() -> Result<()> {
    let scene = Scene::followed().await?;
    scene
        .statement("INSERT INTO roots (version, bytes, signatures) VALUES (9, x'80', 'x')")
        .await?;
    scene
        .statement("UPDATE feed_state SET version = version + 1")
        .await?;
    assert!(matches!(
        scene.believed().await,
        Err(StoreError::Damaged(_))
    ));
    assert!(scene.sync().await?.changed);
    assert_eq!(
        scene.believed().await?.root.map(|root| root.version),
        Some(1)
    );
    Ok(())
}

#[tokio::test]
async fn a_feed_file_that_is_no_database_is_set_aside_and_the_rest_stays() -> Result<()> {
    let scene = Scene::followed().await?;
    scene.store.plugin_ran("advisories", 7).await?;
    let (path, feed) = (scene.store.path().to_owned(), scene.store.feed_path());
    let garbage = "this was a database once ".repeat(400);
    scene.close_feed().await;
    fs::write(&feed, &garbage)?;
    let store = Store::open(&path).await?;
    assert_eq!(store.plugin_release("advisories").await?, Some(7));
    assert!(
        store.trusted().await?.head.is_none(),
        "it begins with nothing"
    );
    let kept = set_aside(&scene)?;
    assert!(
        kept.iter()
            .any(|path| fs::read(path).is_ok_and(|bytes| bytes == garbage.as_bytes())),
        "{kept:?}"
    );
    assert_eq!(store.incidents(1).await?[0].kind, IncidentKind::Damaged);
    let scene = Scene { store, ..scene };
    assert!(scene.sync().await?.changed, "the next sync fills it");
    Ok(())
}

#[tokio::test]
async fn a_lost_feed_file_is_filled_again_from_the_pinned_root() -> Result<()> {
    let scene = Scene::followed().await?;
    let (path, feed) = (scene.store.path().to_owned(), scene.store.feed_path());
    scene.close_feed().await;
    fs::remove_file(feed)?;
    let scene = Scene {
        store: Store::open(&path).await?,
        ..scene
    };
    assert!(scene.sync().await?.changed);
    assert_eq!(
        scene.believed().await?.root.map(|root| root.version),
        Some(1)
    );
    Ok(())
}

#[tokio::test]
async fn a_sync_that_was_cut_off_is_gone_on_with_and_shows_nothing_before_it_is_whole() -> Result<()>
{
    let mut scene = Scene::followed().await?;
    let before = scene.trusted().await?;
    for number in 0..30 {
        let mut other = advisory(1);
        other.id = format!("SPACECP-SA-2026-{:04}", 1000 + number).parse()?;
        scene.vendor.publish_advisory(other)?;
    }
    scene.vendor.broadcast()?;
    let last = scene
        .vendor
        .feed_dir()
        .join("advisory/SPACECP-SA-2026-1029/1");
    let bytes = fs::read(&last)?;
    fs::remove_file(&last)?;
    scene.sync().await.unwrap_err();
    assert_eq!(scene.trusted().await?, before, "nothing of it is shown");
    fs::write(&last, bytes)?;
    scene.server.asked();
    assert_eq!(scene.sync().await?.accepted.len(), 30);
    let asked = scene.server.asked();
    let again = asked
        .iter()
        .filter(|asked| asked.path.starts_with("advisory/"))
        .count();
    assert!(
        again <= 20,
        "what had come was not fetched again: {again} requests"
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn trust_that_is_reset_while_another_process_reads_it_is_not_taken_for_damage() -> Result<()>
{
    let scene = Scene::followed().await?;
    let other = Store::open(scene.store.path()).await?;
    let folder = scene.vendor.feed_dir().display().to_string();
    let again = scene.follower_of(&folder)?;
    let (store, now) = (scene.store.clone(), scene.now);
    let resetting = tokio::spawn(async move {
        for _ in 0..60 {
            store.forget_feed().await?;
            again.sync(now).await?;
        }
        anyhow::Ok(())
    });
    while !resetting.is_finished() {
        other.trusted().await?;
        other
            .document(DocumentKind::Advisory, &advisory(1).id)
            .await?;
    }
    resetting.await??;
    assert_eq!(other.damage().await?, None);
    assert_eq!(other.incidents(10).await?, []);
    Ok(())
}

#[tokio::test]
async fn what_happens_again_after_something_else_is_one_incident_still_and_the_newest() -> Result<()>
{
    let scene = Scene::new().await?;
    let (store, now) = (&scene.store, scene.now);
    // Two mirrors that take turns.
    for round in 0..50 {
        for words in ["one: rollback", "other: rollback"] {
            let at = now + crate::scene::hours(round);
            store.note(IncidentKind::Refused, words, at).await?;
        }
    }
    store
        .note(IncidentKind::Unreachable, "one: rollback", now)
        .await?;
    let incidents = store.incidents(1_000).await?;
    let told: Vec<_> = incidents
        .iter()
        .map(|one| (one.words.as_str(), one.times))
        .collect();
    assert_eq!(
        told,
        [
            ("one: rollback", 1),
            ("other: rollback", 50),
            ("one: rollback", 50)
        ]
    );
    assert_eq!(incidents[2].first, now);
    assert_eq!(incidents[2].last, now + crate::scene::hours(49));
    Ok(())
}

#[tokio::test]
async fn a_flood_of_refusals_washes_away_nothing_but_refusals() -> Result<()> {
    let scene = Scene::new().await?;
    let (store, now) = (&scene.store, scene.now);
    store
        .note(IncidentKind::Damaged, "a page was torn", now)
        .await?;
    store
        .note(IncidentKind::Reset, "ada had it forget", now)
        .await?;
    for number in 0..300 {
        let words = format!("head {number} is refused");
        store.note(IncidentKind::Refused, &words, now).await?;
    }
    let incidents = store.incidents(1_000).await?;
    let of = |kind| incidents.iter().filter(move |one| one.kind == kind).count();
    assert_eq!((of(IncidentKind::Damaged), of(IncidentKind::Reset)), (1, 1));
    assert_eq!(
        of(IncidentKind::Refused),
        100,
        "and of those the newest are kept"
    );
    assert_eq!(incidents[0].words, "head 299 is refused");
    Ok(())
}

/// Something else than a file.
#[derive(Debug, Clone, Copy)]
enum Planted {
    Folder,
    Device,
    LinkToNothing,
    Pipe,
    Socket,
}

impl Planted {
    const ALL: [Self; 5] = [
        Self::Folder,
        Self::Device,
        Self::LinkToNothing,
        Self::Pipe,
        Self::Socket,
    ];

    /// Takes the place of whatever is there.
    fn put(self, path: &Path) -> Result<()> {
        if path.exists() {
            fs::remove_file(path)?;
        }
        match self {
            Self::Folder => fs::create_dir(path)?,
            Self::Device => symlink("/dev/null", path)?,
            Self::LinkToNothing => symlink("nothing", path)?,
            Self::Pipe => {
                let done = std::process::Command::new("mkfifo").arg(path).status()?;
                anyhow::ensure!(done.success(), "no pipe");
            }
            Self::Socket => drop(UnixListener::bind(path)?),
        }
        Ok(())
    }
}

#[tokio::test]
async fn whatever_else_has_the_name_of_the_feed_or_its_logs_is_set_aside() -> Result<()> {
    for part in PARTS {
        for planted in Planted::ALL {
            let case = format!("{planted:?} at feed.sqlite{part}");
            let folder = spacecp_tests::scratch::folder()?;
            let path = folder.path().join("store.sqlite");
            Store::open(&path).await?.close().await;
            let feed = folder.path().join("feed.sqlite");
            planted.put(&with_suffix(&feed, part))?;
            let opened = Store::open(&path).await.with_context(|| case.clone())?;
            assert!(fs::symlink_metadata(&feed)?.is_file(), "{case}");
            assert_eq!(
                opened.incidents(1).await?[0].kind,
                IncidentKind::Damaged,
                "{case}"
            );
            assert!(opened.look_for_damage().await?.is_empty(), "{case}");
        }
    }
    Ok(())
}

#[tokio::test]
async fn whatever_else_has_the_name_of_the_store_or_its_logs_is_refused_and_left_alone()
-> Result<()> {
    for part in PARTS {
        for planted in Planted::ALL {
            let case = format!("{planted:?} at store.sqlite{part}");
            let folder = spacecp_tests::scratch::folder()?;
            let path = folder.path().join("store.sqlite");
            Store::open(&path).await?.close().await;
            let named = with_suffix(&path, part);
            planted.put(&named)?;
            let refused = Store::open(&path).await;
            assert!(
                matches!(
                    &refused,
                    Err(StoreError::PanelLost { loss: Loss::NotAFile(what), .. }) if *what == named
                ),
                "{case}: {refused:?}"
            );
            assert!(
                fs::symlink_metadata(&named).is_ok_and(|there| !there.is_file()),
                "{case}"
            );
        }
    }
    Ok(())
}

#[tokio::test]
async fn a_store_that_is_gone_is_not_begun_anew_while_anything_shows_that_there_was_one()
-> Result<()> {
    for sign in ["journal.sqlite", "feed.sqlite"] {
        let folder = spacecp_tests::scratch::folder()?;
        let path = folder.path().join("store.sqlite");
        Store::open(&path).await?.close().await;
        Store::open_copy(&folder.path().join("journal.sqlite"))
            .await?
            .close()
            .await;
        for name in ["store.sqlite", "journal.sqlite", "feed.sqlite"] {
            if name != sign {
                fs::remove_file(folder.path().join(name))?;
            }
        }
        for opened in [
            Store::open(&path).await,
            Store::open_without_feed(&path).await,
        ] {
            assert!(
                matches!(
                    opened,
                    Err(StoreError::PanelLost {
                        loss: Loss::Missing,
                        ..
                    })
                ),
                "{sign}: {opened:?}"
            );
        }
        assert!(!path.exists(), "{sign}");
        fs::remove_file(folder.path().join(sign))?;
        Store::open(&path).await.context("a panel that begins")?;
    }
    Ok(())
}

#[tokio::test]
async fn a_copy_that_has_nothing_does_not_stand_in() -> Result<()> {
    let folder = spacecp_tests::scratch::folder()?;
    let copy = folder.path().join("journal.sqlite");
    let missing = Store::open_to_stand_in(&copy).await;
    assert!(
        matches!(
            missing,
            Err(StoreError::PanelLost {
                loss: Loss::Missing,
                ..
            })
        ),
        "{missing:?}"
    );
    fs::write(&copy, "")?;
    let empty = Store::open_to_stand_in(&copy).await;
    assert!(
        matches!(
            empty,
            Err(StoreError::PanelLost {
                loss: Loss::Empty,
                ..
            })
        ),
        "{empty:?}"
    );
    assert_eq!(fs::metadata(&copy)?.len(), 0);
    Ok(())
}
