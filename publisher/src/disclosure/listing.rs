//! A page that lists what is in a folder, for people who walk through it.

use maud::{DOCTYPE, html};

/// The page of a folder with these names in it.
pub(super) fn page(folder: &str, names: &[String]) -> String {
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content="default-src 'none'";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { "Index of " (folder) }
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
