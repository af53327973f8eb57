//! What somebody has typed into the form of a report: kept as it is until it is right.

use std::collections::BTreeMap;

use spacecp_contract::{
    ComponentName, Finder, NameError, Report, ReportError, ReportLimits, ReportedVersion,
};

use super::{Recipient, RecipientError};
use spacecp_apply::inventory::Inventory;

/// Rows of components that the form offers; what else is installed is written into the empty ones.
const MOST_OFFERED: usize = 60;

/// Empty rows below them.
const SPARE: usize = 3;

/// Rows that are read from a form.
const MOST_ROWS: usize = 128;

/// The fields of the form.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Typed {
    /// One line.
    pub title: String,
    /// How to reproduce it.
    pub steps: String,
    /// What was expected.
    pub expected: String,
    /// What happened.
    pub actual: String,
    /// Anything else.
    pub more: String,
    /// Components, and which of them are affected.
    pub rows: Vec<Row>,
    /// How to reach the finder.
    pub contact: String,
    /// The name for a credit.
    pub credit: String,
    /// The finder's own recipient.
    pub recipient: String,
}

/// A component with its version.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Row {
    /// Whether it is called affected.
    pub affected: bool,
    /// Its name.
    pub component: String,
    /// Its version.
    pub version: String,
}

/// Why what was typed is no report. What was typed is not in it, but for the name that is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TypedError {
    /// A component's name is none.
    #[error("row {row}: {source}")]
    Component {
        /// The row, from 1.
        row: usize,
        /// What is wrong.
        source: NameError,
    },
    /// The finder's recipient is none.
    #[error("your own key: {0}")]
    Recipient(#[from] RecipientError),
    /// Something else.
    #[error(transparent)]
    Report(#[from] ReportError),
}

impl Typed {
    /// The form as it is offered: with what is installed, and nothing called affected yet.
    pub fn offered(inventory: &Inventory) -> Self {
        let installed = inventory.installed().take(MOST_OFFERED);
        let rows = installed.map(|one| Row {
            affected: false,
            component: one.advisory_name().to_string(),
            version: one.version().unwrap_or_default().to_owned(),
        });
        let spare = std::iter::repeat_n(Row::default(), SPARE);
        Self {
            rows: rows.chain(spare).collect(),
            ..Self::default()
        }
    }

    /// What a form says.
    pub fn read(fields: &BTreeMap<String, String>) -> Self {
        let field = |name: &str| fields.get(name).map_or("", String::as_str);
        let text = |name: &str| lines(field(name));
        let line = |name: &str| field(name).trim().to_owned();
        let row = |number: usize| {
            let name = |part: &str| format!("{part}-{number}");
            fields.get(&name("component")).map(|component| Row {
                affected: fields.contains_key(&name("affected")),
                component: component.trim().to_owned(),
                version: line(&name("version")),
            })
        };
        Self {
            title: line("title"),
            steps: text("steps"),
            expected: text("expected"),
            actual: text("actual"),
            more: text("more"),
            rows: (0..MOST_ROWS).map_while(row).collect(),
            contact: line("contact"),
            credit: line("credit"),
            recipient: line("recipient"),
        }
    }

    /// The report, if it is one.
    pub fn report(&self) -> Result<Report, TypedError> {
        if !self.recipient.is_empty() {
            self.recipient.parse::<Recipient>()?;
        }
        let report = Report {
            title: self.title.clone(),
            steps: self.steps.clone(),
            expected: self.expected.clone(),
            actual: self.actual.clone(),
            more: self.more.clone(),
            affected: self.affected()?,
            finder: Finder {
                contact: self.contact.clone(),
                credit: self.credit.clone(),
                recipient: self.recipient.clone(),
            },
            attachments: Vec::new(),
        };
        report.check(&ReportLimits::default())?;
        Ok(report)
    }

    fn affected(&self) -> Result<Vec<ReportedVersion>, TypedError> {
        let rows = (1..).zip(&self.rows);
        let ticked = rows.filter(|(_, row)| row.affected && !row.is_empty());
        ticked
            .map(|(number, row)| {
                let component = ComponentName::new(row.component.clone());
                Ok(ReportedVersion {
                    component: component.map_err(|source| TypedError::Component {
                        row: number,
                        source,
                    })?,
                    version: row.version.clone(),
                })
            })
            .collect()
    }
}

impl Row {
    /// Whether nothing was typed into it.
    pub fn is_empty(&self) -> bool {
        self.component.is_empty() && self.version.is_empty()
    }
}

/// Forms end their lines as mail does; reports have one character for it.
fn lines(text: &str) -> String {
    text.replace("\r\n", "\n").replace('\r', "\n")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::{MOST_ROWS, Typed, TypedError};

    fn fields(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        let needed = [
            ("title", "It leaks"),
            ("steps", "One.\r\nTwo.\rThree."),
            ("expected", "Nothing."),
            ("actual", "Something."),
        ];
        let all = needed.iter().chain(pairs);
        all.map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect()
    }

    #[test]
    fn a_form_becomes_a_report_by_nobody() {
        let report = Typed::read(&fields(&[])).report().expect("it is one");
        assert_eq!(report.steps, "One.\nTwo.\nThree.");
        assert!(report.finder.is_anonymous());
    }

    #[test]
    fn a_row_counts_once_it_is_ticked_and_says_something() {
        let typed = Typed::read(&fields(&[
            ("component-0", "spacecp:houston"),
            ("version-0", "1.0.0"),
            ("component-1", "spacecp:panel"),
            ("version-1", "2.0.0"),
            ("affected-1", "yes"),
            ("component-2", ""),
            ("version-2", ""),
            ("affected-2", "yes"),
        ]));
        let report = typed.report().expect("it is one");
        assert_eq!(report.affected.len(), 1);
        assert_eq!(report.affected[0].version, "2.0.0");
    }

    #[test]
    fn a_name_that_is_none_and_a_key_that_is_none_are_said_where_they_are() {
        let row = fields(&[("component-0", "no name"), ("affected-0", "yes")]);
        assert!(matches!(
            Typed::read(&row).report(),
            Err(TypedError::Component { row: 1, .. })
        ));
        let key = fields(&[("recipient", "age1nobody")]);
        let error = Typed::read(&key).report().expect_err("it is none");
        assert!(error.to_string().contains("your own key"), "{error}");
    }

    proptest! {
        #[test]
        fn whatever_a_form_says_it_is_read_and_bounded(
            fields in prop::collection::btree_map("(component|version|affected)-[0-9]{1,3}|title|steps|\\PC{0,8}", "(\\PC|\r|\n){0,40}", 0..40),
        ) {
            let typed = Typed::read(&fields);
            prop_assert!(typed.rows.len() <= MOST_ROWS);
            prop_assert!(!typed.steps.contains('\r'));
            let _ = typed.report();
        }
    }
}
