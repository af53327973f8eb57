//! Fetches what the workflow asks for, a few files at once, and keeps what it gives.
//!
//! May not: believe anything, which is the [`Workflow`]'s; make anything current, which is the follower's.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use jiff::Timestamp;
use spacecp_contract::{Digest, FeedPath, Root};
use tokio::task::JoinSet;

use super::{Follower, SyncError, pace::Pace};
use crate::fetch::{FetchError, Fetched, Source};
use spacecp_store::{
    self as store, IncidentKind, StoreError,
    audit::{self, Event, What},
};
use spacecp_trust::{
    self as trust, AnyDocument, Verified,
    workflow::{Answer, DeltaError, News, Outcome, Pin, Request, Workflow},
};

/// Bytes of a signature file.
const SIGNATURES: u64 = 64 << 10;

/// Requests that are on their way at once.
const AT_ONCE: usize = 8;

/// Documents, and bytes of them, that are in memory before they are put by.
const HANDFUL: (usize, usize) = (256, 4 << 20);

/// For how long documents are in memory before they are put by: what a slow mirror gave should outlive the
/// process that waits for the rest.
const LONGEST_IN_MEMORY: Duration = Duration::from_secs(5);

impl Follower {
    /// Fetches what the workflow asks for until it has ended.
    pub(super) async fn drive(
        &self,
        workflow: &mut Workflow,
        source: &Arc<Source>,
    ) -> Result<Outcome, SyncError> {
        let mut flying = JoinSet::new();
        let mut waiting = Waiting::default();
        let mut pace = Pace::of(source);
        let ended = loop {
            while flying.len() < AT_ONCE
                && let Some(request) = workflow.next_request()
            {
                let source = source.clone();
                pace.asked(request.limit);
                flying.spawn(async move {
                    let answer = fetch(&source, &request).await;
                    let answer = needed(&request, answer);
                    (request, answer)
                });
            }
            let answered = match pace.within(flying.join_next()).await {
                Ok(Some(answered)) => answered,
                Ok(None) => break Ok(()),
                Err(too_slow) => break Err(too_slow),
            };
            let taken = match answered {
                Ok((request, answer)) => {
                    pace.answered(request.limit);
                    self.take(workflow, &request.path, answer, &mut waiting)
                        .await
                }
                Err(panic) => std::panic::resume_unwind(panic.into_panic()),
            };
            match taken {
                Ok(bytes) => pace.verified(bytes),
                Err(error) => break Err(error),
            }
        };
        // What has come is kept even so: the next sync need not fetch it again.
        self.put_by(&mut waiting).await?;
        ended?;
        workflow.outcome().ok_or(SyncError::Missing {
            path: FeedPath::head(),
        })
    }

    /// Has an answer verified and keeps what it brings. Gives the bytes of it that can be used.
    async fn take(
        &self,
        workflow: &mut Workflow,
        path: &FeedPath,
        answer: Result<Answer, FetchError>,
        waiting: &mut Waiting,
    ) -> Result<usize, SyncError> {
        let answer = answer?;
        let bytes = match &answer {
            Answer::File { bytes, .. } => bytes.len(),
            Answer::Missing | Answer::Unchanged => 0,
        };
        match workflow.answer(path, answer)? {
            None => {}
            Some(News::PassedOver { path, why }) => {
                self.pass_over(&path, &why, workflow.now()).await?;
                return Ok(0);
            }
            Some(News::Root(root)) => {
                tracing::info!(version = root.version, "new root trusted");
                let now = workflow.now();
                self.keep_pin(now).await?;
                self.record_root(&root, now).await?;
                self.keep_root(&root, now).await?;
            }
            Some(News::Document(document, root)) => {
                self.let_wait(waiting, document, root, false).await?;
            }
            Some(News::Private(document, root)) => {
                self.let_wait(waiting, document, root, true).await?;
            }
        }
        Ok(bytes)
    }

    async fn let_wait(
        &self,
        waiting: &mut Waiting,
        document: AnyDocument,
        root: u64,
        private: bool,
    ) -> Result<(), StoreError> {
        waiting.bytes += document.bytes().len();
        let since = *waiting.since.get_or_insert_with(Instant::now);
        waiting.documents.push(store::Waiting {
            document,
            root,
            private,
        });
        if waiting.documents.len() >= HANDFUL.0
            || waiting.bytes >= HANDFUL.1
            || since.elapsed() >= LONGEST_IN_MEMORY
        {
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
            tracing::debug!(%path, "delta not found in the feed");
            return Ok(());
        }
        tracing::warn!(%path, %why, "delta rejected; fetching the full index");
        let words = format!("{path} skipped: {why}");
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
    pub(super) async fn keep_pin(&self, now: Timestamp) -> Result<(), StoreError> {
        match &self.pin {
            Pin::Root(root) => self.keep_root(root, now).await,
            Pin::Fingerprint { .. } => Ok(()),
        }
    }

    /// Keeps a root. One that starts afresh discards what was received before it, and that is said.
    async fn keep_root(&self, root: &Verified<Root>, now: Timestamp) -> Result<(), StoreError> {
        if !self.store.keep_root(root).await? {
            return Ok(());
        }
        self.note_fresh_start(root, now).await
    }

    /// Notes that what was received before this root was discarded.
    pub(super) async fn note_fresh_start(
        &self,
        root: &Verified<Root>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        tracing::warn!(
            version = root.version,
            "feed state discarded: the new root restarts sequences and revisions"
        );
        let words = format!(
            "Root {} restarts sequences and revisions, as after stolen keys. All documents received before were discarded; those listed by the feed are fetched again.",
            root.version
        );
        self.store.note(IncidentKind::Reset, &words, now).await
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
    /// Since when the first of them is in memory.
    since: Option<Instant>,
}

/// What does not come, and need not, is as good as missing.
fn needed(request: &Request, answer: Result<Answer, FetchError>) -> Result<Answer, FetchError> {
    match answer {
        Err(error) if request.optional => {
            tracing::warn!(path = %request.path, %error, "cannot fetch optional file; continuing without it");
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
