//! Fetches what the workflow asks for, a few files at once, and keeps what it gives.
//!
//! May not: believe anything, which is the [`Workflow`]'s; make anything current, which is the follower's.

use std::sync::Arc;

use jiff::Timestamp;
use spacecp_contract::{Digest, FeedPath, Root};
use tokio::task::JoinSet;

use super::{Follower, SyncError};
use crate::{
    audit::{self, Event, What},
    fetch::{FetchError, Fetched, Source},
    store::{self, IncidentKind, StoreError},
    trust::{
        self, AnyDocument, Verified,
        workflow::{Answer, DeltaError, News, Outcome, Pin, Request, Workflow},
    },
};

/// Bytes of a signature file.
const SIGNATURES: u64 = 64 << 10;

/// Requests that are on their way at once.
const AT_ONCE: usize = 8;

/// Documents, and bytes of them, that are in memory before they are put by.
const HANDFUL: (usize, usize) = (256, 4 << 20);

impl Follower {
    /// Fetches what the workflow asks for until it has ended.
    pub(super) async fn drive(
        &self,
        workflow: &mut Workflow,
        source: &Arc<Source>,
    ) -> Result<Outcome, SyncError> {
        let mut flying = JoinSet::new();
        let mut waiting = Waiting::default();
        let ended = loop {
            while flying.len() < AT_ONCE
                && let Some(request) = workflow.next_request()
            {
                let source = source.clone();
                flying.spawn(async move {
                    let answer = fetch(&source, &request).await;
                    (request.path.clone(), needed(&request, answer))
                });
            }
            let Some(answered) = flying.join_next().await else {
                break Ok(());
            };
            let taken = match answered {
                Ok((path, answer)) => self.take(workflow, &path, answer, &mut waiting).await,
                Err(panic) => std::panic::resume_unwind(panic.into_panic()),
            };
            if taken.is_err() {
                break taken;
            }
        };
        // What has come is kept even so: the next sync need not fetch it again.
        self.put_by(&mut waiting).await?;
        ended?;
        workflow.outcome().ok_or(SyncError::Missing {
            path: FeedPath::head(),
        })
    }

    async fn take(
        &self,
        workflow: &mut Workflow,
        path: &FeedPath,
        answer: Result<Answer, FetchError>,
        waiting: &mut Waiting,
    ) -> Result<(), SyncError> {
        match workflow.answer(path, answer?)? {
            None => {}
            Some(News::PassedOver { path, why }) => {
                self.pass_over(&path, &why, workflow.now()).await?;
            }
            Some(News::Root(root)) => {
                tracing::info!(version = root.version, "a new root is trusted");
                self.keep_pin().await?;
                self.record_root(&root, workflow.now()).await?;
                self.store.keep_root(&root).await?;
            }
            Some(News::Document(document, root)) => {
                self.let_wait(waiting, document, root, false).await?;
            }
            Some(News::Private(document, root)) => {
                self.let_wait(waiting, document, root, true).await?;
            }
        }
        Ok(())
    }

    async fn let_wait(
        &self,
        waiting: &mut Waiting,
        document: AnyDocument,
        root: u64,
        private: bool,
    ) -> Result<(), StoreError> {
        waiting.bytes += document.bytes().len();
        waiting.documents.push(store::Waiting {
            document,
            root,
            private,
        });
        if waiting.documents.len() >= HANDFUL.0 || waiting.bytes >= HANDFUL.1 {
            self.put_by(waiting).await?;
        }
        Ok(())
    }

    /// A feed need not have deltas; one that is wrong is worth a word, though the index comes whole.
    async fn pass_over(
        &self,
        path: &FeedPath,
        why: &DeltaError,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        if *why == DeltaError::Missing {
            tracing::debug!(%path, "the feed does not have this delta");
            return Ok(());
        }
        tracing::warn!(%path, %why, "a delta is passed over, and the index fetched whole");
        let words = format!("{path} is passed over: {why}");
        self.store.note(IncidentKind::Refused, &words, now).await
    }

    /// Records a root that is about to be trusted; first, so that none ever is unrecorded. A sync that
    /// is cut off in between records it again.
    async fn record_root(&self, root: &Verified<Root>, now: Timestamp) -> Result<(), StoreError> {
        if self.store.root_digest(root.version).await?.is_some() {
            return Ok(());
        }
        let keys = root.signers().iter();
        let before = root.version.checked_sub(1).filter(|version| *version > 0);
        let event = Event {
            from: before.map(|version| format!("root {version}")),
            to: Some(format!("root {}", root.version)),
            keys: keys.filter_map(|key| trust::key_id(key)).collect(),
            reason: Some(format!("fingerprint {}", Digest::of(root.bytes()))),
            ..Event::new(What::SyncedNewRoot, "this panel")
        };
        audit::record(&self.store, &event, now).await?;
        Ok(())
    }

    /// Keeps the pinned root beside those that follow it; not before something follows, so that a
    /// wrong one can be put right.
    pub(super) async fn keep_pin(&self) -> Result<(), StoreError> {
        match &self.pin {
            Pin::Root(root) => self.store.keep_root(root).await,
            Pin::Fingerprint { .. } => Ok(()),
        }
    }

    async fn put_by(&self, waiting: &mut Waiting) -> Result<(), StoreError> {
        if waiting.documents.is_empty() {
            return Ok(());
        }
        let Waiting { documents, .. } = std::mem::take(waiting);
        self.store.keep_waiting(&documents).await
    }
}

/// Documents that were verified and are not in the store yet.
#[derive(Default)]
struct Waiting {
    documents: Vec<store::Waiting>,
    bytes: usize,
}

/// What does not come, and need not, is as good as missing.
fn needed(request: &Request, answer: Result<Answer, FetchError>) -> Result<Answer, FetchError> {
    match answer {
        Err(error) if request.optional => {
            tracing::warn!(path = %request.path, %error, "this file did not come, and is done without");
            Ok(Answer::Missing)
        }
        answer => answer,
    }
}

/// A file, and its signatures if it is there and has changed.
async fn fetch(source: &Source, request: &Request) -> Result<Answer, FetchError> {
    let known = request.validator.as_deref();
    let (bytes, validator) = match source.get(&request.path, request.limit, known).await? {
        Fetched::Missing => return Ok(Answer::Missing),
        Fetched::Unchanged => return Ok(Answer::Unchanged),
        Fetched::Body { bytes, validator } => (bytes, validator),
    };
    let signatures = if request.signed {
        let beside = request.path.signatures();
        match source.get(&beside, SIGNATURES, None).await? {
            Fetched::Body { bytes, .. } => Some(bytes),
            Fetched::Missing | Fetched::Unchanged => None,
        }
    } else {
        None
    };
    Ok(Answer::File {
        bytes,
        signatures,
        validator,
    })
}
