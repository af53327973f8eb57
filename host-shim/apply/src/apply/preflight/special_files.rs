//! Is there anything in the tree that cannot be built again beside it?

use std::path::Path;

use super::{Found, Situation, information, obstacle, some_of};
use crate::apply::{carry::is_kept_path, disk::Disk, place::around, plan::Live};

pub(super) fn check(situation: &Situation<'_>) -> Vec<Found> {
    let path = &situation.component.folder;
    let mut found = Vec::new();
    let folder = match &situation.folder {
        Ok(folder) => folder,
        Err(_) if is_no_folder(path) => {
            return vec![obstacle(
                format!(
                    "{} is a symbolic link or a file, not a directory",
                    path.display()
                ),
                "Configure the directory itself.",
            )];
        }
        Err(error) => {
            return vec![obstacle(
                format!("cannot read {}: {error}", path.display()),
                "Correct the configuration or the permissions.",
            )];
        }
    };
    let Ok(device) = folder.itself().map(|there| there.device) else {
        return Vec::new();
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
                "not regular files, reached through a link, or not readable: {}",
                some_of(&behind)
            ),
            "Restore the vendor's files there.",
        ));
    }
    let (mut special, mut mounted, mut left_out) = (Vec::new(), Vec::new(), Vec::new());
    // A mount cannot be renamed, but a folder around one can.
    let around = around(&Disk::default(), path).and_then(|(around, _)| around.itself());
    if around.is_ok_and(|around| around.device != device) {
        found.push(obstacle(
            format!(
                "{} is a mount point and cannot be exchanged",
                path.display()
            ),
            "Move the component into a directory below it.",
        ));
    }
    let keep = &situation.component.keep;
    for kept in keep {
        let kept = Path::new(kept.trim_end_matches('/'));
        let name = kept.file_name().unwrap_or_default();
        let there = folder.towards(kept).and_then(|around| match around {
            Some(around) => around.look(name),
            None => Ok(None),
        });
        if there.is_ok_and(|there| there.is_some_and(|there| there.device != device)) {
            mounted.push(kept.display().to_string());
        }
    }
    let walked = folder.walk(Path::new(""), &mut |path, there| {
        let Ok(there) = there else {
            special.push(format!("{} (cannot be read)", path.display()));
            return false;
        };
        if is_kept_path(path, keep) {
            return false;
        }
        if there.is_left_out() {
            left_out.push(path.display().to_string());
        } else if !(there.is_file() || there.is_folder() || there.is_link()) {
            special.push(path.display().to_string());
        } else if there.device != device {
            mounted.push(path.display().to_string());
            return false;
        }
        true
    });
    if walked.is_err() {
        special.push("(cannot list the directory itself)".to_owned());
    }
    let names = |names: &[String]| some_of(&names.iter().map(String::as_str).collect::<Vec<_>>());
    if !special.is_empty() {
        found.push(obstacle(
            format!(
                "devices or unreadable files in the tree: {}",
                names(&special)
            ),
            "List the paths that the component writes at run time under \"keep\".",
        ));
    }
    if !left_out.is_empty() {
        found.push(information(
            format!(
                "sockets and pipes that will not be in the new tree: {}",
                names(&left_out)
            ),
            "Most components create them on start. List those to preserve under \"keep\".",
        ));
    }
    if !mounted.is_empty() {
        found.push(obstacle(
            format!(
                "other file systems are mounted in the tree: {}",
                names(&mounted)
            ),
            "Unmount them, or list the directory around them under \"keep\".",
        ));
    }
    found
}

/// Whether something lies there, and it is no folder.
fn is_no_folder(path: &Path) -> bool {
    let there = around(&Disk::default(), path).and_then(|(around, name)| around.look(&name));
    there.is_ok_and(|there| there.is_some_and(|there| !there.is_folder()))
}
