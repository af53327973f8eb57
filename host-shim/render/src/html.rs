//! A page as HTML: its frame, and the pages that are nothing but a frame.
//!
//! Everything goes through `maud`, which escapes; nothing here is ever marked as escaped already.

use maud::{DOCTYPE, Markup, html};

use super::{blocks::blocks, paths::path, text::visible};
use spacecp_plugin_host::bindings::exports::spacecp::advisories::pages::{Page, Place};

pub use super::frame::{EXPOSURE, Frame, NOTIFICATIONS, POLICY, REPORT, Said, Site, TRUST, token};

/// A page of the plugin with something of the shim's own between its title and the rest.
pub fn page_around(own: &Markup, page: &Page, frame: &Frame<'_>) -> Markup {
    let body = html! {
        h1 { (visible(&page.title)) }
        (own)
        (blocks(&page.blocks, frame))
    };
    document(&page.title, frame, page.embargo, &body)
}

/// A page of the plugin.
pub fn page(page: &Page, frame: &Frame<'_>) -> Markup {
    page_above(page, &html! {}, frame)
}

/// A page with a form of the shim's own below it.
pub fn page_above(page: &Page, form: &Markup, frame: &Frame<'_>) -> Markup {
    let body = html! {
        h1 { (visible(&page.title)) }
        (blocks(&page.blocks, frame))
        (form)
    };
    document(&page.title, frame, page.embargo, &body)
}

/// A page that shows work under way. A browser with scripts follows the events at `events`; one without
/// loads the page again every two seconds.
pub fn live(title: &str, progress: &Markup, frame: &Frame<'_>) -> Markup {
    let head = html! {
        noscript { meta http-equiv="refresh" content="2"; }
        script src=(frame.site.at("/live.js")) defer {}
    };
    let body = html! {
        h1 { (visible(title)) }
        (progress)
    };
    document_with(title, frame, false, &head, &body)
}

/// A page of the shim's own: a title and paragraphs.
pub fn plain(title: &str, paragraphs: &[String], frame: &Frame<'_>) -> Markup {
    let body = html! {
        h1 { (visible(title)) }
        @for paragraph in paragraphs { p { (visible(paragraph)) } }
        @if frame.user.is_some() { p { a href=(frame.site.at("/")) { "Back to the overview" } } }
    };
    document(title, frame, false, &body)
}

/// The login, with a field for a one-time code where anybody needs one.
pub fn login(problem: Option<&str>, codes: bool, frame: &Frame<'_>) -> Markup {
    let body = html! {
        h1 { "Log in" }
        @if let Some(problem) = problem { p.notice.danger role="alert" { (problem) } }
        form.login method="post" action=(frame.site.at("/login")) {
            label { "Name" input name="name" type="text" autocomplete="username" autocapitalize="none" required autofocus; }
            label { "Password" input name="password" type="password" autocomplete="current-password" required; }
            @if codes {
                label { "TOTP code (if set up)" input name="code" type="text" inputmode="numeric" autocomplete="one-time-code" maxlength="10"; }
            }
            button.primary type="submit" { "Log in" }
        }
    };
    document("Log in", frame, false, &body)
}

fn document(title: &str, frame: &Frame<'_>, embargo: bool, body: &Markup) -> Markup {
    document_with(title, frame, embargo, &html! {}, body)
}

/// A document with more in its head.
fn document_with(
    title: &str,
    frame: &Frame<'_>,
    embargo: bool,
    head: &Markup,
    body: &Markup,
) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (visible(title)) " – SpaceCP advisories" }
                link rel="stylesheet" href=(frame.site.at("/style.css"));
                (head)
            }
            body {
                a.skip href="#content" { "Skip to the content" }
                (header(frame))
                main #content tabindex="-1" {
                    @if embargo {
                        p.notice.embargo { strong { "Under embargo." } " This page contains confidential advisories. Do not share it." }
                    }
                    @for said in frame.notices {
                        p.notice.(if said.well { "good" } else { "danger" }) role="status" { (visible(&said.words)) }
                    }
                    (body)
                }
            }
        }
    }
}

fn header(frame: &Frame<'_>) -> Markup {
    let places = [
        ("Overview", Place::Overview),
        ("Advisories", Place::Advisories),
        ("Components", Place::Components),
        ("History", Place::History),
    ];
    html! {
        header.top {
            span.brand { (visible(frame.site.brand)) " " span { "advisories" } }
            @if let Some((words, to)) = frame.site.back { a.back href=(to) { (visible(words)) } }
            @if let Some(user) = frame.user {
                nav aria-label="Pages" {
                    @for (name, place) in &places {
                        @let target = path(place);
                        a href=(frame.site.at(&target)) aria-current=[(target == frame.path).then_some("page")] { (name) }
                    }
                    @for (name, own) in [("Exposure", EXPOSURE), ("Trust", TRUST), ("Policy", POLICY), ("Notifications", NOTIFICATIONS), ("Report a vulnerability", REPORT)] {
                        a href=(frame.site.at(own)) aria-current=[(own == frame.path).then_some("page")] { (name) }
                    }
                }
                div.session {
                    @if frame.may_act {
                        form method="post" action=(frame.site.at("/sync")) { (token(frame)) button type="submit" { "Sync now" } }
                    }
                    @if let Some(logout) = frame.site.logout {
                        form method="post" action=(frame.site.at(logout)) { (token(frame)) button type="submit" { "Log out " (visible(user)) } }
                    } @else {
                        span.user { (visible(user)) }
                    }
                }
            }
        }
    }
}
