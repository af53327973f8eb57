//! Payloads: streamed to a file while they are hashed, whatever their size.

use std::{io, path::Path};

use sha2::{Digest as _, Sha256};
use spacecp_contract::{Blob, Digest, FeedPath};
use tokio::{
    fs::File,
    io::{AsyncReadExt, AsyncWriteExt},
};

use super::{FetchError, Source, bundle::Bundle, directory::Directory, http::Http};

/// Bytes held at a time.
const PIECE: usize = 128 << 10;

/// Writes a payload to `into`, a new file, and verifies length and digest on the way.
///
/// On failure the file is whatever had come; nobody may use it.
#[tracing::instrument(level = "debug", skip_all, fields(digest = %blob.digest.short(), length = blob.length))]
pub async fn fetch_payload(source: &Source, blob: &Blob, into: &Path) -> Result<(), FetchError> {
    let path = FeedPath::blob(&blob.digest);
    let file = File::create_new(into)
        .await
        .map_err(|source| FetchError::File {
            path: into.to_owned(),
            source,
        })?;
    let mut sink = Sink {
        file,
        into,
        hash: Sha256::new(),
        length: 0,
        blob,
        address: String::new(),
    };
    match source {
        Source::Directory(directory) => from_directory(directory, &path, &mut sink).await?,
        Source::Http(http) => from_http(http, &path, &mut sink).await?,
        Source::Bundle(bundle) => from_bundle(bundle, &path, &mut sink).await?,
    }
    sink.finish().await
}

async fn from_http(http: &Http, path: &FeedPath, sink: &mut Sink<'_>) -> Result<(), FetchError> {
    sink.address = http.address(path);
    let missing = FetchError::Status {
        address: sink.address.clone(),
        status: 404,
    };
    let mut response = http.request(path, None).await?.ok_or(missing)?;
    while let Some(piece) = response
        .chunk()
        .await
        .map_err(|error| http.broken(path, &error))?
    {
        sink.take(&piece).await?;
    }
    Ok(())
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
    let mut file = File::from_std(file.into_std());
    let mut piece = vec![0; PIECE];
    loop {
        let read = file.read(&mut piece).await;
        match read.map_err(|source| FetchError::File {
            path: address.clone(),
            source,
        })? {
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
    into: &'a Path,
    hash: Sha256,
    length: u64,
    blob: &'a Blob,
    address: String,
}

impl Sink<'_> {
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

    async fn finish(mut self) -> Result<(), FetchError> {
        if self.length != self.blob.length {
            return Err(FetchError::TooShort {
                address: self.address,
                announced: self.blob.length,
                found: self.length,
            });
        }
        let found = Digest::from_bytes(self.hash.clone().finalize().into());
        if found != self.blob.digest {
            return Err(FetchError::Digest {
                address: self.address,
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
        FetchError::File {
            path: self.into.to_owned(),
            source,
        }
    }
}
