//! A page that lists what is in a folder, for people who walk through it.

use maud::{DOCTYPE, PreEscaped, html};

use super::policy;

const STYLE: &str = "\
:root{color-scheme:light dark;--ground:#fff;--ink:#1a2230;--link:#1d4fbf}\
@media(prefers-color-scheme:dark){:root{--ground:#11151c;--ink:#e6eaf2;--link:#8fb4ff}}\
body{margin:1rem;background:var(--ground);color:var(--ink);font:1rem/1.5 monospace;overflow-wrap:anywhere}\
a{color:var(--link)}li{padding:.25rem 0}";

/// The page of a folder with these names in it.
pub(super) fn page(folder: &str, names: &[String]) -> String {
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(policy::of(STYLE));
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { "Index of " (folder) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                main {
                    h1 { "Index of " (folder) }
                    ul { @for name in names { li { a href=(format!("./{name}")) { (name) } } } }
                }
            }
        }
    };
    page.into_string()
}
