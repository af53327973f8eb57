//! Mirrors that deliver payloads slowly or not at all: all payloads of one run have one time limit for each
//! mirror, and what failed is asked last.

use std::{fs, sync::Arc, time::Duration};

use anyhow::{Context, Result};
use spacecp_advisories::fetch::{Access, FetchError, Kept, Source};
use spacecp_contract::{Blob, Digest, FeedPath};
use spacecp_tests::feed_server::{Fault, FeedServer};
use tempfile::TempDir;

/// Payloads of one correction.
const MANY: u8 = 16;

/// What an answer of a slow mirror waits for.
const PAUSE: Duration = Duration::from_millis(150);

/// A feed of many small payloads, on two mirrors.
struct Shelf {
    folder: TempDir,
    mirrors: [FeedServer; 2],
    blobs: Vec<Blob>,
}

impl Shelf {
    async fn new() -> Result<Self> {
        let folder = spacecp_tests::scratch::folder()?;
        let feed = folder.path().join("feed");
        let blob = |number: u8| -> Result<Blob> {
            let bytes = [number; 100];
            let digest = Digest::of(&bytes);
            let path = feed.join(FeedPath::blob(&digest).as_str());
            fs::create_dir_all(path.parent().context("it lies in a folder")?)?;
            fs::write(path, bytes)?;
            Ok(Blob {
                digest,
                length: bytes.len() as u64,
            })
        };
        let blobs = (0..MANY).map(blob).collect::<Result<_>>()?;
        let mirrors = [
            FeedServer::start(feed.clone()).await?,
            FeedServer::start(feed).await?,
        ];
        Ok(Self {
            folder,
            mirrors,
            blobs,
        })
    }

    /// One run, in which each mirror has so long, whatever it delivers.
    fn run(&self, name: &str, allowed: Duration) -> Result<Kept> {
        let mut access = Access::default();
        access.patience.payload = allowed;
        access.patience.slowest = u64::MAX;
        access.retries.times = 0;
        let sources = self.mirrors.iter();
        let sources = sources
            .map(|mirror| Ok(Arc::new(Source::new(&mirror.url(), access.clone())?)))
            .collect::<Result<_>>()?;
        Ok(Kept::new(self.folder.path().join(name), sources, u64::MAX))
    }

    fn path(&self, number: usize) -> String {
        FeedPath::blob(&self.blobs[number].digest).to_string()
    }
}

#[tokio::test]
async fn a_mirror_that_is_slow_with_each_payload_has_one_time_limit_for_all_of_them() -> Result<()>
{
    let shelf = Shelf::new().await?;
    shelf.mirrors[0].slow_down(PAUSE);
    let run = shelf.run("kept", PAUSE * 7 / 2)?;
    for blob in &shelf.blobs {
        run.bring(blob).await?;
    }
    let (slow, next) = (shelf.mirrors[0].asked(), shelf.mirrors[1].asked());
    assert!((1..=4).contains(&slow.len()), "{slow:?}");
    assert!(next.len() >= usize::from(MANY) - 3, "{next:?}");
    Ok(())
}

#[tokio::test]
async fn a_mirror_that_failed_is_asked_last_for_the_payloads_that_follow() -> Result<()> {
    let shelf = Shelf::new().await?;
    shelf.mirrors[0].always(&shelf.path(0), Fault::Busy(404, 0));
    shelf.mirrors[1].always(&shelf.path(5), Fault::Busy(404, 0));
    let run = shelf.run("kept", Duration::from_mins(1))?;
    for blob in &shelf.blobs {
        run.bring(blob).await?;
    }
    let first: Vec<_> = shelf.mirrors[0].asked();
    let paths: Vec<_> = first.iter().map(|one| one.path.as_str()).collect();
    assert_eq!(paths[..2], [shelf.path(0), shelf.path(5)]);
    Ok(())
}

#[tokio::test]
async fn where_no_mirror_delivers_each_is_named_with_its_reason() -> Result<()> {
    let shelf = Shelf::new().await?;
    shelf.mirrors[0].always(&shelf.path(0), Fault::Trickles);
    let run = shelf.run("kept", PAUSE * 3)?;
    run.bring(&shelf.blobs[0]).await?;
    shelf.mirrors[1].always(&shelf.path(1), Fault::Busy(404, 0));
    let refused = run.bring(&shelf.blobs[1]).await;
    let Err(FetchError::Mirrors(failures)) = refused else {
        anyhow::bail!("{refused:?}");
    };
    let addresses: Vec<_> = failures
        .iter()
        .map(|(address, _)| address.clone())
        .collect();
    assert_eq!(addresses, [1, 0].map(|number| shelf.mirrors[number].url()));
    assert!(
        matches!(
            (&failures[0].1, &failures[1].1),
            (
                FetchError::Status { status: 404, .. },
                FetchError::LeftOut { verified: 0, .. }
            )
        ),
        "{failures:?}"
    );
    Ok(())
}

#[tokio::test]
async fn a_mirror_whose_time_is_over_is_not_asked_again_in_that_run_and_is_in_the_next()
-> Result<()> {
    let shelf = Shelf::new().await?;
    shelf.mirrors[0].always(&shelf.path(0), Fault::Trickles);
    let run = shelf.run("kept", PAUSE * 3)?;
    run.bring(&shelf.blobs[0]).await?;
    shelf.mirrors[0].asked();
    shelf.mirrors[1].always(&shelf.path(1), Fault::Busy(404, 0));
    run.bring(&shelf.blobs[1]).await.expect_err("nobody has it");
    assert_eq!(shelf.mirrors[0].asked(), []);
    let next = shelf.run("kept", PAUSE * 3)?;
    next.bring(&shelf.blobs[1]).await?;
    assert_eq!(shelf.mirrors[0].asked().len(), 1);
    Ok(())
}
