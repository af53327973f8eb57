//! The paths of pages below the panel's address.

use spacecp_plugin_host::bindings::exports::spacecp::advisories::pages::Place;

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
