//! Does a path of the correction lead, by another spelling, to something that is there already?
//!
//! Directories can ignore case (`chattr +F`). There a new file and one of the component's own would be one
//! file, and the new tree could hold only one of the two.

use std::{
    collections::{BTreeMap, BTreeSet},
    ffi::OsString,
    path::{Path, PathBuf},
};

use super::{Found, Situation, obstacle, some_of};
use crate::apply::folder::{Folder, There};

pub(super) fn check(situation: &Situation<'_>) -> Vec<Found> {
    // A folder that cannot be opened has a check of its own.
    let Ok(folder) = &situation.folder else {
        return Vec::new();
    };
    let mut listed = Listed::default();
    let mut twins = Vec::new();
    for file in &situation.correction.files {
        let path = file.path.as_path();
        if is_spelt_otherwise(path, |around, name| listed.has(folder, around, name)) {
            twins.push(file.path.as_str());
        }
    }
    if twins.is_empty() {
        return Vec::new();
    }
    vec![obstacle(
        format!(
            "the file system ignores case, and there are with another spelling: {}",
            some_of(&twins)
        ),
        "Rename what is there, or move the component to a directory that does not ignore case.",
    )]
}

/// How a directory has a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Spelling {
    Missing,
    Same,
    Other,
}

/// Whether a part of a path is there under another name than its own.
fn is_spelt_otherwise(path: &Path, mut has: impl FnMut(&Path, &Path) -> Spelling) -> bool {
    let mut around = PathBuf::new();
    for part in path {
        match has(&around, Path::new(part)) {
            Spelling::Missing => return false,
            Spelling::Same => around.push(part),
            Spelling::Other => return true,
        }
    }
    false
}

/// The names of the directories that lead to files of the correction.
#[derive(Debug, Default)]
struct Listed(BTreeMap<PathBuf, BTreeSet<OsString>>);

impl Listed {
    fn has(&mut self, tree: &Folder, around: &Path, name: &Path) -> Spelling {
        if !self.0.contains_key(around) {
            // What cannot be listed has checks of its own.
            let names = list(tree, around).unwrap_or_default();
            self.0.insert(around.to_owned(), names);
        }
        let names = self.0.get(around);
        if names.is_some_and(|names| names.contains(name.as_os_str())) {
            return Spelling::Same;
        }
        match look(tree, &around.join(name)) {
            Some(_) => Spelling::Other,
            None => Spelling::Missing,
        }
    }
}

fn list(tree: &Folder, around: &Path) -> Option<BTreeSet<OsString>> {
    // The last part is not looked at.
    let folder = tree.towards(&around.join("name")).ok()??;
    Some(folder.names().ok()?.into_iter().collect())
}

fn look(tree: &Folder, path: &Path) -> Option<There> {
    let folder = tree.towards(path).ok()??;
    folder.look(path.file_name()?).ok()?
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A tree that ignores case.
    fn is_twin(path: &str) -> bool {
        let there = ["Lib", "Lib/A.js", "bin"];
        is_spelt_otherwise(Path::new(path), |around, name| {
            let path = around.join(name);
            let same = |held: &&str| Path::new(held) == path;
            let folded = |held: &&str| held.eq_ignore_ascii_case(&path.to_string_lossy());
            match (there.iter().any(same), there.iter().any(folded)) {
                (true, _) => Spelling::Same,
                (_, true) => Spelling::Other,
                _ => Spelling::Missing,
            }
        })
    }

    #[test]
    fn a_path_is_a_twin_if_any_part_of_it_is_there_in_another_case() {
        for twin in ["lib/A.js", "Lib/a.js", "LIB/new.js", "Bin"] {
            assert!(is_twin(twin), "{twin}");
        }
        for other in ["Lib/A.js", "Lib/b.js", "bin", "bin/run", "new/a.js"] {
            assert!(!is_twin(other), "{other}");
        }
    }
}
