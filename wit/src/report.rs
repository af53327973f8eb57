//! The report of a vulnerability, from a finder to the vendor.
//!
//! It is the one document that nobody signs: whoever opens it reads the word of a stranger. Both sides hold
//! it against the same limits, the panel before it encrypts it and the vendor after decrypting it. What is
//! text stays text: there is no markup in it, and no control character. This module neither encrypts nor
//! decrypts, and knows no clock.

use serde::{Deserialize, Serialize};

use crate::{
    ComponentName, Limits, ShapeError, TreePath,
    preamble::{Preamble, PreambleError},
};

/// The schema that this crate writes, and the highest that it reads.
pub const REPORT_SCHEMA: u32 = 1;

/// The word by which the bytes say what they are.
const KIND: &str = "report";

/// How much a report may ask of its reader.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReportLimits {
    /// Bytes of the whole report.
    pub bytes: usize,
    /// Characters of what is one line: title, contact, credit.
    pub line: usize,
    /// Bytes of each longer text.
    pub text: usize,
    /// Versions that it may call affected.
    pub affected: usize,
    /// Files that may come with it.
    pub attachments: usize,
    /// Bytes of one of these files.
    pub attachment: usize,
}

impl Default for ReportLimits {
    /// 9 MiB in all: lines of 200 characters, texts of 32 KiB, 256 versions, 16 files of up to 4 MiB.
    fn default() -> Self {
        Self {
            bytes: 9 << 20,
            line: 200,
            text: 32 << 10,
            affected: 256,
            attachments: 16,
            attachment: 4 << 20,
        }
    }
}

/// What a finder tells the vendor.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Report {
    /// One line.
    pub title: String,
    /// How to reproduce it.
    pub steps: String,
    /// Where it was seen; what the finder says, nothing that was verified.
    #[serde(default)]
    pub affected: Vec<ReportedVersion>,
    /// What was expected to happen.
    pub expected: String,
    /// What happened.
    pub actual: String,
    /// Anything else that helps.
    #[serde(default)]
    pub more: String,
    /// Who found it; nobody says so unless they want to.
    #[serde(default)]
    pub finder: Finder,
    /// Files that came with it; panels send none.
    #[serde(default)]
    pub attachments: Vec<Attachment>,
}

/// A component in a version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReportedVersion {
    /// The component, by the name that advisories use.
    pub component: ComponentName,
    /// Its version, as the finder read it.
    pub version: String,
}

/// Who found it. Each field is empty unless the finder filled it in; all of them are for an anonymous one.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Finder {
    /// How to reach them, as an address of mail.
    #[serde(default)]
    pub contact: String,
    /// The name that they want to be credited by; without one they are not named.
    #[serde(default)]
    pub credit: String,
    /// Their own age recipient, as `age1…`, for what the vendor sends back.
    #[serde(default)]
    pub recipient: String,
}

impl Finder {
    /// Whether nothing about them was said.
    pub fn is_anonymous(&self) -> bool {
        [&self.contact, &self.credit, &self.recipient]
            .iter()
            .all(|field| field.is_empty())
    }
}

/// A file that came with a report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Attachment {
    /// Its name: one part of a path, that no system takes for anything else.
    pub name: TreePath,
    /// Its contents.
    #[serde(with = "bytes")]
    pub bytes: Vec<u8>,
}

/// Why something is not a report.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReportError {
    /// Beyond a limit, cut short, or not MessagePack.
    #[error("not a readable report: {0}")]
    Shape(#[from] ShapeError),
    /// Something else.
    #[error("expected a report, found {found:?}")]
    Kind {
        /// What it says it is.
        found: String,
    },
    /// Written by a newer program.
    #[error(
        "this report has schema {found}, but this program supports up to {REPORT_SCHEMA}: update the program"
    )]
    Schema {
        /// Its schema.
        found: u32,
    },
    /// A field is missing or unknown, or of another type, or has a value that it may not have.
    #[error("not a readable report: {reason}")]
    Field {
        /// What is wrong.
        reason: String,
    },
    /// What has to be said was not.
    #[error("{field} is empty but required")]
    Missing {
        /// The field.
        field: &'static str,
    },
    /// A field is too long.
    #[error("{field} has {found} {unit}, more than the limit of {limit}")]
    Long {
        /// The field.
        field: String,
        /// Its length.
        found: usize,
        /// In what that is counted.
        unit: &'static str,
        /// The limit.
        limit: usize,
    },
    /// A field has a character that would be more than text.
    #[error(
        "{field} contains the unsupported character {} on line {line}",
        character.escape_unicode()
    )]
    Character {
        /// The field.
        field: String,
        /// The character.
        character: char,
        /// On which line, from 1.
        line: usize,
    },
    /// An attachment's name is more than that of a file.
    #[error("the name of the attachment {name:?} {rule}")]
    Name {
        /// Its name.
        name: String,
        /// What is wrong with it.
        rule: &'static str,
    },
    /// Two attachments would be one file.
    #[error("duplicate attachment name {name:?}")]
    Twice {
        /// The name.
        name: String,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Incoming {
    #[serde(rename = "schema")]
    _schema: u32,
    #[serde(rename = "kind")]
    _kind: String,
    report: Report,
}

#[derive(Serialize)]
struct Outgoing<'a> {
    schema: u32,
    kind: &'static str,
    report: &'a Report,
}

impl Report {
    /// Reads a report, refusing what is beyond `limits` before allocating for it.
    pub fn from_bytes(bytes: &[u8], limits: &ReportLimits) -> Result<Self, ReportError> {
        let field = |reason: String| ReportError::Field { reason };
        let refused = |error| match error {
            PreambleError::Shape(error) => error.into(),
            error => field(error.to_string()),
        };
        let preamble = Preamble::read(bytes, &limits.of_shape()).map_err(refused)?;
        if preamble.kind != KIND {
            return Err(ReportError::Kind {
                found: preamble.kind.chars().take(32).collect(),
            });
        }
        if preamble.schema > REPORT_SCHEMA {
            return Err(ReportError::Schema {
                found: preamble.schema,
            });
        }
        preamble.names_fields().map_err(refused)?;
        let incoming: Incoming =
            rmp_serde::from_slice(bytes).map_err(|error| field(error.to_string()))?;
        incoming.report.check(limits)?;
        Ok(incoming.report)
    }

    /// The bytes to encrypt.
    pub fn to_bytes(&self) -> Vec<u8> {
        let outgoing = Outgoing {
            schema: REPORT_SCHEMA,
            kind: KIND,
            report: self,
        };
        rmp_serde::to_vec_named(&outgoing)
            .expect("a report holds nothing that MessagePack cannot, and a vector takes everything")
    }

    /// Refuses what no reader would take, with the field that it is in.
    pub fn check(&self, limits: &ReportLimits) -> Result<(), ReportError> {
        let needed = [
            ("the title", &self.title),
            ("what to do to reproduce it", &self.steps),
            ("what was expected", &self.expected),
            ("what happened", &self.actual),
        ];
        if let Some((field, _)) = needed.iter().find(|(_, text)| text.trim().is_empty()) {
            return Err(ReportError::Missing { field });
        }
        let lines = [
            ("the title", &self.title),
            ("the contact", &self.finder.contact),
            ("the name for the credit", &self.finder.credit),
            ("the finder's recipient", &self.finder.recipient),
        ];
        for (field, line) in lines {
            one_line(field, line, limits.line)?;
        }
        let texts = [
            needed[1],
            needed[2],
            needed[3],
            ("what else was said", &self.more),
        ];
        for (field, text) in texts {
            at_most(field, text.len(), "bytes", limits.text)?;
            is_text(field, text, &['\n', '\t'])?;
        }
        let affected = self.affected.len();
        at_most("the list of versions", affected, "entries", limits.affected)?;
        for one in &self.affected {
            let field = format!("the version of {}", one.component);
            if one.version.trim().is_empty() {
                return Err(ReportError::Field {
                    reason: format!("{field} is empty"),
                });
            }
            one_line(&field, &one.version, limits.line)?;
        }
        self.check_attachments(limits)
    }

    fn check_attachments(&self, limits: &ReportLimits) -> Result<(), ReportError> {
        let attached = self.attachments.len();
        at_most(
            "the list of attachments",
            attached,
            "entries",
            limits.attachments,
        )?;
        let mut names = std::collections::BTreeSet::new();
        for attachment in &self.attachments {
            let name = attachment.name.as_str();
            if let Some(rule) = broken_name_rule(name) {
                let name = name.into();
                return Err(ReportError::Name { name, rule });
            }
            if !names.insert(attachment.name.folded()) {
                return Err(ReportError::Twice { name: name.into() });
            }
            let length = attachment.bytes.len();
            at_most(name, length, "bytes", limits.attachment)?;
        }
        Ok(())
    }

    /// The report without who it is from.
    #[must_use]
    pub fn without_finder(&self) -> Self {
        Self {
            finder: Finder::default(),
            ..self.clone()
        }
    }
}

impl ReportLimits {
    /// The same for the walk over bytes that nobody has understood yet.
    fn of_shape(&self) -> Limits {
        Limits {
            bytes: self.bytes,
            depth: 5,
            // Six values for each version and attachment with their names, and what there is once.
            items: 6 * (self.affected + self.attachments) + 64,
            text: self.attachment.max(self.text),
        }
    }
}

/// What a path within a folder may be, and the name of an attachment may not.
fn broken_name_rule(name: &str) -> Option<&'static str> {
    if name.contains('/') {
        return Some("contains a directory");
    }
    // Cases are kept in git, which takes orders from files that begin like this.
    name.starts_with('.').then_some("begins with a dot")
}

fn one_line(field: &str, line: &str, limit: usize) -> Result<(), ReportError> {
    at_most(field, line.chars().count(), "characters", limit)?;
    is_text(field, line, &[])
}

fn at_most(field: &str, found: usize, unit: &'static str, limit: usize) -> Result<(), ReportError> {
    if found <= limit {
        return Ok(());
    }
    Err(ReportError::Long {
        field: field.to_owned(),
        found,
        unit,
        limit,
    })
}

/// Control characters would speak to a terminal, and the explicit marks of direction (UAX #9) would have a
/// line read as another than it is.
fn is_text(field: &str, text: &str, allowed: &[char]) -> Result<(), ReportError> {
    let more_than_text = |character: &char| {
        let turns = matches!(character, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
        turns || (character.is_control() && !allowed.contains(character))
    };
    for (number, line) in text.split('\n').enumerate() {
        if let Some(character) = line.chars().find(|character| more_than_text(character)) {
            return Err(ReportError::Character {
                field: field.to_owned(),
                character,
                line: number + 1,
            });
        }
    }
    if text.contains('\n') && !allowed.contains(&'\n') {
        return Err(ReportError::Character {
            field: field.to_owned(),
            character: '\n',
            line: 1,
        });
    }
    Ok(())
}

/// Bytes as MessagePack's own kind; serde would write a list of numbers.
mod bytes {
    use serde::{Deserializer, Serializer, de};

    pub(super) fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(bytes)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Vec<u8>, D::Error> {
        struct Visitor;
        impl de::Visitor<'_> for Visitor {
            type Value = Vec<u8>;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("bytes")
            }

            fn visit_bytes<E: de::Error>(self, bytes: &[u8]) -> Result<Vec<u8>, E> {
                Ok(bytes.to_vec())
            }

            fn visit_byte_buf<E: de::Error>(self, bytes: Vec<u8>) -> Result<Vec<u8>, E> {
                Ok(bytes)
            }
        }
        deserializer.deserialize_byte_buf(Visitor)
    }
}
