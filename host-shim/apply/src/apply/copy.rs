//! Copies what does not change from the live tree into the new one.
//!
//! What is copied is as the original: contents and holes, names of one file, owner, mode, access control
//! lists, extended attributes and times. May not follow a link, or read what is mounted in the tree.

use std::{
    collections::{BTreeMap, BTreeSet},
    ffi::OsStr,
    io,
    path::{Path, PathBuf},
};

use rustix::fs::FileType;
use spacecp_contract::Digest;

use super::{
    ApplyError,
    attributes::Capabilities,
    carry::is_kept,
    contents,
    durable::Durably,
    error::Doing,
    files::Shared,
    folder::{Folder, There},
    stamps::Stamps,
};
use spacecp_fs::hashing::PIECE;

/// Copies a tree without what the correction names and what is run-time data.
pub(super) struct Copying<'a> {
    keep: &'a [String],
    named: &'a BTreeSet<&'a str>,
    durably: Durably,
    /// The tree that is copied into.
    into: Folder,
    /// Where the files with several names were copied to in that tree, by their inodes.
    names: BTreeMap<u64, PathBuf>,
    /// What the sources were like.
    pub(super) stamps: Stamps,
    /// Whether each source is made durable before it is copied, because not all of them were before.
    pub(super) sources_first: bool,
    /// Whether the file system may be able to share contents between files.
    shares: bool,
    piece: Vec<u8>,
    /// What is read back.
    again: Vec<u8>,
}

impl<'a> Copying<'a> {
    pub(super) fn new(
        keep: &'a [String],
        named: &'a BTreeSet<&'a str>,
        durably: Durably,
        into: Folder,
        stamps: Stamps,
    ) -> Self {
        Self {
            keep,
            named,
            durably,
            into,
            names: BTreeMap::new(),
            stamps,
            sources_first: false,
            shares: true,
            piece: vec![0; PIECE],
            again: vec![0; PIECE],
        }
    }

    /// Copies one folder, whose path within the tree is `path`, with everything below it.
    pub(super) fn folder(
        &mut self,
        from: &Folder,
        to: &Folder,
        path: &Path,
    ) -> Result<(), ApplyError> {
        let before = from.itself()?;
        for name in from.names()? {
            let path = path.join(&name);
            let relative = relative(&path);
            if !is_kept(relative, self.keep) && !self.named.contains(relative) {
                self.entry(from, to, &name, &path)?;
            }
        }
        to.take_attributes(from)?;
        // Last: whatever is put into a folder sets its time.
        to.set_times(before)?;
        self.took_without_contents(before, to.itself()?)
    }

    /// Copies what lies under one name, whose path within the tree is `path`.
    pub(super) fn entry(
        &mut self,
        from: &Folder,
        to: &Folder,
        name: &OsStr,
        path: &Path,
    ) -> Result<(), ApplyError> {
        // What went away meanwhile might have done so a moment earlier.
        let Some(there) = from.look(name)? else {
            return Ok(());
        };
        match there.kind {
            FileType::Directory => {
                let inner = from.enter(name)?;
                inner.refuse_mounted()?;
                self.folder(&inner, &to.make_folder(name)?, path)
            }
            FileType::Symlink => {
                to.make_link(name, &from.read_link(name)?)?;
                to.take_link_attributes(name, from)?;
                to.set_link_times(name, there)?;
                match to.look(name)? {
                    Some(copy) => self.took_without_contents(there, copy),
                    None => Ok(()),
                }
            }
            FileType::RegularFile => self.file(from, to, name, path),
            FileType::Socket | FileType::Fifo => Ok(()),
            _ => {
                let reason = "it is neither a file, a folder nor a link; list it under \"keep\"";
                Err(io::Error::other(reason)).doing("copy", from.path_of(name))
            }
        }
    }

    /// Takes the stamps of a folder or link.
    fn took_without_contents(&mut self, source: There, copy: There) -> Result<(), ApplyError> {
        self.stamps.took(source, copy, || Ok(Digest::of(&[])))
    }

    fn file(
        &mut self,
        from: &Folder,
        to: &Folder,
        name: &OsStr,
        path: &Path,
    ) -> Result<(), ApplyError> {
        let called = from.path_of(name);
        let source = from.open_file(name)?;
        if self.sources_first && self.stamps.want_durable_sources() {
            source.sync_all().doing("flush", &called)?;
        }
        let before = There::of_file(&source).doing("inspect", &called)?;
        if before.has_other_names && self.another_name(before, to, name)? {
            return Ok(());
        }
        let mut target = to.create(name)?;
        let shared = if self.shares {
            target.share(&source)?
        } else {
            Shared::Unsupported
        };
        self.shares = shared != Shared::Unsupported;
        if shared != Shared::Yes {
            let pieces = (&mut *self.piece, &mut *self.again);
            contents::copy((&source, &called), before.size, &mut target, pieces)?;
        }
        target.take_attributes((&source, &called), Capabilities::Take)?;
        target.set_times(before)?;
        let copy = target.there()?;
        self.stamps.took(before, copy, || target.fingerprint())?;
        if before.has_other_names {
            self.names.insert(before.inode, path.to_owned());
        }
        match self.durably {
            Durably::OneByOne => target.sync(),
            Durably::AllAtOnce => Ok(()),
        }
    }

    /// Gives the copy of a file another name, if there is a copy; says whether that was done.
    fn another_name(
        &mut self,
        source: There,
        to: &Folder,
        name: &OsStr,
    ) -> Result<bool, ApplyError> {
        let Some(first) = self.names.get(&source.inode) else {
            return Ok(false);
        };
        let Some(folder) = self.into.towards(first)? else {
            return Ok(false);
        };
        let its_name = first.file_name().unwrap_or(first.as_os_str());
        to.make_name(name, &folder, its_name)?;
        if let Some(copy) = to.look(name)? {
            self.stamps.took_name(copy);
        }
        Ok(true)
    }
}

/// A path within the tree as corrections and configurations name it.
///
/// One that is not Unicode is in none of them. Nor is anything below it: no path of theirs has a NUL.
pub(super) fn relative(path: &Path) -> &str {
    path.to_str().unwrap_or("\0")
}
