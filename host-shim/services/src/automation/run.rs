//! A run of automatic application.
//!
//! It asks for the vendor's newest word first, without waiting for it for long, has the plugin plan, holds
//! each action against the shim's own ceilings, applies one, and plans again, until nothing is left that may
//! be applied now. What fails is put back by the applier and goes into quarantine. At most one run is under
//! way on this panel.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::{
    Automation, Clock, Fate, Line, Occasion, Quarantine, Run, UnderWay, one_run,
    run_entries::{asked, held, line, names, refused_line},
    service::MOST_LINES,
};
use crate::{
    JointRequest, ServiceError,
    apply::{ApplyError, Outcome},
    correction_id,
    feed::BoundedSync,
    plugin::bindings::exports::spacecp::advisories::automation::{Action, Decision},
    policy::Asked,
};

/// Who applies, in the journal.
pub const AUTOMATIC: &str = "automatic application";

/// Corrections that one run applies or tries at most; the next run goes on.
const MOST_TURNS: usize = 100;

impl Automation {
    /// One run, now. Refused while another is under way. A sync that is not over when the run begins to
    /// apply goes on by itself.
    pub async fn run(
        &self,
        occasion: Occasion,
        late_since: Option<Timestamp>,
        clock: &dyn Clock,
    ) -> Result<Run, ServiceError> {
        self.one_run(occasion, late_since, clock, true).await
    }

    /// One run for a command, which ends with it: where the sync goes on beyond it, another run follows with
    /// what that brings. Nothing is locked meanwhile.
    pub async fn run_to_the_end(&self, clock: &dyn Clock) -> Result<Run, ServiceError> {
        let first = self.run(Occasion::Asked, None, clock).await?;
        let Err(_) = self.state.syncing().try_lock_owned() else {
            return Ok(first);
        };
        drop(self.state.syncing().lock_owned().await);
        let second = self.one_run(Occasion::Asked, None, clock, false).await?;
        let done = first
            .lines
            .into_iter()
            .filter(|line| line.fate != Fate::Held);
        Ok(Run {
            lines: done.chain(second.lines).collect(),
            ..second
        })
    }

    #[tracing::instrument(name = "automate", skip_all, fields(?occasion))]
    async fn one_run(
        &self,
        occasion: Occasion,
        late_since: Option<Timestamp>,
        clock: &dyn Clock,
        asks: bool,
    ) -> Result<Run, ServiceError> {
        let _one = one_run(&self.state.config().state)?;
        let ledger = self.state.ledger();
        self.reconcile_interrupted().await?;
        if let Some(missed) = late_since {
            tracing::warn!(%missed, "missed maintenance window; running now");
        }
        let number = ledger.begin_run(occasion, late_since, clock.now()).await?;
        let mut turns = Turns {
            run: number,
            place: 0,
            had: BTreeSet::new(),
        };
        // Without fresh words nothing new is decided; the rules see to that.
        let heard = if asks {
            BoundedSync::in_time(&self.state, clock.now()).await
        } else {
            BoundedSync::last(&self.state).await
        };
        let worked = match self.take_turns(&mut turns, clock).await {
            Ok(left) => self.write_down_held(&mut turns, &left, clock.now()).await,
            Err(error) => Err(error),
        };
        let problem = match &worked {
            Err(error) => Some(error.to_string()),
            Ok(()) => heard.problem(),
        };
        ledger
            .end_run(number, problem.as_deref(), clock.now())
            .await?;
        worked?;
        let newest = ledger.runs(1).await?.into_iter().next();
        newest.ok_or_else(|| ServiceError::NotFound {
            what: "run",
            name: number.to_string(),
        })
    }

    /// Applies what may be applied now, one after the other. Gives the last plan, of which nothing is left
    /// to apply.
    async fn take_turns(
        &self,
        turns: &mut Turns,
        clock: &dyn Clock,
    ) -> Result<Vec<Action>, ServiceError> {
        for _ in 0..MOST_TURNS {
            if self.is_closing() {
                return Ok(Vec::new());
            }
            let now = clock.now();
            let actions = self.plugin.automation_plan(now).await?;
            let next = actions.iter().take(MOST_LINES).find(|action| {
                action.decision == Decision::Apply && !turns.had.contains(&names(action))
            });
            let Some(action) = next else {
                return Ok(actions);
            };
            turns.had.insert(names(action));
            self.take_turn(turns, action, now).await?;
        }
        tracing::warn!("run reached its limit; continuing in the next run");
        Ok(Vec::new())
    }

    /// What the last plan of a run holds back.
    async fn write_down_held(
        &self,
        turns: &mut Turns,
        actions: &[Action],
        now: Timestamp,
    ) -> Result<(), ServiceError> {
        let mut seen = BTreeSet::new();
        for action in actions.iter().take(MOST_LINES) {
            if action.decision == Decision::Hold
                && !turns.had.contains(&names(action))
                && seen.insert(names(action))
            {
                turns.write(self, &held(action), now).await?;
            }
        }
        Ok(())
    }

    /// One action: refused, or applied, or failed. Only what stands in the way of all of them is an
    /// error.
    async fn take_turn(
        &self,
        turns: &mut Turns,
        action: &Action,
        now: Timestamp,
    ) -> Result<(), ServiceError> {
        let rules = self.state.rules(None).await?;
        let known = self.state.policy_context(now).await?;
        let wanted = asked(action);
        if let Some(refusal) = self.refuse(&wanted, &rules, &known).await? {
            tracing::warn!(
                correction = wanted.correction,
                refusal = refusal.word(),
                "plugin action rejected"
            );
            return turns
                .write(self, &refused_line(action, &refusal), now)
                .await;
        }
        let place = turns.place;
        let mut line = line(action, Fate::UnderWay);
        turns.write(self, &line, now).await?;
        self.carry_out(&wanted, &mut line, now).await?;
        let ledger = self.state.ledger();
        Ok(ledger.put_line(turns.run, place, &line, now).await?)
    }

    /// Applies what was checked, exactly that, and says in the line what became of it.
    async fn carry_out(
        &self,
        wanted: &Asked,
        line: &mut Line,
        now: Timestamp,
    ) -> Result<(), ServiceError> {
        let correction = correction_id(&wanted.correction)?;
        let applied = match self.state.plan(&correction, &wanted.component).await {
            Err(error) => Err(error),
            // The revision that was checked; another one drifts from this plan and is refused.
            Ok(plan) if plan.revision == wanted.revision => {
                let request = JointRequest {
                    parts: vec![(correction, wanted.component.clone())],
                    plan: Some(plan.digest),
                    overwrite: false,
                    by: AUTOMATIC.to_owned(),
                };
                self.state
                    .apply(request, &())
                    .await
                    .map(|mut applied| applied.remove(0))
            }
            Ok(plan) => Err(ApplyError::NotApplicable {
                correction: plan.correction.to_string(),
                component: plan.component,
                reason: format!("superseded by revision {}", plan.revision),
            }
            .into()),
        };
        match applied {
            Ok(application) => {
                line.fate = Fate::Applied;
                line.application = Some(application.id);
                Ok(())
            }
            Err(error) => {
                line.fate = Fate::Failed;
                line.reason = error.to_string();
                // What it is about may be under embargo: why, the panel says to whoever may know.
                tracing::error!(correction = wanted.correction, "correction not applied");
                if blames_the_correction(&error) || self.was_stopped_for(wanted).await? {
                    self.quarantine(wanted, &line.reason, now).await?;
                }
                Ok(())
            }
        }
    }

    /// Whether the component was stopped for the application that failed last: to stop it again and again
    /// for the same end would be worse than to wait for somebody who looks, whoever is to blame.
    async fn was_stopped_for(&self, wanted: &Asked) -> Result<bool, ServiceError> {
        let stopped = self.state.applier().stopped_last(&wanted.component).await?;
        Ok(stopped.is_some_and(|application| {
            application.correction.as_str() == wanted.correction
                && application.revision == wanted.revision
                && application.outcome != Outcome::Applied
        }))
    }

    async fn quarantine(
        &self,
        wanted: &Asked,
        reason: &str,
        now: Timestamp,
    ) -> Result<(), ServiceError> {
        let quarantine = Quarantine {
            correction: wanted.correction.clone(),
            revision: wanted.revision,
            component: wanted.component.clone(),
            since: now,
            reason: reason.to_owned(),
        };
        tracing::error!(
            correction = quarantine.correction,
            revision = quarantine.revision,
            "correction quarantined"
        );
        Ok(self.state.ledger().quarantine(&quarantine).await?)
    }

    /// Gives every line that was cut off its end, from what the journal says.
    async fn reconcile_interrupted(&self) -> Result<(), ServiceError> {
        for UnderWay {
            run,
            place,
            began,
            mut line,
        } in self.state.ledger().cut_off().await?
        {
            let history = self.state.applier().history(1_000).await?;
            let became = history.into_iter().find(|application| {
                application.correction.as_str() == line.correction
                    && application.revision == line.revision
                    && application.component == line.component
                    && application.by == AUTOMATIC
            });
            line.application = became.as_ref().map(|application| application.id.clone());
            match became.map(|application| application.outcome) {
                Some(Outcome::Applied | Outcome::RolledBack) => line.fate = Fate::Applied,
                None => {
                    line.fate = Fate::Failed;
                    "interrupted before it started".clone_into(&mut line.reason);
                }
                // Another process is at it, or has still to put it right: the next run will know.
                Some(Outcome::InProgress) => continue,
                // Whether the power went or the correction took the panel down with it, nobody has
                // seen: an administrator should look.
                Some(Outcome::Failed) => {
                    line.fate = Fate::Failed;
                    "interrupted; the component is unchanged".clone_into(&mut line.reason);
                    let wanted = Asked {
                        correction: line.correction.clone(),
                        revision: line.revision,
                        component: line.component.clone(),
                    };
                    self.quarantine(&wanted, &line.reason, began).await?;
                }
            }
            self.state
                .ledger()
                .put_line(run, place, &line, began)
                .await?;
        }
        Ok(())
    }
}

/// The turns of one run.
struct Turns {
    run: i64,
    place: i64,
    had: BTreeSet<(String, u64, String)>,
}

impl Turns {
    async fn write(
        &mut self,
        automation: &Automation,
        line: &Line,
        now: Timestamp,
    ) -> Result<(), ServiceError> {
        let place = self.place;
        self.place += 1;
        let ledger = automation.state.ledger();
        Ok(ledger.put_line(self.run, place, line, now).await?)
    }
}

/// Whether a failure says something about the correction, so that trying it again would do no good.
///
/// What was refused before anything began is not a failure of it; neither is a disk that is full, a file
/// that the component wrote at the wrong moment, or a payload that did not come: neither a mirror that
/// sends rubbish nor a component that has been taken over may keep a correction from a panel.
fn blames_the_correction(error: &ServiceError) -> bool {
    match error {
        ServiceError::Apply(error) => matches!(
            error,
            ApplyError::Contents { .. }
                | ApplyError::Unhealthy { .. }
                | ApplyError::Unwell { .. }
                | ApplyError::Undone { .. }
                | ApplyError::NotRunning { .. }
        ),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn blamed(error: ApplyError) -> bool {
        blames_the_correction(&ServiceError::Apply(error))
    }

    #[test]
    fn a_correction_is_blamed_for_what_it_is_and_not_for_the_machine() {
        let component = || "daemon".to_owned();
        let unwell = || ApplyError::Unhealthy {
            component: component(),
            expected: "2".to_owned(),
            found: "1".to_owned(),
        };
        assert!(blamed(unwell()));
        assert!(blamed(ApplyError::NotRunning {
            cause: Box::new(unwell()),
            trouble: "it does not start".to_owned(),
        }));
        assert!(blamed(ApplyError::Contents {
            path: "a.js".to_owned(),
            reason: "other contents".to_owned(),
        }));
        for not_its_fault in [
            ApplyError::File {
                doing: "write",
                path: "/srv/daemon".into(),
                source: std::io::ErrorKind::StorageFull.into(),
            },
            ApplyError::Unverified {
                path: "log".to_owned(),
                reason: "changed while it was copied".to_owned(),
            },
            ApplyError::Stranger {
                folder: "/srv/daemon".into(),
                workspace: "/srv/.spacecp-advisories/1".into(),
            },
            ApplyError::Watchdog {
                component: component(),
                reason: "it is not configured".to_owned(),
            },
            ApplyError::CommandGoesOn {
                component: component(),
            },
        ] {
            let words = not_its_fault.to_string();
            assert!(!blamed(not_its_fault), "{words}");
        }
    }
}
