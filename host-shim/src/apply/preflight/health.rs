//! Is the health check configured that the correction names?

use super::{Found, Situation, obstacle};

pub(super) fn check(situation: &Situation<'_>) -> Vec<Found> {
    let Some(check) = &situation.correction.health else {
        return Vec::new();
    };
    let component = &situation.component.name;
    if situation.control.has_check(component, check) {
        return Vec::new();
    }
    vec![obstacle(
        format!(
            "the correction names the health check {check:?}, and {component} has none of that name"
        ),
        "Say under [[component.health]] how to see that it is well.",
    )]
}
