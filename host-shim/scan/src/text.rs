//! Takes in texts as lenient as the programs that run them: byte order marks, UTF-16, and bytes that are no text.
//!
//! It decides nothing: a letter that could not be read is `U+FFFD`, as for Java and Node, and whoever wants a name or a
//! version refuses that letter there ([`is_legible`]).

use std::borrow::Cow;

/// The text in these bytes: UTF-8 or UTF-16, by the byte order mark or, without one, by where the zeros are.
///
/// JSON, YAML, TOML and XML begin with a letter of ASCII, so that of the first two bytes of UTF-16 one is zero (RFC
/// 4627, section 3).
pub(crate) fn decode(bytes: &[u8]) -> Cow<'_, str> {
    match bytes {
        [0xef, 0xbb, 0xbf, rest @ ..] => String::from_utf8_lossy(rest),
        [0xff, 0xfe, rest @ ..] => Cow::Owned(utf_16(rest, u16::from_le_bytes)),
        [0xfe, 0xff, rest @ ..] => Cow::Owned(utf_16(rest, u16::from_be_bytes)),
        [first, 0, ..] if *first != 0 => Cow::Owned(utf_16(bytes, u16::from_le_bytes)),
        [0, second, ..] if *second != 0 => Cow::Owned(utf_16(bytes, u16::from_be_bytes)),
        bytes => String::from_utf8_lossy(bytes),
    }
}

fn utf_16(bytes: &[u8], unit: impl Fn([u8; 2]) -> u16) -> String {
    let (pairs, rest) = bytes.as_chunks::<2>();
    let units = pairs.iter().map(|pair| unit(*pair));
    let letters = char::decode_utf16(units);
    let mut text: String = letters
        .map(|letter| letter.unwrap_or(char::REPLACEMENT_CHARACTER))
        .collect();
    if !rest.is_empty() {
        text.push(char::REPLACEMENT_CHARACTER);
    }
    text
}

/// Whether every letter of a name or a version could be read.
pub(crate) fn is_legible(text: &str) -> bool {
    !text.contains(char::REPLACEMENT_CHARACTER)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn utf_16_of(text: &str, bytes: impl Fn(u16) -> [u8; 2]) -> Vec<u8> {
        text.encode_utf16().flat_map(bytes).collect()
    }

    proptest! {
        #[test]
        fn a_text_is_the_same_in_every_encoding(text in "[{\\[<a-z#]\\PC{0,40}") {
            prop_assert_eq!(decode(text.as_bytes()), text.as_str());
            let marked = format!("\u{feff}{text}");
            prop_assert_eq!(decode(marked.as_bytes()), text.as_str());
            for bytes in [&u16::to_le_bytes as &dyn Fn(u16) -> [u8; 2], &u16::to_be_bytes] {
                let bytes = utf_16_of(&marked, bytes);
                prop_assert_eq!(decode(&bytes), text.as_str());
            }
        }

        #[test]
        fn utf_16_needs_no_mark_where_the_text_begins_with_ascii(text in "[{\\[<a-z#][ -~]{1,40}") {
            for bytes in [&u16::to_le_bytes as &dyn Fn(u16) -> [u8; 2], &u16::to_be_bytes] {
                let bytes = utf_16_of(&text, bytes);
                prop_assert_eq!(decode(&bytes), text.as_str());
            }
        }

        #[test]
        fn no_bytes_end_the_process(bytes in prop::collection::vec(any::<u8>(), 0..60)) {
            let _ = decode(&bytes);
        }
    }

    #[test]
    fn what_is_no_letter_is_seen() {
        assert!(!is_legible(&decode(b"name: \xff")));
        assert!(!is_legible(&decode(b"\xff\xfea\0b")));
        assert!(is_legible(&decode("Größe".as_bytes())));
    }
}
