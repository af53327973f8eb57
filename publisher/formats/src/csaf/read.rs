//! A CSAF document as an advisory.

use std::{collections::HashSet, hash::Hash};

use jiff::Timestamp;
use serde_json::Value;
use spacecp_contract::{Advisory, Credit, Reference, TimelineEntry, Tlp, Workaround};

use super::{
    notice,
    products::Products,
    record::{Acknowledgment, Document, Note, OPTIONAL, Record, Vector, Vulnerability},
    status,
    write::WITHDRAWAL,
};
use crate::{
    Converted, Refusal, Remark, Terms,
    ids::document_id,
    lenient,
    naming::{published, shown, time, title},
    solution,
    step_limit::Steps,
    vector,
};

/// Turns a document into an advisory without a source, and says the id that it has there.
///
/// # Errors
///
/// [`Refusal`], with the field and what is wrong.
pub fn to_advisory(document: &Value, terms: &Terms) -> Result<(String, Converted), Refusal> {
    refuse_version(document)?;
    let mut remarks = Vec::new();
    let document = lenient::without_odd(document, &OPTIONAL, &mut remarks);
    let mut record: Record =
        serde_path_to_error::deserialize(&*document).map_err(|error| Refusal::Shape {
            field: error.path().to_string(),
            reason: error.inner().to_string(),
        })?;
    let notice = notice::take(&mut record);
    let about = &record.document;
    let id = document_id("document.tracking.id", &about.tracking.id)?;
    let (published, modified) = dates(about, &mut remarks)?;
    let withdrawn = withdrawn(about, modified);
    refuse_unfit(&record)?;
    let tlp = label(about, terms)?;
    let steps = Steps::new();
    let products = Products::of(&record.product_tree, &terms.products);
    let said = match status::said(&record, &products, &steps, &mut remarks) {
        // What no longer holds need not say of what.
        Err(Refusal::Components { .. } | Refusal::Unmapped { .. }) if withdrawn.is_some() => {
            status::Said::default()
        }
        said => said?,
    };
    let flaws = &record.vulnerabilities;
    let mut solution = remedies(flaws, &["vendor_fix", "no_fix_planned", "none_available"]);
    if solution.is_empty() {
        solution = solution::from_versions(&about.tracking.id, &said.corrected());
    }
    let workarounds = flaws.iter().flat_map(|flaw| &flaw.remediations);
    let workarounds = workarounds
        .filter(|remedy| matches!(remedy.category.as_str(), "workaround" | "mitigation"))
        .filter(|remedy| !remedy.details.trim().is_empty())
        .enumerate()
        .map(|(number, remedy)| Workaround {
            id: format!("{}", number + 1),
            text: remedy.details.clone(),
        });
    let advisory = Advisory {
        id,
        revision: 1,
        audience: terms.audience.clone(),
        published,
        modified,
        withdrawn,
        aliases: aliases(&record),
        title: title(&[&about.title], &about.tracking.id),
        issue: issue(&record),
        impacts: threats(flaws),
        solution,
        workarounds: workarounds.collect(),
        severity: vectors(flaws, &mut remarks),
        cwe: weaknesses(flaws),
        known_exploited: flaws.iter().any(is_exploited),
        tlp,
        embargo_until: terms.embargo(tlp),
        affected: said.affected,
        not_affected: said.not_affected,
        corrections: Vec::new(),
        credits: credits(&record, &steps)?,
        references: references(&record),
        supersedes: Vec::new(),
        timeline: timeline(about, withdrawn, &mut remarks),
        notice,
        source: None,
    };
    let converted = Converted {
        advisory,
        remarks,
        unmapped: said.unmapped.into_iter().collect(),
    };
    Ok((about.tracking.id.clone(), converted))
}

/// Another version of CSAF has other fields: that is said before any of them is missed.
fn refuse_version(document: &Value) -> Result<(), Refusal> {
    let found = document.pointer("/document/csaf_version");
    let found = found
        .map_or("", |found| found.as_str().unwrap_or(""))
        .trim();
    match found {
        "2.0" | "2.1" => Ok(()),
        found => Err(Refusal::Version {
            field: "document.csaf_version",
            found: shown(found),
            read: "CSAF 2.0 and 2.1",
        }),
    }
}

/// When a document was published and modified. One that says the one is as good as one that says both.
fn dates(about: &Document, remarks: &mut Vec<Remark>) -> Result<(Timestamp, Timestamp), Refusal> {
    const INITIAL: &str = "document.tracking.initial_release_date";
    const CURRENT: &str = "document.tracking.current_release_date";
    let tracking = &about.tracking;
    let (initial, current) = (
        &tracking.initial_release_date,
        &tracking.current_release_date,
    );
    let mut missing = |field: &str, instead: &str| {
        remarks.push(Remark {
            field: field.to_owned(),
            reason: format!("missing; {instead} is used"),
        });
    };
    let (initial, current) = match (initial, current) {
        (Some(initial), Some(current)) => (initial, current),
        (None, Some(current)) => {
            missing(INITIAL, CURRENT);
            (current, current)
        }
        (Some(initial), None) => {
            missing(CURRENT, INITIAL);
            (initial, initial)
        }
        (None, None) => {
            return Err(Refusal::Time {
                field: CURRENT.to_owned(),
                found: String::new(),
                reason: "no date given".to_owned(),
            });
        }
    };
    let modified = time(CURRENT, current, remarks)?;
    let published = match published(INITIAL, initial, modified, remarks) {
        Ok(published) => published,
        Err(refusal) => {
            remarks.push(Remark {
                field: INITIAL.to_owned(),
                reason: format!("{refusal}; {CURRENT} is used"),
            });
            modified
        }
    };
    Ok((published, modified))
}

fn refuse_unfit(record: &Record) -> Result<(), Refusal> {
    let about = &record.document;
    // Some say of products what the category has no room for.
    let says_nothing = record.vulnerabilities.is_empty();
    if says_nothing
        && matches!(
            about.category.as_str(),
            "csaf_informational_advisory" | "csaf_security_incident_response"
        )
    {
        return Err(Refusal::Components {
            field: "document.category",
            reason: format!(
                "a {} describes no vulnerability of a product",
                about.category
            ),
        });
    }
    if about.tracking.status == "draft" {
        return Err(Refusal::Sharing {
            field: "document.tracking.status",
            reason: "drafts are not imported".to_owned(),
        });
    }
    Ok(())
}

fn label(about: &Document, terms: &Terms) -> Result<Tlp, Refusal> {
    const FIELD: &str = "document.distribution.tlp.label";
    let label = about
        .distribution
        .as_ref()
        .and_then(|distribution| distribution.tlp.as_ref());
    let label = label.and_then(|label| label.label.as_deref());
    let plain = label.map(|label| label.trim().to_ascii_uppercase());
    // The labels of TLP 1.0 and 2.0, whichever the version of CSAF asks for.
    let plain = plain
        .as_deref()
        .map(|label| label.strip_prefix("TLP:").unwrap_or(label));
    let own = match plain {
        None => None,
        Some("WHITE" | "CLEAR") => Some(Tlp::Clear),
        Some("GREEN") => Some(Tlp::Green),
        Some("AMBER") => Some(Tlp::Amber),
        Some("AMBER+STRICT") => Some(Tlp::AmberStrict),
        Some("RED") => Some(Tlp::Red),
        Some(other) => {
            return Err(Refusal::Sharing {
                field: FIELD,
                reason: format!("unknown label {:?}", shown(other)),
            });
        }
    };
    let tlp = terms.label(own);
    if tlp != Tlp::Clear && terms.is_public() {
        return Err(Refusal::Sharing {
            field: FIELD,
            reason: format!("{tlp} conflicts with the audience everybody; pass another --audience"),
        });
    }
    Ok(tlp)
}

fn aliases(record: &Record) -> Vec<String> {
    let flaws = &record.vulnerabilities;
    let numbers = flaws.iter().filter_map(|flaw| flaw.cve.clone());
    let ids = flaws
        .iter()
        .flat_map(|flaw| flaw.ids.iter().map(|id| id.text.clone()));
    let tracking = &record.document.tracking;
    let all = numbers.chain(tracking.aliases.iter().cloned()).chain(ids);
    unique(all.filter(|alias| *alias != tracking.id))
}

/// Each once, in the order in which they come.
fn unique<T: Eq + Hash + Clone>(all: impl Iterator<Item = T>) -> Vec<T> {
    let mut seen = HashSet::new();
    all.filter(|one| seen.insert(one.clone())).collect()
}

/// What is wrong: the notes of the document and of its vulnerabilities that say so.
fn issue(record: &Record) -> String {
    let says = |note: &&Note| {
        matches!(
            note.category.as_str(),
            "description" | "summary" | "details" | "general"
        )
    };
    let several = record.vulnerabilities.len() > 1;
    let mut parts: Vec<String> = record
        .document
        .notes
        .iter()
        .filter(says)
        .map(written)
        .collect();
    for flaw in &record.vulnerabilities {
        let name = flaw.title.as_ref().or(flaw.cve.as_ref());
        let notes: Vec<String> = flaw.notes.iter().filter(says).map(written).collect();
        parts.extend(
            name.filter(|_| several && !notes.is_empty())
                .map(|name| format!("### {name}")),
        );
        parts.extend(notes);
    }
    if parts.is_empty() {
        let about = &record.document;
        let mut named = [&about.title, &about.tracking.id].into_iter();
        let named = named.find(|text| !text.trim().is_empty());
        return named.cloned().unwrap_or_default();
    }
    unique(parts.into_iter()).join("\n\n")
}

fn written(note: &Note) -> String {
    match &note.title {
        Some(title) => format!("**{}**\n\n{}", title.trim(), note.text.trim()),
        None => note.text.trim().to_owned(),
    }
}

fn threats(flaws: &[Vulnerability]) -> String {
    let threats = flaws.iter().flat_map(|flaw| &flaw.threats);
    let told =
        threats.filter(|threat| matches!(threat.category.as_str(), "impact" | "exploit_status"));
    let texts = told.map(|threat| threat.details.trim().to_owned());
    unique(texts.filter(|text| !text.is_empty())).join("\n\n")
}

/// The text is free; two vendors have a form for it: Microsoft's `Exploited:Yes`, and Red Hat's
/// address of CISA's catalogue of known exploited vulnerabilities. All else is read by people.
fn is_exploited(flaw: &Vulnerability) -> bool {
    let statuses = flaw
        .threats
        .iter()
        .filter(|threat| threat.category == "exploit_status");
    statuses.into_iter().any(|threat| {
        let compact: String = threat.details.split_whitespace().collect();
        compact.split(';').any(|part| part == "Exploited:Yes")
            || threat
                .details
                .contains("cisa.gov/known-exploited-vulnerabilities-catalog")
    })
}

fn remedies(flaws: &[Vulnerability], categories: &[&str]) -> String {
    let remedies = flaws.iter().flat_map(|flaw| &flaw.remediations);
    let remedies = remedies.filter(|remedy| categories.contains(&remedy.category.as_str()));
    let text = remedies.map(|remedy| match &remedy.url {
        Some(url) => format!("{}\n\n<{url}>", remedy.details.trim()),
        None => remedy.details.trim().to_owned(),
    });
    unique(text.filter(|text| !text.is_empty())).join("\n\n")
}

/// The vectors that compute; the others are kept and named.
fn vectors(flaws: &[Vulnerability], remarks: &mut Vec<Remark>) -> Vec<String> {
    let mut vectors = Vec::new();
    for (place, flaw) in flaws.iter().enumerate() {
        let scores = flaw.scores.iter().enumerate();
        let scores = scores.map(|(number, score)| (format!("scores[{number}]"), score));
        let metrics = flaw.metrics.iter().enumerate();
        let metrics =
            metrics.map(|(number, one)| (format!("metrics[{number}].content"), &one.content));
        for (field, score) in scores.chain(metrics) {
            let field = format!("vulnerabilities[{place}].{field}");
            if let Some(old) = &score.cvss_v2 {
                remarks.push(Remark {
                    field: format!("{field}.cvss_v2"),
                    reason: format!("unsupported rating {:?}", shown(&old.vector)),
                });
            }
            for (name, vector) in [("cvss_v3", &score.cvss_v3), ("cvss_v4", &score.cvss_v4)] {
                let Some(Vector { vector }) = vector else {
                    continue;
                };
                match vector::computes(vector) {
                    Ok(()) => vectors.push(vector.clone()),
                    Err(reason) => remarks.push(Remark {
                        field: format!("{field}.{name}"),
                        reason,
                    }),
                }
            }
        }
    }
    unique(vectors.into_iter())
}

fn weaknesses(flaws: &[Vulnerability]) -> Vec<u32> {
    let ids = flaws
        .iter()
        .flat_map(|flaw| flaw.cwe.iter().chain(&flaw.cwes));
    unique(ids.filter_map(|cwe| cwe.id.strip_prefix("CWE-")?.parse().ok()))
}

/// Everybody who is thanked. One text may be said of many, and is counted for each.
fn credits(record: &Record, steps: &Steps) -> Result<Vec<Credit>, Refusal> {
    let flaws = record
        .vulnerabilities
        .iter()
        .flat_map(|flaw| &flaw.acknowledgments);
    let mut found = Vec::new();
    for thanks in record.document.acknowledgments.iter().chain(flaws) {
        let Acknowledgment {
            names,
            organization,
            summary,
        } = thanks;
        let role = summary.as_deref().unwrap_or("acknowledged");
        let mut put = |name: String| -> Result<(), Refusal> {
            steps.take(name.len() + role.len())?;
            let role = role.to_owned();
            found.push(Credit { name, role });
            Ok(())
        };
        match organization {
            Some(organization) if names.is_empty() => put(organization.clone())?,
            Some(organization) => {
                for name in names {
                    put(format!("{name}, {organization}"))?;
                }
            }
            None => names.iter().try_for_each(|name| put(name.clone()))?,
        }
    }
    Ok(unique(found.into_iter()))
}

fn references(record: &Record) -> Vec<Reference> {
    let flaws = record
        .vulnerabilities
        .iter()
        .flat_map(|flaw| &flaw.references);
    let all = record.document.references.iter().chain(flaws);
    unique(all.map(|reference| {
        Reference {
            title: reference
                .summary
                .clone()
                .unwrap_or_else(|| reference.url.clone()),
            url: reference.url.clone(),
        }
    }))
}

/// The history, without entries that have no time, which are named; and the withdrawal with its reason.
fn timeline(
    about: &Document,
    withdrawn: Option<Timestamp>,
    remarks: &mut Vec<Remark>,
) -> Vec<TimelineEntry> {
    let mut entries = Vec::new();
    for (number, revision) in about.tracking.revision_history.iter().enumerate() {
        let field = format!("document.tracking.revision_history[{number}].date");
        match time(&field, &revision.date, remarks) {
            Ok(at) => entries.push(TimelineEntry {
                at,
                event: format!("{}: {}", revision.number, revision.summary),
            }),
            Err(refusal) => remarks.push(Remark {
                field,
                reason: refusal.to_string(),
            }),
        }
    }
    if let (Some(at), Some(note)) = (withdrawn, withdrawal(about)) {
        let text = note.text.trim();
        let reason = withdrawal_of(text).map_or(text, |(_, reason)| reason);
        entries.push(TimelineEntry {
            at,
            event: crate::timeline::withdrawal(reason),
        });
    }
    entries
}

/// The note that withdraws a document: CSAF 2.1 asks for it by this title, and so does what is written here in 2.0.
fn withdrawal(about: &Document) -> Option<&Note> {
    let is_base = matches!(about.category.as_str(), "csaf_base" | "csaf_withdrawn");
    let mut notes = about.notes.iter().filter(|_| is_base);
    notes.find(|note| {
        note.title
            .as_deref()
            .is_some_and(|title| title.trim() == WITHDRAWAL)
    })
}

/// The time and the reason in the text of a withdrawal that was written here.
fn withdrawal_of(text: &str) -> Option<(Timestamp, &str)> {
    let (time, reason) = text.strip_prefix("Withdrawn ")?.split_once(". ")?;
    Some((time.parse().ok()?, reason))
}

/// Since when a document no longer holds, if it says so.
fn withdrawn(about: &Document, modified: Timestamp) -> Option<Timestamp> {
    let note = withdrawal(about)?;
    let since = withdrawal_of(note.text.trim()).map(|(since, _)| since);
    Some(since.unwrap_or(modified))
}
