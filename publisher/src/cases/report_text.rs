//! A report as `report.md`: what it says in fields between two lines of `+++`, and below it the texts.
//!
//! The texts are a stranger's. Each stands in a fence that it cannot close, so that whatever shows the file
//! shows them letter by letter and fetches nothing that they name. Who reported is not in it.

use serde::{Deserialize, Serialize};
use spacecp_contract::{Report, ReportedVersion};

use super::file_format::{FileFormatError, at};

const MARK: &str = "+++";

/// The longest file that is read; what is written is shorter.
pub(super) const LONGEST: usize = 1 << 20;

/// What a report says in fields.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Summary {
    /// One line.
    pub title: String,
    /// The files that came with it, in `attachments/`.
    #[serde(default)]
    pub attachments: Vec<String>,
    /// Where it was seen.
    #[serde(default)]
    pub affected: Vec<ReportedVersion>,
}

/// The file's text.
pub(super) fn text(report: &Report) -> String {
    let summary = Summary {
        title: report.title.clone(),
        affected: report.affected.clone(),
        attachments: report
            .attachments
            .iter()
            .map(|file| file.name.to_string())
            .collect(),
    };
    let summary = toml::to_string_pretty(&summary).expect("texts and lists of them are TOML");
    let mut text = format!("{MARK}\n{summary}{MARK}\n");
    for (heading, words) in [
        ("Steps to reproduce", &report.steps),
        ("What was expected", &report.expected),
        ("What happened", &report.actual),
        ("Anything else", &report.more),
    ] {
        if words.is_empty() {
            continue;
        }
        let fence = fence(words);
        let words = words.trim_end_matches('\n');
        text.push_str(&format!("\n# {heading}\n\n{fence}text\n{words}\n{fence}\n"));
    }
    text
}

/// More tildes than the text has in a row anywhere.
fn fence(text: &str) -> String {
    let runs = text.split(|character| character != '~').map(str::len);
    "~".repeat(runs.max().unwrap_or(0).max(2) + 1)
}

/// Reads the fields; the texts below are for people.
pub(super) fn summary(text: &str) -> Result<Summary, FileFormatError> {
    let begins = text
        .strip_prefix(MARK)
        .and_then(|rest| rest.strip_prefix('\n'));
    let Some(rest) = begins else {
        let problem = "a report must begin with its fields between two lines of \"+++\"";
        return Err(at(text, 0, problem.to_owned()));
    };
    let Some((fields, _)) = rest.split_once("\n+++\n") else {
        let problem = "the fields must end with a second line of \"+++\"";
        return Err(at(text, text.len(), problem.to_owned()));
    };
    // An empty line in place of the mark, so that errors count lines as an editor does.
    toml::from_str(&format!("\n{fields}")).map_err(|error| FileFormatError::Toml(error.to_string()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use spacecp_contract::Report;

    use super::{summary, text};

    #[test]
    fn no_text_closes_its_fence_and_becomes_markup() {
        let report = Report {
            steps: "~~~\n![](https://tracker.example.com/seen)\n~~~~~\n# Heading".into(),
            ..Report::default()
        };
        let text = text(&report);
        let parser = pulldown_cmark::Parser::new(text.split_once("\n+++\n").expect("fields").1);
        let fetched = parser.filter(|event| {
            matches!(
                event,
                pulldown_cmark::Event::Start(pulldown_cmark::Tag::Image { .. })
            )
        });
        assert_eq!(fetched.count(), 0, "{text}");
    }

    #[test]
    fn what_is_wrong_in_the_fields_is_named_by_the_line_an_editor_shows() {
        let error = summary("+++\ntitle = \"a\"\ntitel = 1\n+++\n").expect_err("no such field");
        assert!(error.to_string().contains("line 3, column 1"), "{error}");
        let open = summary("+++\ntitle = \"a\"\n").expect_err("it does not end");
        assert!(open.to_string().contains("line 3"), "{open}");
        assert!(summary("title = \"a\"").is_err());
    }

    proptest! {
        #[test]
        fn whatever_a_report_says_its_fields_are_read_back(title in "\\PC{1,80}", steps in "(\\PC|\n){0,200}") {
            let report = Report { title, steps, ..Report::default() };
            let read = summary(&text(&report)).map_err(|error| TestCaseError::fail(error.to_string()))?;
            prop_assert_eq!(read.title, report.title);
        }
    }
}
