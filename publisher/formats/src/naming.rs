//! Ids and texts of external documents, as our documents can have them.

use jiff::Timestamp;
use spacecp_contract::{DocumentId, LONGEST_SOURCE_ID};

use super::Refusal;

/// The longest title that fits a page's heading, in characters.
pub(super) const LONGEST_TITLE: usize = 200;

/// The first 80 characters of untrusted text, for a message.
pub fn shown(text: &str) -> String {
    text.chars().take(80).collect()
}

/// The id of an advisory that is made from a document with this id.
///
/// Where our ids have no room for it – small letters, colons, underscores, full stops – the nearest
/// one is taken: `GHSA-jfh8-c2jp-5v3q` is `GHSA-JFH8-C2JP-5V3Q`, `RHSA-2026:0001` is
/// `RHSA-2026-0001`. The advisory's source has the id as it was, and two documents that would get
/// one id are told apart by it.
pub(super) fn document_id(field: &'static str, id: &str) -> Result<DocumentId, Refusal> {
    let refused = |reason: String| Refusal::Id {
        field,
        found: shown(id),
        reason,
    };
    if id.len() > LONGEST_SOURCE_ID {
        return Err(refused(format!("longer than {LONGEST_SOURCE_ID} bytes")));
    }
    let fits = |letter: char| letter.is_ascii_alphanumeric() || "-_.:".contains(letter);
    if let Some(stranger) = id.chars().find(|letter| !fits(*letter)) {
        return Err(refused(format!("unexpected character {stranger:?}")));
    }
    if id.contains("..") {
        return Err(refused("two consecutive full stops".to_owned()));
    }
    let near = id.to_ascii_uppercase().replace(['_', '.', ':'], "-");
    DocumentId::new(near).map_err(|error| refused(error.to_string()))
}

/// A time as both formats write it: RFC 3339.
pub(super) fn time(field: &str, text: &str) -> Result<Timestamp, Refusal> {
    text.parse().map_err(|error: jiff::Error| Refusal::Time {
        field: field.to_owned(),
        found: shown(text),
        reason: error.to_string(),
    })
}

/// One line of at most [`LONGEST_TITLE`] characters: the first text that has one; the id if none has.
pub(super) fn title(texts: &[&str], id: &str) -> String {
    let lines = texts.iter().flat_map(|text| text.lines());
    let mut lines = lines.map(|line| line.trim_start_matches(['#', ' ', '\t']).trim());
    let line = lines.find(|line| !line.is_empty()).unwrap_or(id);
    if line.chars().count() <= LONGEST_TITLE {
        return line.to_owned();
    }
    let short: String = line.chars().take(LONGEST_TITLE - 1).collect();
    format!("{}…", short.trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(text: &str) -> Result<String, Refusal> {
        document_id("id", text).map(|id| id.to_string())
    }

    #[test]
    fn an_id_that_fits_is_taken_as_it_is_and_others_by_the_nearest_that_does() {
        for (foreign, ours) in [
            ("RUSTSEC-2016-0001", "RUSTSEC-2016-0001"),
            ("GHSA-jfh8-c2jp-5v3q", "GHSA-JFH8-C2JP-5V3Q"),
            ("RHSA-2026:0001", "RHSA-2026-0001"),
            ("x_acme-1", "X-ACME-1"),
        ] {
            assert_eq!(id(foreign).as_deref(), Ok(ours));
        }
    }

    #[test]
    fn an_id_that_means_something_in_a_path_is_refused() {
        for hostile in [
            "../../etc/passwd",
            "a/b",
            "A..B",
            "",
            "é-1",
            "A\0B",
            "A\u{202e}B",
        ] {
            assert!(id(hostile).is_err(), "{hostile:?}");
        }
        assert!(id(&"A".repeat(300)).is_err());
    }

    #[test]
    fn a_title_is_one_line_that_fits_a_heading() {
        assert_eq!(title(&["", "\n## Flaw\nmore"], "X"), "Flaw");
        assert_eq!(title(&["", " "], "X-1"), "X-1");
        let long = title(&[&"ä".repeat(500)], "X");
        assert_eq!(long.chars().count(), LONGEST_TITLE);
        assert!(long.ends_with('…'));
    }

    #[test]
    fn a_time_without_a_zone_or_out_of_the_calendar_is_refused() {
        for text in [
            "2026-13-01T00:00:00Z",
            "2026-02-30T00:00:00Z",
            "2026-02-03",
            "soon",
            "",
        ] {
            assert!(time("modified", text).is_err(), "{text}");
        }
        assert!(time("modified", "2026-02-03T04:05:06.789+02:00").is_ok());
    }
}
