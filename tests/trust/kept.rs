//! Payloads that are kept on a panel: within bounds, and whole whatever ends the process that fetches
//! them.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Child,
    sync::Arc,
    time::{Duration, Instant, SystemTime},
};

use anyhow::{Context, Result, ensure};
use spacecp_advisories::fetch::{Access, FetchError, Kept, Source};
use spacecp_contract::{Blob, Digest, FeedPath};
use spacecp_tests::{
    apart,
    feed_server::{Fault, FeedServer},
};
use tempfile::TempDir;

const SIZE: usize = 300_000;

/// A feed of three payloads of the same length.
struct Shelf {
    folder: TempDir,
    server: FeedServer,
    blobs: [Blob; 3],
}

fn contents(number: u8) -> Vec<u8> {
    (number..=250).cycle().take(SIZE).collect()
}

impl Shelf {
    async fn new() -> Result<Self> {
        let folder = spacecp_tests::scratch::folder()?;
        let feed = folder.path().join("feed");
        let blob = |number: u8| -> Result<Blob> {
            let bytes = contents(number);
            let digest = Digest::of(&bytes);
            let path = feed.join(FeedPath::blob(&digest).as_str());
            fs::create_dir_all(path.parent().context("it lies in a folder")?)?;
            fs::write(path, &bytes)?;
            Ok(Blob {
                digest,
                length: SIZE as u64,
            })
        };
        let blobs = [blob(0)?, blob(1)?, blob(2)?];
        Ok(Self {
            server: FeedServer::start(feed.clone()).await?,
            folder,
            blobs,
        })
    }

    fn at_most(&self, bytes: usize) -> Result<Kept> {
        kept(&self.folder.path().join("kept"), &self.server.url(), bytes)
    }

    /// Gives a kept payload this age, so that no test depends on the clock's grain.
    fn since(&self, kept: &Kept, number: usize, hours: u64) -> Result<()> {
        let file = fs::File::options()
            .write(true)
            .open(kept.place(&self.blobs[number]))?;
        let time = SystemTime::now() - Duration::from_hours(hours);
        Ok(file.set_modified(time)?)
    }
}

fn kept(folder: &Path, address: &str, bytes: usize) -> Result<Kept> {
    let mut access = Access::default();
    access.retries.first = Duration::from_millis(1);
    let source = Arc::new(Source::new(address, access)?);
    Ok(Kept::new(folder.to_owned(), vec![source], bytes as u64))
}

#[tokio::test]
async fn the_oldest_payload_makes_room_for_another() -> Result<()> {
    let shelf = Shelf::new().await?;
    let kept = shelf.at_most(2 * SIZE)?;
    let [one, two, three] = &shelf.blobs;
    kept.bring(one).await?;
    kept.bring(two).await?;
    shelf.since(&kept, 0, 1)?;
    shelf.since(&kept, 1, 2)?;
    kept.bring(three).await?;
    assert!(kept.has(one) && !kept.has(two) && kept.has(three));
    // And what went is brought again when it is needed.
    shelf.since(&kept, 2, 3)?;
    assert_eq!(fs::read(kept.bring(two).await?)?, contents(1));
    assert!(kept.has(one) && kept.has(two) && !kept.has(three));
    Ok(())
}

#[tokio::test]
async fn what_is_left_of_a_broken_download_makes_room_too_and_the_one_that_goes_on_counts_once()
-> Result<()> {
    let shelf = Shelf::new().await?;
    let kept = shelf.at_most(SIZE)?;
    let [one, two, _] = &shelf.blobs;
    let path = FeedPath::blob(&one.digest).to_string();
    shelf
        .server
        .fault(&path, &[Fault::Breaks(100_000), Fault::Busy(404, 0)]);
    kept.bring(one).await.expect_err("it broke");
    let part = kept.place(one).with_extension("part");
    assert_eq!(fs::metadata(&part)?.len(), 100_000);
    // It goes on with its own part, although both together would be too much.
    kept.bring(one).await?;
    shelf.server.asked();
    kept.bring(two).await?;
    assert!(!kept.has(one) && kept.has(two));
    Ok(())
}

#[tokio::test]
async fn a_payload_longer_than_all_that_may_be_kept_is_refused_before_it_is_asked_for() -> Result<()>
{
    let shelf = Shelf::new().await?;
    let kept = shelf.at_most(SIZE - 1)?;
    let refused = kept.bring(&shelf.blobs[0]).await;
    assert!(
        matches!(refused, Err(FetchError::NoRoom { length, limit, .. })
            if length == SIZE as u64 && limit == SIZE as u64 - 1),
        "{refused:?}"
    );
    assert_eq!(shelf.server.asked(), []);
    assert!(!shelf.folder.path().join("kept").exists());
    Ok(())
}

#[tokio::test]
async fn a_download_that_is_under_way_makes_room_for_nobody() -> Result<()> {
    let shelf = Shelf::new().await?;
    let (one, other) = (shelf.at_most(SIZE)?, shelf.at_most(SIZE)?);
    let path = FeedPath::blob(&shelf.blobs[0].digest).to_string();
    shelf.server.fault(&path, &[Fault::Stalls(100_000)]);
    let blob = shelf.blobs[0];
    let under_way = tokio::spawn(async move { one.bring(&blob).await });
    let part = other.place(&shelf.blobs[0]).with_extension("part");
    until(|| length(&part) == 100_000).await?;
    let refused = other.bring(&shelf.blobs[1]).await;
    assert!(
        matches!(refused, Err(FetchError::RoomTaken { limit, .. }) if limit == SIZE as u64),
        "{refused:?}"
    );
    assert!(part.exists(), "it is still being written");
    under_way.abort();
    assert!(under_way.await.is_err(), "it was cut off");
    // Nobody is at it any more, so that what it left is like anything else that is kept.
    other.bring(&shelf.blobs[1]).await?;
    assert!(!part.exists());
    Ok(())
}

#[tokio::test]
async fn two_downloads_that_begin_at_once_do_not_take_the_same_room() -> Result<()> {
    let shelf = Shelf::new().await?;
    let (one, other) = (shelf.at_most(2 * SIZE - 1)?, shelf.at_most(2 * SIZE - 1)?);
    let path = FeedPath::blob(&shelf.blobs[0].digest).to_string();
    // Not a byte of the first has come when the second wants to begin.
    shelf.server.fault(&path, &[Fault::Stalls(0)]);
    let blob = shelf.blobs[0];
    let room = one.place(&blob).with_extension("room");
    let under_way = tokio::spawn(async move { one.bring(&blob).await });
    until(|| length(&room) == SIZE as u64).await?;
    let refused = other.bring(&shelf.blobs[1]).await;
    assert!(
        matches!(refused, Err(FetchError::RoomTaken { .. })),
        "{refused:?}"
    );
    under_way.abort();
    assert!(under_way.await.is_err(), "it was cut off");
    other.bring(&shelf.blobs[1]).await?;
    assert!(!room.exists(), "nobody holds room that nobody needs");
    assert!(!other.place(&shelf.blobs[1]).with_extension("room").exists());
    Ok(())
}

#[tokio::test]
async fn what_is_wanted_together_makes_no_room_for_one_of_its_own() -> Result<()> {
    let shelf = Shelf::new().await?;
    let [one, two, three] = &shelf.blobs;
    let kept = shelf.at_most(2 * SIZE)?.sparing([one, two]);
    kept.bring(one).await?;
    kept.bring(two).await?;
    let refused = kept.bring(three).await;
    assert!(
        matches!(refused, Err(FetchError::RoomTaken { .. })),
        "{refused:?}"
    );
    assert!(kept.has(one) && kept.has(two));
    Ok(())
}

#[tokio::test]
async fn what_is_damaged_is_forgotten_when_it_is_looked_at_and_what_is_right_stays() -> Result<()> {
    let shelf = Shelf::new().await?;
    let kept = shelf.at_most(usize::MAX)?;
    let [one, two, three] = &shelf.blobs;
    kept.bring(one).await?;
    kept.bring(two).await?;
    fs::write(kept.place(one), vec![7; SIZE])?;
    assert!(kept.has(one), "its length is right");
    for blob in [one, two, three] {
        kept.forget_if_damaged(blob).await?;
    }
    assert!(!kept.has(one) && kept.has(two));
    Ok(())
}

fn length(path: &Path) -> u64 {
    fs::metadata(path).map_or(0, |metadata| metadata.len())
}

/// Waits until this holds, for half a minute at most.
async fn until(holds: impl Fn() -> bool) -> Result<()> {
    let began = Instant::now();
    while !holds() {
        ensure!(began.elapsed() < Duration::from_secs(30), "it never did");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    Ok(())
}

/// Where the process that is to be killed finds the feed, and where it keeps payloads.
const FEED: &str = "SPACECP_TEST_FEED";
const KEEP: &str = "SPACECP_TEST_KEEP";

/// This program again, to do nothing but fetch the first payload.
struct Fetching(Child);

impl Fetching {
    fn start(shelf: &Shelf) -> Result<Self> {
        let child = apart::process("kept::the_process_that_is_killed")?
            .env(FEED, shelf.server.url())
            .env(KEEP, shelf.folder.path().join("kept"))
            .stdout(std::process::Stdio::null())
            .spawn()?;
        Ok(Self(child))
    }

    /// Kills it, as `kill -9` would.
    fn kill(mut self) -> Result<()> {
        self.0.kill()?;
        let status = self.0.wait()?;
        ensure!(!status.success(), "it had ended before: {status}");
        Ok(())
    }
}

/// For [`Fetching`].
#[tokio::test]
#[ignore = "another test starts it as a process of its own"]
async fn the_process_that_is_killed() -> Result<()> {
    let folder = PathBuf::from(apart::given(KEEP)?);
    let kept = kept(&folder, &apart::text(FEED)?, usize::MAX)?;
    let bytes = contents(0);
    let blob = Blob {
        digest: Digest::of(&bytes),
        length: SIZE as u64,
    };
    kept.bring(&blob).await?;
    Ok(())
}

#[tokio::test]
async fn a_process_that_is_killed_in_the_middle_of_a_download_leaves_what_the_next_goes_on_with()
-> Result<()> {
    let shelf = Shelf::new().await?;
    let kept = shelf.at_most(usize::MAX)?;
    let blob = &shelf.blobs[0];
    let (place, path) = (kept.place(blob), FeedPath::blob(&blob.digest).to_string());
    let mut had = 0;
    for more in [120_000, 100_000] {
        shelf.server.fault(&path, &[Fault::Stalls(more)]);
        let fetching = Fetching::start(&shelf)?;
        had += more as u64;
        until(|| length(&place.with_extension("part")) == had).await?;
        fetching.kill()?;
        assert!(!place.exists(), "what is not whole has no name of its own");
        assert!(!kept.has(blob));
    }
    shelf.server.asked();
    kept.bring(blob).await?;
    assert_eq!(fs::read(&place)?, contents(0));
    let asked = shelf.server.asked();
    let answers: Vec<_> = asked.iter().map(|one| (one.status, one.body)).collect();
    assert_eq!(answers, [(206, SIZE - 220_000)], "what had come was kept");
    Ok(())
}

#[tokio::test]
async fn a_place_that_gives_a_byte_now_and_then_is_left_for_the_next_which_goes_on_from_there()
-> Result<()> {
    let shelf = Shelf::new().await?;
    let next = FeedServer::start(shelf.folder.path().join("feed")).await?;
    let mut access = Access::default();
    access.patience.payload = Duration::from_secs(1);
    access.patience.slowest = u64::MAX;
    let blob = &shelf.blobs[0];
    let path = FeedPath::blob(&blob.digest).to_string();
    // Each byte comes long before the panel would call it silence.
    shelf.server.always(&path, Fault::Trickles);
    let sources = [&shelf.server, &next].map(|server| Source::new(&server.url(), access.clone()));
    let sources: Vec<_> = sources
        .into_iter()
        .map(|source| source.map(Arc::new))
        .collect::<Result<_, _>>()?;
    let alone = Kept::new(
        shelf.folder.path().join("alone"),
        sources[..1].to_vec(),
        u64::MAX,
    );
    let refused = alone.bring(blob).await;
    assert!(
        matches!(refused, Err(FetchError::TooSlow { found, announced, .. })
            if found > 0 && announced == SIZE as u64),
        "{refused:?}"
    );
    let part = length(&alone.place(blob).with_extension("part"));
    assert!(part > 0, "what came is kept");
    let both = Kept::new(shelf.folder.path().join("both"), sources, u64::MAX);
    assert_eq!(fs::read(both.bring(blob).await?)?, contents(0));
    let asked = next.asked();
    assert_eq!(asked.len(), 1, "{asked:?}");
    assert_eq!(
        asked[0].status, 206,
        "what had come was not asked for again"
    );
    Ok(())
}

#[tokio::test]
async fn a_long_payload_has_the_time_that_its_length_takes() -> Result<()> {
    let shelf = Shelf::new().await?;
    let mut access = Access::default();
    access.patience.payload = Duration::ZERO;
    // 300,000 bytes at this pace: six seconds, and a local server needs a moment of them.
    access.patience.slowest = 50_000;
    let source = Arc::new(Source::new(&shelf.server.url(), access)?);
    let kept = Kept::new(shelf.folder.path().join("kept"), vec![source], u64::MAX);
    kept.bring(&shelf.blobs[0]).await?;
    Ok(())
}
