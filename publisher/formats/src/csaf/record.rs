//! The parts of a CSAF document that decide something here. All others are kept without a name.

use serde::Deserialize;

#[derive(Debug, Deserialize)]
pub(super) struct Record {
    pub(super) document: Document,
    #[serde(default)]
    pub(super) product_tree: ProductTree,
    #[serde(default)]
    pub(super) vulnerabilities: Vec<Vulnerability>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Document {
    pub(super) category: String,
    pub(super) csaf_version: String,
    pub(super) title: String,
    pub(super) distribution: Option<Distribution>,
    #[serde(default)]
    pub(super) notes: Vec<Note>,
    #[serde(default)]
    pub(super) acknowledgments: Vec<Acknowledgment>,
    #[serde(default)]
    pub(super) references: Vec<Reference>,
    pub(super) tracking: Tracking,
}

#[derive(Debug, Deserialize)]
pub(super) struct Distribution {
    pub(super) tlp: Option<Label>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Label {
    pub(super) label: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct Tracking {
    pub(super) id: String,
    pub(super) status: String,
    pub(super) initial_release_date: String,
    pub(super) current_release_date: String,
    #[serde(default)]
    pub(super) aliases: Vec<String>,
    #[serde(default)]
    pub(super) revision_history: Vec<Revision>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Revision {
    pub(super) date: String,
    pub(super) number: String,
    pub(super) summary: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct Note {
    pub(super) category: String,
    pub(super) title: Option<String>,
    pub(super) text: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct Acknowledgment {
    #[serde(default)]
    pub(super) names: Vec<String>,
    pub(super) organization: Option<String>,
    pub(super) summary: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Reference {
    pub(super) summary: String,
    pub(super) url: String,
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct ProductTree {
    #[serde(default)]
    pub(super) branches: Vec<Branch>,
    #[serde(default)]
    pub(super) full_product_names: Vec<Product>,
    #[serde(default)]
    pub(super) relationships: Vec<Relationship>,
    #[serde(default)]
    pub(super) product_groups: Vec<Group>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Branch {
    pub(super) category: String,
    pub(super) name: String,
    #[serde(default)]
    pub(super) branches: Vec<Branch>,
    pub(super) product: Option<Product>,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct Product {
    #[serde(default)]
    pub(super) name: String,
    pub(super) product_id: String,
    pub(super) product_identification_helper: Option<Helper>,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct Helper {
    pub(super) cpe: Option<String>,
    pub(super) purl: Option<String>,
    #[serde(default)]
    pub(super) x_generic_uris: Vec<GenericUri>,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct GenericUri {
    pub(super) uri: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct Relationship {
    pub(super) full_product_name: Product,
    pub(super) product_reference: String,
    pub(super) relates_to_product_reference: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct Group {
    pub(super) group_id: String,
    pub(super) product_ids: Vec<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Vulnerability {
    pub(super) cve: Option<String>,
    pub(super) title: Option<String>,
    #[serde(default)]
    pub(super) ids: Vec<Id>,
    pub(super) cwe: Option<Weakness>,
    #[serde(default)]
    pub(super) notes: Vec<Note>,
    #[serde(default)]
    pub(super) acknowledgments: Vec<Acknowledgment>,
    #[serde(default)]
    pub(super) references: Vec<Reference>,
    #[serde(default)]
    pub(super) product_status: ProductStatus,
    #[serde(default)]
    pub(super) flags: Vec<Flag>,
    #[serde(default)]
    pub(super) remediations: Vec<Remediation>,
    #[serde(default)]
    pub(super) scores: Vec<Score>,
    #[serde(default)]
    pub(super) threats: Vec<Threat>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Id {
    pub(super) text: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct Weakness {
    pub(super) id: String,
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct ProductStatus {
    #[serde(default)]
    pub(super) first_affected: Vec<String>,
    #[serde(default)]
    pub(super) known_affected: Vec<String>,
    #[serde(default)]
    pub(super) last_affected: Vec<String>,
    #[serde(default)]
    pub(super) first_fixed: Vec<String>,
    #[serde(default)]
    pub(super) fixed: Vec<String>,
    #[serde(default)]
    pub(super) known_not_affected: Vec<String>,
    #[serde(default)]
    pub(super) under_investigation: Vec<String>,
    #[serde(default)]
    pub(super) recommended: Vec<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Flag {
    pub(super) label: String,
    #[serde(default)]
    pub(super) product_ids: Vec<String>,
    #[serde(default)]
    pub(super) group_ids: Vec<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Remediation {
    pub(super) category: String,
    pub(super) details: String,
    pub(super) url: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Score {
    pub(super) cvss_v2: Option<Vector>,
    pub(super) cvss_v3: Option<Vector>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Vector {
    #[serde(rename = "vectorString")]
    pub(super) vector: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct Threat {
    pub(super) category: String,
    pub(super) details: String,
    #[serde(default)]
    pub(super) product_ids: Vec<String>,
    #[serde(default)]
    pub(super) group_ids: Vec<String>,
}
