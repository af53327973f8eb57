//! Looks at a broadcast as panels will, before any of them can: with the whole workflow that they follow a feed
//! by, once as a panel that may read the public side only, and once as one that is entitled to the private side.

use std::collections::BTreeSet;

use jiff::Timestamp;
use spacecp_contract::{Digest, FeedPath, Head, Index, IndexEntry, Limits};
use spacecp_trust::{
    Identity,
    workflow::{
        Answer, Held, HeldDocument, Outcome, Pin, PrivateDocuments, PrivateSide, Trusted, Workflow,
        WorkflowError,
    },
};

use super::{Basis, PublishService};
use crate::{feed::FeedError, sign::Signed};

impl PublishService<'_> {
    /// Refuses a head and its index that panels would refuse, given what they hold now.
    pub(super) fn refuse_what_panels_refuse(
        &self,
        basis: &Basis,
        head: &Signed<Head>,
        index: &Signed<Index>,
        now: Timestamp,
    ) -> Result<(), FeedError> {
        self.look(basis, head, index, None, now)?;
        let (Some(sealed), Some(sealing)) = (&index.document.sealed, self.feed.sealing()) else {
            return Ok(());
        };
        let Some(witness) = sealing.witness(sealed.index.digest)? else {
            return Ok(());
        };
        let read = self.look(basis, head, index, Some(witness), now)?;
        match read {
            PrivateSide::Read { documents, .. }
                if is_all(&documents, &sealing.documents(sealed)?) =>
            {
                Ok(())
            }
            _ => Err(FeedError::Unreadable {
                sequence: head.document.sequence,
            }),
        }
    }

    /// What a panel makes of it that is up to date, and verifies every document anew.
    fn look(
        &self,
        basis: &Basis,
        head: &Signed<Head>,
        index: &Signed<Index>,
        identity: Option<Identity>,
        now: Timestamp,
    ) -> Result<PrivateSide, FeedError> {
        let roots = self.feed.roots()?;
        let (Some(first), Some(newest)) = (roots.first(), roots.last()) else {
            return Err(FeedError::NoRoot(self.feed.folder().to_owned()));
        };
        let before = basis.before.as_ref().map(|(_, current)| current);
        let recorded = basis
            .record
            .as_ref()
            .and_then(|record| record.current.as_ref());
        let private = recorded.filter(|_| identity.is_some());
        let private = private.map_or(&[][..], |current| &current.private);
        let trusted = Trusted {
            root: Some(newest.clone()),
            sequence_epoch: basis.epoch().unwrap_or(newest.sequence_epoch),
            head: before.map(|(head, _)| head.clone()),
            index: before.map(|(_, index)| index.clone()),
            latest_time: now,
            private: private
                .iter()
                .map(held_in_private)
                .collect::<PrivateDocuments>(),
            ..Trusted::default()
        };
        // The public side is looked at once.
        let held = index
            .document
            .documents
            .iter()
            .filter(|_| identity.is_some());
        let held = held.map(held_in_public).collect::<Held>();
        let pin = Pin::Root(Box::new(first.clone()));
        let audience = newest.audience.clone();
        let limits = Limits::default();
        let mut panel =
            Workflow::new(pin, audience, trusted, held, limits, now).reading_as(identity);
        while let Some(request) = panel.next_request() {
            let answer = self.offer(&request.path, head, index)?;
            panel
                .answer(&request.path, answer)
                .map_err(|error| refused(head, error))?;
        }
        match panel.outcome() {
            Some(Outcome::Changed(update)) => Ok(update.private),
            _ => Err(FeedError::Unreadable {
                sequence: head.document.sequence,
            }),
        }
    }

    /// A file of the feed as it will be.
    fn offer(
        &self,
        path: &FeedPath,
        head: &Signed<Head>,
        index: &Signed<Index>,
    ) -> Result<Answer, FeedError> {
        let file = |bytes: Vec<u8>, signatures: Option<Vec<u8>>| Answer::File {
            bytes,
            signatures,
            validator: None,
        };
        if *path == FeedPath::head() {
            let signatures = head.signatures.clone().into_bytes();
            return Ok(file(head.bytes.clone(), Some(signatures)));
        }
        if *path == FeedPath::index(index.document.sequence) {
            let signatures = index.signatures.clone().into_bytes();
            return Ok(file(index.bytes.clone(), Some(signatures)));
        }
        match self.feed.bytes(path)? {
            Some(bytes) => Ok(file(bytes, self.feed.bytes(&path.signatures())?)),
            None => Ok(Answer::Missing),
        }
    }
}

fn refused(head: &Signed<Head>, error: WorkflowError) -> FeedError {
    let what = format!("sequence {}", head.document.sequence);
    match error {
        WorkflowError::Refused(source) => FeedError::Refused { what, source },
        source => FeedError::Unfollowable { what, source },
    }
}

fn is_all(read: &[IndexEntry], sealed: &[IndexEntry]) -> bool {
    let key = |entry: &IndexEntry| (entry.kind, entry.id.clone(), entry.digest);
    let read: BTreeSet<_> = read.iter().map(key).collect();
    read == sealed.iter().map(key).collect()
}

type Key = (spacecp_contract::DocumentKind, spacecp_contract::DocumentId);

fn held_in_private(entry: &IndexEntry) -> (Key, (u64, Digest)) {
    (
        (entry.kind, entry.id.clone()),
        (entry.revision, entry.digest),
    )
}

fn held_in_public(entry: &IndexEntry) -> (Key, HeldDocument) {
    let held = HeldDocument {
        revision: entry.revision,
        digest: entry.digest,
        waiting_under: None,
        private: false,
    };
    ((entry.kind, entry.id.clone()), held)
}
