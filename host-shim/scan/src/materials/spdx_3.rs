//! SPDX 3 in JSON-LD (<https://spdx.github.io/spdx-spec/v3.0.1/serializations/>), as a list of SPDX 2.
//!
//! Packages are found by their type, which may be written with or without its profile, as `software_Package`,
//! `Package` or as an address that ends so; their URLs by `packageUrl` or an external identifier.

use serde_json::{Map, Value, json};

use crate::Why;

pub(super) fn is_it(list: &Value) -> bool {
    let context = list.get("@context").map(Value::to_string);
    context.is_some_and(|context| context.contains("spdx.org/rdf/3."))
}

pub(super) fn read(list: &Value) -> Result<Value, Why> {
    // One element alone may stand for itself.
    let elements: Vec<&Value> = match list.get("@graph") {
        Some(Value::Array(elements)) => elements.iter().collect(),
        Some(_) => return Err(Why::malformed("SPDX 3", "@graph is no list")),
        None => vec![list],
    };
    let packages = elements.into_iter().filter(|element| is_package(element));
    let packages: Vec<Value> = packages.map(package).collect();
    Ok(json!({ "spdxVersion": "SPDX-2.3", "packages": packages }))
}

/// The last part of a name: `software_Package`, `software:Package`, `…/Software/Package`.
fn last_part(name: &str) -> &str {
    name.rsplit(['_', ':', '/']).next().unwrap_or(name)
}

fn is_package(element: &Value) -> bool {
    let kind = element.get("type").or_else(|| element.get("@type"));
    kind.and_then(Value::as_str)
        .is_some_and(|kind| last_part(kind) == "Package")
}

/// A field of an element, with or without its profile.
fn field<'a>(element: &'a Value, wanted: &str) -> Option<&'a Value> {
    let fields = element.as_object()?;
    let mut fields = fields.iter();
    fields
        .find(|(name, _)| last_part(name) == wanted)
        .map(|(_, value)| value)
}

fn package(element: &Value) -> Value {
    let mut package = Map::new();
    for (name, wanted) in [
        ("name", "name"),
        ("versionInfo", "packageVersion"),
        ("sourceInfo", "sourceInfo"),
    ] {
        package.extend(field(element, wanted).map(|value| (name.to_owned(), value.clone())));
    }
    if let Some(Value::String(purpose)) = field(element, "primaryPurpose") {
        let purpose = match last_part(purpose) {
            "operatingSystem" => "OPERATING-SYSTEM".to_owned(),
            other => other.to_uppercase(),
        };
        package.insert("primaryPackagePurpose".to_owned(), json!(purpose));
    }
    let url = field(element, "packageUrl").and_then(Value::as_str);
    let identifiers = field(element, "externalIdentifier").and_then(Value::as_array);
    let identified = identifiers.into_iter().flatten().find_map(|one| {
        let kind = field(one, "externalIdentifierType")?.as_str()?;
        let is_url = matches!(last_part(kind), "packageUrl" | "purl");
        is_url.then(|| field(one, "identifier")?.as_str())?
    });
    if let Some(url) = url.or(identified) {
        let refs = json!([{ "referenceType": "purl", "referenceLocator": url }]);
        package.insert("externalRefs".to_owned(), refs);
    }
    Value::Object(package)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packages_are_found_however_their_types_are_written() {
        let list = json!({
            "@context": "https://spdx.org/rdf/3.0.1/spdx-context.jsonld",
            "@graph": [
                { "type": "software_Package", "name": "a", "software_packageVersion": "1", "software_packageUrl": "pkg:npm/a@1" },
                { "@type": "https://spdx.org/rdf/3.0.1/terms/Software/Package", "name": "b",
                  "externalIdentifier": [{ "externalIdentifierType": "packageUrl", "identifier": "pkg:npm/b@2" }] },
                { "type": "software_File", "name": "c" },
                { "type": "software_Package", "name": "d" },
            ],
        });
        assert!(is_it(&list));
        let read = read(&list).unwrap();
        let packages = read["packages"].as_array().unwrap();
        let urls: Vec<_> = packages
            .iter()
            .map(|package| package["externalRefs"][0]["referenceLocator"].as_str())
            .collect();
        assert_eq!(urls, [Some("pkg:npm/a@1"), Some("pkg:npm/b@2"), None]);
    }
}
