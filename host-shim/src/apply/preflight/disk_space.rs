//! Is there room for a whole second tree and the payload?

use walkdir::WalkDir;

use super::{Found, Situation, obstacle};

/// What should be left over, in bytes.
const RESERVE: u64 = 16 << 20;

pub(super) fn check(situation: &Situation<'_>) -> Vec<Found> {
    let folder = &situation.component.folder;
    let Ok(there) = rustix::fs::statvfs(folder.as_path()) else {
        return Vec::new();
    };
    let free = there.f_bavail.saturating_mul(there.f_frsize);
    let tree: u64 = WalkDir::new(folder)
        .into_iter()
        .filter_entry(|entry| !kept(situation, entry.path()))
        .filter_map(Result::ok)
        .filter_map(|entry| entry.metadata().ok())
        .filter(std::fs::Metadata::is_file)
        .map(|metadata| metadata.len())
        // Files with holes may be said to be longer than all disks together.
        .fold(0, u64::saturating_add);
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
    if needed <= free {
        return Vec::new();
    }
    let found = format!(
        "{needed} bytes are needed beside {}, and {free} are free",
        folder.display()
    );
    vec![obstacle(found, "Make room on that file system.")]
}

fn kept(situation: &Situation<'_>, path: &std::path::Path) -> bool {
    let relative = path
        .strip_prefix(&situation.component.folder)
        .ok()
        .and_then(std::path::Path::to_str);
    relative
        .is_some_and(|relative| crate::apply::carry::is_kept(relative, &situation.component.keep))
}
