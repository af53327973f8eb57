//! What is in a bundle: a feed in one file, to be carried to a machine without internet.
//!
//! A bundle is an uncompressed tar archive whose members are the files of a feed under their own
//! paths; any tar program makes and reads one. Nothing is unpacked: the members are found once, by
//! their headers alone, and read where they lie. A member that no feed has – another path, a link, a
//! device, a name twice – makes the whole archive refused, by name.

use std::{
    collections::HashMap,
    io::{Read, Seek},
};

use crate::{
    FeedPath,
    archive::{self, ArchiveError, Place},
};

/// Members that a bundle may have: 100,000 documents, with their signatures, several times over.
const MOST_MEMBERS: usize = 1_000_000;

/// Finds the members of a bundle of `total` bytes. Reads headers only.
pub fn members(
    bundle: impl Read + Seek,
    total: u64,
) -> Result<HashMap<FeedPath, Place>, ArchiveError> {
    archive::members(bundle, total, MOST_MEMBERS, |name| {
        FeedPath::parse(name).ok_or("not a file name of a feed")
    })
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use tar::{Builder, EntryType, Header};

    use super::*;

    fn archive(entries: &[(&str, EntryType, &[u8])]) -> Vec<u8> {
        let mut builder = Builder::new(Vec::new());
        for (name, kind, contents) in entries {
            let mut header = Header::new_ustar();
            header.set_entry_type(*kind);
            header.set_size(contents.len() as u64);
            let field = &mut header.as_old_mut().name;
            field[..name.len()].copy_from_slice(name.as_bytes());
            header.set_cksum();
            builder.append(&header, *contents).expect("memory");
        }
        builder.into_inner().expect("memory")
    }

    fn found(archive: &[u8], total: usize) -> Result<HashMap<FeedPath, Place>, ArchiveError> {
        members(Cursor::new(archive), total as u64)
    }

    /// The member that an archive is refused for, and why.
    fn refused(archive: &[u8], total: usize) -> (String, &'static str) {
        match found(archive, total) {
            Err(ArchiveError::Member { member, reason }) => (member, reason),
            other => panic!("{other:?}"),
        }
    }

    const FILE: EntryType = EntryType::Regular;

    #[test]
    fn the_files_of_a_feed_are_found_where_they_lie() {
        let archive = archive(&[
            ("root/", EntryType::Directory, b""),
            ("./root/1.root", FILE, b"a root"),
            ("head", FILE, b"a head"),
        ]);
        let members = found(&archive, archive.len()).expect("it is a bundle");
        assert_eq!(members.len(), 2);
        for (path, contents) in [
            (FeedPath::root(1), b"a root"),
            (FeedPath::head(), b"a head"),
        ] {
            let Place { begin, length } = members[&path];
            let begin = usize::try_from(begin).expect("it is small");
            assert_eq!(length, 6);
            assert_eq!(&archive[begin..begin + 6], contents);
        }
    }

    #[test]
    fn a_bundle_has_its_last_member_to_the_last_byte() {
        let archive = archive(&[("head", FILE, b"a head")]);
        let end = 512 + 6;
        assert_eq!(found(&archive, end).expect("it is whole").len(), 1);
        let cut = ("head".to_owned(), "truncated");
        assert_eq!(refused(&archive, end - 1), cut);
    }

    #[test]
    fn what_no_feed_has_is_refused_by_name() {
        let of = |name, kind| {
            let archive = archive(&[(name, kind, b"")]);
            refused(&archive, archive.len())
        };
        let stranger = "not a file name of a feed";
        assert_eq!(of("../head", FILE), ("../head".to_owned(), stranger));
        assert_eq!(of("a\u{1b}[2J", FILE), ("a\\u{1b}[2J".to_owned(), stranger));
        let link = "not a regular file";
        assert_eq!(of("head", EntryType::Symlink), ("head".to_owned(), link));
        let twice = archive(&[("head", FILE, b"one"), ("head", FILE, b"other")]);
        let reason = ("head".to_owned(), "duplicate member");
        assert_eq!(refused(&twice, twice.len()), reason);
    }
}
