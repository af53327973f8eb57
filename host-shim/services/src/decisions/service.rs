//! Decisions about exposures, as pages and commands make them.

use std::sync::Arc;

use jiff::Timestamp;

use crate::{
    ServiceError,
    decisions::{self, Decision, Kind, Wish},
    state::State,
    store::StoreError,
};

/// Workarounds in place and accepted risks.
#[derive(Debug, Clone)]
pub struct Decisions {
    pub(super) state: Arc<State>,
}

impl Decisions {
    pub(crate) fn new(state: Arc<State>) -> Self {
        Self { state }
    }

    /// Marks a workaround as in place, or accepts a risk.
    pub async fn decide(&self, wish: &Wish) -> Result<Decision, ServiceError> {
        let inventory = self.state.inventory().await;
        let longest = self.state.config().decisions.longest_acceptance_days;
        let (store, now) = (self.state.store(), self.state.now().await);
        Ok(decisions::make(store, &inventory, wish, longest, now).await?)
    }

    /// Takes a decision of this kind back.
    pub async fn withdraw(
        &self,
        number: u64,
        kind: Kind,
        by: &str,
    ) -> Result<Decision, ServiceError> {
        let (store, now) = (self.state.store(), self.state.now().await);
        Ok(decisions::lift(store, number, kind, by, now).await?)
    }

    /// The newest decision about each matter, but for those that were taken back.
    pub async fn current(&self) -> Result<Vec<Decision>, ServiceError> {
        Ok(self.state.decisions().await?)
    }

    /// Every decision that was made here, newest first, at most `limit` of them.
    pub async fn all(&self, limit: u32) -> Result<Vec<Decision>, ServiceError> {
        let now = self.state.now().await;
        Ok(decisions::all(self.state.store(), limit, now).await?)
    }
}

impl State {
    pub(crate) async fn decisions(&self) -> Result<Vec<Decision>, StoreError> {
        decisions::current(self.store(), self.now().await).await
    }

    /// Ends the decisions that have come to their end by themselves.
    pub(crate) async fn end_expired_decisions(&self) -> Result<(), StoreError> {
        decisions::settle(self.store(), self.now().await).await
    }

    /// Now, or the latest time by which anything was decided here: a clock that runs backwards makes
    /// no decision last longer.
    pub(crate) async fn now(&self) -> Timestamp {
        let now = Timestamp::now();
        match self.store().trusted().await {
            Ok(trusted) => now.max(trusted.latest_time),
            Err(_) => now,
        }
    }
}
