//! What took long to find out, so that the same question is answered at once: the report that the plugin gave
//! last, and the documents at hand in short.
//!
//! One file each in the panel's state folder, and a cache in every sense: it saves time and nothing else. It
//! counts for exactly one set of grounds, as [`CacheKey`] are those of a report; one of other grounds, cut short,
//! damaged, too large, or not ours is as good as none, and the next answer takes its place.
//!
//! It is not authority either. Nothing is applied because of it, and whoever can put a file here in the panel's
//! own name can do worse: the compiled code of the plugin and the store lie beside it. The digest inside finds
//! damage, not forgery; against that, a file that belongs to somebody else or that others may write is not read.

mod cache_key;

use std::{
    fs::{File, Metadata, OpenOptions},
    io::{self, Read, Write},
    marker::PhantomData,
    os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

use rustix::fs::OFlags;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use spacecp_contract::Digest;
use spacecp_fs::unfinished;

pub use cache_key::CacheKey;
pub use cache_key::digest;

/// The file of the report in the state folder.
pub const REPORT: &str = "remembered-report";

/// The file of the documents at hand in the state folder.
pub const ADVISORY_INDEX: &str = "remembered-catalogue";

/// Bytes of the largest file that is kept. What is larger is found out anew each time.
pub const LARGEST: u64 = 16 << 20;

/// Bytes of the digest at the end of the file.
const DIGEST: usize = 32;

/// Why what lies there is not used.
#[derive(Debug, thiserror::Error)]
pub enum Unusable {
    /// The file cannot be read.
    #[error("cannot read the cache entry: {0}")]
    File(#[from] io::Error),
    /// Something that the panel would not have put there.
    #[error("not a regular file of the panel's user that only this user can write")]
    Foreign,
    /// More than is ever kept.
    #[error("larger than {LARGEST} bytes")]
    TooLarge,
    /// Cut short, or changed since it was written.
    #[error("damaged")]
    Damaged,
    /// Whole, and yet something else.
    #[error("content does not match its name: {0}")]
    Misnamed(#[from] rmp_serde::decode::Error),
    /// The answer to another question.
    #[error("key does not match")]
    OtherKey,
}

/// Where the last `T` is kept.
#[derive(Debug)]
pub struct Cache<T> {
    file: PathBuf,
    /// The grounds of what this process has written or read last.
    last: Mutex<Option<Digest>>,
    kept: PhantomData<fn() -> T>,
}

#[derive(Serialize)]
struct Kept<'a, T> {
    grounds: Digest,
    content: &'a T,
}

#[derive(Deserialize)]
struct Found<T> {
    grounds: Digest,
    content: T,
}

impl<T: Serialize + DeserializeOwned> Cache<T> {
    /// The file of this name in this state folder, whether it is there or not.
    pub fn within(state: &Path, name: &str) -> Self {
        Self {
            file: state.join(name),
            last: Mutex::default(),
            kept: PhantomData,
        }
    }

    /// What rests on these grounds, if it is there.
    pub fn recall(&self, grounds: Digest) -> Option<T> {
        match read(&self.file, grounds) {
            Ok(content) => {
                *self.last() = Some(grounds);
                Some(content)
            }
            Err(Unusable::File(error)) if error.kind() == io::ErrorKind::NotFound => None,
            Err(Unusable::OtherKey) => None,
            Err(why) => {
                tracing::warn!(file = %self.file.display(), %why, "cache entry rejected; recomputing");
                None
            }
        }
    }

    /// Keeps an answer in place of the one before. One that cannot be kept is no failure of the question
    /// that it answered.
    pub fn keep(&self, grounds: Digest, content: &T) {
        if *self.last() == Some(grounds) {
            return;
        }
        match self.write(grounds, content) {
            Ok(()) => *self.last() = Some(grounds),
            Err(error) => {
                tracing::warn!(file = %self.file.display(), %error, "cannot write cache entry");
            }
        }
    }

    /// Forgets what is kept.
    pub fn forget(&self) {
        *self.last() = None;
        match std::fs::remove_file(&self.file) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                tracing::warn!(file = %self.file.display(), %error, "cannot remove cache entry");
            }
            _ => {}
        }
    }

    fn write(&self, grounds: Digest, content: &T) -> io::Result<()> {
        let mut bytes = rmp_serde::to_vec(&Kept { grounds, content }).map_err(io::Error::other)?;
        bytes.extend_from_slice(Digest::of(&bytes).as_bytes());
        if bytes.len() as u64 > LARGEST {
            return Err(io::Error::other(Unusable::TooLarge));
        }
        let folder = self.file.parent().unwrap_or(Path::new("."));
        let mut new = tempfile::NamedTempFile::new_in(folder)?;
        unfinished::keep(new.as_file())?;
        new.write_all(&bytes)?;
        // Not synchronised: what a power loss takes away or cuts short is asked for again.
        new.persist(&self.file).map_err(|error| error.error)?;
        Ok(())
    }

    fn last(&self) -> std::sync::MutexGuard<'_, Option<Digest>> {
        // Nothing that holds it leaves it halfway.
        self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What is in a file, if it rests on these grounds.
fn read<T: DeserializeOwned>(path: &Path, grounds: Digest) -> Result<T, Unusable> {
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let file = OpenOptions::new()
        .read(true)
        .custom_flags(flags.bits().cast_signed())
        .open(path)?;
    let folder = path.parent().unwrap_or(Path::new(".")).metadata()?;
    let metadata = file.metadata()?;
    if !is_ours(&metadata, &folder) {
        return Err(Unusable::Foreign);
    }
    decode(&bounded(&file, metadata.len())?, grounds)
}

/// Whether a file is one that a panel with this state folder has put there.
fn is_ours(file: &Metadata, folder: &Metadata) -> bool {
    let us = rustix::process::geteuid().as_raw();
    let private = |metadata: &Metadata| metadata.permissions().mode() & 0o022 == 0;
    file.is_file() && private(file) && (file.uid() == us || file.uid() == folder.uid())
}

/// The bytes of a file, never more than are ever kept.
fn bounded(file: &File, length: u64) -> Result<Vec<u8>, Unusable> {
    if length > LARGEST {
        return Err(Unusable::TooLarge);
    }
    let mut bytes = Vec::new();
    file.take(LARGEST + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > LARGEST {
        return Err(Unusable::TooLarge);
    }
    Ok(bytes)
}

/// What is in these bytes, if it is whole and rests on these grounds.
fn decode<T: DeserializeOwned>(bytes: &[u8], grounds: Digest) -> Result<T, Unusable> {
    let (content, digest) = bytes
        .split_last_chunk::<DIGEST>()
        .ok_or(Unusable::Damaged)?;
    if Digest::of(content) != Digest::from_bytes(*digest) {
        return Err(Unusable::Damaged);
    }
    let found: Found<T> = rmp_serde::from_slice(content)?;
    if found.grounds != grounds {
        return Err(Unusable::OtherKey);
    }
    Ok(found.content)
}

#[cfg(test)]
mod tests;
