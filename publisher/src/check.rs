//! What may not be published: what policy or a panel would refuse.
//!
//! Everything that is wrong is found at once, each with where it is and what to do.

use std::fmt;

use jiff::Timestamp;
use spacecp_contract::{
    Advisory, Affected, Audience, Correction, Document, Limits, Tlp, VersionRange, VersionScheme,
    encode,
};

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Fault {
    /// The field, as `affected[0].ranges[1].fixed`.
    pub field: String,
    /// What is wrong and what to do.
    pub problem: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.field, self.problem)
    }
}

struct Faults(Vec<Fault>);

impl Faults {
    fn add(&mut self, field: impl Into<String>, problem: impl Into<String>) {
        self.0.push(Fault {
            field: field.into(),
            problem: problem.into(),
        });
    }

    fn unless(&mut self, holds: bool, field: &str, problem: &str) {
        if !holds {
            self.add(field, problem);
        }
    }
}

/// The longest title that fits a page's heading.
const LONGEST_TITLE: usize = 200;

/// Everything that keeps this advisory from being published at `now`.
pub fn advisory(advisory: &Advisory, corrections: &[Correction], now: Timestamp) -> Vec<Fault> {
    let mut faults = Faults(Vec::new());
    let titled =
        !advisory.title.trim().is_empty() && advisory.title.chars().count() <= LONGEST_TITLE;
    faults.unless(
        titled,
        "title",
        "say in one line of at most 200 characters what is wrong",
    );
    faults.unless(
        !advisory.issue.trim().is_empty(),
        "issue",
        "say what is wrong",
    );
    faults.unless(
        !advisory.impacts.trim().is_empty(),
        "impacts",
        "say what it leads to",
    );
    let answered = !advisory.solution.trim().is_empty() || !advisory.workarounds.is_empty();
    faults.unless(
        answered,
        "solution",
        "an advisory without a solution needs a workaround at least",
    );
    faults.unless(
        !advisory.affected.is_empty(),
        "affected",
        "say which component is affected",
    );
    embargo(advisory, now, &mut faults);
    for (number, vector) in advisory.severity.iter().enumerate() {
        let reason = match vector.parse::<cvss::Cvss>() {
            Ok(cvss) if cvss.metrics().count() >= base_metrics(&cvss) => continue,
            Ok(_) => "a base metric is missing".to_owned(),
            Err(error) => error.to_string(),
        };
        faults.add(
            format!("severity[{number}]"),
            format!("{vector:?} does not compute: {reason}"),
        );
    }
    for (number, affected) in advisory.affected.iter().enumerate() {
        ranges(affected, &format!("affected[{number}]"), &mut faults);
    }
    for correction in corrections
        .iter()
        .filter(|correction| advisory.corrections.contains(&correction.id))
    {
        leads_out(advisory, correction, &mut faults);
    }
    if let Err(problem) = advisory.validate() {
        faults.add("advisory", problem);
    }
    let size = encode(advisory).len();
    if size > Limits::default().text {
        faults.add(
            "advisory",
            format!(
                "it is {size} bytes long, and panels read up to {}",
                Limits::default().text
            ),
        );
    }
    faults.0
}

/// How many metrics a score is computed from at least.
fn base_metrics(cvss: &cvss::Cvss) -> usize {
    if matches!(cvss, cvss::Cvss::CvssV40(_)) {
        11
    } else {
        8
    }
}

fn embargo(advisory: &Advisory, now: Timestamp, faults: &mut Faults) {
    match (advisory.is_under_embargo(), advisory.embargo_until) {
        (true, None) => faults.add(
            "embargo_until",
            format!("{} needs the planned date of disclosure", advisory.tlp),
        ),
        (true, Some(until)) if until <= now => {
            faults.add("embargo_until", format!("{until} is in the past"));
        }
        (false, Some(_)) => faults.add(
            "embargo_until",
            format!("{} is not an embargo: take the date out", advisory.tlp),
        ),
        _ => {}
    }
    let public = advisory.audience.as_str() == Audience::PUBLIC;
    if public && advisory.tlp != Tlp::Clear {
        faults.add("tlp", format!("{} does not go to everybody", advisory.tlp));
    }
}

fn ranges(affected: &Affected, field: &str, faults: &mut Faults) {
    if !matches!(affected.scheme, VersionScheme::Semver | VersionScheme::Npm) {
        return;
    }
    let mut bounds = Vec::new();
    for (number, range) in affected.ranges.iter().enumerate() {
        let field = format!("{field}.ranges[{number}]");
        match parse(range) {
            Ok((from, to)) if to.as_ref().is_some_and(|to| *to <= from) => {
                faults.add(field, "it ends before it begins");
            }
            Ok(range) => bounds.push((field, range)),
            Err((part, problem)) => faults.add(format!("{field}.{part}"), problem),
        }
    }
    bounds.sort_by(|(_, one), (_, other)| one.0.cmp(&other.0));
    for pair in bounds.windows(2) {
        let (_, (_, end)) = &pair[0];
        let (field, (begin, _)) = &pair[1];
        if end.as_ref().is_none_or(|end| begin < end) {
            faults.add(field.clone(), format!("it overlaps {}", pair[0].0));
        }
    }
}

type Bounds = (semver::Version, Option<semver::Version>);

fn parse(range: &VersionRange) -> Result<Bounds, (&'static str, String)> {
    let version = |part, text: &str| {
        semver::Version::parse(text)
            .map_err(|error| (part, format!("{text:?} is not a version: {error}")))
    };
    let from = match range.introduced.as_str() {
        "0" => semver::Version {
            major: 0,
            minor: 0,
            patch: 0,
            pre: semver::Prerelease::new("0").unwrap_or_default(),
            build: semver::BuildMetadata::EMPTY,
        },
        text => version("introduced", text)?,
    };
    let fixed = range
        .fixed
        .as_deref()
        .map(|text| version("fixed", text))
        .transpose()?;
    let last = range
        .last_affected
        .as_deref()
        .map(|text| version("last_affected", text))
        .transpose()?;
    Ok((from, fixed.or(last)))
}

/// A correction must not lead to a version that its own advisory calls affected.
fn leads_out(advisory: &Advisory, correction: &Correction, faults: &mut Faults) {
    let Ok(to) = semver::Version::parse(&correction.to) else {
        return;
    };
    for affected in advisory
        .affected
        .iter()
        .filter(|affected| affected.component == correction.component)
    {
        for range in &affected.ranges {
            let Ok((from, end)) = parse(range) else {
                continue;
            };
            let before_end = match (&end, range.last_affected.is_some()) {
                (None, _) => true,
                (Some(end), true) => to <= *end,
                (Some(end), false) => to < *end,
            };
            if from <= to && before_end {
                faults.add(
                    "corrections",
                    format!("{} leads to {to}, which is affected still", correction.id),
                );
            }
        }
    }
}
