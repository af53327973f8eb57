//! Is another application of this component under way?

use super::{Found, Situation, obstacle};

pub(super) fn check(situation: &Situation<'_>) -> Vec<Found> {
    let found = |id: &String| {
        obstacle(
            format!("the application {id} is under way"),
            "Wait until it has ended.",
        )
    };
    situation.under_way.iter().map(found).collect()
}
