//! Is the health check configured that the correction names?

use super::{Found, Situation, obstacle};

pub(super) fn check(situation: &Situation<'_>) -> Vec<Found> {
    let Some(check) = &situation.correction.health else {
        return Vec::new();
    };
    let component = &situation.component.name;
    if situation.surroundings.control.has_check(component, check) {
        return Vec::new();
    }
    vec![obstacle(
        format!(
            "the correction requires the health check {check:?}, which is not configured for {component}"
        ),
        "Configure the check under [[component.health]].",
    )]
}
