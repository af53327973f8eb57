//! RPM package versions, in the order of `rpm`: rpm-version(7) and its `rpmvercmp`.
//!
//! `[epoch:]version[-release]`. Version and release are runs of digits or of letters; all else only
//! separates, but for `~`, which comes before the end, and `^`, which comes right after it. Numbers
//! come after letters. No epoch is epoch 0; no release comes before any.

use super::{
    VersionFault,
    key::{Key, KeyWriter},
};

const TILDE: u8 = 1;
const END: u8 = 2;
const CARET: u8 = 3;
const LETTERS: u8 = 4;
const NUMBER: u8 = 5;

pub(super) fn read(text: &str) -> Result<Key, VersionFault> {
    if let Some(space) = text.chars().find(|letter| letter.is_whitespace()) {
        return Err(VersionFault::Character(space, "a version"));
    }
    // A colon that comes after anything but digits is not the end of an epoch.
    let (epoch, rest) = match text.split_once(':') {
        Some((epoch, rest)) if epoch.bytes().all(|byte| byte.is_ascii_digit()) => (epoch, rest),
        _ => ("0", text),
    };
    let (version, release) = match rest.rsplit_once('-') {
        Some((version, release)) => (version, Some(release)),
        None => (rest, None),
    };
    let mut key = KeyWriter::default();
    key.number(epoch);
    part(&mut key, version);
    if let Some(release) = release {
        key.rank(1);
        part(&mut key, release);
    } else {
        key.rank(0);
    }
    Ok(key.finish())
}

fn part(key: &mut KeyWriter, text: &str) {
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let end = |fits: fn(char) -> bool| rest.find(|c| !fits(c)).unwrap_or(rest.len());
        let length = match first {
            '~' => {
                key.rank(TILDE);
                1
            }
            '^' => {
                key.rank(CARET);
                1
            }
            '0'..='9' => {
                let end = end(|letter| letter.is_ascii_digit());
                key.rank(NUMBER).number(&rest[..end]);
                end
            }
            'a'..='z' | 'A'..='Z' => {
                let end = end(|letter| letter.is_ascii_alphabetic());
                key.rank(LETTERS).word(&rest[..end]);
                end
            }
            separator => separator.len_utf8(),
        };
        rest = &rest[length..];
    }
    key.rank(END);
}
