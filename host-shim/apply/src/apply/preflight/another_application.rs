//! Is another application of this component under way?

use super::{Found, Situation, obstacle};

pub(super) fn check(situation: &Situation<'_>) -> Vec<Found> {
    let found = |id: &String| {
        obstacle(
            format!("apply run {id} is in progress"),
            "Wait until it has ended.",
        )
    };
    situation.surroundings.under_way.iter().map(found).collect()
}
