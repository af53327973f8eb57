//! A page as JSON: the contract's own structure, with the embargo said first.

use serde_json::{Value, json};
use spacecp_plugin_host::bindings::exports::spacecp::advisories::pages::Page;

/// The page as a value.
pub fn page(page: &Page) -> Value {
    let blocks =
        serde_json::to_value(&page.blocks).expect("a page holds texts, numbers and lists only");
    json!({ "embargo": page.embargo, "title": page.title, "blocks": blocks })
}
