//! Object stores that lie: about what an object is, how long it is, whether it changed, and which part of it
//! they send. Whatever they answer, a panel believes what the vendor signed, or nothing new.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use anyhow::{Context, Result};
use spacecp_advisories::{
    fetch::{FetchError, Kept, Source},
    sync::{SyncError, SyncReport},
    trust::TrustError,
};
use spacecp_contract::{Blob, Digest, FeedPath};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

use crate::{
    objects::{BUCKET, access},
    scene::{Scene, advisory, copy},
};

/// What a store answers when it is asked for an object of the feed in a folder.
type Habit = fn(folder: &Path, object: &str) -> Vec<u8>;

/// A store over a folder, and the first line of every request; it stops when dropped.
struct Liar {
    source: Source,
    asked: Arc<Mutex<Vec<String>>>,
    task: JoinHandle<()>,
}

impl Drop for Liar {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Liar {
    async fn over(folder: PathBuf, habit: Habit) -> Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let endpoint = format!("http://{}", listener.local_addr()?);
        let asked: Arc<Mutex<Vec<String>>> = Arc::default();
        let seen = asked.clone();
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (folder, seen) = (folder.clone(), seen.clone());
                tokio::spawn(async move { answer(stream, &folder, habit, &seen).await });
            }
        });
        let access = access(&format!("endpoint = {endpoint:?}\nskip-signature = true\n"))?;
        Ok(Self {
            source: Source::new(BUCKET, access)?,
            asked,
            task,
        })
    }

    fn asked(&self) -> Vec<String> {
        let asked = self.asked.lock();
        asked.unwrap_or_else(PoisonError::into_inner).clone()
    }
}

async fn answer(
    mut stream: TcpStream,
    folder: &Path,
    habit: Habit,
    seen: &Mutex<Vec<String>>,
) -> Result<()> {
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\n") {
        request.push(stream.read_u8().await?);
    }
    let request = String::from_utf8(request)?;
    let line = request.lines().next().context("a request line")?.to_owned();
    let object = line
        .strip_prefix("GET /advisories/private/feed/")
        .and_then(|rest| rest.split(' ').next())
        .unwrap_or_default()
        .to_owned();
    seen.lock()
        .unwrap_or_else(PoisonError::into_inner)
        .push(line);
    stream.write_all(&habit(folder, &object)).await?;
    Ok(stream.shutdown().await?)
}

/// An answer with these bytes which says of itself that it has so many.
fn says(status: &str, bytes: &[u8], length: usize, more: &str) -> Vec<u8> {
    let tag = Digest::of(bytes).short();
    let header = format!(
        "HTTP/1.1 {status}\r\nContent-Length: {length}\r\nETag: \"{tag}\"\r\nLast-Modified: Tue, 24 Nov 2026 12:00:00 GMT\r\nConnection: close\r\n{more}\r\n"
    );
    [header.as_bytes(), bytes].concat()
}

fn honest(folder: &Path, object: &str) -> Vec<u8> {
    match fs::read(folder.join(object)) {
        Ok(bytes) => says("200 OK", &bytes, bytes.len(), ""),
        Err(_) => says("404 Not Found", b"", 0, ""),
    }
}

/// What a panel that follows the feed makes of a store with this habit.
async fn follow(scene: &Scene, habit: Habit) -> Result<Result<SyncReport, SyncError>> {
    let store = Liar::over(scene.vendor.feed_dir().to_owned(), habit).await?;
    let follower = scene.follower_from(BUCKET, store.source.clone())?;
    Ok(follower.sync(scene.now).await)
}

/// A panel that knows sequence 1 of a feed that is at sequence 2.
async fn behind() -> Result<Scene> {
    let mut scene = Scene::followed().await?;
    let old = scene.vendor.feed_dir().with_file_name("old");
    copy(scene.vendor.feed_dir(), &old)?;
    scene.vendor.publish_advisory(advisory(2))?;
    scene.vendor.broadcast()?;
    Ok(scene)
}

/// Shows that a panel takes nothing from such a store, and all of it from an honest one. Gives the reason.
async fn takes_nothing(habit: Habit) -> Result<SyncError> {
    let scene = behind().await?;
    let before = scene.trusted().await?;
    let error = follow(&scene, habit).await?;
    let error = error.map(drop).expect_err("it was believed");
    assert_eq!(scene.trusted().await?, before);
    assert_eq!(follow(&scene, honest).await??.sequence, 2);
    Ok(error)
}

#[tokio::test]
async fn an_honest_store_is_never_asked_what_it_lists() -> Result<()> {
    let scene = behind().await?;
    let store = Liar::over(scene.vendor.feed_dir().to_owned(), honest).await?;
    let follower = scene.follower_from(BUCKET, store.source.clone())?;
    assert!(follower.sync(scene.now).await?.changed);
    let asked = store.asked();
    let is_object =
        |line: &String| line.starts_with("GET /advisories/private/feed/") && !line.contains('?');
    assert!(asked.iter().all(is_object), "{asked:?}");
    Ok(())
}

#[tokio::test]
async fn another_object_in_the_place_of_the_one_asked_for_is_refused() -> Result<()> {
    let error = takes_nothing(|folder, object| match object {
        "head" => honest(folder, "index/2.index"),
        "head.minisig" => honest(folder, "index/2.index.minisig"),
        object => honest(folder, object),
    })
    .await?;
    assert!(
        matches!(
            error,
            SyncError::Trust(TrustError::Decode { .. } | TrustError::Moved { .. })
        ),
        "{error:?}"
    );
    for habit in [
        (|folder, object| match object {
            "index/2.index" => honest(folder, "head"),
            "index/2.index.minisig" => honest(folder, "head.minisig"),
            object => honest(folder, object),
        }) as Habit,
        |folder, object| {
            let is_document = object.starts_with("advisory/");
            honest(folder, if is_document { "head" } else { object })
        },
    ] {
        let error = takes_nothing(habit).await?;
        let is_other = |error: &SyncError| {
            matches!(
                error,
                SyncError::Trust(TrustError::Digest { .. } | TrustError::Length { .. })
                    | SyncError::Fetch(FetchError::TooLong { .. })
            )
        };
        assert!(is_other(&error), "{error:?}");
    }
    Ok(())
}

#[tokio::test]
async fn an_object_that_was_cut_is_refused() -> Result<()> {
    /// The first half of an object, which says that it is all of it.
    fn half(folder: &Path, object: &str) -> Vec<u8> {
        let bytes = fs::read(folder.join(object)).unwrap_or_default();
        let half = &bytes[..bytes.len() / 2];
        says("200 OK", half, half.len(), "")
    }
    let error = takes_nothing(|folder, object| match object {
        "head" => half(folder, object),
        object => honest(folder, object),
    })
    .await?;
    assert!(
        matches!(error, SyncError::Trust(TrustError::Signatures { .. })),
        "{error:?}"
    );
    for habit in [
        (|folder, object| match object {
            "index/2.index" => half(folder, object),
            object => honest(folder, object),
        }) as Habit,
        |folder, object| {
            let is_document = object.starts_with("advisory/") && !object.ends_with("minisig");
            if is_document {
                half(folder, object)
            } else {
                honest(folder, object)
            }
        },
    ] {
        let error = takes_nothing(habit).await?;
        assert!(
            matches!(error, SyncError::Trust(TrustError::Length { .. })),
            "{error:?}"
        );
    }
    Ok(())
}

#[tokio::test]
async fn an_object_with_another_length_than_it_says_is_refused() -> Result<()> {
    let longer = takes_nothing(|folder, object| match fs::read(folder.join(object)) {
        Ok(bytes) if object == "index/2.index" => says("200 OK", &bytes, bytes.len() + 10, ""),
        _ => honest(folder, object),
    })
    .await?;
    assert!(
        matches!(
            longer,
            SyncError::Fetch(FetchError::TooLong { .. } | FetchError::Connection { .. })
        ),
        "{longer:?}"
    );
    let shorter = takes_nothing(|folder, object| match fs::read(folder.join(object)) {
        Ok(bytes) if object == "index/2.index" => says("200 OK", &bytes, bytes.len() - 10, ""),
        _ => honest(folder, object),
    })
    .await?;
    assert!(
        matches!(shorter, SyncError::Trust(TrustError::Length { .. })),
        "{shorter:?}"
    );
    Ok(())
}

#[tokio::test]
async fn a_head_of_yesterday_is_refused_once_a_newer_one_was_read() -> Result<()> {
    let scene = behind().await?;
    assert_eq!(follow(&scene, honest).await??.sequence, 2);
    let before = scene.trusted().await?;
    let stale = follow(&scene, |folder, object| {
        honest(&folder.with_file_name("old"), object)
    })
    .await?;
    assert!(
        matches!(
            stale,
            Err(SyncError::Trust(TrustError::Sequence {
                trusted: 2,
                found: 1
            }))
        ),
        "{stale:?}"
    );
    assert_eq!(scene.trusted().await?, before);
    Ok(())
}

#[tokio::test]
async fn a_head_of_today_with_what_lay_there_yesterday_is_refused() -> Result<()> {
    let error = takes_nothing(|folder, object| match object {
        "index/2.index" => honest(&folder.with_file_name("old"), "index/1.index"),
        "index/2.index.minisig" => honest(&folder.with_file_name("old"), "index/1.index.minisig"),
        object => honest(folder, object),
    })
    .await?;
    assert!(
        matches!(
            error,
            SyncError::Trust(TrustError::Digest { .. } | TrustError::Length { .. })
        ),
        "{error:?}"
    );
    // A copy that has not reached all of the store yet.
    let error = takes_nothing(|folder, object| match object {
        "index/2.index" => honest(&folder.with_file_name("old"), object),
        object => honest(folder, object),
    })
    .await?;
    assert!(matches!(error, SyncError::Missing { .. }), "{error:?}");
    Ok(())
}

#[tokio::test]
async fn a_store_that_says_unchanged_without_being_asked_is_refused() -> Result<()> {
    let everything = takes_nothing(|_, _| says("304 Not Modified", b"", 0, "")).await?;
    assert!(
        matches!(everything, SyncError::Missing { .. } | SyncError::Fetch(_)),
        "{everything:?}"
    );
    let documents = takes_nothing(|folder, object| {
        if object == "head" || object == "head.minisig" {
            return honest(folder, object);
        }
        says("304 Not Modified", b"", 0, "")
    })
    .await?;
    assert!(
        matches!(documents, SyncError::Missing { .. } | SyncError::Fetch(_)),
        "{documents:?}"
    );
    Ok(())
}

/// A payload of which the panel has the first half, and what such a store adds to it.
async fn resumed(habit: Habit) -> Result<Result<(), FetchError>> {
    let scene = Scene::new().await?;
    let bytes: Vec<u8> = (0..=250).cycle().take(20_000).collect();
    let blob = Blob {
        digest: Digest::of(&bytes),
        length: bytes.len() as u64,
    };
    let place = scene.vendor.feed_dir().join("payload");
    fs::write(&place, &bytes)?;
    let store = Liar::over(scene.vendor.feed_dir().to_owned(), habit).await?;
    let source = Arc::new(store.source.clone());
    let kept = Kept::new(scene.folder.path().join("kept"), vec![source], u64::MAX);
    let part = kept.place(&blob).with_extension("part");
    fs::create_dir_all(part.parent().context("it lies in a folder")?)?;
    fs::write(&part, &bytes[..10_000])?;
    let brought = kept.bring(&blob).await;
    assert_eq!(kept.has(&blob), brought.is_ok());
    if let Ok(place) = &brought {
        assert_eq!(fs::read(place)?, bytes);
    }
    let asked = store.asked();
    let path = FeedPath::blob(&blob.digest);
    assert!(asked[0].contains(path.as_str()), "{asked:?}");
    Ok(brought.map(drop))
}

fn part_of(folder: &Path, from: usize, range: &str) -> Vec<u8> {
    let bytes = fs::read(folder.join("payload")).unwrap_or_default();
    let part = &bytes[from..];
    let range = format!("Content-Range: {range}\r\n");
    says("206 Partial Content", part, part.len(), &range)
}

#[tokio::test]
async fn another_part_of_a_payload_than_the_one_asked_for_is_never_put_behind_the_first()
-> Result<()> {
    resumed(|folder, _| part_of(folder, 10_000, "bytes 10000-19999/20000")).await??;
    for habit in [
        // Another part, which says so, and one that does not.
        (|folder, _| part_of(folder, 5_000, "bytes 5000-19999/20000")) as Habit,
        |folder, _| part_of(folder, 5_000, "bytes 10000-19999/20000"),
        // As part of something longer.
        |folder, _| part_of(folder, 10_000, "bytes 10000-19999/30000"),
        // All of it, in the place of a part.
        |folder, _| {
            let bytes = fs::read(folder.join("payload")).unwrap_or_default();
            says("200 OK", &bytes, bytes.len(), "")
        },
        |_, _| says("304 Not Modified", b"", 0, ""),
    ] {
        let brought = resumed(habit).await?;
        assert!(brought.is_err(), "{brought:?}");
    }
    Ok(())
}
