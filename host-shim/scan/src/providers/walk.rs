//! Goes through a whole directory, for providers whose things may lie anywhere in it.

use std::path::{Path, PathBuf};

use crate::{ground::Kind, look::Look};

/// The files below the job's directory, links to files included. Links are followed as far as they stay inside; depth
/// and number are bounded by what `list` is willing to list.
pub(super) fn files(look: &mut Look<'_>, mut visit: impl FnMut(&mut Look<'_>, &Path)) {
    let mut folders = vec![PathBuf::new()];
    while let Some(folder) = folders.pop() {
        for (path, kind) in look.list(&folder) {
            match kind {
                Kind::Folder => folders.push(path),
                Kind::Link if look.is_folder(&path) => folders.push(path),
                Kind::File | Kind::Link => visit(look, &path),
                Kind::Other => {}
            }
        }
    }
}

/// What a file is called.
pub(super) fn name_of(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default();
    name.to_string_lossy().into_owned()
}

/// Whether a path ends with these names.
pub(super) fn is_within(path: &Path, directories: &str) -> bool {
    path.parent()
        .is_some_and(|parent| parent.ends_with(directories))
}
