//! The page that lists every advisory, the newest first.

use maud::{Markup, html};

use super::{badge, day, frame, state};
use crate::disclosure::{
    Public,
    addresses::{OSV, PROVIDER},
    settings::Settings,
};

/// The page.
pub(super) fn page(public: &Public, settings: &Settings) -> Markup {
    let title = format!("Security advisories of {}", settings.issuer.name);
    let main = html! {
        h1 { (title) }
        @if public.advisories.is_empty() {
            p { "No advisories." }
        } @else {
            table.rows {
                thead { tr {
                    th scope="col" { "Advisory" } th scope="col" { "Severity" }
                    th scope="col" { "Published" } th scope="col" { "Changed" }
                } }
                tbody {
                    @for disclosed in &public.advisories {
                        @let advisory = &disclosed.advisory;
                        tr {
                            td data-label="Advisory" { span {
                                a href=(format!("{}.html", advisory.id)) { (advisory.title) }
                                br;
                                (advisory.id)
                                @if let Some((word, _)) = state(disclosed) {
                                    " " span.badge.neutral { (word) }
                                }
                            } }
                            td data-label="Severity" { span { (badge(advisory)) } }
                            td data-label="Published" { (day(disclosed.first())) }
                            td data-label="Changed" { (day(advisory.modified)) }
                        }
                    }
                }
            }
        }
        h2 { "Machine-readable formats" }
        ul {
            li { a href=(format!("../{PROVIDER}")) { "CSAF 2.0" } }
            li { a href=(format!("../{OSV}/all.zip")) { "OSV, all in one archive" } }
        }
    };
    frame::page(settings, &title, "en", main)
}
