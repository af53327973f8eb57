//! The policy in force, when it acts next, and what it did: the facts, for pages and scripts.

use jiff::Timestamp;
use serde::Serialize;

use super::{Agenda, Automation, Quarantine, Run, Wake};
use crate::{
    ServiceError,
    policy::{InForce, Opening, Policy, Windows},
};

/// Runs that are shown.
const RUNS: u32 = 20;

/// Openings of windows that are named ahead.
const OPENINGS: usize = 3;

/// Everything that can be said about automatic application.
#[derive(Debug, Clone, Serialize)]
pub struct PolicyReport {
    /// The rules in force: policy and configuration together.
    pub policy: Policy,
    /// The windows that the configuration allows; none for any time.
    pub configured_windows: Windows,
    /// Who decided the policy; none where it is the one of the configuration.
    pub decided_by: Option<String>,
    /// When they did.
    pub decided: Option<Timestamp>,
    /// Seconds that this host waits beyond the first ones of its wave.
    pub wave_seconds: i64,
    /// Whether something may begin now, as far as windows say.
    pub open: bool,
    /// The openings of windows from now on; none where it is always open.
    pub openings: Vec<Opening>,
    /// What the scheduler of "serve" will do.
    pub wake: Wake,
    /// What it remembers.
    pub agenda: Agenda,
    /// What is not applied by itself any more.
    pub quarantined: Vec<Quarantine>,
    /// The newest runs, newest first.
    pub runs: Vec<Run>,
}

impl Automation {
    /// The policy in force, when it acts next and what it did. Needs no plugin.
    pub async fn report(&self, now: Timestamp) -> Result<PolicyReport, ServiceError> {
        let (_, decided) = self.policy().await?;
        let (wake, rules) = self.wake(now).await?;
        let InForce {
            policy,
            hours,
            wave,
        } = rules;
        let ledger = self.state.ledger();
        Ok(PolicyReport {
            policy,
            configured_windows: self.state.config().policy.windows.clone(),
            decided_by: decided.as_ref().map(|decided| decided.by.clone()),
            decided: decided.map(|decided| decided.at),
            wave_seconds: wave.as_secs(),
            open: hours.is_open(now),
            openings: hours.openings(now, OPENINGS),
            wake,
            agenda: ledger.agenda().await?,
            quarantined: self.quarantined().await?,
            runs: ledger.runs(RUNS).await?,
        })
    }
}
