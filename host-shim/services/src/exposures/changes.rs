//! What begins and what ends, given what lasts and what is found now. No store, no clock.

use std::collections::BTreeMap;

use super::{Period, Verdict};

/// What is found of one advisory and one component now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The advisory.
    pub advisory: String,
    /// The component.
    pub component: String,
    /// Affected or unknown; none where it is neither.
    pub verdict: Option<Verdict>,
    /// The version, if it is known.
    pub version: Option<String>,
    /// Why, as the verdict says.
    pub reason: String,
}

/// One change of what lasts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// Something begins.
    Begins(Finding),
    /// Something ends.
    Ends {
        /// The advisory.
        advisory: String,
        /// The component.
        component: String,
        /// Why.
        because: String,
    },
}

/// Why what is no longer found at all has ended.
const GONE: &str = "the advisory no longer lists the component, another advisory covers the same vulnerability, or the component was removed";

/// What changes, in an order in which each end comes before a beginning of the same.
pub fn changes(lasting: &[Period], found: &[Finding]) -> Vec<Change> {
    let found: BTreeMap<(&str, &str), &Finding> = found
        .iter()
        .map(|finding| {
            let names = (finding.advisory.as_str(), finding.component.as_str());
            (names, finding)
        })
        .collect();
    let mut lasts = BTreeMap::new();
    let mut changes = Vec::new();
    for period in lasting {
        let names = (period.advisory.as_str(), period.component.as_str());
        let now = found.get(&names);
        if now.is_some_and(|finding| finding.verdict == Some(period.verdict)) {
            lasts.insert(names, period);
            continue;
        }
        changes.push(Change::Ends {
            advisory: period.advisory.clone(),
            component: period.component.clone(),
            because: now.map_or(GONE, |finding| &finding.reason).to_owned(),
        });
    }
    for (names, finding) in found {
        if finding.verdict.is_some() && !lasts.contains_key(&names) {
            changes.push(Change::Begins(finding.clone()));
        }
    }
    changes
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use proptest::prelude::*;

    use super::*;

    fn finding(component: u8, verdict: Option<Verdict>) -> Finding {
        Finding {
            advisory: "SPACECP-SA-2026-0001".to_owned(),
            component: component.to_string(),
            verdict,
            version: Some("1.0.0".to_owned()),
            reason: format!("{verdict:?}"),
        }
    }

    fn lasting(finding: &Finding) -> Option<Period> {
        Some(Period {
            advisory: finding.advisory.clone(),
            component: finding.component.clone(),
            verdict: finding.verdict?,
            version: finding.version.clone(),
            since: Timestamp::UNIX_EPOCH,
            because: finding.reason.clone(),
            until: None,
            ended: None,
        })
    }

    #[test]
    fn what_is_no_longer_found_has_ended_and_says_so() {
        let before = [lasting(&finding(1, Some(Verdict::Affected))).unwrap()];
        let ended = changes(&before, &[]);
        assert!(matches!(&ended[..], [Change::Ends { because, .. }] if because == GONE));
    }

    #[test]
    fn what_is_found_to_be_fixed_has_ended_for_the_reason_of_the_verdict() {
        let before = [lasting(&finding(1, Some(Verdict::Affected))).unwrap()];
        let ended = changes(&before, &[finding(1, None)]);
        assert!(matches!(&ended[..], [Change::Ends { because, .. }] if because == "None"));
    }

    #[test]
    fn another_verdict_is_another_period() {
        let before = [lasting(&finding(1, Some(Verdict::Unknown))).unwrap()];
        let changed = changes(&before, &[finding(1, Some(Verdict::Affected))]);
        assert!(matches!(
            &changed[..],
            [Change::Ends { .. }, Change::Begins(_)]
        ));
    }

    fn verdict() -> impl Strategy<Value = Option<Verdict>> {
        prop_oneof![
            Just(None),
            Just(Some(Verdict::Affected)),
            Just(Some(Verdict::Unknown)),
        ]
    }

    proptest! {
        #[test]
        fn after_the_changes_exactly_what_is_found_lasts(
            before in proptest::collection::btree_map(0u8..8, verdict(), 0..8),
            now in proptest::collection::btree_map(0u8..8, verdict(), 0..8),
        ) {
            let findings = |map: &BTreeMap<u8, Option<Verdict>>| -> Vec<Finding> {
                map.iter().map(|(name, verdict)| finding(*name, *verdict)).collect()
            };
            let mut lasts: BTreeMap<String, Verdict> = findings(&before)
                .iter()
                .filter_map(|finding| Some((finding.component.clone(), finding.verdict?)))
                .collect();
            let periods: Vec<Period> = findings(&before).iter().filter_map(lasting).collect();
            for change in changes(&periods, &findings(&now)) {
                match change {
                    Change::Ends { component, .. } => {
                        prop_assert!(lasts.remove(&component).is_some(), "it did not last");
                    }
                    Change::Begins(finding) => {
                        let verdict = finding.verdict.expect("only these begin");
                        prop_assert!(lasts.insert(finding.component, verdict).is_none());
                    }
                }
            }
            let expected: BTreeMap<String, Verdict> = findings(&now)
                .iter()
                .filter_map(|finding| Some((finding.component.clone(), finding.verdict?)))
                .collect();
            prop_assert_eq!(lasts, expected);
        }
    }
}
