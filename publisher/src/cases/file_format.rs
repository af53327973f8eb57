//! A case as text: `case.toml`, which a team keeps in its own git and may correct by hand.
//!
//! Entries are appended to the text that is there, so that comments and order stay and a change is what was
//! added. Reading goes through the state machine again: a file that says what the policy does not allow
//! is refused with the line and column of what does not fit.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use spacecp_contract::{Digest, DocumentId, InScope};
use toml::Spanned;

use super::{
    case::{Beginning, Case},
    id::CaseId,
    state_machine::{Answer, Entry, Event, Rejection},
};

/// The schema that this program writes, and the highest that it reads.
const SCHEMA: u32 = 1;

/// The longest file that is read.
pub(super) const LONGEST: usize = 1 << 20;

/// What is wrong with a text, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FileFormatError {
    /// Not TOML, or a field is missing, unknown or of another type; the message shows line and column.
    #[error("{0}")]
    Toml(String),
    /// It is TOML, and says what cannot be.
    #[error("line {line}, column {column}: {problem}")]
    Place {
        /// The line, from 1.
        line: usize,
        /// The column, from 1.
        column: usize,
        /// What is wrong.
        problem: String,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Text {
    schema: Spanned<u32>,
    id: Spanned<String>,
    title: String,
    report: Digest,
    reachable: bool,
    #[serde(rename = "entry")]
    entries: Vec<Spanned<EntryText>>,
}

#[derive(Serialize)]
struct Opening<'a> {
    schema: u32,
    id: String,
    title: &'a str,
    report: Digest,
    reachable: bool,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct EntryText {
    at: Timestamp,
    by: String,
    what: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    scope: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    correction: Option<DocumentId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    workaround: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    copy: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    digest: Option<Digest>,
    #[serde(skip_serializing_if = "Option::is_none")]
    advisory: Option<DocumentId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    approved: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    agreed: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    without_review: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<String>,
}

#[derive(Serialize)]
struct Appended<'a> {
    entry: [&'a EntryText; 1],
}

/// The text of a case that begins.
pub(super) fn text(case: &Case) -> String {
    let opening = Opening {
        schema: SCHEMA,
        id: case.id().to_string(),
        title: case.title(),
        report: *case.report(),
        reachable: case.is_reachable(),
    };
    let opening = toml::to_string_pretty(&opening).expect("numbers, words and texts are TOML");
    let text = format!(
        "# A case. \"spacecp-publisher case\" appends entries; mistakes may be corrected by hand.\n{opening}"
    );
    case.entries()
        .iter()
        .fold(text, |text, entry| with(&text, entry))
}

/// The same text with one more entry.
pub(super) fn with(text: &str, entry: &Entry) -> String {
    let entry = EntryText::of(entry);
    let appended = Appended { entry: [&entry] };
    let appended = toml::to_string_pretty(&appended).expect("words, dates and texts are TOML");
    format!("{}\n\n{appended}", text.trim_end())
}

/// Reads a case.
pub(super) fn read(text: &str) -> Result<Case, FileFormatError> {
    let read: Text =
        toml::from_str(text).map_err(|error| FileFormatError::Toml(error.to_string()))?;
    let schema = *read.schema.get_ref();
    if schema != SCHEMA {
        let problem = format!("schema {schema} is not supported, only {SCHEMA}");
        return Err(at(text, read.schema.span().start, problem));
    }
    let id: CaseId = read
        .id
        .get_ref()
        .parse()
        .map_err(|error| at(text, read.id.span().start, format!("{error}")))?;
    let beginning = Beginning {
        id,
        title: read.title,
        report: read.report,
        reachable: read.reachable,
    };
    let place = |entry: &Spanned<EntryText>, problem: String| at(text, entry.span().start, problem);
    let mut entries = read.entries.into_iter();
    let Some(first) = entries.next() else {
        let problem = "no entries; a case must begin with \"reported\"".to_owned();
        return Err(at(text, text.len(), problem));
    };
    let entry = first.get_ref().entry();
    let entry = entry.map_err(|problem| place(&first, problem))?;
    let mut case =
        Case::with(beginning, entry).map_err(|error| place(&first, error.to_string()))?;
    for written in entries {
        let entry = written.get_ref().entry();
        let entry = entry.map_err(|problem| place(&written, problem))?;
        case.record(entry)
            .map_err(|error| place(&written, error.to_string()))?;
    }
    Ok(case)
}

/// An error with the line and the column that a byte is at.
pub(super) fn at(text: &str, byte: usize, problem: String) -> FileFormatError {
    let before = text.get(..byte).unwrap_or(text);
    let line_start = before.rfind('\n').map_or(0, |end| end + 1);
    FileFormatError::Place {
        line: before.matches('\n').count() + 1,
        column: before[line_start..].chars().count() + 1,
        problem,
    }
}

impl EntryText {
    fn of(entry: &Entry) -> Self {
        let mut written = Self {
            at: entry.at,
            by: entry.by.clone(),
            what: entry.event.word().to_owned(),
            ..Self::default()
        };
        let some = |text: &String| Some(text).filter(|text| !text.is_empty()).cloned();
        match &entry.event {
            Event::Reported | Event::Acknowledged | Event::Started | Event::Disclosed => {}
            Event::Verified { scope } => {
                written.scope = scope.map(|scope| scope.as_str().to_owned());
            }
            Event::Rejected { reason, text } => {
                written.reason = Some(reason.as_str().to_owned());
                written.text = some(text);
            }
            Event::Corrected(Answer::Correction(id)) => written.correction = Some(id.clone()),
            Event::Corrected(Answer::Workaround(text)) => written.workaround = Some(text.clone()),
            Event::Reviewed { copy, advisory } => {
                written.copy = Some(copy.clone());
                written.digest = Some(*advisory);
            }
            Event::Answered { objections } => {
                written.approved = Some(objections.is_none());
                written.text.clone_from(objections);
            }
            Event::Broadcast { without_review } => {
                written.without_review.clone_from(without_review);
            }
            Event::Told { text } => written.text = Some(text.clone()),
            Event::Credit { agreed, text } => {
                written.agreed = Some(*agreed);
                written.text = some(text);
            }
            Event::Drafted { advisory } => written.advisory = Some(advisory.clone()),
        }
        written
    }

    /// What the entry says; the problem is what does not fit.
    fn entry(&self) -> Result<Entry, String> {
        let mut fields = self.clone();
        let event = fields.event(&self.what)?;
        if let Some(field) = fields.left() {
            return Err(format!("{:?} has no field {field:?}", self.what));
        }
        Ok(Entry {
            at: self.at,
            by: self.by.clone(),
            event,
        })
    }

    /// Takes what the event says out of the fields.
    fn event(&mut self, what: &str) -> Result<Event, String> {
        Ok(match what {
            "reported" => Event::Reported,
            "acknowledged" => Event::Acknowledged,
            "verified" => Event::Verified {
                scope: self.scope.take().map(|word| scope(&word)).transpose()?,
            },
            "rejected" => Event::Rejected {
                reason: rejection(&needed(what, "reason", self.reason.take())?)?,
                text: self.text.take().unwrap_or_default(),
            },
            "started" => Event::Started,
            "corrected" => Event::Corrected(self.answer()?),
            "review-copy" => Event::Reviewed {
                copy: needed(what, "copy", self.copy.take())?,
                advisory: needed(what, "digest", self.digest.take())?,
            },
            "answered" => {
                let objections = if needed(what, "approved", self.approved.take())? {
                    None
                } else {
                    Some(needed(what, "text", self.text.take())?)
                };
                Event::Answered { objections }
            }
            "broadcast" => Event::Broadcast {
                without_review: self.without_review.take(),
            },
            "disclosed" => Event::Disclosed,
            "told" => Event::Told {
                text: needed(what, "text", self.text.take())?,
            },
            "credit" => Event::Credit {
                agreed: needed(what, "agreed", self.agreed.take())?,
                text: self.text.take().unwrap_or_default(),
            },
            "drafted" => Event::Drafted {
                advisory: needed(what, "advisory", self.advisory.take())?,
            },
            _ => return Err(format!("unknown kind of entry {what:?}")),
        })
    }

    fn answer(&mut self) -> Result<Answer, String> {
        match (self.correction.take(), self.workaround.take()) {
            (Some(id), None) => Ok(Answer::Correction(id)),
            (None, Some(text)) => Ok(Answer::Workaround(text)),
            _ => Err("\"corrected\" requires either a correction or a workaround".to_owned()),
        }
    }

    /// A field that is left, which means nothing where it is.
    fn left(&self) -> Option<&'static str> {
        let fields = [
            ("scope", self.scope.is_some()),
            ("reason", self.reason.is_some()),
            ("correction", self.correction.is_some()),
            ("workaround", self.workaround.is_some()),
            ("copy", self.copy.is_some()),
            ("digest", self.digest.is_some()),
            ("advisory", self.advisory.is_some()),
            ("approved", self.approved.is_some()),
            ("agreed", self.agreed.is_some()),
            ("without-review", self.without_review.is_some()),
            ("text", self.text.is_some()),
        ];
        fields.iter().find(|(_, left)| *left).map(|(name, _)| *name)
    }
}

fn needed<T>(what: &str, field: &str, value: Option<T>) -> Result<T, String> {
    value.ok_or_else(|| format!("{what:?} requires the field {field:?}"))
}

fn scope(word: &str) -> Result<InScope, String> {
    InScope::from_word(word).ok_or_else(|| {
        let words: Vec<&str> = InScope::ALL.iter().map(|one| one.as_str()).collect();
        format!(
            "unknown scope {word:?}; must be one of {}",
            words.join(", ")
        )
    })
}

fn rejection(word: &str) -> Result<Rejection, String> {
    Rejection::from_word(word).ok_or_else(|| {
        let words: Vec<&str> = Rejection::all().map(Rejection::as_str).collect();
        format!(
            "unknown reason {word:?}; must be one of {}",
            words.join(", ")
        )
    })
}
