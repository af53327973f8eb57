//! Automatic application: brings policy, plugin, feed and applier together.
//!
//! One run: hear the vendor first, have the plugin plan, hold each action against the shim's own
//! ceilings, apply one, and plan again, until nothing is left that may be applied now. What fails is
//! put back by the applier and goes into quarantine. At most one run is under way on this panel.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use spacecp_contract::DocumentId;

use super::{ApplyRequest, Shim, ShimError, ceilings::Known};
use crate::{
    apply::{ApplyError, Outcome},
    automation::{
        AutomationError, Clock, Decided, Fate, Line, Occasion, OneAtATime, Quarantine, Run,
        UnderWay, Wake,
    },
    plugin::bindings::exports::spacecp::advisories::automation::{Action, Decision},
    policy::{Asked, InForce, Policy, Refusal},
};

/// Who applies, in the journal.
pub const AUTOMATIC: &str = "automatic application";

/// Corrections that one run applies or tries at most; the next run goes on.
const MOST_TURNS: usize = 100;

/// Lines that one run writes down at most.
const MOST_LINES: usize = 500;

/// What a run would do and hold back.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Foreseen {
    /// What it would do, in order, and then what it would hold back.
    pub lines: Vec<Line>,
    /// Whether anything in it is about an advisory under embargo.
    pub embargo: bool,
}

/// Characters of a text of the plugin's that are kept.
const LONGEST_TEXT: usize = 500;

impl Shim {
    /// The policy that an administrator has decided, or the one that the configuration begins with.
    pub async fn policy(&self) -> Result<(Policy, Option<Decided>), ShimError> {
        let decided = self.rooms.ledger().decided().await?;
        let policy = match &decided {
            Some(decided) => decided.policy.clone(),
            None => self.config().policy.initial(),
        };
        Ok((policy, decided))
    }

    /// The rules in force: policy and ceiling together.
    pub async fn rules(&self) -> Result<InForce, ShimError> {
        Ok(self.rooms.rules(None).await?)
    }

    /// Puts a policy in force, unless it goes beyond what the configuration allows.
    pub async fn decide(&self, policy: &Policy, by: &str, now: Timestamp) -> Result<(), ShimError> {
        self.may_be_decided(policy)?;
        self.rooms.ledger().decide(policy, by, now).await?;
        tracing::info!(by, automatic = policy.automatic, "the policy was changed");
        Ok(())
    }

    /// Whether a policy could be put in force.
    pub fn may_be_decided(&self, policy: &Policy) -> Result<(), ShimError> {
        if let Some(fault) = policy.fault() {
            return Err(AutomationError::from(fault).into());
        }
        let beyond = self.config().policy.exceeded(policy);
        if beyond.is_empty() {
            return Ok(());
        }
        Err(AutomationError::Exceeds(beyond).into())
    }

    /// Switches automatic application on or off, and leaves the rest of the policy as it is.
    pub async fn switch(&self, on: bool, by: &str, now: Timestamp) -> Result<(), ShimError> {
        let (policy, _) = self.policy().await?;
        let wanted = Policy {
            automatic: on,
            ..policy
        };
        // Off is always allowed, whatever has become of the configuration since.
        if !on {
            self.rooms.ledger().decide(&wanted, by, now).await?;
            tracing::warn!(by, "automatic application was switched off");
            return Ok(());
        }
        self.decide(&wanted, by, now).await
    }

    /// What is in quarantine.
    pub async fn quarantined(&self) -> Result<Vec<Quarantine>, ShimError> {
        self.rooms.quarantined().await
    }

    /// Releases a correction from quarantine, for every component that it was kept from. Says for
    /// which.
    pub async fn release(
        &self,
        correction: &str,
        by: &str,
        now: Timestamp,
    ) -> Result<Vec<String>, ShimError> {
        let kept = self.quarantined().await?;
        let meant: Vec<&Quarantine> = kept
            .iter()
            .filter(|kept| kept.correction == correction)
            .collect();
        if meant.is_empty() {
            return Err(AutomationError::NotQuarantined {
                correction: text(correction),
            }
            .into());
        }
        self.rooms.ledger().release(&meant, by, now).await?;
        tracing::info!(by, correction, "a correction was released from quarantine");
        Ok(meant.iter().map(|kept| kept.component.clone()).collect())
    }

    /// What a run at `now` would do and hold back, under the policy in force or another one. Changes
    /// nothing and asks nobody on the network.
    pub async fn foresee(
        &self,
        trying: Option<&Policy>,
        now: Timestamp,
    ) -> Result<Foreseen, ShimError> {
        let rules = self.rooms.rules(trying).await?;
        let known = self.known(now).await?;
        let actions = match trying {
            None => self.plugin()?.automation_plan(now.as_second()).await?,
            Some(policy) => self.plan_under(policy, now).await?,
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
        Ok(Foreseen {
            embargo: known.is_under_embargo(&lines),
            lines,
        })
    }

    /// Runs if it is time for that; otherwise says when it will be.
    pub async fn automate_if_due(
        &self,
        clock: &dyn Clock,
    ) -> Result<(Wake, Option<Run>), ShimError> {
        let (wake, _) = self.wake(clock.now()).await?;
        let Wake::Now { late_since } = wake else {
            return Ok((wake, None));
        };
        let run = self.automate(Occasion::Due, late_since, clock).await?;
        Ok((wake, Some(run)))
    }

    /// What the scheduler has to do at `now`. What it promises is durable.
    pub async fn wake(&self, now: Timestamp) -> Result<(Wake, InForce), ShimError> {
        let rules = self.rules().await?;
        let interval = i64::try_from(self.config().feed.interval).unwrap_or(i64::MAX);
        let ledger = self.rooms.ledger();
        let before = ledger.agenda().await?;
        let (wake, agenda) = before.look(&rules, SignedDuration::from_secs(interval), now);
        if agenda != before {
            ledger.promise(&agenda).await?;
        }
        Ok((wake, rules))
    }

    /// One run, now. Refused while another is under way.
    #[tracing::instrument(name = "automate", skip_all, fields(?occasion))]
    pub async fn automate(
        &self,
        occasion: Occasion,
        late_since: Option<Timestamp>,
        clock: &dyn Clock,
    ) -> Result<Run, ShimError> {
        let _one = OneAtATime::take(&self.config().state)?;
        let ledger = self.rooms.ledger();
        self.settle_cut_off().await?;
        if let Some(missed) = late_since {
            tracing::warn!(%missed, "a window was missed; its run comes now");
        }
        let number = ledger.begin_run(occasion, late_since, clock.now()).await?;
        let mut turns = Turns {
            run: number,
            place: 0,
            had: BTreeSet::new(),
        };
        // Without fresh words nothing new is decided; the rules see to that.
        let heard = self.rooms.follower().sync(clock.now()).await;
        let heard = heard
            .err()
            .map(|error| format!("the feed was not followed: {error}"));
        let worked = self.take_turns(&mut turns, clock).await;
        let problem = match &worked {
            Err(error) => Some(error.to_string()),
            Ok(()) => heard,
        };
        ledger
            .end_run(number, problem.as_deref(), clock.now())
            .await?;
        worked?;
        let newest = ledger.runs(1).await?.into_iter().next();
        newest.ok_or_else(|| ShimError::NotFound {
            what: "run",
            name: number.to_string(),
        })
    }

    /// Has automatic application begin nothing more: the panel closes.
    pub fn close_automation(&self) {
        self.rooms.closing().send_replace(true);
    }

    /// Whether it is to begin nothing more.
    pub fn automation_closes(&self) -> bool {
        *self.rooms.closing().borrow()
    }

    /// Waits until it is to begin nothing more.
    pub async fn automation_closed(&self) {
        let mut closing = self.rooms.closing().subscribe();
        // The sender lives as long as this panel, so there is always an end to wait for.
        let _ = closing.wait_for(|closing| *closing).await;
    }

    async fn take_turns(&self, turns: &mut Turns, clock: &dyn Clock) -> Result<(), ShimError> {
        for _ in 0..MOST_TURNS {
            if self.automation_closes() {
                return Ok(());
            }
            let now = clock.now();
            let actions = self.plugin()?.automation_plan(now.as_second()).await?;
            let next = actions.iter().take(MOST_LINES).find(|action| {
                action.decision == Decision::Apply && !turns.had.contains(&names(action))
            });
            let Some(action) = next else {
                return self.write_down_held(turns, &actions, now).await;
            };
            turns.had.insert(names(action));
            self.take_turn(turns, action, now).await?;
        }
        tracing::warn!("a run has come to its limit; the next one goes on");
        Ok(())
    }

    /// What the last plan of a run holds back.
    async fn write_down_held(
        &self,
        turns: &mut Turns,
        actions: &[Action],
        now: Timestamp,
    ) -> Result<(), ShimError> {
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
    ) -> Result<(), ShimError> {
        let rules = self.rooms.rules(None).await?;
        let known = self.known(now).await?;
        let wanted = asked(action);
        if let Some(refusal) = self.refuse(&wanted, &rules, &known).await? {
            tracing::warn!(
                correction = wanted.correction,
                component = wanted.component,
                refusal = refusal.word(),
                "an action of the plugin's was refused"
            );
            return turns
                .write(self, &refused_line(action, &refusal), now)
                .await;
        }
        let place = turns.place;
        let mut line = line(action, Fate::UnderWay);
        turns.write(self, &line, now).await?;
        self.carry_out(&wanted, &mut line, now).await?;
        let ledger = self.rooms.ledger();
        Ok(ledger.put_line(turns.run, place, &line, now).await?)
    }

    /// Applies what was checked, exactly that, and says in the line what became of it.
    async fn carry_out(
        &self,
        wanted: &Asked,
        line: &mut Line,
        now: Timestamp,
    ) -> Result<(), ShimError> {
        let correction = id(&wanted.correction)?;
        let applied = match self.rooms.plan(&correction, &wanted.component).await {
            Err(error) => Err(error),
            // The revision that was checked; another one drifts from this plan and is refused.
            Ok(plan) if plan.revision == wanted.revision => {
                let request = ApplyRequest {
                    correction,
                    component: wanted.component.clone(),
                    plan: Some(plan.digest),
                    overwrite: false,
                    by: AUTOMATIC.to_owned(),
                };
                self.rooms.apply(request, &()).await
            }
            Ok(plan) => Err(ApplyError::NotApplicable {
                correction: plan.correction.to_string(),
                component: plan.component,
                reason: format!("revision {} came meanwhile", plan.revision),
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
                tracing::error!(correction = wanted.correction, component = wanted.component, %error, "a correction was not applied");
                if blames_the_correction(&error) {
                    self.quarantine(wanted, &line.reason, now).await?;
                }
                Ok(())
            }
        }
    }

    async fn quarantine(
        &self,
        wanted: &Asked,
        reason: &str,
        now: Timestamp,
    ) -> Result<(), ShimError> {
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
            component = quarantine.component,
            "it is not applied by itself any more"
        );
        Ok(self.rooms.ledger().quarantine(&quarantine).await?)
    }

    /// Gives every line that was cut off its end, from what the journal says.
    async fn settle_cut_off(&self) -> Result<(), ShimError> {
        for UnderWay {
            run,
            place,
            began,
            mut line,
        } in self.rooms.ledger().cut_off().await?
        {
            let history = self.rooms.applier().history(1_000).await?;
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
                    "it was cut off before it began".clone_into(&mut line.reason);
                }
                // Whether the power went or the correction took the panel down with it, nobody has
                // seen: an administrator should look.
                Some(Outcome::Failed | Outcome::InProgress) => {
                    line.fate = Fate::Failed;
                    "it was cut off, and the component is as it was".clone_into(&mut line.reason);
                    let wanted = Asked {
                        correction: line.correction.clone(),
                        revision: line.revision,
                        component: line.component.clone(),
                    };
                    self.quarantine(&wanted, &line.reason, began).await?;
                }
            }
            self.rooms
                .ledger()
                .put_line(run, place, &line, began)
                .await?;
        }
        Ok(())
    }

    /// Holds an action against the ceilings, and against what preflight finds.
    async fn refuse(
        &self,
        wanted: &Asked,
        rules: &InForce,
        known: &Known,
    ) -> Result<Option<Refusal>, ShimError> {
        if let Err(refusal) = known.check(wanted, rules) {
            return Ok(Some(refusal));
        }
        let preflight = |found: String| Refusal::Preflight {
            correction: wanted.correction.clone(),
            component: wanted.component.clone(),
            found,
        };
        let plan = match self
            .rooms
            .plan(&id(&wanted.correction)?, &wanted.component)
            .await
        {
            Err(ShimError::Apply(error)) => return Ok(Some(preflight(error.to_string()))),
            plan => plan?,
        };
        let found = plan.obstacles().chain(plan.warnings());
        let found: Vec<&str> = found.map(|finding| finding.found.as_str()).collect();
        Ok((!found.is_empty()).then(|| preflight(found.join("; "))))
    }
}

/// The turns of one run.
struct Turns {
    run: i64,
    place: i64,
    had: BTreeSet<(String, u64, String)>,
}

impl Turns {
    async fn write(&mut self, shim: &Shim, line: &Line, now: Timestamp) -> Result<(), ShimError> {
        let place = self.place;
        self.place += 1;
        let ledger = shim.rooms.ledger();
        Ok(ledger.put_line(self.run, place, line, now).await?)
    }
}

/// Whether a failure says something about the correction, so that trying it again would do no good.
///
/// What was refused before anything began is not a failure of it, and neither is a payload that did
/// not come: a mirror that sends rubbish must not be able to keep a correction from a panel.
fn blames_the_correction(error: &ShimError) -> bool {
    match error {
        ShimError::Apply(error) => !matches!(
            error,
            ApplyError::NotApplicable { .. }
                | ApplyError::Obstacle { .. }
                | ApplyError::WantsWord { .. }
                | ApplyError::Drifted { .. }
                | ApplyError::Busy { .. }
                | ApplyError::Payload(_)
                | ApplyError::Store(_)
        ),
        _ => false,
    }
}

fn asked(action: &Action) -> Asked {
    Asked {
        correction: action.correction.id.clone(),
        revision: action.correction.revision,
        component: action.component.clone(),
    }
}

fn names(action: &Action) -> (String, u64, String) {
    (
        action.correction.id.clone(),
        action.correction.revision,
        action.component.clone(),
    )
}

fn line(action: &Action, fate: Fate) -> Line {
    Line {
        correction: text(&action.correction.id),
        revision: action.correction.revision,
        component: text(&action.component),
        advisories: action
            .advisories
            .iter()
            .take(100)
            .map(|id| text(id))
            .collect(),
        fate,
        reason: text(&action.reason),
        refusal: None,
        due: None,
        application: None,
    }
}

fn held(action: &Action) -> Line {
    let due = action.due.map(Timestamp::from_second);
    Line {
        due: due.and_then(Result::ok),
        ..line(action, Fate::Held)
    }
}

fn refused_line(action: &Action, refusal: &Refusal) -> Line {
    Line {
        reason: text(&refusal.to_string()),
        refusal: Some(refusal.word().to_owned()),
        due: refusal.due(),
        ..line(action, Fate::Refused)
    }
}

/// A stranger's text, no longer than is useful.
fn text(text: &str) -> String {
    text.chars().take(LONGEST_TEXT).collect()
}

fn id(text: &str) -> Result<DocumentId, ShimError> {
    DocumentId::new(text.to_owned()).map_err(|_| ShimError::NotFound {
        what: "correction",
        name: text.to_owned(),
    })
}
