//! Is everything as it would be afterwards?

use super::{Found, Situation, obstacle};
use crate::apply::plan::Live;

pub(super) fn check(situation: &Situation<'_>) -> Vec<Found> {
    let mut files = situation.correction.files.iter().zip(&situation.live);
    let applied = files.all(|(file, live)| match (&file.after, live) {
        (Some(after), Live::File(digest)) => after.digest == *digest,
        (None, Live::Missing) => true,
        _ => false,
    });
    if applied {
        vec![obstacle(
            "every file already matches the correction",
            "Nothing needs to be done.",
        )]
    } else {
        Vec::new()
    }
}
