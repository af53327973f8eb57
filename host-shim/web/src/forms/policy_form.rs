//! The form in which an administrator edits the policy, and the small ones around it.
//!
//! Works without a script: windows have a fixed number of rows, and an empty row is no window.

use maud::{Markup, html};
use spacecp_render::{
    html::{Frame, POLICY, token},
    text::visible,
};
use spacecp_services::{
    automation::Quarantine,
    policy::{
        Ceiling, Day, LONGEST, LONGEST_HOURS, MinimumSeverity, Policy, Restarts, Treatment, Window,
    },
};

/// Empty rows for windows beyond those that are there.
const SPARE: usize = 2;

/// What the form is about.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Editing<'a> {
    /// The policy in the fields.
    pub(crate) policy: &'a Policy,
    /// What the configuration allows at most.
    pub(crate) ceiling: &'a Ceiling,
    /// The names of the components here.
    pub(crate) components: &'a [String],
    /// Whether its effect has just been shown, so that it can be saved.
    pub(crate) previewed: bool,
}

/// The whole form; nothing for whoever may not act.
pub(crate) fn form(editing: &Editing<'_>, frame: &Frame<'_>) -> Markup {
    if !frame.may_act {
        return html! {};
    }
    let policy = editing.policy;
    html! {
        h2 #edit { "Change the policy" }
        form.policy method="post" action=(frame.site.at(POLICY)) {
            (token(frame))
            fieldset {
                legend { "Switch" }
                (tick("automatic", "Automatic application", policy.automatic, editing.ceiling.automatic != Some(false)))
            }
            (severities(editing))
            (exploited(editing))
            (waits(editing))
            (windows(policy))
            fieldset {
                legend { "Restarts" }
                (choice("restarts", "Restart allowed", &[Restarts::None, Restarts::Component, Restarts::Panel].map(Restarts::word), policy.restarts.word()))
            }
            (excluded(editing))
            (allowed(editing.ceiling))
            p.buttons {
                button type="submit" name="do" value="preview" .primary[!editing.previewed] { "Preview policy" }
                @if editing.previewed {
                    button.primary type="submit" name="do" value="save" { "Save policy" }
                }
            }
        }
    }
}

/// The button that switches automatic application off, or on again.
pub(crate) fn switch(on: bool, allowed: bool, frame: &Frame<'_>) -> Markup {
    if !frame.may_act || (!on && !allowed) {
        return html! {};
    }
    html! {
        form.action method="post" action=(frame.site.at("/policy/switch")) {
            (token(frame))
            @if on {
                button type="submit" name="to" value="off" { "Disable automatic application" }
            } @else {
                button type="submit" name="to" value="on" { "Enable automatic application" }
            }
        }
    }
}

/// A button for each correction in quarantine.
pub(crate) fn releases(quarantined: &[Quarantine], frame: &Frame<'_>) -> Markup {
    if !frame.may_act || quarantined.is_empty() {
        return html! {};
    }
    let mut corrections: Vec<&str> = quarantined
        .iter()
        .map(|kept| kept.correction.as_str())
        .collect();
    corrections.dedup();
    html! {
        @for correction in corrections {
            form.action method="post" action=(frame.site.at("/policy/release")) {
                (token(frame))
                input type="hidden" name="correction" value=(correction);
                button type="submit" { "Release " (visible(correction)) " from quarantine" }
            }
        }
    }
}

fn severities(editing: &Editing<'_>) -> Markup {
    let (policy, severity) = (editing.policy, &editing.policy.severity);
    let words = [Treatment::Auto, Treatment::Ask, Treatment::Never].map(Treatment::word);
    html! {
        fieldset {
            legend { "Vulnerabilities" }
            (choice("minimum-severity", "Minimum severity", &MinimumSeverity::ALL.map(MinimumSeverity::word), policy.minimum_severity.word()))
            @for (name, label, treatment) in [
                ("severity-low", "Low", severity.low),
                ("severity-medium", "Medium", severity.medium),
                ("severity-high", "High", severity.high),
                ("severity-critical", "Critical", severity.critical),
            ] {
                (choice(name, label, &words, treatment.word()))
            }
        }
    }
}

fn exploited(editing: &Editing<'_>) -> Markup {
    let (policy, ceiling) = (editing.policy, editing.ceiling);
    html! {
        fieldset {
            legend { "Known exploited vulnerabilities" }
            (tick("known-exploited-at-once", "Apply corrections regardless of severity", policy.known_exploited_at_once, ceiling.known_exploited_at_once != Some(false)))
            (tick("known-exploited-skips-delay", "…without delay", policy.known_exploited_skips_delay, ceiling.known_exploited_skips_delay != Some(false)))
            (tick("known-exploited-skips-windows", "…outside maintenance windows, too", policy.known_exploited_skips_windows, ceiling.known_exploited_skips_windows != Some(false)))
        }
    }
}

fn waits(editing: &Editing<'_>) -> Markup {
    let (policy, ceiling) = (editing.policy, editing.ceiling);
    html! {
        fieldset {
            legend { "Delay" }
            (number("delay-hours", "Hours after receipt", policy.delay_hours, ceiling.delay_hours, LONGEST_HOURS))
            (number("minimum-age-hours", "Hours after publication", policy.minimum_age_hours, ceiling.minimum_age_hours, LONGEST_HOURS))
            (number("wave-hours", "Rollout over hosts (hours)", policy.wave_hours, ceiling.wave_hours, LONGEST_HOURS))
        }
    }
}

fn windows(policy: &Policy) -> Markup {
    let there = policy.windows.0.iter().map(Some);
    let rows = there
        .chain(std::iter::repeat_n(None, SPARE))
        .take(spacecp_services::policy::MOST);
    html! {
        fieldset {
            legend { "Maintenance windows" }
            p { "Corrections are applied only within these windows; without a window, at any time. A row without a start is ignored." }
            @for (number, window) in rows.enumerate() { (window_row(number, window)) }
        }
    }
}

fn window_row(number: usize, window: Option<&Window>) -> Markup {
    let name = |part: &str| format!("window-{number}-{part}");
    let start = window.map(Window::start).unwrap_or_default();
    let minutes = window.map_or(120, Window::minutes);
    let zone = window.map_or("UTC", Window::zone);
    html! {
        div.window role="group" aria-label={ "Window " (number + 1) } {
            div.days {
                @for day in Day::ALL {
                    @let on = window.is_none_or(|window| window.days().is_empty() || window.days().contains(&day));
                    label { input type="checkbox" name=(name(day.word())) value="yes" checked[on] aria-label=(day.name()); " " (&day.name()[..2]) }
                }
            }
            label { span { "Starts" } input type="time" name=(name("start")) value=(start); }
            label { span { "Minutes" } input type="number" name=(name("minutes")) value=(minutes) min="1" max=(LONGEST); }
            label { span { "Time zone" } input type="text" name=(name("zone")) value=(zone) placeholder="Europe/Berlin" autocapitalize="none" spellcheck="false"; }
        }
    }
}

fn excluded(editing: &Editing<'_>) -> Markup {
    let gone = editing
        .policy
        .excluded
        .iter()
        .filter(|name| !editing.components.contains(name));
    html! {
        fieldset {
            legend { "Excluded components" }
            @for name in editing.components.iter().chain(gone) {
                @let configured = editing.ceiling.excluded.contains(name);
                (tick_of(&format!("excluded:{name}"), name, editing.policy.excluded.contains(name) || configured, true))
            }
        }
    }
}

/// What the configuration allows beyond what the fields show by themselves.
fn allowed(ceiling: &Ceiling) -> Markup {
    let windows: Vec<String> = ceiling.windows.0.iter().map(ToString::to_string).collect();
    html! {
        @if !windows.is_empty() {
            p { "The configuration allows only these windows: " (windows.join("; ")) "." }
        }
    }
}

fn tick(name: &str, label: &str, on: bool, allowed: bool) -> Markup {
    tick_of(name, label, on && allowed, allowed)
}

fn tick_of(name: &str, label: &str, on: bool, allowed: bool) -> Markup {
    html! {
        label.tick {
            input type="checkbox" name=(name) value="yes" checked[on] disabled[!allowed];
            " " (visible(label))
            @if !allowed { " (not allowed by the configuration)" }
        }
    }
}

fn choice(name: &str, label: &str, words: &[&str], chosen: &str) -> Markup {
    html! {
        label.choice {
            span { (label) }
            select name=(name) {
                @for word in words { option value=(word) selected[*word == chosen] { (word) } }
            }
        }
    }
}

fn number(name: &str, label: &str, value: u32, least: u32, most: u32) -> Markup {
    html! {
        label.choice {
            span { (label) }
            input type="number" name=(name) value=(value.max(least)) min=(least) max=(most);
        }
    }
}
