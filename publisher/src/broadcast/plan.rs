//! What a broadcast makes current: which documents, for whom, and whether all that they name is there.

use jiff::Timestamp;
use spacecp_contract::{Advisory, DocumentId, DocumentKind, FeedPath, Index, IndexEntry, Sealed};

use super::{Broadcast, Embargoed, next_sequence};
use crate::feed::{Feed, FeedError, HeldBack, Sides};

/// What is to become current.
pub(super) struct Contents {
    pub(super) sides: Sides,
    /// Who reads what is under embargo; none where a feed has no private side.
    pub(super) panels: Option<usize>,
    /// The private side as it is, where it stays so.
    pub(super) kept: Option<Sealed>,
}

impl Feed {
    /// The newest revision of everything that was signed.
    pub(super) fn everything(&self) -> Result<Contents, FeedError> {
        let before = self.broadcast_before()?;
        let before = before.as_ref().map(|(_, (_, index))| index.document());
        let sides = self.sides(before)?;
        before.map_or(Ok(()), |index| self.refuse_unknown_side(index))?;
        let was_sealed = before.is_some_and(|index| index.sealed.is_some());
        let panels = match self.sealing() {
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
            }),
        }
    }

    /// What the last broadcast or refresh listed.
    pub(super) fn what_was_broadcast(&self) -> Result<Contents, FeedError> {
        let Some((_, (_, index))) = self.broadcast_before()? else {
            return Err(FeedError::NoHead(self.folder().to_owned()));
        };
        let (private, panels) = match self.sealing() {
            Some(sealing) => sealing.current()?,
            None => (Vec::new(), 0),
        };
        let sealed = index.sealed.clone();
        Ok(Contents {
            sides: Sides {
                public: index.documents.clone(),
                private,
                held_back: Vec::new(),
            },
            panels: sealed.as_ref().map(|_| panels),
            kept: sealed,
        })
    }

    /// What would become current, and its index with the private side as it is.
    pub(super) fn plan(
        &self,
        contents: &Contents,
        now: Timestamp,
        expires: Timestamp,
    ) -> Result<(Broadcast, Index), FeedError> {
        let root = self.root()?;
        if root.expires <= now {
            return Err(FeedError::RootExpired {
                version: root.version,
                expires: root.expires,
            });
        }
        let Sides {
            public,
            private,
            held_back,
        } = &contents.sides;
        let before = self.broadcast_before()?;
        let index_before = before.as_ref().map(|(_, (_, index))| &**index);
        self.refuse_early(&contents.sides, index_before, now)?;
        let sequence = next_sequence(&root, before.as_ref())?;
        let index = Index {
            audience: root.audience.clone(),
            sequence,
            documents: public.clone(),
            sealed: contents.kept.clone(),
        };
        let plan = Broadcast {
            sequence,
            expires,
            news: self.news(
                before.as_ref().map(|(_, (_, index))| &**index),
                &contents.sides,
            )?,
            documents: public.len(),
            private: contents.panels.map(|panels| Embargoed {
                documents: private.len(),
                panels,
            }),
            held_back: held_back.clone(),
        };
        self.refuse_gaps(&index, private, held_back)?;
        for entry in public.iter().chain(private) {
            self.refuse_unaccepted(&root, entry)?;
        }
        Ok((plan, index))
    }

    /// Documents that panels did not have before this index, which may be current or not.
    pub(crate) fn news_of(&self, index: &Index) -> Result<Vec<(DocumentId, u64)>, FeedError> {
        let before = self.broadcast_before()?;
        let before = before.as_ref().map(|(_, (_, before))| &**before);
        if before == Some(index) {
            return Ok(Vec::new());
        }
        let private = match (self.sealing(), &index.sealed) {
            (Some(sealing), Some(sealed)) => sealing.pending(sealed)?,
            _ => Vec::new(),
        };
        let sides = Sides {
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
        sides: &Sides,
    ) -> Result<Vec<(DocumentId, u64)>, FeedError> {
        let sealed = self.private_entries()?;
        let same = |old: &IndexEntry, new: &IndexEntry| {
            (old.kind, &old.id, old.revision) == (new.kind, &new.id, new.revision)
        };
        let Sides {
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

    /// The plan, and an index with a private side that is sealed.
    pub(super) fn prepare(
        &self,
        contents: &Contents,
        now: Timestamp,
        expires: Timestamp,
    ) -> Result<(Broadcast, Index), FeedError> {
        let (plan, mut index) = self.plan(contents, now, expires)?;
        if contents.panels.is_some()
            && contents.kept.is_none()
            && let Some(sealing) = self.sealing()
        {
            // A broadcast that was cut off at its very end is current all the same.
            if let Some((_, (_, before))) = self.broadcast_before()?
                && let Some(sealed) = &before.sealed
            {
                sealing.is_current(sealed)?;
            }
            let private = contents.sides.private.iter();
            let private = private.map(|entry| self.private(entry));
            let private = private.collect::<Result<Vec<_>, _>>()?;
            index.sealed = Some(sealing.seal(&index.audience, private)?);
        }
        Ok((plan, index))
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
        let sides = self.sides(before)?;
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

    /// Corrections that advisories name, and payloads that corrections name, must be there; and what is
    /// public must not name what is not.
    pub(super) fn refuse_gaps(
        &self,
        index: &Index,
        private: &[IndexEntry],
        held_back: &[HeldBack],
    ) -> Result<(), FeedError> {
        let public = index.documents.iter().map(|entry| (entry, false));
        let private_side = private.iter().map(|entry| (entry, true));
        for (entry, in_private) in public.chain(private_side) {
            let path = FeedPath::document(entry.kind, &entry.id, entry.revision);
            if entry.kind == DocumentKind::Advisory {
                if let Some(advisory) = self.read::<Advisory>(&path)? {
                    refuse_telling(&advisory, in_private, private)?;
                    refuse_missing(&advisory, index, private, held_back)?;
                }
                continue;
            }
            let gap = self.payloads(entry)?;
            if let Some(blob) = gap.iter().find(|blob| !self.has_payload(blob)) {
                return Err(FeedError::Payload {
                    id: entry.id.clone(),
                    digest: blob.digest,
                });
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
