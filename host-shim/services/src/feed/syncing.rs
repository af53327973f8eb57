//! Asks the feed for news, and lets go of what rests on documents that it no longer lists.
//!
//! The feed removes nothing but in a recovery from stolen keys. The documents themselves go with the index that
//! no longer lists them, in one transaction of the store; here goes what was derived from them. May not: decide
//! what is listed.

use jiff::Timestamp;
use spacecp_contract::DocumentKind;

use crate::{
    ServiceError,
    automation::{Appointment, Kept},
    state::State,
    store::StoreError,
    sync::{Mirror, SyncReport},
};

/// What says whether documents were removed: the stream of documents, and whether any index is trusted.
type Stream = (u64, bool);

impl State {
    /// Asks the feed for news, or the bundle that is given.
    pub(crate) async fn sync(
        &self,
        bundle: Option<&Mirror>,
        now: Timestamp,
    ) -> Result<SyncReport, ServiceError> {
        // What cannot be read is put right by the sync.
        let before = self.stream().await.ok();
        let follower = self.follower()?;
        let synced = match bundle {
            Some(bundle) => follower.sync_from(std::slice::from_ref(bundle), now).await,
            None => follower.sync(now).await,
        };
        // A sync that failed may have brought a root that starts afresh.
        if let Err(error) = self.forget_unlisted(before, now).await {
            tracing::warn!(%error, "cannot remove state derived from removed documents");
        }
        let report = synced?;
        // What was decided about an advisory that says something else now is over.
        self.end_expired_decisions().await?;
        Ok(report)
    }

    async fn stream(&self) -> Result<Stream, StoreError> {
        let epoch = self.store().end_of_documents().await?.cursor.epoch;
        Ok((epoch, self.store().trusted().await?.index.is_some()))
    }

    async fn forget_unlisted(
        &self,
        before: Option<Stream>,
        now: Timestamp,
    ) -> Result<(), ServiceError> {
        let after = self.stream().await?;
        if before != Some(after) {
            *self.index().lock().await = None;
            self.index_cache().forget();
            self.report_cache().forget();
        }
        let (_, has_index) = after;
        if !has_index {
            // Nothing is known at present, which is not to say that something is gone.
            return Ok(());
        }
        self.cancel_unlisted(now).await?;
        if before != Some(after) {
            self.clear_payloads().await?;
        }
        Ok(())
    }

    /// Cancels scheduled corrections that the feed no longer lists.
    async fn cancel_unlisted(&self, now: Timestamp) -> Result<(), ServiceError> {
        let scheduled = self.ledger().waiting().await?;
        if scheduled.is_empty() {
            return Ok(());
        }
        let trusted = self.store().trusted().await?;
        let is_listed = |scheduled: &Appointment| {
            let mut listed = trusted.listed();
            listed.any(|(kind, id)| {
                kind == DocumentKind::Correction && id.as_str() == scheduled.correction
            })
        };
        for gone in scheduled.iter().filter(|one| !is_listed(one)) {
            tracing::warn!(
                appointment = gone.number,
                "scheduled correction cancelled: the feed no longer lists it"
            );
            let words = "the feed no longer lists the correction";
            let (number, state) = (gone.number, Kept::Withdrawn);
            let settled = self.ledger();
            settled
                .settle_appointment(number, state, Some(words), None, now)
                .await?;
        }
        Ok(())
    }
}
