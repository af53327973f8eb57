//! The report that the plugin gave last, so that the same question is answered without starting it.
//!
//! One file in the panel's state folder, and a cache in every sense: it saves time and nothing else. It counts
//! for exactly one set of [`Grounds`]; one of other grounds, cut short, damaged, too large, or not ours is as
//! good as none, and the next answer of the plugin takes its place.
//!
//! It is not authority either. Nothing is applied because of it, and whoever can put a file here in the panel's
//! own name can do worse: the compiled code of the plugin lies beside it. The digest inside finds damage,
//! not forgery; against that, a file that belongs to somebody else or that others may write is not read.

mod grounds;

use std::{
    fs::{File, Metadata, OpenOptions},
    io::{self, Read, Write},
    os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

use rustix::fs::OFlags;
use serde::{Deserialize, Serialize};
use spacecp_contract::Digest;

pub use grounds::Grounds;

use crate::plugin::bindings::exports::spacecp::advisories::exposure::ExposureReport;

/// The file in the state folder.
const FILE: &str = "remembered-report";

/// Bytes of the largest report that is kept. A larger one is asked for anew each time.
pub const LARGEST: u64 = 16 << 20;

/// Bytes of the digest at the end of the file.
const DIGEST: usize = 32;

/// Why a report that lies there is not used.
#[derive(Debug, thiserror::Error)]
pub enum Unusable {
    /// The file cannot be read.
    #[error("it cannot be read: {0}")]
    File(#[from] io::Error),
    /// Something that the panel would not have put there.
    #[error("it is no plain file of this panel's owner that nobody else may write")]
    Foreign,
    /// More than is ever kept.
    #[error("it has more than {LARGEST} bytes")]
    TooLarge,
    /// Cut short, or changed since it was written.
    #[error("it is damaged")]
    Damaged,
    /// Whole, and yet no report.
    #[error("it is no report: {0}")]
    NoReport(#[from] rmp_serde::decode::Error),
    /// The answer to another question.
    #[error("it is about something else")]
    OtherGrounds,
}

/// Where the last report is kept.
#[derive(Debug)]
pub struct Remembered {
    file: PathBuf,
    /// The grounds of what this process has written or read last.
    last: Mutex<Option<Digest>>,
}

#[derive(Serialize)]
struct Kept<'a> {
    grounds: Digest,
    report: &'a ExposureReport,
}

#[derive(Deserialize)]
struct Found {
    grounds: Digest,
    report: ExposureReport,
}

impl Remembered {
    /// The file in this state folder, whether it is there or not.
    pub fn within(state: &Path) -> Self {
        Self {
            file: state.join(FILE),
            last: Mutex::default(),
        }
    }

    /// The report that rests on these grounds, if it is there.
    pub fn recall(&self, grounds: &Grounds) -> Option<ExposureReport> {
        match read(&self.file, grounds) {
            Ok(report) => {
                *self.last() = Some(grounds.digest());
                Some(report)
            }
            Err(Unusable::File(error)) if error.kind() == io::ErrorKind::NotFound => None,
            Err(Unusable::OtherGrounds) => None,
            Err(why) => {
                tracing::warn!(file = %self.file.display(), %why, "the report that is remembered is not used; the plugin is asked");
                None
            }
        }
    }

    /// Keeps a report in place of the one before. One that cannot be kept is no failure of the question
    /// that it answered.
    pub fn keep(&self, grounds: &Grounds, report: &ExposureReport) {
        let digest = grounds.digest();
        if *self.last() == Some(digest) {
            return;
        }
        match self.write(digest, report) {
            Ok(()) => *self.last() = Some(digest),
            Err(error) => {
                tracing::warn!(file = %self.file.display(), %error, "the report cannot be remembered");
            }
        }
    }

    fn write(&self, grounds: Digest, report: &ExposureReport) -> io::Result<()> {
        let mut bytes = rmp_serde::to_vec(&Kept { grounds, report }).map_err(io::Error::other)?;
        bytes.extend_from_slice(Digest::of(&bytes).as_bytes());
        if bytes.len() as u64 > LARGEST {
            return Err(io::Error::other(Unusable::TooLarge));
        }
        let folder = self.file.parent().unwrap_or(Path::new("."));
        let mut new = tempfile::NamedTempFile::new_in(folder)?;
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

/// The report in a file, if it rests on these grounds.
fn read(path: &Path, grounds: &Grounds) -> Result<ExposureReport, Unusable> {
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

/// The report in these bytes, if it is whole and rests on these grounds.
fn decode(bytes: &[u8], grounds: &Grounds) -> Result<ExposureReport, Unusable> {
    let (content, digest) = bytes
        .split_last_chunk::<DIGEST>()
        .ok_or(Unusable::Damaged)?;
    if Digest::of(content) != Digest::from_bytes(*digest) {
        return Err(Unusable::Damaged);
    }
    let found: Found = rmp_serde::from_slice(content)?;
    if found.grounds != grounds.digest() {
        return Err(Unusable::OtherGrounds);
    }
    Ok(found.report)
}

#[cfg(test)]
mod tests;
