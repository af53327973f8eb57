//! Feeds in object stores: in memory, in a folder, and in a server that speaks S3's language.

use std::{fs, sync::Arc, time::Duration};

use anyhow::Result;
use object_store::{
    ObjectStore, ObjectStoreExt, PutPayload, local::LocalFileSystem, memory::InMemory,
};
use spacecp_advisories::fetch::{
    Access, FetchError, Fetched, Kept, Objects, Patience, Source, fetch_payload,
};
use spacecp_contract::{Blob, Digest, FeedPath};
use spacecp_tests::object_server::{ObjectServer, settings};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};
use walkdir::WalkDir;

use crate::scene::{Scene, advisory, copy};

pub(crate) const BUCKET: &str = "s3://advisories/private/feed";

/// A feed below a prefix of a store.
fn objects(store: impl ObjectStore) -> Source {
    Source::Objects(Objects::new(
        "memory://private/feed",
        Arc::new(store),
        "private/feed".into(),
        Patience::default(),
    ))
}

/// Puts everything of a scene's feed into a store.
async fn fill(store: &impl ObjectStore, scene: &Scene) -> Result<()> {
    let feed = scene.vendor.feed_dir();
    for entry in WalkDir::new(feed) {
        let entry = entry?;
        if entry.file_type().is_file() {
            let name = entry.path().strip_prefix(feed)?.display().to_string();
            let place = format!("private/feed/{name}");
            let bytes = PutPayload::from(fs::read(entry.path())?);
            store.put(&place.as_str().into(), bytes).await?;
        }
    }
    Ok(())
}

/// A bucket with a scene's feed in it, and how a panel reaches it.
async fn bucket(scene: &Scene) -> Result<(ObjectServer, Access)> {
    let buckets = scene.folder.path().join("buckets");
    let server = ObjectServer::start(&buckets).await?;
    let folder = buckets.join("advisories/private/feed");
    fs::create_dir_all(&folder)?;
    copy(scene.vendor.feed_dir(), &folder)?;
    let access = access(&server.settings())?;
    Ok((server, access))
}

pub(crate) fn access(text: &str) -> Result<Access> {
    let mut access = Access::default();
    access.retries.first = Duration::from_millis(1);
    access.patience.idle = Duration::from_millis(600);
    access.patience.document = Duration::from_secs(3);
    access
        .object_stores
        .insert(format!("{BUCKET}/"), settings(text)?);
    Ok(access)
}

/// A server that gives this answer to everyone, and then, if `endless`, more of it for ever.
async fn answering(answer: &'static str, endless: bool) -> Result<Access> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    let endpoint = format!("http://{}", listener.local_addr()?);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut request = [0; 4_096];
                let _ = stream.read(&mut request).await;
                let mut sent = stream.write_all(answer.as_bytes()).await;
                while endless && sent.is_ok() {
                    sent = stream.write_all(&[b'x'; 8 << 10]).await;
                }
            });
        }
    });
    access(&format!("endpoint = {endpoint:?}\nskip-signature = true\n"))
}

#[tokio::test]
async fn a_feed_in_a_store_is_followed_as_any_other() -> Result<()> {
    let mut scene = Scene::new().await?;
    let folder = spacecp_tests::scratch::folder()?;
    let memory = Arc::new(InMemory::new());
    let local = LocalFileSystem::new_with_prefix(folder.path())?;
    fill(&memory, &scene).await?;
    fill(&local, &scene).await?;
    let first = scene.follower_from("memory:", objects(memory.clone()))?;
    let second = scene.follower_from("local:", objects(local))?;
    assert!(first.sync(scene.now).await?.changed);
    assert!(
        !second.sync(scene.now).await?.changed,
        "it is the same feed"
    );
    scene.vendor.publish_advisory(advisory(2))?;
    scene.vendor.broadcast()?;
    fill(&memory, &scene).await?;
    let report = first.sync(scene.now).await?;
    assert_eq!((report.changed, report.sequence), (true, 2));
    Ok(())
}

#[tokio::test]
async fn an_unchanged_object_is_not_sent_again() -> Result<()> {
    let folder = spacecp_tests::scratch::folder()?;
    let scene = Scene::new().await?;
    let memory = Arc::new(InMemory::new());
    let local = Arc::new(LocalFileSystem::new_with_prefix(folder.path())?);
    fill(&memory, &scene).await?;
    fill(&local, &scene).await?;
    for source in [objects(memory), objects(local)] {
        let head = FeedPath::head();
        let first = source.get(&head, 4_096, None).await?;
        let Fetched::Body { validator, .. } = first else {
            panic!("it is there: {first:?}");
        };
        let again = source.get(&head, 4_096, validator.as_deref()).await?;
        assert_eq!(again, Fetched::Unchanged);
    }
    Ok(())
}

#[tokio::test]
async fn an_object_that_is_too_long_is_not_read() -> Result<()> {
    let scene = Scene::new().await?;
    let memory = Arc::new(InMemory::new());
    fill(&memory, &scene).await?;
    let refused = objects(memory).get(&FeedPath::head(), 10, None).await;
    assert!(matches!(
        refused,
        Err(FetchError::TooLong { limit: 10, .. })
    ));
    Ok(())
}

#[tokio::test]
async fn a_bucket_is_followed_from_the_first_sync_to_the_next_news() -> Result<()> {
    let mut scene = Scene::new().await?;
    let (_server, access) = bucket(&scene).await?;
    let source = Source::new(BUCKET, access)?;
    let follower = scene.follower_from(BUCKET, source)?;
    assert!(follower.sync(scene.now).await?.changed);
    assert!(!follower.sync(scene.now).await?.changed);
    scene.vendor.publish_advisory(advisory(2))?;
    scene.vendor.broadcast()?;
    let folder = scene.folder.path().join("buckets/advisories/private/feed");
    copy(scene.vendor.feed_dir(), &folder)?;
    assert_eq!(follower.sync(scene.now).await?.sequence, 2);
    Ok(())
}

#[tokio::test]
async fn a_payload_in_a_bucket_is_gone_on_with_where_it_was() -> Result<()> {
    let scene = Scene::new().await?;
    let (_server, access) = bucket(&scene).await?;
    let bytes: Vec<u8> = (0..=250).cycle().take(300_000).collect();
    let blob = Blob {
        digest: Digest::of(&bytes),
        length: bytes.len() as u64,
    };
    let folder = scene.folder.path().join("buckets/advisories/private/feed");
    let place = folder.join(FeedPath::blob(&blob.digest).as_str());
    fs::create_dir_all(place.parent().expect("it lies in a folder"))?;
    fs::write(&place, &bytes)?;
    let source = Arc::new(Source::new(BUCKET, access)?);
    let kept = Kept::new(
        scene.folder.path().join("kept"),
        vec![source.clone()],
        u64::MAX,
    );
    let part = kept.place(&blob).with_extension("part");
    fs::create_dir_all(part.parent().expect("it lies in a folder"))?;
    fs::write(&part, &bytes[..100_000])?;
    assert_eq!(fs::read(kept.bring(&blob).await?)?, bytes);
    // What is in the bucket is believed no more than what is anywhere else.
    fs::write(&place, vec![7; bytes.len()])?;
    let into = scene.folder.path().join("again");
    let refused = fetch_payload(&source, &blob, &into).await;
    assert!(
        matches!(refused, Err(FetchError::Digest { .. })),
        "{refused:?}"
    );
    fs::remove_file(&place)?;
    let into = scene.folder.path().join("missing");
    let refused = fetch_payload(&source, &blob, &into).await;
    assert!(matches!(
        refused,
        Err(FetchError::Status { status: 404, .. })
    ));
    Ok(())
}

#[tokio::test]
async fn a_bucket_that_lets_nobody_read_is_named_with_what_it_answered() -> Result<()> {
    let scene = Scene::new().await?;
    let (server, _) = bucket(&scene).await?;
    let wrong = format!(
        "endpoint = {:?}\naccess-key-id = \"panel\"\nsecret-access-key = \"guessed\"\n",
        server.endpoint()
    );
    let source = Source::new(BUCKET, access(&wrong)?)?;
    let refused = source.get(&FeedPath::head(), 4_096, None).await;
    let error = refused.expect_err("the key is wrong").to_string();
    assert_eq!(
        error,
        "cannot fetch s3://advisories/private/feed/head: the server answered 403"
    );
    // A root that may not be there yet is another matter: stores hide what they do not have.
    let next = source.get(&FeedPath::root(2), 4_096, None).await?;
    assert_eq!(next, Fetched::Missing);
    Ok(())
}

#[tokio::test]
async fn an_error_without_end_is_read_only_so_far() -> Result<()> {
    let access = answering("HTTP/1.1 400 Bad Request\r\n\r\n<Error>", true).await?;
    let source = Source::new(BUCKET, access)?;
    let refused = source.get(&FeedPath::head(), 4_096, None).await;
    let error = refused.expect_err("it is an error");
    assert!(matches!(error, FetchError::Connection { .. }), "{error:?}");
    assert!(error.to_string().len() < 500, "{error}");
    Ok(())
}

#[tokio::test]
async fn an_object_without_end_is_given_up() -> Result<()> {
    let lies = "HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\nETag: \"1\"\r\nLast-Modified: Tue, 24 Nov 2026 12:00:00 GMT\r\n\r\n";
    let source = Source::new(BUCKET, answering(lies, true).await?)?;
    let refused = source.get(&FeedPath::head(), 4_096, None).await;
    assert!(
        matches!(refused, Err(FetchError::TooLong { .. })),
        "{refused:?}"
    );
    Ok(())
}

#[tokio::test]
async fn a_store_that_sends_elsewhere_is_not_followed_there() -> Result<()> {
    let elsewhere =
        "HTTP/1.1 301 Moved\r\nLocation: http://127.0.0.1:9/other\r\nContent-Length: 0\r\n\r\n";
    let source = Source::new(BUCKET, answering(elsewhere, false).await?)?;
    let refused = source.get(&FeedPath::head(), 4_096, None).await;
    let error = refused.expect_err("a redirect is no feed");
    assert!(matches!(error, FetchError::Connection { .. }), "{error:?}");
    assert!(!error.to_string().contains("127.0.0.1:9"), "{error}");
    Ok(())
}

#[test]
fn secrets_of_a_store_are_in_no_description() -> Result<()> {
    let access = access("access-key-id = \"panel\"\nsecret-access-key = \"hush\"\n")?;
    let source = Source::new(BUCKET, access.clone())?;
    let described = format!("{access:?} {source:?}");
    assert!(described.contains("secret-access-key"), "{described}");
    assert!(!described.contains("hush"), "{described}");
    Ok(())
}

#[test]
fn an_address_or_a_setting_that_no_store_has_is_refused_by_name() -> Result<()> {
    let problem = |address: &str, text: &str| -> Result<String> {
        let refused = Source::new(address, access(text)?);
        Ok(refused.expect_err("it was accepted").to_string())
    };
    let error = problem(BUCKET, "sekret = \"x\"\n")?;
    assert!(error.contains("unknown setting \"sekret\""), "{error}");
    let error = problem("s3://advisories/feed?list", "")?;
    assert!(error.contains("a bucket and a path"), "{error}");
    let error = problem("ftp://advisories/feed", "")?;
    assert!(error.contains("s3:, gs:, az:"), "{error}");
    for address in ["gs://advisories/feed", "az://advisories/feed"] {
        let mut access = Access::default();
        let text = match &address[..2] {
            "gs" => "skip-signature = true\n",
            _ => "account-name = \"spacecp\"\nskip-signature = true\n",
        };
        access
            .object_stores
            .insert(address.to_owned(), settings(text)?);
        assert!(matches!(Source::new(address, access)?, Source::Objects(_)));
    }
    Ok(())
}
