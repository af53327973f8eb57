//! Decisions about exposures, as pages and commands make them.

use jiff::Timestamp;

use super::{Rooms, Shim, ShimError};
use crate::{
    decisions::{self, Decision, Kind, Wish},
    store::StoreError,
};

impl Shim {
    /// Marks a workaround as in place, or accepts a risk.
    pub async fn decide(&self, wish: &Wish) -> Result<Decision, ShimError> {
        let inventory = self.rooms.inventory().await;
        let longest = self.config().decisions.longest_acceptance_days;
        let (store, now) = (self.rooms.store(), self.rooms.now().await);
        Ok(decisions::make(store, &inventory, wish, longest, now).await?)
    }

    /// Takes a decision of this kind back.
    pub async fn take_back(
        &self,
        number: u64,
        kind: Kind,
        by: &str,
    ) -> Result<Decision, ShimError> {
        let (store, now) = (self.rooms.store(), self.rooms.now().await);
        Ok(decisions::lift(store, number, kind, by, now).await?)
    }

    /// The newest decision about each matter, but for those that were taken back.
    pub async fn decisions(&self) -> Result<Vec<Decision>, ShimError> {
        Ok(self.rooms.decisions().await?)
    }

    /// Every decision that was made here, newest first, at most `limit` of them.
    pub async fn all_decisions(&self, limit: u32) -> Result<Vec<Decision>, ShimError> {
        let now = self.rooms.now().await;
        Ok(decisions::all(self.rooms.store(), limit, now).await?)
    }
}

impl Rooms {
    pub(super) async fn decisions(&self) -> Result<Vec<Decision>, StoreError> {
        decisions::current(self.store(), self.now().await).await
    }

    /// Ends the decisions that have come to their end by themselves.
    pub(super) async fn settle_decisions(&self) -> Result<(), StoreError> {
        decisions::settle(self.store(), self.now().await).await
    }

    /// Now, or the latest time by which anything was decided here: a clock that runs backwards makes
    /// no decision last longer.
    async fn now(&self) -> Timestamp {
        let now = Timestamp::now();
        match self.store().trusted().await {
            Ok(trusted) => now.max(trusted.latest_time),
            Err(_) => now,
        }
    }
}
