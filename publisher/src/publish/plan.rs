//! What a broadcast makes current: which documents, for whom, and whether all that they name is there.

use std::collections::BTreeSet;

use jiff::Timestamp;
use spacecp_contract::{Advisory, DocumentId, DocumentKind, FeedPath, Index, IndexEntry, Sealed};

use super::{Basis, Broadcast, Embargoed, PublishService, next_sequence};
use crate::{
    cases::policy::refuse_unanswered,
    feed::{FeedError, HeldBack, Visibility},
    record::RecordError,
};

/// What is to become current.
pub(super) struct Contents {
    pub(super) sides: Visibility,
    /// Who reads what is under embargo; none where a feed has no private side.
    pub(super) panels: Option<usize>,
    /// The private side as it is, where it stays so.
    pub(super) kept: Option<Sealed>,
    /// Whether it was published before: what was decided once is not asked of the policy again.
    pub(super) is_decided: bool,
}

impl PublishService<'_> {
    /// The newest revision of everything that was signed.
    pub(super) fn everything(&self, basis: &Basis) -> Result<Contents, FeedError> {
        let before = basis.index();
        let sides = self.feed.by_visibility(before)?;
        before.map_or(Ok(()), |index| self.refuse_unknown_side(index))?;
        let was_sealed = basis.was_sealed();
        let panels = match self.feed.sealing() {
            Some(sealing) if was_sealed || sealing.has_panels()? => Some(sealing.entitled()?),
            _ => None,
        };
        match sides.private.first() {
            Some(entry) if panels.unwrap_or(0) == 0 => Err(FeedError::NobodyEntitled {
                kind: entry.kind,
                id: entry.id.clone(),
            }),
            _ => Ok(Contents {
                sides,
                panels,
                kept: None,
                is_decided: false,
            }),
        }
    }

    /// What the last broadcast or refresh listed.
    pub(super) fn what_was_broadcast(&self, basis: &Basis) -> Result<Contents, FeedError> {
        let Some(index) = basis.index() else {
            return Err(FeedError::NoHead(self.feed.folder().to_owned()));
        };
        if let Some(in_clear) = self.feed.in_clear()?.into_iter().next() {
            return Err(in_clear);
        }
        self.refuse_disowned(basis, index)?;
        let (private, panels) = match self.feed.sealing() {
            Some(sealing) => sealing.current()?,
            None => (Vec::new(), 0),
        };
        let sealed = index.sealed.clone();
        Ok(Contents {
            sides: Visibility {
                public: index.documents.clone(),
                private,
                held_back: Vec::new(),
            },
            panels: basis.was_sealed().then_some(panels),
            kept: sealed,
            is_decided: true,
        })
    }

    /// Refuses to say once more what lists a document that was disowned since.
    fn refuse_disowned(&self, basis: &Basis, index: &Index) -> Result<(), FeedError> {
        let Some(record) = &basis.record else {
            return Ok(());
        };
        let private = self.feed.private_entries()?;
        let mut listed = index.documents.iter().chain(&private);
        let disowned = |entry: &&IndexEntry| {
            let found = record.disowned(entry.kind, &entry.id, entry.revision);
            found.is_some()
        };
        match listed.find(disowned) {
            Some(entry) => Err(RecordError::DisownedListed {
                feed: self.feed.folder().to_owned(),
                kind: entry.kind,
                id: entry.id.clone(),
            }
            .into()),
            None => Ok(()),
        }
    }

    /// What would become current, where nobody signs it here and now: every document is verified, too.
    pub(super) fn plan_alone(
        &self,
        basis: &Basis,
        contents: &Contents,
        now: Timestamp,
        expires: Timestamp,
    ) -> Result<(Broadcast, Index), FeedError> {
        let planned = self.plan(basis, contents, now, expires)?;
        let root = self.feed.root()?;
        for entry in contents.sides.public.iter().chain(&contents.sides.private) {
            self.feed.refuse_unaccepted(&root, entry)?;
        }
        Ok(planned)
    }

    /// What would become current, and its index with the private side as it is.
    pub(super) fn plan(
        &self,
        basis: &Basis,
        contents: &Contents,
        now: Timestamp,
        expires: Timestamp,
    ) -> Result<(Broadcast, Index), FeedError> {
        let root = self.feed.root()?;
        if root.expires <= now {
            return Err(FeedError::RootExpired {
                version: root.version,
                expires: root.expires,
            });
        }
        if expires > now + root.time_bounds.head_lifetime() {
            return Err(FeedError::HeadLifetime {
                version: root.version,
                most_days: root.time_bounds.head_lifetime().as_hours() / 24,
            });
        }
        let Visibility {
            public,
            private,
            held_back,
        } = &contents.sides;
        if contents.panels.is_some() && contents.kept.is_none() {
            self.refuse_recipients(basis.record.as_ref())?;
        }
        let index_before = basis.index();
        self.refuse_early(&contents.sides, index_before, now)?;
        let sequence = next_sequence(&root, basis)?;
        let index = Index {
            audience: root.audience.clone(),
            sequence,
            documents: public.clone(),
            sealed: contents.kept.clone(),
        };
        let plan = Broadcast {
            sequence,
            expires,
            news: self.news(index_before, &contents.sides)?,
            documents: public.len(),
            private: contents.panels.map(|panels| Embargoed {
                documents: private.len(),
                panels,
            }),
            held_back: held_back.clone(),
        };
        let news: &[_] = if contents.is_decided { &[] } else { &plan.news };
        self.refuse_gaps(&index, private, held_back, news)?;
        Ok((plan, index))
    }

    /// Documents that panels did not have before an index that was signed elsewhere.
    pub(super) fn news_of(
        &self,
        before: Option<&Index>,
        index: &Index,
    ) -> Result<Vec<(DocumentId, u64)>, FeedError> {
        let private = match (self.feed.sealing(), &index.sealed) {
            (Some(sealing), Some(sealed)) => sealing.pending(sealed)?,
            _ => Vec::new(),
        };
        let sides = Visibility {
            public: index.documents.clone(),
            private,
            held_back: Vec::new(),
        };
        self.news(before, &sides)
    }

    /// Documents that panels do not have yet, at this revision.
    fn news(
        &self,
        before: Option<&Index>,
        sides: &Visibility,
    ) -> Result<Vec<(DocumentId, u64)>, FeedError> {
        let sealed = self.feed.private_entries()?;
        let same = |old: &IndexEntry, new: &IndexEntry| {
            (old.kind, &old.id, old.revision) == (new.kind, &new.id, new.revision)
        };
        let Visibility {
            public, private, ..
        } = sides;
        let public = public.iter().filter(|entry| {
            let old = before.and_then(|index| index.entry(entry.kind, &entry.id));
            !old.is_some_and(|old| same(old, entry))
        });
        let private = private
            .iter()
            .filter(|entry| !sealed.iter().any(|old| same(old, entry)));
        let news = public.chain(private);
        Ok(news
            .map(|entry| (entry.id.clone(), entry.revision))
            .collect())
    }

    /// A planned index, with its private side sealed.
    pub(super) fn seal(&self, mut index: Index, contents: &Contents) -> Result<Index, FeedError> {
        if contents.panels.is_some()
            && contents.kept.is_none()
            && let Some(sealing) = self.feed.sealing()
        {
            let private = contents.sides.private.iter();
            let private = private.map(|entry| self.feed.private(entry));
            let private = private.collect::<Result<Vec<_>, _>>()?;
            index.sealed = Some(sealing.seal(&index.audience, private)?);
        }
        Ok(index)
    }

    /// Refuses an index that was planned earlier, and has something for everybody that is no more: what was
    /// signed since may have put it under embargo.
    pub(super) fn refuse_secret_since(
        &self,
        index: &Index,
        before: Option<&Index>,
    ) -> Result<(), FeedError> {
        let is_new = |entry: &&IndexEntry| {
            let known = before.and_then(|before| before.entry(entry.kind, &entry.id));
            known.is_none_or(|known| known.revision != entry.revision)
        };
        let new: Vec<&IndexEntry> = index.documents.iter().filter(is_new).collect();
        if new.is_empty() {
            return Ok(());
        }
        let sides = self.feed.by_visibility(before)?;
        for entry in new {
            let is_held = sides
                .held_back
                .iter()
                .any(|held| entry.kind == DocumentKind::Correction && held.correction == entry.id);
            if is_held || lists(&sides.private, entry.kind, &entry.id) {
                return Err(FeedError::SecretSince {
                    kind: entry.kind,
                    id: entry.id.clone(),
                });
            }
        }
        Ok(())
    }

    /// Corrections that advisories name, and payloads that corrections name, must be there; what is
    /// public must not name what is not; and news must tell what to do.
    pub(super) fn refuse_gaps(
        &self,
        index: &Index,
        private: &[IndexEntry],
        held_back: &[HeldBack],
        news: &[(DocumentId, u64)],
    ) -> Result<(), FeedError> {
        let news: BTreeSet<_> = news.iter().collect();
        let public = index.documents.iter().map(|entry| (entry, false));
        let private_side = private.iter().map(|entry| (entry, true));
        for (entry, in_private) in public.chain(private_side) {
            let path = FeedPath::document(entry.kind, &entry.id, entry.revision);
            if entry.kind == DocumentKind::Advisory {
                if let Some(advisory) = self.feed.read::<Advisory>(&path)? {
                    if news.contains(&(advisory.id.clone(), advisory.revision)) {
                        refuse_unanswered(&advisory)?;
                    }
                    refuse_telling(&advisory, in_private, private)?;
                    refuse_missing(&advisory, index, private, held_back)?;
                }
                continue;
            }
            for blob in self.feed.payloads(entry)? {
                if !self.feed.has_payload(&blob)? {
                    return Err(FeedError::Payload {
                        id: entry.id.clone(),
                        digest: blob.digest,
                    });
                }
            }
        }
        Ok(())
    }
}

/// Whether one of these is the document.
fn lists(entries: &[IndexEntry], kind: DocumentKind, id: &DocumentId) -> bool {
    let mut entries = entries.iter();
    entries.any(|entry| entry.kind == kind && entry.id == *id)
}

/// Refuses a public advisory that names what is under embargo.
fn refuse_telling(
    advisory: &Advisory,
    in_private: bool,
    private: &[IndexEntry],
) -> Result<(), FeedError> {
    if in_private {
        return Ok(());
    }
    let is_secret = |kind, id: &DocumentId| lists(private, kind, id);
    let mut corrections = advisory.corrections.iter();
    if let Some(correction) = corrections.find(|id| is_secret(DocumentKind::Correction, id)) {
        return Err(FeedError::TellsOf {
            advisory: advisory.id.clone(),
            correction: correction.clone(),
        });
    }
    let mut secret = private
        .iter()
        .filter(|entry| entry.kind == DocumentKind::Advisory);
    let named = secret.find(|entry| {
        let is_alias = advisory.aliases.iter().any(|alias| *alias == *entry.id);
        is_alias || advisory.supersedes.contains(&entry.id)
    });
    match named {
        Some(entry) => Err(FeedError::Names {
            advisory: advisory.id.clone(),
            embargoed: entry.id.clone(),
        }),
        None => Ok(()),
    }
}

/// Refuses an advisory that names a correction which does not go out with it, and is not out.
fn refuse_missing(
    advisory: &Advisory,
    index: &Index,
    private: &[IndexEntry],
    held_back: &[HeldBack],
) -> Result<(), FeedError> {
    let kind = DocumentKind::Correction;
    let is_there = |id: &&DocumentId| index.entry(kind, id).is_some() || lists(private, kind, id);
    let Some(correction) = advisory.corrections.iter().find(|id| !is_there(id)) else {
        return Ok(());
    };
    let mut held_back = held_back.iter();
    let held_back = held_back.find(|held| held.correction == *correction);
    let (advisory, correction) = (advisory.id.clone(), correction.clone());
    Err(match held_back.and_then(|held| held.advisory.clone()) {
        Some(waits_for) => FeedError::HeldBack {
            advisory,
            correction,
            waits_for,
        },
        None => FeedError::MissingCorrection {
            advisory,
            correction,
        },
    })
}
