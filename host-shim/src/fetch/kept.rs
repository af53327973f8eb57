//! Payloads that are kept on this machine: brought once, from whichever place has them, and gone on
//! with where a download broke off, by this process or the next.
//!
//! The folder is laid out like a feed's. A payload has its own name only once it is whole and verified;
//! until then it is `….part`.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
};

use spacecp_contract::{Blob, FeedPath};

use super::{FetchError, Source, payload::resume_payload};

/// A folder of payloads, and where those that are not in it come from.
#[derive(Debug, Clone)]
pub struct Kept {
    folder: PathBuf,
    from: Vec<Arc<Source>>,
}

impl Kept {
    /// What is kept in `folder`; the rest comes from the first of these places that has it.
    pub fn new(folder: PathBuf, from: Vec<Arc<Source>>) -> Self {
        Self { folder, from }
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Where a payload lies, or will.
    pub fn place(&self, blob: &Blob) -> PathBuf {
        self.folder.join(FeedPath::blob(&blob.digest).as_str())
    }

    /// Whether a payload is here, going by its length. It is verified whenever it is used.
    pub fn has(&self, blob: &Blob) -> bool {
        fs::metadata(self.place(blob)).is_ok_and(|file| file.len() == blob.length)
    }

    /// Forgets a payload that turned out to be damaged.
    pub(super) fn forget(&self, blob: &Blob) -> Result<(), FetchError> {
        let place = self.place(blob);
        fs::remove_file(&place).map_err(|source| failed(&place, source))
    }

    /// Where a payload lies, after bringing it if need be.
    pub async fn bring(&self, blob: &Blob) -> Result<PathBuf, FetchError> {
        let place = self.place(blob);
        if self.has(blob) {
            return Ok(place);
        }
        let folder = place.parent().unwrap_or(&self.folder);
        fs::create_dir_all(folder).map_err(|source| failed(folder, source))?;
        let part = place.with_extension("part");
        let mut last = None;
        for source in &self.from {
            match resume_payload(source, blob, &part, &place).await {
                Ok(()) => return Ok(place),
                Err(error) => {
                    tracing::warn!(%error, "this place did not give the payload");
                    last = Some(error);
                }
            }
        }
        Err(last.unwrap_or_else(|| failed(&place, io::ErrorKind::NotFound.into())))
    }
}

fn failed(path: &Path, source: io::Error) -> FetchError {
    FetchError::File {
        path: path.to_owned(),
        source,
    }
}
