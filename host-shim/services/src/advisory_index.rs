//! The advisories and corrections at hand in short, and which of them may be spoken of to programs.
//!
//! Read out of the store once for what the feed says, and remembered; of what is under embargo nothing is kept
//! but the id and the revision. What is not in it may not be spoken of either: nobody can say whether it is public.

mod nearest;

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize, de::Error};
use spacecp_contract::{
    Advisory, Correction, DocumentId, DocumentKind, Limits, Severity, Tlp, decode, rate,
};

pub use nearest::UnknownAdvisory;

use crate::{
    exposures::counted_status,
    plugin::bindings::exports::spacecp::advisories::exposure::{ExposureReport, Status},
    store::{Cursor, Store, StoreError},
};

/// A word for a severity.
type Word = &'static str;

/// The words for severities.
const WORST_FIRST: [Word; 6] = ["critical", "high", "medium", "low", "none", "unrated"];

/// Documents that are read at a time.
const BATCH: u32 = 1_000;

/// What is at hand, in short.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct AdvisoryIndex {
    /// The advisories.
    pub advisories: BTreeMap<DocumentId, Listed>,
    /// The corrections.
    corrections: BTreeMap<DocumentId, Answers>,
}

/// What a correction answers.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Answers {
    /// Whether that is public, all of it.
    public: bool,
    /// The advisories under embargo among it.
    secret: BTreeSet<DocumentId>,
}

/// An advisory in short.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Listed {
    /// Its revision.
    pub revision: u64,
    /// The rest; nothing under embargo.
    pub open: Option<PublicSummary>,
}

/// What may be said of an advisory that is not under embargo.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PublicSummary {
    /// Its title.
    pub title: String,
    /// What others call it.
    pub aliases: Vec<String>,
    /// How bad it is.
    #[serde(deserialize_with = "known_word")]
    pub severity: Word,
    /// The score in tenths.
    pub score: Option<u8>,
    /// Whether attacks are known.
    pub known_exploited: bool,
    /// Who may be told.
    pub tlp: Tlp,
    /// When its first revision was published.
    pub published: Timestamp,
    /// When this revision was.
    pub modified: Timestamp,
    /// Since when it no longer holds.
    pub withdrawn: Option<Timestamp>,
}

impl AdvisoryIndex {
    /// Whether this advisory is at hand and public.
    pub fn is_public(&self, advisory: &str) -> bool {
        let listed = DocumentId::new(advisory.to_owned()).ok();
        let listed = listed.and_then(|id| self.advisories.get(&id));
        listed.is_some_and(|listed| listed.open.is_some())
    }

    /// Whether this correction is at hand and all that it answers is public.
    pub fn is_correction_public(&self, correction: &DocumentId) -> bool {
        self.corrections
            .get(correction)
            .is_some_and(|answers| answers.public)
    }

    /// Whether this correction is at hand and answers something that is not public.
    pub fn is_correction_embargoed(&self, correction: &DocumentId) -> bool {
        self.corrections
            .get(correction)
            .is_some_and(|answers| !answers.public)
    }

    /// Whether this advisory is at hand and under embargo.
    pub fn is_embargoed(&self, advisory: &DocumentId) -> bool {
        let listed = self.advisories.get(advisory);
        listed.is_some_and(|listed| listed.open.is_none())
    }

    /// The advisories under embargo that any of these is, or answers.
    pub fn behind(&self, documents: &BTreeSet<DocumentId>) -> BTreeSet<DocumentId> {
        let advisories = documents.iter().filter(|id| self.is_embargoed(id));
        let answers = documents.iter().filter_map(|id| self.corrections.get(id));
        let answered = answers.flat_map(|answers| &answers.secret);
        advisories.chain(answered).cloned().collect()
    }

    /// The public advisories that speak of the flaw of this name: the one that is called so, and those that
    /// share a name with it, directly or by way of another.
    pub fn about_one_flaw(&self, name: &str) -> BTreeSet<String> {
        let mut names = BTreeSet::from([name.to_owned()]);
        loop {
            let known = names.len();
            for (id, listed) in &self.advisories {
                let Some(open) = &listed.open else { continue };
                let own = || open.aliases.iter().map(String::as_str).chain([id.as_str()]);
                if own().any(|own| names.contains(own)) {
                    names.extend(own().map(str::to_owned));
                }
            }
            if names.len() == known {
                return names;
            }
        }
    }

    /// The advisories under embargo.
    pub fn embargoed(&self) -> impl Iterator<Item = &DocumentId> {
        let hidden = self.advisories.iter();
        hidden
            .filter(|(_, listed)| listed.open.is_none())
            .map(|(id, _)| id)
    }

    /// The worst severity among the exposures to public advisories.
    pub fn worst(&self, report: &ExposureReport) -> Option<&'static str> {
        let repeated = report.repeated.iter().map(|repeated| &repeated.verdict);
        let exposed = report.verdicts.iter().chain(repeated);
        let exposed = exposed.filter(|verdict| counted_status(verdict) == Status::Affected);
        let severities = exposed.filter_map(|verdict| self.severity(&verdict.advisory.id));
        severities.min_by_key(|word| WORST_FIRST.iter().position(|known| known == word))
    }

    /// The word for how bad a public advisory is.
    pub fn severity(&self, advisory: &str) -> Option<&'static str> {
        let id = DocumentId::new(advisory.to_owned()).ok()?;
        let open = self.advisories.get(&id)?.open.as_ref()?;
        Some(open.severity)
    }

    /// What is at hand in a store.
    pub async fn read(store: &Store) -> Result<Self, StoreError> {
        let (mut advisories, mut corrections) = (Vec::new(), Vec::new());
        let mut after: Option<Cursor> = None;
        loop {
            let batch = store.documents_since(after, BATCH).await?;
            if after.is_some_and(|after| after.epoch != batch.next.epoch) {
                // Documents were removed meanwhile, and the stream has begun again.
                (advisories, corrections) = (Vec::new(), Vec::new());
            }
            for document in &batch.documents {
                // It was decoded when it was accepted, by the same limits.
                let damaged = |error: spacecp_contract::DecodeError| {
                    StoreError::Damaged(format!("{} {}: {error}", document.kind, document.id))
                };
                let (bytes, limits) = (&document.bytes, Limits::default());
                match document.kind {
                    DocumentKind::Advisory => {
                        advisories.push(decode(bytes, &limits).map_err(damaged)?);
                    }
                    DocumentKind::Correction => {
                        corrections.push(decode(bytes, &limits).map_err(damaged)?);
                    }
                    _ => {}
                }
            }
            after = Some(batch.next);
            if batch.complete {
                break;
            }
        }
        let mut advisory_index = Self::default();
        advisory_index.take(&advisories, &corrections);
        Ok(advisory_index)
    }

    fn take(&mut self, advisories: &[Advisory], corrections: &[Correction]) {
        for advisory in advisories {
            let open = (!advisory.is_under_embargo()).then(|| open(advisory));
            let revision = advisory.revision;
            self.advisories
                .insert(advisory.id.clone(), Listed { revision, open });
        }
        for correction in corrections {
            let answers_secret = |advisory: &Advisory| {
                advisory.is_under_embargo() && advisory.corrections.contains(&correction.id)
            };
            let by_advisory = advisories.iter().filter(|one| answers_secret(one));
            let by_itself = correction
                .advisories
                .iter()
                .filter(|id| self.is_embargoed(id));
            let secret: BTreeSet<_> = by_advisory
                .map(|one| &one.id)
                .chain(by_itself)
                .cloned()
                .collect();
            let mut named = correction.advisories.iter();
            let public = secret.is_empty() && named.all(|id| self.is_public(id));
            let answers = Answers { public, secret };
            self.corrections.insert(correction.id.clone(), answers);
        }
    }
}

#[cfg(test)]
impl AdvisoryIndex {
    /// Advisories with one correction each, and whether they are public.
    pub(crate) fn having<const N: usize>(all: [(&str, &str, bool); N]) -> Self {
        let id = |text: &str| DocumentId::new(text.to_owned()).expect("an id");
        let mut advisory_index = Self::default();
        for (advisory, correction, public) in all {
            let open = public.then(|| PublicSummary {
                title: String::new(),
                aliases: Vec::new(),
                severity: "high",
                score: None,
                known_exploited: false,
                tlp: Tlp::Clear,
                published: Timestamp::UNIX_EPOCH,
                modified: Timestamp::UNIX_EPOCH,
                withdrawn: None,
            });
            let listed = Listed { revision: 1, open };
            advisory_index.advisories.insert(id(advisory), listed);
            let secret = (!public).then(|| id(advisory)).into_iter().collect();
            let answers = Answers { public, secret };
            advisory_index.corrections.insert(id(correction), answers);
        }
        advisory_index
    }
}

fn open(advisory: &Advisory) -> PublicSummary {
    let rating = rate(&advisory.severity);
    PublicSummary {
        title: advisory.title.clone(),
        aliases: advisory.aliases.clone(),
        severity: word(rating.severity),
        score: rating.score,
        known_exploited: advisory.known_exploited,
        tlp: advisory.tlp,
        published: advisory.published,
        modified: advisory.modified,
        withdrawn: advisory.withdrawn,
    }
}

/// The word for a severity, for programs.
fn word(severity: Severity) -> &'static str {
    match severity {
        Severity::Unrated => "unrated",
        rated => rated.name(),
    }
}

/// One of the words for severities.
fn known_word<'de, D: Deserializer<'de>>(from: D) -> Result<Word, D::Error> {
    let word = String::deserialize(from)?;
    let mut words = WORST_FIRST.into_iter();
    let known = words.find(|known| *known == word);
    known.ok_or_else(|| D::Error::custom(format!("{word:?} is no severity")))
}
