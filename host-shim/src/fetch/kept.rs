//! Payloads that are kept on this machine: brought once, from whichever place has them, and gone on
//! with where a download broke off, by this process or the next.
//!
//! The folder is laid out like a feed's. A payload has its own name only once it is whole and verified;
//! until then it is `….part`. Where there would be more than so many bytes of them, the oldest go.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
    time::SystemTime,
};

use spacecp_contract::{Blob, FeedPath};

use super::{FetchError, Source, payload::resume_payload};

/// A folder of payloads, and where those that are not in it come from.
#[derive(Debug, Clone)]
pub struct Kept {
    folder: PathBuf,
    from: Vec<Arc<Source>>,
    most: u64,
}

/// One file of the folder, as it was when somebody looked.
struct There {
    path: PathBuf,
    length: u64,
    since: SystemTime,
}

impl Kept {
    /// What is kept in `folder`, at most so many bytes; the rest comes from the first of these places
    /// that has it.
    pub fn new(folder: PathBuf, from: Vec<Arc<Source>>, most: u64) -> Self {
        Self { folder, from, most }
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
        self.make_room(blob)?;
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

    /// Removes the oldest until another payload may come: whoever needs one of them brings it again.
    fn make_room(&self, blob: &Blob) -> Result<(), FetchError> {
        if blob.length > self.most {
            return Err(FetchError::NoRoom {
                payload: blob.digest,
                length: blob.length,
                limit: self.most,
            });
        }
        let place = self.place(blob);
        let mut there = self.there()?;
        there.retain(|file| file.path.with_extension("") != place);
        there.sort_by_key(|file| file.since);
        let lengths = there.iter().map(|file| file.length);
        let mut sum = lengths.fold(blob.length, u64::saturating_add);
        for file in there {
            if sum <= self.most {
                break;
            }
            if is_being_written(&file.path) {
                continue;
            }
            tracing::debug!(payload = %file.path.display(), "it makes room for another one");
            match fs::remove_file(&file.path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    return Err(failed(&file.path, error));
                }
                _ => sum = sum.saturating_sub(file.length),
            }
        }
        Ok(())
    }

    /// Every file that is kept, whole or not.
    fn there(&self) -> Result<Vec<There>, FetchError> {
        let mut there = Vec::new();
        for entry in walkdir::WalkDir::new(self.folder.join("blob")) {
            // Where nothing was ever kept there is no folder, and another process may be faster.
            let Ok(entry) = entry else { continue };
            let Ok(metadata) = entry.metadata() else {
                continue;
            };
            if metadata.is_file() {
                let since = metadata.modified();
                there.push(There {
                    since: since.map_err(|source| failed(entry.path(), source))?,
                    length: metadata.len(),
                    path: entry.into_path(),
                });
            }
        }
        Ok(there)
    }
}

/// Whether somebody is at a download of it right now.
fn is_being_written(path: &Path) -> bool {
    if path.extension().is_none() {
        return false;
    }
    let file = fs::File::open(path);
    file.is_ok_and(|file| matches!(file.try_lock(), Err(fs::TryLockError::WouldBlock)))
}

fn failed(path: &Path, source: io::Error) -> FetchError {
    FetchError::File {
        path: path.to_owned(),
        source,
    }
}
