//! The parts of a CSAF document that decide something here. All others are kept without a name.
//!
//! What 2.1 has beside 2.0 is read under its own name.

use serde::{
    Deserialize, Deserializer,
    de::{Error, IgnoredAny},
};
use serde_json::Value;

use crate::lenient::{Part, part};

/// What a document may lose without saying anything else of any product. Flags and threats may say why a product is not
/// affected, and without them it is not known to be so.
pub(super) const OPTIONAL: [Part; 23] = [
    part::<String>(&["document", "title"]),
    part::<Note>(&["document", "notes", "*"]),
    part::<Acknowledgment>(&["document", "acknowledgments", "*"]),
    part::<Reference>(&["document", "references", "*"]),
    part::<String>(&["document", "tracking", "status"]),
    part::<String>(&["document", "tracking", "initial_release_date"]),
    part::<String>(&["document", "tracking", "current_release_date"]),
    part::<String>(&["document", "tracking", "aliases", "*"]),
    part::<Revision>(&["document", "tracking", "revision_history", "*"]),
    part::<String>(&["vulnerabilities", "*", "cve"]),
    part::<String>(&["vulnerabilities", "*", "title"]),
    part::<Id>(&["vulnerabilities", "*", "ids", "*"]),
    part::<Weakness>(&["vulnerabilities", "*", "cwe"]),
    part::<Weakness>(&["vulnerabilities", "*", "cwes", "*"]),
    part::<Note>(&["vulnerabilities", "*", "notes", "*"]),
    part::<Acknowledgment>(&["vulnerabilities", "*", "acknowledgments", "*"]),
    part::<Reference>(&["vulnerabilities", "*", "references", "*"]),
    part::<Flag>(&["vulnerabilities", "*", "flags", "*"]),
    part::<Remediation>(&["vulnerabilities", "*", "remediations", "*"]),
    part::<Score>(&["vulnerabilities", "*", "scores", "*"]),
    part::<Metric>(&["vulnerabilities", "*", "metrics", "*"]),
    part::<Threat>(&["vulnerabilities", "*", "threats", "*"]),
    part::<Group>(&["product_tree", "product_groups", "*"]),
];

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
    #[serde(default)]
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
    pub(super) label: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Tracking {
    pub(super) id: String,
    #[serde(default)]
    pub(super) status: String,
    pub(super) initial_release_date: Option<String>,
    pub(super) current_release_date: Option<String>,
    #[serde(default)]
    pub(super) aliases: Vec<String>,
    #[serde(default)]
    pub(super) revision_history: Vec<Revision>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Revision {
    pub(super) date: String,
    #[serde(default)]
    pub(super) number: String,
    #[serde(default)]
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
    pub(super) summary: Option<String>,
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
    /// As CSAF 2.1 has them: the same package with other qualifiers.
    #[serde(default)]
    pub(super) purls: Vec<String>,
    #[serde(default)]
    pub(super) x_generic_uris: Vec<GenericUri>,
    /// What names single things of a product: files, models, articles and pieces.
    #[serde(default)]
    pub(super) hashes: Vec<IgnoredAny>,
    #[serde(default)]
    pub(super) model_numbers: Vec<IgnoredAny>,
    #[serde(default)]
    pub(super) serial_numbers: Vec<IgnoredAny>,
    #[serde(default)]
    pub(super) skus: Vec<IgnoredAny>,
}

impl Helper {
    /// What narrows a product to single things of it.
    pub(super) fn narrows_by(&self) -> Option<&'static str> {
        let lists = [
            ("hashes", &self.hashes),
            ("model_numbers", &self.model_numbers),
            ("serial_numbers", &self.serial_numbers),
            ("skus", &self.skus),
        ];
        let mut lists = lists.into_iter();
        lists.find_map(|(name, list)| (!list.is_empty()).then_some(name))
    }
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

#[derive(Debug, Default, Deserialize)]
pub(super) struct Vulnerability {
    pub(super) cve: Option<String>,
    pub(super) title: Option<String>,
    #[serde(default)]
    pub(super) ids: Vec<Id>,
    pub(super) cwe: Option<Weakness>,
    /// As CSAF 2.1 has them.
    #[serde(default)]
    pub(super) cwes: Vec<Weakness>,
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
    /// As CSAF 2.1 has scores.
    #[serde(default)]
    pub(super) metrics: Vec<Metric>,
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
    #[serde(default, deserialize_with = "one_or_more")]
    pub(super) first_affected: Vec<String>,
    #[serde(default, deserialize_with = "one_or_more")]
    pub(super) known_affected: Vec<String>,
    #[serde(default, deserialize_with = "one_or_more")]
    pub(super) last_affected: Vec<String>,
    #[serde(default, deserialize_with = "one_or_more")]
    pub(super) first_fixed: Vec<String>,
    #[serde(default, deserialize_with = "one_or_more")]
    pub(super) fixed: Vec<String>,
    #[serde(default, deserialize_with = "one_or_more")]
    pub(super) known_not_affected: Vec<String>,
    #[serde(default, deserialize_with = "one_or_more")]
    pub(super) under_investigation: Vec<String>,
    #[serde(default, deserialize_with = "one_or_more")]
    pub(super) recommended: Vec<String>,
    /// As CSAF 2.1 has it: nothing is known, and nobody looks.
    #[serde(default, deserialize_with = "one_or_more")]
    pub(super) unknown: Vec<String>,
}

/// A list of ids, or one without the list around it, which says the same.
fn one_or_more<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<String>, D::Error> {
    match Value::deserialize(from)? {
        Value::String(one) => Ok(vec![one]),
        other => Vec::deserialize(other).map_err(Error::custom),
    }
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
    #[serde(default)]
    pub(super) details: String,
    pub(super) url: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Score {
    pub(super) cvss_v2: Option<Vector>,
    pub(super) cvss_v3: Option<Vector>,
    /// As CSAF 2.1 has it.
    pub(super) cvss_v4: Option<Vector>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Metric {
    pub(super) content: Score,
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
