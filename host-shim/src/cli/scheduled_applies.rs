//! `schedule`: lists and cancels scheduled corrections.

use jiff::Timestamp;

use super::{
    CommandError, Ending, Output, filter_args::ScheduleAction, redacted_output::RedactedOutput,
    user::whoami,
};
use crate::{
    automation::{Appointment, Kept},
    services::Panel,
};

/// Appointments that are listed.
const MOST: u32 = 100;

pub(super) async fn list_or_cancel(
    panel: &Panel,
    action: Option<&ScheduleAction>,
    out: &Output,
) -> Result<Ending, CommandError> {
    let now = Timestamp::now();
    let redacted = RedactedOutput::of(panel, out).await;
    if let Some(ScheduleAction::Withdraw { number }) = action {
        let withdrawn = panel.automation.cancel(*number, &whoami(), now).await?;
        return print(&withdrawn, &redacted, out).await;
    }
    let all = panel.automation.scheduled(MOST).await?;
    if out.json {
        redacted.value(&all).await?;
        return Ok(Ending::Well);
    }
    redacted.mark(&all)?;
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
pub(super) async fn print(
    appointment: &Appointment,
    redacted: &RedactedOutput<'_>,
    out: &Output,
) -> Result<Ending, CommandError> {
    if out.json {
        redacted.value(appointment).await?;
    } else {
        redacted.mark(appointment)?;
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
