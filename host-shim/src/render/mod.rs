//! Draws a page: for a browser, for a terminal, for a script. One value, three drawings.
//!
//! A page's texts are a stranger's. Every drawing escapes all of them, and draws every button and
//! form itself: no markup, script, form or control sequence can come out of a page.

mod decisions;
pub mod html;
pub mod json;
pub(crate) mod policy_form;
pub mod terminal;
pub(crate) mod text;

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
    }
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
