//! Asks a feed for news: fetches, has it verified, makes it durable.
//!
//! The order is TUF's: roots, head, index, documents. The chain of roots is kept as soon as it has
//! been verified; nothing else is before everything has been, and then all of it is in one
//! transaction. An unchanged feed costs one conditional request.

use std::sync::Arc;

use jiff::Timestamp;
use spacecp_contract::{Audience, DocumentId, FeedPath, Limits, Root};

use crate::{
    fetch::{FetchError, Fetched, Source},
    store::{Accepted, Store, StoreError, Trusted},
    trust::{self, AnyDocument, Before, TrustError, Unverified, Verified},
};

/// Roots that one sync steps over; the next sync goes on from there.
const MOST_ROOTS: usize = 256;

/// Bytes of a signature file.
const SIGNATURES: u64 = 64 << 10;

/// Bytes of a head.
const HEAD: u64 = 4 << 10;

/// Bytes of a root.
const ROOT: u64 = 256 << 10;

/// Follows one feed for one panel.
#[derive(Debug)]
pub struct Follower {
    source: Arc<Source>,
    store: Store,
    pinned: Verified<Root>,
    limits: Limits,
}

/// Why a sync changed nothing.
#[derive(Debug, thiserror::Error)]
pub enum SyncError {
    /// The feed gave nothing.
    #[error(transparent)]
    Fetch(#[from] FetchError),
    /// What it gave is not believed.
    #[error("the feed offered something that this panel refuses: {0}")]
    Trust(#[from] TrustError),
    /// A file that the feed must have is not there.
    #[error("the feed does not have {path}, which it must have")]
    Missing {
        /// The file.
        path: FeedPath,
    },
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What a sync found.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct SyncReport {
    /// Whether anything is new.
    pub changed: bool,
    /// The feed's sequence now.
    pub sequence: u64,
    /// Documents accepted by this sync: ids and revisions.
    pub accepted: Vec<(DocumentId, u64)>,
    /// Until when this is good.
    pub valid_until: Timestamp,
}

impl Follower {
    /// Follows `source` into `store`, beginning with the root that the administrator put there.
    pub fn new(
        source: Arc<Source>,
        store: Store,
        pinned: Unverified<'_>,
        audience: &Audience,
    ) -> Result<Self, TrustError> {
        let pinned = trust::pinned_root(pinned, audience)?;
        Ok(Self {
            source,
            store,
            pinned,
            limits: Limits::default(),
        })
    }

    /// The newest root that is trusted: the stored one, or the pinned one before the first sync.
    pub async fn root(&self) -> Result<Verified<Root>, StoreError> {
        Ok(self.newer(self.store.trusted().await?.root))
    }

    fn newer(&self, stored: Option<Verified<Root>>) -> Verified<Root> {
        stored
            .filter(|stored| stored.version >= self.pinned.version)
            .unwrap_or_else(|| self.pinned.clone())
    }

    /// Asks for news at `now`. On failure no head, index or document has changed, and the reason is
    /// kept for the pages.
    #[tracing::instrument(name = "sync", skip_all)]
    pub async fn sync(&self, now: Timestamp) -> Result<SyncReport, SyncError> {
        match self.attempt(now).await {
            Ok(report) => {
                tracing::info!(
                    sequence = report.sequence,
                    changed = report.changed,
                    accepted = report.accepted.len(),
                    "the feed was heard"
                );
                Ok(report)
            }
            Err(error) => {
                tracing::warn!(%error, "the feed was not followed");
                // The reason matters more than whether it could be noted down.
                if let Err(note) = self.store.missed(&error.to_string()).await {
                    tracing::warn!(error = %note, "and that could not be noted down");
                }
                Err(error)
            }
        }
    }

    async fn attempt(&self, now: Timestamp) -> Result<SyncReport, SyncError> {
        let trusted = self.store.trusted().await?;
        // A clock that went back must not bring back to life what has expired.
        let now = now.max(trusted.latest_time);
        let known = still_good(&trusted, now).and(trusted.head_validator.as_deref());
        let head_path = FeedPath::head();
        let (head_bytes, validator) = match self.source.get(&head_path, HEAD, known).await? {
            Fetched::Missing => return Err(SyncError::Missing { path: head_path }),
            Fetched::Unchanged => return self.unchanged(&trusted, now).await,
            Fetched::Body { bytes, validator } => (bytes, validator),
        };
        if let Some(head) = still_good(&trusted, now)
            && head.bytes() == head_bytes
        {
            return self.unchanged(&trusted, now).await;
        }
        let roots = self.roots(self.newer(trusted.root.clone())).await?;
        let root = roots.last().unwrap_or(&self.pinned).clone();
        trust::check_root(&root, now)?;
        let before = Before {
            head: trusted.head.as_ref(),
            index: trusted.index.as_ref(),
            afresh: root.sequence_epoch > trusted.sequence_epoch,
        };
        let signatures = self.must(&head_path.signatures(), SIGNATURES).await?;
        let head = trust::head(
            &root,
            before,
            Unverified {
                bytes: &head_bytes,
                signatures: &signatures,
            },
            now,
        )?;
        let index_path = FeedPath::index(head.sequence);
        let announced = head.index_length.min(self.limits.bytes as u64);
        let index_bytes = self.must(&index_path, announced).await?;
        let signatures = self.must(&index_path.signatures(), SIGNATURES).await?;
        let offered = Unverified {
            bytes: &index_bytes,
            signatures: &signatures,
        };
        let index = trust::index(&root, &head, before, offered, &self.limits)?;
        let documents = self.documents(&root, &index, before.afresh).await?;
        let accepted = Accepted {
            root_version: root.version,
            sequence_epoch: root.sequence_epoch,
            roots,
            head,
            head_validator: validator,
            index,
            documents,
            now,
        };
        let kept = self.store.accept(&accepted).await?;
        Ok(SyncReport {
            changed: kept,
            sequence: accepted.head.sequence,
            accepted: accepted.documents.iter().filter_map(named).collect(),
            valid_until: accepted.head.expires,
        })
    }

    async fn unchanged(&self, trusted: &Trusted, now: Timestamp) -> Result<SyncReport, SyncError> {
        let Some(head) = &trusted.head else {
            // An answer to a question that was not asked.
            return Err(SyncError::Missing {
                path: FeedPath::head(),
            });
        };
        self.store.heard(now).await?;
        Ok(SyncReport {
            changed: false,
            sequence: head.sequence,
            accepted: Vec::new(),
            valid_until: head.expires,
        })
    }

    /// The trusted root and every one that follows it.
    ///
    /// New roots are kept whatever becomes of the rest of the sync: a key that was taken back once
    /// must not be believed again because somebody holds back the news or spoils the head. A chain
    /// longer than one sync steps over goes on with the next.
    async fn roots(&self, trusted: Verified<Root>) -> Result<Vec<Verified<Root>>, SyncError> {
        let mut chain = vec![trusted];
        let walked = self.walk(&mut chain).await;
        if chain.len() > 1 {
            self.store.keep_roots(&chain).await?;
        }
        walked.map(|()| chain)
    }

    async fn walk(&self, chain: &mut Vec<Verified<Root>>) -> Result<(), SyncError> {
        while chain.len() <= MOST_ROOTS {
            let newest = &chain[chain.len() - 1];
            let path = FeedPath::root(newest.version.saturating_add(1));
            let Fetched::Body { bytes, .. } = self.source.get(&path, ROOT, None).await? else {
                break;
            };
            let signatures = self.must(&path.signatures(), SIGNATURES).await?;
            let next = trust::next_root(
                newest,
                Unverified {
                    bytes: &bytes,
                    signatures: &signatures,
                },
            )?;
            tracing::info!(version = next.version, "a new root is trusted");
            chain.push(next);
        }
        Ok(())
    }

    /// Every document of the index that the store does not have in that revision.
    async fn documents(
        &self,
        root: &Verified<Root>,
        index: &spacecp_contract::Index,
        afresh: bool,
    ) -> Result<Vec<AnyDocument>, SyncError> {
        let mut documents = Vec::new();
        for entry in &index.documents {
            if !afresh
                && self
                    .store
                    .has(entry.kind, &entry.id, entry.revision)
                    .await?
            {
                continue;
            }
            let path = FeedPath::document(entry.kind, &entry.id, entry.revision);
            let announced = entry.length.min(self.limits.bytes as u64);
            let bytes = self.must(&path, announced).await?;
            let signatures = self.must(&path.signatures(), SIGNATURES).await?;
            let offered = Unverified {
                bytes: &bytes,
                signatures: &signatures,
            };
            documents.push(trust::document(root, entry, offered, &self.limits)?);
        }
        Ok(documents)
    }

    async fn must(&self, path: &FeedPath, limit: u64) -> Result<Vec<u8>, SyncError> {
        match self.source.get(path, limit, None).await? {
            Fetched::Body { bytes, .. } => Ok(bytes),
            Fetched::Missing | Fetched::Unchanged => Err(SyncError::Missing { path: path.clone() }),
        }
    }
}

/// The head that is trusted, unless it or the root above it has expired.
fn still_good(trusted: &Trusted, now: Timestamp) -> Option<&Verified<spacecp_contract::Head>> {
    let root = trusted.root.as_ref()?;
    trust::check_root(root, now).ok()?;
    trusted.head.as_ref().filter(|head| head.expires > now)
}

fn named(document: &AnyDocument) -> Option<(DocumentId, u64)> {
    let id = DocumentId::new(document.id()).ok()?;
    Some((id, document.revision()))
}
