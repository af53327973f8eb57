//! Lines of a run, from what the plugin planned and the shim refused. Texts of the plugin's are a
//! stranger's: they are kept no longer than is useful.

use jiff::Timestamp;

use crate::{
    automation::{Fate, Line},
    plugin::bindings::exports::spacecp::advisories::automation::Action,
    policy::{Asked, Refusal},
};

/// Characters of a text of the plugin's that are kept.
const LONGEST_TEXT: usize = 500;

pub(super) fn asked(action: &Action) -> Asked {
    Asked {
        correction: action.correction.id.clone(),
        revision: action.correction.revision,
        component: action.component.clone(),
    }
}

pub(super) fn names(action: &Action) -> (String, u64, String) {
    (
        action.correction.id.clone(),
        action.correction.revision,
        action.component.clone(),
    )
}

pub(super) fn line(action: &Action, fate: Fate) -> Line {
    Line {
        correction: text(&action.correction.id),
        revision: action.correction.revision,
        component: text(&action.component),
        advisories: action
            .advisories
            .iter()
            .take(100)
            .map(|id| text(id))
            .collect(),
        fate,
        reason: text(&action.reason),
        refusal: None,
        due: None,
        application: None,
    }
}

pub(super) fn held(action: &Action) -> Line {
    let due = action.due.map(Timestamp::from_second);
    Line {
        due: due.and_then(Result::ok),
        ..line(action, Fate::Held)
    }
}

pub(super) fn refused_line(action: &Action, refusal: &Refusal) -> Line {
    Line {
        reason: text(&refusal.to_string()),
        refusal: Some(refusal.word().to_owned()),
        due: refusal.due(),
        ..line(action, Fate::Refused)
    }
}

/// A stranger's text, no longer than is useful.
pub(super) fn text(text: &str) -> String {
    text.chars().take(LONGEST_TEXT).collect()
}
