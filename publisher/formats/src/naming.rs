//! Texts and times of external documents, as our documents can have them.

use jiff::Timestamp;

use super::{Refusal, Remark};

/// The longest title that fits a page's heading, in characters.
pub(super) const LONGEST_TITLE: usize = 200;

/// The first 80 characters of untrusted text, for a message.
pub fn shown(text: &str) -> String {
    text.chars().take(80).collect()
}

/// A time as both formats write it: RFC 3339.
pub(super) fn time(field: &str, text: &str) -> Result<Timestamp, Refusal> {
    text.parse().map_err(|error: jiff::Error| Refusal::Time {
        field: field.to_owned(),
        found: shown(text),
        reason: error.to_string(),
    })
}

/// When a document was published: at the latest when it was modified. Clocks differ, and the one that stamps the one
/// may be ahead of the one that stamps the other.
pub(super) fn published(
    field: &str,
    text: &str,
    modified: Timestamp,
    remarks: &mut Vec<Remark>,
) -> Result<Timestamp, Refusal> {
    let published = time(field, text)?;
    if published > modified {
        remarks.push(Remark {
            field: field.to_owned(),
            reason: format!(
                "published {published}, after it was modified ({modified}); the earlier time is used"
            ),
        });
    }
    Ok(published.min(modified))
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
