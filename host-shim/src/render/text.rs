//! Makes a stranger's text safe to look at.

use std::borrow::Cow;

/// The text without what would move a cursor, hide or reorder other text.
///
/// Control characters but line breaks become the replacement character, and so do Unicode's
/// direction marks (UAX #9) and its invisible format characters that can fake another text.
pub(crate) fn visible(text: &str) -> Cow<'_, str> {
    if text.chars().all(is_plain) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(
        text.chars()
            .map(|character| {
                if is_plain(character) {
                    character
                } else {
                    '\u{fffd}'
                }
            })
            .collect(),
    )
}

fn is_plain(character: char) -> bool {
    match character {
        '\n' | '\t' => true,
        '\u{00ad}'
        | '\u{061c}'
        | '\u{180e}'
        | '\u{200b}'..='\u{200f}'
        | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}'
        | '\u{feff}'
        | '\u{fff9}'..='\u{fffb}' => false,
        '\u{e0000}'..='\u{e007f}' => false,
        other => !other.is_control(),
    }
}

/// An address that a reader may be led to: `https:`, `http:` or `mailto:`, and nothing hidden in it.
pub(super) fn outward(address: &str) -> Option<String> {
    let url = url::Url::parse(address).ok()?;
    let fit = matches!(url.scheme(), "https" | "http" | "mailto")
        && !address
            .chars()
            .any(|character| !is_plain(character) || character.is_whitespace());
    fit.then(|| url.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_could_fake_another_text_is_made_visible() {
        assert_eq!(
            visible("a\u{202e}b\u{1b}[2J\u{0}"),
            "a\u{fffd}b\u{fffd}[2J\u{fffd}"
        );
        assert_eq!(visible("plain – text\n"), "plain – text\n");
    }

    #[test]
    fn only_addresses_that_lead_outward_are_links() {
        assert!(outward("https://example.com/a?b=c").is_some());
        assert!(outward("mailto:a@example.com").is_some());
        for address in [
            "javascript:alert(1)",
            "data:text/html,x",
            "/history",
            "//example.com",
            "java\nscript:alert(1)",
            "https://exa mple.com",
            "https://e.com/\u{202e}gpj",
        ] {
            assert_eq!(outward(address), None, "{address:?}");
        }
    }
}
