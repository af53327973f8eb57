//! The index of a run: the one at hand, what a delta makes of it, or the one that comes whole.

use spacecp_contract::{FeedPath, Head, Index, Root};

use super::{
    Answer, News, Offered, Phase, PrivateSide, Taken, Update, Workflow, WorkflowError, delta,
};
use crate::{Unverified, Verified, index, sealed};

impl Workflow {
    /// The index that is trusted, if it is the one that this head names, and the root of today believes it.
    pub(super) fn index_at_hand(
        &self,
        root: &Verified<Root>,
        head: &Verified<Head>,
    ) -> Option<Verified<Index>> {
        let trusted = self.trusted.index.as_ref()?;
        let offered = Unverified {
            bytes: trusted.bytes(),
            signatures: trusted.signatures().as_bytes(),
        };
        index(root, head, self.before(root), offered, &self.limits).ok()
    }

    /// Bytes that the index may have.
    pub(super) fn index_limit(&self, head: &Head) -> u64 {
        head.index_length.min(self.limits.bytes as u64)
    }

    /// A delta that is not there, or does not make the index that the head names, is passed over:
    /// the index itself is asked for.
    pub(super) fn take_delta(
        &self,
        root: Verified<Root>,
        head: Verified<Head>,
        validator: Option<String>,
        path: &FeedPath,
        answer: Answer,
    ) -> Taken {
        let before = self.before(&root);
        match delta::later_index(&root, &head, before, answer, &self.limits) {
            Ok(index) => Ok((self.after_index(root, head, validator, index)?, None)),
            Err(why) => {
                let phase = Phase::Index {
                    root,
                    head,
                    validator,
                };
                let path = path.clone();
                Ok((phase, Some(News::PassedOver { path, why })))
            }
        }
    }

    pub(super) fn take_index(
        &self,
        root: Verified<Root>,
        head: Verified<Head>,
        validator: Option<String>,
        path: &FeedPath,
        answer: Answer,
    ) -> Taken {
        let file = Offered::of(path, answer)?;
        let before = self.before(&root);
        let index = index(&root, &head, before, file.unverified(), &self.limits)?;
        Ok((self.after_index(root, head, validator, index)?, None))
    }

    /// What follows a new index: the private side if there is one to read, and else the documents.
    pub(super) fn after_index(
        &self,
        root: Verified<Root>,
        head: Verified<Head>,
        validator: Option<String>,
        index: Verified<Index>,
    ) -> Result<Phase, WorkflowError> {
        if !self.before(&root).afresh {
            sealed::nothing_went_back(&self.trusted.private, &index, None)?;
        }
        let update = Update {
            head,
            head_validator: validator,
            index,
            root_version: root.version,
            sequence_epoch: root.sequence_epoch,
            private: PrivateSide::Unread,
        };
        Ok(self.private_side(root, update))
    }
}
