//! What a customer sets a panel up from, written as one file.
//!
//! The format is the contract's; the same contents make the same bytes, and so the same digest.
//! May not: sign anything.

use std::{
    io,
    path::{Path, PathBuf},
};

use jiff::Timestamp;
use spacecp_contract::{
    Digest,
    hand_over::{HandOver, Part},
};

use crate::durable;

/// Something signed: its bytes and its signatures.
pub type Signed<'a> = (&'a [u8], &'a [u8]);

/// What goes into a hand-over.
#[derive(Debug, Clone, Copy)]
pub struct Contents<'a> {
    /// Where to follow the feed, and whom to report to.
    pub facts: &'a HandOver,
    /// The newest root.
    pub root: Signed<'a>,
    /// The plugin's component.
    pub component: &'a [u8],
    /// The plugin's manifest.
    pub manifest: Signed<'a>,
    /// The time that the members carry.
    pub issued: Timestamp,
}

/// Why there is no hand-over.
#[derive(Debug, thiserror::Error)]
pub enum HandOverError {
    /// Panels would refuse a part of this length.
    #[error("{} is too long for a hand-over: {length} bytes, and at most {} are read", part.name(), part.longest())]
    TooLong {
        /// The part.
        part: Part,
        /// Its bytes.
        length: u64,
    },
    /// The facts cannot be written as TOML.
    #[error("cannot write the facts of the hand-over: {0}")]
    Facts(#[from] toml::ser::Error),
    /// The file cannot be written.
    #[error("cannot write {}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: io::Error,
    },
}

/// Writes the archive, which appears whole or not at all, and returns the digest of its bytes.
pub fn write(into: &Path, contents: Contents<'_>) -> Result<Digest, HandOverError> {
    let archive = archive(contents)?;
    durable::replace_anywhere(into, &archive).map_err(|source| failed(into, source))?;
    Ok(Digest::of(&archive))
}

fn archive(contents: Contents<'_>) -> Result<Vec<u8>, HandOverError> {
    let facts = toml::to_string(contents.facts)?;
    let bytes = |part| match part {
        Part::Facts => facts.as_bytes(),
        Part::Root => contents.root.0,
        Part::RootSignatures => contents.root.1,
        Part::Component => contents.component,
        Part::Manifest => contents.manifest.0,
        Part::ManifestSignatures => contents.manifest.1,
    };
    let time = u64::try_from(contents.issued.as_second()).unwrap_or(0);
    let mut builder = tar::Builder::new(Vec::new());
    for part in Part::ALL {
        let bytes = bytes(part);
        let length = bytes.len() as u64;
        if length > part.longest() {
            return Err(HandOverError::TooLong { part, length });
        }
        append(&mut builder, part, bytes, time)
            .map_err(|source| failed(Path::new(part.name()), source))?;
    }
    builder
        .into_inner()
        .map_err(|source| failed(Path::new("hand-over"), source))
}

fn append(
    builder: &mut tar::Builder<Vec<u8>>,
    part: Part,
    bytes: &[u8],
    time: u64,
) -> io::Result<()> {
    let mut header = tar::Header::new_ustar();
    header.set_path(part.name())?;
    header.set_size(bytes.len() as u64);
    header.set_mode(0o644);
    header.set_mtime(time);
    header.set_cksum();
    builder.append(&header, bytes)
}

fn failed(path: &Path, source: io::Error) -> HandOverError {
    HandOverError::File {
        path: path.to_owned(),
        source,
    }
}
