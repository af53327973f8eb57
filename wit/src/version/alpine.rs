//! Alpine's package versions, in the order of apk-tools (apk-package(5) and its `version.c`).
//!
//! `number{.number}[letter]{_suffix[number]}[~hash][-rN]`. The suffixes `alpha` < `beta` < `pre` < `rc` come before the
//! version without one, `cvs` < `svn` < `git` < `hg` < `p` after it. A number after the first that begins with 0 is
//! compared as text, as behind a decimal point.

use super::{
    VersionFault,
    key::{Key, KeyWriter},
};

/// What may come next, the lowest first.
mod rank {
    pub(super) const EARLY_SUFFIX: u8 = 1;
    pub(super) const END: u8 = 2;
    pub(super) const REVISION: u8 = 3;
    pub(super) const HASH: u8 = 4;
    pub(super) const SUFFIX_NUMBER: u8 = 5;
    pub(super) const LATE_SUFFIX: u8 = 6;
    pub(super) const LETTER: u8 = 7;
    pub(super) const FRACTION: u8 = 8;
    pub(super) const NUMBER: u8 = 9;
}

const EARLY: [&str; 4] = ["alpha", "beta", "pre", "rc"];
const LATE: [&str; 5] = ["cvs", "svn", "git", "hg", "p"];

pub(super) fn read(text: &str) -> Result<Key, VersionFault> {
    let mut key = KeyWriter::default();
    let mut rest = Rest(text);
    let first = rest.digits();
    if first.is_empty() {
        return Err(VersionFault::Missing("a number"));
    }
    key.number(first);
    while rest.takes('.') {
        match rest.digits() {
            "" => return Err(VersionFault::Missing("a number between dots")),
            fraction if fraction.starts_with('0') => key.rank(rank::FRACTION).word(fraction),
            number => key.rank(rank::NUMBER).number(number),
        };
    }
    if let Some(letter) = rest.0.bytes().next().filter(u8::is_ascii_lowercase) {
        rest.0 = rest.0.get(1..).unwrap_or_default();
        key.rank(rank::LETTER).rank(letter);
    }
    while rest.takes('_') {
        suffix(&mut key, rest.run(|letter| letter.is_ascii_lowercase()))?;
        match rest.digits() {
            "" => {}
            number => {
                key.rank(rank::SUFFIX_NUMBER).number(number);
            }
        }
    }
    if rest.takes('~') {
        match rest.run(|letter| matches!(letter, '0'..='9' | 'a'..='f')) {
            "" => return Err(VersionFault::Missing("the hash after the tilde")),
            hash => key.rank(rank::HASH).word(hash),
        };
    }
    if let Some(revision) = rest.0.strip_prefix("-r") {
        rest.0 = revision;
        match rest.digits() {
            "" => return Err(VersionFault::Missing("the number of the revision")),
            number => key.rank(rank::REVISION).number(number),
        };
    }
    if let Some(stranger) = rest.0.chars().next() {
        return Err(VersionFault::Character(stranger, "a version"));
    }
    key.rank(rank::END);
    Ok(key.finish())
}

fn suffix(key: &mut KeyWriter, word: &str) -> Result<(), VersionFault> {
    let place = |known: &[&str]| known.iter().position(|known| *known == word);
    let (rank, place) = match (place(&EARLY), place(&LATE)) {
        (Some(early), _) => (rank::EARLY_SUFFIX, early),
        (None, Some(late)) => (rank::LATE_SUFFIX, late),
        (None, None) => return Err(VersionFault::Missing("a known suffix after \"_\"")),
    };
    key.rank(rank).rank(u8::try_from(place).unwrap_or(u8::MAX));
    Ok(())
}

/// What is still to be read.
struct Rest<'a>(&'a str);

impl<'a> Rest<'a> {
    fn takes(&mut self, letter: char) -> bool {
        let rest = self.0.strip_prefix(letter);
        self.0 = rest.unwrap_or(self.0);
        rest.is_some()
    }

    fn digits(&mut self) -> &'a str {
        self.run(|letter| letter.is_ascii_digit())
    }

    fn run(&mut self, fits: impl Fn(char) -> bool) -> &'a str {
        let end = self.0.find(|letter| !fits(letter));
        let (run, rest) = self.0.split_at(end.unwrap_or(self.0.len()));
        self.0 = rest;
        run
    }
}
