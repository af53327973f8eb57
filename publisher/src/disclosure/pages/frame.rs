//! What stands around every page: a head that allows nothing but its own style sheet, and a way back.

use std::sync::LazyLock;

use maud::{DOCTYPE, Markup, PreEscaped, html};

use crate::disclosure::{addresses::ATOM, policy, settings::Settings};

const STYLE: &str = include_str!("style.css");

static POLICY: LazyLock<String> = LazyLock::new(|| policy::of(STYLE));

/// A whole page.
pub(super) fn page(settings: &Settings, title: &str, language: &str, main: Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang=(language) {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(*POLICY);
                meta name="referrer" content="no-referrer";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (title) }
                link rel="alternate" type="application/atom+xml" href=(format!("../{ATOM}"))
                    title=(format!("{}: security advisories", settings.issuer.name));
                style { (PreEscaped(STYLE)) }
            }
            body {
                a.skip href="#content" { "Skip to the content" }
                header.top {
                    span.brand { (settings.issuer.name) " " span { "security" } }
                    nav aria-label="Pages" {
                        a href="index.html" { "All advisories" }
                        a href="../.well-known/security.txt" { "Report a vulnerability" }
                        a href=(format!("../{ATOM}")) { "Atom feed" }
                    }
                }
                main #content tabindex="-1" { (main) }
            }
        }
    }
}
