//! What is in a bundle: a feed in one file, to be carried to a machine without internet.
//!
//! A bundle is an uncompressed tar archive whose members are the files of a feed under their own
//! paths; any tar program makes and reads one. Nothing is unpacked: the members are found once, by
//! their headers alone, and read where they lie. A member that no feed has – another path, a link, a
//! device, a name twice – makes the whole archive refused, by name.

use std::{
    collections::HashMap,
    io::{self, Read, Seek},
};

use tar::EntryType;

use crate::FeedPath;

/// Members that a bundle may have: 100,000 documents, with their signatures, several times over.
const MOST_MEMBERS: usize = 1_000_000;

/// Where a member lies in its bundle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// The byte that it begins with.
    pub begin: u64,
    /// Its bytes.
    pub length: u64,
}

/// Why a file is no bundle.
#[derive(Debug, thiserror::Error)]
pub enum BundleError {
    /// It cannot be read, or is no archive.
    #[error(transparent)]
    File(#[from] io::Error),
    /// Something in it that no feed has.
    #[error("it is refused for its member \"{member}\": {reason}")]
    Member {
        /// The member, fit to print.
        member: String,
        /// What is wrong with it.
        reason: &'static str,
    },
}

/// Finds the members of a bundle of `total` bytes. Reads headers only.
pub fn members(
    bundle: impl Read + Seek,
    total: u64,
) -> Result<HashMap<FeedPath, Place>, BundleError> {
    let mut archive = tar::Archive::new(bundle);
    let mut members = HashMap::new();
    // Raw: long names and sparse files, which the archive would have to be asked about with memory of
    // its own choice, are members like any other, and no feed has such.
    for entry in archive.entries_with_seek()?.raw(true) {
        let entry = entry?;
        let name = entry.path_bytes().into_owned();
        let place = Place {
            begin: entry.raw_file_position(),
            length: entry.size(),
        };
        let refused = |reason| BundleError::Member {
            member: readable(&name),
            reason,
        };
        match entry.header().entry_type() {
            EntryType::Directory => continue,
            EntryType::Regular => {}
            _ => return Err(refused("it is not an ordinary file")),
        }
        let text = std::str::from_utf8(&name).ok();
        let text = text.map(|text| text.strip_prefix("./").unwrap_or(text));
        let member = text
            .and_then(FeedPath::parse)
            .ok_or_else(|| refused("no feed has a file of that name"))?;
        let end = place.begin.checked_add(place.length);
        if end.is_none_or(|end| end > total) {
            return Err(refused("it is cut off"));
        }
        if members.len() >= MOST_MEMBERS {
            return Err(refused("there are too many of them"));
        }
        if members.insert(member, place).is_some() {
            return Err(refused("it is there twice"));
        }
    }
    Ok(members)
}

/// A name that a stranger chose, for a message.
fn readable(name: &[u8]) -> String {
    let text = String::from_utf8_lossy(name);
    text.chars()
        .take(120)
        .flat_map(char::escape_debug)
        .collect()
}
