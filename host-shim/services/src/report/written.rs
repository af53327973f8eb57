//! A report as a file, for whoever reports from a terminal: the fields of the form, in TOML.

use serde::Deserialize;
use spacecp_contract::{Finder, Report, ReportError, ReportLimits, ReportedVersion};

use super::{Recipient, RecipientError};
use spacecp_apply::inventory::Inventory;

/// The longest file that is read: more than every field can have.
pub const LONGEST: u64 = 512 << 10;

/// Why a file is no report.
#[derive(Debug, thiserror::Error)]
pub enum WrittenError {
    /// It is longer than any report.
    #[error("the report is longer than {LONGEST} bytes")]
    Long,
    /// A field; the message shows line and column.
    #[error("cannot parse the report:\n{0}")]
    Field(Box<toml::de::Error>),
    /// The finder's recipient is none.
    #[error("recipient: {0}")]
    Recipient(#[from] RecipientError),
    /// Something else.
    #[error(transparent)]
    Report(#[from] ReportError),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
#[derive(Default)]
struct Written {
    title: String,
    steps: String,
    expected: String,
    actual: String,
    more: String,
    affected: Vec<ReportedVersion>,
    contact: String,
    credit: String,
    recipient: String,
}

/// Reads a report; a title that is given beside it goes first.
pub fn read(text: &str, title: Option<&str>) -> Result<Report, WrittenError> {
    if text.len() as u64 > LONGEST {
        return Err(WrittenError::Long);
    }
    let written: Written =
        toml::from_str(text).map_err(|error| WrittenError::Field(Box::new(error)))?;
    if !written.recipient.is_empty() {
        written.recipient.parse::<Recipient>()?;
    }
    let report = Report {
        title: title.map_or(written.title, str::to_owned),
        steps: written.steps,
        expected: written.expected,
        actual: written.actual,
        more: written.more,
        affected: written.affected,
        finder: Finder {
            contact: written.contact,
            credit: written.credit,
            recipient: written.recipient,
        },
        attachments: Vec::new(),
    };
    report.check(&ReportLimits::default())?;
    Ok(report)
}

/// A file to fill in, with what is installed here.
pub fn template(inventory: &Inventory) -> String {
    let mut text = r#"# A report of a vulnerability. It is encrypted to the vendor before it leaves this machine:
#   spacecp-advisories report --from THIS_FILE --out report.age
title = ""                        # one line

steps = """
How to reproduce it.
"""
expected = """
What should have happened.
"""
actual = """
What happened.
"""
more = ""

# You stay anonymous unless you fill these in.
contact = ""                      # how to reach you
credit = ""                       # the name that you want to be credited by
recipient = ""                    # your own key, as "age1…", for what the vendor sends back
"#
    .to_owned();
    text.push_str("\n# Where you saw it: take the marks of comment away where that is so.\n");
    for one in inventory.installed() {
        let word = |text: &str| toml::Value::String(text.to_owned()).to_string();
        text.push_str(&format!(
            "# [[affected]]\n# component = {}\n# version = {}\n",
            word(one.advisory_name()),
            word(one.version().unwrap_or_default())
        ));
    }
    text
}

#[cfg(test)]
mod tests {
    use spacecp_contract::{Digest, ReportError};

    use super::{WrittenError, read, template};
    use spacecp_apply::inventory::Inventory;

    fn empty() -> Inventory {
        Inventory {
            components: Vec::new(),
            found: Vec::new(),
            unread: Vec::new(),
            acknowledged: Vec::new(),
            set_versions: std::collections::BTreeMap::new(),
            coverage: String::new(),
            running: std::sync::Arc::default(),
            fingerprint: Digest::of(b""),
        }
    }

    #[test]
    fn the_file_to_fill_in_wants_a_title_and_is_a_report_then() {
        let text = template(&empty());
        assert!(matches!(
            read(&text, None),
            Err(WrittenError::Report(ReportError::Missing {
                field: "the title"
            }))
        ));
        let report = read(&text, Some("It leaks")).expect("it is one");
        assert!(report.finder.is_anonymous());
    }

    #[test]
    fn a_mistake_is_named_with_its_line() {
        let error = read("title = \"a\"\nstep = \"b\"\n", None).expect_err("no such field");
        assert!(error.to_string().contains("line 2, column 1"), "{error}");
    }
}
