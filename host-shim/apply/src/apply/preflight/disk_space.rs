//! Is there room for a whole second tree and the payload, in bytes and in files?

use std::path::Path;

use super::{Found, Situation, obstacle};
use crate::apply::{carry::is_kept_path, folder::Folder};

/// What should be left over, in bytes.
const RESERVE: u64 = 16 << 20;

/// What should be left over, in inodes: the workspace and what is made ready in it.
const RESERVED_INODES: u64 = 64;

/// What a copy of a tree takes up.
#[derive(Debug, Clone, Copy, Default)]
struct Needed {
    bytes: u64,
    inodes: u64,
}

pub(super) fn check(situation: &Situation<'_>) -> Vec<Found> {
    let Ok(folder) = &situation.folder else {
        return Vec::new();
    };
    let mut tree = Needed::default();
    let walked = folder.walk(Path::new(""), &mut |path, there| {
        let Ok(there) = there else { return false };
        if is_kept_path(path, &situation.component.keep) {
            return false;
        }
        tree.inodes += 1;
        if there.is_file() {
            // Holes stay holes.
            tree.bytes = tree.bytes.saturating_add(there.allocated);
        }
        true
    });
    if walked.is_err() {
        return Vec::new();
    }
    let bytes = bytes(situation, folder, tree.bytes);
    let inodes = inodes(situation, folder, tree.inodes);
    bytes.into_iter().chain(inodes).collect()
}

fn bytes(situation: &Situation<'_>, folder: &Folder, tree: u64) -> Option<Found> {
    let free = folder.free_bytes().ok()?;
    let new: u64 = situation
        .correction
        .files
        .iter()
        .filter_map(|file| file.after)
        // What a correction announces is its own word; together it may be more than a number holds.
        .fold(0, |sum: u64, after| sum.saturating_add(after.size));
    let needed = tree
        .saturating_add(new)
        // Once where payloads are kept, most often on the same file system, and once beside the tree.
        .saturating_add(situation.correction.download().saturating_mul(2))
        .saturating_add(RESERVE);
    (needed > free).then(|| {
        let found = format!(
            "{needed} bytes are needed beside {}, {free} are free",
            folder.path().display()
        );
        obstacle(found, "Free space on that file system.")
    })
}

fn inodes(situation: &Situation<'_>, folder: &Folder, tree: u64) -> Option<Found> {
    let free = folder.free_inodes().ok()??;
    let files = situation.correction.files.iter();
    let new = files.filter(|file| file.after.is_some()).count() as u64;
    // Each as a payload and as a file, the latter perhaps in a folder of its own.
    let needed = tree
        .saturating_add(new.saturating_mul(3))
        .saturating_add(RESERVED_INODES);
    (needed > free).then(|| {
        let found = format!(
            "{needed} inodes are needed beside {}, {free} are free",
            folder.path().display()
        );
        obstacle(found, "Remove files from that file system.")
    })
}
