//! Automatic application: the policy, what it would do, and when it is due.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use spacecp_contract::DocumentId;

use super::{
    AutomationError, Clock, Decided, Fate, Line, Occasion, Quarantine, Run, Wake,
    policy_context::PolicyContext,
    run_entries::{asked, held, line, refused_line},
};
use crate::{
    ServiceError,
    audit::{self, Event, What},
    correction_id,
    plugin::bindings::exports::spacecp::advisories::automation::{Action, Decision},
    plugin_runtime::{PluginRuntime, bounded_text},
    policy::{Asked, Ceiling, InForce, Policy, Refusal},
    state::State,
};

/// Lines that one run looks at and writes down at most.
pub(crate) const MOST_LINES: usize = 500;

/// What a run would do and hold back.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Preview {
    /// What it would do, in order, and then what it would hold back.
    pub lines: Vec<Line>,
    /// Whether anything in it is about an advisory under embargo.
    pub embargo: bool,
}

/// Policy, automatic runs, quarantine, scheduled corrections.
#[derive(Debug, Clone)]
pub struct Automation {
    pub(super) state: Arc<State>,
    pub(super) plugin: PluginRuntime,
}

impl Automation {
    pub(crate) fn new(state: Arc<State>, plugin: PluginRuntime) -> Self {
        Self { state, plugin }
    }

    /// What the plugin would apply by itself now, before the shim has held it against its ceilings.
    pub async fn plan(&self) -> Result<Vec<Action>, ServiceError> {
        self.plugin.automation_plan(Timestamp::now()).await
    }

    /// The most that a policy may allow, as configured.
    pub fn ceiling(&self) -> &Ceiling {
        &self.state.config().policy
    }

    /// The names of the components that can be excluded, as configured.
    pub fn components(&self) -> impl Iterator<Item = &str> {
        let components = self.state.config().components.iter();
        components.map(|component| component.name.as_str())
    }

    /// The policy that an administrator has decided, or the one that the configuration begins with.
    pub async fn policy(&self) -> Result<(Policy, Option<Decided>), ServiceError> {
        let decided = self.state.ledger().decided().await?;
        let policy = match &decided {
            Some(decided) => decided.policy.clone(),
            None => self.state.config().policy.initial(),
        };
        Ok((policy, decided))
    }

    /// The rules in force: policy and ceiling together.
    pub async fn rules(&self) -> Result<InForce, ServiceError> {
        Ok(self.state.rules(None).await?)
    }

    /// Puts a policy in force, unless it goes beyond what the configuration allows.
    pub async fn set_policy(
        &self,
        policy: &Policy,
        by: &str,
        now: Timestamp,
    ) -> Result<(), ServiceError> {
        self.may_be_decided(policy)?;
        let words = if policy.automatic {
            "automatic application is on"
        } else {
            "automatic application is off"
        };
        self.record_policy(words, None, by, now).await?;
        self.state.ledger().decide(policy, by, now).await?;
        tracing::info!(by, automatic = policy.automatic, "policy changed");
        Ok(())
    }

    /// First, so that nothing is ever in force unrecorded.
    async fn record_policy(
        &self,
        words: &str,
        correction: Option<DocumentId>,
        by: &str,
        now: Timestamp,
    ) -> Result<(), ServiceError> {
        let event = Event {
            correction,
            reason: Some(words.to_owned()),
            ..Event::new(What::PolicyChanged, by)
        };
        audit::record(self.state.store(), &event, now).await?;
        Ok(())
    }

    /// Whether a policy could be put in force.
    pub fn may_be_decided(&self, policy: &Policy) -> Result<(), ServiceError> {
        if let Some(fault) = policy.fault() {
            return Err(AutomationError::from(fault).into());
        }
        let beyond = self.state.config().policy.exceeded(policy);
        if beyond.is_empty() {
            return Ok(());
        }
        Err(AutomationError::Exceeds(beyond).into())
    }

    /// Switches automatic application on or off, and leaves the rest of the policy as it is.
    pub async fn switch(&self, on: bool, by: &str, now: Timestamp) -> Result<(), ServiceError> {
        let (policy, _) = self.policy().await?;
        let wanted = Policy {
            automatic: on,
            ..policy
        };
        // Off is always allowed, whatever has become of the configuration since.
        if !on {
            let words = "automatic application disabled";
            self.record_policy(words, None, by, now).await?;
            self.state.ledger().decide(&wanted, by, now).await?;
            tracing::warn!(by, "automatic application disabled");
            return Ok(());
        }
        self.set_policy(&wanted, by, now).await
    }

    /// What is in quarantine.
    pub async fn quarantined(&self) -> Result<Vec<Quarantine>, ServiceError> {
        self.state.quarantined().await
    }

    /// Releases a correction from quarantine, for every component that it was kept from. Says for
    /// which.
    pub async fn release(
        &self,
        correction: &str,
        by: &str,
        now: Timestamp,
    ) -> Result<Vec<String>, ServiceError> {
        let kept = self.quarantined().await?;
        let meant: Vec<&Quarantine> = kept
            .iter()
            .filter(|kept| kept.correction == correction)
            .collect();
        if meant.is_empty() {
            return Err(AutomationError::NotQuarantined {
                correction: bounded_text(correction),
            }
            .into());
        }
        let words = "released from quarantine";
        let id = correction.parse().ok();
        self.record_policy(words, id, by, now).await?;
        self.state.ledger().release(&meant, by, now).await?;
        tracing::info!(by, correction, "correction released from quarantine");
        Ok(meant.iter().map(|kept| kept.component.clone()).collect())
    }

    /// What a run at `now` would do and hold back, under the policy in force or another one. Changes
    /// nothing and asks nobody on the network.
    pub async fn preview(
        &self,
        trying: Option<&Policy>,
        now: Timestamp,
    ) -> Result<Preview, ServiceError> {
        let rules = self.state.rules(trying).await?;
        let known = self.state.policy_context(now).await?;
        let actions = match trying {
            None => self.plugin.automation_plan(now).await?,
            Some(policy) => self.plugin.plan_under(policy, now).await?,
        };
        let mut lines = Vec::new();
        for action in actions.iter().take(MOST_LINES) {
            let refused = match action.decision {
                Decision::Hold => None,
                Decision::Apply => self.refuse(&asked(action), &rules, &known).await?,
            };
            lines.push(match (action.decision, refused) {
                (Decision::Hold, _) => held(action),
                (Decision::Apply, None) => line(action, Fate::Due),
                (Decision::Apply, Some(refusal)) => refused_line(action, &refusal),
            });
        }
        Ok(Preview {
            embargo: known.is_under_embargo(&lines),
            lines,
        })
    }

    /// Runs if it is time for that; otherwise says when it will be. A panel that closes begins no run:
    /// what is due stays due until the panel is back.
    pub async fn run_if_due(&self, clock: &dyn Clock) -> Result<(Wake, Option<Run>), ServiceError> {
        let (wake, _) = self.wake(clock.now()).await?;
        let Wake::Now { late_since } = wake else {
            return Ok((wake, None));
        };
        if self.is_closing() {
            return Ok((wake, None));
        }
        let run = self.run(Occasion::Due, late_since, clock).await?;
        Ok((wake, Some(run)))
    }

    /// What the scheduler has to do at `now`. What it promises is durable.
    pub async fn wake(&self, now: Timestamp) -> Result<(Wake, InForce), ServiceError> {
        let rules = self.rules().await?;
        let interval = i64::try_from(self.state.config().feed.interval).unwrap_or(i64::MAX);
        let ledger = self.state.ledger();
        let before = ledger.agenda().await?;
        let (wake, agenda) = before.look(&rules, SignedDuration::from_secs(interval), now);
        if agenda != before {
            ledger.promise(&agenda).await?;
        }
        Ok((wake, rules))
    }

    /// Has automatic application begin nothing more: the panel closes.
    pub fn close(&self) {
        self.state.closing().send_replace(true);
    }

    /// Whether it is to begin nothing more.
    pub fn is_closing(&self) -> bool {
        *self.state.closing().borrow()
    }

    /// Waits until it is to begin nothing more.
    pub async fn closed(&self) {
        let mut closing = self.state.closing().subscribe();
        // The sender lives as long as this panel, so there is always an end to wait for.
        let _ = closing.wait_for(|closing| *closing).await;
    }

    /// Holds an action against the ceilings, and against what preflight finds.
    pub(crate) async fn refuse(
        &self,
        wanted: &Asked,
        rules: &InForce,
        known: &PolicyContext,
    ) -> Result<Option<Refusal>, ServiceError> {
        if let Err(refusal) = known.check(wanted, rules) {
            return Ok(Some(refusal));
        }
        let preflight = |found: String| Refusal::Preflight {
            correction: wanted.correction.clone(),
            component: wanted.component.clone(),
            found,
        };
        let plan = match self
            .state
            .plan(&correction_id(&wanted.correction)?, &wanted.component)
            .await
        {
            Err(ServiceError::Apply(error)) => return Ok(Some(preflight(error.to_string()))),
            plan => plan?,
        };
        let found = plan.obstacles().chain(plan.warnings());
        let found: Vec<&str> = found.map(|finding| finding.found.as_str()).collect();
        Ok((!found.is_empty()).then(|| preflight(found.join("; "))))
    }
}
