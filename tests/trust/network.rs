//! A network that is bad and not hostile: servers that are busy, connections that break, certificates.

use std::{fs, path::PathBuf, sync::Arc, time::Duration};

use anyhow::{Context, Result};
use spacecp_advisories::fetch::{
    self, Access, FetchError, Fetched, Kept, Proxy, Source, fetch_payload,
};
use spacecp_contract::{Blob, Digest, FeedPath};
use spacecp_tests::{
    authority::{identity, identity_in},
    feed_server::{Fault, FeedServer},
};
use tempfile::TempDir;

use crate::scene::Scene;

const SIZE: usize = 300_000;

/// A web server with one payload, and a panel that keeps payloads.
struct Shelf {
    folder: TempDir,
    server: FeedServer,
    blob: Blob,
    bytes: Vec<u8>,
}

impl Shelf {
    async fn new() -> Result<Self> {
        let folder = spacecp_tests::scratch::folder()?;
        let bytes: Vec<u8> = (0..=250).cycle().take(SIZE).collect();
        let digest = Digest::of(&bytes);
        let path = folder
            .path()
            .join("feed")
            .join(FeedPath::blob(&digest).as_str());
        fs::create_dir_all(path.parent().context("it lies in a folder")?)?;
        fs::write(path, &bytes)?;
        let server = FeedServer::start(folder.path().join("feed")).await?;
        let length = bytes.len() as u64;
        Ok(Self {
            folder,
            server,
            blob: Blob { digest, length },
            bytes,
        })
    }

    fn path(&self) -> String {
        FeedPath::blob(&self.blob.digest).to_string()
    }

    /// What another process would find: nothing is remembered but what lies on the disk.
    fn kept(&self) -> Result<Kept> {
        let mut access = Access::default();
        access.retries.first = Duration::from_millis(1);
        let source = Source::new(&self.server.url(), access)?;
        Ok(Kept::new(
            self.folder.path().join("kept"),
            vec![Arc::new(source)],
            u64::MAX,
        ))
    }

    fn part(&self) -> Result<PathBuf> {
        Ok(self.kept()?.place(&self.blob).with_extension("part"))
    }

    /// Status and length of every answer since the last time.
    fn answers(&self) -> Vec<(u16, usize)> {
        let asked = self.server.asked();
        asked
            .into_iter()
            .map(|one| (one.status, one.body))
            .collect()
    }
}

#[tokio::test]
async fn the_same_payload_asked_for_twice_is_fetched_once() -> Result<()> {
    let shelf = Shelf::new().await?;
    for round in 0..3 {
        let into = shelf.folder.path().join(format!("copy-{round}"));
        fetch_payload(&Source::Kept(shelf.kept()?), &shelf.blob, &into).await?;
        assert_eq!(fs::read(into)?, shelf.bytes);
    }
    assert_eq!(shelf.answers(), [(200, SIZE)]);
    Ok(())
}

#[tokio::test]
async fn a_download_that_breaks_is_gone_on_with_where_it_was() -> Result<()> {
    let shelf = Shelf::new().await?;
    let breaks = [Fault::Breaks(100_000), Fault::Breaks(150_000)];
    shelf.server.fault(&shelf.path(), &breaks);
    let place = shelf.kept()?.bring(&shelf.blob).await?;
    assert_eq!(fs::read(place)?, shelf.bytes);
    assert_eq!(
        shelf.answers(),
        [(200, SIZE), (206, SIZE - 100_000), (206, SIZE - 250_000)]
    );
    Ok(())
}

#[tokio::test]
async fn what_has_come_is_there_for_the_next_process() -> Result<()> {
    let shelf = Shelf::new().await?;
    let down = [
        Fault::Breaks(120_000),
        Fault::Busy(503, 0),
        Fault::Busy(503, 0),
    ];
    shelf.server.fault(&shelf.path(), &down);
    shelf.server.fault(&shelf.path(), &[Fault::Busy(503, 0)]);
    let broken = shelf.kept()?.bring(&shelf.blob).await;
    assert!(
        matches!(broken, Err(FetchError::Status { status: 503, .. })),
        "{broken:?}"
    );
    assert_eq!(fs::metadata(shelf.part()?)?.len(), 120_000);
    shelf.answers();
    shelf.kept()?.bring(&shelf.blob).await?;
    assert_eq!(shelf.answers(), [(206, SIZE - 120_000)]);
    assert!(!shelf.part()?.exists());
    Ok(())
}

#[tokio::test]
async fn a_part_of_something_else_is_thrown_away_and_never_shown() -> Result<()> {
    let shelf = Shelf::new().await?;
    let part = shelf.part()?;
    fs::create_dir_all(part.parent().context("it lies in a folder")?)?;
    fs::write(&part, vec![0; 5_000])?;
    let place = shelf.kept()?.bring(&shelf.blob).await?;
    assert_eq!(fs::read(place)?, shelf.bytes);
    assert_eq!(shelf.answers(), [(206, SIZE - 5_000), (200, SIZE)]);
    Ok(())
}

#[tokio::test]
async fn another_part_than_the_one_asked_for_is_refused() -> Result<()> {
    let shelf = Shelf::new().await?;
    let faults = [Fault::Breaks(100_000), Fault::OtherPart];
    shelf.server.fault(&shelf.path(), &faults);
    let refused = shelf.kept()?.bring(&shelf.blob).await;
    assert!(
        matches!(refused, Err(FetchError::Resumed { from: 100_000, .. })),
        "{refused:?}"
    );
    shelf.kept()?.bring(&shelf.blob).await?;
    Ok(())
}

#[tokio::test]
async fn a_kept_payload_that_was_damaged_since_is_fetched_again() -> Result<()> {
    let shelf = Shelf::new().await?;
    let place = shelf.kept()?.bring(&shelf.blob).await?;
    let mut damaged = shelf.bytes.clone();
    damaged[7] ^= 1;
    fs::write(&place, damaged)?;
    let into = shelf.folder.path().join("copy");
    fetch_payload(&Source::Kept(shelf.kept()?), &shelf.blob, &into).await?;
    assert_eq!(fs::read(into)?, shelf.bytes);
    assert_eq!(shelf.answers().len(), 2);
    Ok(())
}

#[tokio::test]
async fn two_at_once_fetch_a_payload_once() -> Result<()> {
    let shelf = Shelf::new().await?;
    let (one, other) = (shelf.kept()?, shelf.kept()?);
    let (one, other) = tokio::join!(one.bring(&shelf.blob), other.bring(&shelf.blob));
    assert_eq!(fs::read(one?)?, fs::read(other?)?);
    assert_eq!(shelf.answers(), [(200, SIZE)]);
    Ok(())
}

#[tokio::test]
async fn a_server_that_is_busy_is_asked_again_after_the_time_it_says() -> Result<()> {
    let mut scene = Scene::followed().await?;
    scene
        .server
        .fault("head", &[Fault::Busy(503, 0), Fault::Busy(429, 0)]);
    scene.vendor.broadcast()?;
    assert!(scene.sync().await?.changed);
    let asked = scene.server.asked();
    let heads = asked.iter().filter(|one| one.path == "head");
    let statuses: Vec<u16> = heads.map(|one| one.status).collect();
    assert_eq!(statuses, [503, 429, 200]);
    Ok(())
}

#[tokio::test]
async fn a_document_whose_connection_breaks_is_asked_for_again() -> Result<()> {
    let mut scene = Scene::followed().await?;
    scene.server.fault("head", &[Fault::Breaks(10)]);
    scene.vendor.broadcast()?;
    assert!(scene.sync().await?.changed);
    Ok(())
}

#[tokio::test]
async fn a_server_that_stays_busy_is_named_and_changes_nothing() -> Result<()> {
    let mut scene = Scene::followed().await?;
    let before = scene.trusted().await?;
    scene.vendor.broadcast()?;
    scene.server.fault("head", &[Fault::Busy(503, 0); 3]);
    let failed = scene.sync().await.unwrap_err().to_string();
    assert!(failed.contains("503"), "{failed}");
    assert_eq!(scene.trusted().await?, before);
    assert!(scene.sync().await?.changed);
    Ok(())
}

/// A server's own identity, and the file of the authority behind it.
type Identity = (Arc<rustls::ServerConfig>, PathBuf);

/// What the server of this certificate answers a panel that trusts these authorities.
async fn over_tls(name: &str, host: &str, trusted: bool) -> Result<Result<Fetched, FetchError>> {
    let folder = spacecp_tests::scratch::folder()?;
    let identity = identity(folder.path(), name)?;
    over_tls_by(&folder, identity, host, trusted).await
}

async fn over_tls_by(
    folder: &TempDir,
    (identity, file): Identity,
    host: &str,
    trusted: bool,
) -> Result<Result<Fetched, FetchError>> {
    fs::create_dir(folder.path().join("feed"))?;
    fs::write(folder.path().join("feed/head"), "a head")?;
    let server = FeedServer::start_tls(folder.path().join("feed"), identity).await?;
    let mut access = Access {
        proxy: Proxy::None,
        ..Access::default()
    };
    access.retries.first = Duration::from_millis(1);
    if trusted {
        access.authorities = fetch::authorities(&file)?;
    }
    let address = format!("https://{host}:{}/", server.port());
    let source = Source::new(&address, access)?;
    Ok(source.get(&FeedPath::head(), 1 << 10, None).await)
}

#[tokio::test]
async fn a_server_with_a_certificate_of_a_configured_authority_is_followed() -> Result<()> {
    let answer = over_tls("localhost", "localhost", true).await??;
    assert!(
        matches!(&answer, Fetched::Body { bytes, .. } if bytes == b"a head"),
        "{answer:?}"
    );
    Ok(())
}

#[tokio::test]
async fn a_certificate_of_an_unknown_authority_is_refused() -> Result<()> {
    let refused = over_tls("localhost", "localhost", false).await?;
    let words = refused.unwrap_err().to_string();
    assert!(words.contains("UnknownIssuer"), "{words}");
    Ok(())
}

#[tokio::test]
async fn a_certificate_for_another_name_is_refused() -> Result<()> {
    let refused = over_tls("feed.example", "localhost", true).await?;
    let words = refused.unwrap_err().to_string();
    assert!(words.contains("not valid for name"), "{words}");
    Ok(())
}

#[tokio::test]
async fn a_certificate_that_has_expired_or_is_not_good_yet_is_refused() -> Result<()> {
    for (years, why) in [(2020..2021, "expired"), (2090..2099, "not valid")] {
        let folder = spacecp_tests::scratch::folder()?;
        let identity = identity_in(folder.path(), "localhost", years)?;
        let refused = over_tls_by(&folder, identity, "localhost", true).await?;
        let error = refused.expect_err("it is not good now");
        assert!(matches!(error, FetchError::Connection { .. }), "{error:?}");
        assert!(error.to_string().contains(why), "{error}");
    }
    Ok(())
}

#[tokio::test]
async fn an_authority_that_is_not_trusted_vouches_for_nobody_though_another_one_is() -> Result<()> {
    let (folder, other) = (
        spacecp_tests::scratch::folder()?,
        spacecp_tests::scratch::folder()?,
    );
    let (identity, _) = identity(folder.path(), "localhost")?;
    let (_, trusted) = self::identity(other.path(), "localhost")?;
    let refused = over_tls_by(&folder, (identity, trusted), "localhost", true).await?;
    let error = refused.expect_err("another authority signed it");
    assert!(matches!(error, FetchError::Connection { .. }), "{error:?}");
    Ok(())
}

#[tokio::test]
async fn a_server_that_speaks_no_tls_is_not_heard_at_an_https_address() -> Result<()> {
    let scene = Scene::new().await?;
    let address = scene.server.url().replace("http://", "https://");
    let mut access = Access {
        proxy: Proxy::None,
        ..Access::default()
    };
    access.retries.times = 0;
    let refused = Source::new(&address, access)?
        .get(&FeedPath::head(), 4 << 10, None)
        .await;
    assert!(
        matches!(refused, Err(FetchError::Connection { .. })),
        "{refused:?}"
    );
    assert_eq!(scene.server.asked(), [], "and was told nothing");
    Ok(())
}

#[test]
fn a_file_without_certificates_is_named() -> Result<()> {
    let folder = spacecp_tests::scratch::folder()?;
    let file = folder.path().join("authority.pem");
    for contents in [
        "",
        "-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n",
    ] {
        fs::write(&file, contents)?;
        let refused = fetch::authorities(&file);
        assert!(
            matches!(refused, Err(FetchError::Authorities { .. })),
            "{refused:?}"
        );
    }
    Ok(())
}
