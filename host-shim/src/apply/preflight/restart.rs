//! Does something have to restart that nobody here can restart?

use spacecp_contract::Restart;

use super::{Found, Situation, information, obstacle};

pub(super) fn check(situation: &Situation<'_>) -> Vec<Found> {
    let component = &situation.component.name;
    let panel = situation.correction.restart == Restart::Panel;
    if situation.control.can_restart(component) {
        if panel && !situation.watched {
            return vec![obstacle(
                "the panel has to be restarted, and nothing would go on while it is stopped",
                "Say under [apply] where the program spacecp-advisories is, or apply it with that.",
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
        format!("{what} has to be restarted, and how that is done is not configured"),
        "Restart it by hand afterwards, or say how under [component.control].",
    )]
}
