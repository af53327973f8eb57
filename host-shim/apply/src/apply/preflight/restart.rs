//! Does something have to restart that nobody here can restart?

use spacecp_contract::Restart;

use super::{Found, Situation, information, obstacle};

pub(super) fn check(situation: &Situation<'_>) -> Vec<Found> {
    let component = &situation.component.name;
    let panel = situation.correction.restart == Restart::Panel;
    if situation.surroundings.control.can_restart(component) {
        if panel && !situation.surroundings.watched {
            return vec![obstacle(
                "the panel must restart, and no detached helper is configured to continue meanwhile",
                "Configure the path of spacecp-advisories under [apply], or apply with that program.",
            )];
        }
        return Vec::new();
    }
    let what = match situation.correction.restart {
        Restart::None => return Vec::new(),
        Restart::Component => component.as_str(),
        Restart::Panel => "the panel",
    };
    // Good to know, and no more: the correction is as good as it was before panels could restart
    // anything, and a word for each would only teach people to give it unread.
    vec![information(
        format!("{what} must restart, but no restart is configured"),
        "Restart it by hand afterwards, or configure it under [component.control].",
    )]
}
