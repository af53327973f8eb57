//! The form of a report to the vendor. It works without a script, keeps what was typed, and says of each
//! field what it is for.

use maud::{Markup, html};
use spacecp_contract::ReportLimits;
use spacecp_render::{
    html::{Frame, REPORT, token},
    text::visible,
};
use spacecp_services::report::{Row, Typed};

/// Where an encrypted report may go, beside being kept.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ways<'a> {
    /// The address that it may be mailed to.
    pub(crate) mail: Option<&'a str>,
}

/// The whole form.
pub(crate) fn form(typed: &Typed, ways: Ways<'_>, frame: &Frame<'_>) -> Markup {
    html! {
        h2 #write { "Vulnerability report" }
        form.policy.report method="post" action=(frame.site.at(REPORT)) autocomplete="off" {
            (token(frame))
            fieldset {
                legend { "Vulnerability" }
                (line("title", "Title", "One-line summary.", &typed.title, true))
                (text("steps", "Steps to reproduce", "Every step needed to reproduce it.", &typed.steps, true))
                (text("expected", "Expected result", "", &typed.expected, true))
                (text("actual", "Actual result", "", &typed.actual, true))
                (text("more", "Further information", "For example the impact and the suspected cause.", &typed.more, false))
            }
            fieldset {
                legend { "Affected components" }
                p { "The installed components. Select those affected, and correct the versions if needed; only the selected ones are included." }
                @for (number, one) in typed.rows.iter().enumerate() { (row(number, one)) }
            }
            fieldset {
                legend { "Contact (optional)" }
                p { "Leave these empty to stay anonymous. The vendor names no finder without consent." }
                (line("contact", "Contact", "Address for the vendor's answer.", &typed.contact, false))
                (line("credit", "Name for the credit", "Leave empty to not be named.", &typed.credit, false))
                (line("recipient", "Your age recipient", "An age recipient (“age1…”) for copies that the vendor sends you to review.", &typed.recipient, false))
            }
            p.buttons {
                button.primary type="submit" name="do" value="keep" { "Download encrypted report" }
                @if let Some(to) = ways.mail {
                    button type="submit" name="do" value="mail" { "Send encrypted report to " (visible(to)) }
                }
            }
            @if ways.mail.is_some() {
                p { "The e-mail is sent from this panel's address and so identifies the panel. To avoid that, download the file and send it yourself." }
            } @else {
                p { "Send the file to the vendor over any channel: only the vendor can decrypt it." }
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
