//! Which versions are affected, which are not, and in which it is fixed: in words.

use maud::{Markup, html};
use spacecp_contract::{Advisory, Affected, Justification, VersionRange, VersionScheme};

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
                    li { code { (not.component) } ": " (reason(not.justification)) }
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
    ranges.chain(listed).collect::<Vec<_>>().join("; ")
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
    let fixed: Vec<&str> = affected
        .ranges
        .iter()
        .filter_map(|range| range.fixed.as_deref())
        .collect();
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
    }
}
