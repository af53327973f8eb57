//! Versions and ranges of versions, in the order that each scheme gives them.
//!
//! Panel, plugin and vendor have to agree about every one of these comparisons, so they are made
//! here and nowhere else. A version is read once: reading turns it into a key, and of two keys the
//! one with the lower bytes is the lower version. So every scheme is a total order by construction,
//! and a comparison never looks at the text again.
//!
//! What is not a version in its scheme is refused by name. Nothing here guesses.

mod alpine;
mod build_number;
mod composer;
mod deb;
mod gem;
mod generic;
mod key;
mod maven;
mod npm;
mod nuget;
mod pypi;
mod range;
mod rpm;
mod semver;
mod sequence;

use std::{cmp::Ordering, fmt};

use smallvec::SmallVec;

pub use self::build_number::without_build_letter;
use self::key::Key;
pub use self::range::{Range, RangeError, Relation};
use crate::VersionScheme;

/// The longest version in bytes.
pub const LONGEST_VERSION: usize = 256;

/// A version that was read in its scheme and is ready to compare.
///
/// Two versions are equal when their scheme says so, however they are written.
#[derive(Clone)]
pub struct Version {
    /// The first bytes of the key, filled up with zeros: most comparisons end here.
    head: u64,
    /// The bytes of the key after those, and behind them the text. There may be millions of versions, and most are
    /// short enough to need no allocation.
    rest: SmallVec<[u8; SHORT]>,
    /// Bytes of the key.
    key: u16,
    /// Bytes of the key that name a line of development.
    line: u16,
    scheme: VersionScheme,
}

/// Bytes of the key that are in its head.
const HEAD: usize = size_of::<u64>();

/// Bytes that take no more room than the address of longer ones.
const SHORT: usize = 12;

/// Why a text is not a version in a scheme.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not a valid {scheme} version: {fault}")]
pub struct VersionError {
    /// The text, as far as it can be shown.
    pub text: String,
    /// The scheme.
    pub scheme: VersionScheme,
    /// What is wrong.
    pub fault: VersionFault,
}

/// What is wrong with a text that is not a version.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VersionFault {
    /// Nothing is there.
    #[error("empty")]
    Empty,
    /// More than any version has.
    #[error("longer than {LONGEST_VERSION} bytes")]
    TooLong,
    /// A character that has no place there.
    #[error("unexpected {0:?} in {1}")]
    Character(char, &'static str),
    /// A part that has to be there and has nothing in it.
    #[error("{0} is missing")]
    Missing(&'static str),
    /// A number that the scheme does not go up to.
    #[error("{0} is too large")]
    TooLarge(&'static str),
    /// The scheme is not known here.
    #[error("unknown version scheme")]
    Scheme,
}

impl Version {
    /// Reads a version.
    pub fn read(scheme: VersionScheme, text: &str) -> Result<Self, VersionError> {
        if matches!(scheme, VersionScheme::Semver | VersionScheme::Npm)
            && let Some(key) = semver::small(text)
        {
            return Ok(Self::of(scheme, &key, 0, text));
        }
        match key(scheme, text) {
            Ok(Key { bytes, line }) => Ok(Self::of(scheme, &bytes, line, text)),
            Err(fault) => Err(VersionError {
                text: text.chars().take(80).collect(),
                scheme,
                fault,
            }),
        }
    }

    /// Which of two versions comes first; none for versions that have no order between them: those
    /// of two schemes, and in `generic` those of two lines of development.
    pub fn compare(&self, other: &Self) -> Option<Ordering> {
        if self.scheme != other.scheme {
            return None;
        }
        if self.line != 0 || other.line != 0 {
            let (key, other_key) = (self.whole_key(), other.whole_key());
            let (line, key) = key.split_at(usize::from(self.line));
            let (other_line, other_key) = other_key.split_at(usize::from(other.line));
            return (line == other_line).then(|| key.cmp(other_key));
        }
        let rests = || self.rest_of_key().cmp(other.rest_of_key());
        let heads = self.head.cmp(&other.head);
        // Of two keys that differ by nothing but zeros that were filled in, the shorter one comes first.
        Some(heads.then_with(rests).then(self.key.cmp(&other.key)))
    }

    fn of(scheme: VersionScheme, key: &[u8], line: u16, text: &str) -> Self {
        let (head, behind) = key.split_at(key.len().min(HEAD));
        let mut filled = [0; HEAD];
        filled[..head.len()].copy_from_slice(head);
        let mut rest = SmallVec::with_capacity(behind.len() + text.len());
        rest.extend_from_slice(behind);
        rest.extend_from_slice(text.as_bytes());
        Self {
            head: u64::from_be_bytes(filled),
            rest,
            // A key has a few bytes for each of a text that is bounded.
            key: u16::try_from(key.len()).unwrap_or(u16::MAX),
            line,
            scheme,
        }
    }

    fn rest_of_key(&self) -> &[u8] {
        &self.rest[..usize::from(self.key).saturating_sub(HEAD)]
    }

    fn whole_key(&self) -> Vec<u8> {
        let head = self.head.to_be_bytes();
        let head = &head[..usize::from(self.key).min(HEAD)];
        [head, self.rest_of_key()].concat()
    }

    /// The scheme that it was read in.
    pub fn scheme(&self) -> VersionScheme {
        self.scheme
    }

    /// The version as it was written.
    pub fn as_str(&self) -> &str {
        let text = &self.rest[self.rest_of_key().len()..];
        std::str::from_utf8(text).expect("it was put there as a text")
    }
}

impl fmt::Debug for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Version({} {:?})", self.scheme, self.as_str())
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl PartialEq for Version {
    fn eq(&self, other: &Self) -> bool {
        self.compare(other) == Some(Ordering::Equal)
    }
}

impl Eq for Version {}

impl PartialOrd for Version {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        self.compare(other)
    }
}

/// Which of two texts is the lower version of a scheme; none where that cannot be said.
pub fn compare(scheme: VersionScheme, one: &str, other: &str) -> Option<Ordering> {
    let one = Version::read(scheme, one).ok()?;
    one.compare(&Version::read(scheme, other).ok()?)
}

fn key(scheme: VersionScheme, text: &str) -> Result<Key, VersionFault> {
    if text.len() > LONGEST_VERSION {
        return Err(VersionFault::TooLong);
    }
    let text = text.trim();
    if text.is_empty() {
        return Err(VersionFault::Empty);
    }
    if let Some(control) = text.chars().find(|letter| letter.is_control()) {
        return Err(VersionFault::Character(control, "a version"));
    }
    match scheme {
        VersionScheme::Semver => semver::read(text),
        VersionScheme::Npm => npm::read(text),
        VersionScheme::Deb => deb::read(text),
        VersionScheme::Rpm => rpm::read(text),
        VersionScheme::Maven => Ok(maven::read(text)),
        VersionScheme::Alpine => alpine::read(text),
        VersionScheme::Composer => composer::read(text),
        VersionScheme::Pypi => pypi::read(text),
        VersionScheme::Nuget => nuget::read(text),
        VersionScheme::Gem => gem::read(text),
        VersionScheme::Generic => generic::read(text),
        VersionScheme::Unknown => Err(VersionFault::Scheme),
    }
}
