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
            format!("changed on this machine: {}", some_of(&changed)),
            "They would be replaced; the present ones stay in the old tree.",
        ));
    }
    if !missing.is_empty() {
        found.push(warning(
            format!("missing on this machine: {}", some_of(&missing)),
            "They would be put back or left out, as the correction says.",
        ));
    }
    if !in_the_way.is_empty() {
        found.push(warning(
            format!(
                "not the vendor's, and where the correction adds a file: {}",
                some_of(&in_the_way)
            ),
            "They would be replaced; the present ones stay in the old tree.",
        ));
    }
    found
}
