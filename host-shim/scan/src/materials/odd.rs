//! Sets right what single items of a list have of the wrong type, so that they do not cost the list: numbers where
//! texts should be become texts, anything else is taken away and named.

use serde_json::{Map, Value};

use crate::Why;

/// Items that are named one by one.
const MOST: usize = 20;

/// The fields of `CycloneDX` and SPDX 2 that hold a text wherever they are.
const TEXTS: [&str; 14] = [
    "bomFormat",
    "name",
    "primaryPackagePurpose",
    "purl",
    "referenceLocator",
    "referenceType",
    "scope",
    "sourceInfo",
    "spdxVersion",
    "specVersion",
    "type",
    "value",
    "version",
    "versionInfo",
];

/// Those that hold a list of objects.
const LISTS: [&str; 4] = ["components", "externalRefs", "packages", "properties"];

/// Those that hold an object.
const OBJECTS: [&str; 2] = ["component", "metadata"];

/// Sets a list right; what was taken away.
pub(super) fn set_right(list: &mut Value) -> Vec<Why> {
    let mut odd = Odd::default();
    if let Value::Object(list) = list {
        // The version of the list itself is a number, as it should be, and nobody asks for it.
        list.remove("version");
        odd.object(list);
    }
    if odd.more > 0 {
        odd.whys.push(Why::More(odd.more));
    }
    odd.whys
}

#[derive(Default)]
struct Odd {
    whys: Vec<Why>,
    more: u64,
}

impl Odd {
    /// Recursion ends where the reader of JSON refuses to go deeper, or that of XML.
    fn object(&mut self, object: &mut Map<String, Value>) {
        let called = object.get("name").or_else(|| object.get("purl"));
        let called = called
            .and_then(Value::as_str)
            .unwrap_or("an item")
            .to_owned();
        // "version" of an external reference, "name" of a licence and the like are nobody's concern here.
        object.retain(|name, value| match name.as_str() {
            name if TEXTS.contains(&name) => self.text(&called, name, value),
            name if LISTS.contains(&name) => self.list(&called, name, value),
            name if OBJECTS.contains(&name) => match value {
                Value::Object(inner) => {
                    self.object(inner);
                    true
                }
                Value::Null => false,
                _ => self.take(&called, name),
            },
            _ => true,
        });
    }

    fn text(&mut self, called: &str, name: &str, value: &mut Value) -> bool {
        match value {
            Value::String(_) => true,
            Value::Number(number) => {
                *value = Value::String(number.to_string());
                true
            }
            Value::Null => false,
            _ => self.take(called, name),
        }
    }

    fn list(&mut self, called: &str, name: &str, value: &mut Value) -> bool {
        let items = match value {
            Value::Array(items) => items,
            Value::Null => return false,
            _ => return self.take(called, name),
        };
        items.retain_mut(|item| match item {
            Value::Object(item) => {
                self.object(item);
                true
            }
            _ => self.take(called, name),
        });
        true
    }

    /// Names what is taken away.
    fn take(&mut self, called: &str, name: &str) -> bool {
        if self.whys.len() < MOST {
            let called: String = called.chars().take(100).collect();
            let reason = format!("{name} of {called} is of another type");
            self.whys
                .push(Why::malformed("an item of a list of materials", reason));
        } else {
            self.more += 1;
        }
        false
    }
}
