//! How bad a flaw is: computed from CVSS vectors, never stored.
//!
//! Panel and plugin both ask, the one to enforce and the other to decide; there is one answer.

use cvss::Cvss;
use serde::{Deserialize, Serialize};

/// How bad a flaw is, after the qualitative scale of CVSS.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// No vector computes.
    Unrated,
    /// Score 0.
    None,
    /// Score 0.1 to 3.9.
    Low,
    /// Score 4.0 to 6.9.
    Medium,
    /// Score 7.0 to 8.9.
    High,
    /// Score 9.0 to 10.0.
    Critical,
}

impl Severity {
    /// The word that pages use.
    pub fn name(self) -> &'static str {
        match self {
            Self::Unrated => "not rated",
            Self::None => "none",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }
}

/// A severity and the score behind it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rating {
    /// The word for it.
    pub severity: Severity,
    /// The score in tenths.
    pub score: Option<u8>,
}

/// The rating of an advisory with these vectors.
///
/// The newest version of CVSS that computes decides, since it is the more exact one; of several
/// vectors of that version the highest score.
pub fn rate<Text: AsRef<str>>(vectors: &[Text]) -> Rating {
    let readable = vectors
        .iter()
        .filter_map(|vector| vector.as_ref().parse::<Cvss>().ok())
        .filter(is_complete);
    let worst = readable
        .map(|cvss| (generation(&cvss), tenths(cvss.score())))
        .max();
    match worst {
        Some((_, score)) => Rating {
            severity: word(score),
            score: Some(score),
        },
        None => Rating {
            severity: Severity::Unrated,
            score: None,
        },
    }
}

/// Whether every base metric is there: a score from some of them would be a guess.
fn is_complete(cvss: &Cvss) -> bool {
    let base = match generation(cvss) {
        4 => 11,
        _ => 8,
    };
    cvss.metrics().count() >= base
}

fn generation(cvss: &Cvss) -> u8 {
    match cvss {
        Cvss::CvssV40(_) => 4,
        _ => 3,
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "clamped to what fits before"
)]
fn tenths(score: f64) -> u8 {
    (score * 10.0).round().clamp(0.0, 100.0) as u8
}

/// The qualitative scale of CVSS v3.1 (section 5) and v4.0 (section 6).
fn word(tenths: u8) -> Severity {
    match tenths {
        0 => Severity::None,
        1..=39 => Severity::Low,
        40..=69 => Severity::Medium,
        70..=89 => Severity::High,
        _ => Severity::Critical,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rate_one(vector: &str) -> Rating {
        rate(&[vector.to_owned()])
    }

    #[test]
    fn log4shell_is_a_ten() {
        let rating = rate_one("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H");
        assert_eq!(
            rating,
            Rating {
                severity: Severity::Critical,
                score: Some(100)
            }
        );
    }

    #[test]
    fn a_vector_that_does_not_compute_leaves_the_flaw_unrated() {
        assert_eq!(rate_one("CVSS:3.1/AV:N").score, None);
        assert_eq!(rate::<&str>(&[]).severity, Severity::Unrated);
    }

    #[test]
    fn every_severity_has_its_scores_to_the_tenth() {
        for (severity, first, last) in [
            (Severity::None, 0, 0),
            (Severity::Low, 1, 39),
            (Severity::Medium, 40, 69),
            (Severity::High, 70, 89),
            (Severity::Critical, 90, 100),
        ] {
            assert_eq!([word(first), word(last)], [severity; 2]);
        }
    }

    #[test]
    fn every_severity_has_a_name() {
        let all = [
            Severity::Unrated,
            Severity::None,
            Severity::Low,
            Severity::Medium,
            Severity::High,
            Severity::Critical,
        ];
        let names = ["not rated", "none", "low", "medium", "high", "critical"];
        assert_eq!(all.map(Severity::name), names);
    }

    #[test]
    fn a_vector_that_lacks_a_base_metric_is_as_good_as_none() {
        for vector in [
            "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H",
            "CVSS:4.0/AV:N/AC:L/AT:N/PR:L/UI:N/VC:H/VI:N/VA:N/SC:N/SI:N/SA:N",
        ] {
            assert!(rate_one(vector).score.is_some());
            let (shorter, _) = vector.rsplit_once('/').expect("it has metrics");
            assert_eq!(rate_one(shorter).score, None, "{shorter}");
        }
    }

    #[test]
    fn the_newer_generation_decides() {
        let both = rate(&[
            "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H".to_owned(),
            "CVSS:4.0/AV:N/AC:L/AT:N/PR:L/UI:N/VC:H/VI:N/VA:N/SC:N/SI:N/SA:N".to_owned(),
        ]);
        assert_eq!(both.severity, Severity::High);
    }
}
