//! Payloads: streamed, bounded, and only what their digest says.

use std::fs;

use anyhow::Result;
use spacecp_advisories::fetch::{FetchError, Patience, Source, fetch_payload};
use spacecp_contract::{Blob, Digest, FeedPath};
use spacecp_tests::feed_server::FeedServer;
use tempfile::TempDir;

/// A folder with one payload, served as folder and over HTTP.
struct Shelf {
    folder: TempDir,
    _server: FeedServer,
    sources: [Source; 2],
    blob: Blob,
}

const CONTENTS: &[u8] = b"what a file is to become, compressed";

impl Shelf {
    async fn new() -> Result<Self> {
        let folder = spacecp_tests::scratch::folder()?;
        let digest = Digest::of(CONTENTS);
        let path = folder.path().join(FeedPath::blob(&digest).as_str());
        fs::create_dir_all(path.parent().expect("it lies in a folder"))?;
        fs::write(path, CONTENTS)?;
        let server = FeedServer::start(folder.path().to_owned()).await?;
        let patience = Patience::default();
        let sources = [
            Source::new(&folder.path().display().to_string(), patience)?,
            Source::new(&server.url(), patience)?,
        ];
        Ok(Self {
            folder,
            _server: server,
            sources,
            blob: Blob {
                digest,
                length: CONTENTS.len() as u64,
            },
        })
    }

    fn file(&self) -> std::path::PathBuf {
        let path = FeedPath::blob(&self.blob.digest);
        self.folder.path().join(path.as_str())
    }

    /// What fetching gives, from the folder and over HTTP.
    async fn fetch(&self) -> Result<Vec<Result<Vec<u8>, FetchError>>> {
        let mut answers = Vec::new();
        for source in &self.sources {
            let into = spacecp_tests::scratch::folder()?;
            let at = into.path().join("payload");
            let fetched = fetch_payload(source, &self.blob, &at).await;
            answers.push(fetched.map(|()| fs::read(&at).expect("it was written")));
        }
        Ok(answers)
    }
}

#[tokio::test]
async fn an_honest_payload_arrives_to_the_letter() -> Result<()> {
    for answer in Shelf::new().await?.fetch().await? {
        assert_eq!(answer?, CONTENTS);
    }
    Ok(())
}

#[tokio::test]
async fn a_payload_longer_than_announced_is_given_up() -> Result<()> {
    let shelf = Shelf::new().await?;
    fs::write(shelf.file(), CONTENTS.repeat(50_000))?;
    for answer in shelf.fetch().await? {
        assert!(
            matches!(answer, Err(FetchError::TooLong { limit, .. }) if limit == shelf.blob.length)
        );
    }
    Ok(())
}

#[tokio::test]
async fn a_payload_shorter_than_announced_is_refused() -> Result<()> {
    let shelf = Shelf::new().await?;
    fs::write(shelf.file(), &CONTENTS[1..])?;
    for answer in shelf.fetch().await? {
        assert!(matches!(answer, Err(FetchError::TooShort { .. })));
    }
    Ok(())
}

#[tokio::test]
async fn a_payload_with_other_contents_is_refused() -> Result<()> {
    let shelf = Shelf::new().await?;
    let mut other = CONTENTS.to_vec();
    other[0] ^= 1;
    fs::write(shelf.file(), &other)?;
    for answer in shelf.fetch().await? {
        assert!(
            matches!(answer, Err(FetchError::Digest { found, .. }) if found == Digest::of(&other))
        );
    }
    Ok(())
}

#[tokio::test]
async fn a_payload_that_is_not_there_is_named() -> Result<()> {
    let shelf = Shelf::new().await?;
    fs::remove_file(shelf.file())?;
    let digest = shelf.blob.digest.to_string();
    for answer in shelf.fetch().await? {
        let error = answer.unwrap_err().to_string();
        assert!(error.contains(&digest), "{error}");
    }
    Ok(())
}

#[tokio::test]
async fn a_payload_never_writes_over_a_file_that_is_there() -> Result<()> {
    let shelf = Shelf::new().await?;
    let at = shelf.folder.path().join("mine");
    fs::write(&at, "precious")?;
    let fetched = fetch_payload(&shelf.sources[0], &shelf.blob, &at).await;
    assert!(matches!(fetched, Err(FetchError::File { .. })));
    assert_eq!(fs::read(&at)?, b"precious");
    Ok(())
}

#[tokio::test]
async fn a_link_out_of_the_folder_is_not_followed() -> Result<()> {
    let shelf = Shelf::new().await?;
    let outside = spacecp_tests::scratch::folder()?;
    let target = outside.path().join("secret");
    fs::write(&target, CONTENTS)?;
    fs::remove_file(shelf.file())?;
    std::os::unix::fs::symlink(&target, shelf.file())?;
    let folder = &shelf.sources[0];
    let fetched = fetch_payload(folder, &shelf.blob, &outside.path().join("copy")).await;
    assert!(
        matches!(fetched, Err(FetchError::File { .. })),
        "{fetched:?}"
    );
    std::os::unix::fs::symlink(&target, shelf.folder.path().join("head"))?;
    let got = folder.get(&FeedPath::head(), 1 << 10, None).await;
    assert!(matches!(got, Err(FetchError::File { .. })), "{got:?}");
    Ok(())
}

#[tokio::test]
async fn a_pipe_in_the_folder_is_refused_and_keeps_nobody_waiting() -> Result<()> {
    let shelf = Shelf::new().await?;
    let pipe = shelf.folder.path().join("head");
    rustix::fs::mknodat(
        rustix::fs::CWD,
        &pipe,
        rustix::fs::FileType::Fifo,
        rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR,
        0,
    )?;
    let got = shelf.sources[0].get(&FeedPath::head(), 1 << 10, None).await;
    let error = got.unwrap_err().to_string();
    assert!(error.contains("not a regular file"), "{error}");
    Ok(())
}
