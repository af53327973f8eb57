//! Semantic Versioning 2.0.0, in the order of its section 11; build metadata does not count.
//!
//! Read with the leniency that vendors need who say `SemVer` and mean it less strictly: a leading `v`,
//! numbers of any length, one or two numbers where the rest is 0, and further numbers after the
//! third, which then count as well.

use super::{
    VersionFault,
    key::{Key, KeyWriter, own_byte},
};

const PRE_RELEASE: u8 = 1;
const RELEASE: u8 = 2;
const FURTHER: u8 = 3;

const NO_MORE: u8 = 0;
const NUMERIC: u8 = 1;
const ALPHANUMERIC: u8 = 2;

pub(super) fn read(text: &str) -> Result<Key, VersionFault> {
    let text = text.strip_prefix(['v', 'V']).unwrap_or(text);
    let text = without_build(text)?;
    let (numbers, pre) = match text.split_once('-') {
        Some((numbers, pre)) => (numbers, Some(pre)),
        None => (text, None),
    };
    let numbers: Vec<&str> = numbers.split('.').collect();
    for number in &numbers {
        whole_number(number)?;
    }
    if let Some(pre) = pre {
        identifiers(pre, "a pre-release")?;
    }
    Ok(key(&numbers, pre))
}

/// The key of a version that is three small numbers and nothing else, as most are: the one that [`key`] gives, told
/// in one pass over the bytes. Nothing for any other text, which has to be read.
pub(super) fn small(text: &str) -> Option<[u8; 4]> {
    let mut numbers = [0; 3];
    let (mut place, mut digits) = (0, 0);
    for byte in text.bytes() {
        match byte {
            b'0'..=b'9' if digits < 3 => {
                numbers[place] = numbers[place] * 10 + u32::from(byte - b'0');
                digits += 1;
            }
            b'.' if digits > 0 && place < 2 => (place, digits) = (place + 1, 0),
            _ => return None,
        }
    }
    if place < 2 || digits == 0 {
        return None;
    }
    let [major, minor, patch] = numbers.map(own_byte);
    Some([major?, minor?, patch?, RELEASE])
}

/// What comes before the build metadata, which have to be well-formed and count for nothing.
pub(super) fn without_build(text: &str) -> Result<&str, VersionFault> {
    match text.split_once('+') {
        Some((text, build)) => {
            identifiers(build, "build metadata")?;
            Ok(text)
        }
        None => Ok(text),
    }
}

/// The key of these numbers and this pre-release, both checked before.
pub(super) fn key(numbers: &[&str], pre: Option<&str>) -> Key {
    let mut key = KeyWriter::default();
    for place in 0..3 {
        key.number(numbers.get(place).unwrap_or(&"0"));
    }
    let is_zero = |number: &&str| number.bytes().all(|digit| digit == b'0');
    let last = numbers.iter().rposition(|number| !is_zero(number));
    for number in numbers.iter().take(last.map_or(0, |last| last + 1)).skip(3) {
        key.rank(FURTHER).number(number);
    }
    let Some(pre) = pre else {
        key.rank(RELEASE);
        return key.finish();
    };
    key.rank(PRE_RELEASE);
    for identifier in pre.split('.') {
        if identifier.bytes().all(|byte| byte.is_ascii_digit()) {
            key.rank(NUMERIC).number(identifier);
        } else {
            key.rank(ALPHANUMERIC).word(identifier);
        }
    }
    key.rank(NO_MORE);
    key.finish()
}

pub(super) fn whole_number(text: &str) -> Result<(), VersionFault> {
    if text.is_empty() {
        return Err(VersionFault::Missing("a number"));
    }
    let stranger = text.chars().find(|letter| !letter.is_ascii_digit());
    stranger.map_or(Ok(()), |letter| {
        Err(VersionFault::Character(letter, "a number"))
    })
}

/// Checks what stands between dots: letters, digits and hyphens, and never nothing.
pub(super) fn identifiers(text: &str, what: &'static str) -> Result<(), VersionFault> {
    for identifier in text.split('.') {
        if identifier.is_empty() {
            return Err(VersionFault::Missing("an identifier between dots"));
        }
        let fits = |letter: &char| letter.is_ascii_alphanumeric() || *letter == '-';
        if let Some(stranger) = identifier.chars().find(|letter| !fits(letter)) {
            return Err(VersionFault::Character(stranger, what));
        }
    }
    Ok(())
}
