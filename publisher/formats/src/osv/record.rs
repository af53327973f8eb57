//! The parts of an OSV record that decide something here. All others are kept without a name.

use serde::Deserialize;

use super::events::Event;
use crate::lenient::{Part, part};

/// What a record may lose without saying anything else of any package.
pub(super) const OPTIONAL: [Part; 12] = [
    part::<String>(&["modified"]),
    part::<String>(&["published"]),
    part::<String>(&["withdrawn"]),
    part::<String>(&["summary"]),
    part::<String>(&["details"]),
    part::<String>(&["aliases", "*"]),
    part::<Severity>(&["severity", "*"]),
    part::<Severity>(&["affected", "*", "severity", "*"]),
    part::<Reference>(&["references", "*"]),
    part::<Credit>(&["credits", "*"]),
    part::<String>(&["affected", "*", "ranges", "*", "type"]),
    part::<serde_json::Map<String, serde_json::Value>>(&["database_specific"]),
];

/// A record.
#[derive(Debug, Deserialize)]
pub(super) struct Record {
    pub(super) schema_version: Option<String>,
    pub(super) id: String,
    pub(super) modified: Option<String>,
    pub(super) published: Option<String>,
    pub(super) withdrawn: Option<String>,
    pub(super) aliases: Option<Vec<String>>,
    pub(super) summary: Option<String>,
    pub(super) details: Option<String>,
    pub(super) severity: Option<Vec<Severity>>,
    pub(super) affected: Option<Vec<Affected>>,
    pub(super) references: Option<Vec<Reference>>,
    pub(super) credits: Option<Vec<Credit>>,
    pub(super) database_specific: Option<serde_json::Value>,
}

/// A severity, in one of several systems.
#[derive(Debug, Deserialize)]
pub(super) struct Severity {
    #[serde(rename = "type", default)]
    pub(super) kind: String,
    pub(super) score: String,
}

/// A package and what of it is affected.
#[derive(Debug, Deserialize)]
pub(super) struct Affected {
    pub(super) package: Option<Package>,
    pub(super) severity: Option<Vec<Severity>>,
    pub(super) ranges: Option<Vec<Ranges>>,
    /// Versions; what is no text names none that could be read.
    pub(super) versions: Option<Vec<serde_json::Value>>,
    pub(super) ecosystem_specific: Option<serde_json::Value>,
    pub(super) database_specific: Option<serde_json::Value>,
}

/// A package.
#[derive(Debug, Deserialize)]
pub(super) struct Package {
    pub(super) ecosystem: String,
    pub(super) name: String,
}

/// Events of one kind of version.
#[derive(Debug, Deserialize)]
pub(super) struct Ranges {
    /// Which kind; what has none cannot be read.
    #[serde(rename = "type", default)]
    pub(super) kind: String,
    #[serde(default)]
    pub(super) events: serde_json::Value,
}

impl Ranges {
    /// The events; of ranges of versions only, since commits have no order here.
    pub(super) fn events(
        &self,
    ) -> Result<Vec<Event>, serde_path_to_error::Error<serde_json::Error>> {
        serde_path_to_error::deserialize(&self.events)
    }
}

/// A place to read more.
#[derive(Debug, Deserialize)]
pub(super) struct Reference {
    #[serde(rename = "type", default)]
    pub(super) kind: String,
    pub(super) url: String,
}

/// Somebody who helped.
#[derive(Debug, Deserialize)]
pub(super) struct Credit {
    pub(super) name: String,
    #[serde(rename = "type")]
    pub(super) kind: Option<String>,
}
