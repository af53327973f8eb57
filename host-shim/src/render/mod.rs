//! Draws a page: for a browser, for a terminal, for a script. One value, three drawings.
//!
//! A page's texts are a stranger's. Every drawing escapes all of them, and draws every button and
//! form itself: no markup, script, form or control sequence can come out of a page.

pub(crate) mod appointments;
mod blocks;
mod chart;
mod decisions;
pub(crate) mod exposures;
pub mod html;
pub mod json;
mod listing;
pub(crate) mod marks;
pub(crate) mod notifications;
pub(crate) mod policy_form;
pub(crate) mod progress;
pub(crate) mod report_form;
pub mod terminal;
pub(crate) mod text;

pub(crate) use listing::Asked;
pub use listing::whole;

use crate::plugin::bindings::exports::spacecp::advisories::pages::{Place, Tone};

/// The path of a page below the panel's address.
pub fn path(place: &Place) -> String {
    match place {
        Place::Overview => "/".to_owned(),
        Place::Advisories => "/advisories".to_owned(),
        // An id that is one has nothing in it that means something in a path; what is not one leads
        // nowhere.
        Place::Advisory(id) => match spacecp_contract::DocumentId::new(id.clone()) {
            Ok(id) => format!("/advisories/{id}"),
            Err(_) => "/advisories".to_owned(),
        },
        Place::History => "/history".to_owned(),
        Place::Components => "/components".to_owned(),
    }
}

/// The path of the shim's own page about what a correction changes in a component.
pub(crate) fn changes(correction: &str, component: &str) -> String {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    query.append_pair("correction", correction);
    query.append_pair("component", component);
    format!("/changes?{}", query.finish())
}

/// The word for a tone, for those who see no colour.
fn tone_word(tone: Tone) -> &'static str {
    match tone {
        Tone::Neutral => "neutral",
        Tone::Good => "good",
        Tone::Information => "information",
        Tone::Warning => "warning",
        Tone::Danger => "danger",
        Tone::Embargo => "embargo",
    }
}
