//! Copies what does not change from the live tree into the new one.

use std::{
    collections::BTreeSet,
    ffi::OsStr,
    fs::Metadata,
    io::{self, Read},
    os::unix::fs::MetadataExt,
};

use rustix::fs::FileType;
use sha2::{Digest as _, Sha256};
use spacecp_contract::Digest;

use super::{
    ApplyError, carry::is_kept, durable::Durably, error::Doing, files::NewFile, folder::Folder,
};
use crate::streamed::{self, PIECE};

/// Copies a tree without what the correction names and what is run-time data.
pub(super) struct Copying<'a> {
    keep: &'a [String],
    named: &'a BTreeSet<&'a str>,
    durably: Durably,
    /// Whether the file system may be able to share contents between files.
    shares: bool,
    piece: Vec<u8>,
    /// What is read back of a small file.
    again: Vec<u8>,
}

impl<'a> Copying<'a> {
    pub(super) fn new(keep: &'a [String], named: &'a BTreeSet<&'a str>, durably: Durably) -> Self {
        Self {
            keep,
            named,
            durably,
            shares: true,
            piece: vec![0; PIECE],
            again: vec![0; PIECE],
        }
    }

    /// Copies one folder, whose path within the tree is `prefix`, with everything below it.
    pub(super) fn folder(
        &mut self,
        from: &Folder,
        to: &Folder,
        prefix: &str,
    ) -> Result<(), ApplyError> {
        for name in from.names()? {
            let relative = relative(prefix, &name);
            if !is_kept(&relative, self.keep) && !self.named.contains(relative.as_str()) {
                self.entry(from, to, &name, &relative)?;
            }
        }
        to.take_attributes(from)
    }

    /// Copies what lies under one name, whose path within the tree is `relative`.
    pub(super) fn entry(
        &mut self,
        from: &Folder,
        to: &Folder,
        name: &OsStr,
        relative: &str,
    ) -> Result<(), ApplyError> {
        match from.look(name)?.map(|there| there.kind) {
            // It went away meanwhile, as it might have a moment earlier.
            None => Ok(()),
            Some(FileType::Directory) => {
                self.folder(&from.enter(name)?, &to.make_folder(name)?, relative)
            }
            Some(FileType::Symlink) => {
                to.make_link(name, &from.read_link(name)?)?;
                to.take_link_attributes(name, from)
            }
            Some(FileType::RegularFile) => self.file(from, to, name),
            Some(_) => {
                let reason = "it is neither a file, a folder nor a link; list it under \"keep\"";
                Err(io::Error::other(reason)).doing("copy", from.path_of(name))
            }
        }
    }

    fn file(&mut self, from: &Folder, to: &Folder, name: &OsStr) -> Result<(), ApplyError> {
        let path = from.path_of(name);
        let mut source = from.open_file(name)?;
        let mut target = to.create(name)?;
        let before = source.metadata().doing("look at", &path)?;
        self.shares = self.shares && target.share(&source)?;
        if !self.shares {
            // What was copied byte by byte is read back.
            let right = if before.len() < PIECE as u64 {
                self.small(&mut source, before.len(), &mut target)?
            } else {
                let copied = self.contents(&mut source, before.len(), &mut target)?;
                copied == Some(target.read_back()?)
            };
            let after = source.metadata().doing("look at", &path)?;
            if !right || stamp(&after) != stamp(&before) {
                return Err(ApplyError::Unverified {
                    path: path.display().to_string(),
                    reason: "changed while it was copied".to_owned(),
                });
            }
        }
        target.take_after(&source, &path)?;
        match self.durably {
            Durably::OneByOne => target.sync(),
            Durably::AllAtOnce => Ok(()),
        }
    }

    /// Copies a file shorter than a piece, and says whether what is read back is what it held: bytes
    /// beside bytes, which for the many small files of a component costs a fraction of their digests.
    fn small(
        &mut self,
        source: &mut impl Read,
        length: u64,
        target: &mut NewFile,
    ) -> Result<bool, ApplyError> {
        let read = streamed::fill(source, &mut self.piece).doing("read", target.path())?;
        if read as u64 != length {
            return Ok(false);
        }
        let bytes = &self.piece[..read];
        target.write(bytes)?;
        let again = target.read_again(&mut self.again)?;
        Ok(&self.again[..again] == bytes)
    }

    /// Copies as many bytes as the file had; gives their digest, or nothing if it has another
    /// length by now.
    fn contents(
        &mut self,
        source: &mut impl Read,
        length: u64,
        target: &mut NewFile,
    ) -> Result<Option<Digest>, ApplyError> {
        let mut hash = Sha256::new();
        let mut copied = 0;
        loop {
            let read = source.read(&mut self.piece).doing("read", target.path())?;
            copied += read as u64;
            if read == 0 || copied > length {
                break;
            }
            hash.update(&self.piece[..read]);
            target.write(&self.piece[..read])?;
        }
        Ok((copied == length).then(|| Digest::from_bytes(hash.finalize().into())))
    }
}

/// The path within the tree of what lies in a folder of it.
pub(super) fn relative(prefix: &str, name: &OsStr) -> String {
    match name.to_str() {
        Some(name) if prefix.is_empty() => name.to_owned(),
        Some(name) => format!("{prefix}/{name}"),
        // A name that is not Unicode is in no correction and in no configuration. Nor is anything
        // below it: no path of either has a NUL.
        None => "\0".to_owned(),
    }
}

/// What is different when a file was written to.
fn stamp(file: &Metadata) -> (u64, i64, i64, i64, i64) {
    (
        file.len(),
        file.mtime(),
        file.mtime_nsec(),
        file.ctime(),
        file.ctime_nsec(),
    )
}
