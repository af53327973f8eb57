//! Makes a stranger's text safe to look at.

use std::borrow::Cow;

use spacecp_plugin_host::{
    bindings::exports::spacecp::advisories::pages::Tone, printable::is_printable,
};

/// The text with the replacement character for whatever is not printable.
pub fn visible(text: &str) -> Cow<'_, str> {
    if text.chars().all(is_printable) {
        return Cow::Borrowed(text);
    }
    let shown = |character| {
        if is_printable(character) {
            character
        } else {
            '\u{fffd}'
        }
    };
    Cow::Owned(text.chars().map(shown).collect())
}

/// The word for a tone, for those who see no colour.
pub(super) fn tone_word(tone: Tone) -> &'static str {
    match tone {
        Tone::Neutral => "neutral",
        Tone::Good => "good",
        Tone::Information => "information",
        Tone::Warning => "warning",
        Tone::Danger => "danger",
        Tone::Embargo => "embargo",
    }
}

/// An address that a reader may be led to: `https:`, `http:` or `mailto:`, and nothing hidden in it.
pub(super) fn outward(address: &str) -> Option<String> {
    let url = url::Url::parse(address).ok()?;
    let fit = matches!(url.scheme(), "https" | "http" | "mailto")
        && !address
            .chars()
            .any(|character| !is_printable(character) || character.is_whitespace());
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
