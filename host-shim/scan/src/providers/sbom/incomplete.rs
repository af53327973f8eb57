//! What a bill of materials says that it leaves out: what is in another document, what is incomplete, and what it
//! refers to and does not list. It names no component.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::Why;

/// What is named one by one.
const MOST: usize = 20;

/// Relationships of SPDX 2 by which one package brings another along.
const BRINGS: [&str; 6] = [
    "CONTAINS",
    "DEPENDS_ON",
    "DESCRIBES",
    "DYNAMIC_LINK",
    "RUNTIME_DEPENDENCY_OF",
    "STATIC_LINK",
];

/// What a list in either format leaves out by its own account.
pub(super) fn incomplete(list: &Value) -> Vec<Why> {
    let mut left_out = LeftOut::default();
    for composition in items(list, "compositions") {
        let aggregate = text(composition, "aggregate").unwrap_or_default();
        if aggregate.starts_with("incomplete") || aggregate == "unknown" {
            left_out.aggregates.insert(aggregate.to_owned());
        }
    }
    if list.get("bomFormat").is_some() {
        left_out.cyclonedx(list);
    } else {
        left_out.spdx(list);
    }
    left_out.whys()
}

#[derive(Default)]
struct LeftOut {
    /// How a list calls itself incomplete.
    aggregates: BTreeSet<String>,
    /// Other documents.
    documents: BTreeSet<String>,
    /// What is referred to and not listed.
    dangling: BTreeSet<String>,
}

impl LeftOut {
    fn cyclonedx(&mut self, list: &Value) {
        let serial = text(list, "serialNumber").unwrap_or_default();
        let own = serial.replace("urn:uuid:", "urn:cdx:");
        let about = list
            .get("metadata")
            .and_then(|metadata| metadata.get("component"));
        let mut known: BTreeSet<&str> = BTreeSet::new();
        self.references(list, &own);
        for component in about.into_iter().chain(items(list, "components")) {
            self.component(component, &own, &mut known);
        }
        known.extend(items(list, "services").filter_map(|service| text(service, "bom-ref")));
        for dependency in items(list, "dependencies") {
            let needed = dependency.get("dependsOn").and_then(Value::as_array);
            let needed = needed.into_iter().flatten().filter_map(Value::as_str);
            for reference in needed.chain(text(dependency, "ref")) {
                if is_link(reference, &own) {
                    self.documents.insert(reference.to_owned());
                } else if !reference.starts_with("urn:cdx:") && !known.contains(reference) {
                    self.dangling.insert(reference.to_owned());
                }
            }
        }
        // Without marks nothing can be referred to.
        if known.is_empty() {
            self.dangling.clear();
        }
    }

    /// Recursion ends where the reader of JSON refuses to go deeper.
    fn component<'a>(&mut self, component: &'a Value, own: &str, known: &mut BTreeSet<&'a str>) {
        known.extend(text(component, "bom-ref"));
        self.references(component, own);
        for inner in items(component, "components") {
            self.component(inner, own, known);
        }
    }

    /// References of what brings along the contents of another list.
    fn references(&mut self, of: &Value, own: &str) {
        for reference in items(of, "externalReferences") {
            let url = text(reference, "url").unwrap_or("(no address)");
            let is_list = text(reference, "type") == Some("bom") && !is_own(url, own);
            if is_list || is_link(url, own) {
                self.documents.insert(url.to_owned());
            }
        }
    }

    fn spdx(&mut self, list: &Value) {
        for document in items(list, "externalDocumentRefs") {
            let address = text(document, "spdxDocument");
            let address = address.or_else(|| text(document, "externalDocumentId"));
            self.documents
                .insert(address.unwrap_or("(no address)").to_owned());
        }
        let listed = ["packages", "files", "snippets"];
        let mut known: BTreeSet<&str> = listed
            .iter()
            .flat_map(|name| items(list, name))
            .filter_map(|element| text(element, "SPDXID"))
            .collect();
        known.extend(text(list, "SPDXID"));
        for relationship in items(list, "relationships") {
            let kind = text(relationship, "relationshipType").unwrap_or_default();
            let other = text(relationship, "relatedSpdxElement").unwrap_or_default();
            if BRINGS.contains(&kind) && other.starts_with("SPDXRef-") && !known.contains(other) {
                self.dangling.insert(other.to_owned());
            }
        }
    }

    fn whys(self) -> Vec<Why> {
        let short = |text: &str| text.chars().take(200).collect::<String>();
        let aggregates = self.aggregates.iter().map(|aggregate| {
            Why::Missing(format!(
                "what the SBOM leaves out: it says that it is {}",
                short(aggregate)
            ))
        });
        let documents = self.documents.iter().map(|document| {
            Why::NotRead(format!("a reference to another SBOM, {},", short(document)))
        });
        let mut whys: Vec<Why> = aggregates.take(MOST).chain(documents.take(MOST)).collect();
        let more = self.documents.len().saturating_sub(MOST) as u64;
        whys.extend((more > 0).then_some(Why::More(more)));
        if let Some(first) = self.dangling.first() {
            whys.push(Why::Missing(format!(
                "{} components that the SBOM refers to and does not list, the first {}",
                self.dangling.len(),
                short(first)
            )));
        }
        whys
    }
}

/// Whether an address is of another list (BOM-Link).
fn is_link(url: &str, own: &str) -> bool {
    url.starts_with("urn:cdx:") && !is_own(url, own)
}

fn is_own(url: &str, own: &str) -> bool {
    let rest = url
        .strip_prefix(own)
        .filter(|_| own.starts_with("urn:cdx:"));
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '#']))
}

fn items<'a>(of: &'a Value, name: &str) -> impl Iterator<Item = &'a Value> + use<'a> {
    let items = of.get(name).and_then(Value::as_array);
    items.into_iter().flatten()
}

fn text<'a>(of: &'a Value, name: &str) -> Option<&'a str> {
    of.get(name)?.as_str()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn left_out(list: Value) -> Vec<String> {
        incomplete(&list).iter().map(Why::to_string).collect()
    }

    #[test]
    fn what_a_list_says_that_it_leaves_out_is_named() {
        for list in [
            json!({"bomFormat": "CycloneDX", "compositions": [{"aggregate": "incomplete_third_party_only"}]}),
            json!({"bomFormat": "CycloneDX", "externalReferences": [{"type": "bom", "url": "https://example.org/bom.json"}]}),
            json!({"bomFormat": "CycloneDX", "components": [{"components": [{"externalReferences": [{"type": "other", "url": "urn:cdx:1/1"}]}]}]}),
            json!({"bomFormat": "CycloneDX", "dependencies": [{"ref": "a", "dependsOn": ["urn:cdx:1/1#b"]}]}),
            json!({"bomFormat": "CycloneDX", "components": [{"bom-ref": "a"}], "dependencies": [{"ref": "a", "dependsOn": ["b", "c"]}]}),
            json!({"spdxVersion": "SPDX-2.3", "externalDocumentRefs": [{"externalDocumentId": "DocumentRef-a"}]}),
            json!({"spdxVersion": "SPDX-2.3", "packages": [{"SPDXID": "SPDXRef-1"}],
                "relationships": [{"spdxElementId": "SPDXRef-1", "relationshipType": "CONTAINS", "relatedSpdxElement": "SPDXRef-2"}]}),
        ] {
            assert_eq!(left_out(list.clone()).len(), 1, "{list}");
        }
    }

    #[test]
    fn a_whole_list_and_what_refers_to_itself_leave_out_nothing() {
        for list in [
            json!({"bomFormat": "CycloneDX", "compositions": [{"aggregate": "complete"}, {"aggregate": "not_specified"}]}),
            json!({"bomFormat": "CycloneDX", "serialNumber": "urn:uuid:1", "dependencies": [{"ref": "urn:cdx:1/1#a"}]}),
            json!({"bomFormat": "CycloneDX", "externalReferences": [{"type": "website", "url": "https://example.org"}]}),
            json!({"bomFormat": "CycloneDX", "metadata": {"component": {"bom-ref": "a"}}, "services": [{"bom-ref": "s"}],
                "components": [{"bom-ref": "b"}], "dependencies": [{"ref": "a", "dependsOn": ["b", "s"]}]}),
            json!({"spdxVersion": "SPDX-2.3", "SPDXID": "SPDXRef-DOCUMENT", "files": [{"SPDXID": "SPDXRef-2"}],
                "relationships": [{"relationshipType": "CONTAINS", "relatedSpdxElement": "SPDXRef-2"}]}),
        ] {
            assert_eq!(left_out(list.clone()), [""; 0], "{list}");
        }
    }
}
