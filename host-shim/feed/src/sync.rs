//! Asks a feed for news: fetches, has it verified, makes it durable.
//!
//! What to fetch, in which order, and what to believe is the [`Workflow`]'s business; this drives it
//! with a [`Source`] and the store. A root is kept as soon as it has been verified; documents wait,
//! unseen, until everything has come, and then all of it becomes current in one transaction. What a
//! broken sync had brought need not be fetched again.
//!
//! A feed may have mirrors. A mirror that fails, lags behind or offers something that is refused is
//! left for the next; so is one that has nothing new, for it may have been made to stand still. What
//! any of them offers is believed for its signatures alone.

mod drive;
mod error;
mod pace;

use std::{path::PathBuf, sync::Arc};

use jiff::Timestamp;
use spacecp_contract::{
    Audience, Correction, Digest, DocumentId, DocumentKind, FeedPath, Head, Limits, Root,
};

pub use error::SyncError;
use spacecp_store::{IncidentKind, Store, StoreError};
use spacecp_trust::{
    AnyDocument, Identity, TrustError, Verified,
    workflow::{Outcome, Pin, SeenHead, Workflow},
};

use crate::{
    fetch::Source,
    identity::{self, IdentityError},
};

/// Follows one feed for one panel.
#[derive(Debug)]
pub struct Follower {
    mirrors: Vec<Mirror>,
    store: Store,
    pin: Pin,
    audience: Audience,
    /// The folder of the state, where the identity lies.
    reader: Option<PathBuf>,
}

/// One of the places where a feed is.
#[derive(Debug, Clone)]
pub struct Mirror {
    /// Its address, for people.
    pub address: String,
    /// Where its bytes come from.
    pub source: Arc<Source>,
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
    /// Follows a feed, from the first of these places that has news to believe, into `store`.
    /// Trust begins with `pin`, which the administrator put there.
    pub fn new(mirrors: Vec<Mirror>, store: Store, pin: Pin, audience: Audience) -> Self {
        Self {
            mirrors,
            store,
            pin,
            audience,
            reader: None,
        }
    }

    /// The same, able to read what is encrypted to the panel with this state folder.
    #[must_use]
    pub fn reading_as(mut self, state: PathBuf) -> Self {
        self.reader = Some(state);
        self
    }

    /// The identity as it is now: somebody may have renewed it. Without one, what is public goes on.
    fn identity(&self, now: Timestamp) -> Option<Identity> {
        let state = self.reader.as_ref()?;
        let loaded = identity::load_or_make(state, now);
        let failed = |error: &IdentityError| {
            tracing::warn!(%error, "sealed documents skipped: no usable identity");
        };
        loaded.inspect_err(failed).ok()
    }

    /// The newest root that is trusted: the stored one, or the pinned one before the first sync.
    /// None where only a fingerprint is pinned and the feed has not been heard yet.
    pub async fn root(&self) -> Result<Option<Verified<Root>>, StoreError> {
        let stored = self.store.trusted().await?.root.clone();
        let newer = stored.filter(|stored| stored.version >= self.pin.version());
        Ok(newer.or_else(|| match &self.pin {
            Pin::Root(root) => Some((**root).clone()),
            Pin::Fingerprint { .. } => None,
        }))
    }

    /// Where trust begins.
    pub fn pin(&self) -> &Pin {
        &self.pin
    }

    /// The places where the feed is looked for, in this order.
    pub fn mirrors(&self) -> &[Mirror] {
        &self.mirrors
    }

    /// Asks for news at `now`. On failure no head, index or document has changed, and the reason is
    /// kept for the pages.
    pub async fn sync(&self, now: Timestamp) -> Result<SyncReport, SyncError> {
        self.sync_from(&self.mirrors, now).await
    }

    /// The same from elsewhere, as from a file that was carried here.
    #[tracing::instrument(name = "sync", skip_all)]
    pub async fn sync_from(
        &self,
        mirrors: &[Mirror],
        now: Timestamp,
    ) -> Result<SyncReport, SyncError> {
        let mut result = self.try_each(mirrors, now).await;
        if let Err(SyncError::Store(_)) = &result {
            // What was stored may have been found damaged on the way: then it is replaced, and asked for again.
            self.store.suspect_feed();
            if let Ok(Some(_)) = self.store.heal_feed().await {
                result = self.try_each(mirrors, now).await;
            }
        }
        match result {
            Ok(report) => {
                tracing::info!(
                    sequence = report.sequence,
                    changed = report.changed,
                    accepted = report.accepted.len(),
                    "sync completed"
                );
                Ok(report)
            }
            Err(error) => {
                tracing::warn!(%error, "sync failed");
                self.note_down(&error, now).await;
                Err(error)
            }
        }
    }

    /// The reason matters more than whether it could be noted down.
    async fn note_down(&self, error: &SyncError, now: Timestamp) {
        let kind = if error.is_refusal() {
            IncidentKind::Refused
        } else {
            IncidentKind::Unreachable
        };
        let words = error.to_string();
        let noted = self.store.note(kind, &words, now).await;
        for note in [noted, self.store.missed(&words).await] {
            if let Err(note) = note {
                tracing::warn!(error = %note, "cannot record the damage");
            }
        }
    }

    async fn try_each(&self, mirrors: &[Mirror], now: Timestamp) -> Result<SyncReport, SyncError> {
        self.store.heal_feed().await?;
        self.refuse_another_pin().await?;
        if let Some(root) = self.store.discard_superseded().await? {
            self.note_fresh_start(&root, now).await?;
        }
        self.mark_what_has_expired(now).await?;
        let mut failures = Vec::new();
        let mut nothing_new = None;
        for mirror in mirrors {
            let mut attempted = self.attempt(mirror, now).await;
            if matches!(attempted, Err(SyncError::Store(StoreError::Raced))) {
                // Another process has made something current meanwhile, with which this goes on.
                attempted = self.attempt(mirror, now).await;
            }
            match attempted {
                Err(error) if error.is_the_mirrors() => {
                    tracing::warn!(mirror = mirror.address, %error, "mirror rejected");
                    // Once one has answered well, the others are asked for their news alone.
                    if nothing_new.is_none() {
                        failures.push((mirror.address.clone(), error));
                    }
                }
                Ok(report) if !report.changed => {
                    nothing_new.get_or_insert(report);
                }
                ended => {
                    self.note_refusals(&failures, now).await?;
                    return ended;
                }
            }
        }
        if let Some(report) = nothing_new {
            self.note_refusals(&failures, now).await?;
            return Ok(report);
        }
        match failures.len() {
            1 => Err(failures.remove(0).1),
            _ => Err(SyncError::Mirrors(failures)),
        }
    }

    /// Notes what an administrator should know of mirrors although another one had the news: what was refused,
    /// and who held the sync up.
    async fn note_refusals(
        &self,
        failures: &[(String, SyncError)],
        now: Timestamp,
    ) -> Result<(), StoreError> {
        for (address, error) in failures {
            let kind = match error {
                SyncError::TooSlow { .. } => IncidentKind::Unreachable,
                error if error.is_refusal() => IncidentKind::Refused,
                _ => continue,
            };
            let words = format!("{address}: {error}");
            self.store.note(kind, &words, now).await?;
        }
        Ok(())
    }

    /// Remembers that the root or the head has expired, if it has: a clock that goes back makes neither
    /// younger.
    async fn mark_what_has_expired(&self, now: Timestamp) -> Result<(), SyncError> {
        let trusted = self.store.trusted().await?;
        let now = now.max(trusted.latest_time);
        let root = self.root().await?;
        if let Some(root) = root.filter(|root| root.expires <= now) {
            let digest = Digest::of(root.bytes());
            self.store.saw_root_expired(digest, now).await?;
        }
        if let Some(head) = trusted.head.as_ref().filter(|head| head.expires <= now) {
            let head = SeenHead {
                epoch: trusted.sequence_epoch,
                sequence: head.sequence,
                digest: Digest::of(head.bytes()),
            };
            self.store.saw_head_expired(head, now).await?;
        }
        Ok(())
    }

    /// The same of what was offered.
    async fn mark_what_was_offered(
        &self,
        refused: &TrustError,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        match refused {
            TrustError::RootExpired { digest, .. } => {
                self.store.saw_root_expired(*digest, now).await
            }
            TrustError::HeadExpired {
                epoch,
                sequence,
                digest,
                ..
            } => {
                let head = SeenHead {
                    epoch: *epoch,
                    sequence: *sequence,
                    digest: *digest,
                };
                self.store.saw_head_expired(head, now).await
            }
            _ => Ok(()),
        }
    }

    async fn refuse_another_pin(&self) -> Result<(), SyncError> {
        let (version, pinned) = (self.pin.version(), self.pin.digest());
        match self.store.root_digest(version).await? {
            Some(stored) if stored != pinned => Err(SyncError::PinChanged {
                version,
                pinned,
                stored,
            }),
            _ => Ok(()),
        }
    }

    async fn attempt(&self, mirror: &Mirror, now: Timestamp) -> Result<SyncReport, SyncError> {
        let trusted = self.store.trusted().await?;
        let before = trusted.head.clone();
        let known = match &before {
            Some(head) => {
                let digest = Digest::of(head.bytes());
                self.store.validator(&mirror.address, digest).await?
            }
            None => None,
        };
        let mut workflow = Workflow::new(
            self.pin.clone(),
            self.audience.clone(),
            Arc::unwrap_or_clone(trusted),
            self.store.held().await?,
            Limits::default(),
            now,
        )
        .knowing(known)
        .reading_as(self.identity(now));
        let outcome = self.drive(&mut workflow, &mirror.source).await;
        let now = workflow.now();
        if let Err(SyncError::Trust(refused)) = &outcome {
            self.mark_what_was_offered(refused, now).await?;
        }
        let outcome = outcome?;
        match (outcome, before) {
            (Outcome::Changed(update), before) => {
                self.keep_pin(now).await?;
                let accepted = self.store.accept(&update, now).await?;
                let is_known = before.is_some_and(|head| head.bytes() == update.head.bytes());
                self.keep_validator(mirror, &update.head, update.head_validator.as_deref())
                    .await?;
                Ok(SyncReport {
                    // Behind a head that was known there may have been something to read, or nothing.
                    changed: accepted
                        .as_ref()
                        .is_some_and(|accepted| !is_known || !accepted.is_empty()),
                    sequence: update.head.sequence,
                    accepted: accepted.unwrap_or_default(),
                    valid_until: update.head.expires,
                })
            }
            (Outcome::Unchanged { validator }, Some(head)) => {
                self.store.heard(now).await?;
                self.keep_validator(mirror, &head, validator.as_deref())
                    .await?;
                Ok(SyncReport {
                    changed: false,
                    sequence: head.sequence,
                    accepted: Vec::new(),
                    valid_until: head.expires,
                })
            }
            (Outcome::Unchanged { .. }, None) => Err(SyncError::Missing {
                path: FeedPath::head(),
            }),
        }
    }

    /// What a mirror that is followed said of a head. A file that was carried here says nothing.
    async fn keep_validator(
        &self,
        mirror: &Mirror,
        head: &Verified<Head>,
        validator: Option<&str>,
    ) -> Result<(), StoreError> {
        let followed: Vec<&str> = self
            .mirrors
            .iter()
            .map(|one| one.address.as_str())
            .collect();
        let Some(validator) = validator.filter(|_| followed.contains(&mirror.address.as_str()))
        else {
            return Ok(());
        };
        let digest = Digest::of(head.bytes());
        self.store
            .keep_validator(&mirror.address, digest, validator, &followed)
            .await
    }

    /// Every current correction.
    pub async fn corrections(&self) -> Result<Vec<Verified<Correction>>, StoreError> {
        let trusted = self.store.trusted().await?;
        let mut corrections = Vec::new();
        for (kind, id) in trusted.listed() {
            if kind != DocumentKind::Correction {
                continue;
            }
            let document = self.store.document(kind, id).await?;
            if let Some(AnyDocument::Correction(correction)) = document {
                corrections.push(correction);
            }
        }
        Ok(corrections)
    }
}
