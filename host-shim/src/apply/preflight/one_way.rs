//! Is there a way back?

use super::{Found, Situation, warning};

pub(super) fn check(situation: &Situation<'_>) -> Vec<Found> {
    if situation.correction.reversible {
        return Vec::new();
    }
    vec![warning(
        "its vendor says that it cannot simply be taken back: the old version may not cope with what the new one writes",
        "Make a copy of the component's data first.",
    )]
}
