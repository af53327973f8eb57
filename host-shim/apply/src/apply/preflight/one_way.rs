//! Is there a way back?

use super::{Found, Situation, warning};

pub(super) fn check(situation: &Situation<'_>) -> Vec<Found> {
    if situation.correction.reversible {
        return Vec::new();
    }
    vec![warning(
        "one-way correction: the old version may be unable to read data written by the new one after a rollback",
        "Back up the component's data first.",
    )]
}
