//! A feed in a folder: a mirror on disk, a USB stick.

use std::{io::Read, path::PathBuf};

use cap_std::{
    ambient_authority,
    fs::{Dir, OpenOptions, OpenOptionsExt},
};
use rustix::fs::OFlags;
use spacecp_contract::FeedPath;

use super::{FetchError, Fetched};

/// A folder that holds a feed.
#[derive(Debug, Clone)]
pub struct Directory {
    folder: PathBuf,
}

impl Directory {
    pub(super) fn new(folder: PathBuf) -> Self {
        Self { folder }
    }

    pub(super) fn address(&self) -> String {
        self.folder.display().to_string()
    }

    pub(super) async fn get(&self, path: &FeedPath, limit: u64) -> Result<Fetched, FetchError> {
        let (this, path) = (self.clone(), path.clone());
        let read = move || match this.open(&path)? {
            None => Ok(Fetched::Missing),
            Some((file, address)) => read_all(file, &address, limit),
        };
        tokio::task::spawn_blocking(read)
            .await
            .unwrap_or_else(|error| {
                Err(FetchError::Connection {
                    address: "the folder".to_owned(),
                    reason: error.to_string(),
                })
            })
    }

    /// Opens a file for reading, wherever links inside the folder lead, but never out of it.
    pub(super) fn open(
        &self,
        path: &FeedPath,
    ) -> Result<Option<(cap_std::fs::File, PathBuf)>, FetchError> {
        let address = self.folder.join(path.as_str());
        let failed = |source| FetchError::File {
            path: address.clone(),
            source,
        };
        let folder =
            Dir::open_ambient_dir(&self.folder, ambient_authority()).map_err(|source| {
                FetchError::File {
                    path: self.folder.clone(),
                    source,
                }
            })?;
        let mut options = OpenOptions::new();
        options.read(true);
        // Opening a pipe would wait for somebody to write into it.
        options.custom_flags(OFlags::NONBLOCK.bits().cast_signed());
        let file = match folder.open_with(path.as_str(), &options) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            file => file.map_err(failed)?,
        };
        if !file.metadata().map_err(failed)?.is_file() {
            return Err(failed(std::io::Error::other("not a regular file")));
        }
        Ok(Some((file, address)))
    }
}

fn read_all(
    file: cap_std::fs::File,
    address: &std::path::Path,
    limit: u64,
) -> Result<Fetched, FetchError> {
    let mut bytes = Vec::new();
    let read = file.take(limit.saturating_add(1)).read_to_end(&mut bytes);
    read.map_err(|source| FetchError::File {
        path: address.to_owned(),
        source,
    })?;
    if bytes.len() as u64 > limit {
        return Err(FetchError::TooLong {
            address: address.display().to_string(),
            limit,
        });
    }
    Ok(Fetched::Body {
        bytes,
        validator: None,
    })
}
