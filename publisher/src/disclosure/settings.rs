//! Who discloses, where, and how the vendor is reached: `publisher.toml` of the desk.
//!
//! Everything is checked before a file is made of it: what is missing or cannot be is refused by name.

use std::{
    fs::File,
    io::{self, Read},
    path::{Path, PathBuf},
};

use jiff::Timestamp;
use serde::Deserialize;
use spacecp_formats::csaf::Issuer;
use url::Url;

use self::check::Check;
use crate::report::key::Recipient;

mod check;

/// The longest file that is read, in bytes.
const LONGEST_FILE: u64 = 64 << 10;

/// How many advisories the Atom feed has, where it is not said.
const NEWEST: usize = 50;

/// How many it has at most.
const MOST_NEWEST: usize = 1_000;

/// What a file that has everything looks like.
pub const EXAMPLE: &str = r#"name = "SpaceCP"                          # who publishes
namespace = "https://example.com"         # the vendor's own address, for CSAF
address = "https://security.example.com"  # where the web root is served
# language = "en"                         # of the advisories
# newest = 50                             # how many the Atom feed has
# list-on-aggregators = true              # CSAF: may others list it,
# mirror-on-aggregators = true            # and keep copies?

[security-txt]
contact = ["mailto:security@example.com"] # the first is preferred
policy = "https://example.com/security"
expires = "2026-12-31T00:00:00Z"          # within a year
# encryption = "https://…"                # without it, the desk's report key is shown
# preferred-languages = ["en"]
# acknowledgments = "https://…"
"#;

/// Why settings cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// The file cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: io::Error,
    },
    /// It is longer than it may be.
    #[error("{} is longer than {LONGEST_FILE} bytes", path.display())]
    Long {
        /// The file.
        path: PathBuf,
    },
    /// It is not what a desk has there.
    #[error("cannot parse {}:\n{source}", path.display())]
    Form {
        /// The file.
        path: PathBuf,
        /// What is wrong, with the line.
        source: Box<toml::de::Error>,
    },
    /// Fields that have to be there are not.
    #[error("{} lacks the settings: {}", path.display(), fields.join(", "))]
    Missing {
        /// The file.
        path: PathBuf,
        /// All of them.
        fields: Vec<&'static str>,
    },
    /// A field says what cannot be.
    #[error("{}: {field} = {found:?}: {rule}", path.display())]
    Field {
        /// The file.
        path: PathBuf,
        /// The field.
        field: &'static str,
        /// The beginning of what it says.
        found: String,
        /// What it has to be.
        rule: &'static str,
    },
    /// Nobody could encrypt a report.
    #[error("{} has no security-txt.encryption, and there is no report key. Create one with \"spacecp-publisher keys new report\"", path.display())]
    Encryption {
        /// The file.
        path: PathBuf,
    },
    /// What is said of the vendor no longer holds.
    #[error("{}: security-txt.expires = {expires} has passed. Review the file and set a new date", path.display())]
    Expired {
        /// The file.
        path: PathBuf,
        /// The date.
        expires: Timestamp,
    },
    /// It would be believed for too long.
    #[error("{}: security-txt.expires = {expires} is more than a year away, which RFC 9116 discourages", path.display())]
    Distant {
        /// The file.
        path: PathBuf,
        /// The date.
        expires: Timestamp,
    },
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Written {
    name: Option<String>,
    namespace: Option<String>,
    address: Option<String>,
    language: Option<String>,
    newest: Option<usize>,
    list_on_aggregators: Option<bool>,
    mirror_on_aggregators: Option<bool>,
    security_txt: Option<WrittenContact>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct WrittenContact {
    #[serde(default)]
    contact: Vec<String>,
    policy: Option<String>,
    expires: Option<Timestamp>,
    encryption: Option<String>,
    preferred_languages: Option<Vec<String>>,
    acknowledgments: Option<String>,
}

/// How finders encrypt a report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Encryption {
    /// The address that says so.
    At(String),
    /// A recipient of age, which the site shows.
    Recipient(String),
}

/// How the vendor is reached: what `security.txt` says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contact {
    /// Addresses, the preferred one first.
    pub addresses: Vec<String>,
    /// The disclosure policy.
    pub policy: String,
    /// Until when all of it holds.
    pub expires: Timestamp,
    /// How to encrypt.
    pub encryption: Encryption,
    /// Languages that are understood.
    pub languages: Vec<String>,
    /// Whom the vendor thanks.
    pub acknowledgments: Option<String>,
}

/// Settings that have been checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Who publishes.
    pub issuer: Issuer,
    /// The language of the advisories.
    pub language: String,
    /// How many advisories the Atom feed has.
    pub newest: usize,
    /// Whether others may list this publisher.
    pub listed: bool,
    /// Whether others may keep copies.
    pub mirrored: bool,
    /// How the vendor is reached.
    pub contact: Contact,
    address: Url,
}

impl Settings {
    /// Where the web root is served, with a `/` at its end.
    pub fn address(&self) -> &str {
        self.address.as_str()
    }

    /// The host of the vendor's own address.
    pub(super) fn authority(&self) -> String {
        let namespace = Url::parse(&self.issuer.namespace).ok();
        let host = namespace.and_then(|url| url.host_str().map(str::to_owned));
        host.unwrap_or_else(|| self.address.host_str().unwrap_or_default().to_owned())
    }

    /// Reads a file. `recipient` is the desk's report key, if it has one.
    ///
    /// # Errors
    ///
    /// [`SettingsError`], with the file and the field.
    pub fn load(
        path: &Path,
        recipient: Option<&Recipient>,
        now: Timestamp,
    ) -> Result<Self, SettingsError> {
        let failed = |source| SettingsError::File {
            path: path.to_owned(),
            source,
        };
        let file = File::open(path).map_err(failed)?;
        let mut text = String::new();
        let mut limited = file.take(LONGEST_FILE + 1);
        limited.read_to_string(&mut text).map_err(failed)?;
        if text.len() as u64 > LONGEST_FILE {
            let path = path.to_owned();
            return Err(SettingsError::Long { path });
        }
        Self::read(path, &text, recipient, now)
    }

    /// Reads what a file says.
    ///
    /// # Errors
    ///
    /// As [`Settings::load`].
    pub fn read(
        path: &Path,
        text: &str,
        recipient: Option<&Recipient>,
        now: Timestamp,
    ) -> Result<Self, SettingsError> {
        let written: Written = toml::from_str(text).map_err(|source| SettingsError::Form {
            path: path.to_owned(),
            source: Box::new(source),
        })?;
        let check = Check { path };
        check.nothing_is_missing(&written)?;
        let Written {
            name,
            namespace,
            address,
            language,
            ..
        } = written;
        let name = check.text("name", name.unwrap_or_default())?;
        let namespace = check.web("namespace", namespace.unwrap_or_default())?;
        let address = check.origin(address.unwrap_or_default())?;
        let language = language.unwrap_or_else(|| "en".to_owned());
        let language = check.language("language", language)?;
        let newest = written.newest.unwrap_or(NEWEST);
        if newest == 0 || newest > MOST_NEWEST {
            let rule = "must be 1 to 1000 advisories";
            return Err(check.refused("newest", &newest.to_string(), rule));
        }
        let contact = written.security_txt.unwrap_or_default();
        Ok(Self {
            contact: check.contact(contact, &language, recipient, now)?,
            issuer: Issuer { name, namespace },
            language,
            newest,
            listed: written.list_on_aggregators.unwrap_or(true),
            mirrored: written.mirror_on_aggregators.unwrap_or(true),
            address,
        })
    }
}

#[cfg(test)]
mod tests;
