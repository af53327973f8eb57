//! Does the correction touch what the component writes at run time?

use super::{Found, Situation, obstacle, some_of};
use crate::apply::carry::{is_kept, through_folders};

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
        "the correction changes what is listed under \"keep\": {}",
        some_of(&touched)
    );
    found.push(obstacle(
        words,
        "Take these paths out of \"keep\", or ask the vendor for a correction without them.",
    ));
    found
}

/// What lies behind a link cannot be moved from one tree to the other.
fn behind_links(situation: &Situation<'_>) -> Vec<Found> {
    let folder = &situation.component.folder;
    let behind: Vec<&str> = situation
        .component
        .keep
        .iter()
        .map(|path| path.trim_end_matches('/'))
        .filter(|path| {
            std::fs::symlink_metadata(folder.join(path)).is_ok() && !through_folders(folder, path)
        })
        .collect();
    if behind.is_empty() {
        return Vec::new();
    }
    let words = format!(
        "listed under \"keep\" and behind a link: {}",
        some_of(&behind)
    );
    vec![obstacle(
        words,
        "Name under \"keep\" where the link leads, or nothing if it leads out of the component: that is not touched.",
    )]
}
