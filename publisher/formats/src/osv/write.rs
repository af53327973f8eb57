//! An advisory as an OSV record, valid by OSV's own schema.
//!
//! What OSV has no field for stands in `database_specific.spacecp`, as the signed document has it; an
//! advisory that was made from a record has it in what was kept of that. Ids and components of a
//! vendor's own are of no database or ecosystem that OSV knows: the id gets the prefix `x_` that
//! the schema has for that, and the component is named in `database_specific` instead of a package.

use serde_json::{Map, Value, json};
use spacecp_contract::{
    Advisory, Affected, DocumentId, Ecosystem, SourceFormat, VersionRange, VersionScheme,
    identity::{Package, osv_name},
};

use super::events::events;
use crate::timeline;

/// The version of the schema that is written.
const SCHEMA_VERSION: &str = "1.7.3";

/// The fields of an advisory that have one of OSV's own.
const SAID: [&str; 11] = [
    "id",
    "modified",
    "published",
    "withdrawn",
    "aliases",
    "title",
    "severity",
    "affected",
    "references",
    "credits",
    "source",
];

/// The record that the fields of an advisory make.
pub fn document(advisory: &Advisory) -> Value {
    let source = advisory.source.as_ref();
    let source = source.filter(|source| source.format == SourceFormat::Osv);
    let mut record = Map::new();
    let mut put = |name: &str, value: Value| record.insert(name.to_owned(), value);
    put("modified", json!(advisory.modified));
    put("published", json!(advisory.published));
    put("summary", json!(advisory.title));
    let all = advisory.affected.iter();
    let all = all.map(|one| affected(one, source.is_some()));
    put("affected", all.collect());
    put("id", json!(id(advisory)));
    if source.is_some() {
        put("details", json!(advisory.issue));
    } else {
        put("schema_version", json!(SCHEMA_VERSION));
        put("details", json!(details(advisory)));
        put("database_specific", json!({ "spacecp": unsaid(advisory) }));
    }
    if let Some(withdrawn) = advisory.withdrawn {
        put("withdrawn", json!(withdrawn));
    }
    let lists: [(&str, Vec<Value>); 5] = [
        // What it takes the place of is about the same, and no alias: both have an id of their own.
        (
            "related",
            advisory
                .supersedes
                .iter()
                .map(|id| json!(name(id)))
                .collect(),
        ),
        (
            "aliases",
            advisory.aliases.iter().map(|alias| json!(alias)).collect(),
        ),
        (
            "severity",
            advisory
                .severity
                .iter()
                .map(|vector| severity(vector))
                .collect(),
        ),
        (
            "references",
            advisory
                .references
                .iter()
                .map(|reference| json!({ "type": kind_of(&reference.title), "url": reference.url }))
                .collect(),
        ),
        (
            "credits",
            advisory
                .credits
                .iter()
                .map(|credit| json!({ "name": credit.name, "type": credited(&credit.role) }))
                .collect(),
        ),
    ];
    for (name, list) in lists {
        if !list.is_empty() {
            put(name, Value::Array(list));
        }
    }
    Value::Object(record)
}

/// The id of the record: that of the record it came as, else ours with the prefix that the schema has for
/// databases which it does not know.
pub fn id(advisory: &Advisory) -> String {
    match &advisory.source {
        Some(source) if source.format == SourceFormat::Osv => source.id.clone(),
        _ => name(&advisory.id),
    }
}

fn name(id: &DocumentId) -> String {
    format!("x_{id}")
}

fn unsaid(advisory: &Advisory) -> Value {
    let mut all = json!(advisory);
    if let Some(fields) = all.as_object_mut() {
        fields.retain(|name, _| !SAID.contains(&name.as_str()));
    }
    all
}

/// All of an advisory that people read, as one text.
fn details(advisory: &Advisory) -> String {
    let mut text = String::new();
    // Those who read nothing else of a withdrawn record read this.
    if let Some(reason) = timeline::reason_of_withdrawal(advisory) {
        text.push_str(&format!("## Withdrawn\n\n{reason}\n\n## Issue\n\n"));
    }
    text.push_str(advisory.issue.trim());
    let mut section = |title: &str, words: &str| {
        if !words.trim().is_empty() {
            text.push_str(&format!("\n\n## {title}\n\n{}", words.trim()));
        }
    };
    section("Impacts", &advisory.impacts);
    let workarounds = advisory
        .workarounds
        .iter()
        .map(|workaround| workaround.text.trim());
    section("Workarounds", &workarounds.collect::<Vec<_>>().join("\n\n"));
    section("Solution", &advisory.solution);
    text
}

fn affected(affected: &Affected, came_so: bool) -> Value {
    let mut entry = Map::new();
    let known = Ecosystem::of(&affected.component)
        .and_then(|(ecosystem, package)| Some((osv_name(&ecosystem)?, ecosystem, package)));
    let mut kind = "ECOSYSTEM";
    if let Some((name, ecosystem, package)) = &known {
        let mut named = json!({ "ecosystem": name, "name": package });
        // With a release in it, what OSV's databases write differs from one to the next.
        let is_plain = !matches!(
            ecosystem,
            Ecosystem::Deb(_) | Ecosystem::Rpm(_) | Ecosystem::Apk(_)
        );
        let purl = Package::purl(ecosystem, package, None);
        if let Some(purl) = purl.filter(|_| is_plain) {
            named["purl"] = json!(purl.to_string());
        }
        entry.insert("package".to_owned(), named);
        let semantic = matches!(ecosystem, Ecosystem::Cargo | Ecosystem::Npm | Ecosystem::Go);
        if semantic || affected.scheme != ecosystem.scheme() {
            kind = "SEMVER";
        }
    } else {
        let named = json!({ "component": affected.component, "scheme": affected.scheme });
        entry.insert("database_specific".to_owned(), json!({ "spacecp": named }));
        if affected.scheme == VersionScheme::Semver {
            kind = "SEMVER";
        }
    }
    if let Some(unlisted) = &affected.unlisted {
        // Others take what is outside of ranges for not affected; whoever reads this knows better.
        let specific = entry
            .entry("database_specific")
            .or_insert_with(|| json!({}));
        specific["spacecp"]["unlisted"] = json!(unlisted);
    }
    if affected.scheme == VersionScheme::Unknown {
        // Nobody knows yet which versions: a range of OSV's would say that somebody does.
        let named = json!({ "component": affected.component, "undecided": true });
        entry.insert("database_specific".to_owned(), json!({ "spacecp": named }));
        return Value::Object(entry);
    }
    let groups = if came_so {
        by_their_ends(&affected.ranges)
    } else {
        one_by_one(&affected.ranges)
    };
    let ranges: Vec<Value> = groups
        .iter()
        .map(|group| json!({ "type": kind, "events": events(group) }))
        .collect();
    if !ranges.is_empty() {
        entry.insert("ranges".to_owned(), Value::Array(ranges));
    }
    if !affected.versions.is_empty() {
        entry.insert("versions".to_owned(), json!(affected.versions));
    }
    Value::Object(entry)
}

/// As the record most likely had them that is made again of what it has in its rest: the schema has no range
/// with both ends that were fixed and ends that were last affected.
fn by_their_ends(ranges: &[VersionRange]) -> Vec<Vec<VersionRange>> {
    let (last, fixed): (Vec<_>, Vec<_>) = ranges
        .iter()
        .cloned()
        .partition(|range| range.last_affected.is_some());
    let groups = [fixed, last].into_iter();
    groups.filter(|group| !group.is_empty()).collect()
}

/// Each by itself, for their union is what is affected: in one list of events a limit would cut off what another
/// range has behind it, and the end of one would end another that overlaps it.
fn one_by_one(ranges: &[VersionRange]) -> Vec<Vec<VersionRange>> {
    ranges.iter().map(|range| vec![range.clone()]).collect()
}

fn severity(vector: &str) -> Value {
    let kind = if vector.starts_with("CVSS:4") {
        "CVSS_V4"
    } else {
        "CVSS_V3"
    };
    json!({ "type": kind, "score": vector })
}

/// OSV's kinds of reference, and the titles that stand for them.
const KINDS: [(&str, &str); 11] = [
    ("ADVISORY", "Advisory"),
    ("ARTICLE", "Article"),
    ("DETECTION", "Detection"),
    ("DISCUSSION", "Discussion"),
    ("REPORT", "Report"),
    ("FIX", "Fix"),
    ("INTRODUCED", "Introduced"),
    ("GIT", "Git"),
    ("PACKAGE", "Package"),
    ("EVIDENCE", "Evidence"),
    ("WEB", "Web"),
];

/// The title of a reference of this kind.
pub(super) fn title_of(kind: &str) -> String {
    let known = KINDS.iter().find(|(known, _)| *known == kind);
    known.map_or("Web", |(_, title)| title).to_owned()
}

fn kind_of(title: &str) -> &'static str {
    let known = KINDS.iter().find(|(_, known)| *known == title);
    known.map_or("WEB", |(kind, _)| kind)
}

/// OSV's kinds of credit; everybody else is of another kind.
fn credited(role: &str) -> String {
    const KINDS: [&str; 10] = [
        "FINDER",
        "REPORTER",
        "ANALYST",
        "COORDINATOR",
        "REMEDIATION_DEVELOPER",
        "REMEDIATION_REVIEWER",
        "REMEDIATION_VERIFIER",
        "TOOL",
        "SPONSOR",
        "OTHER",
    ];
    let role = role.to_uppercase().replace(' ', "_");
    let known = KINDS.iter().find(|kind| **kind == role);
    (*known.unwrap_or(&"OTHER")).to_owned()
}
