//! Is there anything in the tree that cannot be built again beside it?

use std::{fs, os::unix::fs::MetadataExt};

use walkdir::WalkDir;

use super::{Found, Situation, obstacle, some_of};
use crate::apply::{carry::is_kept, plan::Live};

pub(super) fn check(situation: &Situation<'_>) -> Vec<Found> {
    let folder = &situation.component.folder;
    let mut found = Vec::new();
    let metadata = match fs::symlink_metadata(folder) {
        Ok(metadata) if metadata.is_dir() => metadata,
        Ok(_) => {
            return vec![obstacle(
                format!(
                    "{} is not a folder of its own but a link or a file",
                    folder.display()
                ),
                "Name the folder itself in the configuration.",
            )];
        }
        Err(error) => {
            return vec![obstacle(
                format!("{} cannot be read: {error}", folder.display()),
                "Correct the configuration or the permissions.",
            )];
        }
    };
    let behind: Vec<&str> = situation
        .correction
        .files
        .iter()
        .zip(&situation.live)
        .filter(|(_, live)| matches!(live, Live::Other | Live::Unreadable))
        .map(|(file, _)| file.path.as_str())
        .collect();
    if !behind.is_empty() {
        found.push(obstacle(
            format!(
                "not regular files, or behind a link, or not readable: {}",
                some_of(&behind)
            ),
            "Put the vendor's files back there.",
        ));
    }
    let (mut special, mut mounted) = (Vec::new(), Vec::new());
    // A mount cannot be renamed, but a folder around one can.
    let around = folder
        .parent()
        // Where a link leads to that folder, it is the folder that counts.
        .and_then(|parent| fs::metadata(parent).ok());
    if around.is_some_and(|around| around.dev() != metadata.dev()) {
        found.push(obstacle(
            format!(
                "{} is itself where a file system is mounted, and cannot be exchanged",
                folder.display()
            ),
            "Put the component into a folder below it.",
        ));
    }
    for kept in &situation.component.keep {
        let kept = kept.trim_end_matches('/');
        if fs::symlink_metadata(folder.join(kept)).is_ok_and(|there| there.dev() != metadata.dev())
        {
            mounted.push(kept.to_owned());
        }
    }
    let walk = WalkDir::new(folder)
        .min_depth(1)
        .into_iter()
        .filter_entry(|entry| {
            let relative = entry
                .path()
                .strip_prefix(folder)
                .ok()
                .and_then(std::path::Path::to_str);
            !relative.is_some_and(|relative| is_kept(relative, &situation.component.keep))
        });
    for entry in walk {
        let Ok(entry) = entry else {
            special.push("(a file that cannot be read)".to_owned());
            continue;
        };
        let kind = entry.file_type();
        let name = || {
            entry
                .path()
                .strip_prefix(folder)
                .unwrap_or(entry.path())
                .display()
                .to_string()
        };
        if !(kind.is_file() || kind.is_dir() || kind.is_symlink()) {
            special.push(name());
        } else if entry
            .metadata()
            .is_ok_and(|there| there.dev() != metadata.dev())
        {
            mounted.push(name());
        }
    }
    let names = |names: &[String]| some_of(&names.iter().map(String::as_str).collect::<Vec<_>>());
    if !special.is_empty() {
        found.push(obstacle(
            format!(
                "sockets, pipes, devices or unreadable files in the tree: {}",
                names(&special)
            ),
            "List what the component writes at run time under \"keep\".",
        ));
    }
    if !mounted.is_empty() {
        found.push(obstacle(
            format!(
                "other file systems are mounted in the tree: {}",
                names(&mounted)
            ),
            "Unmount them, or list the folder around them under \"keep\".",
        ));
    }
    found
}
