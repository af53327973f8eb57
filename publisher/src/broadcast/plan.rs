//! What a broadcast makes current: which documents, for whom, and whether all that they name is there.

use jiff::Timestamp;
use spacecp_contract::{Advisory, DocumentId, DocumentKind, FeedPath, Index, IndexEntry, Sealed};

use super::{Broadcast, Embargoed, next_sequence};
use crate::feed::{Feed, FeedError, Sides};

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
        let was_sealed = before.is_some_and(|index| index.sealed.is_some());
        let panels = match self.sealing() {
            Some(sealing) if was_sealed || sealing.has_panels()? => Some(sealing.entitled()?),
            None if was_sealed => {
                return Err(FeedError::SealedElsewhere(self.folder().to_owned()));
            }
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
        let Sides { public, private } = &contents.sides;
        let before = self.broadcast_before()?;
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
            news: self.news(before.as_ref().map(|(_, (_, index))| &**index), contents)?,
            documents: public.len(),
            private: contents.panels.map(|panels| Embargoed {
                documents: private.len(),
                panels,
            }),
        };
        self.refuse_gaps(&index, private)?;
        for entry in public.iter().chain(private) {
            self.refuse_unaccepted(&root, entry)?;
        }
        Ok((plan, index))
    }

    /// Documents that panels do not have yet, at this revision.
    fn news(
        &self,
        before: Option<&Index>,
        contents: &Contents,
    ) -> Result<Vec<(DocumentId, u64)>, FeedError> {
        let sealed = self.private_entries()?;
        let same = |old: &IndexEntry, new: &IndexEntry| {
            (old.kind, &old.id, old.revision) == (new.kind, &new.id, new.revision)
        };
        let Sides { public, private } = &contents.sides;
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

    /// Corrections that advisories name, and payloads that corrections name, must be there; and what is
    /// public must not name what is not.
    pub(super) fn refuse_gaps(
        &self,
        index: &Index,
        private: &[IndexEntry],
    ) -> Result<(), FeedError> {
        let secret = |id: &DocumentId| {
            let mut private = private.iter();
            private.any(|entry| entry.kind == DocumentKind::Correction && entry.id == *id)
        };
        let public = |id: &DocumentId| index.entry(DocumentKind::Correction, id).is_some();
        for (entry, in_private) in index
            .documents
            .iter()
            .map(|entry| (entry, false))
            .chain(private.iter().map(|entry| (entry, true)))
        {
            let path = FeedPath::document(entry.kind, &entry.id, entry.revision);
            if entry.kind == DocumentKind::Advisory {
                let Some(advisory) = self.read::<Advisory>(&path)? else {
                    continue;
                };
                for correction in advisory.corrections {
                    let advisory = advisory.id.clone();
                    match (in_private, secret(&correction)) {
                        (true, true) => {}
                        _ if public(&correction) => {}
                        (false, true) => {
                            return Err(FeedError::TellsOf {
                                advisory,
                                correction,
                            });
                        }
                        _ => {
                            return Err(FeedError::MissingCorrection {
                                advisory,
                                correction,
                            });
                        }
                    }
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
