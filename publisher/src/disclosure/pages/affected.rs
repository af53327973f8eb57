//! Which versions are affected, which are not, and in which it is fixed: in words.

use maud::{Markup, html};
use spacecp_contract::{
    Advisory, Affected, Justification, NotAffected, Others, VersionRange, VersionScheme,
};

/// The section of an advisory.
pub(super) fn section(advisory: &Advisory) -> Markup {
    html! {
        @if !advisory.affected.is_empty() {
            h2 { "Affected versions" }
            table.rows {
                thead { tr { th scope="col" { "Component" } th scope="col" { "Affected" } th scope="col" { "Fixed in" } } }
                tbody {
                    @for affected in &advisory.affected {
                        tr {
                            td data-label="Component" { span { code { (affected.component) } } }
                            td data-label="Affected" { span { (versions(affected)) } }
                            td data-label="Fixed in" { span { (fixed(affected)) } }
                        }
                    }
                }
            }
        }
        @if !advisory.not_affected.is_empty() {
            h2 { "Not affected" }
            ul {
                @for not in &advisory.not_affected {
                    li { code { (not.component) } (only(not)) ": " (reason(not.justification)) }
                }
            }
        }
    }
}

/// The affected versions of a component.
pub(super) fn versions(affected: &Affected) -> String {
    if affected.scheme == VersionScheme::Unknown {
        return "under investigation".to_owned();
    }
    let ranges = affected.ranges.iter().map(range);
    let listed = affected.versions.iter().cloned();
    let others = affected.unlisted.as_deref().and_then(|unlisted| {
        let excluded = unlisted.excluded.join(", ");
        let except = (!excluded.is_empty()).then(|| format!("except {excluded}"));
        let open = match unlisted.others {
            Others::NotAffected => None,
            Others::UnderInvestigation => Some("other versions under investigation"),
            _ => Some("other versions unknown"),
        };
        let all: Vec<String> = except.into_iter().chain(open.map(str::to_owned)).collect();
        (!all.is_empty()).then(|| all.join("; "))
    });
    let all = ranges.chain(listed).chain(others);
    all.collect::<Vec<_>>().join("; ")
}

/// The versions that a statement is about, where it is not about all.
fn only(not: &NotAffected) -> String {
    let Some(only) = &not.only else {
        return String::new();
    };
    let ranges = only.ranges.iter().map(range);
    let all: Vec<String> = ranges.chain(only.versions.iter().cloned()).collect();
    format!(" ({})", all.join("; "))
}

fn range(range: &VersionRange) -> String {
    let first = match &*range.introduced {
        "0" => None,
        version => Some(version),
    };
    let end = match (&range.fixed, &range.last_affected, &range.limit) {
        (Some(fixed), ..) => Some(format!("before {fixed}")),
        (_, Some(last), _) => Some(format!("up to and including {last}")),
        (_, _, Some(limit)) if limit != "*" => Some(format!("as far as {limit}")),
        _ => None,
    };
    match (first, end) {
        (None, None) => "all versions".to_owned(),
        (None, Some(end)) => format!("all versions {end}"),
        (Some(first), None) => format!("{first} and all later versions"),
        (Some(first), Some(end)) => format!("from {first} {end}"),
    }
}

fn fixed(affected: &Affected) -> String {
    let ends = affected.ranges.iter();
    let ends = ends.filter_map(|range| range.fixed.as_ref());
    let listed = affected
        .unlisted
        .iter()
        .flat_map(|unlisted| &unlisted.fixed);
    let mut fixed: Vec<&str> = ends.chain(listed).map(String::as_str).collect();
    let mut seen = std::collections::HashSet::new();
    fixed.retain(|version| seen.insert(*version));
    if fixed.is_empty() {
        return "not fixed yet".to_owned();
    }
    fixed.join("; ")
}

fn reason(justification: Justification) -> &'static str {
    match justification {
        Justification::ComponentNotPresent => "the vulnerable component is not present.",
        Justification::VulnerableCodeNotPresent => "the vulnerable code is not present.",
        Justification::VulnerableCodeNotInExecutePath => "the vulnerable code is never executed.",
        Justification::VulnerableCodeCannotBeControlledByAdversary => {
            "an attacker cannot reach the vulnerable code."
        }
        Justification::InlineMitigationsAlreadyExist => {
            "existing mitigations prevent exploitation."
        }
        Justification::Stated => "for the reasons given in this advisory.",
    }
}
