//! What a vendor hands over to a customer so that a panel can be set up: one file.
//!
//! A hand-over is an uncompressed tar archive with exactly the members of [`Part`]. Its digest, which the customer
//! compares with what the vendor told by another way, covers everything in it; what is signed in it is verified as
//! well.

use std::{
    collections::HashMap,
    io::{Read, Seek},
};

use serde::{Deserialize, Serialize};

use crate::{
    Audience,
    archive::{self, ArchiveError, Place},
};

/// The schema of [`HandOver`] that this crate reads and writes.
pub const SCHEMA: u32 = 1;

/// The longest archive, in bytes: every part at its longest, and headers.
pub const LONGEST: u64 = 66 << 20;

/// What is in a hand-over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Part {
    /// [`HandOver`] as TOML.
    Facts,
    /// The root that a panel trusts first: the newest one.
    Root,
    /// Its signatures.
    RootSignatures,
    /// The plugin's component.
    Component,
    /// The plugin's manifest.
    Manifest,
    /// Its signatures.
    ManifestSignatures,
}

/// Where to follow a feed, and whom to send vulnerability reports.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct HandOver {
    /// [`SCHEMA`]; a higher one is not read.
    pub schema: u32,
    /// The audience that the feed's documents are signed for.
    pub audience: Audience,
    /// Addresses of the feed, in the order in which they are tried.
    pub from: Vec<String>,
    /// The recipient (`age1…`) that vulnerability reports are encrypted to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub report_recipient: Option<String>,
}

impl Part {
    /// Every part; an archive has each once.
    pub const ALL: [Self; 6] = [
        Self::Facts,
        Self::Root,
        Self::RootSignatures,
        Self::Component,
        Self::Manifest,
        Self::ManifestSignatures,
    ];

    /// The member's name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Facts => "hand-over.toml",
            Self::Root => "feed.root",
            Self::RootSignatures => "feed.root.minisig",
            Self::Component => "plugin.wasm",
            Self::Manifest => "plugin.manifest",
            Self::ManifestSignatures => "plugin.manifest.minisig",
        }
    }

    /// The most bytes that it may have.
    pub fn longest(self) -> u64 {
        match self {
            Self::Component => 64 << 20,
            Self::Root => 256 << 10,
            _ => 64 << 10,
        }
    }
}

/// Finds the parts of a hand-over of `total` bytes. Reads headers only; each part is there, and not too long.
pub fn parts(file: impl Read + Seek, total: u64) -> Result<HashMap<Part, Place>, ArchiveError> {
    let parts = archive::members(file, total, Part::ALL.len(), |name| {
        let part = Part::ALL.into_iter().find(|part| part.name() == name);
        part.ok_or("not a part of a hand-over")
    })?;
    for part in Part::ALL {
        let refused = |reason| ArchiveError::Member {
            member: part.name().to_owned(),
            reason,
        };
        match parts.get(&part) {
            None => return Err(refused("missing")),
            Some(place) if place.length > part.longest() => return Err(refused("too long")),
            Some(_) => {}
        }
    }
    Ok(parts)
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    fn archive(members: &[(&str, u64)]) -> Vec<u8> {
        let mut builder = tar::Builder::new(Vec::new());
        for (name, length) in members {
            let mut header = tar::Header::new_ustar();
            header.set_path(name).expect("it is short");
            header.set_size(*length);
            header.set_mode(0o644);
            header.set_cksum();
            let contents = std::io::repeat(b'x').take(*length);
            builder.append(&header, contents).expect("memory");
        }
        builder.into_inner().expect("memory")
    }

    fn whole() -> Vec<(&'static str, u64)> {
        Part::ALL.map(|part| (part.name(), 3)).to_vec()
    }

    fn refused(members: &[(&str, u64)]) -> (String, &'static str) {
        let archive = archive(members);
        match parts(Cursor::new(&archive), archive.len() as u64) {
            Err(ArchiveError::Member { member, reason }) => (member, reason),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn an_archive_with_every_part_is_a_hand_over() {
        let archive = archive(&whole());
        let found = parts(Cursor::new(&archive), archive.len() as u64).expect("it is whole");
        assert!(Part::ALL.iter().all(|part| found[part].length == 3));
    }

    #[test]
    fn an_archive_with_a_part_missing_strange_or_too_long_is_refused_by_its_name() {
        for (place, part) in Part::ALL.into_iter().enumerate() {
            let mut lacks = whole();
            lacks.remove(place);
            assert_eq!(refused(&lacks), (part.name().to_owned(), "missing"));
        }
        let mut long = whole();
        long[1].1 = Part::Root.longest() + 1;
        assert_eq!(refused(&long), ("feed.root".to_owned(), "too long"));
        let mut strange = whole();
        strange[0].0 = "other/hand-over.toml";
        assert_eq!(refused(&strange).1, "not a part of a hand-over");
    }
}
