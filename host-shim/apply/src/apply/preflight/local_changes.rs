//! Were files of the component changed here?

use super::{Found, Situation, some_of, warning};
use crate::apply::plan::Live;

pub(super) fn check(situation: &Situation<'_>) -> Vec<Found> {
    let mut changed = Vec::new();
    let mut missing = Vec::new();
    let mut in_the_way = Vec::new();
    for (file, live) in situation.correction.files.iter().zip(&situation.live) {
        let path = file.path.as_str();
        let as_after = |digest| file.after.is_some_and(|after| after.digest == digest);
        match (file.before, *live) {
            (_, Live::File(digest)) if as_after(digest) => {}
            (Some(before), Live::File(digest)) if before == digest => {}
            (Some(_), Live::File(_)) => changed.push(path),
            (Some(_), Live::Missing) => missing.push(path),
            (None, Live::File(_)) => in_the_way.push(path),
            // Special files have a check of their own.
            (_, Live::Other | Live::Unreadable) | (None, Live::Missing) => {}
        }
    }
    let mut found = Vec::new();
    if !changed.is_empty() {
        found.push(warning(
            format!("locally modified: {}", some_of(&changed)),
            "They would be replaced; a rollback restores them.",
        ));
    }
    if !missing.is_empty() {
        found.push(warning(
            format!("locally missing: {}", some_of(&missing)),
            "They would be restored or left out, as the correction specifies.",
        ));
    }
    if !in_the_way.is_empty() {
        found.push(warning(
            format!(
                "local files where the correction adds a file: {}",
                some_of(&in_the_way)
            ),
            "They would be replaced; a rollback restores them.",
        ));
    }
    found
}
