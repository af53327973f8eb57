//! Is something mounted where a tree has to move?
//!
//! A folder that something is mounted on cannot be renamed, a folder around it can. Another file
//! system betrays itself by its number, and a check of its own looks for that; a folder that is bound
//! to another place of the same file system does not, and only the system's list has it.

use std::{
    fs,
    os::unix::{ffi::OsStringExt, fs::MetadataExt},
    path::{Path, PathBuf},
};

use super::{Found, Situation, obstacle, some_of};
use crate::apply::carry::is_kept;

/// What is mounted, as this process sees it.
const TABLE: &str = "/proc/self/mountinfo";

pub(super) fn check(situation: &Situation<'_>) -> Vec<Found> {
    let component = situation.component;
    let Ok(held) = &situation.folder else {
        return Vec::new();
    };
    // The list has real paths, without links. What cannot be looked at has checks of its own.
    let (Ok(folder), Ok(table)) = (held.real_path(), table()) else {
        return Vec::new();
    };
    let bound: Vec<PathBuf> = points(&table)
        .filter(|point| point.starts_with(&folder) && same_device(point, &folder))
        .collect();
    let mut found = Vec::new();
    if bound.contains(&folder) {
        found.push(obstacle(
            format!(
                "{} is a mount point and cannot be exchanged",
                folder.display()
            ),
            "Move the component into a directory below it.",
        ));
    }
    let inside = bound.iter().filter_map(|point| {
        let inside = point.strip_prefix(&folder).ok()?.to_str()?;
        let moves = !inside.is_empty() && !is_around(inside, &component.keep);
        moves.then_some(inside)
    });
    let inside: Vec<&str> = inside.collect();
    if !inside.is_empty() {
        found.push(obstacle(
            format!("mount points in the tree: {}", some_of(&inside)),
            "Unmount them, or list the directory around them under \"keep\".",
        ));
    }
    found
}

/// Whether a mount lies in run-time data, below the folder that is moved.
fn is_around(inside: &str, keep: &[String]) -> bool {
    let is_moved = |kept: &String| kept.trim_end_matches('/') == inside;
    is_kept(inside, keep) && !keep.iter().any(is_moved)
}

#[expect(clippy::disallowed_methods, reason = "the list is the kernel's own")]
fn table() -> std::io::Result<Vec<u8>> {
    fs::read(TABLE)
}

#[expect(
    clippy::disallowed_methods,
    reason = "only the number of the file system is looked at, and nothing is opened"
)]
fn same_device(point: &Path, folder: &Path) -> bool {
    let device = |path: &Path| fs::symlink_metadata(path).map(|there| there.dev()).ok();
    device(point) == device(folder)
}

/// Where something is mounted: the fifth field of each line (proc(5)).
fn points(table: &[u8]) -> impl Iterator<Item = PathBuf> {
    table.split(|byte| *byte == b'\n').filter_map(|line| {
        let mut fields = line.split(|byte| *byte == b' ');
        let point = fields.nth(4)?;
        Some(PathBuf::from(std::ffi::OsString::from_vec(plain(point))))
    })
}

/// Spaces and the like are written as a backslash and three octal digits.
fn plain(field: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(field.len());
    let mut rest = field;
    while let [first, more @ ..] = rest {
        let octal = match more {
            [a, b, c, ..] if *first == b'\\' => octal(*a, *b, *c),
            _ => None,
        };
        plain.push(octal.unwrap_or(*first));
        rest = if octal.is_some() { &more[3..] } else { more };
    }
    plain
}

fn octal(a: u8, b: u8, c: u8) -> Option<u8> {
    let digit = |byte: u8| {
        byte.checked_sub(b'0')
            .filter(|digit| *digit < 8)
            .map(u16::from)
    };
    u8::try_from(digit(a)? * 64 + digit(b)? * 8 + digit(c)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_of_mounts_gives_their_places_whatever_is_in_their_names() {
        let table = b"36 35 98:0 /a /mnt/one rw,noatime - ext4 /dev/root rw\n\
            37 35 98:0 /b /mnt/a\\040b\\134c rw shared:1 - ext4 /dev/root rw\nshort\n";
        let found: Vec<PathBuf> = points(table).collect();
        assert_eq!(
            found,
            [PathBuf::from("/mnt/one"), PathBuf::from("/mnt/a b\\c")]
        );
        assert_eq!(plain(b"\\999\\04"), b"\\999\\04");
    }
}
