//! What could not be read on this machine, with the forms by which an administrator decides about it.

use jiff::Timestamp;
use maud::{Markup, html};
use spacecp_apply::inventory::{Installed, Inventory, Unread};
use spacecp_render::{
    LONGEST_REASON,
    html::{Frame, token},
    text::visible,
};
use spacecp_services::decisions::{
    State,
    local::{LocalDecision, LocalKind},
};

/// Forms of one kind; the command line has all of them.
const MOST_FORMS: usize = 50;

/// The forms, as far as there is anything to decide.
pub(crate) fn section(
    inventory: &Inventory,
    decided: &[LocalDecision],
    frame: &Frame<'_>,
) -> Markup {
    let unversioned: Vec<Installed<'_>> = inventory
        .installed()
        .filter(|installed| installed.version().is_none())
        .collect();
    let of = |kind| decided.iter().filter(move |one| one.kind == kind);
    html! {
        @if !inventory.unread.is_empty() || of(LocalKind::Unread).next().is_some() {
            h2 { "Acknowledge paths that could not be read" }
            p { "An acknowledged path no longer counts as unread. The acknowledgement ends on its last day, and as soon as the file or the reason changes." }
            @for unread in inventory.unread.iter().take(MOST_FORMS) { (acknowledge(unread, frame)) }
            (rest(inventory.unread.len(), "spacecp-advisories unread"))
            @for one in of(LocalKind::Unread) { (made(one, "Withdraw acknowledgement", frame)) }
        }
        @if !unversioned.is_empty() || of(LocalKind::Version).next().is_some() {
            h2 { "Set versions that could not be read" }
            p { "The component is judged as if that version had been found, until the last day, until a version is found, or until the file changes." }
            @for installed in unversioned.iter().take(MOST_FORMS) { (set_version(*installed, frame)) }
            (rest(unversioned.len(), "spacecp-advisories set-version"))
            @for one in of(LocalKind::Version) { (made(one, "Withdraw version", frame)) }
        }
    }
}

fn acknowledge(unread: &Unread, frame: &Frame<'_>) -> Markup {
    html! {
        details.decide {
            summary { "Acknowledge " (visible(&unread.at)) }
            p { (visible(&unread.why.to_string())) }
            form.action method="post" action=(frame.site.at("/acknowledge-unread")) {
                (token(frame))
                input type="hidden" name="place" value=(unread.at);
                (reason_and_end("Why nothing there is affected"))
                button type="submit" { "Acknowledge path" }
            }
        }
    }
}

fn set_version(installed: Installed<'_>, frame: &Frame<'_>) -> Markup {
    html! {
        details.decide {
            summary { "Set version of " (visible(installed.name())) }
            p { (visible(&installed.problem().unwrap_or_default())) }
            form.action method="post" action=(frame.site.at("/set-version")) {
                (token(frame))
                input type="hidden" name="component" value=(installed.name());
                label { "Installed version" input type="text" name="version" required maxlength="128"; }
                (reason_and_end("How the version is known"))
                button type="submit" { "Set version" }
            }
        }
    }
}

fn reason_and_end(why: &str) -> Markup {
    html! {
        label { (why) textarea name="reason" rows="3" maxlength=(LONGEST_REASON) required {} }
        label { "Last day" input type="date" name="until" required; }
    }
}

/// A decision that was made: one that holds can be withdrawn, another says how it ended.
fn made(one: &LocalDecision, withdraw: &str, frame: &Frame<'_>) -> Markup {
    let version = one.version.as_deref();
    let version = version.map_or(String::new(), |version| format!(" {version}"));
    let why = one.end.as_ref().and_then(|end| end.reason.as_deref());
    let said = format!(
        "{}{version}: {} on {}, until {}. {}",
        one.subject,
        one.by,
        minute(one.made),
        minute(one.until),
        one.reason
    );
    html! {
        @match one.state {
            State::Standing => {
                p.notice.information { (visible(&said)) }
                form.action method="post" action=(frame.site.at("/withdraw-local")) {
                    (token(frame))
                    input type="hidden" name="decision" value=(one.number);
                    button type="submit" { (withdraw) " (" (visible(&one.subject)) ")" }
                }
            }
            state => p.notice.warning {
                (visible(&said)) " It no longer counts: "
                (visible(why.unwrap_or(state.as_str()))) "."
            }
        }
    }
}

fn rest(all: usize, command: &str) -> Markup {
    html! {
        @if all > MOST_FORMS {
            p { "And " (all - MOST_FORMS) " more: use the command " code { (command) } "." }
        }
    }
}

fn minute(time: Timestamp) -> String {
    time.strftime("%Y-%m-%d %H:%M UTC").to_string()
}
