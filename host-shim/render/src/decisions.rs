//! The forms by which an administrator decides about an exposure. They work without a script.

use maud::{Markup, html};

use super::{
    frame::{Frame, token},
    text::visible,
};
use spacecp_plugin_host::bindings::exports::spacecp::advisories::pages::{
    AcceptRisk, Action, MarkWorkaround, TakeBack,
};

/// Characters of a reason that is typed into these forms. Whoever takes a form refuses more.
pub const LONGEST_REASON: usize = 1_000;

/// The form of an action that decides something.
pub(super) fn decision_of(action: &Action, frame: &Frame<'_>) -> Markup {
    match action {
        Action::MarkWorkaround(mark) => mark_workaround(mark, frame),
        Action::AcceptRisk(accept) => accept_risk(accept, frame),
        Action::LiftWorkaround(back) => {
            let words = format!(
                "Remove mark of {}",
                back.workaround.as_deref().unwrap_or_default()
            );
            take_back("/lift-workaround", &words, back, frame)
        }
        Action::WithdrawAcceptance(back) => {
            take_back("/withdraw-acceptance", "Withdraw acceptance", back, frame)
        }
        // Drawn elsewhere.
        Action::Apply(_) | Action::Schedule(_) | Action::RollBack(_) => html! {},
    }
}

fn mark_workaround(mark: &MarkWorkaround, frame: &Frame<'_>) -> Markup {
    html! {
        details.decide {
            summary { "Mark as in place: " (visible(&mark.workaround)) }
            form.action method="post" action=(frame.site.at("/mark-workaround")) {
                (token(frame))
                input type="hidden" name="advisory" value=(mark.advisory.id);
                input type="hidden" name="revision" value=(mark.advisory.revision);
                input type="hidden" name="workaround" value=(mark.workaround);
                (component(&mark.components))
                label { "Last day (empty: until the workaround changes)" input type="date" name="until"; }
                label { "What was done (optional)" textarea name="reason" rows="2" maxlength=(LONGEST_REASON) {} }
                button.primary type="submit" { "Mark as in place" }
            }
        }
    }
}

fn accept_risk(accept: &AcceptRisk, frame: &Frame<'_>) -> Markup {
    html! {
        details.decide {
            summary { "Accept risk" }
            form.action method="post" action=(frame.site.at("/accept-risk")) {
                (token(frame))
                input type="hidden" name="advisory" value=(accept.advisory.id);
                input type="hidden" name="revision" value=(accept.advisory.revision);
                p { "The component stays affected and is shown as such. The acceptance ends on its last day, and as soon as the severity, the affected versions or the known exploitation change." }
                (component(&accept.components))
                label { "Why" textarea name="reason" rows="3" maxlength=(LONGEST_REASON) required {} }
                label { "Last day" input type="date" name="until" required; }
                button type="submit" { "Accept risk" }
            }
        }
    }
}

/// One of the components, or every one.
fn component(components: &[String]) -> Markup {
    html! {
        label {
            "For"
            select name="component" {
                @for component in components { option value=(component) { (visible(component)) } }
                option value="" { "every component" }
            }
        }
    }
}

fn take_back(to: &str, words: &str, back: &TakeBack, frame: &Frame<'_>) -> Markup {
    html! {
        form.action method="post" action=(frame.site.at(to)) {
            (token(frame))
            input type="hidden" name="decision" value=(back.decision);
            button type="submit" {
                (visible(words)) " (" (visible(back.component.as_deref().unwrap_or("every component"))) ")"
            }
        }
    }
}
