//! How bad a flaw is, in the words of the interfaces: the contract computes it.

use rustc_hash::FxHashMap;
use spacecp_contract::Severity as Computed;

use crate::bindings::spacecp::advisories::types::Severity;

/// A severity and the score behind it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rating {
    /// The word for it.
    pub severity: Severity,
    /// The score in tenths.
    pub score: Option<u8>,
}

/// The rating of an advisory with these vectors.
pub fn rate<Text: AsRef<str>>(vectors: &[Text]) -> Rating {
    let rating = spacecp_contract::rate(vectors);
    Rating {
        severity: match rating.severity {
            Computed::Unrated => Severity::Unrated,
            Computed::None => Severity::None,
            Computed::Low => Severity::Low,
            Computed::Medium => Severity::Medium,
            Computed::High => Severity::High,
            Computed::Critical => Severity::Critical,
        },
        score: rating.score,
    }
}

/// Ratings by the vector that they were computed from: among thousands of advisories few vectors are new.
#[derive(Debug, Default)]
pub(crate) struct Ratings {
    known: FxHashMap<Box<str>, Rating>,
}

/// Vectors that are remembered: more than CVSS 3.1 has, and few enough for whoever is sent made-up ones.
const REMEMBERED: usize = 4_096;

/// Bytes of a vector that is remembered: more than any version of CVSS takes.
const LONGEST: usize = 256;

impl Ratings {
    /// The rating of an advisory with these vectors, as [`rate`] computes it.
    pub(crate) fn of<Text: AsRef<str>>(&mut self, vectors: &[Text]) -> Rating {
        let [vector] = vectors else {
            return rate(vectors);
        };
        let vector = vector.as_ref();
        if let Some(rating) = self.known.get(vector) {
            return *rating;
        }
        let rating = rate(vectors);
        if self.known.len() < REMEMBERED && vector.len() <= LONGEST {
            self.known.insert(vector.into(), rating);
        }
        rating
    }
}

/// An order over severities; the enumeration's own is that of the contract.
pub fn rank(severity: Severity) -> u8 {
    match severity {
        Severity::Unrated | Severity::None => 0,
        Severity::Low => 1,
        Severity::Medium => 2,
        Severity::High => 3,
        Severity::Critical => 4,
    }
}

/// The word that pages use.
pub fn name(severity: Severity) -> &'static str {
    match severity {
        Severity::Unrated => Computed::Unrated,
        Severity::None => Computed::None,
        Severity::Low => Computed::Low,
        Severity::Medium => Computed::Medium,
        Severity::High => Computed::High,
        Severity::Critical => Computed::Critical,
    }
    .name()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_remembered_is_what_was_computed_for_the_same_vectors() {
        let low = "CVSS:3.1/AV:L/AC:H/PR:H/UI:R/S:U/C:L/I:N/A:N";
        let high = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N";
        let mut ratings = Ratings::default();
        for vectors in [
            &[low][..],
            &[high],
            &[low],
            &[low, high],
            &["nonsense"],
            &[],
            &[high],
        ] {
            assert_eq!(ratings.of(vectors), rate(vectors), "{vectors:?}");
        }
    }

    #[test]
    fn made_up_vectors_are_rated_and_no_more_of_them_remembered_than_fit() {
        let mut ratings = Ratings::default();
        for number in 0..=REMEMBERED {
            let vector = format!("CVSS:3.1/{number}");
            assert_eq!(ratings.of(&[&vector]), rate(&[&vector]));
        }
        assert_eq!(ratings.known.len(), REMEMBERED);
    }

    #[test]
    fn a_vector_longer_than_any_is_rated_and_not_remembered() {
        let long = "CVSS:3.1/".repeat(30);
        let mut ratings = Ratings::default();
        assert_eq!(ratings.of(&[&long]), rate(&[&long]));
        assert!(ratings.known.is_empty());
    }
}
