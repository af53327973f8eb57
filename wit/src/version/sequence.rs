//! A version as a sequence of numbers and words, each with what stands before it.
//!
//! How `generic` reads: a change from digits to letters, or back, is as good as a hyphen; what is as
//! good as nothing (`0`, `final`) is left out at the end and before each hyphen; a word counts as if it
//! came after a hyphen. What is left is compared from the left, and the end has its place among the
//! words.

use super::key::{Key, KeyWriter};

const END: u8 = 0x40;
const OTHER_WORD: u8 = 0x60;
const NUMBER_AFTER_HYPHEN: u8 = 0x61;
const NUMBER_AFTER_DOT: u8 = 0x62;

/// What a word means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Meaning {
    /// Before the version without it; the lower the earlier.
    Before(u8),
    /// As good as nothing.
    Nothing,
    /// After the version without it, in the order of the alphabet.
    Other,
}

/// How a scheme reads a sequence.
pub(super) struct Reading {
    /// Whether a character separates as a hyphen does.
    pub(super) is_hyphen: fn(char) -> bool,
    /// What a word means, in lower case, and with whether a number follows directly.
    pub(super) meaning: fn(&str, bool) -> Meaning,
}

#[derive(Debug)]
struct Token<'a> {
    after_dot: bool,
    text: &'a str,
    /// None for a number.
    meaning: Option<Meaning>,
}

impl Token<'_> {
    fn is_nothing(&self) -> bool {
        match self.meaning {
            Some(meaning) => meaning == Meaning::Nothing,
            None => self.text.bytes().all(|digit| digit == b'0'),
        }
    }

    /// Whether what comes before it counts as the end of something.
    fn ends_what_is_before(&self) -> bool {
        !self.after_dot || self.meaning.is_some()
    }
}

impl Reading {
    /// The key of `text`, which is in lower case.
    pub(super) fn key(&self, mut key: KeyWriter, text: &str) -> Key {
        let mut tokens = self.tokens(text);
        trim(&mut tokens);
        for token in tokens {
            match token.meaning {
                Some(Meaning::Before(rank)) => key.rank(rank.min(END - 1)),
                Some(Meaning::Nothing) => key.rank(END),
                Some(Meaning::Other) => key.rank(OTHER_WORD).word(token.text),
                None if token.after_dot => key.rank(NUMBER_AFTER_DOT).number(token.text),
                None => key.rank(NUMBER_AFTER_HYPHEN).number(token.text),
            };
        }
        key.rank(END);
        key.finish()
    }

    fn tokens<'a>(&self, text: &'a str) -> Vec<Token<'a>> {
        let is_separator = |letter: char| letter == '.' || (self.is_hyphen)(letter);
        let mut tokens = Vec::new();
        let mut after_dot = true;
        let mut rest = text;
        loop {
            let end = rest.find(is_separator).unwrap_or(rest.len());
            self.split(&rest[..end], after_dot, &mut tokens);
            let Some(separator) = rest[end..].chars().next() else {
                return tokens;
            };
            after_dot = separator == '.';
            rest = &rest[end + separator.len_utf8()..];
        }
    }

    /// Splits what stands between two separators where digits and letters meet. Nothing is a 0.
    fn split<'a>(&self, text: &'a str, mut after_dot: bool, tokens: &mut Vec<Token<'a>>) {
        if text.is_empty() {
            tokens.push(Token {
                after_dot,
                text: "0",
                meaning: None,
            });
        }
        let mut rest = text;
        while let Some(first) = rest.chars().next() {
            let digits = first.is_ascii_digit();
            let end = rest
                .find(|letter: char| letter.is_ascii_digit() != digits)
                .unwrap_or(rest.len());
            let (token, after) = rest.split_at(end);
            tokens.push(Token {
                after_dot,
                text: token,
                meaning: (!digits).then(|| (self.meaning)(token, !after.is_empty())),
            });
            after_dot = false;
            rest = after;
        }
    }
}

/// Leaves out what is as good as nothing at the end, and before each hyphen that is left.
fn trim(tokens: &mut Vec<Token<'_>>) {
    let mut at_an_end = true;
    let mut kept: Vec<Token<'_>> = Vec::with_capacity(tokens.len());
    for token in tokens.drain(..).rev() {
        if at_an_end && token.is_nothing() {
            continue;
        }
        at_an_end = token.ends_what_is_before();
        kept.push(token);
    }
    kept.reverse();
    *tokens = kept;
}
