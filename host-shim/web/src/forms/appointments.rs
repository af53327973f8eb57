//! What waits for the next window, with the form that takes such a word back.

use jiff::Timestamp;
use maud::{Markup, html};
use spacecp_render::{
    html::{Frame, token},
    text::visible,
};
use spacecp_services::automation::{Appointment, Kept};

/// The appointments that wait, and those that were not kept, if there are any.
pub(crate) fn section(
    appointments: &[Appointment],
    window: Option<Timestamp>,
    frame: &Frame<'_>,
) -> Markup {
    let (waiting, ended): (Vec<_>, Vec<_>) = appointments
        .iter()
        .partition(|one| one.state == Kept::Waiting);
    let failed: Vec<_> = ended
        .into_iter()
        .filter(|one| one.state == Kept::Failed)
        .collect();
    html! {
        @if !waiting.is_empty() {
            h2 { "Scheduled corrections" }
            @match window {
                Some(at) => p { "Next maintenance window: " (minute(at)) "." },
                None => p.notice.warning { "No upcoming maintenance window in the policy." },
            }
            @for one in waiting { (waits(one, frame)) }
        }
        @if !failed.is_empty() {
            h2 { "Scheduled corrections that failed" }
            @for one in failed {
                p.notice.warning {
                    (what(one)) ": " (visible(one.words.as_deref().unwrap_or("unknown reason")))
                    @if let Some(ended) = one.ended { " (" (minute(ended)) ")" }
                }
            }
        }
    }
}

fn waits(one: &Appointment, frame: &Frame<'_>) -> Markup {
    html! {
        p.notice.information {
            (what(one)) ", scheduled by " (visible(&one.by)) " on " (minute(one.made)) "."
            @if let Some(words) = &one.words { " Last attempt: " (visible(words)) "." }
        }
        @if frame.may_act {
            form.action method="post" action=(frame.site.at("/withdraw-appointment")) {
                (token(frame))
                input type="hidden" name="appointment" value=(one.number);
                button type="submit" { "Cancel " (visible(&one.component)) }
            }
        }
    }
}

fn what(one: &Appointment) -> Markup {
    html! { (visible(&one.correction)) " revision " (one.revision) " for " (visible(&one.component)) }
}

fn minute(time: Timestamp) -> String {
    time.strftime("%Y-%m-%d %H:%M UTC").to_string()
}
