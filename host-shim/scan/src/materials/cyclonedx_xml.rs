//! `CycloneDX` in XML (ECMA-424), as the same list in JSON. Entities that a document defines itself are not followed.

use quick_xml::{
    Reader,
    escape::unescape,
    events::{BytesStart, Event},
};
use serde_json::{Map, Value, json};

use crate::Why;

/// Levels of components inside one another.
const DEEPEST: usize = 64;

/// An element that is open.
enum Open {
    /// A component, or the list itself.
    Object(Map<String, Value>),
    /// A list of components or of properties.
    List(Vec<Value>),
    /// What is a text.
    Text(String),
    /// What nobody asks for.
    Other,
}

pub(super) fn read(text: &str) -> Result<Value, Why> {
    let broken = |error: quick_xml::Error| Why::malformed("XML", error);
    let mut reader = Reader::from_str(text);
    reader.config_mut().expand_empty_elements = true;
    let mut open: Vec<(String, Open)> = Vec::new();
    loop {
        match reader.read_event().map_err(broken)? {
            Event::Start(element) => {
                let name = local_name(&element);
                if open.is_empty() {
                    is_bill(&name, &element)?;
                }
                if open.len() > DEEPEST {
                    return Err(Why::malformed("XML", "nested too deep"));
                }
                let what = opened(&name, &element, open.last().map(|(_, open)| open));
                open.push((name, what));
            }
            Event::Text(text) => {
                if let Some((_, Open::Text(said))) = open.last_mut() {
                    said.push_str(&String::from_utf8_lossy(&text));
                }
            }
            Event::CData(text) => {
                if let Some((_, Open::Text(said))) = open.last_mut() {
                    said.push_str(&String::from_utf8_lossy(&text));
                }
            }
            Event::GeneralRef(name) => {
                if let Some((_, Open::Text(said))) = open.last_mut() {
                    let entity = format!("&{};", String::from_utf8_lossy(&name));
                    said.push_str(&unescape(&entity).unwrap_or_default());
                }
            }
            Event::End(_) => {
                let Some((name, what)) = open.pop() else {
                    return Err(Why::malformed("XML", "ends what did not begin"));
                };
                let value = match what {
                    Open::Object(object) => Value::Object(object),
                    Open::List(items) => Value::Array(items),
                    Open::Text(text) => Value::String(text.trim().to_owned()),
                    Open::Other => continue,
                };
                match open.last_mut() {
                    None => return Ok(value),
                    Some((_, around)) => put(around, &name, value),
                }
            }
            Event::Eof => return Err(Why::malformed("XML", "it breaks off")),
            _ => {}
        }
    }
}

fn local_name(element: &BytesStart<'_>) -> String {
    String::from_utf8_lossy(element.local_name().as_ref()).into_owned()
}

fn is_bill(name: &str, element: &BytesStart<'_>) -> Result<(), Why> {
    match name {
        "bom" => Ok(()),
        "RDF" => Err(Why::NotRead("SPDX in RDF/XML".to_owned())),
        _ => {
            let name = String::from_utf8_lossy(element.name().as_ref()).into_owned();
            Err(Why::malformed(
                "a bill of materials",
                format!("the XML is of <{name}>"),
            ))
        }
    }
}

/// What an element is, by what it lies in: names and versions are those of components alone.
fn opened(name: &str, element: &BytesStart<'_>, around: Option<&Open>) -> Open {
    let attribute = |name: &str| {
        let found = element.try_get_attribute(name).ok()??;
        Some(String::from_utf8_lossy(&found.value).into_owned())
    };
    let object = |attributes: &[&str]| {
        let said = attributes
            .iter()
            .filter_map(|name| Some(((*name).to_owned(), Value::String(attribute(name)?))));
        Open::Object(said.collect())
    };
    match (name, around) {
        ("bom", None) => {
            let mut list = Map::new();
            list.insert("bomFormat".to_owned(), json!("CycloneDX"));
            list.extend(
                attribute("serialNumber").map(|serial| ("serialNumber".to_owned(), json!(serial))),
            );
            Open::Object(list)
        }
        ("metadata", Some(Open::Object(_))) => Open::Object(Map::new()),
        ("component", Some(Open::Object(_) | Open::List(_))) => object(&["type", "bom-ref"]),
        (
            "components" | "properties" | "compositions" | "externalReferences" | "dependencies"
            | "services",
            Some(Open::Object(_)),
        ) => Open::List(Vec::new()),
        // What the list says that it leaves out.
        ("composition" | "reference" | "service" | "dependency", Some(Open::List(_))) => {
            object(&["type", "bom-ref", "ref"])
        }
        ("dependency", Some(Open::Object(_))) => object(&["ref"]),
        ("aggregate" | "url", Some(Open::Object(_))) => Open::Text(String::new()),
        ("property", Some(Open::List(_))) => {
            // Its name is an attribute and its value the text, which becomes one when it ends.
            Open::Text(attribute("name").map_or_else(String::new, |name| format!("{name}\u{0}")))
        }
        ("name" | "group" | "version" | "purl" | "scope", Some(Open::Object(_))) => {
            Open::Text(String::new())
        }
        _ => Open::Other,
    }
}

fn put(around: &mut Open, name: &str, value: Value) {
    match (around, name, value) {
        // What one depends on lies inside it.
        (Open::Object(object), "dependency", Value::Object(needed)) => {
            let needed = needed.get("ref").cloned();
            let all = object.entry("dependsOn").or_insert_with(|| json!([]));
            if let (Value::Array(all), Some(needed)) = (all, needed) {
                all.push(needed);
            }
        }
        // A list that is there twice is one.
        (Open::Object(object), name, Value::Array(mut items)) => match object.get_mut(name) {
            Some(Value::Array(before)) => before.append(&mut items),
            _ => drop(object.insert(name.to_owned(), Value::Array(items))),
        },
        (Open::Object(object), name, value) => drop(object.insert(name.to_owned(), value)),
        (Open::List(items), "property", Value::String(property)) => {
            if let Some((name, value)) = property.split_once('\u{0}') {
                items.push(json!({ "name": name, "value": value.trim() }));
            }
        }
        (Open::List(items), _, value) => items.push(value),
        (Open::Text(_) | Open::Other, ..) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_in_xml_is_the_same_in_json() {
        let xml = r#"<bom:bom xmlns:bom="http://cyclonedx.org/schema/bom/1.6" serialNumber="urn:x">
            <!-- a comment --><bom:metadata><bom:tools><bom:tool><bom:name>syft</bom:name></bom:tool></bom:tools>
            <bom:component type="application"><bom:name>tower</bom:name><bom:version>2.1.0</bom:version></bom:component></bom:metadata>
            <bom:components><bom:component type="library"><bom:licenses><bom:license><bom:name>MIT</bom:name></bom:license></bom:licenses>
              <bom:name>a &amp; b</bom:name><bom:purl><![CDATA[pkg:npm/a@1]]></bom:purl><bom:scope>excluded</bom:scope>
              <bom:properties><bom:property name="p">v</bom:property></bom:properties>
              <bom:components><bom:component type="library"><bom:name>c</bom:name></bom:component></bom:components></bom:component></bom:components></bom:bom>"#;
        let list = read(xml).unwrap();
        assert_eq!(
            list,
            json!({
                "bomFormat": "CycloneDX",
                "serialNumber": "urn:x",
                "metadata": { "component": { "type": "application", "name": "tower", "version": "2.1.0" } },
                "components": [{
                    "type": "library", "name": "a & b", "purl": "pkg:npm/a@1", "scope": "excluded",
                    "properties": [{ "name": "p", "value": "v" }],
                    "components": [{ "type": "library", "name": "c" }],
                }],
            })
        );
    }

    #[test]
    fn what_a_list_leaves_out_is_said_in_both_formats() {
        let xml = r#"<bom><components><component bom-ref="a"><externalReferences><reference type="bom"><url>urn:cdx:1/1</url></reference></externalReferences></component></components>
            <dependencies><dependency ref="a"><dependency ref="b"/></dependency></dependencies>
            <compositions><composition><aggregate>incomplete</aggregate></composition></compositions></bom>"#;
        let expected = json!({
            "bomFormat": "CycloneDX",
            "components": [{ "bom-ref": "a", "externalReferences": [{ "type": "bom", "url": "urn:cdx:1/1" }] }],
            "dependencies": [{ "ref": "a", "dependsOn": ["b"] }],
            "compositions": [{ "aggregate": "incomplete" }],
        });
        assert_eq!(read(xml).unwrap(), expected);
    }

    #[test]
    fn other_documents_depth_and_what_breaks_off_are_refused() {
        assert!(read("<html></html>").is_err());
        assert!(matches!(read("<rdf:RDF></rdf:RDF>"), Err(Why::NotRead(_))));
        assert!(read("<bom><components>").is_err());
        let deep = format!("<bom>{}", "<components><component>".repeat(10_000));
        assert!(read(&deep).is_err());
    }
}
