//! A range of versions that was read in its scheme, with the meaning that OSV gives it.

use std::{cmp::Ordering, fmt};

use super::{Version, VersionError};
use crate::{VersionRange, VersionScheme};

/// A range of versions, ready to compare with.
#[derive(Debug, Clone)]
pub struct Range {
    /// None is before all versions.
    introduced: Option<Version>,
    end: End,
}

#[derive(Debug, Clone)]
enum End {
    Fixed(Version),
    LastAffected(Version),
    Limit(Version),
    Open,
}

/// Where a version is, seen from a range.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Relation {
    /// In it.
    Inside,
    /// After its fix.
    Past,
    /// Before it, or after an end that is no fix.
    Outside,
}

/// Why a range cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RangeError {
    /// One of its versions.
    #[error("{0}")]
    Version(#[from] VersionError),
    /// It says more than once where it ends.
    #[error("more than one of fixed, last_affected and limit")]
    TwoEnds,
    /// It ends before it begins.
    #[error("it ends at {end}, before its start {begin}")]
    Backwards {
        /// Where it begins.
        begin: String,
        /// Where it ends.
        end: String,
    },
    /// Its versions have no order between them.
    #[error("cannot compare its start {begin} with its end {end}")]
    Unrelated {
        /// Where it begins.
        begin: String,
        /// Where it ends.
        end: String,
    },
}

impl Range {
    /// Reads a range.
    pub fn read<Text: AsRef<str>>(
        scheme: VersionScheme,
        range: &VersionRange<Text>,
    ) -> Result<Self, RangeError> {
        let read = |text: &str| Version::read(scheme, text);
        let introduced = match range.introduced.as_ref() {
            "0" => None,
            text => Some(read(text)?),
        };
        let end = match (
            text(range.fixed.as_ref()),
            text(range.last_affected.as_ref()),
            text(range.limit.as_ref()),
        ) {
            (None, None, None) => End::Open,
            (Some(fixed), None, None) => End::Fixed(read(fixed)?),
            (None, Some(last), None) => End::LastAffected(read(last)?),
            // Two asterisks are OSV's way to say that there is none.
            (None, None, Some("*")) => End::Open,
            (None, None, Some(limit)) => End::Limit(read(limit)?),
            _ => return Err(RangeError::TwoEnds),
        };
        if let (Some(begin), Some(end)) = (&introduced, end.version()) {
            let ends = || (begin.to_string(), end.to_string());
            match begin.compare(end) {
                None => {
                    let (begin, end) = ends();
                    return Err(RangeError::Unrelated { begin, end });
                }
                Some(Ordering::Greater) => {
                    let (begin, end) = ends();
                    return Err(RangeError::Backwards { begin, end });
                }
                Some(_) => {}
            }
        }
        // Without a bound there is nothing whose scheme could be found unknown.
        if scheme == VersionScheme::Unknown {
            read(range.introduced.as_ref())?;
        }
        Ok(Self { introduced, end })
    }

    /// Where a version is, seen from this range; none where that cannot be said.
    pub fn relation(&self, version: &Version) -> Option<Relation> {
        let begins = match &self.introduced {
            Some(introduced) => introduced.compare(version)?.is_le(),
            None => true,
        };
        let (ends, end) = match &self.end {
            End::Fixed(end) => (version.compare(end)?.is_ge(), Relation::Past),
            End::Limit(end) => (version.compare(end)?.is_ge(), Relation::Outside),
            End::LastAffected(last) => (version.compare(last)?.is_gt(), Relation::Outside),
            End::Open => (false, Relation::Outside),
        };
        Some(match (begins, ends) {
            (_, true) => end,
            (true, false) => Relation::Inside,
            (false, false) => Relation::Outside,
        })
    }

    /// Whether a version is in it; none where that cannot be said.
    pub fn contains(&self, version: &Version) -> Option<bool> {
        self.relation(version)
            .map(|relation| relation == Relation::Inside)
    }

    /// The first version that is no longer in it, where that is its fix.
    pub fn fixed(&self) -> Option<&Version> {
        match &self.end {
            End::Fixed(fix) => Some(fix),
            _ => None,
        }
    }

    /// Whether every version in it is known to come before this one.
    pub fn ends_before(&self, version: &Version) -> bool {
        match &self.end {
            End::Fixed(end) | End::Limit(end) => end.compare(version).is_some_and(Ordering::is_le),
            End::LastAffected(last) => last.compare(version).is_some_and(Ordering::is_lt),
            End::Open => false,
        }
    }

    /// Whether some version may be in both.
    pub fn overlaps(&self, other: &Self) -> bool {
        let reaches = |one: &Self, other: &Self| match (&one.end, &other.introduced) {
            (End::Open, _) | (_, None) => true,
            (End::Fixed(end) | End::Limit(end), Some(begin)) => {
                begin.compare(end).is_some_and(Ordering::is_lt)
            }
            (End::LastAffected(last), Some(begin)) => {
                begin.compare(last).is_some_and(Ordering::is_le)
            }
        };
        !self.is_empty() && !other.is_empty() && reaches(self, other) && reaches(other, self)
    }

    /// Whether no version can be in it, as it ends where it begins.
    pub fn is_empty(&self) -> bool {
        matches!((&self.introduced, &self.end), (Some(begin), End::Fixed(end) | End::Limit(end)) if begin == end)
    }
}

fn text<Text: AsRef<str>>(text: Option<&Text>) -> Option<&str> {
    text.map(AsRef::as_ref)
}

impl End {
    fn version(&self) -> Option<&Version> {
        match self {
            Self::Fixed(end) | Self::LastAffected(end) | Self::Limit(end) => Some(end),
            Self::Open => None,
        }
    }
}

impl fmt::Display for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.introduced {
            Some(introduced) => write!(f, "[{introduced}, ")?,
            None => f.write_str("[0, ")?,
        }
        match &self.end {
            End::Fixed(end) | End::Limit(end) => write!(f, "{end})"),
            End::LastAffected(last) => write!(f, "{last}]"),
            End::Open => f.write_str("…)"),
        }
    }
}
