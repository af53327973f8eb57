//! The advisories plugin: decisions and presentation.
#![allow(missing_docs, unsafe_code)]
mod bindings {
    wit_bindgen::generate!({ path: "../wit", world: "plugin", pub_export_macro: true });
}
struct Plugin;
use bindings::exports::spacecp::advisories as e;
impl e::exposure::Guest for Plugin {
    fn refresh() -> Result<e::exposure::Summary, e::exposure::Error> {
        let _ = bindings::spacecp::advisories::documents::since(None, 10);
        let _ = bindings::spacecp::advisories::state::get("x");
        todo!()
    }
    fn report() -> Result<e::exposure::ExposureReport, e::exposure::Error> {
        todo!()
    }
}
impl e::automation::Guest for Plugin {
    fn plan(_now: i64) -> Result<Vec<e::automation::Action>, e::automation::Error> {
        todo!()
    }
}
impl e::pages::Guest for Plugin {
    fn render(_r: e::pages::Request) -> Result<e::pages::Page, e::pages::Error> {
        todo!()
    }
}
bindings::export!(Plugin with_types_in bindings);
