//! Composer's versions, as `composer/semver` normalises them and PHP's `version_compare` orders them.
//!
//! One to four numbers, or a date, then a stability (`alpha`, `beta`, `RC`, `patch`) with its numbers, then `dev`.
//! `dev` < `alpha` < `beta` < `RC` < nothing < a number < `patch`. Branches (`dev-main`, `1.x-dev`) hold anything, and
//! are no versions.

use super::{
    VersionFault,
    key::{Key, KeyWriter},
};

mod rank {
    pub(super) const DEV: u8 = 1;
    pub(super) const ALPHA: u8 = 2;
    pub(super) const BETA: u8 = 3;
    pub(super) const CANDIDATE: u8 = 4;
    pub(super) const END: u8 = 5;
    pub(super) const NUMBER: u8 = 6;
    pub(super) const PATCH: u8 = 7;
}

/// The words for a stability, of two that begin alike the longer first.
const STABILITIES: [(&str, Option<u8>); 9] = [
    ("stable", None),
    ("beta", Some(rank::BETA)),
    ("b", Some(rank::BETA)),
    ("rc", Some(rank::CANDIDATE)),
    ("alpha", Some(rank::ALPHA)),
    ("a", Some(rank::ALPHA)),
    ("patch", Some(rank::PATCH)),
    ("pl", Some(rank::PATCH)),
    ("p", Some(rank::PATCH)),
];

/// Digits of the first number of what is a version and no date.
const LONGEST_FIRST: usize = 5;

pub(super) fn read(text: &str) -> Result<Key, VersionFault> {
    let text = text.to_lowercase();
    // What comes after it is which build it is, or what is asked of it.
    let text = text.split(['+', '@']).next().unwrap_or(&text);
    if text.starts_with("dev-") {
        return Err(VersionFault::Missing("a number: a branch is no version"));
    }
    let text = text.strip_prefix('v').unwrap_or(text);
    let version = numbers(text).and_then(|(numbers, rest)| whole(&numbers, rest));
    version.or_else(|fault| {
        let (numbers, rest) = date(text).ok_or(fault)?;
        whole(&numbers, rest)
    })
}

fn whole(numbers: &[&str], rest: &str) -> Result<Key, VersionFault> {
    let mut key = KeyWriter::default();
    for number in numbers {
        key.rank(rank::NUMBER).number(number);
    }
    let rest = modifier(&mut key, rest);
    if let Some(stranger) = rest.chars().next() {
        return Err(VersionFault::Character(stranger, "a version"));
    }
    key.rank(rank::END);
    Ok(key.finish())
}

/// Up to four numbers, filled up with zeros, and what follows.
fn numbers(text: &str) -> Result<(Vec<&str>, &str), VersionFault> {
    let first = digits(text);
    if first.is_empty() {
        return Err(VersionFault::Missing("a number"));
    }
    if first.len() > LONGEST_FIRST {
        return Err(VersionFault::TooLarge("the first number"));
    }
    let mut numbers = vec![first];
    let rest = more(text, &['.'], &mut numbers, |count, _| count < 4);
    numbers.resize(4, "0");
    Ok((numbers, rest))
}

/// A year or a whole date, then months, days, hours and the like in two or three digits, and what follows.
fn date(text: &str) -> Option<(Vec<&str>, &str)> {
    let first = digits(text);
    if first.len() < 4 {
        return None;
    }
    let mut numbers = vec![first];
    let rest = more(text, &['.', ':', '-'], &mut numbers, |count, number| {
        count < 8 && (number.len() <= 3 || number.len() % 2 == 0 && number.len() <= 12)
    });
    Some((numbers, rest))
}

/// The numbers behind the first, each behind a separator; what follows them.
fn more<'a>(
    text: &'a str,
    separators: &[char],
    numbers: &mut Vec<&'a str>,
    fits: impl Fn(usize, &str) -> bool,
) -> &'a str {
    let mut rest = text.get(digits(text).len()..).unwrap_or_default();
    while let Some(after) = rest.strip_prefix(separators) {
        let number = digits(after);
        if number.is_empty() || !fits(numbers.len(), number) {
            break;
        }
        numbers.push(number);
        rest = after.get(number.len()..).unwrap_or_default();
    }
    rest
}

/// A stability with its numbers, and `dev`; what follows.
fn modifier<'a>(key: &mut KeyWriter, text: &'a str) -> &'a str {
    let mut rest = text.strip_prefix(['.', '_', '-']).unwrap_or(text);
    let mut known = STABILITIES.iter();
    let found = known.find_map(|(word, rank)| Some((rest.strip_prefix(word)?, rank)));
    let mut counts = true;
    if let Some((after, rank)) = found {
        let mut numbers = vec![digits(after)];
        rest = more(after, &['.', '-'], &mut numbers, |_, _| true);
        // What stands behind "stable" does not count.
        counts = rank.is_some();
        if let Some(rank) = rank {
            key.rank(*rank);
            for number in numbers.iter().filter(|number| !number.is_empty()) {
                key.rank(rank::NUMBER).number(number);
            }
        }
    }
    let after = rest.strip_prefix(['.', '-']).unwrap_or(rest);
    if let Some(after) = after.strip_prefix("dev") {
        rest = after;
        if counts {
            key.rank(rank::DEV);
        }
    }
    rest
}

fn digits(text: &str) -> &str {
    let end = text.find(|letter: char| !letter.is_ascii_digit());
    text.split_at(end.unwrap_or(text.len())).0
}
