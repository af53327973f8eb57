//! The publish service: makes what a feed has pending current, as far as the disclosure policy allows it.
//!
//! A broadcast is one durable step. What it publishes, and what that means for cases, is written into the desk's
//! record before anything is published; a command that is killed in between leaves a step that the next one
//! finishes, if panels can see the new head, or undoes.
//!
//! A reader at any instant finds either the old head with the old index or the new head with the new
//! one, and both have all that they name. The panel's own verifier looks at everything first; nothing
//! here may write what it has not seen.

mod basis;
mod consent;
mod panel_check;
mod plan;
mod policy;
mod write;

pub use consent::Consent;

use jiff::Timestamp;
use spacecp_contract::{Digest, DocumentId, FeedPath, Head, Index, Role, Root, encode};

use crate::{
    feed::{Feed, FeedError, HeldBack, Visibility},
    keys::SecretKey,
    record::Record,
    sign::{Signed, sign},
    signing::holds,
};
use basis::{Basis, next_sequence};
use plan::Contents;
use policy::HeldCases;
use write::Publication;

/// Publishes what a feed has pending.
#[derive(Debug)]
pub struct PublishService<'a> {
    feed: &'a Feed,
    consent: Consent,
}

/// What a broadcast would change, or has changed.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Broadcast {
    /// The sequence that it makes current.
    pub sequence: u64,
    /// From when on it is stale, unless another broadcast follows.
    pub expires: Timestamp,
    /// Documents that panels did not know, or knew an older revision of.
    pub news: Vec<(DocumentId, u64)>,
    /// All documents that everybody may read now.
    pub documents: usize,
    /// What is under embargo; none where a feed has no private side.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub private: Option<Embargoed>,
    /// Corrections that stay on the desk.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub held_back: Vec<HeldBack>,
}

/// What a broadcast says in private.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub struct Embargoed {
    /// Documents under embargo.
    pub documents: usize,
    /// Panels that can read them.
    pub panels: usize,
}

impl<'a> PublishService<'a> {
    /// The service for this feed.
    pub fn of(feed: &'a Feed) -> Self {
        Self {
            feed,
            consent: Consent::default(),
        }
    }

    /// The same service, whose broadcasts may do this.
    #[must_use]
    pub fn with_consent(self, consent: Consent) -> Self {
        Self { consent, ..self }
    }

    /// The feed.
    pub(crate) fn feed(&self) -> &'a Feed {
        self.feed
    }

    /// What a broadcast at `now` would change; writes nothing. Of its index, the private side is still the
    /// one before.
    ///
    /// # Errors
    ///
    /// [`FeedError`] where the broadcast itself would be refused, by panels or by the disclosure policy.
    pub fn plan_broadcast(
        &self,
        now: Timestamp,
        expires: Timestamp,
    ) -> Result<(Broadcast, Index), FeedError> {
        let basis = self.basis()?;
        let contents = self.everything(&basis)?;
        let planned = self.plan_alone(&basis, &contents, now, expires)?;
        self.transitions(&self.cases()?, &planned.0.news, now)?;
        Ok(planned)
    }

    /// The index of a broadcast at `now`, for keys on other machines. What is under embargo is sealed for it;
    /// nobody finds that before the index is current.
    pub fn prepare_broadcast(
        &self,
        now: Timestamp,
        expires: Timestamp,
    ) -> Result<(Broadcast, Index), FeedError> {
        let _lock = self.feed.lock()?;
        let basis = self.reconciled_basis()?;
        let contents = self.everything(&basis)?;
        let (plan, index) = self.plan_alone(&basis, &contents, now, expires)?;
        self.transitions(&self.cases()?, &plan.news, now)?;
        Ok((plan, self.seal(index, &contents)?))
    }

    /// Makes everything that was added current, and records it in the cases that it concerns.
    ///
    /// # Errors
    ///
    /// [`FeedError`] where panels would refuse it; [`FeedError::Policy`] where the disclosure policy forbids it.
    pub fn broadcast(
        &self,
        now: Timestamp,
        expires: Timestamp,
        keys: &[&SecretKey],
    ) -> Result<Broadcast, FeedError> {
        let _lock = self.feed.lock()?;
        let basis = self.reconciled_basis()?;
        let contents = self.everything(&basis)?;
        let cases = self.hold_cases()?;
        self.publish(basis, &contents, &cases, (now, expires), keys)
    }

    /// What a refresh at `now` would say; writes nothing.
    pub fn plan_refresh(
        &self,
        now: Timestamp,
        expires: Timestamp,
    ) -> Result<(Broadcast, Index), FeedError> {
        let basis = self.basis()?;
        let contents = self.what_was_broadcast(&basis)?;
        self.plan_alone(&basis, &contents, now, expires)
    }

    /// Says once more, with a fresh head, what is current already. What was added since the last
    /// broadcast stays unseen: that is a person's decision, and this is a timer's work.
    pub fn refresh(
        &self,
        now: Timestamp,
        expires: Timestamp,
        keys: &[&SecretKey],
    ) -> Result<Broadcast, FeedError> {
        let _lock = self.feed.lock()?;
        let basis = self.reconciled_basis()?;
        let contents = self.what_was_broadcast(&basis)?;
        self.publish(
            basis,
            &contents,
            &HeldCases::default(),
            (now, expires),
            keys,
        )
    }

    /// Publishes what the desk's record lists, whatever the folder says, above every sequence that was ever
    /// signed. The caller holds the lock.
    pub(crate) fn publish_recovered(
        &self,
        sides: Visibility,
        record: Record,
        now: Timestamp,
        expires: Timestamp,
        keys: &[&SecretKey],
    ) -> Result<Broadcast, FeedError> {
        let was_sealed = record
            .current
            .as_ref()
            .is_some_and(|one| one.sealed.is_some());
        let published = record.current.as_ref().map(|current| current.epoch);
        let panels = match self.feed.sealing() {
            Some(sealing) if was_sealed => Some(sealing.entitled()?),
            _ => None,
        };
        // It was decided once that they are public, and what lies on the desk is all that is sealed.
        let decided = Self::of(self.feed).with_consent(Consent {
            disclose: sides.public.iter().map(|entry| entry.id.clone()).collect(),
            seal_anew: true,
            ..Consent::default()
        });
        // What the folder has may be anything, and panels that follow a newer epoch never take an older one.
        let before = self.feed.broadcast_before().unwrap_or(None);
        let before =
            before.filter(|(vouched, _)| published.is_none_or(|published| *vouched >= published));
        let basis = Basis::new(before, Some(record));
        let contents = Contents {
            sides,
            panels,
            kept: None,
            is_decided: true,
        };
        decided.publish(
            basis,
            &contents,
            &HeldCases::default(),
            (now, expires),
            keys,
        )
    }

    /// Makes these documents current. The caller is alone in the feed, from the first look to the last byte.
    fn publish(
        &self,
        basis: Basis,
        contents: &Contents,
        cases: &HeldCases,
        (now, expires): (Timestamp, Timestamp),
        keys: &[&SecretKey],
    ) -> Result<Broadcast, FeedError> {
        let root = self.feed.root()?;
        holds(&root, Role::Feed, keys)?;
        let (plan, index) = self.plan(&basis, contents, now, expires)?;
        let transitions = self.transitions(cases, &plan.news, now)?;
        let index = sign(self.seal(index, contents)?, keys)?;
        let head = sign(head(&root, &plan, &index.bytes, now), keys)?;
        self.refuse_what_panels_refuse(&basis, &head, &index, now)?;
        let publication = Publication {
            head: &head,
            index: &index,
            private: &contents.sides.private,
            transitions,
        };
        self.make_current(basis.record, publication, cases)?;
        Ok(plan)
    }

    /// Makes a head and its index current that were signed elsewhere, if they are what comes next: with
    /// everything that they name, and after nothing else was broadcast meanwhile.
    pub fn broadcast_signed(
        &self,
        head: &Signed<Head>,
        index: &Signed<Index>,
        now: Timestamp,
    ) -> Result<(), FeedError> {
        let _lock = self.feed.lock()?;
        let basis = self.reconciled_basis()?;
        let root = self.feed.root()?;
        // Whoever collects one signature more than was needed has nothing to do.
        let there = [
            self.feed.bytes(&FeedPath::head())?,
            self.feed.bytes(&FeedPath::index(index.document.sequence))?,
        ];
        if there.each_ref().map(Option::as_deref) == [Some(&*head.bytes), Some(&*index.bytes)] {
            return Ok(());
        }
        let next = next_sequence(&root, &basis)?;
        let asked = head.document.sequence;
        // The same bytes may go on where a command was killed with them.
        let interrupted = basis.record.as_ref();
        let goes_on = interrupted.is_some_and(|record| record.was_interrupted(asked, &head.bytes));
        if (asked != next && !goes_on) || index.document.sequence != asked {
            return Err(FeedError::Overtaken { asked, next });
        }
        let index_before = basis.index();
        self.refuse_secret_since(&index.document, index_before)?;
        self.refuse_other_seals(&index.document, basis.was_sealed())?;
        let news = self.news_of(index_before, &index.document)?;
        self.refuse_gaps(&index.document, &[], &[], &news)?;
        let cases = self.hold_cases()?;
        let transitions = self.transitions(&cases, &news, now)?;
        self.refuse_what_panels_refuse(&basis, head, index, now)?;
        let private = match (&index.document.sealed, self.feed.sealing()) {
            (Some(sealed), Some(sealing)) => sealing.documents(sealed)?,
            _ => Vec::new(),
        };
        let publication = Publication {
            head,
            index,
            private: &private,
            transitions,
        };
        self.make_current(basis.record, publication, &cases)
    }

    /// Refuses an index whose private side is not what was sealed here for it.
    fn refuse_other_seals(&self, index: &Index, was_sealed: bool) -> Result<(), FeedError> {
        let Some(sealed) = &index.sealed else {
            if was_sealed {
                return Err(FeedError::SealedGone);
            }
            return Ok(());
        };
        match self.feed.sealing() {
            None => Err(FeedError::SealedElsewhere(self.feed.folder().to_owned())),
            Some(sealing) if sealing.waits_for_others(sealed)? => Err(FeedError::OtherReaders),
            Some(sealing) if sealing.has(sealed)? => Ok(()),
            Some(_) => Err(FeedError::SealedGone),
        }
    }

    /// The head that would make a planned index current; its bytes are those that are to be signed.
    pub fn planned_head(
        &self,
        plan: &Broadcast,
        index: &Index,
        now: Timestamp,
    ) -> Result<Head, FeedError> {
        Ok(head(&*self.feed.root()?, plan, &encode(index), now))
    }
}

/// The head of an index with these bytes.
fn head(root: &Root, plan: &Broadcast, index: &[u8], now: Timestamp) -> Head {
    Head {
        audience: root.audience.clone(),
        sequence: plan.sequence,
        issued: now,
        expires: plan.expires,
        index: Digest::of(index),
        index_length: index.len() as u64,
        root_version: root.version,
    }
}
