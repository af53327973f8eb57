//! The form of a report to the vendor. It works without a script, keeps what was typed, and says of each
//! field what it is for.

use maud::{Markup, html};
use spacecp_contract::ReportLimits;

use super::{
    html::{Frame, REPORT, token},
    text::visible,
};
use crate::report::{Row, Typed};

/// Where an encrypted report may go, beside being kept.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ways<'a> {
    /// The address that it may be mailed to.
    pub(crate) mail: Option<&'a str>,
}

/// The whole form.
pub(crate) fn form(typed: &Typed, ways: Ways<'_>, frame: &Frame<'_>) -> Markup {
    html! {
        h2 #write { "Your report" }
        form.policy.report method="post" action=(frame.site.at(REPORT)) autocomplete="off" {
            (token(frame))
            fieldset {
                legend { "The vulnerability" }
                (line("title", "Title", "One line that says what is wrong.", &typed.title, true))
                (text("steps", "Steps to reproduce", "What somebody has to do to see it, from the beginning.", &typed.steps, true))
                (text("expected", "What you expected", "", &typed.expected, true))
                (text("actual", "What happened", "", &typed.actual, true))
                (text("more", "Anything else", "What else may help: how far it goes, what you think causes it.", &typed.more, false))
            }
            fieldset {
                legend { "Where you saw it" }
                p { "This is what is installed here. Mark what is affected, and correct it where it is wrong; only what you mark goes into the report." }
                @for (number, one) in typed.rows.iter().enumerate() { (row(number, one)) }
            }
            fieldset {
                legend { "You, if you like" }
                p { "You stay anonymous unless you fill these in. The vendor names nobody against their will." }
                (line("contact", "Contact", "An address at which the vendor may answer.", &typed.contact, false))
                (line("credit", "Name for the credit", "Leave it empty if you do not want to be named.", &typed.credit, false))
                (line("recipient", "Your own key", "A recipient of age, as “age1…”, for what the vendor sends you to review.", &typed.recipient, false))
            }
            p.buttons {
                button.primary type="submit" name="do" value="keep" { "Encrypt it, and keep the file" }
                @if let Some(to) = ways.mail {
                    button type="submit" name="do" value="mail" { "Encrypt it, and mail it to " (visible(to)) }
                }
            }
            @if ways.mail.is_some() {
                p { "A mail comes from this panel's own address, which tells the vendor which panel it is. Keep the file, and send it yourself, if that is more than you want to say." }
            } @else {
                p { "Send the file to the vendor by any way you like: nobody else can read it." }
            }
        }
    }
}

fn line(name: &str, label: &str, hint: &str, value: &str, required: bool) -> Markup {
    let hint_id = format!("{name}-hint");
    html! {
        label for=(name) { (label) @if required { " (needed)" } }
        @if !hint.is_empty() { span.hint id=(hint_id) { (hint) } }
        input id=(name) name=(name) type="text" value=(value) maxlength=(ReportLimits::default().line) required[required]
            aria-describedby=[(!hint.is_empty()).then_some(&hint_id)] spellcheck=[(name == "recipient").then_some("false")];
    }
}

fn text(name: &str, label: &str, hint: &str, value: &str, required: bool) -> Markup {
    let hint_id = format!("{name}-hint");
    html! {
        label for=(name) { (label) @if required { " (needed)" } }
        @if !hint.is_empty() { span.hint id=(hint_id) { (hint) } }
        // A browser takes the first line's end away, so one more is there.
        textarea id=(name) name=(name) rows="6" maxlength=(ReportLimits::default().text) required[required]
            aria-describedby=[(!hint.is_empty()).then_some(&hint_id)] { "\n" (value) }
    }
}

fn row(number: usize, row: &Row) -> Markup {
    let name = |part: &str| format!("{part}-{number}");
    let which = match row.component.as_str() {
        "" => format!("row {}", number + 1),
        name => name.to_owned(),
    };
    html! {
        div.row role="group" aria-label=(visible(&which)) {
            label.tick {
                input type="checkbox" name=(name("affected")) value="yes" checked[row.affected];
                " Affected"
            }
            label { span { "Component" } input type="text" name=(name("component")) value=(row.component) maxlength="200" autocapitalize="none" spellcheck="false"; }
            label { span { "Version" } input type="text" name=(name("version")) value=(row.version) maxlength=(ReportLimits::default().line) autocapitalize="none" spellcheck="false"; }
        }
    }
}
