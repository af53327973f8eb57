//! Advisories as people write them: a TOML file with the fields of the signed document.

use std::{
    io,
    path::{Path, PathBuf},
};

use jiff::Timestamp;
use spacecp_contract::{Advisory, Audience, DocumentId};

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
    #[error("the draft {} cannot be understood:\n{source}", path.display())]
    Field {
        /// The file.
        path: PathBuf,
        /// What is wrong, with the line.
        source: Box<toml::de::Error>,
    },
}

/// Reads a draft.
pub fn load(path: &Path) -> Result<Advisory, DraftError> {
    let text = std::fs::read_to_string(path).map_err(|source| DraftError::File {
        path: path.to_owned(),
        source,
    })?;
    toml::from_str(&text).map_err(|source| DraftError::Field {
        path: path.to_owned(),
        source: Box::new(source),
    })
}

/// A draft to fill in: every field, with what it is for.
pub fn template(id: &DocumentId, audience: &Audience, now: Timestamp) -> String {
    let day = now.strftime("%Y-%m-%dT00:00:00Z");
    format!(
        r#"# An advisory. Texts are Markdown. Check it with "spacecp-publisher advisory check".
id = "{id}"
revision = 1                      # one more each time it is published
audience = "{audience}"
published = "{day}"
modified = "{day}"
title = ""                        # one line
tlp = "TLP:AMBER+STRICT"          # TLP:CLEAR once it is public
embargo_until = "{until}"   # the planned date; leave it out when public
known_exploited = false
aliases = []                      # CVE and GHSA ids
severity = []                     # CVSS vectors, as "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"
cwe = []                          # numbers
corrections = []                  # ids of the corrections that fix it

issue = """
"""
impacts = """
"""
solution = """
"""

[[affected]]
component = ""                    # as "spacecp:houston"
scheme = "semver"
ranges = [{{ introduced = "0", fixed = "" }}]

# [[workarounds]]
# id = "off"
# text = "What to do until the correction is in place."

# [[timeline]]
# at = "{day}"
# event = "Reported in private."

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
