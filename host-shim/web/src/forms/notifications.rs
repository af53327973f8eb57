//! The forms of the page about notifications, and those by which a reader dismisses an advisory. They
//! work without a script.

use maud::{Markup, html};
use spacecp_notify::{Dismissal, NotifyReport, ReadState};
use spacecp_render::{
    html::{Frame, token},
    text::visible,
};

/// What can be done about channels, by those who may act.
pub(crate) fn channels(report: &NotifyReport, frame: &Frame<'_>) -> Markup {
    if !frame.may_act || report.channels.is_empty() {
        return html! {};
    }
    html! {
        h2 { "Test channels" }
        p { "A test notification is sent at once, also during quiet hours." }
        div.buttons {
            @for channel in &report.channels {
                form method="post" action=(frame.site.at("/notifications/test")) {
                    (token(frame))
                    input type="hidden" name="channel" value=(channel.name);
                    button type="submit" { "Test " (visible(&channel.name)) }
                }
            }
            @if report.channels.iter().any(|channel| channel.pending + channel.given_up > 0) {
                form method="post" action=(frame.site.at("/notifications/retry")) {
                    (token(frame))
                    button type="submit" { "Retry failed deliveries" }
                }
            }
        }
    }
}

/// What a reader has dismissed, and the way to see it again.
pub(crate) fn reader(state: &ReadState, frame: &Frame<'_>) -> Markup {
    html! {
        h2 { "You" }
        p { "An advisory is marked as new until you open it. Dismissing an advisory applies to you only, and ends when its severity, the affected versions or the known exploitation change." }
        form.action method="post" action=(frame.site.at("/read-all")) {
            (token(frame))
            button type="submit" { "Mark all advisories as read" }
        }
        @if state.dismissed.is_empty() {
            p.empty { "No dismissed advisories." }
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
        @if let Some(returned) = &one.returned { strong { "Shown again: " (visible(&returned.why)) "." } }
        (undismiss(one.advisory.as_str(), one.component.as_deref(), "Restore advisory", frame))
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
            p { "You dismissed this advisory. The verdicts do not change." }
            (undismiss(advisory, None, "Restore advisory", frame))
        } @else {
            form.action method="post" action=(frame.site.at("/dismiss")) {
                (token(frame))
                input type="hidden" name="advisory" value=(advisory);
                input type="hidden" name="revision" value=(revision);
                button type="submit" { "Dismiss for me" }
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
