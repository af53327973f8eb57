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
    let packages = elements.iter().filter(|element| is_package(element));
    let packages: Vec<Value> = packages.map(|element| package(element)).collect();
    let others = elements
        .iter()
        .filter_map(|element| field(element, "import")?.as_array());
    let others: Vec<Value> = others.flatten().map(other_document).collect();
    let is_incomplete = |element: &&Value| {
        let completeness = field(element, "completeness").and_then(Value::as_str);
        completeness.is_some_and(|completeness| last_part(completeness) == "incomplete")
    };
    let incomplete = elements.iter().find(|element| is_incomplete(element));
    let compositions: Vec<Value> = incomplete
        .map(|_| json!({ "aggregate": "incomplete" }))
        .into_iter()
        .collect();
    Ok(json!({
        "spdxVersion": "SPDX-2.3", "packages": packages,
        "externalDocumentRefs": others, "compositions": compositions,
    }))
}

/// The last part of a name: `software_Package`, `software:Package`, `…/Software/Package`.
fn last_part(name: &str) -> &str {
    name.rsplit(['_', ':', '/']).next().unwrap_or(name)
}

fn is_package(element: &Value) -> bool {
    let kind = element.get("type").or_else(|| element.get("@type"));
    // Of JSON-LD's types there may be several. Those of AI and data are packages, too.
    let kinds = match kind {
        Some(Value::Array(kinds)) => kinds.as_slice(),
        Some(kind) => std::slice::from_ref(kind),
        None => &[],
    };
    let mut kinds = kinds.iter().filter_map(Value::as_str);
    kinds.any(|kind| matches!(last_part(kind), "Package" | "AIPackage" | "DatasetPackage"))
}

/// A document that elements are taken from, as SPDX 2 has it.
fn other_document(import: &Value) -> Value {
    let id = field(import, "externalSpdxId").and_then(Value::as_str);
    let place = field(import, "locationHint").and_then(Value::as_str);
    json!({ "externalDocumentId": id, "spdxDocument": place.or(id) })
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
    let identified = identifiers.into_iter().flatten().filter_map(|one| {
        let kind = field(one, "externalIdentifierType")?.as_str()?;
        let is_url = matches!(last_part(kind), "packageUrl" | "purl");
        is_url.then(|| field(one, "identifier")?.as_str())?
    });
    let refs: Vec<Value> = url
        .into_iter()
        .chain(identified)
        .map(|url| json!({ "referenceType": "purl", "referenceLocator": url }))
        .collect();
    if !refs.is_empty() {
        package.insert("externalRefs".to_owned(), Value::Array(refs));
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
                { "@type": ["https://spdx.org/rdf/3.0.1/terms/AI/AIPackage"], "name": "e", "software_packageUrl": "pkg:npm/e@1",
                  "externalIdentifier": [{ "externalIdentifierType": "packageUrl", "identifier": "pkg:npm/f@2" }] },
                { "type": "SpdxDocument", "import": [{ "type": "ExternalMap", "externalSpdxId": "urn:x" }] },
                { "type": "Relationship", "completeness": "incomplete" },
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
        assert_eq!(
            urls,
            [
                Some("pkg:npm/a@1"),
                Some("pkg:npm/b@2"),
                Some("pkg:npm/e@1"),
                None
            ]
        );
        let second = &packages[2]["externalRefs"][1]["referenceLocator"];
        assert_eq!(second, "pkg:npm/f@2");
        assert_eq!(read["externalDocumentRefs"][0]["spdxDocument"], "urn:x");
        assert_eq!(read["compositions"][0]["aggregate"], "incomplete");
    }
}
