//! The documents of a run: which of them are new here, and what becomes of those that come.

use std::collections::BTreeMap;

use spacecp_contract::{FeedPath, IndexEntry, Limits, Root, SealedEntry};

use super::{Answer, News, Offered, Phase, Request, Update, Workflow, WorkflowError};
use crate::{Verified, document, sealed};

/// A document to fetch.
#[derive(Debug, Clone)]
pub(super) enum Wanted {
    /// One that everybody may read.
    Plain(IndexEntry),
    /// One under embargo.
    Sealed(SealedEntry),
}

impl Workflow {
    /// What has to be fetched of a new index, and of what is sealed.
    pub(super) fn documents(
        &self,
        root: Verified<Root>,
        update: Update,
        sealed: Vec<SealedEntry>,
    ) -> Phase {
        let afresh = self.before(&root).afresh;
        let plain = update.index.documents.iter();
        let plain = plain.filter(|entry| !self.holds(&root, afresh, entry, false));
        let sealed = sealed.into_iter();
        let sealed = sealed.filter(|entry| !self.holds(&root, afresh, &entry.document, true));
        let wanted = plain.cloned().map(Wanted::Plain);
        let wanted = wanted.chain(sealed.map(Wanted::Sealed)).collect();
        Phase::Documents {
            root,
            update: Box::new(update),
            wanted,
            flying: BTreeMap::new(),
        }
    }

    /// Verifies a document that has come.
    pub(super) fn take_document(
        &self,
        root: &Verified<Root>,
        one: &Wanted,
        path: &FeedPath,
        answer: Answer,
    ) -> Result<News, WorkflowError> {
        match one {
            Wanted::Plain(entry) => {
                let file = Offered::of(path, answer)?;
                let document = document(root, entry, file.unverified(), &self.limits)?;
                sealed::refuse_exposed(&document)?;
                Ok(News::Document(document, root.version))
            }
            Wanted::Sealed(entry) => {
                let bytes = answer.bytes(path)?;
                let document = sealed::sealed_document(root, entry, &bytes, &self.limits)?;
                Ok(News::Private(document, root.version))
            }
        }
    }

    /// Whether a document need not be fetched. One that came from the other side is looked at anew: what is
    /// under embargo must not be in public.
    fn holds(&self, root: &Root, afresh: bool, entry: &IndexEntry, private: bool) -> bool {
        let held = self.held.get(&(entry.kind, entry.id.clone()));
        held.is_some_and(|held| {
            let still = match held.waiting_under {
                Some(version) => version == root.version,
                // Revisions start afresh: the same number may be another document.
                None => !afresh,
            };
            let same = held.revision == entry.revision && held.digest == entry.digest;
            still && same && held.private == private
        })
    }
}

impl Wanted {
    /// What to ask the feed for.
    pub(super) fn request(&self, limits: &Limits) -> Request {
        let (path, limit) = match self {
            Self::Plain(entry) => {
                let path = FeedPath::document(entry.kind, &entry.id, entry.revision);
                (path, entry.length.min(limits.bytes as u64))
            }
            // The sealed index was read with limits for each.
            Self::Sealed(SealedEntry { object, .. }) => {
                (FeedPath::sealed(&object.digest), object.length)
            }
        };
        Request {
            path,
            signed: matches!(self, Self::Plain(_)),
            limit,
            validator: None,
            optional: false,
        }
    }
}
