//! Which characters of a stranger's text may reach a screen, and how the others are written instead.
//!
//! Control characters move a terminal's cursor, Unicode's direction marks (UAX #9) reorder what stands around
//! them, and its invisible format characters fake another text.

use std::borrow::Cow;

/// Whether a character shows as itself and changes nothing around it. Line breaks and tabs do.
pub fn is_printable(character: char) -> bool {
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

/// One line of at most `most` bytes: what is not printable is written as `\u{202e}`, and what is cut off as `…`.
pub fn one_line(text: &str, most: usize) -> String {
    const CUT: char = '…';
    let mut line = String::with_capacity(text.len().min(most));
    // Where the line ends if what follows does not fit.
    let mut fits_with_cut = 0;
    for character in text.chars() {
        if is_printable(character) && !matches!(character, '\n' | '\t') {
            line.push(character);
        } else {
            line.extend(character.escape_default());
        }
        if line.len() > most {
            line.truncate(fits_with_cut);
            if most >= CUT.len_utf8() {
                line.push(CUT);
            }
            break;
        }
        if line.len() + CUT.len_utf8() <= most {
            fits_with_cut = line.len();
        }
    }
    line
}

/// JSON with what is not printable written as JSON escapes it, so that it means the same.
///
/// `kept` stays as it is: the escape character, where a terminal's colours are part of the text.
pub fn escaped_json(json: &str, kept: Option<char>) -> Cow<'_, str> {
    let fits = |character: char| is_printable(character) || Some(character) == kept;
    if json.chars().all(fits) {
        return Cow::Borrowed(json);
    }
    let mut escaped = String::with_capacity(json.len() + 16);
    for character in json.chars() {
        if fits(character) {
            escaped.push(character);
            continue;
        }
        for unit in character.encode_utf16(&mut [0; 2]) {
            escaped.push_str(&format!("\\u{unit:04x}"));
        }
    }
    Cow::Owned(escaped)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_line_shows_what_is_not_printable_and_where_it_was_cut() {
        assert_eq!(
            one_line("a\u{202e}b\u{1b}[2J\u{0}\nc", 100),
            "a\\u{202e}b\\u{1b}[2J\\u{0}\\nc"
        );
        assert_eq!(one_line("abcdef", 6), "abcdef");
        assert_eq!(one_line("abcdefg", 6), "abc…");
        assert_eq!(one_line("abcdefg", 2), "");
    }

    proptest! {
        #[test]
        fn no_line_is_longer_than_it_may_be_or_has_anything_else_in_it(
            text in "(?s).{0,60}",
            most in 0usize..80,
        ) {
            let line = one_line(&text, most);
            prop_assert!(line.len() <= most, "{line:?}");
            prop_assert!(line.chars().all(is_printable), "{line:?}");
            prop_assert!(!line.contains(['\n', '\t']), "{line:?}");
        }

        #[test]
        fn escaped_json_means_the_same_and_is_printable(text in "(?s).{0,60}") {
            let json = serde_json::to_string(&text).unwrap();
            let escaped = escaped_json(&json, None);
            prop_assert!(escaped.chars().all(is_printable), "{escaped:?}");
            let read: String = serde_json::from_str(&escaped).unwrap();
            prop_assert_eq!(read, text);
        }
    }
}
