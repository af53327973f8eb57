//! The Markdown of advisories as HTML: markup in it is text, and nothing in it loads or runs.

use maud::{Markup, PreEscaped};
use pulldown_cmark::{Alignment, CowStr, Event, Options, Parser, Tag, TagEnd};

/// What becomes of addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Addresses {
    /// They are written out, and lead nowhere.
    Written,
    /// Those of the web can be followed; others are written out.
    Followed,
}

/// The HTML of a text.
///
/// Pictures are their words and their address. Headings are bold lines, so that a text cannot set itself
/// above the page that it stands in, and tables have no styles of their own.
pub(crate) fn html(text: &str, addresses: Addresses) -> Markup {
    let mut open: Vec<Option<CowStr<'_>>> = Vec::new();
    let events = Parser::new_ext(text, Options::ENABLE_TABLES).flat_map(move |event| {
        let one = |event| [Some(event), None];
        let pair = match event {
            Event::Html(text) | Event::InlineHtml(text) => one(Event::Text(text)),
            Event::Start(Tag::Heading { .. }) => {
                [Event::Start(Tag::Paragraph), Event::Start(Tag::Strong)].map(Some)
            }
            Event::End(TagEnd::Heading(_)) => {
                [Event::End(TagEnd::Strong), Event::End(TagEnd::Paragraph)].map(Some)
            }
            Event::Start(Tag::Table(columns)) => {
                let plain = vec![Alignment::None; columns.len()];
                one(Event::Start(Tag::Table(plain)))
            }
            Event::Start(tag @ Tag::Link { .. }) if follows(&tag, addresses) => {
                open.push(None);
                one(Event::Start(tag))
            }
            Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) => {
                open.push(Some(dest_url));
                [None, None]
            }
            Event::End(end @ (TagEnd::Link | TagEnd::Image)) => match open.pop().flatten() {
                Some(address) => one(Event::Text(format!(" ({address})").into())),
                None => one(Event::End(end)),
            },
            other => one(other),
        };
        pair.into_iter().flatten()
    });
    let mut written = String::new();
    pulldown_cmark::html::push_html(&mut written, events);
    PreEscaped(written)
}

/// Whether somebody may follow a link. The address is looked at as it will stand there.
fn follows(tag: &Tag<'_>, addresses: Addresses) -> bool {
    let Tag::Link { dest_url, .. } = tag else {
        return false;
    };
    addresses == Addresses::Followed && is_web(dest_url)
}

/// Whether an address is one of the web, for people to follow.
pub(crate) fn is_web(address: &str) -> bool {
    let address = address.to_ascii_lowercase();
    address.starts_with("https://") || address.starts_with("http://")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn followed(text: &str) -> String {
        html(text, Addresses::Followed).into_string()
    }

    #[test]
    fn markup_is_text() {
        for text in [
            "<script>hit()</script>",
            "a <img src=x onerror=hit()> b",
            "# <svg/onload=hit()>",
        ] {
            let html = followed(text);
            assert!(
                !html.contains("<script") && !html.contains("<img") && !html.contains("<svg"),
                "{html}"
            );
            assert!(html.contains("&lt;"), "{html}");
        }
    }

    #[test]
    fn only_addresses_of_the_web_can_be_followed() {
        assert!(
            followed("[here](https://example.com/)").contains("<a href=\"https://example.com/\"")
        );
        for address in [
            "javascript:hit()",
            "data:text/html,x",
            "//example.com",
            "JaVaScRiPt:hit()",
            "/x",
        ] {
            let html = followed(&format!("[here]({address})"));
            assert!(!html.contains("<a "), "{html}");
            assert!(html.contains(&format!("here ({address})")), "{html}");
        }
        let written = html("[here](https://example.com/)", Addresses::Written).into_string();
        assert_eq!(written, "<p>here (https://example.com/)</p>\n");
    }

    #[test]
    fn a_picture_is_its_words_even_within_a_link() {
        let html = followed("[![words](https://example.com/a.png)](https://example.com/)");
        assert!(!html.contains("<img"), "{html}");
        assert!(
            html.contains("words (https://example.com/a.png)</a>"),
            "{html}"
        );
    }

    #[test]
    fn a_text_has_no_headings_and_no_styles_of_its_own() {
        let html = followed("# Large\n\n| a |\n|:-:|\n| b |");
        assert!(!html.contains("<h1") && !html.contains("style="), "{html}");
    }
}
