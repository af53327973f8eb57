//! A finding of the doctor, and how findings are printed: each one for programs; for people, problems first, and one line
//! for each check without any. May not: look at anything.

use std::fmt::Write;

use serde::Serialize;

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Finding {
    /// What was looked at.
    pub(super) check: &'static str,
    /// Whether it is as it should be.
    pub(super) well: bool,
    /// What was found.
    pub(super) found: String,
    /// What to do, where something is to be done.
    pub(super) remedy: Option<String>,
}

impl Finding {
    pub(super) fn well(check: &'static str, found: impl Into<String>) -> Self {
        Self {
            check,
            well: true,
            found: found.into(),
            remedy: None,
        }
    }

    pub(super) fn ill(
        check: &'static str,
        found: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        Self {
            check,
            well: false,
            found: found.into(),
            remedy: Some(remedy.into()),
        }
    }
}

/// The findings for a person: what is wrong first, each with its remedy once; then what is well, a line for each check.
pub(super) fn in_words(findings: &[Finding]) -> String {
    let mut text = String::new();
    let ill: Vec<&Finding> = findings.iter().filter(|finding| !finding.well).collect();
    for (place, finding) in ill.iter().enumerate() {
        let _ = writeln!(text, "!!  {}: {}", finding.check, finding.found);
        let next = ill.get(place + 1);
        let is_last =
            next.is_none_or(|next| (next.check, &next.remedy) != (finding.check, &finding.remedy));
        if let Some(remedy) = finding.remedy.as_ref().filter(|_| is_last) {
            let _ = writeln!(text, "      {remedy}");
        }
    }
    let mut checks: Vec<&str> = Vec::new();
    for finding in findings.iter().filter(|finding| finding.well) {
        if !checks.contains(&finding.check) {
            checks.push(finding.check);
        }
    }
    for check in checks {
        let of_it = findings.iter().filter(|one| one.well && one.check == check);
        let found: Vec<&str> = of_it.map(|one| one.found.as_str()).collect();
        let _ = match found.as_slice() {
            [one] => writeln!(text, "ok  {check}: {one}"),
            [first, rest @ ..] => writeln!(text, "ok  {check}: {first}, and {} more", rest.len()),
            [] => Ok(()),
        };
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_comes_first_with_each_remedy_once_and_what_is_well_takes_a_line_a_check() {
        let findings = [
            Finding::well("component folder", "/a is writable"),
            Finding::ill("inventory", "x", "exclude it"),
            Finding::well("component folder", "/b is writable"),
            Finding::ill("inventory", "y", "exclude it"),
            Finding::well("component folder", "/c is writable"),
            Finding::well("clock", "right"),
        ];
        assert_eq!(
            in_words(&findings),
            "!!  inventory: x\n!!  inventory: y\n      exclude it\n\
             ok  component folder: /a is writable, and 2 more\nok  clock: right\n"
        );
    }
}
