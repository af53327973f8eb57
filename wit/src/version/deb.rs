//! Debian package versions, in the order of `dpkg`: Debian Policy 5.6.12, deb-version(7).
//!
//! `[epoch:]upstream[-revision]`. Upstream and revision are compared in turns, a part without digits
//! and a number; in the former `~` comes before the end, the end before letters, and letters before
//! everything else. No epoch is epoch 0, and no revision is as good as `0`.

use super::{
    VersionFault,
    key::{Key, KeyWriter},
};

/// The largest epoch of `dpkg`.
const LARGEST_EPOCH: u32 = i32::MAX.unsigned_abs();

const TILDE: u8 = 1;
const END: u8 = 2;
/// Letters keep their ASCII order above the end; what is no letter comes above all of them.
const NO_LETTER: u8 = 0x80;

pub(super) fn read(text: &str) -> Result<Key, VersionFault> {
    let (epoch, rest) = match text.split_once(':') {
        Some((epoch, rest)) => (read_epoch(epoch)?, rest),
        None => ("0", text),
    };
    let (upstream, revision) = match rest.rsplit_once('-') {
        Some((_, "")) => return Err(VersionFault::Missing("the revision after the hyphen")),
        Some((upstream, revision)) => (upstream, revision),
        None => (rest, "0"),
    };
    if upstream.is_empty() {
        return Err(VersionFault::Missing("the upstream version"));
    }
    permit(upstream, ".+~-:", "an upstream version")?;
    permit(revision, ".+~", "a revision")?;
    let mut key = KeyWriter::default();
    key.number(epoch);
    part(&mut key, upstream);
    part(&mut key, revision);
    Ok(key.finish())
}

fn read_epoch(epoch: &str) -> Result<&str, VersionFault> {
    if epoch.is_empty() {
        return Err(VersionFault::Missing("the epoch before the colon"));
    }
    permit_digits(epoch)?;
    let fits = epoch.parse().is_ok_and(|epoch: u32| epoch <= LARGEST_EPOCH);
    fits.then_some(epoch)
        .ok_or(VersionFault::TooLarge("the epoch"))
}

fn permit_digits(epoch: &str) -> Result<(), VersionFault> {
    let stranger = epoch.chars().find(|letter| !letter.is_ascii_digit());
    stranger.map_or(Ok(()), |letter| {
        Err(VersionFault::Character(letter, "an epoch"))
    })
}

fn permit(text: &str, others: &str, what: &'static str) -> Result<(), VersionFault> {
    let fits = |letter: char| letter.is_ascii_alphanumeric() || others.contains(letter);
    let stranger = text.chars().find(|letter| !fits(*letter));
    stranger.map_or(Ok(()), |letter| Err(VersionFault::Character(letter, what)))
}

fn part(key: &mut KeyWriter, mut text: &str) {
    while !text.is_empty() {
        let (letters, rest) = split(text, |letter| !letter.is_ascii_digit());
        for letter in letters.bytes() {
            key.rank(match letter {
                b'~' => TILDE,
                letter if letter.is_ascii_alphabetic() => letter,
                letter => NO_LETTER + letter,
            });
        }
        let (digits, rest) = split(rest, |letter| letter.is_ascii_digit());
        key.rank(END).number(digits);
        text = rest;
    }
    key.rank(END).number("0");
}

fn split(text: &str, fits: impl Fn(char) -> bool) -> (&str, &str) {
    let end = text.find(|letter| !fits(letter)).unwrap_or(text.len());
    text.split_at(end)
}
