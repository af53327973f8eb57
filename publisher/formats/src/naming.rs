//! Texts and times of external documents, as our documents can have them.

use jiff::Timestamp;

use super::{Refusal, Remark};

/// The longest title that fits a page's heading, in characters.
pub(super) const LONGEST_TITLE: usize = 200;

/// The first 80 characters of untrusted text, for a message.
pub fn shown(text: &str) -> String {
    text.chars().take(80).collect()
}

/// A time as both formats write it: RFC 3339. One without a zone is read as UTC and a day as its beginning, with a remark.
pub(super) fn time(
    field: &str,
    text: &str,
    remarks: &mut Vec<Remark>,
) -> Result<Timestamp, Refusal> {
    let error = match text.trim().parse::<Timestamp>() {
        Ok(time) => return Ok(time),
        Err(error) => error,
    };
    let text = text.trim();
    let with = |suffix: &str| format!("{text}{suffix}").parse::<Timestamp>().ok();
    let Some(time) = with("Z").or_else(|| with("T00:00:00Z")) else {
        return Err(Refusal::Time {
            field: field.to_owned(),
            found: shown(text),
            reason: error.to_string(),
        });
    };
    remarks.push(Remark {
        field: field.to_owned(),
        reason: format!("{:?} has no time zone; read as {time}", shown(text)),
    });
    Ok(time)
}

/// When a document was published: at the latest when it was modified. Clocks differ, and the one that stamps the one
/// may be ahead of the one that stamps the other.
pub(super) fn published(
    field: &str,
    text: &str,
    modified: Timestamp,
    remarks: &mut Vec<Remark>,
) -> Result<Timestamp, Refusal> {
    let published = time(field, text, remarks)?;
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
    fn a_time_without_a_zone_is_utc_and_a_day_its_beginning_and_both_are_named() {
        for (text, utc, is_named) in [
            (
                "2026-02-03T04:05:06.789+02:00",
                "2026-02-03T02:05:06.789Z",
                false,
            ),
            ("2026-02-03T04:05:06", "2026-02-03T04:05:06Z", true),
            ("2026-02-03 04:05:06", "2026-02-03T04:05:06Z", true),
            ("2026-02-03", "2026-02-03T00:00:00Z", true),
        ] {
            let mut remarks = Vec::new();
            let read = time("modified", text, &mut remarks).unwrap();
            assert_eq!(
                (read.to_string().as_str(), !remarks.is_empty()),
                (utc, is_named),
                "{text}"
            );
        }
    }

    #[test]
    fn a_time_out_of_the_calendar_is_refused() {
        for text in ["2026-13-01T00:00:00Z", "2026-02-30", "2026-02", "soon", ""] {
            assert!(time("modified", text, &mut Vec::new()).is_err(), "{text}");
        }
    }
}
