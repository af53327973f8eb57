//! Payloads: streamed to a file while they are hashed, whatever their size.

use std::{
    io,
    path::Path,
    time::{Duration, Instant},
};

use futures_util::StreamExt;
use sha2::{Digest as _, Sha256};
use spacecp_contract::{Blob, Digest, FeedPath};
use tokio::{
    fs::File,
    io::{AsyncReadExt, AsyncSeekExt, AsyncWriteExt},
};

use super::{
    FetchError, Source,
    bundle::Bundle,
    directory::Directory,
    http::{Failed, Http},
    kept::Kept,
    objects::Objects,
};
use spacecp_fs::{hashing::PIECE, private_files};

/// Breaks of one download that are borne if each brought something. A server that gives a byte at a
/// time would otherwise keep a panel busy for ever.
const MOST_BREAKS: u32 = 64;

/// The time that a mirror has for a payload, over all attempts, and how much of it has been spent waiting for it.
#[derive(Debug)]
pub(super) struct PayloadTime {
    /// None for what is on this machine, which takes as long as it takes.
    allowed: Option<Duration>,
    pub(super) spent: Duration,
}

impl PayloadTime {
    pub(super) fn of(allowed: Duration) -> Self {
        Self {
            allowed: Some(allowed),
            spent: Duration::ZERO,
        }
    }

    pub(super) fn unlimited() -> Self {
        Self {
            allowed: None,
            spent: Duration::ZERO,
        }
    }
}

/// Writes a payload to `into`, a new file, and verifies length and digest on the way.
///
/// On failure the file is whatever had come; nobody may use it.
#[tracing::instrument(level = "debug", skip_all)]
pub async fn fetch_payload(source: &Source, blob: &Blob, into: &Path) -> Result<(), FetchError> {
    let mut options = File::options();
    let new = options
        .write(true)
        .create_new(true)
        .mode(private_files::FILE);
    let file = new
        .open(into)
        .await
        .map_err(|source| failed(into, source))?;
    fetch_payload_into(source, blob, file.into_std().await, into).await
}

/// The same into a file that is new and open; `name` is what it is called, for messages.
pub async fn fetch_payload_into(
    source: &Source,
    blob: &Blob,
    file: std::fs::File,
    name: &Path,
) -> Result<(), FetchError> {
    let path = FeedPath::blob(&blob.digest);
    let patience = source.patience();
    let mut time = patience.map_or_else(PayloadTime::unlimited, |patience| {
        PayloadTime::of(patience.for_payloads(blob.length))
    });
    let mut sink = Sink::new(File::from_std(file), name, blob, path);
    arrive(source, &mut sink, &mut time).await
}

/// Everything that is missing, verified and on the disk.
async fn arrive(
    source: &Source,
    sink: &mut Sink<'_>,
    time: &mut PayloadTime,
) -> Result<(), FetchError> {
    receive(source, sink, time).await?;
    sink.check().await
}

/// Goes on with what `part` has of a payload, which the feed has at `path`, and renames it to `place` once it is whole and verified.
///
/// What has come stays in `part` if the download breaks, and goes if it was not the payload. Only one
/// process at a time works on it; the others wait and find it done. Errors name `folder`: what lies there is called
/// by the digest of a payload, which may be under embargo.
pub(super) async fn resume_payload(
    source: &Source,
    path: FeedPath,
    blob: &Blob,
    (part, place, folder): (&Path, &Path, &Path),
    time: &mut PayloadTime,
) -> Result<(), FetchError> {
    let file = locked(part, folder).await?;
    if std::fs::metadata(place).is_ok_and(|there| there.len() == blob.length) {
        return Ok(());
    }
    let mut sink = Sink::new(file, folder, blob, path);
    let had = sink.go_on().await?;
    let mut done = arrive(source, &mut sink, time).await;
    // What was there from another time may have been of another feed: once more from the beginning.
    if had && matches!(done, Err(FetchError::Digest { .. })) {
        sink.restart().await?;
        done = arrive(source, &mut sink, time).await;
    }
    match done {
        Ok(()) => {
            let renamed = std::fs::rename(part, place)
                .and_then(|()| std::fs::File::open(place.parent().unwrap_or(place))?.sync_all());
            renamed.map_err(|source| failed(folder, source))
        }
        Err(error) => {
            let is_wrong = matches!(
                error,
                FetchError::Digest { .. }
                    | FetchError::TooLong { .. }
                    | FetchError::TooShort { .. }
            );
            if is_wrong {
                sink.restart().await?;
            }
            Err(error)
        }
    }
}

/// The file, open for this process alone; an error names the folder.
async fn locked(part: &Path, folder: &Path) -> Result<File, FetchError> {
    let path = part.to_owned();
    let opened = tokio::task::spawn_blocking(move || {
        loop {
            use std::os::unix::fs::OpenOptionsExt;
            let file = std::fs::File::options()
                .read(true)
                .write(true)
                .create(true)
                .truncate(false)
                .mode(private_files::FILE)
                .open(&path)?;
            file.lock()?;
            // Whoever had it before may have renamed it away meanwhile.
            let is_still = std::fs::metadata(&path).is_ok_and(|there| {
                use std::os::unix::fs::MetadataExt;
                file.metadata().is_ok_and(|file| file.ino() == there.ino())
            });
            if is_still {
                return Ok(file);
            }
        }
    });
    match opened.await {
        Ok(file) => file
            .map(File::from_std)
            .map_err(|source| failed(folder, source)),
        Err(panic) => std::panic::resume_unwind(panic.into_panic()),
    }
}

/// Everything that is missing, in what is left of the time.
async fn receive(
    source: &Source,
    sink: &mut Sink<'_>,
    time: &mut PayloadTime,
) -> Result<(), FetchError> {
    let Some(allowed) = time.allowed else {
        return transfer(source, sink).await;
    };
    let left = allowed.saturating_sub(time.spent);
    let began = Instant::now();
    let transferred = tokio::time::timeout(left, transfer(source, sink)).await;
    time.spent = time.spent.saturating_add(began.elapsed());
    transferred.unwrap_or_else(|_| {
        Err(FetchError::TooSlow {
            address: sink.address.clone(),
            announced: sink.blob.length,
            found: sink.length,
            allowed: left,
        })
    })
}

async fn transfer(source: &Source, sink: &mut Sink<'_>) -> Result<(), FetchError> {
    let path = sink.path.clone();
    match source {
        Source::Directory(directory) => {
            sink.restart().await?;
            from_directory(directory, &path, sink).await
        }
        Source::Bundle(bundle) => {
            sink.restart().await?;
            from_bundle(bundle, &path, sink).await
        }
        Source::Http(http) => from_http(http, &path, sink).await,
        Source::Objects(objects) => from_objects(objects, &path, sink).await,
        Source::Kept(kept) => {
            // A place that keeps payloads may bring them from another such place.
            Box::pin(from_kept(kept, sink)).await
        }
    }
}

async fn from_kept(kept: &Kept, sink: &mut Sink<'_>) -> Result<(), FetchError> {
    // It has payloads, and nothing that is sealed.
    if sink.path != FeedPath::blob(&sink.blob.digest) {
        return Err(failed(kept.folder(), io::ErrorKind::NotFound.into()));
    }
    for attempt in 0.. {
        let place = kept.bring(sink.blob).await?;
        sink.restart().await?;
        // Not the file: it is called by the digest of the payload, which may be under embargo.
        sink.address = kept.folder().display().to_string();
        let mut file = match File::open(&place).await {
            // Another process may have made room for its own payloads.
            Err(error) if error.kind() == io::ErrorKind::NotFound && attempt == 0 => continue,
            file => file.map_err(|source| failed(kept.folder(), source))?,
        };
        from_file(&mut file, kept.folder(), sink).await?;
        if sink.is_right() || attempt > 0 {
            break;
        }
        tracing::warn!(payload = %kept.name(sink.blob), "cached payload damaged; downloading again");
        kept.forget(sink.blob)?;
    }
    Ok(())
}

async fn from_http(http: &Http, path: &FeedPath, sink: &mut Sink<'_>) -> Result<(), FetchError> {
    sink.address = http.address(path);
    let (mut fruitless, mut breaks) = (0, 0);
    loop {
        let before = sink.length;
        let Err(broken) = from_connection(http, path, sink).await else {
            return Ok(());
        };
        breaks += 1;
        let goes_on = if breaks > MOST_BREAKS {
            false
        } else if sink.length > before {
            fruitless = 0;
            broken.may_pass()
        } else {
            fruitless += 1;
            http.goes_on(fruitless - 1, &broken).await
        };
        if !goes_on {
            return Err(broken.error);
        }
    }
}

/// Everything that one connection brings, from where the last one broke.
async fn from_connection(http: &Http, path: &FeedPath, sink: &mut Sink<'_>) -> Result<(), Failed> {
    if sink.length == sink.blob.length && sink.length > 0 {
        return Ok(());
    }
    let missing = FetchError::Status {
        address: sink.address.clone(),
        status: 404,
    };
    let response = http.request(path, None, sink.length).await?;
    let mut response = response.ok_or(missing)?;
    if response.status() == reqwest::StatusCode::OK {
        // The whole of it, whether or not a part was asked for.
        sink.restart().await?;
    } else if !begins_at(&response, sink.length) {
        return Err(FetchError::Resumed {
            address: sink.address.clone(),
            from: sink.length,
        }
        .into());
    }
    while let Some(piece) = response
        .chunk()
        .await
        .map_err(|error| http.broken(path, &error))?
    {
        sink.take(&piece).await?;
    }
    Ok(())
}

/// Whether the part that is sent is the one asked for (RFC 9110, section 14.4).
fn begins_at(response: &reqwest::Response, from: u64) -> bool {
    let range = response.headers().get(reqwest::header::CONTENT_RANGE);
    range
        .and_then(|range| range.to_str().ok())
        .is_some_and(|range| range.starts_with(&format!("bytes {from}-")))
}

/// A store's client tries a request again by itself; a stream that broke is gone on with here, as long
/// as each connection brings something.
async fn from_objects(
    objects: &Objects,
    path: &FeedPath,
    sink: &mut Sink<'_>,
) -> Result<(), FetchError> {
    sink.address = objects.address(path);
    let mut breaks = 0;
    loop {
        let before = sink.length;
        let Err(broken) = from_stream(objects, path, sink).await else {
            return Ok(());
        };
        breaks += 1;
        if breaks > MOST_BREAKS || sink.length <= before || !broken.may_pass() {
            return Err(broken.error);
        }
    }
}

/// Everything that one request to a store brings, from where the last one broke.
async fn from_stream(
    objects: &Objects,
    path: &FeedPath,
    sink: &mut Sink<'_>,
) -> Result<(), Failed> {
    if sink.length == sink.blob.length && sink.length > 0 {
        return Ok(());
    }
    let missing = FetchError::Status {
        address: sink.address.clone(),
        status: 404,
    };
    let object = objects.stream(path, sink.length).await?.ok_or(missing)?;
    if object.meta.size > sink.blob.length {
        return Err(FetchError::TooLong {
            address: sink.address.clone(),
            limit: sink.blob.length,
        }
        .into());
    }
    let allowed = objects.patience().idle;
    let mut stream = object.into_stream();
    loop {
        let next = tokio::time::timeout(allowed, stream.next()).await;
        let late = |_| FetchError::TimeOut {
            address: sink.address.clone(),
            allowed,
        };
        match next.map_err(late)? {
            None => return Ok(()),
            Some(Ok(piece)) => sink.take(&piece).await?,
            Some(Err(error)) => return Err(objects.failed(path, &error).into()),
        }
    }
}

async fn from_directory(
    directory: &Directory,
    path: &FeedPath,
    sink: &mut Sink<'_>,
) -> Result<(), FetchError> {
    sink.address = path.to_string();
    let missing = || FetchError::File {
        path: path.as_str().into(),
        source: io::ErrorKind::NotFound.into(),
    };
    let (file, address) = directory.open(path)?.ok_or_else(missing)?;
    from_file(&mut File::from_std(file.into_std()), &address, sink).await
}

async fn from_file(file: &mut File, address: &Path, sink: &mut Sink<'_>) -> Result<(), FetchError> {
    let mut piece = vec![0; PIECE];
    loop {
        let read = file.read(&mut piece).await;
        match read.map_err(|source| failed(address, source))? {
            0 => return Ok(()),
            length => sink.take(&piece[..length]).await?,
        }
    }
}

async fn from_bundle(
    bundle: &Bundle,
    path: &FeedPath,
    sink: &mut Sink<'_>,
) -> Result<(), FetchError> {
    sink.address = bundle.address(path);
    let missing = || FetchError::File {
        path: path.as_str().into(),
        source: io::ErrorKind::NotFound.into(),
    };
    let mut member = bundle.stream(path)?.ok_or_else(missing)?;
    let mut piece = vec![0; PIECE];
    loop {
        // The file is on this machine; a piece of it takes no time worth a thread of its own.
        match io::Read::read(&mut member, &mut piece).map_err(|error| sink.failed(error))? {
            0 => return Ok(()),
            length => sink.take(&piece[..length]).await?,
        }
    }
}

struct Sink<'a> {
    file: File,
    /// What errors say that it is written to.
    into: &'a Path,
    hash: Sha256,
    length: u64,
    blob: &'a Blob,
    /// Where the feed has it.
    path: FeedPath,
    address: String,
}

impl<'a> Sink<'a> {
    fn new(file: File, into: &'a Path, blob: &'a Blob, path: FeedPath) -> Self {
        Self {
            file,
            into,
            hash: Sha256::new(),
            length: 0,
            blob,
            path,
            address: String::new(),
        }
    }

    /// Takes what the file has already as received; says whether it had anything.
    async fn go_on(&mut self) -> Result<bool, FetchError> {
        let mut piece = vec![0; PIECE];
        loop {
            let read = self.file.read(&mut piece).await;
            match read.map_err(|source| self.failed(source))? {
                0 => break,
                length => {
                    self.hash.update(&piece[..length]);
                    self.length += length as u64;
                }
            }
        }
        if self.length > self.blob.length {
            self.restart().await?;
        }
        Ok(self.length > 0)
    }

    /// Forgets what has come.
    async fn restart(&mut self) -> Result<(), FetchError> {
        if self.length == 0 {
            return Ok(());
        }
        self.hash = Sha256::new();
        self.length = 0;
        let emptied = async {
            self.file.flush().await?;
            self.file.set_len(0).await?;
            self.file.seek(io::SeekFrom::Start(0)).await
        };
        emptied
            .await
            .map(drop)
            .map_err(|source| self.failed(source))
    }

    /// Whether all of it has come, and nothing else.
    fn is_right(&self) -> bool {
        let found: [u8; 32] = self.hash.clone().finalize().into();
        self.length == self.blob.length && Digest::from_bytes(found) == self.blob.digest
    }

    async fn take(&mut self, piece: &[u8]) -> Result<(), FetchError> {
        self.length += piece.len() as u64;
        if self.length > self.blob.length {
            return Err(FetchError::TooLong {
                address: self.address.clone(),
                limit: self.blob.length,
            });
        }
        self.hash.update(piece);
        self.file
            .write_all(piece)
            .await
            .map_err(|source| self.failed(source))
    }

    /// Verifies what has come and brings it to the disk.
    async fn check(&mut self) -> Result<(), FetchError> {
        if self.length != self.blob.length {
            return Err(FetchError::TooShort {
                address: self.address.clone(),
                announced: self.blob.length,
                found: self.length,
            });
        }
        let found = Digest::from_bytes(self.hash.clone().finalize().into());
        if found != self.blob.digest {
            return Err(FetchError::Digest {
                address: self.address.clone(),
                found,
            });
        }
        self.file
            .flush()
            .await
            .map_err(|source| self.failed(source))?;
        self.file
            .sync_all()
            .await
            .map_err(|source| self.failed(source))
    }

    fn failed(&self, source: io::Error) -> FetchError {
        failed(self.into, source)
    }
}

fn failed(path: &Path, source: io::Error) -> FetchError {
    FetchError::File {
        path: path.to_owned(),
        source,
    }
}
