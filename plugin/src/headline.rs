//! What is kept of an advisory: what lists, verdicts and plans ask for.
//!
//! The texts are not among it. There may be a hundred thousand advisories and one page of them open, so the
//! page of one advisory asks the panel for the document again, and what a verdict needs of the affected
//! versions is in the index.

use jiff::Timestamp;
use spacecp_contract::{Advisory, DocumentId, NoticeKind};

use crate::severity::Rating;

/// An advisory in short, and what was computed from it.
#[derive(Debug)]
pub struct Headline {
    /// Its id.
    pub id: DocumentId,
    /// Its revision.
    pub revision: u64,
    /// Its title.
    pub title: Box<str>,
    /// What others call it.
    pub aliases: Box<[String]>,
    /// When its first revision was published.
    pub published: Timestamp,
    /// When this revision was.
    pub modified: Timestamp,
    /// Since when it no longer holds.
    pub withdrawn: Option<Timestamp>,
    /// What it is, where it describes no vulnerability.
    pub notice: Option<NoticeKind>,
    /// Whether attacks are known.
    pub known_exploited: bool,
    /// Whether it may not be spoken about.
    pub embargo: bool,
    /// Whether it has something to do for those who cannot apply a correction yet.
    pub has_workarounds: bool,
    /// The corrections that fix it.
    pub corrections: Box<[DocumentId]>,
    /// How bad it is.
    pub rating: Rating,
}

impl Headline {
    /// What is kept of this advisory.
    pub fn of<Text: AsRef<str>>(advisory: Advisory<Text>, rating: Rating) -> Self {
        let aliases = advisory.aliases.iter();
        Self {
            rating,
            embargo: advisory.is_under_embargo(),
            has_workarounds: !advisory.workarounds.is_empty(),
            id: advisory.id,
            revision: advisory.revision,
            title: advisory.title.as_ref().into(),
            aliases: aliases.map(|alias| alias.as_ref().to_owned()).collect(),
            published: advisory.published,
            modified: advisory.modified,
            withdrawn: advisory.withdrawn,
            notice: advisory.notice,
            known_exploited: advisory.known_exploited,
            corrections: advisory.corrections.into(),
        }
    }
}
