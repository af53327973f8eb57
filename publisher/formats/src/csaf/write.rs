//! An advisory as a CSAF 2.0 document of the profile "security advisory".
//!
//! What CSAF has no field for – CVSS 4.0, several weaknesses, when an embargo ends – stands in notes.
//! An advisory that was made from a CSAF document is given back as that document instead, from what
//! was kept of it.
//!
//! CSAF 2.0 has no word for withdrawn or superseded, and 2.1 does: what that asks for is written with the
//! words of 2.0. A document that is withdrawn says why in a note, and nothing of any product; one that
//! is superseded says by which, and stays as it was.

use std::cmp::Reverse;

use jiff::Timestamp;
use serde_json::{Value, json};
use spacecp_contract::{Advisory, DocumentId, LONGEST_REST, Severity, Tlp, rate};

use super::{notice, tree::Products};
use crate::timeline;

/// The title of the note that says why a document is withdrawn, as CSAF 2.1 has it.
pub(super) const WITHDRAWAL: &str = "Reasoning for Withdrawal";

/// Who publishes a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issuer {
    /// The vendor's name.
    pub name: String,
    /// An address that is the vendor's, as `https://example.com`.
    pub namespace: String,
}

/// One revision that was published.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Edition {
    /// The revision.
    pub revision: u64,
    /// When.
    pub at: Timestamp,
}

/// An advisory that has taken the place of another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Successor {
    /// Its id.
    pub id: DocumentId,
    /// Why, as it says it.
    pub reason: Option<String>,
    /// Where to read it.
    pub url: Option<String>,
}

/// What a document says that its advisory does not.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Circumstances<'a> {
    /// All revisions that were published, oldest first.
    pub editions: &'a [Edition],
    /// The language of the texts (RFC 5646).
    pub language: Option<&'a str>,
    /// Where the document itself is, under the name that CSAF asks for.
    pub address: Option<String>,
    /// Where people read the same.
    pub page: Option<String>,
    /// What has taken its place.
    pub successors: &'a [Successor],
}

/// Why an advisory is no CSAF document.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WriteError {
    /// A document without products is none of this profile.
    #[error("no component listed")]
    Nothing,
}

/// The document that the fields of an advisory make.
///
/// # Errors
///
/// [`WriteError`] for what CSAF 2.0 has no words for.
pub fn document(
    advisory: &Advisory,
    issuer: &Issuer,
    circumstances: &Circumstances<'_>,
) -> Result<Value, WriteError> {
    let about = about(advisory, issuer, circumstances);
    if advisory.withdrawn.is_some() {
        return Ok(json!({ "document": about }));
    }
    if advisory.affected.is_empty() && advisory.not_affected.is_empty() {
        return Err(WriteError::Nothing);
    }
    let products = Products::of(advisory);
    if advisory.notice.is_some() {
        return Ok(json!({
            "document": about,
            "product_tree": { "branches": products.branches(issuer) },
        }));
    }
    Ok(json!({
        "document": about,
        "product_tree": { "branches": products.branches(issuer) },
        "vulnerabilities": [vulnerability(advisory, &products)],
    }))
}

/// What the document says about itself.
fn about(advisory: &Advisory, issuer: &Issuer, circumstances: &Circumstances<'_>) -> Value {
    // Whoever passes on what others wrote does not speak as the vendor.
    let publisher = if advisory.source.is_some() {
        "other"
    } else {
        "vendor"
    };
    // What is withdrawn says nothing of products, and no other profile lets them out.
    let category = if advisory.withdrawn.is_some() {
        "csaf_base"
    } else if advisory.notice.is_some() {
        notice::CATEGORY
    } else {
        "csaf_security_advisory"
    };
    let mut about = json!({
        "category": category,
        "csaf_version": "2.0",
        "distribution": { "tlp": { "label": label(advisory.tlp) } },
        "publisher": { "category": publisher, "name": issuer.name, "namespace": issuer.namespace },
        "title": advisory.title,
        "tracking": tracking(advisory, circumstances.editions),
    });
    if let Some(language) = circumstances.language {
        about["lang"] = json!(language);
    }
    let mut notes = fate(advisory, circumstances);
    if let Some(kind) = advisory.notice.filter(|_| advisory.withdrawn.is_none()) {
        notes.push(notice::note(advisory, kind));
        notes.extend(self::notes(advisory));
    }
    put_list(&mut about, "notes", notes);
    put_list(
        &mut about,
        "references",
        references(advisory, circumstances),
    );
    let credits = advisory.credits.iter();
    let thanks = credits.map(|credit| json!({ "names": [credit.name], "summary": credit.role }));
    put_list(&mut about, "acknowledgments", thanks.collect());
    about
}

/// What became of the advisory, and of others by it.
fn fate(advisory: &Advisory, circumstances: &Circumstances<'_>) -> Vec<Value> {
    let mut notes = Vec::new();
    let mut note = |category: &str, title: &str, text: String| {
        notes.push(json!({ "category": category, "title": title, "text": text }));
    };
    if let Some(since) = advisory.withdrawn {
        let reason = timeline::reason_of_withdrawal(advisory).unwrap_or("No reason given.");
        note(
            "description",
            WITHDRAWAL,
            format!("Withdrawn {since}. {reason}"),
        );
    }
    for successor in circumstances.successors {
        let reason = successor.reason.as_deref().unwrap_or("No reason given.");
        let text = format!("Superseded by {}. {reason}", successor.id);
        note("description", "Reasoning for Supersession", text);
    }
    if !advisory.supersedes.is_empty() {
        let older: Vec<&str> = advisory.supersedes.iter().map(DocumentId::as_str).collect();
        note("other", "Supersedes", older.join(", "));
    }
    notes
}

fn references(advisory: &Advisory, circumstances: &Circumstances<'_>) -> Vec<Value> {
    let mut references = Vec::new();
    let mut put = |category: &str, summary: &str, url: &str| {
        references.push(json!({ "category": category, "summary": summary, "url": url }));
    };
    if let Some(address) = &circumstances.address {
        put("self", "Canonical URL", address);
    }
    if let Some(page) = &circumstances.page {
        put("self", "Advisory as a web page", page);
    }
    for successor in circumstances.successors {
        if let Some(url) = &successor.url {
            put("external", "Superseding Document", url);
        }
    }
    for reference in &advisory.references {
        put("external", &reference.title, &reference.url);
    }
    references
}

/// What the fields of an advisory say of the CSAF document that it was made from.
pub fn said(advisory: &Advisory) -> Value {
    let mut said = json!({
        "document": {
            "csaf_version": "2.0",
            "title": advisory.title,
            "tracking": {
                "id": advisory.source.as_ref().map(|source| &source.id),
                "initial_release_date": advisory.published,
                "current_release_date": advisory.modified,
            },
        },
    });
    if advisory.issue.len() > LONGEST_REST {
        // What is kept of a document has no room for it once more. No source is kept without this: it was too long.
        let note = json!({ "category": "description", "text": advisory.issue });
        said["vulnerabilities"] = json!([{ "notes": [note] }]);
    }
    said
}

fn label(tlp: Tlp) -> &'static str {
    match tlp {
        Tlp::Clear => "WHITE",
        Tlp::Green => "GREEN",
        Tlp::Amber | Tlp::AmberStrict => "AMBER",
        Tlp::Red => "RED",
    }
}

/// CSAF counts editions from 1 and without gaps, and ours may skip: its own number is beside it.
fn tracking(advisory: &Advisory, editions: &[Edition]) -> Value {
    let last = [Edition {
        revision: advisory.revision,
        at: advisory.modified,
    }];
    let editions = if editions.is_empty() { &last } else { editions };
    let history = editions
        .iter()
        .zip(1..)
        .map(|(edition, number): (&Edition, u64)| {
            json!({
                "date": edition.at,
                "number": number.to_string(),
                "legacy_version": edition.revision.to_string(),
                "summary": format!("Revision {}", edition.revision),
            })
        });
    // What was broadcast in private before is another document, and no part of this one's history.
    let first = editions
        .first()
        .map_or(advisory.published, |edition| edition.at);
    let mut tracking = json!({
        "id": advisory.id,
        "status": "final",
        "version": editions.len().to_string(),
        "initial_release_date": first,
        "current_release_date": advisory.modified,
        "revision_history": history.collect::<Vec<_>>(),
    });
    let (_, others) = cve(advisory);
    put_list(
        &mut tracking,
        "aliases",
        others.iter().map(|alias| json!(alias)).collect(),
    );
    tracking
}

/// The CVE number of the vulnerability, and what else it is called.
fn cve(advisory: &Advisory) -> (Option<&str>, Vec<&str>) {
    let is_cve = |name: &&String| {
        let mut parts = name.split('-');
        let digits = |part: Option<&str>, least: usize| {
            part.is_some_and(|part| {
                part.len() >= least && part.bytes().all(|byte| byte.is_ascii_digit())
            })
        };
        parts.next() == Some("CVE")
            && digits(parts.next().filter(|year| year.len() == 4), 4)
            && digits(parts.next(), 4)
            && parts.next().is_none()
    };
    let cve = advisory.aliases.iter().find(is_cve);
    let others = advisory.aliases.iter().filter(|alias| Some(*alias) != cve);
    (
        cve.map(String::as_str),
        others.map(String::as_str).collect(),
    )
}

fn vulnerability(advisory: &Advisory, products: &Products) -> Value {
    let mut flaw = json!({
        "title": advisory.title,
        "notes": notes(advisory),
        "product_status": products.status(),
    });
    if let (Some(cve), _) = cve(advisory) {
        flaw["cve"] = json!(cve);
    }
    put_list(&mut flaw, "flags", products.flags.clone());
    let affected = &products.affected;
    let mut remedies = Vec::new();
    if !products.open.is_empty() {
        remedies.push(json!({
            "category": "none_available",
            "details": "The affected versions are under investigation.",
            "product_ids": products.open,
        }));
    }
    let mut threats = Vec::new();
    if !products.impacts.is_empty() {
        threats.push(json!({
            "category": "impact",
            "details": "Not affected: see the description.",
            "product_ids": products.impacts,
        }));
    }
    if affected.is_empty() {
        put_list(&mut flaw, "remediations", remedies);
        put_list(&mut flaw, "threats", threats);
        return flaw;
    }
    let mut remedy = |category: &str, text: &str| {
        if !text.trim().is_empty() {
            remedies
                .push(json!({ "category": category, "details": text, "product_ids": affected }));
        }
    };
    // Behind the last version that is affected there are others.
    let ranges = advisory
        .affected
        .iter()
        .flat_map(|affected| &affected.ranges);
    let ends = ranges
        .into_iter()
        .any(|range| range.last_affected.is_some());
    let corrected = ends || !products.fixed.is_empty() || !advisory.corrections.is_empty();
    remedy(
        if corrected {
            "vendor_fix"
        } else {
            "none_available"
        },
        &advisory.solution,
    );
    for workaround in &advisory.workarounds {
        remedy("workaround", &workaround.text);
    }
    put_list(&mut flaw, "remediations", remedies);
    put_list(&mut flaw, "scores", score(advisory, affected));
    if !advisory.impacts.trim().is_empty() {
        threats.push(
            json!({ "category": "impact", "details": advisory.impacts, "product_ids": affected }),
        );
    }
    if advisory.known_exploited {
        threats.push(json!({ "category": "exploit_status", "details": "Exploited:Yes", "product_ids": affected }));
    }
    put_list(&mut flaw, "threats", threats);
    flaw
}

fn notes(advisory: &Advisory) -> Vec<Value> {
    let mut notes = vec![json!({ "category": "description", "text": advisory.issue.trim() })];
    let mut other = |title: &str, text: String| {
        notes.push(json!({ "category": "other", "title": title, "text": text }));
    };
    let weaknesses: Vec<String> = advisory
        .cwe
        .iter()
        .map(|number| format!("CWE-{number}"))
        .collect();
    if !weaknesses.is_empty() {
        other("Weaknesses", weaknesses.join(", "));
    }
    for vector in &advisory.severity {
        if vector.starts_with("CVSS:4") {
            other("CVSS 4.0", vector.clone());
        }
    }
    for entry in &advisory.timeline {
        other("Timeline", format!("{}: {}", entry.at, entry.event));
    }
    notes
}

/// The gravest vector that CSAF 2.0 has a place for: it allows one for each product.
fn score(advisory: &Advisory, affected: &[String]) -> Vec<Value> {
    let vectors = advisory
        .severity
        .iter()
        .filter(|vector| vector.starts_with("CVSS:3"));
    let rated = vectors.filter_map(|vector| {
        let rating = rate(std::slice::from_ref(vector));
        Some((vector, rating.score?, rating.severity))
    });
    let gravest = rated.min_by_key(|(_, score, _)| Reverse(*score));
    let one = |(vector, score, severity): (&String, u8, Severity)| {
        let version = if vector.starts_with("CVSS:3.0") {
            "3.0"
        } else {
            "3.1"
        };
        json!({
            "products": affected,
            "cvss_v3": {
                "version": version,
                "vectorString": vector,
                "baseScore": f64::from(score) / 10.0,
                "baseSeverity": severity.name().to_uppercase(),
            },
        })
    };
    gravest.map(one).into_iter().collect()
}

/// CSAF has no empty lists.
pub(super) fn put_list(into: &mut Value, name: &str, list: Vec<Value>) {
    if !list.is_empty() {
        into[name] = Value::Array(list);
    }
}
