//! Advisories as people write them: a TOML file with the fields of the signed document.

use std::{
    io,
    path::{Path, PathBuf},
};

use jiff::Timestamp;
use spacecp_contract::{Advisory, Audience, DocumentId, VersionScheme};

use crate::regular_file;

/// The longest draft that is read, in bytes: more than any document that panels read.
const LONGEST: u64 = 16 << 20;

/// Why a draft cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum DraftError {
    /// The file.
    #[error("cannot read the draft {}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: io::Error,
    },
    /// A field; the message shows line and column.
    #[error("cannot parse the draft {}:\n{source}", path.display())]
    Field {
        /// The file.
        path: PathBuf,
        /// What is wrong, with the line.
        source: Box<toml::de::Error>,
    },
}

/// Reads a draft.
pub fn load(path: &Path) -> Result<Advisory, DraftError> {
    let text = regular_file::text(path, LONGEST).map_err(|source| DraftError::File {
        path: path.to_owned(),
        source,
    })?;
    toml::from_str(&text).map_err(|source| DraftError::Field {
        path: path.to_owned(),
        source: Box::new(source),
    })
}

/// An advisory as a draft: what somebody goes on from that has been signed before.
///
/// # Errors
///
/// Where TOML has no form for it: a revision past 2^63.
pub fn written_out(advisory: &Advisory) -> Result<String, toml::ser::Error> {
    let fields = toml::to_string_pretty(advisory)?;
    Ok(format!(
        "# The next revision of an advisory that is signed. Texts are Markdown.\n{fields}"
    ))
}

/// What is known before anybody writes: what a case says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Known {
    /// One line.
    pub title: String,
    /// Components with the versions that they were seen in.
    pub affected: Vec<(String, VersionScheme, Vec<String>)>,
    /// The corrections that answer it.
    pub corrections: Vec<DocumentId>,
    /// What happened when.
    pub timeline: Vec<(Timestamp, &'static str)>,
}

/// A draft to fill in: every field, with what it is for.
pub fn template(id: &DocumentId, audience: &Audience, now: Timestamp, known: &Known) -> String {
    let title = written(&known.title);
    let corrections: Vec<String> = known.corrections.iter().map(|id| written(id)).collect();
    let corrections = format!("[{}]", corrections.join(", "));
    let affected = affected(known);
    let timeline = timeline(known, now);
    let day = now.strftime("%Y-%m-%dT00:00:00Z");
    format!(
        r#"# An advisory. Texts are Markdown. Check it with "spacecp-publisher advisory check".
id = "{id}"
revision = 1                      # one more each time it is published
audience = "{audience}"
published = "{day}"
modified = "{day}"
title = {title:<25}   # one line
tlp = "TLP:AMBER+STRICT"          # TLP:CLEAR once it is public
embargo_until = "{until}"   # the planned date; leave it out when public
known_exploited = false
aliases = []                      # CVE and GHSA ids
severity = []                     # CVSS vectors, as "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"
cwe = []                          # numbers
corrections = {corrections:<17}   # ids of the corrections that fix it

issue = """
"""
impacts = """
"""
solution = """
"""

{affected}
# [[workarounds]]
# id = "off"
# text = "What to do until the correction is in place."

{timeline}
# [[references]]
# title = ""
# url = "https://"

# [[credits]]                     # only with consent
# name = ""
# role = "finder"
"#,
        until = (now + jiff::SignedDuration::from_hours(24 * 30)).strftime("%Y-%m-%dT00:00:00Z"),
    )
}

fn affected(known: &Known) -> String {
    if known.affected.is_empty() {
        return r#"[[affected]]
component = ""                    # as "spacecp:houston"
scheme = "semver"
ranges = [{ introduced = "0", fixed = "" }]
"#
        .to_owned();
    }
    let one = |(component, scheme, versions): &(String, VersionScheme, Vec<String>)| {
        let versions: Vec<String> = versions.iter().map(|version| written(version)).collect();
        format!(
            "[[affected]]                      # as it was reported: say which range it is\ncomponent = {}\nscheme = \"{scheme}\"\n# ranges = [{{ introduced = \"0\", fixed = \"\" }}]\nversions = [{}]\n",
            written(component),
            versions.join(", ")
        )
    };
    known
        .affected
        .iter()
        .map(one)
        .collect::<Vec<_>>()
        .join("\n")
}

fn timeline(known: &Known, now: Timestamp) -> String {
    if known.timeline.is_empty() {
        let day = now.strftime("%Y-%m-%dT00:00:00Z");
        return format!("# [[timeline]]\n# at = \"{day}\"\n# event = \"Reported in private.\"\n");
    }
    let entries = known.timeline.iter();
    let entries = entries
        .map(|(at, event)| format!("[[timeline]]\nat = \"{at}\"\nevent = {}\n", written(event)));
    entries.collect::<Vec<_>>().join("\n")
}

/// A text as TOML writes it.
fn written(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}
