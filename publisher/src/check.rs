//! What may not be published: what policy or a panel would refuse.
//!
//! Everything that is wrong is found at once, each with where it is and what to do.
//!
//! Advisories that were made from other people's documents ([`spacecp_formats`]) are held to what a
//! panel needs, and not to what our policy asks of those who write here:
//!
//! - Their impacts may be empty: OSV tells issue and impacts in one text, and that is the issue.
//! - They always say a solution, since the document's ranges tell one: the corrected versions, or that
//!   the document names none. So the rule about solutions and workarounds holds for them as well.
//! - Their ranges may overlap, as the union is what they mean. Each still has to be readable.
//! - A listed version that the scheme cannot read stays: it is that very text which is affected.
//! - A component of an unknown scheme stays: the document says that it is being looked into, and so
//!   do panels.
//! - What no longer holds, or only says what is not affected, need not say what is.

use std::fmt;

use jiff::Timestamp;
use spacecp_contract::{
    Advisory, Affected, Audience, Correction, Document, Limits, Tlp, VersionRange, VersionScheme,
    encode,
    version::{Range, Version},
};
use spacecp_formats::vector;

use crate::markdown;

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
    faults.unless(titled, "title", "must be one line of 1 to 200 characters");
    faults.unless(
        !advisory.issue.trim().is_empty(),
        "issue",
        "the description is missing",
    );
    let foreign = advisory.source.is_some();
    faults.unless(
        foreign || !advisory.impacts.trim().is_empty(),
        "impacts",
        "the impacts are missing",
    );
    let answered = !advisory.solution.trim().is_empty() || !advisory.workarounds.is_empty();
    faults.unless(
        answered,
        "solution",
        "an advisory without a solution requires a workaround",
    );
    let spares = advisory.withdrawn.is_some() || !advisory.not_affected.is_empty();
    faults.unless(
        !advisory.affected.is_empty() || (foreign && spares),
        "affected",
        "no affected component",
    );
    if !foreign {
        texts(advisory, &mut faults);
    }
    embargo(advisory, now, &mut faults);
    for (number, score) in advisory.severity.iter().enumerate() {
        if let Err(reason) = vector::computes(score) {
            faults.add(format!("severity[{number}]"), reason);
        }
    }
    for (number, affected) in advisory.affected.iter().enumerate() {
        let field = format!("affected[{number}]");
        let unread = foreign && affected.scheme == VersionScheme::Unknown;
        if !unread {
            ranges(affected, &field, foreign, &mut faults);
        }
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
                "its {size} bytes exceed the limit of {}",
                Limits::default().text
            ),
        );
    }
    faults.0
}

/// What the formats that everybody is told in have no words for, or what would show as something else.
fn texts(advisory: &Advisory, faults: &mut Faults) {
    let line = "must be one line of plain text, without control and bidirectional characters";
    faults.unless(is_line(&advisory.title), "title", line);
    for (number, alias) in advisory.aliases.iter().enumerate() {
        let is_id = !alias.is_empty() && !alias.contains(char::is_whitespace) && is_line(alias);
        faults.unless(is_id, &format!("aliases[{number}]"), "invalid id");
    }
    for (number, reference) in advisory.references.iter().enumerate() {
        let field = format!("references[{number}]");
        let is_titled = !reference.title.trim().is_empty() && is_line(&reference.title);
        faults.unless(is_titled, &format!("{field}.title"), line);
        let is_web = markdown::is_web(&reference.url) && reference.url.is_ascii();
        faults.unless(
            is_web && reference.url.parse::<url::Url>().is_ok(),
            &format!("{field}.url"),
            "must be an address beginning with https:// or http://",
        );
    }
    for (number, credit) in advisory.credits.iter().enumerate() {
        for (field, text) in [("name", &credit.name), ("role", &credit.role)] {
            let is_said = !text.trim().is_empty() && is_line(text);
            faults.unless(is_said, &format!("credits[{number}].{field}"), line);
        }
    }
}

/// Whether a text is one line that shows as it is written: nothing in it ends the line, moves the cursor, or
/// turns the direction of what follows.
fn is_line(text: &str) -> bool {
    let is_mark = |character: char| matches!(character, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let breaks = |character: char| matches!(character, '\u{2028}' | '\u{2029}');
    !text
        .chars()
        .any(|character| character.is_control() || is_mark(character) || breaks(character))
}

/// What keeps an advisory from following the newest revision that was signed: whoever goes by dates would never
/// fetch it.
pub fn follows(advisory: &Advisory, signed: &Advisory) -> Vec<Fault> {
    let mut faults = Faults(Vec::new());
    if advisory.revision > signed.revision && advisory.modified <= signed.modified {
        faults.add(
            "modified",
            format!(
                "revision {} was modified on {}; set the time of this revision",
                signed.revision, signed.modified
            ),
        );
    }
    faults.0
}

fn embargo(advisory: &Advisory, now: Timestamp, faults: &mut Faults) {
    match (advisory.is_under_embargo(), advisory.embargo_until) {
        (true, None) => faults.add(
            "embargo_until",
            format!("{} requires the planned date of disclosure", advisory.tlp),
        ),
        (true, Some(until)) if until <= now => {
            faults.add("embargo_until", format!("{until} is in the past"));
        }
        (false, Some(_)) => faults.add(
            "embargo_until",
            format!("{} is not embargoed; remove the date", advisory.tlp),
        ),
        _ => {}
    }
    let public = advisory.audience.as_str() == Audience::PUBLIC;
    if public && advisory.tlp != Tlp::Clear {
        faults.add(
            "tlp",
            format!("the audience {} is not everybody", advisory.tlp),
        );
    }
}

/// What a panel could not read in this scheme would be unknown to all of them.
fn ranges(affected: &Affected, field: &str, foreign: bool, faults: &mut Faults) {
    let mut read: Vec<(String, Range)> = Vec::new();
    for (number, range) in affected.ranges.iter().enumerate() {
        let field = format!("{field}.ranges[{number}]");
        match Range::read(affected.scheme, range) {
            Ok(range) if range.is_empty() => faults.add(field, "its start and end are equal"),
            Ok(range) => read.push((field, range)),
            Err(error) => match unread(affected.scheme, range) {
                Some(part) => faults.add(format!("{field}.{part}"), error.to_string()),
                None => faults.add(field, error.to_string()),
            },
        }
    }
    if foreign {
        return;
    }
    for (place, (field, range)) in read.iter().enumerate() {
        let mut before = read.iter().take(place);
        if let Some((other, _)) = before.find(|(_, before)| before.overlaps(range)) {
            faults.add(field.clone(), format!("overlaps {other}"));
        }
    }
    for (number, version) in affected.versions.iter().enumerate() {
        if let Err(error) = Version::read(affected.scheme, version) {
            faults.add(format!("{field}.versions[{number}]"), error.to_string());
        }
    }
}

/// The first part of a range that is no version of the scheme.
fn unread(scheme: VersionScheme, range: &VersionRange) -> Option<&'static str> {
    let introduced = (range.introduced != "0").then_some(&range.introduced);
    let parts = [
        ("introduced", introduced),
        ("fixed", range.fixed.as_ref()),
        ("last_affected", range.last_affected.as_ref()),
        ("limit", range.limit.as_ref()),
    ];
    let is_unread = |text: &String| Version::read(scheme, text).is_err();
    let mut parts = parts.into_iter();
    parts.find_map(|(part, text)| text.filter(|text| is_unread(text)).map(|_| part))
}

/// A correction must not lead to a version that its own advisory calls affected, and no panel may be
/// left to guess where it leads from and to.
fn leads_out(advisory: &Advisory, correction: &Correction, faults: &mut Faults) {
    for problem in unreadable(correction) {
        faults.add("corrections", format!("{}: {problem}", correction.id));
    }
    let of_component = |affected: &&Affected| affected.component == correction.component;
    for affected in advisory.affected.iter().filter(of_component) {
        let Ok(to) = Version::read(affected.scheme, &correction.to) else {
            continue;
        };
        let ranges = affected.ranges.iter();
        let mut ranges = ranges.filter_map(|range| Range::read(affected.scheme, range).ok());
        if ranges.any(|range| range.contains(&to) == Some(true)) {
            faults.add(
                "corrections",
                format!("{} leads to {to}, which is still affected", correction.id),
            );
        }
    }
}

/// What of a correction's versions cannot be read in its scheme.
fn unreadable(correction: &Correction) -> impl Iterator<Item = String> {
    let from = Range::read(correction.scheme, &correction.from).err();
    let to = Version::read(correction.scheme, &correction.to).err();
    let from = from.map(|error| format!("from: {error}"));
    from.into_iter()
        .chain(to.map(|error| format!("to: {error}")))
}
