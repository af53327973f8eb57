//! The forms of the page about notifications, and those by which a reader dismisses an advisory. They
//! work without a script.

use maud::{Markup, html};

use super::{
    html::{Frame, token},
    text::visible,
};
use crate::notify::{Dismissal, NotifyReport, ReadState};

/// What can be done about channels, by those who may act.
pub(crate) fn channels(report: &NotifyReport, frame: &Frame<'_>) -> Markup {
    if !frame.may_act || report.channels.is_empty() {
        return html! {};
    }
    html! {
        h2 { "Try a channel" }
        p { "A trial is sent at once, whatever the hours of the channel are." }
        div.buttons {
            @for channel in &report.channels {
                form method="post" action=(frame.site.at("/notifications/test")) {
                    (token(frame))
                    input type="hidden" name="channel" value=(channel.name);
                    button type="submit" { "Send a trial: " (visible(&channel.name)) }
                }
            }
            @if report.channels.iter().any(|channel| channel.pending + channel.given_up > 0) {
                form method="post" action=(frame.site.at("/notifications/retry")) {
                    (token(frame))
                    button type="submit" { "Try again what was not delivered" }
                }
            }
        }
    }
}

/// What a reader has dismissed, and the way to see it again.
pub(crate) fn reader(state: &ReadState, frame: &Frame<'_>) -> Markup {
    html! {
        h2 { "You" }
        p { "An advisory is marked until you have opened it. What you dismiss is marked as such for you alone, and comes back by itself when its severity, the affected versions or known attacks change." }
        form.action method="post" action=(frame.site.at("/read-all")) {
            (token(frame))
            button type="submit" { "Mark every advisory as read" }
        }
        @if state.dismissed.is_empty() {
            p.empty { "You have dismissed nothing." }
        } @else {
            ul.dismissed { @for one in &state.dismissed { li { (dismissal(one, frame)) } } }
        }
    }
}

fn dismissal(one: &Dismissal, frame: &Frame<'_>) -> Markup {
    html! {
        a href=(frame.site.at(&format!("/advisories/{}", one.advisory))) { (one.advisory) }
        @if let Some(component) = &one.component { " for " (visible(component)) }
        ", revision " (one.revision) ", dismissed on " (one.at.strftime("%Y-%m-%d").to_string()) ". "
        @if let Some(returned) = &one.returned { strong { "It has come back: " (visible(&returned.why)) "." } }
        (undismiss(one.advisory.as_str(), one.component.as_deref(), "Dismiss it no longer", frame))
    }
}

/// The form on the page of an advisory: dismisses it, or takes that back.
pub(crate) fn of_advisory(
    advisory: &str,
    revision: u64,
    dismissed: bool,
    frame: &Frame<'_>,
) -> Markup {
    html! {
        h2 { "You" }
        @if dismissed {
            p { "You have dismissed this advisory. Nothing becomes less exposed by that." }
            (undismiss(advisory, None, "Dismiss it no longer", frame))
        } @else {
            form.action method="post" action=(frame.site.at("/dismiss")) {
                (token(frame))
                input type="hidden" name="advisory" value=(advisory);
                input type="hidden" name="revision" value=(revision);
                button type="submit" { "Dismiss it, for me alone" }
            }
        }
    }
}

fn undismiss(advisory: &str, component: Option<&str>, words: &str, frame: &Frame<'_>) -> Markup {
    html! {
        form.action method="post" action=(frame.site.at("/undismiss")) {
            (token(frame))
            input type="hidden" name="advisory" value=(advisory);
            input type="hidden" name="component" value=(component.unwrap_or_default());
            button type="submit" { (words) }
        }
    }
}
