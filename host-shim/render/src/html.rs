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
        (title_of(page))
        (own)
        (blocks(&page.blocks, frame))
    };
    document(&page.title, frame, &body)
}

/// A page of the plugin.
pub fn page(page: &Page, frame: &Frame<'_>) -> Markup {
    page_above(page, &html! {}, frame)
}

/// A page with a form of the shim's own below it.
pub fn page_above(page: &Page, form: &Markup, frame: &Frame<'_>) -> Markup {
    let body = html! {
        (title_of(page))
        (blocks(&page.blocks, frame))
        (form)
    };
    document(&page.title, frame, &body)
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
    document_with(title, frame, &head, &body)
}

/// A page of the shim's own: a title and paragraphs.
pub fn plain(title: &str, paragraphs: &[String], frame: &Frame<'_>) -> Markup {
    let body = html! {
        h1 { (visible(title)) }
        @for paragraph in paragraphs { p { (visible(paragraph)) } }
        @if frame.user.is_some() { p { a href=(frame.site.at("/")) { "Back to the overview" } } }
    };
    document(title, frame, &body)
}

/// The login, with a field for a one-time code where anybody needs one. `next` is the path that is to come
/// afterwards; whoever reads the form checks it.
pub fn login(problem: Option<&str>, codes: bool, next: Option<&str>, frame: &Frame<'_>) -> Markup {
    let body = html! {
        h1 { "Log in" }
        @if let Some(problem) = problem { p.notice.danger role="alert" { (problem) } }
        form.login method="post" action=(frame.site.at("/login")) {
            @if let Some(next) = next { input type="hidden" name="next" value=(next); }
            label { "Name" input name="name" type="text" autocomplete="username" autocapitalize="none" required autofocus; }
            label { "Password" input name="password" type="password" autocomplete="current-password" required; }
            @if codes {
                label { "TOTP code (if set up)" input name="code" type="text" inputmode="numeric" autocomplete="one-time-code" maxlength="10"; }
            }
            button.primary type="submit" { "Log in" }
        }
    };
    document("Log in", frame, &body)
}

/// The title, with the embargo as a badge below it: the answer comes first on a page, not a banner.
fn title_of(page: &Page) -> Markup {
    html! {
        h1 { (visible(&page.title)) }
        @if page.embargo {
            p.confidential { span.badge.embargo { strong { "Under embargo." } } " Confidential. Do not share this page." }
        }
    }
}

fn document(title: &str, frame: &Frame<'_>, body: &Markup) -> Markup {
    document_with(title, frame, &html! {}, body)
}

/// A document with more in its head.
fn document_with(title: &str, frame: &Frame<'_>, head: &Markup, body: &Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (visible(title)) " – SpaceCP advisories" }
                link rel="icon" type="image/svg+xml" href=(frame.site.at("/favicon.svg"));
                link rel="stylesheet" href=(frame.site.at("/style.css"));
                (head)
            }
            body {
                a.skip href="#content" { "Skip to the content" }
                (header(frame))
                main #content tabindex="-1" {
                    @for said in frame.notices {
                        p.notice.(if said.well { "good" } else { "danger" }) role="status" { (visible(&said.words)) }
                    }
                    (body)
                }
            }
        }
    }
}

/// Pages that a wide window shows in one row; the menu has all of them.
const MAIN: usize = 4;

/// The names of the pages and their paths, in the order of the navigation.
fn places() -> Vec<(&'static str, String)> {
    let of_plugin = [
        ("Overview", Place::Overview),
        ("Advisories", Place::Advisories),
        ("Components", Place::Components),
        ("History", Place::History),
    ];
    let own = [
        ("Exposure", EXPOSURE),
        ("Trust", TRUST),
        ("Policy", POLICY),
        ("Notifications", NOTIFICATIONS),
        ("Report a vulnerability", REPORT),
    ];
    let of_plugin = of_plugin.map(|(name, place)| (name, path(&place)));
    let own = own.map(|(name, path)| (name, path.to_owned()));
    of_plugin.into_iter().chain(own).collect()
}

/// One bar: the pages that are read daily in a row where there is room, and a menu with every page. The menu
/// opens and closes without a script.
fn header(frame: &Frame<'_>) -> Markup {
    let places = places();
    let link = |(name, target): &(&str, String)| {
        let current = (target == frame.path).then_some("page");
        html! { a href=(frame.site.at(target)) aria-current=[current] { (name) } }
    };
    html! {
        header.top {
            span.brand { (visible(frame.site.brand)) " " span { "advisories" } }
            @if let Some((words, to)) = frame.site.back { a.back href=(to) { (visible(words)) } }
            @if let Some(user) = frame.user {
                nav.main aria-label="Main pages" { @for place in places.iter().take(MAIN) { (link(place)) } }
                div.session {
                    @if frame.may_act {
                        form method="post" action=(frame.site.at("/sync")) { (token(frame)) button type="submit" { "Sync now" } }
                    }
                    details.menu {
                        summary { "Menu" }
                        div {
                            @if let Some((words, to)) = frame.site.back { a.back href=(to) { (visible(words)) } }
                            nav aria-label="All pages" { @for place in &places { (link(place)) } }
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
    }
}
