//! What the sources of a copied tree were like when they were copied, so that it can be said later
//! which of them may have been written to since.
//!
//! A stamp is the inode and the time of the last change (`st_ctime`), which only the kernel sets. On the
//! file systems named here every write moves that time, and so does the first store through a mapping
//! (`mmap`) after the page was written back. So whoever takes stamps makes the sources durable first
//! and notes the time before that: a stamp from before that time which has not moved says that nothing
//! was written. Anything else is decided by contents.

use std::{collections::BTreeMap, ffi::OsStr, io};

use serde::{Deserialize, Serialize};
use spacecp_contract::Digest;

use super::{
    ApplyError,
    error::Doing,
    folder::{Folder, There},
    last_seen::LastSeen,
    place::NEW_STAMPS,
};

/// File systems on which a store through a mapping moves the time of the last change, by their numbers
/// in `statfs(2)`. In memory nothing is ever written back, and FUSE leaves times to a program.
const MOVES_THE_TIME: [u64; 4] = [
    0xef53,      // ext4
    0x5846_5342, // xfs
    0x9123_683e, // btrfs
    0xf2f5_2010, // f2fs
];

/// How long before the first stamp a change still counts as one that may go on, in nanoseconds: clocks
/// of file systems are coarse, and bytes written past the cache arrive after the time was set.
pub(super) const UNSURE: i64 = 2_000_000_000;

/// Whether something was written to since its stamp was taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Since {
    /// It was not.
    Unchanged,
    /// Its contents have to say so.
    Unsure,
    /// It was, or it is another file.
    Changed,
}

/// What a file was like when it was copied, or looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Stamp {
    pub(super) inode: u64,
    /// In nanoseconds.
    changed: i64,
}

impl Stamp {
    fn of(there: There) -> Self {
        Self {
            inode: there.inode,
            changed: nanoseconds(there.changed),
        }
    }
}

/// A file or link that was copied.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Copied {
    /// The source, before it was copied.
    source: Stamp,
    /// The copy, as it was made.
    copy: Stamp,
    /// What the copy holds, where the stamp of the source is not enough.
    contents: Option<Digest>,
}

/// A file of a correction, as the new tree was built.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Replaced {
    stamp: Stamp,
    /// Its contents, where its stamp is not enough.
    contents: Option<Digest>,
}

/// The stamps of a tree that was copied. Contents are digests of [`contents::fingerprint`].
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Stamps {
    /// Before anything was made durable, in nanoseconds.
    began: i64,
    /// Whether every write moves the time of the last change.
    all_move_the_time: bool,
    /// What was copied, by the inodes of the copies.
    copies: BTreeMap<u64, Copied>,
    /// The latest copy of each source, by their inodes.
    latest: BTreeMap<u64, u64>,
    /// What lay under each name of the correction.
    replaced: BTreeMap<String, Option<Replaced>>,
    /// Whether the disk has them like this.
    #[serde(skip)]
    is_changed: bool,
}

impl Stamps {
    /// None yet. `began` is a time of the file system of `folder` that lies before now.
    pub(super) fn new(folder: &Folder, began: i128) -> Result<Self, ApplyError> {
        Ok(Self {
            began: nanoseconds(began),
            all_move_the_time: all_move_the_time(folder)?,
            copies: BTreeMap::new(),
            latest: BTreeMap::new(),
            replaced: BTreeMap::new(),
            is_changed: true,
        })
    }

    /// Whether it helps to make a source durable before its stamp is taken.
    pub(super) fn want_durable_sources(&self) -> bool {
        self.all_move_the_time
    }

    /// Takes the stamp of something that was copied, as it was before, and of its copy. `contents` reads
    /// the copy, where the stamp of the source is not enough: somebody may be writing to the source.
    pub(super) fn took(
        &mut self,
        source: There,
        copy: There,
        contents: impl FnOnce() -> Result<Digest, ApplyError>,
    ) -> Result<(), ApplyError> {
        let stamp = Stamp::of(source);
        let contents = match self.standing(stamp, source) {
            Since::Unsure if source.is_file() => Some(contents()?),
            _ => None,
        };
        let copied = Copied {
            source: stamp,
            copy: Stamp::of(copy),
            contents,
        };
        self.copies.insert(copy.inode, copied);
        self.latest.insert(source.inode, copy.inode);
        self.is_changed = true;
        Ok(())
    }

    /// Takes the stamp of a copy that has got another name.
    pub(super) fn took_name(&mut self, copy: There) {
        if let Some(copied) = self.copies.get_mut(&copy.inode) {
            copied.copy = Stamp::of(copy);
            self.is_changed = true;
        }
    }

    /// Takes the stamp of what a file of the correction replaces. `contents` reads it, where its stamp
    /// is not enough.
    pub(super) fn took_replaced(
        &mut self,
        path: &str,
        there: Option<There>,
        contents: impl FnOnce() -> Result<Digest, ApplyError>,
    ) -> Result<(), ApplyError> {
        let replaced = match there {
            None => None,
            Some(there) => {
                let stamp = Stamp::of(there);
                let contents = match self.standing(stamp, there) {
                    Since::Unsure if there.is_file() => Some(contents()?),
                    _ => None,
                };
                Some(Replaced { stamp, contents })
            }
        };
        self.replaced.insert(path.to_owned(), replaced);
        Ok(())
    }

    /// Whether a source was written to since this copy of it was made; what it held then, where its stamp is
    /// not enough.
    pub(super) fn since_copied(&self, source: There, copy: There) -> (Since, Option<Digest>) {
        self.since(source, self.copies.get(&copy.inode))
    }

    /// The same whatever became of the copy: another file may be in its place.
    pub(super) fn since_latest(
        &self,
        source: There,
        copy: Option<There>,
    ) -> (Since, Option<Digest>) {
        let copied = copy.and_then(|copy| self.copies.get(&copy.inode));
        let copied = copied.filter(|copied| copied.source.inode == source.inode);
        let latest = || self.copies.get(self.latest.get(&source.inode)?);
        self.since(source, copied.or_else(latest))
    }

    fn since(&self, source: There, copied: Option<&Copied>) -> (Since, Option<Digest>) {
        match copied {
            Some(copied) => (self.standing(copied.source, source), copied.contents),
            None => (Since::Changed, None),
        }
    }

    /// Whether a copy is as it was made, as far as its stamp says.
    pub(super) fn is_as_made(&self, copy: There) -> bool {
        let made = self.copies.get(&copy.inode).map(|copied| copied.copy);
        made == Some(Stamp::of(copy))
    }

    /// What a copy has to hold as well to be as it was made, where its stamp is not enough.
    pub(super) fn made_of(&self, copy: There) -> Option<Digest> {
        self.copies.get(&copy.inode)?.contents
    }

    /// Whether what a file of the correction replaces was written to. `contents` reads it, or gives
    /// nothing where that is left for later.
    pub(super) fn is_replaced_changed(
        &self,
        path: &str,
        there: Option<There>,
        contents: impl FnOnce() -> Result<Option<Digest>, ApplyError>,
    ) -> Result<bool, ApplyError> {
        let (replaced, there) = match (self.replaced.get(path), there) {
            (Some(Some(replaced)), Some(there)) => (replaced, there),
            (Some(replaced), there) => return Ok(replaced.is_some() || there.is_some()),
            (None, _) => return Ok(false),
        };
        match (self.standing(replaced.stamp, there), replaced.contents) {
            (Since::Changed, _) => Ok(true),
            // Where the stamp was not enough it is not now: these files are not made durable again.
            (_, Some(digest)) => Ok(contents()?.is_some_and(|found| found != digest)),
            // No contents: its stamp was enough, or it is no file, and nothing is stored through a mapping of it.
            (_, None) => Ok(false),
        }
    }

    fn standing(&self, stamp: Stamp, there: There) -> Since {
        standing(stamp, there, self.all_move_the_time.then_some(self.began))
    }

    /// Writes them into the workspace, if they are not there like this: another process may go on with the
    /// exchange, and they say what was written to a tree before it goes.
    pub(super) fn write(&mut self, workspace: &Folder, name: &str) -> Result<(), ApplyError> {
        if !self.is_changed {
            return Ok(());
        }
        let (name, unready) = (OsStr::new(name), OsStr::new(NEW_STAMPS));
        let bytes = serde_json::to_vec(self).map_err(io::Error::other);
        let bytes = bytes.doing("write", workspace.path_of(name))?;
        workspace.remove_all(unready)?;
        let mut file = workspace.create(unready)?;
        file.write(&bytes)?;
        file.sync()?;
        workspace.rename(unready, workspace, name)?;
        workspace.sync()?;
        self.is_changed = false;
        Ok(())
    }

    /// Reads what the workspace has.
    pub(super) fn read(workspace: &Folder, name: &str) -> Result<Self, ApplyError> {
        let name = OsStr::new(name);
        let file = workspace.open_file(name)?;
        serde_json::from_reader(io::BufReader::new(file))
            .map_err(io::Error::from)
            .doing("read", workspace.path_of(name))
    }

    /// Begins anew at a later time, with the stamps of copies that are not made anew. Only for who has
    /// looked, since then, at everything whose stamp was not enough.
    pub(super) fn begin_again(&mut self, began: i128) {
        self.began = nanoseconds(began);
    }

    /// What is known of the tree that was copied.
    pub(super) fn of_sources(self) -> LastSeen {
        let copied = self
            .latest
            .values()
            .filter_map(|copy| self.copies.get(copy));
        let copied = copied.map(|copied| (copied.source, copied.contents));
        let replaced = self.replaced.values().flatten();
        let replaced = replaced.map(|replaced| (replaced.stamp, replaced.contents));
        let began = self.all_move_the_time.then_some(self.began);
        LastSeen::new(copied.chain(replaced), began)
    }

    /// What is known of the copy, which nobody could write to before a time.
    pub(super) fn of_copies(self, exchanged: i64) -> LastSeen {
        let copied = self.copies.into_values();
        let copied = copied.map(|copied| (copied.copy, copied.contents));
        LastSeen::new(copied, self.all_move_the_time.then_some(exchanged))
    }
}

/// Whether something was written to since a stamp; `began` is when what was written before had reached
/// the disk, where every write moves the time from then on.
pub(super) fn standing(stamp: Stamp, there: There, began: Option<i64>) -> Since {
    if Stamp::of(there) != stamp {
        Since::Changed
    } else if began.is_some_and(|began| stamp.changed < began.saturating_sub(UNSURE)) {
        Since::Unchanged
    } else {
        Since::Unsure
    }
}

/// Whether every write to the file system of a folder moves the time of the last change.
pub(super) fn all_move_the_time(folder: &Folder) -> Result<bool, ApplyError> {
    Ok(MOVES_THE_TIME.contains(&folder.file_system()?))
}

/// Nanoseconds since 1970; the number lasts until 2262.
pub(super) fn nanoseconds(time: i128) -> i64 {
    i64::try_from(time).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use rustix::fs::FileType;

    use super::*;

    const BEGAN: i64 = 1_800_000_000_000_000_000;

    fn there(inode: u64, changed: i64) -> There {
        There {
            kind: FileType::RegularFile,
            inode,
            device: 1,
            allocated: 0,
            has_other_names: false,
            mode: 0o644,
            owner: (0, 0),
            size: 1,
            accessed: 0,
            modified: 0,
            changed: i128::from(changed),
        }
    }

    fn stamps(all_move_the_time: bool) -> Stamps {
        Stamps {
            began: BEGAN,
            all_move_the_time,
            copies: BTreeMap::new(),
            latest: BTreeMap::new(),
            replaced: BTreeMap::new(),
            is_changed: true,
        }
    }

    fn took(stamps: &mut Stamps, source: There, copy: There) {
        let took = stamps.took(source, copy, || Ok(Digest::of(b"copied")));
        took.expect("it can be read");
    }

    #[test]
    fn a_stamp_says_that_nothing_was_written_if_it_is_old_enough_and_has_not_moved() {
        let mut taken = stamps(true);
        let old = BEGAN - UNSURE - 1;
        took(&mut taken, there(1, old), there(11, BEGAN));
        took(&mut taken, there(2, old + 1), there(12, BEGAN));
        assert_eq!(
            taken.since_copied(there(1, old), there(11, 0)).0,
            Since::Unchanged
        );
        assert_eq!(
            taken.since_copied(there(1, old - 1), there(11, 0)).0,
            Since::Changed
        );
        assert_eq!(
            taken.since_copied(there(3, old), there(11, 0)).0,
            Since::Changed
        );
        assert_eq!(
            taken.since_copied(there(2, old + 1), there(12, 0)).0,
            Since::Unsure
        );
        assert_eq!(
            taken.since_copied(there(1, old), there(13, 0)).0,
            Since::Changed
        );
    }

    #[test]
    fn where_stores_do_not_move_the_time_contents_decide() {
        let mut taken = stamps(false);
        took(&mut taken, there(1, 5), there(11, BEGAN));
        assert_eq!(
            taken.since_copied(there(1, 5), there(11, 0)),
            (Since::Unsure, Some(Digest::of(b"copied")))
        );
        assert_eq!(
            taken.since_copied(there(1, 6), there(11, 0)).0,
            Since::Changed
        );
    }

    #[test]
    fn what_a_correction_replaces_is_changed_by_its_stamp_or_by_its_contents() {
        let digest = |text: &[u8]| Ok(Digest::of(text));
        let read = |text: &[u8]| Ok(Some(Digest::of(text)));
        let mut taken = stamps(false);
        taken
            .took_replaced("a", Some(there(1, 5)), || digest(b"a"))
            .expect("it can be read");
        taken
            .took_replaced("b", None, || digest(b""))
            .expect("nothing is read");
        let changed = |path: &str, there, text: &[u8]| {
            let changed = taken.is_replaced_changed(path, there, || read(text));
            changed.expect("it can be read")
        };
        assert!(!changed("a", Some(there(1, 5)), b"a"));
        assert!(changed("a", Some(there(1, 5)), b"other"));
        assert!(changed("a", Some(there(1, 6)), b"a"));
        assert!(changed("a", None, b"a"));
        assert!(!changed("b", None, b""));
        assert!(changed("b", Some(there(2, 1)), b"b"));
    }
}
