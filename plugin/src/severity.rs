//! How bad a flaw is, in the words of the interfaces: the contract computes it.

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
pub fn rate(vectors: &[String]) -> Rating {
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
