//! npm's versions: Semantic Versioning, read as loosely as `node-semver` reads.
//!
//! Any number of `v`, `=` and blanks may come first, a pre-release may come without its hyphen
//! (`1.2.3beta`), and numbers may begin with 0. All three numbers have to be there, none larger than
//! what JavaScript counts exactly.

use super::{
    VersionFault,
    key::Key,
    semver::{self, identifiers, whole_number},
};

/// JavaScript's `Number.MAX_SAFE_INTEGER`.
const LARGEST: u64 = (1 << 53) - 1;

pub(super) fn read(text: &str) -> Result<Key, VersionFault> {
    let is_prefix = |letter: char| matches!(letter, 'v' | '=') || letter.is_whitespace();
    let text = text.trim_start_matches(is_prefix);
    let text = semver::without_build(text)?;
    let mut parts = text.splitn(3, '.');
    let mut next = || parts.next().ok_or(VersionFault::Missing("a number"));
    let (major, minor, rest) = (next()?, next()?, next()?);
    let end = rest
        .find(|letter: char| !letter.is_ascii_digit())
        .unwrap_or(rest.len());
    let (patch, pre) = rest.split_at(end);
    for number in [major, minor, patch] {
        whole_number(number)?;
        if number
            .parse::<u64>()
            .map_or(true, |number| number > LARGEST)
        {
            return Err(VersionFault::TooLarge("a number"));
        }
    }
    if pre.is_empty() {
        return Ok(semver::key(&[major, minor, patch], None));
    }
    let pre = pre.strip_prefix('-').unwrap_or(pre);
    identifiers(pre, "a pre-release")?;
    Ok(semver::key(&[major, minor, patch], Some(pre)))
}
