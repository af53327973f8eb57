//! Dotted numbers with suffixes, as game servers and their plugins have them.
//!
//! The rules, since no other document has them:
//!
//! 1. Case does not count, and nor does a leading `v` or what follows a `+`.
//! 2. Words before the first number name a line of development: `git-Paper-496` is number 496 of
//!    `git-paper`. Lines have no order between them, and `git-Paper-496` is neither before nor after
//!    `1.20.4`. Minecraft's weekly snapshots (`23w14a`) are a line of their own.
//! 3. The rest is a sequence of numbers and words: `.` separates, and `-`, `_`, blanks and the like
//!    separate more; a trailing `.0` does not count.
//! 4. `dev` < `alpha` = `a1` < `beta` = `b1` < `milestone` = `m1` < `pre` = `preview` < `rc` = `cr` <
//!    `snapshot` < nothing = `final` = `ga` = `release` = `stable` < other words (`1.20.4-R0.1`) <
//!    numbers after a hyphen (`1.20.4-496`) < numbers after a dot (`1.20.4.1`).

use super::{
    VersionFault,
    key::{Key, KeyWriter},
    sequence::{Meaning, Reading},
};

const GENERIC: Reading = Reading { is_hyphen, meaning };

/// No word is written so, and no line is named so.
const WEEKLY_SNAPSHOTS: &str = "#weekly";

pub(super) fn read(text: &str) -> Result<Key, VersionFault> {
    let text = text.to_lowercase();
    let text = text.split_once('+').map_or(text.as_str(), |(text, _)| text);
    if is_weekly_snapshot(text) {
        return Ok(GENERIC.key(KeyWriter::of_line(WEEKLY_SNAPSHOTS), text));
    }
    let first = text
        .find(|letter: char| letter.is_ascii_digit())
        .ok_or(VersionFault::Missing("a number"))?;
    let (line, numbers) = text.split_at(first);
    let line: String = line
        .split(|letter| letter == '.' || is_hyphen(letter))
        .filter(|word| !word.is_empty())
        .collect::<Vec<_>>()
        .join("-");
    let line = if line == "v" { "" } else { &line };
    Ok(GENERIC.key(KeyWriter::of_line(line), numbers))
}

/// Two digits, `w`, two digits, a letter.
fn is_weekly_snapshot(text: &str) -> bool {
    matches!(text.as_bytes(), [y, yy, b'w', w, ww, letter]
        if [y, yy, w, ww].iter().all(|digit| digit.is_ascii_digit()) && letter.is_ascii_lowercase())
}

fn is_hyphen(letter: char) -> bool {
    letter != '.' && !letter.is_alphanumeric()
}

fn meaning(word: &str, number_follows: bool) -> Meaning {
    match word {
        "dev" => Meaning::Before(1),
        "alpha" => Meaning::Before(2),
        "a" if number_follows => Meaning::Before(2),
        "beta" => Meaning::Before(3),
        "b" if number_follows => Meaning::Before(3),
        "milestone" => Meaning::Before(4),
        "m" if number_follows => Meaning::Before(4),
        "pre" | "preview" => Meaning::Before(5),
        "rc" | "cr" => Meaning::Before(6),
        "snapshot" => Meaning::Before(7),
        "final" | "ga" | "release" | "stable" => Meaning::Nothing,
        _ => Meaning::Other,
    }
}
