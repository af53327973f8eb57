//! What a case is called.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// The id of a case, as `CASE-2026-0007`: a year and a number within it. It is the name of a folder, and
/// cannot be that of any other place.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct CaseId {
    year: u16,
    number: u32,
}

/// Why a text is not the id of a case.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("invalid case id {found:?}; expected the form CASE-2026-0007")]
pub struct CaseIdError {
    found: String,
}

impl CaseId {
    /// The case with this number of a year; `None` beyond the 999,999 that one year can have.
    pub fn new(year: u16, number: u32) -> Option<Self> {
        let fits = (2000..=9999).contains(&year) && (1..=999_999).contains(&number);
        fits.then_some(Self { year, number })
    }

    /// The year that it was opened in.
    pub fn year(&self) -> u16 {
        self.year
    }

    /// Its number within the year.
    pub fn number(&self) -> u32 {
        self.number
    }
}

impl fmt::Display for CaseId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CASE-{}-{:04}", self.year, self.number)
    }
}

impl From<CaseId> for String {
    fn from(id: CaseId) -> Self {
        id.to_string()
    }
}

impl TryFrom<String> for CaseId {
    type Error = CaseIdError;

    fn try_from(text: String) -> Result<Self, CaseIdError> {
        text.parse()
    }
}

impl FromStr for CaseId {
    type Err = CaseIdError;

    fn from_str(text: &str) -> Result<Self, CaseIdError> {
        let parts = text
            .strip_prefix("CASE-")
            .and_then(|rest| rest.split_once('-'));
        let read =
            parts.and_then(|(year, number)| Self::new(year.parse().ok()?, number.parse().ok()?));
        // Only one way to write it, so that one case is one folder.
        read.filter(|id| id.to_string() == text)
            .ok_or_else(|| CaseIdError {
                found: text.chars().take(80).collect(),
            })
    }
}

#[cfg(test)]
mod tests {
    use super::CaseId;

    #[test]
    fn an_id_is_written_in_one_way() {
        for text in ["CASE-2026-0007", "CASE-2026-12345"] {
            assert_eq!(text.parse::<CaseId>().expect(text).to_string(), text);
        }
    }

    #[test]
    fn what_could_be_a_path_is_no_id() {
        for text in [
            "..",
            "../CASE-2026-0007",
            "CASE-2026-0007/..",
            "/etc/passwd",
            "CASE-2026-+007",
            "CASE-2026-7",
            "CASE-2026-0000",
            "case-2026-0007",
            "CASE-2026-0007\0",
            "",
        ] {
            let refused = text.parse::<CaseId>().expect_err(text);
            assert!(refused.to_string().contains("CASE-2026-0007"), "{refused}");
        }
    }
}
