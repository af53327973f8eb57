//! `RubyGems`' versions, in the order of `Gem::Version`.
//!
//! Segments are runs of digits or of letters; a hyphen begins a pre-release as `.pre.` does. Letters come before the
//! end, and the end before numbers. Zeros at the end, and before the first letters, do not count.

use super::{
    VersionFault,
    key::{Key, KeyWriter},
};

const LETTERS: u8 = 1;
const END: u8 = 2;
const NUMBER: u8 = 3;

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
    let mut key = KeyWriter::default();
    for segment in without_zeros(numbers).iter().chain(without_zeros(rest)) {
        if is_letters(segment) {
            key.rank(LETTERS).word(segment);
        } else {
            key.rank(NUMBER).number(segment);
        }
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

fn without_zeros<'a, 'b>(segments: &'a [&'b str]) -> &'a [&'b str] {
    let is_zero = |segment: &&str| segment.bytes().all(|byte| byte == b'0');
    let last = segments.iter().rposition(|segment| !is_zero(segment));
    segments
        .get(..last.map_or(0, |last| last + 1))
        .unwrap_or_default()
}
