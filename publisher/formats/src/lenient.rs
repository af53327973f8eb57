//! Parts of a document that are not as its format has them, and that decide nothing: each costs itself, by name, and never
//! the document.
//!
//! What decides about versions is never left out here. Whoever reads it says that it could not be read.

use std::{borrow::Cow, collections::BTreeSet};

use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::Remark;

/// A part that a document may lose.
pub(crate) struct Part {
    /// The names on the way to it; `*` is every item of a list.
    path: &'static [&'static str],
    fits: fn(&Value) -> Result<(), String>,
}

/// A part at this path, which has to be read as this type.
pub(crate) const fn part<T: DeserializeOwned>(path: &'static [&'static str]) -> Part {
    Part {
        path,
        fits: |value| match T::deserialize(value) {
            Ok(_) => Ok(()),
            Err(error) => Err(error.to_string()),
        },
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Step {
    Name(&'static str),
    Place(usize),
}

/// The document without the parts that do not fit, each of which is named. One that is `null` is not there.
pub(crate) fn without_odd<'a>(
    document: &'a Value,
    parts: &[Part],
    remarks: &mut Vec<Remark>,
) -> Cow<'a, Value> {
    let mut odd = Vec::new();
    for part in parts {
        find(document, part.path, part.fits, &mut Vec::new(), &mut odd);
    }
    if odd.is_empty() {
        return Cow::Borrowed(document);
    }
    let mut left = document.clone();
    // From the last: what is taken from a list moves what is behind it. What one list loses, it loses at once.
    for together in odd.chunk_by(in_one_list).rev() {
        remove(&mut left, together);
    }
    for (path, reason) in odd.iter().rev() {
        if let Some(reason) = reason {
            let field = written(path);
            let reason = format!("left out: {reason}");
            remarks.push(Remark { field, reason });
        }
    }
    Cow::Owned(left)
}

type Odd = (Vec<Step>, Option<String>);

fn find(
    value: &Value,
    path: &[&'static str],
    fits: fn(&Value) -> Result<(), String>,
    at: &mut Vec<Step>,
    odd: &mut Vec<Odd>,
) {
    let Some((name, rest)) = path.split_first() else {
        if let Err(reason) = fits(value) {
            odd.push((at.clone(), Some(reason).filter(|_| !value.is_null())));
        }
        return;
    };
    let mut inside = |step: Step, value: &Value| {
        at.push(step);
        find(value, rest, fits, at, odd);
        at.pop();
    };
    match (*name, value) {
        ("*", Value::Array(items)) => {
            for (place, item) in items.iter().enumerate() {
                inside(Step::Place(place), item);
            }
        }
        // A list that is none.
        ("*", _) if rest.is_empty() => {
            let reason = (!value.is_null()).then(|| "not a list".to_owned());
            odd.push((at.clone(), reason));
        }
        (name, Value::Object(fields)) => {
            if let Some(value) = fields.get(name) {
                inside(Step::Name(name), value);
            }
        }
        _ => {}
    }
}

fn in_one_list((one, _): &Odd, (other, _): &Odd) -> bool {
    let places = (one.split_last(), other.split_last());
    matches!(places, (Some((Step::Place(_), one)), Some((Step::Place(_), other))) if one == other)
}

/// Removes a part, or several items of one list.
fn remove(value: &mut Value, odd: &[Odd]) {
    let Some((last, way)) = odd.first().and_then(|(path, _)| path.split_last()) else {
        return;
    };
    let mut value = value;
    for step in way {
        let next = match step {
            Step::Name(name) => value.get_mut(name),
            Step::Place(place) => value.get_mut(place),
        };
        let Some(next) = next else {
            return;
        };
        value = next;
    }
    match (last, value) {
        (Step::Name(name), Value::Object(fields)) => {
            fields.remove(*name);
        }
        (Step::Place(_), Value::Array(items)) => {
            let gone = odd.iter().filter_map(|(path, _)| match path.last() {
                Some(Step::Place(place)) => Some(*place),
                _ => None,
            });
            let gone: BTreeSet<usize> = gone.collect();
            let mut place = 0;
            items.retain(|_| {
                place += 1;
                !gone.contains(&(place - 1))
            });
        }
        _ => {}
    }
}

fn written(path: &[Step]) -> String {
    let mut text = String::new();
    for step in path {
        match step {
            Step::Name(name) if text.is_empty() => text.push_str(name),
            Step::Name(name) => text.push_str(&format!(".{name}")),
            Step::Place(place) => text.push_str(&format!("[{place}]")),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn each_odd_part_costs_itself_and_is_named() {
        let parts = [
            part::<String>(&["names", "*"]),
            part::<u8>(&["all", "*", "count"]),
            part::<u8>(&["other", "*"]),
            part::<u8>(&["none", "*"]),
        ];
        let document = json!({
            "names": [1, "a", {}, "b"],
            "all": [{ "count": 1 }, { "count": "x" }, { "count": null }, 5],
            "other": "x",
            "none": null,
        });
        let mut remarks = Vec::new();
        let left = without_odd(&document, &parts, &mut remarks);
        assert_eq!(
            *left,
            json!({ "names": ["a", "b"], "all": [{ "count": 1 }, {}, {}, 5] })
        );
        let fields: Vec<&str> = remarks.iter().map(|remark| &*remark.field).collect();
        assert_eq!(fields, ["other", "all[1].count", "names[2]", "names[0]"]);
    }

    #[test]
    fn lists_in_lists_lose_what_is_odd_and_keep_the_rest_in_order() {
        let parts = [part::<String>(&["all", "*", "names", "*"])];
        let document = json!({ "all": [
            { "names": [1, "a", 2, "b", 3] }, { "names": ["c"] }, { "names": [4, "d"] },
        ] });
        let mut remarks = Vec::new();
        let left = without_odd(&document, &parts, &mut remarks);
        assert_eq!(
            *left,
            json!({ "all": [{ "names": ["a", "b"] }, { "names": ["c"] }, { "names": ["d"] }] })
        );
        assert_eq!(remarks.len(), 4);
    }

    #[test]
    fn a_document_without_odd_parts_is_left_alone() {
        let document = json!({ "names": ["a"] });
        let left = without_odd(
            &document,
            &[part::<String>(&["names", "*"])],
            &mut Vec::new(),
        );
        assert!(matches!(left, Cow::Borrowed(_)));
    }
}
