//! Applies at a maintenance window what an administrator has asked for by day.

use jiff::Timestamp;

use super::{Appointment, Automation, AutomationError, Clock, Kept, Wanted};
use crate::{
    ApplyRequest, JointRequest, ServiceError,
    apply::{Application, ApplyError, Outcome},
    correction_id,
};

/// Applications that are looked through for one that was cut off.
const HISTORY: u32 = 1_000;

impl Automation {
    /// Has a correction applied at the next window, if it could be applied now but for the hour.
    pub async fn schedule(
        &self,
        request: ApplyRequest,
        now: Timestamp,
    ) -> Result<Appointment, ServiceError> {
        let hours = self.rules().await?.hours;
        if hours.is_always() {
            return Err(AutomationError::NoWindow.into());
        }
        let plan = self
            .state
            .plan(&request.correction, &request.component)
            .await?;
        if plan.obstacles().next().is_some() {
            let plan = Box::new(plan);
            return Err(ApplyError::Obstacle { plan }.into());
        }
        if let Some(shown) = request.plan.filter(|shown| *shown != plan.digest) {
            let present = plan.digest;
            return Err(ApplyError::Drifted { shown, present }.into());
        }
        if plan.warnings().next().is_some() && !request.overwrite {
            let plan = Box::new(plan);
            return Err(ApplyError::WantsWord { plan }.into());
        }
        let wanted = Wanted {
            correction: plan.correction.to_string(),
            revision: plan.revision,
            component: plan.component,
            plan: plan.digest,
            overwrite: request.overwrite,
            by: request.by,
        };
        let made = self.state.ledger().appoint(&wanted, now).await?;
        tracing::info!(
            appointment = made.number,
            correction = made.correction,
            by = made.by,
            "correction scheduled"
        );
        Ok(made)
    }

    /// The newest appointments, those that wait first.
    pub async fn scheduled(&self, limit: u32) -> Result<Vec<Appointment>, ServiceError> {
        Ok(self.state.ledger().appointments(limit).await?)
    }

    /// When the next window opens, or the present one did; none where there is no window, or none in
    /// sight.
    pub async fn next_window(&self, now: Timestamp) -> Result<Option<Timestamp>, ServiceError> {
        let hours = self.rules().await?.hours;
        Ok(hours.first_open(now).filter(|_| !hours.is_always()))
    }

    /// Withdraws an appointment that waits.
    pub async fn cancel(
        &self,
        number: i64,
        by: &str,
        now: Timestamp,
    ) -> Result<Appointment, ServiceError> {
        let ledger = self.state.ledger();
        Ok(ledger.withdraw_appointment(number, by, now).await?)
    }

    /// Keeps the appointments whose window is open, one after the other. What is in the way of all of
    /// them is an error; what is in the way of one is written down with it.
    #[tracing::instrument(name = "appointments", skip_all)]
    pub async fn apply_scheduled(&self, clock: &dyn Clock) -> Result<(), ServiceError> {
        for appointment in self.state.ledger().waiting().await? {
            // The window may have closed behind the one before.
            if self.is_closing() || !self.rules().await?.hours.is_open(clock.now()) {
                return Ok(());
            }
            self.keep_one(&appointment, clock).await?;
        }
        Ok(())
    }

    async fn keep_one(
        &self,
        appointment: &Appointment,
        clock: &dyn Clock,
    ) -> Result<(), ServiceError> {
        let ledger = self.state.ledger();
        let (state, words, application) = match self.begun_before(appointment).await? {
            Some(application) => became(&application),
            None => self.carry_out_appointment(appointment).await?,
        };
        if state == Kept::Failed {
            tracing::error!(
                appointment = appointment.number,
                "scheduled correction not applied"
            );
        }
        ledger
            .settle_appointment(
                appointment.number,
                state,
                words.as_deref(),
                application.as_deref(),
                clock.now(),
            )
            .await?;
        Ok(())
    }

    /// The application that was begun for this appointment by a process that did not come to say what
    /// became of it. The last attempt that is known of is none.
    async fn begun_before(
        &self,
        appointment: &Appointment,
    ) -> Result<Option<Application>, ServiceError> {
        let by = signature(appointment);
        let history = self.state.applier().history(HISTORY).await?;
        let newest = history.into_iter().find(|application| {
            application.by == by && application.component == appointment.component
        });
        Ok(newest.filter(|newest| Some(&newest.id) != appointment.application.as_ref()))
    }

    async fn carry_out_appointment(
        &self,
        appointment: &Appointment,
    ) -> Result<(Kept, Option<String>, Option<String>), ServiceError> {
        let request = JointRequest {
            parts: vec![(
                correction_id(&appointment.correction)?,
                appointment.component.clone(),
            )],
            plan: Some(appointment.plan),
            overwrite: appointment.overwrite,
            by: signature(appointment),
        };
        match self.state.apply(request, &()).await {
            Ok(mut applied) => Ok((Kept::Applied, None, Some(applied.remove(0).id))),
            Err(
                error @ (ServiceError::Apply(_)
                | ServiceError::NotFound { .. }
                | ServiceError::NotCorrectable { .. }),
            ) => {
                let begun = self.begun_before(appointment).await?;
                let kept = if may_go_better(&error) {
                    Kept::Waiting
                } else {
                    Kept::Failed
                };
                let application = begun
                    .map(|application| application.id)
                    .or_else(|| appointment.application.clone());
                Ok((kept, Some(error.to_string()), application))
            }
            Err(error) => Err(error),
        }
    }
}

/// Who applies, in the journal: it names the appointment, by which a later process finds it again.
fn signature(appointment: &Appointment) -> String {
    format!("{} (appointment {})", appointment.by, appointment.number)
}

fn became(application: &Application) -> (Kept, Option<String>, Option<String>) {
    let id = Some(application.id.clone());
    match application.outcome {
        Outcome::Applied | Outcome::RolledBack => (Kept::Applied, None, id),
        Outcome::Failed => (Kept::Failed, application.reason.clone(), id),
        Outcome::InProgress => (
            Kept::Waiting,
            Some("another process holds the lock".to_owned()),
            id,
        ),
    }
}

/// Whether what was in the way may be gone in a minute, and the component was left alone.
fn may_go_better(error: &ServiceError) -> bool {
    let ServiceError::Apply(error) = error else {
        return false;
    };
    matches!(error, ApplyError::Busy { .. } | ApplyError::Payload(_))
}
