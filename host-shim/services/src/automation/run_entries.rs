//! Lines of a run, from what the plugin planned and the shim refused. Texts of the plugin's are a
//! stranger's: they are kept no longer than is useful.

use jiff::Timestamp;

use super::{Fate, Line};
use crate::{
    plugin::bindings::exports::spacecp::advisories::automation::Action,
    plugin_runtime::bounded_text as text,
    policy::{Asked, Refusal},
};

pub(crate) fn asked(action: &Action) -> Asked {
    Asked {
        correction: action.correction.id.clone(),
        revision: action.correction.revision,
        component: action.component.clone(),
    }
}

pub(crate) fn names(action: &Action) -> (String, u64, String) {
    (
        action.correction.id.clone(),
        action.correction.revision,
        action.component.clone(),
    )
}

pub(crate) fn line(action: &Action, fate: Fate) -> Line {
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

pub(crate) fn held(action: &Action) -> Line {
    let due = action.due.map(Timestamp::from_second);
    Line {
        due: due.and_then(Result::ok),
        ..line(action, Fate::Held)
    }
}

pub(crate) fn refused_line(action: &Action, refusal: &Refusal) -> Line {
    Line {
        reason: text(&refusal.to_string()),
        refusal: Some(refusal.word().to_owned()),
        due: refusal.due(),
        ..line(action, Fate::Refused)
    }
}
