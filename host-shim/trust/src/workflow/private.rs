//! The private side within a run: the envelope, and what it opens.

use spacecp_contract::{DocumentId, DocumentKind, FeedPath, ObjectKey, Root};

use super::{Answer, Phase, PrivateSide, Taken, Update, Workflow};
use crate::{Identity, Verified, sealed};

/// A run that waits for the bucket that would have this panel's envelope.
#[derive(Debug)]
pub(super) struct Bucket {
    root: Verified<Root>,
    update: Update,
    identity: Identity,
    number: usize,
    file: (FeedPath, u64),
}

/// A run that waits for the sealed index.
#[derive(Debug)]
pub(super) struct Opened {
    root: Verified<Root>,
    update: Update,
    recipient: String,
    key: ObjectKey,
    file: (FeedPath, u64),
}

impl Bucket {
    /// The file, and the bytes that it may have.
    pub(super) fn wanted(&self) -> (FeedPath, u64) {
        self.file.clone()
    }
}

impl Opened {
    /// The file, and the bytes that it may have.
    pub(super) fn wanted(&self) -> (FeedPath, u64) {
        self.file.clone()
    }
}

impl Workflow {
    /// What follows an index that is trusted now.
    pub(super) fn private_side(&self, root: Verified<Root>, mut update: Update) -> Phase {
        let (Some(sealed), Some(identity)) = (&update.index.sealed, &self.identity) else {
            return self.documents(root, update, Vec::new());
        };
        if self.has_looked(&root, &update, identity) {
            update.private = PrivateSide::Same;
            return self.documents(root, update, Vec::new());
        }
        let number = sealed::bucket_of(sealed, identity);
        let Some(bucket) = sealed.buckets.get(number) else {
            // There are as many buckets as there are leading bits, or the index is none.
            return self.documents(root, update, Vec::new());
        };
        Phase::Bucket(Box::new(Bucket {
            file: (FeedPath::sealed(&bucket.digest), bucket.length),
            identity: identity.clone(),
            number,
            root,
            update,
        }))
    }

    /// Whether the broadcast that is trusted has a private side that was not looked at with this identity:
    /// there was none, or another, when it came.
    pub(super) fn is_owed_a_look(&self) -> bool {
        let index = self.trusted.index.as_ref();
        let is_there = index.is_some_and(|index| index.sealed.is_some());
        let looked = self.trusted.reading.as_ref();
        let identity = self.identity.as_ref().filter(|_| is_there);
        identity.is_some_and(|identity| {
            looked.is_none_or(|looked| looked.recipient != identity.recipient())
        })
    }

    /// Whether this very broadcast was looked at before, by the same identity. There is nothing else in it
    /// then, unless something of it has gone public since.
    fn has_looked(&self, root: &Root, update: &Update, identity: &Identity) -> bool {
        let Some(before) = &self.trusted.reading else {
            return false;
        };
        let index = self.trusted.index.as_ref();
        let private = &self.trusted.private;
        let is_public =
            |(kind, id): &(DocumentKind, DocumentId)| update.index.entry(*kind, id).is_some();
        !self.before(root).afresh
            && before.recipient == identity.recipient()
            && index.is_some_and(|old| old.sealed == update.index.sealed)
            && !(before.entitled && private.keys().any(is_public))
    }

    pub(super) fn take_bucket(&self, bucket: Bucket, path: &FeedPath, answer: Answer) -> Taken {
        let bytes = answer.bytes(path)?;
        let Bucket {
            root,
            mut update,
            identity,
            number,
            ..
        } = bucket;
        let recipient = identity.recipient();
        let Some(sealed) = &update.index.sealed else {
            return Ok((self.documents(root, update, Vec::new()), None));
        };
        let Some(key) = sealed::envelope(sealed, number, &identity, &bytes)? else {
            update.private = PrivateSide::NotEntitled { recipient };
            return Ok((self.documents(root, update, Vec::new()), None));
        };
        let file = (FeedPath::sealed(&sealed.index.digest), sealed.index.length);
        let phase = Phase::SealedIndex(Box::new(Opened {
            root,
            update,
            recipient,
            key,
            file,
        }));
        Ok((phase, None))
    }

    pub(super) fn take_sealed_index(
        &self,
        opened: Opened,
        path: &FeedPath,
        answer: Answer,
    ) -> Taken {
        let bytes = answer.bytes(path)?;
        let Opened {
            root,
            mut update,
            recipient,
            key,
            ..
        } = opened;
        let Some(sealed) = &update.index.sealed else {
            return Ok((self.documents(root, update, Vec::new()), None));
        };
        let index = sealed::sealed_index(&root, sealed, &key, &bytes, &self.limits)?;
        sealed::refuse_both_sides(&update.index, &index)?;
        if !self.before(&root).afresh {
            sealed::nothing_went_back(&self.trusted.private, &update.index, Some(&index))?;
        }
        let documents = index.documents.iter().map(|entry| entry.document.clone());
        update.private = PrivateSide::Read {
            recipient,
            documents: documents.collect(),
            payloads: index.payloads,
        };
        Ok((self.documents(root, update, index.documents), None))
    }
}
