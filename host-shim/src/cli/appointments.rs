//! `appointments`: what waits for the next window.

use jiff::Timestamp;

use super::{
    CommandError, Ending, Output, apply::whoami, asked::AppointmentAction, telling::Telling,
};
use crate::{
    automation::{Appointment, Kept},
    services::Panel,
};

/// Appointments that are listed.
const MOST: u32 = 100;

pub(super) async fn appointments(
    panel: &Panel,
    action: Option<&AppointmentAction>,
    out: &Output,
) -> Result<Ending, CommandError> {
    let now = Timestamp::now();
    let telling = Telling::of(panel, out).await;
    if let Some(AppointmentAction::Withdraw { number }) = action {
        let withdrawn = panel.automation.cancel(*number, &whoami(), now).await?;
        return tell(&withdrawn, &telling, out).await;
    }
    let all = panel.automation.scheduled(MOST).await?;
    if out.json {
        telling.value(&all).await?;
        return Ok(Ending::Well);
    }
    telling.mark(&all)?;
    if all.is_empty() {
        out.line("No scheduled corrections.")?;
    }
    for appointment in &all {
        out.line(&line(appointment))?;
    }
    let waits = all.iter().any(|one| one.state == Kept::Waiting);
    if let (true, Some(window)) = (waits, panel.automation.next_window(now).await?) {
        let window = window.strftime("%Y-%m-%d %H:%M UTC");
        out.line(&format!(
            "Next maintenance window: {window}. \"serve\" must be running then."
        ))?;
    }
    Ok(Ending::Well)
}

/// One appointment, as it stands.
pub(super) async fn tell(
    appointment: &Appointment,
    telling: &Telling<'_>,
    out: &Output,
) -> Result<Ending, CommandError> {
    if out.json {
        telling.value(appointment).await?;
    } else {
        telling.mark(appointment)?;
        out.line(&line(appointment))?;
    }
    Ok(Ending::Well)
}

fn line(appointment: &Appointment) -> String {
    let state = match appointment.state {
        Kept::Waiting => "scheduled",
        Kept::Applied => "applied",
        Kept::Failed => "failed",
        Kept::Withdrawn => "cancelled",
    };
    let words = appointment
        .words
        .as_ref()
        .map(|words| format!(": {words}"))
        .unwrap_or_default();
    format!(
        "{}  {} revision {} for {} {state}{words} (scheduled by {} on {})",
        appointment.number,
        appointment.correction,
        appointment.revision,
        appointment.component,
        appointment.by,
        appointment.made.strftime("%Y-%m-%d %H:%M UTC")
    )
}
