//! Python's versions, in the order of PEP 440 (<https://packaging.python.org/en/latest/specifications/version-specifiers/>).
//!
//! `[N!]N(.N)*[{a|b|rc}N][.postN][.devN][+local]`, read in all the spellings that the specification normalises: with a
//! leading `v`, in any case, with other separators, `alpha`, `c`, `rev`, and without the number.

use super::{
    VersionFault,
    key::{Key, KeyWriter},
};

/// What comes where a release ends: the end itself is before further numbers.
const END: u8 = 0;
const MORE: u8 = 1;

/// The words for each stage before a release, the lowest stage first.
const STAGES: [&[&str]; 3] = [
    &["alpha", "a"],
    &["beta", "b"],
    &["preview", "pre", "rc", "c"],
];
const POST: &[&str] = &["post", "rev", "r"];
const DEV: &[&str] = &["dev"];

/// Without a stage: of a development release alone, before all stages; otherwise after them.
const BEFORE_STAGES: u8 = 0;
const AFTER_STAGES: u8 = 4;

pub(super) fn read(text: &str) -> Result<Key, VersionFault> {
    let text = text.to_lowercase();
    let text = text.strip_prefix('v').unwrap_or(&text);
    let (public, local) = match text.split_once('+') {
        Some((public, local)) => (public, Some(local)),
        None => (text, None),
    };
    let (epoch, rest) = match public.split_once('!') {
        Some((epoch, rest)) => (super::semver::whole_number(epoch).map(|()| epoch)?, rest),
        None => ("0", public),
    };
    let mut rest = Rest(rest);
    let numbers = rest.release()?;
    let stage = STAGES.iter().zip(1u8..).find_map(|(words, rank)| {
        let number = rest.stage(words)?;
        Some((rank, number))
    });
    let post = rest.stage(POST).or_else(|| rest.implicit_post());
    let dev = rest.stage(DEV);
    if let Some(stranger) = rest.0.chars().next() {
        return Err(VersionFault::Character(stranger, "a version"));
    }
    let mut key = KeyWriter::default();
    key.number(epoch);
    let is_zero = |number: &&str| number.bytes().all(|digit| digit == b'0');
    let last = numbers.iter().rposition(|number| !is_zero(number));
    for number in numbers.iter().take(last.map_or(0, |last| last + 1)) {
        key.rank(MORE).number(number);
    }
    key.rank(END);
    match stage {
        Some((rank, number)) => key.rank(rank).number(number),
        None if post.is_none() && dev.is_some() => key.rank(BEFORE_STAGES),
        None => key.rank(AFTER_STAGES),
    };
    match post {
        Some(number) => key.rank(1).number(number),
        None => key.rank(0),
    };
    match dev {
        Some(number) => key.rank(0).number(number),
        None => key.rank(1),
    };
    if let Some(local) = local {
        write_local(&mut key, local)?;
    }
    key.rank(END);
    Ok(key.finish())
}

/// Segments of letters come before numbers, and a label before one that it begins.
fn write_local(key: &mut KeyWriter, local: &str) -> Result<(), VersionFault> {
    for segment in local.split(['.', '-', '_']) {
        if segment.is_empty() {
            return Err(VersionFault::Missing("a part of the local version"));
        }
        if let Some(stranger) = segment
            .chars()
            .find(|letter| !letter.is_ascii_alphanumeric())
        {
            return Err(VersionFault::Character(stranger, "a local version"));
        }
        if segment.bytes().all(|byte| byte.is_ascii_digit()) {
            key.rank(2).number(segment);
        } else {
            key.rank(1).word(segment);
        }
    }
    Ok(())
}

/// What is still to be read.
struct Rest<'a>(&'a str);

impl<'a> Rest<'a> {
    fn digits(&mut self) -> &'a str {
        let end = self.0.find(|letter: char| !letter.is_ascii_digit());
        let (digits, rest) = self.0.split_at(end.unwrap_or(self.0.len()));
        self.0 = rest;
        digits
    }

    fn release(&mut self) -> Result<Vec<&'a str>, VersionFault> {
        let mut numbers = Vec::new();
        loop {
            match self.digits() {
                "" => return Err(VersionFault::Missing("a number")),
                number => numbers.push(number),
            }
            // A dot may also separate what comes behind the release.
            let after = self.0.strip_prefix('.');
            let after = after.filter(|after| after.starts_with(|c: char| c.is_ascii_digit()));
            match after {
                Some(after) => self.0 = after,
                None => return Ok(numbers),
            }
        }
    }

    /// One of these words with a separator before it or none, and its number, 0 where there is none.
    fn stage(&mut self, words: &[&str]) -> Option<&'a str> {
        let begin = self.0.strip_prefix(['.', '-', '_']).unwrap_or(self.0);
        let mut words = words.iter();
        let after = words.find_map(|word| begin.strip_prefix(word))?;
        let number = after.strip_prefix(['.', '-', '_']).unwrap_or(after);
        if number.starts_with(|letter: char| letter.is_ascii_digit()) {
            self.0 = number;
            return Some(self.digits());
        }
        self.0 = after;
        Some("0")
    }

    /// `1.0-1` is `1.0.post1`.
    fn implicit_post(&mut self) -> Option<&'a str> {
        let number = self.0.strip_prefix('-')?;
        if !number.starts_with(|letter: char| letter.is_ascii_digit()) {
            return None;
        }
        self.0 = number;
        Some(self.digits())
    }
}
