//! Does the correction touch what the component writes at run time?

use std::{io, path::Path};

use super::{Found, Situation, obstacle, some_of};
use crate::apply::{ApplyError, carry::is_kept, folder::Folder};

pub(super) fn check(situation: &Situation<'_>) -> Vec<Found> {
    let paths = situation
        .correction
        .files
        .iter()
        .map(|file| file.path.as_str());
    let touched: Vec<&str> = paths
        .filter(|path| is_kept(path, &situation.component.keep))
        .collect();
    let mut found = behind_links(situation);
    if touched.is_empty() {
        return found;
    }
    let words = format!(
        "the correction changes paths listed under \"keep\": {}",
        some_of(&touched)
    );
    found.push(obstacle(
        words,
        "Remove these paths from \"keep\", or ask the vendor for a correction without them.",
    ));
    found
}

/// What lies behind a link cannot be moved from one tree to the other.
fn behind_links(situation: &Situation<'_>) -> Vec<Found> {
    // A folder that cannot be opened has a check of its own.
    let Ok(folder) = &situation.folder else {
        return Vec::new();
    };
    let behind: Vec<&str> = situation
        .component
        .keep
        .iter()
        .map(|path| path.trim_end_matches('/'))
        .filter(|path| is_behind_link(folder, Path::new(path)).unwrap_or(true))
        .collect();
    if behind.is_empty() {
        return Vec::new();
    }
    let words = format!(
        "listed under \"keep\" but reached through a symbolic link: {}",
        some_of(&behind)
    );
    vec![obstacle(
        words,
        "List the target of the link under \"keep\"; if it is outside the component, list nothing: it is not changed.",
    )]
}

/// Whether something lies at a path to which a link leads, or one leads out of the component there.
fn is_behind_link(folder: &Folder, path: &Path) -> Result<bool, ApplyError> {
    if folder.towards(path)?.is_some() {
        return Ok(false);
    }
    // Links that stay in the component are followed, others are an error.
    let there = folder.for_reading()?.symlink_metadata(path);
    let is_nothing = |error: io::Error| {
        use io::ErrorKind::{NotADirectory, NotFound};
        matches!(error.kind(), NotFound | NotADirectory)
    };
    Ok(!there.is_err_and(is_nothing))
}
