//! Archives that are read where they lie: the members of an uncompressed tar file, found by their headers.
//!
//! Nothing is unpacked. Which names an archive may have is the caller's to say; a link, a device, a name twice or a
//! truncated member makes the whole archive refused, by name.

use std::{
    collections::HashMap,
    hash::Hash,
    io::{self, Read, Seek},
};

use tar::EntryType;

/// Where a member lies in its archive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// The byte that it begins with.
    pub begin: u64,
    /// Its bytes.
    pub length: u64,
}

/// Why a file is not such an archive.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// It cannot be read, or is no archive.
    #[error(transparent)]
    File(#[from] io::Error),
    /// A member that it may not have.
    #[error("invalid archive member \"{member}\": {reason}")]
    Member {
        /// The member, fit to print.
        member: String,
        /// What is wrong with it.
        reason: &'static str,
    },
}

/// Finds the members of an archive of `total` bytes, at most `most` of them. Reads headers only. `parse` turns a
/// name into what the caller knows it as, or says why there may be no such member.
pub(crate) fn members<N: Eq + Hash>(
    file: impl Read + Seek,
    total: u64,
    most: usize,
    parse: impl Fn(&str) -> Result<N, &'static str>,
) -> Result<HashMap<N, Place>, ArchiveError> {
    let mut archive = tar::Archive::new(file);
    let mut members = HashMap::new();
    // Raw: long names and sparse files, which the archive would have to be asked about with memory of
    // its own choice, are members like any other, and no caller knows such names.
    for entry in archive.entries_with_seek()?.raw(true) {
        let entry = entry?;
        let name = entry.path_bytes().into_owned();
        let place = Place {
            begin: entry.raw_file_position(),
            length: entry.size(),
        };
        let refused = |reason| ArchiveError::Member {
            member: readable(&name),
            reason,
        };
        match entry.header().entry_type() {
            EntryType::Directory => continue,
            EntryType::Regular => {}
            _ => return Err(refused("not a regular file")),
        }
        let text = std::str::from_utf8(&name).map_err(|_| refused("not a UTF-8 name"))?;
        let member = parse(text.strip_prefix("./").unwrap_or(text)).map_err(refused)?;
        let end = place.begin.checked_add(place.length);
        if end.is_none_or(|end| end > total) {
            return Err(refused("truncated"));
        }
        if members.len() >= most {
            return Err(refused("too many members"));
        }
        if members.insert(member, place).is_some() {
            return Err(refused("duplicate member"));
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
