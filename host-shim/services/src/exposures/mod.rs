//! From when until when this panel was exposed to what.
//!
//! Verdicts come from the plugin; what is kept here is when each began and ended, and why. It says since
//! when an exposure was *known* here: a version may have been installed long before its flaw was told
//! of.

mod changes;
mod component;
mod counted;
mod history;
mod lists;
mod outdated;
mod page;
mod record;
mod service;
mod verdicts;

use jiff::Timestamp;
use serde::Serialize;

pub use changes::{Change, Finding, changes};
pub use component::KnownComponent;
pub use counted::{counted_status, mark_word, matters};
pub use history::{ExposureRecord, Question};
pub use lists::{AdvisoryDetail, AdvisoryEntry, AdvisoryList, ComponentList};
pub use outdated::OutdatedComponent;
pub use page::page as exposure_page;
pub use record::{Query, began, note, oldest, periods};
pub use service::Exposure;

/// The verdicts that a period is kept of; of the others there is nothing to remember.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// The component was exposed.
    Affected,
    /// Nobody could say whether it was.
    Unknown,
}

impl Verdict {
    /// The word that pages and scripts use.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Affected => "affected",
            Self::Unknown => "unknown",
        }
    }
}

/// A time during which a component was exposed to an advisory, or during which nobody could say.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Period {
    /// The advisory.
    pub advisory: String,
    /// The component.
    pub component: String,
    /// The verdict that held.
    pub verdict: Verdict,
    /// The version when it began, if that was known.
    pub version: Option<String>,
    /// Since when it was known.
    pub since: Timestamp,
    /// Why, as the verdict said.
    pub because: String,
    /// Until when; none while it lasts.
    pub until: Option<Timestamp>,
    /// Why it ended.
    pub ended: Option<String>,
}

impl Period {
    /// Whether any of it lies between two instants.
    pub fn touches(&self, from: Timestamp, until: Timestamp) -> bool {
        self.since <= until && self.until.is_none_or(|end| end >= from)
    }
}

/// How many components were with such a verdict, from each instant at which that changes.
pub fn counts(periods: &[Period], verdict: Verdict) -> Vec<(Timestamp, u32)> {
    let of = periods.iter().filter(|period| period.verdict == verdict);
    let mut steps: Vec<(Timestamp, &str, i64)> = of
        .flat_map(|period| {
            let end = period
                .until
                .map(|until| (until, period.component.as_str(), -1));
            [Some((period.since, period.component.as_str(), 1)), end]
        })
        .flatten()
        .collect();
    steps.sort_by_key(|step| step.0);
    let mut open: std::collections::HashMap<&str, i64> = std::collections::HashMap::new();
    let mut counts: Vec<(Timestamp, u32)> = Vec::new();
    for (at, component, step) in steps {
        *open.entry(component).or_default() += step;
        open.retain(|_, number| *number != 0);
        let number = u32::try_from(open.len()).unwrap_or(u32::MAX);
        match counts.last_mut() {
            Some(last) if last.0 == at => last.1 = number,
            _ => counts.push((at, number)),
        }
    }
    counts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn period(component: &str, since: i64, until: Option<i64>) -> Period {
        Period {
            advisory: "SPACECP-SA-2026-0001".to_owned(),
            component: component.to_owned(),
            verdict: Verdict::Affected,
            version: None,
            since: at(since),
            because: String::new(),
            until: until.map(at),
            ended: None,
        }
    }

    #[test]
    fn a_component_that_is_exposed_twice_counts_once() {
        let periods = [
            period("a", 10, Some(30)),
            period("a", 20, Some(40)),
            period("b", 20, None),
        ];
        let counted = counts(&periods, Verdict::Affected);
        let expected = [(10, 1), (20, 2), (30, 2), (40, 1)];
        assert_eq!(
            counted,
            expected.map(|(second, number)| (at(second), number))
        );
        assert_eq!(counts(&periods, Verdict::Unknown), []);
    }

    #[test]
    fn a_period_touches_what_it_shares_an_instant_with() {
        let ended = period("a", 10, Some(20));
        assert!(ended.touches(at(0), at(10)) && ended.touches(at(20), at(30)));
        assert!(!ended.touches(at(0), at(9)) && !ended.touches(at(21), at(30)));
        assert!(period("a", 10, None).touches(at(1_000), at(2_000)));
    }
}
