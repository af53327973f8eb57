//! `RubyGems`' versions, in the order of `Gem::Version`.
//!
//! Segments are runs of digits or of letters; a hyphen begins a pre-release as `.pre.` does. Zeros at the end, and before
//! the first letters, do not count. Of two versions the shorter one goes on with zeros, and letters come before numbers:
//! so zeros that lead to letters come before the end, and those that lead to a number behind it.

use super::{
    VersionFault,
    key::{Key, KeyWriter},
};

const LETTERS: u8 = 1;
const ZERO_BEFORE_LETTERS: u8 = 2;
const END: u8 = 3;
const ZERO_BEFORE_NUMBER: u8 = 4;
const NUMBER: u8 = 5;

pub(super) fn read(text: &str) -> Result<Key, VersionFault> {
    if !text.starts_with(|first: char| first.is_ascii_digit()) {
        return Err(VersionFault::Missing("a number"));
    }
    let (release, pre) = match text.split_once('-') {
        Some((release, pre)) => (release, Some(pre)),
        None => (text, None),
    };
    super::semver::identifiers(release, "a version")?;
    if let Some(pre) = pre {
        super::semver::identifiers(pre, "a pre-release")?;
    }
    let text = text.replace('-', ".pre.");
    let segments = segments(&text);
    let is_letters = |segment: &&str| !segment.starts_with(|first: char| first.is_ascii_digit());
    let first = segments.iter().position(is_letters);
    let (numbers, rest) = segments.split_at(first.unwrap_or(segments.len()));
    let counting = [without_zeros(numbers), without_zeros(rest)].concat();
    // From the end, to know what zeros lead to.
    let mut zero = END;
    let mut ranks = vec![END; counting.len()];
    for (rank, segment) in ranks.iter_mut().zip(&counting).rev() {
        *rank = if is_letters(segment) {
            zero = ZERO_BEFORE_LETTERS;
            LETTERS
        } else if is_zero(segment) {
            zero
        } else {
            zero = ZERO_BEFORE_NUMBER;
            NUMBER
        };
    }
    let mut key = KeyWriter::default();
    for (rank, segment) in ranks.into_iter().zip(counting) {
        key.rank(rank);
        match rank {
            LETTERS => key.word(segment),
            NUMBER => key.number(segment),
            _ => &mut key,
        };
    }
    key.rank(END);
    Ok(key.finish())
}

fn segments(text: &str) -> Vec<&str> {
    let mut segments = Vec::new();
    for part in text.split('.') {
        let mut rest = part;
        while let Some(first) = rest.chars().next() {
            let digits = first.is_ascii_digit();
            let end = rest.find(|letter: char| letter.is_ascii_digit() != digits);
            let (segment, after) = rest.split_at(end.unwrap_or(rest.len()));
            segments.push(segment);
            rest = after;
        }
    }
    segments
}

fn is_zero(segment: &&str) -> bool {
    segment.bytes().all(|byte| byte == b'0')
}

fn without_zeros<'a, 'b>(segments: &'a [&'b str]) -> &'a [&'b str] {
    let last = segments.iter().rposition(|segment| !is_zero(segment));
    segments
        .get(..last.map_or(0, |last| last + 1))
        .unwrap_or_default()
}
