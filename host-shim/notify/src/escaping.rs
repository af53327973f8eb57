//! Says a stranger's text so that it is nothing but text where it is read.
//!
//! Titles, names and reasons come from documents and from this machine; a chat reads some characters
//! as calls to people, links or markup, and a header ends at a line break.

use spacecp_render::text::visible;

/// Who listens, and what would mean something to them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Escaping {
    /// Plain text: mail, and webhooks of one's own.
    Plain,
    /// Discord's Markdown, and its mentions.
    Discord,
    /// Slack's markup, and its mentions.
    Slack,
    /// Matrix, as plain text: only mentions mean something.
    Matrix,
}

/// Comes between `@` and a name: nobody sees it, and nobody is called.
const BREAK: char = '\u{200b}';

impl Escaping {
    /// A stranger's text on one line, of at most `most` characters before it is made harmless.
    pub(super) fn escape(self, text: &str, most: usize) -> String {
        let line: Vec<&str> = text.split_whitespace().collect();
        let line = cut(&visible(&line.join(" ")), most);
        let mut said = String::with_capacity(line.len());
        for character in line.chars() {
            self.put(&mut said, character);
        }
        said
    }

    fn put(self, said: &mut String, character: char) {
        match (self, character) {
            (Self::Plain, _) => said.push(character),
            (_, '@') => said.extend(['@', BREAK]),
            (Self::Slack, '&') => said.push_str("&amp;"),
            (Self::Slack, '<') => said.push_str("&lt;"),
            (Self::Slack, '>') => said.push_str("&gt;"),
            // Slack has no way to escape these, so they are kept from beginning or ending anything.
            (Self::Slack, '*' | '_' | '~' | '`') => said.extend([BREAK, character, BREAK]),
            (
                Self::Discord,
                '\\' | '*' | '_' | '~' | '`' | '|' | '>' | '<' | '#' | '[' | ']' | '(' | ')' | '-'
                | ':',
            ) => said.extend(['\\', character]),
            _ => said.push(character),
        }
    }

    /// Characters of one message.
    pub(super) fn room(self) -> usize {
        match self {
            Self::Plain => 60_000,
            Self::Discord => 1_900,
            Self::Slack => 3_000,
            Self::Matrix => 16_000,
        }
    }
}

/// The text, or the beginning of it with a sign that there was more.
pub(super) fn cut(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        None => text.to_owned(),
        Some(_) => text
            .chars()
            .take(most.saturating_sub(1))
            .chain(['…'])
            .collect(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn nobody_is_called_and_nothing_is_marked_up() {
        let hostile = "@everyone <@123> <!channel> **b** [a](https://evil.example) `c` ||d||";
        let discord = Escaping::Discord.escape(hostile, 200);
        assert!(
            !discord.contains("@everyone") && !discord.contains("<@1"),
            "{discord}"
        );
        assert!(discord.contains("\\*\\*b\\*\\*"), "{discord}");
        assert!(discord.contains("\\[a\\]\\("), "{discord}");
        let slack = Escaping::Slack.escape(hostile, 200);
        assert!(!slack.contains(['<', '>']), "{slack}");
        assert!(slack.contains("&lt;!channel&gt;"), "{slack}");
        let matrix = Escaping::Matrix.escape("@room", 200);
        assert_eq!(matrix, "@\u{200b}room");
    }

    #[test]
    fn a_text_is_one_line_and_no_longer_than_it_may_be() {
        assert_eq!(
            Escaping::Plain.escape("a\r\nBcc: b\u{0}\u{202e}\n", 40),
            "a Bcc: b\u{fffd}\u{fffd}"
        );
        assert_eq!(Escaping::Plain.escape("abcdef", 4), "abc…");
        assert_eq!(cut("abcd", 4), "abcd");
    }

    proptest! {
        #[test]
        fn no_text_breaks_a_line_calls_somebody_or_opens_a_tag(text in any::<String>()) {
            for escaping in [Escaping::Plain, Escaping::Discord, Escaping::Slack, Escaping::Matrix] {
                let said = escaping.escape(&text, 100);
                prop_assert!(!said.contains(char::is_control), "{said:?}");
                if escaping != Escaping::Plain {
                    prop_assert!(!said.replace("@\u{200b}", "").contains('@'), "{said:?}");
                }
                if escaping == Escaping::Slack {
                    prop_assert!(!said.contains(['<', '>']), "{said:?}");
                }
            }
        }
    }
}
