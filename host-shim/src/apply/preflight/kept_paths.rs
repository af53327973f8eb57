//! Does the correction touch what the component writes at run time?

use super::{Found, Situation, obstacle, some_of};
use crate::apply::carry::is_kept;

pub(super) fn check(situation: &Situation<'_>) -> Vec<Found> {
    let paths = situation
        .correction
        .files
        .iter()
        .map(|file| file.path.as_str());
    let touched: Vec<&str> = paths
        .filter(|path| is_kept(path, &situation.component.keep))
        .collect();
    if touched.is_empty() {
        return Vec::new();
    }
    let found = format!(
        "the correction changes what is listed under \"keep\": {}",
        some_of(&touched)
    );
    vec![obstacle(
        found,
        "Take these paths out of \"keep\", or ask the vendor for a correction without them.",
    )]
}
