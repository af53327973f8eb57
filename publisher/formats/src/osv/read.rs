//! An OSV record as an advisory.

use std::collections::{BTreeSet, HashSet};

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Map, Value};
use spacecp_contract::{
    Advisory, Affected, ComponentName, Credit, DocumentId, Ecosystem, Justification, NotAffected,
    Others, Reference, Unlisted, VersionScheme,
    identity::{Module, ecosystem_of_osv},
    version::Version,
};

use super::{
    affects::Affects,
    events::{EventsError, ends_twice, intervals},
    notice,
    record::{self, OPTIONAL, Ranges, Record, Severity},
};
use crate::{
    Converted, Refusal, Remark, Terms,
    ids::document_id,
    lenient,
    naming::{published, shown, time, title},
    solution, vector,
};

/// Turns a record into an advisory without a source, and says the id that it has there.
///
/// # Errors
///
/// [`Refusal`], with the field and what is wrong.
pub fn to_advisory(document: &Value, terms: &Terms) -> Result<(String, Converted), Refusal> {
    let mut remarks = Vec::new();
    let document = lenient::without_odd(document, &OPTIONAL, &mut remarks);
    let record: Record =
        serde_path_to_error::deserialize(&*document).map_err(|error| Refusal::Shape {
            field: error.path().to_string(),
            reason: error.inner().to_string(),
        })?;
    if let Some(version) = record
        .schema_version
        .as_ref()
        .filter(|version| !version.starts_with("1."))
    {
        return Err(Refusal::Version {
            field: "schema_version",
            found: shown(version),
            read: "OSV 1.x",
        });
    }
    let id = document_id("id", &record.id)?;
    let withdrawn = withdrawn(&record, &mut remarks);
    let (published, modified) = dates(&record, &mut remarks)?;
    let said = said(&record, withdrawn.is_none(), &mut remarks)?;
    let (summary, details) = (
        record.summary.as_deref().unwrap_or(""),
        record.details.as_deref().unwrap_or(""),
    );
    let texts = [details, summary, record.id.as_str()];
    let issue = texts.into_iter().find(|text| !text.trim().is_empty());
    let tlp = terms.label(None);
    let advisory = Advisory {
        id,
        revision: 1,
        audience: terms.audience.clone(),
        published,
        modified,
        withdrawn,
        aliases: record.aliases.clone().unwrap_or_default(),
        title: title(&[summary, details], &record.id),
        issue: issue.unwrap_or("").to_owned(),
        impacts: said.impacts,
        solution: solution::from_ranges(&record.id, &[&*said.affected, &*said.elsewhere].concat()),
        workarounds: Vec::new(),
        severity: vectors(&record, &mut remarks),
        cwe: weaknesses(&record),
        known_exploited: false,
        tlp,
        embargo_until: terms.embargo(tlp),
        not_affected: spared(&said.affected, &said.elsewhere),
        affected: said.affected,
        corrections: Vec::new(),
        credits: record.credits.iter().flatten().map(credit).collect(),
        references: record.references.iter().flatten().map(reference).collect(),
        supersedes: Vec::<DocumentId>::new(),
        timeline: Vec::new(),
        notice: notice::of(&record),
        source: None,
    };
    let converted = Converted {
        advisory,
        remarks,
        unmapped: Vec::new(),
    };
    Ok((record.id, converted))
}

/// When a record was published and modified. One that says the one is as good as one that says both.
fn dates(record: &Record, remarks: &mut Vec<Remark>) -> Result<(Timestamp, Timestamp), Refusal> {
    let modified = match (&record.modified, &record.published) {
        (Some(text), _) => time("modified", text, remarks)?,
        (None, Some(text)) => {
            remarks.push(Remark {
                field: "modified".to_owned(),
                reason: "missing; published is used".to_owned(),
            });
            time("published", text, remarks)?
        }
        (None, None) => {
            return Err(Refusal::Time {
                field: "modified".to_owned(),
                found: String::new(),
                reason: "no date given".to_owned(),
            });
        }
    };
    let published = record.published.as_ref();
    let published = published.map(|text| published_at(text, modified, remarks));
    Ok((published.unwrap_or(modified), modified))
}

fn published_at(text: &str, modified: Timestamp, remarks: &mut Vec<Remark>) -> Timestamp {
    published("published", text, modified, remarks).unwrap_or_else(|refusal| {
        remarks.push(Remark {
            field: "published".to_owned(),
            reason: format!("{refusal}; modified is used"),
        });
        modified
    })
}

/// Since when a record no longer holds. What is no time does not withdraw it.
fn withdrawn(record: &Record, remarks: &mut Vec<Remark>) -> Option<Timestamp> {
    let text = record.withdrawn.as_ref()?;
    match time("withdrawn", text, remarks) {
        Ok(since) => Some(since),
        Err(refusal) => {
            remarks.push(Remark {
                field: "withdrawn".to_owned(),
                reason: format!("{refusal}; the record is taken as not withdrawn"),
            });
            None
        }
    }
}

/// What a record says of the packages that panels have.
#[derive(Default)]
struct Said {
    affected: Vec<Affected>,
    /// What is affected on other systems than Linux alone.
    elsewhere: Vec<Affected>,
    /// Where packages are affected, for people.
    impacts: String,
}

/// What a record says; one that has to name a component and names none is refused.
fn said(record: &Record, names_any: bool, remarks: &mut Vec<Remark>) -> Result<Said, Refusal> {
    let mut said = Said::default();
    let (mut impacts, mut subscribed) = (Vec::new(), Vec::new());
    let mut first = None;
    for (number, affected) in record.affected.iter().flatten().enumerate() {
        let field = format!("affected[{number}]");
        match component(affected, record) {
            Ok((ecosystem, name)) => {
                let affects = Affects::of(&ecosystem, affected.ecosystem_specific.as_ref());
                impacts.extend(affects.text(&name));
                let systems = affects.other_systems();
                let into = match (&systems, is_for_subscribers(affected)) {
                    (Some(_), _) => &mut said.elsewhere,
                    (None, true) => &mut subscribed,
                    (None, false) => &mut said.affected,
                };
                let before = into.len();
                package(affected, &ecosystem, &name, &field, into, remarks);
                let found = into[before..].to_vec();
                for binary in binaries(affected, &ecosystem, &name) {
                    into.extend(found.iter().map(|one| Affected {
                        component: binary.clone(),
                        ..one.clone()
                    }));
                }
                if let Some(systems) = systems {
                    let reason = format!("affected on {systems} only; panels run on Linux");
                    let field = format!("{field}.ecosystem_specific");
                    remarks.push(Remark { field, reason });
                }
            }
            Err(reason) => {
                first.get_or_insert_with(|| reason.clone());
                let field = format!("{field}.package");
                remarks.push(Remark { field, reason });
            }
        }
    }
    end_by_subscription(&mut said.affected, subscribed);
    said.impacts = impacts.join("\n");
    // What no longer holds need not say of what.
    let is_empty = said.affected.is_empty() && said.elsewhere.is_empty();
    if is_empty && names_any {
        return Err(Refusal::Components {
            field: "affected",
            reason: first.unwrap_or_else(|| "no affected version".to_owned()),
        });
    }
    Ok(said)
}

/// The binary packages of a source package that SUSE's records name; panels know RPM packages by the binary one.
fn binaries(
    affected: &record::Affected,
    ecosystem: &Ecosystem,
    source: &ComponentName,
) -> BTreeSet<ComponentName> {
    let specific = affected.ecosystem_specific.as_ref();
    let is_rpm = matches!(ecosystem, Ecosystem::Rpm(_));
    let lists = specific
        .filter(|_| is_rpm)
        .and_then(|specific| specific.get("binaries"));
    let lists = lists.and_then(Value::as_array).into_iter().flatten();
    let names = lists.filter_map(Value::as_object).flat_map(Map::keys);
    let components = names.filter_map(|name| ecosystem.component(name).ok());
    components.filter(|component| component != source).collect()
}

/// Components that are affected on other systems alone.
fn spared(affected: &[Affected], elsewhere: &[Affected]) -> Vec<NotAffected> {
    let mut seen: HashSet<_> = affected.iter().map(|one| &one.component).collect();
    let spared = elsewhere.iter().filter(|one| seen.insert(&one.component));
    spared
        .map(|one| NotAffected {
            component: one.component.clone(),
            justification: Justification::VulnerableCodeNotPresent,
            only: None,
        })
        .collect()
}

/// Whether it is about the packages that Canonical corrects for subscribers.
fn is_for_subscribers(affected: &record::Affected) -> bool {
    let package = affected.package.as_ref();
    package.is_some_and(|package| package.ecosystem.starts_with("Ubuntu:Pro:"))
}

/// Adds what subscribers are told. A release without a correction has one in their packages: there its range ends.
fn end_by_subscription(affected: &mut Vec<Affected>, subscribed: Vec<Affected>) {
    let is_open = |range: &spacecp_contract::VersionRange| {
        range.fixed.is_none() && range.last_affected.is_none() && range.limit.is_none()
    };
    for one in &subscribed {
        let ends = !one.ranges.is_empty() && !one.ranges.iter().any(is_open);
        let same = affected.iter_mut();
        for other in same.filter(|other| ends && other.component == one.component) {
            other.ranges.retain(|range| !is_open(range));
        }
    }
    affected
        .retain(|one| !one.ranges.is_empty() || !one.versions.is_empty() || one.unlisted.is_some());
    affected.extend(subscribed);
}

fn component(
    affected: &record::Affected,
    record: &Record,
) -> Result<(Ecosystem, ComponentName), String> {
    let package = affected.package.as_ref().ok_or("no package")?;
    let ecosystem = ecosystem_of_osv(&package.ecosystem).map_err(|error| error.to_string())?;
    let name = match ecosystem {
        Ecosystem::Rpm(_) => rpm_package(affected, record)?,
        _ => package.name.clone(),
    };
    let component = ecosystem.component(&name);
    let component = component.map_err(|error| error.to_string())?;
    Ok((ecosystem, component))
}

/// An RPM package by the stream of its module, which records name in their title alone.
fn rpm_package(affected: &record::Affected, record: &Record) -> Result<String, String> {
    let name = affected
        .package
        .as_ref()
        .map_or("", |package| &package.name);
    let mut listed = affected.versions.iter().flatten().filter_map(Value::as_str);
    let mut bounds = affected.ranges.iter().flatten();
    let is_modular = listed.any(Module::has_built)
        || bounds.any(|range| Module::has_built(&range.events.to_string()));
    // Ours name the stream with the package.
    if !is_modular || name.contains(':') {
        return Ok(name.to_owned());
    }
    let module = record.summary.as_deref().and_then(Module::of_title);
    let module = module.ok_or_else(|| {
        format!(
            "{name:?} is built for a module, and no single module stream is given in \"summary\""
        )
    })?;
    Ok(module.package(name))
}

/// What is affected of one package: ranges by scheme, and single versions.
fn package(
    affected: &record::Affected,
    ecosystem: &Ecosystem,
    component: &ComponentName,
    field: &str,
    found: &mut Vec<Affected>,
    remarks: &mut Vec<Remark>,
) {
    let of_scheme = |scheme| Affected {
        component: component.clone(),
        scheme,
        ranges: Vec::new(),
        versions: Vec::new(),
        unlisted: None,
    };
    let mut own = of_scheme(ecosystem.scheme());
    let mut semantic = of_scheme(VersionScheme::Semver);
    for (number, version) in affected.versions.iter().flatten().enumerate() {
        let Some(text) = version.as_str() else {
            let reason = "not a text; panels treat versions that are not named as unknown";
            remarks.push(Remark {
                field: format!("{field}.versions[{number}]"),
                reason: reason.to_owned(),
            });
            leave_open(&mut own, Some(shown(&version.to_string())));
            continue;
        };
        own.versions.push(text.to_owned());
    }
    let mut decided = !own.versions.is_empty();
    let is_git = |ranges: &Ranges| ranges.kind == "GIT";
    let mut kinds = affected.ranges.iter().flatten();
    if kinds.clone().any(is_git) && kinds.all(is_git) {
        // The list may be of those that somebody found by the commits, and commits have no order here.
        let reason =
            "GIT ranges are not read; panels treat versions that are not listed as unknown";
        remarks.push(Remark {
            field: format!("{field}.ranges"),
            reason: reason.to_owned(),
        });
        leave_open(&mut own, None);
    }
    for (number, ranges) in affected.ranges.iter().flatten().enumerate() {
        let field = format!("{field}.ranges[{number}]");
        let into = match (ranges.kind.as_str(), own.scheme) {
            ("ECOSYSTEM", _) | ("SEMVER", VersionScheme::Semver | VersionScheme::Npm) => &mut own,
            ("SEMVER", _) => &mut semantic,
            // Other ranges beside them say of which versions these are.
            ("GIT", _) => continue,
            (kind, _) => {
                let reason = match kind {
                    "" => "no range type".to_owned(),
                    kind => format!("unsupported range type {:?}", shown(kind)),
                };
                remarks.push(Remark { field, reason });
                leave_open(&mut own, Some(shown(&ranges.events.to_string())));
                continue;
            }
        };
        decided = true;
        match read_ranges(ranges, into.scheme) {
            Ok((read, is_doubtful)) => {
                into.ranges.extend(read);
                if is_doubtful {
                    let reason =
                        "both fixed and last_affected; the later of the two ends the range";
                    remarks.push(Remark {
                        field: format!("{field}.events"),
                        reason: reason.to_owned(),
                    });
                }
            }
            Err(unread) => {
                let reason = format!("{}; panels treat its versions as unknown", unread.reason);
                remarks.push(Remark {
                    field: format!("{field}.{}", unread.field),
                    reason,
                });
                leave_open(into, Some(unread.text));
            }
        }
    }
    if !decided {
        remarks.push(Remark {
            field: field.to_owned(),
            reason: format!(
                "the affected versions of {component} are not given as versions; panels treat them as unknown"
            ),
        });
        leave_open(&mut own, None);
    }
    said_by_us(affected, &mut own);
    if remark_unreadable(&own, field, remarks) {
        leave_open(&mut own, None);
    }
    let says_something = |one: &Affected| {
        !one.ranges.is_empty() || !one.versions.is_empty() || one.unlisted.is_some()
    };
    if !says_something(&own) && !says_something(&semantic) {
        remarks.push(Remark {
            field: field.to_owned(),
            reason: format!("the ranges of {component} contain no version"),
        });
    }
    found.extend([own, semantic].into_iter().filter(says_something));
}

/// Events that are no ranges.
struct Unread {
    field: String,
    /// What is wrong.
    reason: String,
    /// What is written there.
    text: String,
}

fn read_ranges(
    ranges: &Ranges,
    scheme: VersionScheme,
) -> Result<(Vec<spacecp_contract::VersionRange>, bool), Unread> {
    let unread = |field: String, reason: String, text: &str| Unread {
        field,
        reason,
        text: shown(text),
    };
    let events = ranges.events().map_err(|error| {
        unread(
            format!("events.{}", error.path()),
            error.inner().to_string(),
            &ranges.events.to_string(),
        )
    })?;
    let read = intervals(scheme, &events).map(|read| (read, ends_twice(&events)));
    read.map_err(|error| {
        let text = match &error {
            EventsError::Version(error) => error.text.clone(),
            _ => ranges.events.to_string(),
        };
        unread("events".to_owned(), error.to_string(), &text)
    })
}

/// Notes that nobody knows of versions that are not named.
fn leave_open(affected: &mut Affected, text: Option<String>) {
    let unlisted = affected.unlisted.get_or_insert_with(|| {
        Box::new(Unlisted {
            others: Others::Unreadable,
            excluded: Vec::new(),
            fixed: Vec::new(),
            unread: Vec::new(),
            investigated: Vec::new(),
        })
    });
    unlisted.unread.extend(text);
}

/// Takes what we write beside ranges, which say that everything outside of them is not affected.
fn said_by_us(affected: &record::Affected, own: &mut Affected) {
    let specific = affected.database_specific.as_ref();
    let said = specific.and_then(|specific| specific.pointer("/spacecp/unlisted"));
    let said = said.and_then(|said| Unlisted::deserialize(said).ok());
    let Some(mut said) = said.filter(|_| own.unlisted.is_none()) else {
        return;
    };
    // It may make unknown what would be decided, and never the other way round.
    if said.others == Others::NotAffected {
        said.excluded.clear();
        said.fixed.clear();
        if said.investigated.is_empty() {
            return;
        }
    }
    own.unlisted = Some(Box::new(said));
}

/// A listed version that its scheme cannot read is compared letter by letter, and decides no more.
/// Names the versions of a list that are none; whether there are any. They may stand for others.
fn remark_unreadable(affected: &Affected, field: &str, remarks: &mut Vec<Remark>) -> bool {
    let before = remarks.len();
    for (number, version) in affected.versions.iter().enumerate() {
        if let Err(error) = Version::read(affected.scheme, version) {
            remarks.push(Remark {
                field: format!("{field}.versions[{number}]"),
                reason: format!("compared as exact text only: {error}"),
            });
        }
    }
    remarks.len() > before
}

/// The vectors that compute, of the record and of its packages; the others are kept and named.
fn vectors(record: &Record, remarks: &mut Vec<Remark>) -> Vec<String> {
    let (mut vectors, mut seen) = (Vec::new(), HashSet::new());
    let mut take = |field: String, severity: &Severity| match vector::computes(&severity.score) {
        Ok(()) if seen.insert(severity.score.clone()) => vectors.push(severity.score.clone()),
        Ok(()) => {}
        Err(reason) => remarks.push(Remark {
            field,
            reason: format!("unsupported severity type {:?}: {reason}", severity.kind),
        }),
    };
    for (number, severity) in record.severity.iter().flatten().enumerate() {
        take(format!("severity[{number}]"), severity);
    }
    for (place, affected) in record.affected.iter().flatten().enumerate() {
        for (number, severity) in affected.severity.iter().flatten().enumerate() {
            take(format!("affected[{place}].severity[{number}]"), severity);
        }
    }
    vectors
}

/// OSV has no field for weaknesses; GitHub's records have them in `database_specific.cwe_ids`.
fn weaknesses(record: &Record) -> Vec<u32> {
    let ids = record.database_specific.as_ref();
    let ids = ids.and_then(|specific| specific.get("cwe_ids")?.as_array());
    let number = |id: &Value| id.as_str()?.strip_prefix("CWE-")?.parse().ok();
    ids.into_iter().flatten().filter_map(number).collect()
}

fn reference(reference: &record::Reference) -> Reference {
    Reference {
        title: super::write::title_of(&reference.kind),
        url: reference.url.clone(),
    }
}

fn credit(credit: &record::Credit) -> Credit {
    Credit {
        name: credit.name.clone(),
        role: credit.kind.as_deref().map_or_else(
            || "other".to_owned(),
            |kind| kind.to_lowercase().replace('_', " "),
        ),
    }
}
